"""The facts of a deal's progress tell at any instant what its stream tells, folded up to it."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.events.customer import FitAssessed
from domain.events.life import DealOpened
from domain.events.progress import (
    ActivityTicked,
    EvidenceWithdrawn,
    OutcomeContradicted,
    OutcomeEvidenced,
)
from domain.known import Known
from domain.path import pinned_reference
from domain.replay import Event, view
from projections.batch import Batch
from projections.progress.advances import (
    ADVANCE_TOPICS,
    ADVANCES_ONWARD,
    derive_advances,
)
from projections.progress.claims import CLAIM_TOPICS, CLAIMS_ONWARD, derive_claims
from projections.progress.openings import OPENING_TOPICS, derive_openings
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


@settings(max_examples=200, deadline=None)
@given(events=histories(), share=SHARES_OF_A_STREAM)
def test_claims_tell_what_had_been_shown_when_each_tick_was_made(
    events: list[Event], share: float
) -> None:
    known = events[: round(len(events) * share)]
    claims = derive_claims(view(known), KNOWN)

    for cut in (None, *INSTANTS):
        seen = view(known, effective_at=cut)
        made = {e.event_id: shown_by(e, seen) for e in seen if isinstance(e.data, ActivityTicked)}
        is_open = any(isinstance(event.data, DealOpened) for event in seen)
        assert {c.event_id: c.shown(cut) for c in standing(claims, cut)} == (
            made if is_open else {}
        )


def shown_by(tick: Event, seen: list[Event]) -> bool | None:
    """Whether the outcomes of a tick had been shown when it was recorded, looked up one by one."""
    assert isinstance(tick.data, ActivityTicked)
    process = KNOWN.processes(seen)(pinned_reference([e for e in seen if e.order < tick.order]))
    if tick.data.activity not in process.activities:
        return None
    withdrawn = {e.data.event_id for e in seen if isinstance(e.data, EvidenceWithdrawn)}
    levels: dict[str, list[int]] = {}
    for event in seen:
        if event.occurred_at <= tick.recorded_at and event.event_id not in withdrawn:
            match event.data:
                case OutcomeEvidenced(outcome=outcome, level=level):
                    levels.setdefault(outcome, []).append(level)
                case OutcomeContradicted(outcome=outcome):
                    levels[outcome] = []
                case _:
                    pass
    return all(
        max(levels.get(outcome.id, ()), default=0) >= outcome.needed
        for outcome in process.activities[tick.data.activity][1].outcomes
    )


@settings(deadline=None)
@given(events=histories(), share=SHARES_OF_A_STREAM)
def test_openings_tell_the_fit_assessed_last(events: list[Event], share: float) -> None:
    known = events[: round(len(events) * share)]
    openings = derive_openings(view(known), KNOWN)

    for cut in (None, *INSTANTS):
        seen = view(known, effective_at=cut)
        opened = [e.event_id for e in seen if isinstance(e.data, DealOpened)]
        fits = [e.data.verdict for e in seen if isinstance(e.data, FitAssessed)]
        assert [(o.event_id, o.fit) for o in standing(openings, cut)] == [
            (event_id, fits[-1] if fits else None) for event_id in opened
        ]


@settings(deadline=None)
@given(events=histories())
def test_facts_change_only_where_they_are_looked_at(events: list[Event]) -> None:
    assert changing(events, derive_ticks) <= looked_at(events, TICK_TOPICS)
    assert changing(events, derive_plans) <= looked_at(events, PLAN_TOPICS)
    assert changing(events, derive_advances) <= looked_at(events, ADVANCE_TOPICS, ADVANCES_ONWARD)
    assert changing(events, derive_claims) <= looked_at(events, CLAIM_TOPICS, CLAIMS_ONWARD)
    assert changing(events, derive_openings) <= looked_at(events, OPENING_TOPICS)


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
