"""Health flags of an open deal: each with its value, its threshold and the events behind it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal, TypeAlias
from uuid import UUID

from domain.acts import contacts_of
from domain.causes import CUSTOMER_MOVE
from domain.close_date import dates_told, pushes_of
from domain.commitments import Commitment, broken_level, dated_next, first_due, live_level
from domain.events.life import ForecastCategoryChanged
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
Alarm: TypeAlias = Literal["red", "amber"]
Value: TypeAlias = int | float | date | None
Held: TypeAlias = Mapping[FlagName, bool | None]

COLOURS: Final[Mapping[FlagName, Alarm]] = {
    "close_date_past": "red",
    "commit_without_commitment": "red",
    "pushes": "red",
    "broken_commitment": "red",
    "age_in_stage": "amber",
    "one_contact": "amber",
    "no_dated_next_commitment": "amber",
    "checkbox_only": "amber",
}
"""Every flag with its colour (METRICS section 5, Health)."""
PUSHES: Final = 3
"""Pushes of the close date from which a deal is red."""
BROKEN_LEVEL: Final = 4
"""A broken commitment of this level, budget or more, makes a deal red."""
AGE_PERCENTILE: Final = 0.9
"""Share of stays in the stage that are over by this age from which a deal is amber."""
CHECKBOX_ONLY: Final = 0.5
"""Share of settled ticks never shown above which a deal is amber."""
_PLACES: Final = 6


@dataclass(frozen=True, slots=True)
class Vitals:
    """What the flags are read from.

    `level` is that of the strongest live commitment, `broken_level` that of the strongest broken
    one, `next_due` the first day of a commitment to come. `age` is the share of stays in the stage
    that are over by the deal's age in it, None where it cannot be told.
    """

    close_date: date | None
    forecast: str | None
    level: int
    broken_level: int | None
    pushes: int
    contacts: int
    next_due: date | None
    checkbox_only: float | None
    age: float | None


@dataclass(frozen=True, slots=True)
class Age:
    """How long a deal has stood in its stage, against `n` stays in it (Kaplan-Meier).

    `entered` is the event that began the stay; `percentile` is None where there are too few.
    """

    entered: UUID
    percentile: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag: whether it holds, None where it cannot be told, and what that rests on."""

    flag: FlagName
    holds: bool | None
    value: Value
    threshold: Value
    event_ids: tuple[UUID, ...] = ()
    n: int | None = None

    @property
    def colour(self) -> Alarm:
        """What it makes of a deal where it holds."""
        return COLOURS[self.flag]


def held(vitals: Vitals, today: date) -> dict[FlagName, bool | None]:
    """Say of each flag whether it holds on a local day; None where it cannot be told.

    That no contact, no close date or no forecast was recorded says nothing about the deal.
    """
    day, share, age = vitals.close_date, vitals.checkbox_only, vitals.age
    broken, forecast = vitals.broken_level, vitals.forecast
    unbacked = forecast == "commit" and vitals.level < CUSTOMER_MOVE
    return {
        "close_date_past": None if day is None else day < today,
        "commit_without_commitment": None if forecast is None else unbacked,
        "pushes": vitals.pushes >= PUSHES,
        "broken_commitment": broken is not None and broken >= BROKEN_LEVEL,
        "age_in_stage": None if age is None else age >= AGE_PERCENTILE,
        "one_contact": None if vitals.contacts == 0 else vitals.contacts == 1,
        "no_dated_next_commitment": vitals.next_due is None,
        "checkbox_only": None if share is None else share > CHECKBOX_ONLY,
    }


def worst_of(flags: Held) -> Alarm | None:
    """Give the colour of the worst flag that holds; None where none does."""
    colours = {COLOURS[name] for name, holds in flags.items() if holds}
    return "red" if "red" in colours else "amber" if colours else None


