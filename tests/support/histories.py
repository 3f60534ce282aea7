"""Plays histories through the model, and draws arbitrary ones.

`history_of` decides every event as a client's would be, so that what it gives could have
happened. `told` gives recorded events as an import may bring them: in any order, against any rule.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from hypothesis import strategies as st

from domain.deal import decide, replay
from domain.errors import DomainError
from domain.events.base import DomainEvent
from domain.events.catalogue import EVENT_TYPES, TYPES_BY_NAME, DealEvent
from domain.events.honesty import EventAmended, EventRetracted
from domain.events.life import DealOpened, ProcessRef
from domain.process import Process
from domain.replay import Event
from domain.stamp import RecordedEvent, Stamp
from domain.values import Money
from tests.support.told import DEAL, named, opened, process

GOLDEN: Final = Path(__file__).resolve().parents[1] / "golden"
START: Final = datetime(2025, 1, 8, 9, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)
STREAM: Final = f"deal:{DEAL}"
PROCESS: Final = process(
    ("qualify", {"meet": "dm_criteria"}),
    ("discover", {"demo": "fit_confirmed", "interview": "goal_known"}),
    ("propose", {"security_review": "security_passed"}),
)
OTHER_PROCESS: Final = process(("first", {"demo": "shown"}), ("second", {"visit": "seen"}))


def processes(reference: ProcessRef | None) -> Process:
    """Know `linear` in versions 1 and 2; judge everything else by version 1."""
    if reference == ProcessRef(id="linear", version=2):
        return OTHER_PROCESS.model_copy(update={"version": 2})
    return PROCESS


@dataclass(frozen=True, slots=True)
class Said:
    """An event with a time of its own, in hours after the deal's opening."""

    data: DealEvent
    occurred: float
    recorded: float | None = None


def said(data: DealEvent, *, occurred: float, recorded: float | None = None) -> Said:
    return Said(data, occurred, recorded)


def hours(count: float) -> datetime:
    """The instant so many hours after the start of every history here."""
    return START + HOUR * count


def stamp_at(count: float, *, recorded: float | None = None) -> Stamp:
    told = hours(count if recorded is None else recorded)
    return Stamp(occurred_at=hours(count), recorded_at=told, actor="ann")


def recorded_as(events: Sequence[Event], data: DomainEvent, stamp: Stamp) -> Event:
    """The event as the log would give it back, after these."""
    position = len(events) + 1
    return RecordedEvent(
        event_id=named(f"event {position}"),
        stream_id=STREAM,
        version=position,
        position=position,
        occurred_at=stamp.occurred_at,
        recorded_at=stamp.recorded_at,
        ingested_at=stamp.recorded_at,
        actor=stamp.actor,
        data=data,
    )


def id_of(number: int) -> UUID:
    """The id of the n-th event of a history, the opening being the first."""
    return named(f"event {number}")


def decide_next(
    events: Sequence[Event], data: DealEvent, *, at: float | None = None, told: float | None = None
) -> Event:
    """Decide one more event on top of a history; an hour after the last if no time is given."""
    stamp = stamp_at(len(events) if at is None else at, recorded=told)
    payload = decide(replay(events), data, stamp=stamp, processes=processes, events=events)
    return recorded_as(events, payload, stamp)


def history_of(*intents: DealEvent | Said) -> list[Event]:
    """Play a deal through the model, an hour between events; it is opened first if not told."""
    first = intents[0].data if intents and isinstance(intents[0], Said) else None
    is_opened = isinstance(first or (intents[0] if intents else None), DealOpened)
    events: list[Event] = []
    for intent in intents if is_opened else (opened(), *intents):
        if isinstance(intent, Said):
            recorded = intent.occurred if intent.recorded is None else intent.recorded
            events.append(decide_next(events, intent.data, at=intent.occurred, told=recorded))
        else:
            events.append(decide_next(events, intent))
    return events


def played(intents: Iterable[DealEvent]) -> list[Event]:
    """Play what the model accepts of these on an opened deal, and leave out what it refuses."""
    events = history_of()
    for intent in intents:
        try:
            events.append(decide_next(events, intent))
        except DomainError:
            continue
    return events


def told(moments: Iterable[tuple[DealEvent, int]]) -> list[Event]:
    """Events as they come, each so many hours after the start, whatever the rules say."""
    events: list[Event] = []
    for data, count in moments:
        events.append(recorded_as(events, data, stamp_at(count)))
    return events


