"""Histories that play with progress: late, linked, taken back, amended and retracted events."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import UnionType
from typing import Final, TypeVar
from uuid import UUID

from hypothesis import strategies as st

from domain.events.base import DomainEvent
from domain.events.catalogue import TYPES_BY_NAME
from domain.events.context import PolicyPublished, ProcessPublished
from domain.events.customer import CustomerCommitmentRecorded, CustomerRequestReceived
from domain.events.honesty import EventAmended
from domain.events.life import DealOpened, ProcessRef
from domain.events.people import NoteAdded
from domain.events.progress import EvidenceWithdrawn, OutcomeEvidenced, StageEntered
from domain.known import Known
from domain.process import Activity, Closing, Outcome, Stage
from domain.replay import Event, view
from domain.stamp import RecordedEvent
from projections.progress.fold import Progress, fold
from projections.stretches import Stretch
from tests.support.told import DEAL, at, discount, evidence, moved, named, opened, stage, tick, won

Fact = TypeVar("Fact", bound=Stretch)
START: Final = at("2025-01-01")
DAY: Final = timedelta(days=1)


def _activity(name: str, outcomes: dict[str, int | None], weight: str | None = None) -> Activity:
    return Activity.model_validate(
        {
            "id": name,
            "name": name,
            "purpose": "To learn",
            "weight": weight,
            "outcomes": [Outcome(id=o, name=o, required_level=lv) for o, lv in outcomes.items()],
        }
    )


_MEET: Final = _activity("meet", {"criteria": None})
_CALL: Final = _activity("call", {"goal": 4, "cost": None}, weight="2.5")
_DEMO_ANEW: Final = _activity("demo", {"fit": 4}, weight="2")
_DEMO: Final = _activity("demo", {"fit": 1})
_REVIEW: Final = _activity("review", {"security": None}, weight="0.3")


def _published(version: int, **stages: list[Activity]) -> ProcessPublished:
    return ProcessPublished(
        version=version,
        name="Linear",
        stages=[
            Stage(id=stage, name=stage, goal="Know more", activities=activities)
            for stage, activities in stages.items()
        ],
        closing=Closing(won="won", lost="lost"),
    )


def _context(stream: str, position: int, data: DomainEvent) -> Event:
    return _recorded(position, data, stream=stream, occurred=-position, lag=0, cause=None)


def _recorded(
    position: int, data: DomainEvent, *, stream: str, occurred: int, lag: int, cause: UUID | None
) -> Event:
    told = START + DAY * (occurred + lag)
    return RecordedEvent(
        event_id=named(f"event {position}"),
        stream_id=stream,
        version=position,
        position=position,
        occurred_at=START + DAY * occurred,
        recorded_at=told,
        ingested_at=told,
        actor="ann",
        data=data,
        caused_by=cause,
    )


KNOWN: Final = Known(
    [
        _context(
            "process:linear",
            1,
            _published(1, qualify=[_MEET, _CALL], discover=[_DEMO], propose=[_REVIEW], sign=[]),
        ),
        _context(
            "process:linear",
            2,
            _published(2, qualify=[_CALL], propose=[_DEMO_ANEW]),
        ),
        _context("policy", 3, PolicyPublished(version=1, numbers={"grace_days": 6})),
    ]
)
"""Two versions of a process, and a time of grace that a history outlasts."""


@dataclass(frozen=True, slots=True)
class Told:
    """An event as it is drawn: days after the start, days until it was told, a choice of others."""

    data: DomainEvent
    occurred: int
    lag: int
    choice: int


def _events(name: str, **fields: st.SearchStrategy[object]) -> st.SearchStrategy[DomainEvent]:
    return st.fixed_dictionaries(fields).map(TYPES_BY_NAME[name].model_validate)


_NUMBERS: Final = st.integers(min_value=1, max_value=17)
_IDS: Final = _NUMBERS.map(lambda number: named(f"event {number}"))
_ACTIVITIES: Final = st.sampled_from(["meet", "meet", "demo", "call", "lunch"])
_OUTCOMES: Final = st.sampled_from(["criteria", "criteria", "fit", "goal", "cost"])
_STAGES: Final = st.sampled_from(["qualify", "discover", "discover", "propose", "won", "nowhere"])
_LEVELS: Final = st.sampled_from([3, 1, 4])
_CLOSED_OR_OPENED: Final = ["deal_lost", "deal_disqualified", "deal_reopened", "win_reversed"]

_TICKED: Final = _events("activity_ticked", activity=_ACTIVITIES)
_EVIDENCED: Final = _events("outcome_evidenced", outcome=_OUTCOMES, level=_LEVELS)
_ENTERED: Final = _events("stage_entered", stage=_STAGES)
_FACTS: Final = st.one_of(
    _TICKED,
    _TICKED,
    _EVIDENCED,
    _EVIDENCED,
    _ENTERED,
    _ENTERED,
    _events("activity_unticked", activity=_ACTIVITIES),
    _events("outcome_contradicted", outcome=_OUTCOMES),
    st.just(EvidenceWithdrawn(event_id=named("event 1"))),
    _events("event_retracted", event_id=_IDS, reason=st.just("Told by mistake")),
    _events("customer_request_received", topic=st.just("terms"), level=_LEVELS),
    _events(
        "customer_commitment_recorded",
        commitment_id=st.just("pilot"),
        what=st.just("They run the pilot"),
        kind=st.just("people"),
        level=_LEVELS,
    ),
    _events(
        "deal_moved_to_process",
        process=st.builds(ProcessRef, id=st.just("linear"), version=st.integers(1, 3)),
    ),
    _events("fit_assessed", verdict=st.sampled_from(["in", "out", "unclear"])),
    st.sampled_from(_CLOSED_OR_OPENED).flatmap(_events),
    st.just(won("1000")),
    st.sampled_from([discount("10"), moved("2025-04-25"), NoteAdded(text="On holiday")]),
)
"""Few names, so that they meet; and some events that say nothing of progress."""


_COURSE: Final[Sequence[tuple[int, DomainEvent]]] = [
    (1, stage("qualify")),
    (2, tick("meet")),
    (3, evidence("criteria")),
    (4, stage("discover")),
    (5, evidence("fit")),
    (6, tick("demo")),
    (8, stage("propose")),
    (9, tick("call")),
    (10, evidence("goal", level=4)),
    (11, stage("sign")),
    (12, won("1000")),
    (13, stage("won")),
]
"""The way of a plain deal, by days, which the rest of a history disturbs."""


@st.composite
def _told(draw: st.DrawFn, day: int, data: DomainEvent) -> Told:
    lag = draw(st.sampled_from([0, 0, 0, 1, 3, 8]))
    return Told(data, day + draw(st.integers(0, 3)), lag, draw(_NUMBERS))


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Draw a deal's stream: its opening, what is told of it, and amendments of what was told."""
    opening = Told(opened(process=draw(st.booleans())), draw(st.integers(0, 2)), lag=0, choice=1)
    others = draw(st.lists(st.tuples(st.integers(0, 12), _FACTS), min_size=2, max_size=8))
    moments = [opening, *(draw(_told(day, data)) for day, data in [*_COURSE, *others])]
    moments.sort(key=lambda moment: moment.occurred + moment.lag)
    shown, customers = _numbers_of(moments, OutcomeEvidenced), _numbers_of(moments, _CUSTOMERS)
    events = [
        _deal_event(number, moment, shown=shown, customers=customers)
        for number, moment in enumerate(moments, start=1)
    ]
    for data in draw(st.lists(_TICKED | _EVIDENCED | _ENTERED, max_size=2)):
        events += _amendment(events, data, draw(_NUMBERS))
    return events


