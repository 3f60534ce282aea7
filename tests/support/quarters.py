"""Worlds of several deals and teams, and the steps of their replay on either clock."""

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from itertools import product
from typing import Final, Literal, TypeAlias, TypeVar
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from domain.calendars import DEFAULT_CALENDAR
from domain.errors import DomainError
from domain.events.base import type_name
from domain.events.catalogue import TYPES_BY_NAME, DealEvent
from domain.events.honesty import EventAmended, EventRetracted
from domain.fiscal import FiscalQuarter
from domain.replay import Event, view
from projections.quarter.steps import (
    ORGANISATION,
    Change,
    Scope,
    Step,
    TeamChange,
)
from projections.spans.fold import DealState, evolve, fold
from tests.support.histories import DISORDER, HISTORIES, decide_next, history_of, hours, told
from tests.support.told import named

Drawn = TypeVar("Drawn")
Clock: TypeAlias = Literal["known", "hindsight"]
CLOCKS: Final[tuple[Clock, ...]] = ("known", "hindsight")
QUARTER: Final = DEFAULT_CALENDAR.quarter_named("FY2025Q2")
OTHER_QUARTER: Final = DEFAULT_CALENDAR.quarter_named("FY2025Q1")
REPS: Final = ("ann", "bob", "cid")
CATEGORIES: Final = ("pipeline", "commit")
TEAMS: Final = ("north", "south")
DAY: Final = date(2025, 5, 15)


@dataclass(frozen=True, slots=True)
class State:
    """A deal's state as an example has it: open, in the quarter, of one rep."""

    owner: str = "ann"
    stage: str | None = "qualify"
    closed: str | None = None
    amount: Decimal | None = Decimal("1000.00")
    currency: str | None = "USD"
    close_date: date | None = DAY
    forecast_category: str | None = "pipeline"
    deleted: bool = False


@dataclass(slots=True)
class Steps:
    """Tells the steps of one deal, each beginning where the last one ended."""

    deal_id: UUID
    state: State | None = None

    def to(self, state: State | None, *, position: int = 1, kind: str | None = None) -> Step:
        before, self.state = self.state, state
        name = named(f"{self.deal_id} {position}")
        return Step(self.deal_id, position, name, hours(position), before, state, kind)


@dataclass(frozen=True, slots=True)
class Cut:
    """A place between two changes of a world, and what was true there."""

    earlier: list[Change]
    later: list[Change]
    states: dict[UUID, DealState | None]


@dataclass(frozen=True, slots=True)
class World:
    """Deals' streams with positions of one log, and the changes of teams between them."""

    streams: dict[UUID, list[Event]]
    teams: list[TeamChange]

    def changes(self, clock: Clock) -> list[Change]:
        """Give all changes, in the order of the clock."""
        steps = _known if clock == "known" else _hindsight
        made: list[Change] = [*self.teams]
        for deal_id, stream in self.streams.items():
            made += steps(deal_id, stream)
        if clock == "known":
            return sorted(made, key=lambda change: change.position)
        return sorted(made, key=lambda change: (change.instant, change.position))

    def cut(self, clock: Clock, at: int) -> Cut:
        """Cut after the event number `at` of the log, or after so many hours."""
        changes = self.changes(clock)
        if clock == "known":
            earlier = [change for change in changes if change.position <= at * _SPREAD]
            states = {d: fold(view(s, as_of=at * _SPREAD)) for d, s in self.streams.items()}
        else:
            earlier = [change for change in changes if change.instant <= hours(at)]
            states = {d: fold(view(s, effective_at=hours(at))) for d, s in self.streams.items()}
        return Cut(earlier, changes[len(earlier) :], states)

    def states(self) -> dict[UUID, DealState | None]:
        return {deal_id: fold(view(stream)) for deal_id, stream in self.streams.items()}


def last_steps(changes: Iterable[Change]) -> list[Step]:
    """Give the last step of each deal: the opening of a replay that begins after these."""
    last = {change.deal_id: change for change in changes if isinstance(change, Step)}
    return list(last.values())


