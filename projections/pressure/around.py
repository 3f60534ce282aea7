"""What stands around a verdict and is not mixed into it: the manager's team, the usual pace, who.

METRICS section 2: manager pressure by the same formula on the rolled-up quota and bookings; the
historical pace for context only, since in a hockey-stick firm it makes the hockey stick normal.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Final, Literal, Protocol, TypeAlias
from uuid import UUID

from domain.calendars import CalendarHistory
from domain.events.money import DiscountOffered
from domain.fiscal import FiscalQuarter, instant_at, tau
from domain.replay import Event
from domain.values import Money
from projections.pressure.base_rate import BaseRate, BaseRates
from projections.pressure.curve import Standing, pressure
from projections.pressure.fold import Context, Judged

QUARTERS_BACK: Final = 8
"""How many quarters before this one the usual pace is taken from, at most."""
QUARTERS_NEEDED: Final = 4
"""How many of them must hold bookings before there is a usual pace."""
_KEPT: Final = 128
"""Quarters of which those before them are kept: more than are looked at in a day."""


class Surroundings(Context, Protocol):
    """What is asked of the context beyond the judgement, as known at one position."""

    @property
    def base_rates(self) -> BaseRates:
        """How often events of other deals have no customer cause."""
        ...

    def read_booked(self, reps: Iterable[str], quarters: Iterable[str]) -> None:
        """Read at once what is credited to these reps in these quarters."""
        ...

    def managed(self, rep: str, at: datetime) -> tuple[str, tuple[str, ...]] | None:
        """Give the manager of a rep at an instant, and the reps who report to them."""
        ...

    def teammates(self, rep: str, at: datetime) -> frozenset[str]:
        """Give the reps of the team that a rep is in at an instant, or the rep alone."""
        ...

    def role(self, person: str, at: datetime) -> str | None:
        """Give somebody's role at an instant; None if unknown."""
        ...


@dataclass(frozen=True, slots=True)
class Explained:
    """A judged event with what an explanation tells beside it; its verdict rests on none of it."""

    judged: Judged
    managed: "Managed | None"
    origin: "Origin | None"
    usual_pace: "UsualPace | None"
    base_rate: BaseRate


def explain(judged: Iterable[Judged], context: Surroundings) -> list[Explained]:
    """Add to judged events, in the context that they were judged in, what stands around them."""
    return [_explained(one, context) for one in judged]


def _explained(judged: Judged, context: Surroundings) -> Explained:
    at, rep, quarter, now = judged.action_time, judged.event.rep, judged.quarter, judged.standing
    scope = judged.levels.scope if judged.levels else None
    return Explained(
        judged,
        managed=managed(context, rep, quarter, at) if quarter else None,
        origin=origin(context, judged.event, at),
        usual_pace=usual_pace(context, rep, quarter, now, at) if quarter and now else None,
        base_rate=context.base_rates.at(judged.question, judged.kind, context.policy, scope),
    )


@dataclass(frozen=True, slots=True)
class Managed:
    """Where the team of a rep's manager stood: its reps with a quota, rolled up."""

    manager: str
    reps: tuple[str, ...]
    currency: str
    standing: Standing
    evidence: tuple[UUID, ...]


def managed(
    context: Surroundings, rep: str, quarter: FiscalQuarter, at: datetime
) -> Managed | None:
    """Give the pressure on a rep's manager; None where no manager, or no quota, is known.

    The reps of the team that have a quota then count with it and with what they booked. Unknown
    where a quota or a booking has no plan rate into the currency of the first of them.
    """
    found = context.managed(rep, at)
    if found is None:
        return None
    manager, reps = found
    quotas = {one: context.quota(one, quarter.name, at) for one in reps}
    carrying = [one for one in reps if quotas[one][0] is not None]
    if not carrying:
        return None
    context.read_booked(carrying, [quarter.name])
    given = [quota for one in carrying if (quota := quotas[one][0]) is not None]
    currency = given[0].currency
    amounts = [context.convert(quota, currency, quarter.name) for quota in given]
    totals = [context.booked(one, quarter.name, currency) for one in carrying]
    attained = sum((total.before(at) for total in totals), Decimal(0))
    wins = (event for one in carrying for event in context.wins(one, quarter.name, at))
    evidence = (*(event for one in carrying for event in quotas[one][1]), *wins)
    known = [amount for amount in amounts if amount is not None]
    now = Standing(None, attained, None)
    if len(known) == len(amounts) and all(total.complete_before(at) for total in totals):
        quota = Money.model_construct(amount=sum(known, Decimal(0)), currency=currency)
        now = Standing(quota, attained, tau(quarter, at))
    return Managed(manager, tuple(carrying), currency, now, evidence)


