"""Exports of Pipedrive whose history is cut: what the ledger has of a deal counts as before."""

from pathlib import Path
from typing import Any

import pytest

from api.exchange.lines import ImportReport
from api.storage.event_store import EventStore
from domain.events.base import DomainEvent
from domain.events.honesty import HistoryGap
from domain.replay import view
from projections.spans.fold import DealState, fold
from tests.support.exports import PACK
from tests.support.newer import deal, imported, in_pipedrive, told
from tests.support.pipedrive import PROFILE, change, changed

DEAL = 1001
OPENED, FIRST, SECOND, THIRD = (f"2025-0{month}-03 09:00:00" for month in (1, 2, 3, 4))
STAGE = change("stage_id", "1", "2", FIRST)
AMOUNT = change("value", "100", "200", SECOND)
DAY = change("expected_close_date", "2025-06-30", "2025-07-31", SECOND)
WON = change("status", "open", "won", THIRD)
ALL = (STAGE, AMOUNT, DAY, WON)
STANDS = {"stage_id": 2, "value": 200, "expected_close_date": "2025-07-31", "status": "won"}


class Exports:
    """Exports of one deal, imported one after the other."""

    def __init__(self, store: EventStore, source: Path, folder: Path) -> None:
        self._store = store
        self._source = source
        self._folder = folder

    def take(self, *entries: dict[str, Any], at: str, **now: Any) -> ImportReport:
        """Import the deal as changed last then, with this history, oldest first."""

        def standing(content: Any) -> Any:
            one = in_pipedrive(content, DEAL)
            one |= {"add_time": OPENED, "update_time": at, "custom_fields": {}}
            one |= {"won_time": THIRD if now.get("status") == "won" else None, "lost_time": None}
            one |= {"stage_id": 1, "value": 100, "expected_close_date": "2025-06-30"}
            one |= {"status": "open"} | now
            return content | {"data": [one]}

        def history(_: Any) -> Any:
            return {str(DEAL): [{"success": True, "data": list(reversed(entries))}]}

        def products(content: Any) -> Any:
            return content | {"data": []}

        target = self._folder / str(len(list(self._folder.iterdir())))
        files = {"deals_v2": standing, "deal_flow_v1": history, "deal_products": products}
        return imported(self._store, "pipedrive", changed(self._source, target, **files), PROFILE)

    @property
    def events(self) -> list[DomainEvent]:
        return deal(self._store, str(DEAL), "pipedrive")

    @property
    def gaps(self) -> list[tuple[list[str], str, str]]:
        return [
            (list(gap.fields), f"{gap.start:%Y-%m-%d %H:%M:%S}", f"{gap.end:%Y-%m-%d %H:%M:%S}")
            for gap in told(self.events, "history_gap")
            if isinstance(gap, HistoryGap)
        ]

    @property
    def state(self) -> DealState:
        (stream,) = self._store.stream_ids_of(str(DEAL), system="pipedrive")
        found = fold(view(self._store.stream(stream)))
        assert found is not None
        return found


@pytest.fixture
def exports(store: EventStore, shared_data: Path, tmp_path: Path) -> Exports:
    return Exports(store, shared_data / PACK / "pipedrive", tmp_path)


@pytest.mark.parametrize("left", [(), (WON,), (AMOUNT, WON), (STAGE, WON), (STAGE, DAY)], ids=len)
def test_what_a_newer_export_no_longer_has_of_a_history_stays(
    left: tuple[dict[str, Any], ...], exports: Exports
) -> None:
    exports.take(*ALL, at=THIRD, **STANDS)
    before = exports.events

    report = exports.take(*left, at="2025-05-03 09:00:00", **STANDS)

    assert (report.events_made, list(report.rejects)) == (0, [])
    assert exports.events == before


def test_a_history_since_the_last_export_adds_what_is_new_and_moves_no_opening(
    exports: Exports,
) -> None:
    exports.take(STAGE, at=FIRST, stage_id=2)
    opened = told(exports.events, "deal_opened")

    reports = [exports.take(AMOUNT, DAY, WON, at=THIRD, **STANDS) for _ in range(2)]

    assert [one.events_made for one in reports] == [3, 0]
    assert [list(one.rejects) for one in reports] == [[], []]
    assert told(exports.events, "deal_opened") == opened
    assert (exports.state.closed, exports.state.stage, exports.gaps) == ("won", "2", [])
    whole = exports.take(*ALL, at=THIRD, **STANDS)
    assert (whole.events_made, list(whole.rejects)) == (0, [])


def test_a_history_that_does_not_join_what_is_known_has_a_gap_between(exports: Exports) -> None:
    exports.take(STAGE, at=FIRST, stage_id=2)
    later = change("stage_id", "3", "4", THIRD)

    reports = [exports.take(later, at=THIRD, stage_id=4) for _ in range(2)]

    assert [one.events_made for one in reports] == [2, 0]
    assert exports.gaps == [(["stage"], FIRST, THIRD)]
    stages = [one.stage for one in told(exports.events, "stage_entered")]  # type: ignore[attr-defined]  # stage_entered
    assert stages == ["1", "2", "4"]


def test_a_field_that_is_selected_no_more_and_stands_otherwise_has_a_gap(
    exports: Exports,
) -> None:
    exports.take(at=OPENED)

    report = exports.take(AMOUNT, at=SECOND, value=200, expected_close_date="2025-07-31")

    assert list(report.rejects) == []
    (opened,) = told(exports.events, "deal_opened")
    assert str(opened.close_date) == "2025-06-30"  # type: ignore[attr-defined]  # deal_opened
    assert exports.gaps == [(["close_date"], SECOND, SECOND)]


def test_a_history_that_begins_with_a_reopening_opens_no_deal_as_won(exports: Exports) -> None:
    reopened = change("status", "won", "open", FIRST)

    exports.take(reopened, at=FIRST)

    assert (exports.state.closed, told(exports.events, "deal_won")) == (None, [])
    assert exports.gaps == [(["status"], OPENED, FIRST)]


def test_a_fuller_history_corrects_an_opening_that_a_cut_one_told(exports: Exports) -> None:
    later = change("stage_id", "2", "3", SECOND)
    exports.take(later, at=SECOND, stage_id=3)

    report = exports.take(STAGE, later, at=THIRD, stage_id=3)

    assert list(report.rejects) == []
    stages = [one.stage for one in told(exports.events, "stage_entered")]  # type: ignore[attr-defined]  # stage_entered
    assert stages == ["1", "2", "3"]


def test_a_field_that_was_not_selected_at_first_is_corrected_once_it_is(exports: Exports) -> None:
    exports.take(at=SECOND, value=200)

    reports = [exports.take(AMOUNT, at=SECOND, value=200) for _ in range(2)]

    assert [list(one.rejects) for one in reports] == [[], []]
    (opened,) = told(exports.events, "deal_opened")
    assert opened.amount.amount == 100  # type: ignore[attr-defined]  # deal_opened
    assert reports[1].events_made == 0


def test_values_of_one_second_that_are_known_are_told_again_under_no_other_name(
    exports: Exports,
) -> None:
    twice = [change("value", "100", "150", FIRST, id=1), change("value", "150", "200", FIRST, id=3)]
    moved = change("expected_close_date", "2025-06-30", "2025-07-31", FIRST, id=2)
    now = {"value": 200, "expected_close_date": "2025-07-31"}
    exports.take(*twice, moved, at=FIRST, **now)

    report = exports.take(*twice, at=SECOND, **now)

    assert (report.events_made, list(report.rejects)) == (0, [])
