"""The facts of a deal's progress tell at any instant what its stream tells, folded up to it."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.known import Known
from domain.replay import Event, view
from projections.batch import Batch
from projections.progress.advances import (
    ADVANCE_TOPICS,
    ADVANCES_ONWARD,
    derive_advances,
)
from projections.progress.ticks import PLAN_TOPICS, TICK_TOPICS, derive_plans, derive_ticks
from tests.support.framing import ToldFrames
from tests.support.progress import INSTANTS, KNOWN, histories, progress_of, standing
from tests.support.told import DEAL

SHARES_OF_A_STREAM = st.sampled_from([0.4, 0.7, 1.0])
Fact = TypeVar("Fact")
Derive = Callable[[Sequence[Event], Known], list[Fact]]


@settings(max_examples=200, deadline=None)
@given(events=histories(), share=SHARES_OF_A_STREAM)
def test_ticks_have_the_statuses_of_the_stream(events: list[Event], share: float) -> None:
    known = events[: round(len(events) * share)]
    ticks = derive_ticks(view(known), KNOWN)

    for instant in INSTANTS:
        for cut in (None, instant):
            progress = progress_of(known, cut)
            expected = [a for a in progress.activities if a.claim] if progress else []
            assert sorted(
                (t.activity, t.status(instant, cut), t.weight, t.expressible)
                for t in standing(ticks, cut)
            ) == sorted((a.activity, a.status(instant), a.weight, a.expressible) for a in expected)


@settings(deadline=None)
@given(events=histories(), share=SHARES_OF_A_STREAM)
def test_plans_count_the_activities_of_the_process(events: list[Event], share: float) -> None:
    known = events[: round(len(events) * share)]
    plans = derive_plans(view(known), KNOWN)

    for cut in (None, *INSTANTS):
        progress = progress_of(known, cut)
        expected = [sum(a.expressible for a in progress.activities)] if progress else []
        assert [plan.activities for plan in standing(plans, cut)] == expected


@settings(max_examples=200, deadline=None)
@given(events=histories(), share=SHARES_OF_A_STREAM)
def test_advances_are_those_of_the_stream(events: list[Event], share: float) -> None:
    known = events[: round(len(events) * share)]
    advances = derive_advances(view(known), KNOWN)

    for cut in (None, *INSTANTS):
        progress = progress_of(known, cut)
        expected = progress.advances if progress else ()
        assert sorted(
            (a.event_id, a.occurred_at, a.steps, a.required, a.evidenced, a.customer_led)
            for a in standing(advances, cut)
        ) == sorted(
            (a.event_id, a.occurred_at, a.steps, a.required, a.evidenced, a.customer_led)
            for a in expected
        )


@settings(deadline=None)
@given(events=histories())
def test_facts_change_only_where_they_are_looked_at(events: list[Event]) -> None:
    assert changing(events, derive_ticks) <= looked_at(events, TICK_TOPICS)
    assert changing(events, derive_plans) <= looked_at(events, PLAN_TOPICS)
    assert changing(events, derive_advances) <= looked_at(events, ADVANCE_TOPICS, ADVANCES_ONWARD)


def changing(events: Sequence[Event], derive: Derive[Fact]) -> set[int]:
    """The positions at which the facts of a deal changed."""
    facts = [derive(view(events[:known]), KNOWN) for known in range(len(events) + 1)]
    return {e.position for e, old, new in zip(events, facts, facts[1:], strict=False) if old != new}


def looked_at(
    events: Sequence[Event], topics: frozenset[str], onward: frozenset[str] = frozenset()
) -> set[int]:
    """The positions at which a projection derives the facts of a deal."""
    batch = Batch(0, len(events), {DEAL: events}, ToldFrames([], lambda _: KNOWN))
    return set(batch.positions(topics, onward=onward, framed=False).get(DEAL, ()))