def teams_after(changes: Iterable[Change]) -> dict[str, str | None]:
    return {change.rep: change.team for change in changes if isinstance(change, TeamChange)}


_SPREAD: Final = 10
"""Positions between two events of a world's deals, so that other streams have some too."""


def woven(histories: Sequence[Sequence[Event]]) -> dict[UUID, list[Event]]:
    """Put the histories of several deals into one log, two events recorded in each hour."""
    streams: dict[UUID, list[Event]] = {
        named(f"deal {number}"): list(history) for number, history in enumerate(histories)
    }
    told_in_turn = sorted(
        ((event.position, deal_id) for deal_id, events in streams.items() for event in events),
    )
    numbers = {turn: number for number, turn in enumerate(told_in_turn, start=1)}
    return {
        deal_id: [_placed(event, numbers[event.position, deal_id]) for event in events]
        for deal_id, events in streams.items()
    }


def _placed(event: Event, number: int) -> Event:
    recorded = hours(number // 2)
    return replace(event, position=number * _SPREAD, recorded_at=recorded, ingested_at=recorded)


def _known(deal_id: UUID, stream: Sequence[Event]) -> list[Step]:
    """Step from what was known before each position to what was known at it."""
    steps: list[Step] = []
    before: DealState | None = None
    for event in stream:
        after = fold(view(stream, as_of=event.position))
        steps += _step(deal_id, event, event.recorded_at, before, after)
        before = after
    return steps


def _hindsight(deal_id: UUID, stream: Sequence[Event]) -> list[Step]:
    """Step from event to event of the view as known now."""
    steps: list[Step] = []
    before: DealState | None = None
    for event in view(stream):
        after = evolve(before, event)
        steps += _step(deal_id, event, event.occurred_at, before, after)
        before = after
    return steps


def _step(
    deal_id: UUID, event: Event, at: datetime, before: DealState | None, after: DealState | None
) -> list[Step]:
    if before == after:
        return []
    kind = type_name(type(event.data))
    return [Step(deal_id, event.position, event.event_id, at, before, after, kind)]


_ACCOUNT: Final = {"id": "acme", "name": "Acme"}
_DATES: Final = ("2025-02-10", "2025-03-31", "2025-04-01", "2025-06-30", "2025-07-01")
_AMOUNTS: Final = tuple(
    {"amount": amount, "currency": currency}
    for amount in ("1000.00", "2.345", "0.5", "0")
    for currency in ("USD", "EUR", "JPY")
)


def _facts(name: str, /, **fields: Sequence[object]) -> st.SearchStrategy[DealEvent]:
    """Draw from the events of all these values, which are made but once."""

    def made(values: Sequence[object]) -> DealEvent:
        said = json.dumps(dict(zip(fields, values, strict=True)))
        event = TYPES_BY_NAME[name].model_validate_json(said)
        assert isinstance(event, DealEvent)
        return event

    return st.sampled_from([made(values) for values in product(*fields.values())])


_OPENINGS: Final = _facts(
    "deal_opened",
    name=["Fleet renewal"],
    account=[_ACCOUNT],
    owner=REPS,
    amount=[*_AMOUNTS, None],
    close_date=[*_DATES, None],
)
_MOVES: Final = st.one_of(
    _facts("close_date_moved", to=_DATES),
    _facts("amount_changed", amount=_AMOUNTS),
    _facts("owner_changed", owner=REPS),
    _facts("forecast_category_changed", category=CATEGORIES),
    _facts("stage_entered", stage=["qualify", "discover", "propose"]),
)
_CLOSINGS: Final = st.one_of(
    _facts("deal_won", net=_AMOUNTS, closed_on=["2025-01-08"]),
    _facts("deal_lost"),
    _facts("deal_disqualified"),
    _facts("deal_deleted"),
)
_REOPENINGS: Final = st.one_of(_facts("deal_reopened"), _facts("win_reversed"))


def _weighted(*choices: tuple[int, st.SearchStrategy[Drawn]]) -> st.SearchStrategy[Drawn]:
    """Draw from these as often as their weights say, which `one_of` has no way to do."""
    table = [strategy for weight, strategy in choices for _ in range(weight)]
    return st.integers(0, len(table) - 1).flatmap(table.__getitem__)


@dataclass(frozen=True, slots=True)
class _Correction:
    """Retracts the event so far back, or amends the last one of the fact's type into the fact."""

    back: int
    fact: DealEvent | None = None

    def of(self, events: Sequence[Event]) -> DealEvent | None:
        alike = [e for e in events if self.fact is None or isinstance(e.data, type(self.fact))]
        if not alike:
            return None
        target = alike[-1 - self.back % len(alike)].event_id
        if self.fact is None:
            return EventRetracted(event_id=target, reason="Told by mistake")
        data = json.loads(self.fact.to_json())
        return EventAmended(event_id=target, data=data, reason="Typed wrongly")


_BACK: Final = st.integers(0, 5)
_CORRECTIONS: Final = st.one_of(
    st.builds(_Correction, _BACK),
    st.builds(_Correction, st.just(0), _MOVES),
    st.builds(_Correction, st.just(0), _OPENINGS),
)
_LIFE: Final = st.tuples(
    _weighted((6, _MOVES), (1, _CLOSINGS), (2, _REOPENINGS), (4, _CORRECTIONS)),
    st.sampled_from([0, 0, 0, 1, 3]),
)
"""What is told next, and how many hours late."""


def _lived(opening: DealEvent, rest: Sequence[tuple[DealEvent | _Correction, int]]) -> list[Event]:
    """Play what the model accepts, corrections and late ones too."""
    events = history_of(opening)
    for said, late in rest:
        intent = said.of(events) if isinstance(said, _Correction) else said
        now = len(events)
        if intent is not None:
            with suppress(DomainError):
                events.append(decide_next(events, intent, at=max(0, now - late), told=now))
    return events


_DECIDED: Final = st.builds(_lived, _OPENINGS, st.lists(_LIFE, min_size=6, max_size=14))
_IMPORTED: Final = st.lists(
    st.tuples(
        _weighted((2, _OPENINGS), (6, _MOVES), (1, _CLOSINGS), (1, _REOPENINGS)), st.integers(0, 9)
    ),
    min_size=6,
    max_size=14,
).map(told)
LIVES: Final = _weighted((4, _DECIDED), (2, _IMPORTED), (1, HISTORIES), (1, DISORDER.map(told)))
"""Histories of one deal: decided or as imports bring them, of its life or of anything."""


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Draw some deals in one log, and people who change teams between their events."""
    streams = woven(draw(st.lists(LIVES, min_size=3, max_size=5)))
    moved = draw(
        st.lists(
            st.tuples(st.integers(0, 20), st.sampled_from(REPS), st.sampled_from([*TEAMS, None])),
            min_size=2,
            max_size=9,
            unique_by=lambda change: change[0],
        )
    )
    teams = [
        TeamChange(
            rep, team, slot * _SPREAD + 5, named(f"team {slot}"), hours(slot // 2), "member_joined"
        )
        for slot, rep, team in sorted(moved)
    ]
    return World(streams, teams)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a waterfall is asked of."""

    quarter: FiscalQuarter
    scope: Scope = ORGANISATION
    category: str | None = None


EVERYTHING: Final = [
    Asked(quarter, scope, category)
    for quarter in (QUARTER, OTHER_QUARTER)
    for scope in (
        ORGANISATION,
        *(Scope(rep=rep) for rep in REPS),
        *(Scope(team=team) for team in TEAMS),
    )
    for category in (None, *CATEGORIES)
]
ASKED: Final[st.SearchStrategy[Asked]] = st.sampled_from(EVERYTHING)
ON_CLOCK: Final[st.SearchStrategy[Clock]] = st.sampled_from(CLOCKS)
CUTS: Final = st.integers(-1, 9)
UNHURRIED: Final = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""For worlds, which take a while to draw on a busy machine."""
