"""The tape gives at any instant what was known, or what had happened, at that instant."""

import json
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.replay import view
from projections.quarter.steps import Step
from projections.quarter.tape import Shown, Tape, at, shown, tape
from projections.spans.fold import fold
from tests.support.histories import hours
from tests.support.quarters import CUTS, ON_CLOCK, UNHURRIED, Clock, World, last_steps, worlds

END = hours(60)
HALF_HOURS = st.lists(st.integers(0, 50), min_size=1, max_size=8)


def taped(world: World, clock: Clock, start: datetime) -> Tape:
    changes = world.changes(clock)
    earlier = [change for change in changes if change.instant <= start]
    later = [change for change in changes[len(earlier) :] if isinstance(change, Step)]
    made = tape(last_steps(earlier), later, start=start, end=END)
    return cast("Tape", json.loads(json.dumps(made)))


def folded(world: World, clock: Clock, instant: datetime) -> dict[UUID, Shown]:
    """Give the deals at an instant from their streams alone."""
    found = {}
    for deal_id, stream in world.streams.items():
        if clock == "known":
            events = view(event for event in stream if event.recorded_at <= instant)
        else:
            events = view(stream, effective_at=instant)
        if (state := shown(fold(events))) is not None:
            found[deal_id] = state
    return found


@UNHURRIED
@given(worlds(), ON_CLOCK, CUTS, HALF_HOURS)
def test_the_tape_is_the_fold_at_every_instant(
    world: World, clock: Clock, begun: int, half_hours: list[int]
) -> None:
    made = taped(world, clock, hours(begun))

    for count in half_hours:
        instant = hours(begun) + timedelta(minutes=30 * count)
        assert at(made, instant) == folded(world, clock, instant)


@UNHURRIED
@given(worlds(), ON_CLOCK)
def test_versions_follow_one_another_and_each_is_different(world: World, clock: Clock) -> None:
    for deal in taped(world, clock, hours(0))["deals"]:
        instants = [version[0] for version in deal["versions"]]
        shows = [version[1:] for version in deal["versions"]]

        assert instants == sorted(set(instants))
        assert all(shows[place] != shows[place - 1] for place in range(1, len(shows)))
