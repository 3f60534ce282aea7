"""Exports of HubSpot that have older amounts and days than stages: what they still have is told."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api.exchange.lines import ImportReport
from api.storage.event_store import EventStore
from domain.events.base import type_name
from domain.replay import view
from projections.spans.fold import fold
from tests.support.exports import PACK
from tests.support.hubspot import PROFILE as HUBSPOT
from tests.support.hubspot import changed, deal_in, version
from tests.support.newer import HubspotDeal, Versions, deal, imported, told

DEAL = HubspotDeal.id
OPENED, RAISED, STAGED = "2024-08-05T13:12:00Z", "2024-09-02T10:00:00Z", "2024-10-02T10:00:00Z"
LOWERED, LAST = "2024-11-02T10:00:00Z", "2025-06-01T09:00:00Z"
STAGES = [version("appointmentscheduled", OPENED), version("qualifiedtobuy", STAGED)]
AMOUNTS = [version("100", OPENED), version("200", RAISED), version("150", LOWERED)]
DAYS = [version("2024-11-15", OPENED), version("2024-12-15", RAISED)]


class Exports(HubspotDeal):
    def of(self, stages: Versions, amounts: Versions, days: Versions) -> ImportReport:
        return self.take(LAST, dealstage=stages, amount=amounts, closedate=days)

    @property
    def values(self) -> list[tuple[str, str]]:
        """Since when the deal had which amount, or which day, as it was told."""
        found = []
        for event in self.events:
            data: Any = event.data
            for value in (getattr(data, "amount", None), getattr(data, "to", None)):
                if value is not None:
                    shown = getattr(value, "amount", value)
                    found.append((f"{event.occurred_at:%m-%d}", str(shown)))
        return sorted(found)


@pytest.fixture
def exports(store: EventStore, shared_data: Path, tmp_path: Path) -> Exports:
    return Exports(store, shared_data / PACK / "hubspot_v3", tmp_path)


WHOLE = sorted([("08-05", "100"), ("09-02", "200"), ("11-02", "150"), ("09-02", "2024-12-15")])


@pytest.mark.parametrize("stages", [STAGES[1:], []], ids=["the last stage", "no stage"])
def test_a_deal_that_is_new_has_its_amounts_and_days_from_before_its_first_stage(
    stages: Versions, exports: Exports
) -> None:
    exports.of(stages, AMOUNTS, DAYS)

    again = exports.of(stages, AMOUNTS, DAYS)

    assert exports.values == sorted([*WHOLE, ("08-05", "2024-11-15")])
    assert (again.events_made, list(again.rejects)) == (0, [])


def test_a_deal_that_is_known_gets_what_changed_before_the_first_stage_that_is_kept(
    exports: Exports, store: EventStore
) -> None:
    exports.of(STAGES[:1], AMOUNTS[:1], DAYS[:1])

    reports = [exports.of(STAGES[1:], AMOUNTS, DAYS) for _ in range(2)]

    assert exports.values == WHOLE
    assert [list(one.rejects) for one in reports] == [[], []]
    assert reports[1].events_made == 0
    gaps = [list(one.fields) for one in told(deal(store, DEAL, "hubspot"), "history_gap")]  # type: ignore[attr-defined]  # history_gap
    assert gaps == [["stage", "amount", "close_date"]]


def test_a_deal_of_which_all_is_known_gets_nothing_from_a_shorter_history(
    exports: Exports,
) -> None:
    exports.of(STAGES, AMOUNTS, DAYS)

    report = exports.of(STAGES[1:], AMOUNTS, DAYS)

    assert exports.values == WHOLE
    assert (report.events_made, list(report.rejects)) == (0, [])


@pytest.mark.parametrize(
    ("end", "turns"),
    [("closedwon", ["win_reversed", "deal_reopened"]), ("closedlost", ["deal_reopened"])],
)
def test_a_deal_that_had_ended_and_goes_on_where_its_stages_are_kept_again_was_reopened(
    end: str, turns: list[str], exports: Exports, store: EventStore
) -> None:
    ended = [*STAGES[:1], version(end, RAISED)]
    exports.of(ended, AMOUNTS[:2], DAYS)

    reports = [exports.of(STAGES[1:], AMOUNTS, DAYS) for _ in range(2)]

    assert [list(one.rejects) for one in reports] == [[], []]
    assert reports[1].events_made == 0
    (stream,) = store.stream_ids_of(DEAL, system="hubspot")
    reopened = [event for event in store.stream(stream) if type_name(type(event.data)) in turns]
    assert [f"{event.occurred_at:%m-%d}" for event in reopened] == ["10-02"] * len(turns)
    standing = fold(view(store.stream(stream)))
    assert standing is not None
    assert standing.closed is None
    assert ("09-02", "2024-12-15") not in exports.values


def test_an_end_that_came_later_is_not_taken_back_by_an_older_export(
    exports: Exports, store: EventStore
) -> None:
    for stages in (STAGES[:1], [version("closedlost", LOWERED)], STAGES[1:]):
        report = exports.of(stages, AMOUNTS[:2], DAYS)
        assert list(report.rejects) == []

    assert told(deal(store, DEAL, "hubspot"), "deal_reopened") == []


def test_an_opening_by_nobody_is_its_first_owners_once_the_history_has_one(
    store: EventStore, shared_data: Path, tmp_path: Path
) -> None:
    owners = [version("70000001", RAISED), version("70000000", "2024-08-05T13:12:00.000Z")]

    def owned(kept: int, at: str) -> Callable[[Any], Any]:
        def change(content: Any) -> Any:
            one = deal_in(content, DEAL)
            one["propertiesWithHistory"]["hubspot_owner_id"] = owners[:kept]
            one["properties"]["hubspot_owner_id"] = "70000001"
            one["updatedAt"] = at
            return content

        return change

    pack = shared_data / PACK / "hubspot_v3"
    first = changed(pack, tmp_path / "1", deals=owned(1, "2024-12-01T00:00:00Z"))
    imported(store, "hubspot", first, HUBSPOT)

    whole = changed(pack, tmp_path / "2", deals=owned(2, LAST))
    reports = [imported(store, "hubspot", whole, HUBSPOT) for _ in range(2)]

    assert [list(one.rejects) for one in reports] == [[], []]
    assert reports[1].events_made == 0
    events = deal(store, DEAL, "hubspot")
    kinds = ("deal_opened", "owner_changed")
    given = [one.owner for kind in kinds for one in told(events, kind)]  # type: ignore[attr-defined]  # of these kinds
    assert given == ["70000000", "70000001"]


def test_a_value_that_the_ledger_has_is_not_told_again_where_a_shorter_history_begins(
    exports: Exports,
) -> None:
    again = version("2024-11-15", RAISED)
    exports.of(STAGES, AMOUNTS, [*DAYS[:1], again])
    whole = exports.values

    report = exports.of(STAGES[1:], AMOUNTS, [again])

    assert exports.values == whole
    assert (report.events_made, list(report.rejects)) == (0, [])


@pytest.mark.parametrize("stages", [STAGES, STAGES[1:]], ids=["all stages", "the last stage"])
@pytest.mark.parametrize("said", [LOWERED, "2024-09-20T10:00:00Z"], ids=["after it", "before it"])
def test_a_value_said_again_is_not_told_again_where_only_that_version_is_kept(
    stages: Versions, said: str, exports: Exports
) -> None:
    amounts = [*AMOUNTS[:2], version("200", said)]
    days = [*DAYS, version("2024-12-15", said)]
    exports.of(STAGES, amounts, days)
    whole = exports.values

    # Another property has a version of its own between what is known and what is kept.
    reports = [exports.of(stages, amounts[2:], days[1:]), exports.of(stages, amounts, days[2:])]

    assert exports.values == whole
    assert [(one.events_made, list(one.rejects)) for one in reports] == [(0, [])] * 2


def test_the_day_of_a_win_that_was_told_otherwise_since_is_no_move_in_a_shorter_history(
    exports: Exports,
) -> None:
    won = [STAGES[0], version("closedwon", RAISED), version("closedlost", LOWERED)]
    won.append(version("closedwon", "2024-11-20T10:00:00Z"))
    days = [DAYS[0], version("2024-09-02", RAISED), version("2024-09-01", "2024-09-03T10:00:00Z")]
    exports.of(won, AMOUNTS[:1], days)
    whole = exports.values

    report = exports.of(won[2:], AMOUNTS[:1], days)

    assert exports.values == whole
    assert list(report.rejects) == []