COLOUR_SQL: Final = f"""
    CASE WHEN close_date < %(backing_today)s
           OR forecast_category = 'commit' AND level < {CUSTOMER_MOVE}
           OR pushes >= {PUSHES}
           OR broken_level >= {BROKEN_LEVEL}
         THEN 'red'
         WHEN contacts = 1
           OR NOT dated
           OR round(hollow / nullif(settled, 0), {_PLACES}) > {CHECKBOX_ONLY}
         THEN 'amber'
    END"""
"""`worst_of` the flags that are `held`, over columns; null where none is.

It leaves out the age in the stage, which no list tells.
"""


def colour_of(flags: Sequence[Flag]) -> Colour | None:
    """Give the colour of the worst flag that holds; green without one, None without flags."""
    if not flags:
        return None
    return worst_of({flag.flag: flag.holds for flag in flags}) or "green"


def flags_of(
    events: Sequence[Event],
    commitments: Sequence[Commitment],
    *,
    close_date: date | None,
    forecast: str | None,
    age: Age | None,
    checkbox_only: float | None,
    today: date,
    at: datetime,
) -> list[Flag]:
    """Give all flags of an open deal's view at an instant, red ones first.

    `commitments` are those of the customer. `age` is None for a deal in no stage,
    `checkbox_only` while nothing has settled; `today` is the local day of the instant.
    """
    coming = dated_next(commitments, today, at)
    vitals = Vitals(
        close_date=close_date,
        forecast=forecast,
        level=live_level(commitments, at),
        broken_level=broken_level(commitments, at),
        pushes=len(pushes_of(events)),
        contacts=len(contacts_of(events)),
        next_due=first_due(coming),
        checkbox_only=checkbox_only,
        age=None if age is None or age.percentile is None else round(age.percentile, _PLACES),
    )
    holds, values = held(vitals, today), _values(vitals, today)
    behind = _behind(events, commitments, age, at)
    behind["no_dated_next_commitment"] = [c.event_id for c in commitments if c in coming]
    n: dict[FlagName, int] = {"age_in_stage": age.n} if age else {}
    return [
        Flag(name, holds[name], *values[name], tuple(behind.get(name, ())), n.get(name))
        for name in COLOURS
    ]


def _behind(
    events: Sequence[Event], commitments: Iterable[Commitment], age: Age | None, at: datetime
) -> dict[FlagName, Iterable[UUID]]:
    """Give the events that each flag rests on."""
    return {
        "close_date_past": [event.event_id for event, _, _ in dates_told(events)][-1:],
        "commit_without_commitment": _forecast(events),
        "pushes": [event.event_id for event in pushes_of(events)],
        "broken_commitment": _broken(commitments, at),
        "age_in_stage": [age.entered] if age else [],
        "one_contact": [event.event_id for event in contacts_of(events).values()],
    }


def _values(vitals: Vitals, today: date) -> dict[FlagName, tuple[Value, Value]]:
    """Give the value and the threshold of each flag."""
    return {
        "close_date_past": (vitals.close_date, today),
        "commit_without_commitment": (vitals.level, CUSTOMER_MOVE),
        "pushes": (vitals.pushes, PUSHES),
        "broken_commitment": (vitals.broken_level, BROKEN_LEVEL),
        "age_in_stage": (vitals.age, AGE_PERCENTILE),
        "one_contact": (vitals.contacts, 1),
        "no_dated_next_commitment": (vitals.next_due, None),
        "checkbox_only": (vitals.checkbox_only, CHECKBOX_ONLY),
    }


def _forecast(events: Iterable[Event]) -> list[UUID]:
    changed = [e.event_id for e in events if isinstance(e.data, ForecastCategoryChanged)]
    return changed[-1:]


def _broken(commitments: Iterable[Commitment], at: datetime) -> list[UUID]:
    return [
        one.event_id
        for one in commitments
        if one.status(at) == "broken" and one.level is not None and one.level >= BROKEN_LEVEL
    ]
