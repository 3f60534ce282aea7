"""Visits are the stays that durations are compared by, told with more."""

from hypothesis import given

from domain.events.life import DealDeleted
from domain.replay import Event, view
from projections.pressure.derive import stays_of
from projections.quarter.visits import visits_of
from tests.support.histories import processes
from tests.support.quarters import LIVES, UNHURRIED


@UNHURRIED
@given(LIVES)
def test_visits_are_the_stays_that_durations_are_compared_by(stream: list[Event]) -> None:
    events = [event for event in view(stream) if not isinstance(event.data, DealDeleted)]

    found = visits_of(events, processes)

    assert [(v.event_id, v.process, v.stage, v.entered_at, v.left_at) for v in found] == [
        (s.event_id, s.process, s.stage, s.entered_at, s.left_at)
        for s in stays_of(events, processes)
    ]


@UNHURRIED
@given(LIVES)
def test_at_most_the_last_visit_lasts_and_numbers_count_from_one(stream: list[Event]) -> None:
    found = visits_of(view(stream), processes)

    assert all(visit.left_at is not None for visit in found[:-1])
    for name in {visit.stage for visit in found}:
        numbers = [visit.number for visit in found if visit.stage == name]
        assert numbers == list(range(1, len(numbers) + 1))