Asked: TypeAlias = Literal["requested_by", "role"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an event came from, by what the event says of it or by the role of who did it."""

    who: str
    by: Asked


def origin(context: Surroundings, event: Event, at: datetime) -> Origin | None:
    """Give where an event came from; None where nothing says so."""
    if isinstance(event.data, DiscountOffered) and event.data.requested_by is not None:
        return Origin(event.data.requested_by, "requested_by")
    role = context.role(event.actor, at)
    return None if role is None else Origin(role, "role")


@dataclass(frozen=True, slots=True)
class UsualPace:
    """The share of a quarter's bookings that is usually there by now, and the pressure at it.

    `share` is w * the rep's own + (1 - w) * the team's, w = deals / (deals + shrink_k).
    """

    share: Fraction
    own: Fraction | None
    team: Fraction
    weight: Fraction
    deals: int
    quarters: tuple[str, ...]
    pressure: Fraction | None


def usual_pace(
    context: Surroundings, rep: str, quarter: FiscalQuarter, standing: Standing, at: datetime
) -> UsualPace | None:
    """Give the pace of the quarters before this one at the same share of their time.

    None with fewer than four quarters in which the team booked something, and where a booking has
    no plan rate into the currency of the quota.
    """
    if standing.quota is None:
        return None
    before = _before(context.calendar, quarter)
    team = sorted(context.teammates(rep, at) | {rep})
    context.read_booked(team, [one.name for one in before])
    past = _Past(context, before, standing.quota.currency, tau(quarter, at))
    everybody = past.pooled(team)
    if everybody is None or len(everybody.quarters) < QUARTERS_NEEDED:
        return None
    own = past.pooled([rep])
    deals = past.deals(rep)
    weight = Fraction(deals, deals + context.policy.shrink_k) if own else Fraction(0)
    share = everybody.share if own is None else weight * own.share + (1 - weight) * everybody.share
    usual = None
    if standing.pressure is not None:
        usual = pressure(standing.quota.amount, standing.attained, share)
    return UsualPace(
        share,
        own.share if own else None,
        everybody.share,
        weight,
        deals,
        everybody.quarters,
        usual,
    )


@dataclass(frozen=True, slots=True)
class _Pooled:
    share: Fraction
    quarters: tuple[str, ...]


class _Past:
    """What was booked in past quarters, and by when."""

    def __init__(
        self,
        context: Surroundings,
        quarters: Sequence[FiscalQuarter],
        currency: str,
        elapsed: Fraction,
    ) -> None:
        self._context = context
        self._quarters = quarters
        self._currency = currency
        self._elapsed = elapsed

    def pooled(self, reps: Sequence[str]) -> _Pooled | None:
        """Give the share booked by then of all that was booked, over quarters with bookings.

        A ratio of sums, from 0 to 1; None where nothing was booked, or not all converts.
        """
        by_then = whole = Decimal(0)
        counted: list[str] = []
        for quarter in self._quarters:
            totals = [self._context.booked(rep, quarter.name, self._currency) for rep in reps]
            end = quarter.end_instant
            if not all(total.complete_before(end) for total in totals):
                return None
            booked = sum((total.before(end) for total in totals), Decimal(0))
            if booked > 0:
                now = instant_at(quarter, self._elapsed)
                by_then += sum((total.before(now) for total in totals), Decimal(0))
                whole += booked
                counted.append(quarter.name)
        if not counted:
            return None
        share = Fraction(by_then) / Fraction(whole)
        return _Pooled(min(Fraction(1), max(Fraction(0), share)), tuple(counted))

    def deals(self, rep: str) -> int:
        """Count the events that credited a rep in those quarters."""
        return sum(
            len(self._context.wins(rep, quarter.name, quarter.end_instant))
            for quarter in self._quarters
        )


@lru_cache(maxsize=_KEPT)
def _before(calendar: CalendarHistory, quarter: FiscalQuarter) -> tuple[FiscalQuarter, ...]:
    """Give the quarters before one, the latest first, as far back as there are any."""
    found: list[FiscalQuarter] = []
    earlier = calendar.quarter_at(quarter.start_instant - _INSTANT)
    while earlier is not None and len(found) < QUARTERS_BACK:
        found.append(earlier)
        earlier = calendar.quarter_at(earlier.start_instant - _INSTANT)
    return tuple(found)


_INSTANT: Final = timedelta(microseconds=1)
