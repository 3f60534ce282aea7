"""Who owned a deal, where exports have its owners in part: what the ledger knows of it counts."""

from collections.abc import Callable
from pathlib import Path

import pytest

from api.exchange.lines import ImportReport
from api.storage.event_store import EventStore
from domain.events.honesty import HistoryGap
from tests.support.exports import Rows, rewritten, weekly_export
from tests.support.newer import deal, imported, told

DEAL = "0065g0000000hizAAA"
ANA, BEN, CHI, DAN = (
    "005AnaAnaAnaAnaAAA",
    "005BenBenBenBenAAA",
    "005ChiChiChiChiAAA",
    "005DanDanDanDanAAA",
)
OPENED = "2024-09-09 13:00:00"
FIRST, SECOND = "2024-12-10 09:00:00", "2025-05-10 09:00:00"
Given = tuple[str, str, str]


class Exports:
    """Exports of one deal, imported one after the other."""

    def __init__(self, store: EventStore, source: Path, folder: Path) -> None:
        self._store = store
        self._source = source
        self._folder = folder

    def take(self, present: str, *given: Given, at: str) -> ImportReport:
        """Import the deal as it was owned then, with these changes of owner: from, to, when."""
        path = self._folder / f"{present}-{len(given)}-{at[:10]}"
        if not path.exists():
            rewritten(self._source, path, _owned(present, given, at))
        return imported(self._store, "salesforce-csv", path)

    @property
    def owners(self) -> list[str]:
        events = deal(self._store, DEAL, "salesforce")
        kinds = ("deal_opened", "owner_changed")
        return [one.owner for kind in kinds for one in told(events, kind)]  # type: ignore[attr-defined]  # of these kinds

    @property
    def gaps(self) -> list[tuple[str, str]]:
        """From when until when the owner is not known."""
        told_gaps = told(deal(self._store, DEAL, "salesforce"), "history_gap")
        return [
            (f"{gap.start:%Y-%m-%d %H:%M:%S}", f"{gap.end:%Y-%m-%d %H:%M:%S}")
            for gap in told_gaps
            if isinstance(gap, HistoryGap) and gap.fields == ["owner"]
        ]


def _owned(present: str, given: tuple[Given, ...], at: str) -> Callable[[str, Rows], Rows]:
    def change(name: str, rows: Rows) -> Rows:
        if name == "Opportunity":
            stated = {"OwnerId": present, "LastModifiedDate": at}
            return [row | stated if row["Id"] == DEAL else row for row in rows]
        if name != "OpportunityFieldHistory":
            return rows
        pattern = rows[0] | {"OpportunityId": DEAL, "Field": "Owner", "DataType": "EntityId"}
        return [row for row in rows if row["OpportunityId"] != DEAL] + [
            pattern
            | {"Id": f"017{when[:4]}{when[5:7]}{when[8:10]}9999AAA", "OldValue": old}
            | {"NewValue": new, "CreatedDate": when}
            for old, new, when in given
        ]

    return change


@pytest.fixture
def exports(store: EventStore, shared_data: Path, tmp_path: Path) -> Exports:
    return Exports(store, weekly_export(shared_data), tmp_path)


def test_a_deal_that_is_its_first_owners_again_has_a_gap_where_nothing_says_since_when(
    exports: Exports,
) -> None:
    exports.take(BEN, (ANA, BEN, FIRST), at="2024-12-11 09:00:00")

    report = exports.take(ANA, at="2025-06-01 09:00:00")

    assert list(report.rejects) == []
    assert exports.owners == [ANA, BEN]
    assert exports.gaps == [(FIRST, "2025-06-01 09:00:00")]
    assert exports.take(ANA, at="2025-06-01 09:00:00").events_made == 0
    assert exports.take(BEN, (ANA, BEN, FIRST), at="2024-12-11 09:00:00").events_made == 0


def test_a_deal_that_an_earlier_owner_has_again_has_a_gap_too(exports: Exports) -> None:
    given = [(ANA, BEN, FIRST), (BEN, CHI, SECOND)]
    exports.take(CHI, *given, at="2025-05-11 09:00:00")

    exports.take(BEN, at="2025-06-01 09:00:00")

    assert exports.owners == [ANA, BEN, CHI]
    assert exports.gaps == [(SECOND, "2025-06-01 09:00:00")]


def test_an_older_export_without_a_history_of_owners_leaves_no_gap_where_they_are_known(
    exports: Exports,
) -> None:
    exports.take(CHI, (ANA, BEN, FIRST), (BEN, CHI, SECOND), at="2025-05-11 09:00:00")

    report = exports.take(BEN, at="2025-01-01 09:00:00")

    assert (report.events_made, exports.gaps) == (0, [])


@pytest.mark.parametrize("known", [[], [(ANA, BEN, FIRST)]], ids=["no change", "a change"])
def test_changes_that_begin_later_than_what_is_known_change_no_opening(
    known: list[Given], exports: Exports
) -> None:
    exports.take(BEN if known else ANA, *known, at="2024-12-11 09:00:00")
    later: Given = (CHI, DAN, SECOND)

    report = exports.take(DAN, later, at="2025-06-01 09:00:00")
    again = [exports.take(DAN, later, at="2025-06-01 09:00:00")]
    again += [exports.take(BEN if known else ANA, *known, at="2024-12-11 09:00:00")]

    assert list(report.rejects) == []
    assert exports.owners == [ANA, *(new for _, new, _ in known), DAN]
    assert exports.gaps == [(FIRST if known else OPENED, SECOND)]
    assert [(one.events_made, list(one.rejects)) for one in again] == [(0, [])] * 2


def test_a_change_back_to_the_first_owner_is_told_whom_it_came_from_or_not(
    exports: Exports,
) -> None:
    exports.take(BEN, (ANA, BEN, FIRST), at="2024-12-11 09:00:00")

    exports.take(ANA, (CHI, ANA, SECOND), at="2025-06-01 09:00:00")

    assert exports.owners == [ANA, BEN, ANA]
    assert exports.gaps == [(FIRST, SECOND)]


def test_an_owner_that_a_fuller_history_corrected_stays_so_once_the_history_is_lost(
    exports: Exports,
) -> None:
    exports.take(CHI, at="2024-12-11 09:00:00")
    exports.take(CHI, (ANA, CHI, FIRST), at="2024-12-20 09:00:00")
    assert exports.owners == [ANA, CHI]

    report = exports.take(CHI, at="2025-06-01 09:00:00")

    assert (report.events_made, list(report.rejects)) == (0, [])
    assert exports.owners == [ANA, CHI]


def test_a_gap_that_was_told_stays_as_it_is_once_more_is_known_of_it(exports: Exports) -> None:
    exports.take(ANA, at="2024-12-01 09:00:00")
    exports.take(BEN, at="2025-01-01 09:00:00")
    exports.take(DAN, (ANA, CHI, FIRST), (BEN, DAN, SECOND), at="2025-06-01 09:00:00")

    again = exports.take(BEN, at="2025-01-01 09:00:00")

    assert (again.events_made, list(again.rejects)) == (0, [])
    assert exports.gaps == [(OPENED, "2025-01-01 09:00:00")]