_CUSTOMERS: Final = OutcomeEvidenced | CustomerRequestReceived | CustomerCommitmentRecorded


def _numbers_of(moments: Sequence[Told], kind: type | UnionType) -> list[int]:
    return [n for n, moment in enumerate(moments, start=1) if isinstance(moment.data, kind)]


def _deal_event(
    number: int, moment: Told, *, shown: Sequence[int] = (), customers: Sequence[int] = ()
) -> Event:
    """Record a moment; its choice says which evidence it withdraws, and what a stage names."""
    data, cause = moment.data, None
    if isinstance(data, EvidenceWithdrawn) and shown:
        data = EvidenceWithdrawn(event_id=_one_of(shown, moment.choice))
    if isinstance(data, StageEntered) and customers and moment.choice % 2:
        cause = _one_of(customers, moment.choice)
    return _recorded(
        number,
        data,
        stream=f"deal:{DEAL}",
        occurred=moment.occurred,
        lag=moment.lag,
        cause=cause,
    )


def _one_of(numbers: Sequence[int], choice: int) -> UUID:
    return named(f"event {numbers[choice % len(numbers)]}")


def _amendment(events: Sequence[Event], data: DomainEvent, choice: int) -> list[Event]:
    """Amend one of the events that this payload may stand for; nothing if there is none."""
    alike = [event for event in events if type(event.data) is type(data)]
    if not alike:
        return []
    target = alike[choice % len(alike)]
    amendment = EventAmended(
        event_id=target.event_id, data=json.loads(data.to_json()), reason="Typed wrongly"
    )
    return [_deal_event(len(events) + 1, Told(amendment, occurred=24, lag=0, choice=1))]


INSTANTS: Final = [START + DAY * day for day in range(-1, 26)]
"""From before the first event until all grace has ended."""


def progress_of(events: Sequence[Event], cut: datetime | None) -> Progress | None:
    """Fold what is known as a question does; None while the deal is not opened."""
    seen = view(events, effective_at=cut)
    if not any(isinstance(event.data, DealOpened) for event in seen):
        return None
    return fold(seen, KNOWN.processes(seen), KNOWN.policy)


def standing(facts: Sequence[Fact], cut: datetime | None) -> list[Fact]:
    """Give the facts that tell what had happened by a cut, or to this day."""
    if cut is None:
        return [fact for fact in facts if fact.until_at is None]
    return [f for f in facts if f.from_at <= cut and (f.until_at is None or f.until_at > cut)]
