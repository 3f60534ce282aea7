"""Visits to stages: their order, their number, how long they last and what ends them."""

from domain.events.base import DomainEvent
from domain.events.life import (
    DealDeleted,
    DealDisqualified,
    DealLost,
    DealMovedToProcess,
    DealReopened,
    ProcessRef,
    WinReversed,
)
from domain.replay import Event
from projections.quarter.visits import StageTime, Visit, stage_times, visits_of
from tests.support.histories import processes
from tests.support.told import Teller, at, named, opened, stage, won

HOUR = 3600


def history(*facts: tuple[DomainEvent, str]) -> list[Event]:
    teller = Teller()
    teller.tell(opened(), "2025-01-08", name="opening")
    for number, (data, when) in enumerate(facts, start=1):
        teller.tell(data, f"2025-01-{when}", name=f"fact {number}")
    return teller.events


def visits(*facts: tuple[DomainEvent, str]) -> list[Visit]:
    return visits_of(history(*facts), processes)


def in_short(found: list[Visit]) -> list[tuple[str, int, int | None, str | None]]:
    return [(visit.stage, visit.number, visit.seconds, visit.ended_how) for visit in found]


def test_a_visit_ends_with_the_next_and_the_last_one_lasts() -> None:
    first, second = visits((stage("qualify"), "09T10:00"), (stage("discover"), "09T12:00"))

    assert first == Visit(
        event_id=named("fact 1"),
        process="linear",
        stage="qualify",
        episode=1,
        number=1,
        entered_at=at("2025-01-09T10:00"),
        left_at=at("2025-01-09T12:00"),
        seconds=2 * HOUR,
        ended_by=named("fact 2"),
        ended_how="stage_entered",
    )
    assert (second.left_at, second.seconds, second.ended_by, second.ended_how) == (None,) * 4


def test_coming_back_is_another_visit_of_that_stage() -> None:
    found = visits(
        (stage("qualify"), "09T10:00"),
        (stage("discover"), "09T11:00"),
        (stage("qualify"), "09T12:00"),
        (stage("qualify"), "09T13:00"),
    )

    assert in_short(found) == [
        ("qualify", 1, HOUR, "stage_entered"),
        ("discover", 1, HOUR, "stage_entered"),
        ("qualify", 2, None, None),
    ]


def test_what_closes_or_deletes_the_deal_ends_the_visit() -> None:
    for ending, name in (
        (won("1000"), "deal_won"),
        (DealLost(), "deal_lost"),
        (DealDisqualified(), "deal_disqualified"),
        (DealReopened(), "deal_reopened"),
        (WinReversed(), "win_reversed"),
        (DealDeleted(), "deal_deleted"),
    ):
        found = visits((stage("qualify"), "09T10:00"), (ending, "09T11:00"))

        assert in_short(found) == [("qualify", 1, HOUR, name)]


def test_a_reopened_deal_visits_its_stage_again_in_a_new_episode() -> None:
    found = visits(
        (stage("qualify"), "09T10:00"),
        (DealLost(), "09T11:00"),
        (DealReopened(), "10T11:00"),
        (stage("qualify"), "10T12:00"),
    )

    assert in_short(found) == [("qualify", 1, HOUR, "deal_lost"), ("qualify", 2, None, None)]
    assert [visit.episode for visit in found] == [1, 2]


def test_another_process_ends_no_visit() -> None:
    to_second = DealMovedToProcess(
        process=ProcessRef(id="linear", version=2), mapping={"qualify": "first"}
    )

    found = visits(
        (stage("qualify"), "09T10:00"), (to_second, "09T11:00"), (stage("second"), "09T12:00")
    )

    assert in_short(found) == [
        ("qualify", 1, 2 * HOUR, "stage_entered"),
        ("second", 1, None, None),
    ]


def test_seconds_are_whole_ones_rounded_down_and_add_up() -> None:
    found = visits(
        (stage("qualify"), "09T10:00:00.500"),
        (stage("discover"), "09T10:00:02"),
        (stage("qualify"), "09T10:00:03"),
    )

    assert stage_times(found, at=at("2025-01-09T10:00:04.900")) == [
        StageTime("qualify", visits=2, seconds=2, lasts=True),
        StageTime("discover", visits=1, seconds=1, lasts=False),
    ]


def test_a_visit_that_begins_after_the_instant_asked_for_has_lasted_no_time() -> None:
    found = visits((stage("qualify"), "09T10:00"))

    assert stage_times(found, at=at("2025-01-09")) == [StageTime("qualify", 1, 0, lasts=True)]
