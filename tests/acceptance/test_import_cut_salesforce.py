"""Exports of Salesforce whose history is cut: what the ledger has of a deal is not told again."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest

from api.exchange.lines import ImportReport
from api.storage.event_store import EventStore
from domain.events.honesty import HistoryGap
from domain.replay import view
from projections.spans.fold import DealState, fold
from tests.support.exports import Rows, rewritten, weekly_export
from tests.support.newer import deal, imported, told

DEAL = "0065g0000000TIuAAM"
OPENED, FIRST, SECOND, THIRD = (f"2025-0{month}-03 09:00:00" for month in (1, 2, 3, 4))


class State(NamedTuple):
    """A row of OpportunityHistory."""

    number: int
    at: str
    stage: str = "Discovery"
    amount: str = "100"
    day: str = "2025-06-30"
    until: str = ""

    @property
    def fields(self) -> dict[str, str]:
        day = f"{self.day} 00:00:00"
        return {"StageName": self.stage, "Amount": self.amount, "CloseDate": day}


BEGUN = State(1, OPENED)


class Exports:
    """Exports of one deal, imported one after the other."""

    def __init__(self, store: EventStore, source: Path, folder: Path) -> None:
        self._store = store
        self._source = source
        self._folder = folder

    def take(
        self, *rows: State, now: State, changes: tuple[State, ...] = (), pushes: str = ""
    ) -> ImportReport:
        """Import these rows of the deal as it stands now, and these changes of its stage."""
        target = self._folder / str(len(list(self._folder.iterdir())))
        rewritten(self._source, target, _told(rows, now, changes, pushes))
        history = "OpportunityHistory.csv"
        if not rows:
            header, *_ = (self._source / history).read_text(encoding="utf-8").splitlines()
            (target / history).write_text(header + "\n", encoding="utf-8")
        return imported(self._store, "salesforce-csv", target)

    def kinds(self, kind: str) -> int:
        return len(told(deal(self._store, DEAL, "salesforce"), kind))

    @property
    def gaps(self) -> list[tuple[str, str]]:
        gaps = told(deal(self._store, DEAL, "salesforce"), "history_gap")
        return [
            (f"{gap.start:%Y-%m-%d %H:%M:%S}", f"{gap.end:%Y-%m-%d %H:%M:%S}")
            for gap in gaps
            if isinstance(gap, HistoryGap)
        ]

    @property
    def state(self) -> DealState:
        (stream,) = self._store.stream_ids_of(DEAL, system="salesforce")
        found = fold(view(self._store.stream(stream)))
        assert found is not None
        return found


def _told(
    rows: tuple[State, ...], now: State, changes: tuple[State, ...], pushes: str
) -> Callable[[str, Rows], Rows]:
    def change(name: str, found: Rows) -> Rows:
        pattern = found[0]
        if name == "Opportunity":
            times = {"CreatedDate": OPENED, "LastModifiedDate": now.at, "PushCount": pushes}
            return [pattern | now.fields | times | {"SyncedQuoteId": ""}]
        if name == "OpportunityHistory":
            empty = {"PrevAmount": "", "PrevCloseDate": "", "ForecastCategory": ""}
            return [
                pattern
                | empty
                | row.fields
                | {"Id": f"0085g000000000{row.number}", "CreatedDate": row.at}
                | {"ValidThroughDate": row.until, "OpportunityId": DEAL}
                for row in rows
            ]
        if name == "OpportunityFieldHistory":
            stage = {"OpportunityId": DEAL, "Field": "StageName", "OldValue": ""}
            return [
                pattern
                | stage
                | {"Id": f"0175g000000000{row.number}", "CreatedDate": row.at}
                | {"NewValue": row.stage}
                for row in changes
            ]
        return [] if name in ("Task", "Quote", "QuoteLineItem") else found

    return change


@pytest.fixture
def exports(store: EventStore, shared_data: Path, tmp_path: Path) -> Exports:
    return Exports(store, weekly_export(shared_data), tmp_path)


def test_a_deal_won_and_reopened_within_one_second_is_open(exports: Exports) -> None:
    won = State(2, FIRST, "Closed Won", until=FIRST)
    reopened = State(3, FIRST)

    exports.take(BEGUN, won, reopened, now=reopened)

    assert (exports.state.closed, exports.state.stage) == (None, "Discovery")
    assert exports.kinds("win_reversed") == 1


def test_rows_since_the_last_export_tell_what_they_change_and_nothing_again(
    exports: Exports,
) -> None:
    exports.take(BEGUN, later := State(2, FIRST, amount="200"), now=later)
    newer = State(3, SECOND, amount="300")

    reports = [exports.take(newer, now=newer) for _ in range(2)]

    assert [one.events_made for one in reports] == [2, 0]
    assert (exports.kinds("stage_entered"), exports.kinds("amount_changed")) == (1, 2)
    assert exports.gaps == [(FIRST, SECOND)]


def test_a_win_that_the_history_no_longer_has_is_amended_and_not_won_again(
    exports: Exports,
) -> None:
    won = State(2, FIRST, "Closed Won", day="2025-02-03")
    exports.take(BEGUN, won, now=won)
    booked = won._replace(number=3, at=SECOND, amount="300")
    counted = won._replace(number=4, at=THIRD, amount="400")

    reports = [exports.take(booked, counted, now=counted) for _ in range(2)]

    assert [list(one.rejects) for one in reports] == [[], []]
    assert reports[1].events_made == 0
    assert exports.kinds("deal_won") == 1
    assert exports.state.amount == Decimal(400)


def test_an_export_without_the_history_of_a_deal_that_stands_as_known_adds_nothing(
    exports: Exports,
) -> None:
    exports.take(BEGUN, later := State(2, FIRST, "Proposal"), now=later)

    report = exports.take(now=later._replace(at=THIRD))

    assert (report.events_made, list(report.rejects), exports.gaps) == (0, [], [])


def test_an_export_without_the_history_of_a_deal_that_stands_otherwise_tells_a_gap(
    exports: Exports,
) -> None:
    exports.take(BEGUN, later := State(2, FIRST, "Proposal"), now=later)

    report = exports.take(now=later._replace(at=THIRD, amount="500"))

    assert (report.events_made, exports.gaps) == (1, [(FIRST, THIRD)])


def test_a_deal_that_was_never_changed_enters_its_stage_once(exports: Exports) -> None:
    made = [exports.take(BEGUN, now=BEGUN).events_made > 0]
    made += [exports.take(*rows, now=BEGUN).events_made > 0 for rows in ([], [BEGUN])]

    assert made == [True, False, False]
    assert exports.kinds("stage_entered") == 1


def test_a_stage_told_without_a_history_is_not_entered_again_with_one(exports: Exports) -> None:
    exports.take(now=BEGUN)

    report = exports.take(BEGUN, now=BEGUN)

    assert (report.events_made, exports.kinds("stage_entered")) == (0, 1)


def test_pushes_that_the_ledger_knows_are_not_missing_from_a_shorter_history(
    exports: Exports,
) -> None:
    pushed = State(2, FIRST, day="2025-08-01")
    exports.take(BEGUN, pushed, now=pushed, pushes="1")
    newer = pushed._replace(number=3, at=SECOND, stage="Proposal")

    reports = [exports.take(newer, now=newer, pushes="1") for _ in range(2)]

    assert [one.events_made for one in reports] == [2, 0]
    assert exports.gaps == [(FIRST, SECOND)]


def test_changes_of_fields_that_the_ledger_knows_need_no_row_of_the_history(
    exports: Exports,
) -> None:
    later = State(2, FIRST, "Proposal")
    exports.take(BEGUN, later, now=later, changes=(later,))
    newer = State(3, SECOND, "Negotiation")

    report = exports.take(newer, now=newer, changes=(later, newer))

    assert list(report.rejects) == []
    assert exports.gaps == [(FIRST, SECOND)]
