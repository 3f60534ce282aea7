"""The facts of a deal's progress tell at any instant what its stream tells, folded up to it."""

from collections.abc import Callable, Sequence
from datetime import datetime
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
    Advance,
    derive_advances,
)
from projections.progress.claims import CLAIM_TOPICS, CLAIMS_ONWARD, Claim, derive_claims
from projections.progress.fold import Progress, StageAdvance
from projections.progress.openings import OPENING_TOPICS, Opening, derive_openings
from projections.progress.ticks import (
    PLAN_TOPICS,
    TICK_TOPICS,
    Plan,
    Tick,
    derive_plans,
    derive_ticks,
)
from tests.support.framing import ToldFrames
from tests.support.progress import INSTANTS, KNOWN, histories, progress_of, standing
from tests.support.told import DEAL

SHARES_OF_A_STREAM = st.sampled_from([0.4, 0.7, 1.0])
Fact = TypeVar("Fact")
Derive = Callable[[Sequence[Event], Known], list[Fact]]


@settings(max_examples=200, deadline=None)
@given(events=histories(), share=SHARES_OF_A_STREAM)
def test_facts_tell_what_the_stream_tells(events: list[Event], share: float) -> None:
    """All facts of a history are held against one folding of it, which takes longest."""
    known = events[: round(len(events) * share)]
    told = view(known)
    ticks, plans = derive_ticks(told, KNOWN), derive_plans(told, KNOWN)
    advances, claims = derive_advances(told, KNOWN), derive_claims(told, KNOWN)
    openings = derive_openings(told, KNOWN)

    for cut in (None, *INSTANTS):
        seen = view(known, effective_at=cut)
        progress = progress_of(known, cut)
        for instant in INSTANTS if cut is None else (cut,):
            assert_ticks(standing(ticks, cut), progress, instant, cut)
        assert_plans(standing(plans, cut), progress)
        assert_advances(standing(advances, cut), progress)
        assert_claims(standing(claims, cut), seen, cut)
        assert_openings(standing(openings, cut), seen)


def assert_ticks(
    ticks: Sequence[Tick], progress: Progress | None, instant: datetime, cut: datetime | None
) -> None:
    """Ticks have the statuses of the stream."""
    expected = [a for a in progress.activities if a.claim] if progress else []
    assert sorted(
        (t.activity, t.status(instant, cut), t.weight, t.expressible) for t in ticks
    ) == sorted((a.activity, a.status(instant), a.weight, a.expressible) for a in expected)


def assert_plans(plans: Sequence[Plan], progress: Progress | None) -> None:
    """Plans count the activities of the process."""
    expected = [sum(a.expressible for a in progress.activities)] if progress else []
    assert [plan.activities for plan in plans] == expected


def assert_advances(advances: Sequence[Advance], progress: Progress | None) -> None:
    """Advances are those of the stream."""
    expected = progress.advances if progress else ()
    assert sorted(map(read, advances)) == sorted(map(read, expected))


def read(one: Advance | StageAdvance) -> tuple[object, ...]:
    return one.event_id, one.occurred_at, one.steps, one.required, one.evidenced, one.customer_led


def assert_claims(claims: Sequence[Claim], seen: list[Event], cut: datetime | None) -> None:
    """Claims tell what had been shown when each tick was made."""
    made = {e.event_id: shown_by(e, seen) for e in seen if isinstance(e.data, ActivityTicked)}
    is_open = any(isinstance(event.data, DealOpened) for event in seen)
    assert {c.event_id: c.shown(cut) for c in claims} == (made if is_open else {})


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


def assert_openings(openings: Sequence[Opening], seen: list[Event]) -> None:
    """Openings tell the fit assessed last."""
    opened = [e.event_id for e in seen if isinstance(e.data, DealOpened)]
    fits = [e.data.verdict for e in seen if isinstance(e.data, FitAssessed)]
    assert [(o.event_id, o.fit) for o in openings] == [
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