def golden_deal_events() -> list[DealEvent]:
    """One rich example of every event of a deal."""
    examples = []
    for path in sorted(GOLDEN.glob("deal.*.json")):
        topic = ".".join(path.name.split(".")[:3])
        event = EVENT_TYPES[topic].model_validate_json(path.read_bytes())
        assert isinstance(event, DealEvent)
        examples.append(event)
    return examples


_NAMES: Final = st.sampled_from(["k1", "k2"])
_STAGES: Final = st.sampled_from(["qualify", "discover", "propose", "won", "lost", "nowhere"])
_ACTIVITIES: Final = st.sampled_from(["meet", "demo", "security_review", "nothing"])
_OUTCOMES: Final = st.sampled_from(["dm_criteria", "fit_confirmed", "nothing"])
_DAYS: Final = st.sampled_from([date(2025, 3, 31), date(2025, 4, 25)])
_MONEY: Final = st.builds(
    Money.of, st.sampled_from(["1000.00", "2000"]), st.sampled_from(["USD", "EUR"])
)
_REPS: Final = st.sampled_from(["ann", "bob"])
_EVENT_IDS: Final = st.integers(min_value=1, max_value=9).map(id_of)
_LEVELS: Final = st.integers(min_value=1, max_value=5)


def _events(name: str, **fields: st.SearchStrategy[object]) -> st.SearchStrategy[DealEvent]:
    def made(values: dict[str, object]) -> DealEvent:
        event = TYPES_BY_NAME[name].model_validate(values)
        assert isinstance(event, DealEvent)
        return event

    return st.fixed_dictionaries(fields).map(made)


FACTS: Final[st.SearchStrategy[DealEvent]] = st.one_of(
    st.sampled_from([opened(), opened(amount="1000.00", close_date="2025-03-31")]),
    _events("stage_entered", stage=_STAGES),
    _events("activity_ticked", activity=_ACTIVITIES),
    _events("activity_unticked", activity=_ACTIVITIES),
    _events("outcome_evidenced", outcome=_OUTCOMES, level=_LEVELS),
    _events("evidence_withdrawn", event_id=_EVENT_IDS),
    _events("owner_changed", owner=_REPS),
    _events("amount_changed", amount=_MONEY),
    _events("close_date_moved", to=_DAYS),
    _events("forecast_category_changed", category=st.sampled_from(["pipeline", "commit"])),
    _events("discount_offered", percent=st.sampled_from(["10", "25"]), list=_MONEY),
    _events("discount_withdrawn"),
    _events("deal_won", net=_MONEY, closed_on=st.just(date(2025, 1, 8))),
    _events("deal_lost"),
    _events("deal_disqualified"),
    _events("deal_reopened"),
    _events("win_reversed"),
    _events(
        "customer_commitment_recorded",
        commitment_id=_NAMES,
        what=st.just("They run the pilot"),
        kind=st.just("people"),
        level=_LEVELS,
    ),
    _events("commitment_kept", commitment_id=_NAMES),
    _events("commitment_broken", commitment_id=_NAMES),
    _events("seller_promise_made", promise_id=_NAMES, what=st.just("A reference")),
    _events("seller_promise_kept", promise_id=_NAMES),
    _events("obstacle_recorded", obstacle_id=_NAMES, obstacle=st.just("The works council")),
    _events("obstacle_removed", obstacle_id=_NAMES),
    _events(
        "deal_moved_to_process",
        process=st.builds(ProcessRef, id=st.just("linear"), version=st.integers(1, 3)),
    ),
    st.sampled_from(
        [e for e in golden_deal_events() if not isinstance(e, EventAmended | EventRetracted)]
    ),
)
"""Events that play with the rules: few names, so that they meet."""
CORRECTIONS: Final[st.SearchStrategy[DealEvent]] = st.one_of(
    _events("event_retracted", event_id=_EVENT_IDS, reason=st.just("Told by mistake")),
    _events(
        "event_amended",
        event_id=_EVENT_IDS,
        reason=st.just("Typed wrongly"),
        data=st.sampled_from(
            [{"stage": "propose"}, {"activity": "demo"}, {"owner": "bob"}, {"wrong": 1}, {}]
        ),
    ),
)
INTENTS: Final[st.SearchStrategy[DealEvent]] = FACTS | CORRECTIONS
DISORDER: Final = st.lists(st.tuples(FACTS, st.integers(min_value=0, max_value=9)), max_size=12)
"""Histories as imports bring them: any event, at any hour, before or after any other."""
HISTORIES: Final[st.SearchStrategy[list[Event]]] = st.lists(INTENTS, max_size=14).map(played)
"""Histories that the model decided."""
