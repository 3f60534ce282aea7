"""Health flags of an open deal: each with its value, its threshold and the events behind it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal, TypeAlias
from uuid import UUID

from domain.causes import CUSTOMER_MOVE
from domain.commitments import Commitment, live_level
from domain.deal import evolve
from domain.deal_state import Deal
from domain.events.base import DomainEvent
from domain.events.customer import ContactIdentified
from domain.events.life import CloseDateMoved, DealOpened, ForecastCategoryChanged
from domain.events.progress import OutcomeEvidenced
from domain.replay import Event

FlagName: TypeAlias = Literal[
    "close_date_past",
    "commit_without_commitment",
    "pushes",
    "broken_commitment",
    "age_in_stage",
    "one_contact",
    "no_dated_next_commitment",
    "checkbox_only",
]
Colour: TypeAlias = Literal["red", "amber", "green"]
Value: TypeAlias = bool | int | float | date | str | None

PUSHES: Final = 3
"""Pushes of the close date from which a deal is red (METRICS section 5)."""
BROKEN_LEVEL: Final = 4
"""A broken commitment of this level, budget or more, makes a deal red (METRICS section 5)."""
AGE_PERCENTILE: Final = 0.9
"""Share of stays in the stage that are over by this age from which a deal is amber."""
CHECKBOX_ONLY: Final = 0.5
"""Share of settled ticks never shown above which a deal is amber (METRICS section 5)."""
DATED_LEVEL: Final = 1
"""A continuation (level 0) is no next step; from a verbal, dated action on it is one."""
_PLACES: Final = 6


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag: whether it holds, None where it cannot be told, and what that rests on."""

    flag: FlagName
    colour: Literal["red", "amber"]
    holds: bool | None
    value: Value
    threshold: Value
    event_ids: tuple[UUID, ...] = ()
    n: int | None = None


@dataclass(frozen=True, slots=True)
class Age:
    """How long a deal has stood in its stage, and the share of other stays over by that age.

    By Kaplan and Meier, stays that last censored; `percentile` is None where there are too few of
    them (`n`) to say. `entered` is the event that began the stay.
    """

    entered: UUID
    percentile: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Beside:
    """What the flags need and a deal's own view does not tell by itself.

    `today` is the local day of the question; `pushes` are the events that moved the close date to
    a later day; `age` is None for a deal in no stage, `checkbox_only` while nothing has settled.
    """

    today: date
    pushes: tuple[UUID, ...]
    age: Age | None
    checkbox_only: float | None


def flags_of(
    events: Sequence[Event], commitments: Sequence[Commitment], beside: Beside, at: datetime
) -> list[Flag]:
    """Give all flags of a deal's view at an instant, red ones first; none of a closed deal.

    `commitments` are those of the customer (METRICS section 5, Health).
    """
    deal = _state(events)
    if deal is None or deal.closed is not None or deal.deleted:
        return []
    return [
        _past(deal, events, beside.today),
        _commit(deal, events, commitments, at),
        Flag(
            "pushes", "red", len(beside.pushes) >= PUSHES, len(beside.pushes), PUSHES, beside.pushes
        ),
        _broken(commitments, at),
        _age(beside.age),
        _contacts(events),
        _dated(commitments, beside.today, at),
        _checkbox(beside.checkbox_only),
    ]


def colour_of(flags: Sequence[Flag]) -> Colour | None:
    """Give the colour of the worst flag that holds; green without one, None without flags."""
    if not flags:
        return None
    held = {flag.colour for flag in flags if flag.holds}
    return "red" if "red" in held else "amber" if "amber" in held else "green"


def _state(events: Iterable[Event]) -> Deal | None:
    deal: Deal | None = None
    for event in events:
        deal = evolve(deal, event)
    return deal


def _last(events: Sequence[Event], *kinds: type[DomainEvent]) -> tuple[UUID, ...]:
    return tuple([e.event_id for e in events if isinstance(e.data, kinds)][-1:])


def _past(deal: Deal, events: Sequence[Event], today: date) -> Flag:
    day = deal.close_date
    holds = None if day is None else day < today
    dated = [e for e in events if not isinstance(e.data, DealOpened) or e.data.close_date]
    ids = _last(dated, DealOpened, CloseDateMoved)
    return Flag("close_date_past", "red", holds, day, today, ids)


def _commit(
    deal: Deal, events: Sequence[Event], commitments: Sequence[Commitment], at: datetime
) -> Flag:
    level = live_level(commitments, at)
    holds = None
    if deal.forecast is not None:
        holds = deal.forecast == "commit" and level < CUSTOMER_MOVE
    ids = _last(events, ForecastCategoryChanged)
    return Flag("commit_without_commitment", "red", holds, level, CUSTOMER_MOVE, ids)


def _broken(commitments: Iterable[Commitment], at: datetime) -> Flag:
    broken = [one for one in commitments if one.status(at) == "broken" and one.level is not None]
    level = max((one.level for one in broken if one.level is not None), default=None)
    ids = _event_ids(one for one in broken if one.level is not None and one.level >= BROKEN_LEVEL)
    return Flag("broken_commitment", "red", bool(ids), level, BROKEN_LEVEL, ids)


def _age(age: Age | None) -> Flag:
    if age is None or age.percentile is None:
        n = age.n if age else None
        return Flag("age_in_stage", "amber", None, None, AGE_PERCENTILE, n=n)
    holds = age.percentile >= AGE_PERCENTILE
    value = round(age.percentile, _PLACES)
    return Flag("age_in_stage", "amber", holds, value, AGE_PERCENTILE, (age.entered,), age.n)


def _contacts(events: Iterable[Event]) -> Flag:
    """Hold for one person; that nobody was recorded says nothing about how many there are.

    Counted are contacts by id: those identified, and those whose word evidence is. Whoever a
    commitment names in free words may be one of them.
    """
    people: dict[str, UUID] = {}
    for event in events:
        if name := _person(event.data):
            people.setdefault(name, event.event_id)
    holds = len(people) == 1 if people else None
    return Flag("one_contact", "amber", holds, len(people), 1, tuple(people.values()))


def _person(data: DomainEvent) -> str | None:
    match data:
        case ContactIdentified(contact=contact):
            return contact
        case OutcomeEvidenced(author=author) if author and author.side == "customer":
            return author.contact
        case _:
            return None


def _dated(commitments: Iterable[Commitment], today: date, at: datetime) -> Flag:
    dated = [
        one
        for one in commitments
        if one.status(at) in {"open", "renegotiated"}
        and one.level is not None
        and one.level >= DATED_LEVEL
        and one.due is not None
        and one.due >= today
    ]
    day = min((one.due for one in dated if one.due is not None), default=None)
    return Flag("no_dated_next_commitment", "amber", not dated, day, None, _event_ids(dated))


def _checkbox(share: float | None) -> Flag:
    holds = None if share is None else share > CHECKBOX_ONLY
    return Flag("checkbox_only", "amber", holds, share, CHECKBOX_ONLY)


def _event_ids(commitments: Iterable[Commitment]) -> tuple[UUID, ...]:
    return tuple(one.event_id for one in commitments)
