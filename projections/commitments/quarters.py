"""Who did the work of a deal, fiscal quarter by fiscal quarter."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from domain.calendars import CalendarHistory
from domain.causes import action_time
from domain.fiscal import FiscalQuarter
from domain.replay import Event


@dataclass(frozen=True, slots=True)
class QuarterActs:
    """The acts of both sides in a quarter.

    `initiated` are the acts of the customer that no act of the seller caused. `one_sided` is what
    the seller had done, when the quarter ended, since the customer's `last` act until then, in
    whichever quarter that was.
    """

    quarter: FiscalQuarter
    customer: tuple[Event, ...]
    seller: tuple[Event, ...]
    initiated: tuple[Event, ...]
    last: Event | None
    one_sided: tuple[Event, ...]


def effort_since(last: Event | None, efforts: Iterable[Event]) -> tuple[Event, ...]:
    """Give what the seller did since an act of the customer, or since the opening without one."""
    since = None if last is None else last.occurred_at
    return tuple(e for e in efforts if since is None or action_time(e) > since)


def acts_by_quarter(
    acts: Sequence[Event],
    efforts: Sequence[Event],
    initiated: Sequence[Event],
    calendar: CalendarHistory,
) -> list[QuarterActs]:
    """Give the quarters in which somebody acted, the earliest first.

    The customer acted when it occurred, the seller at the action time. What lies outside the
    fiscal calendar is in no quarter.
    """
    found = {calendar.quarter_at(act.occurred_at) for act in acts}
    found |= {calendar.quarter_at(action_time(effort)) for effort in efforts}
    quarters = sorted((q for q in found if q is not None), key=lambda q: q.start_instant)
    return [_acts_in(quarter, acts, efforts, initiated) for quarter in quarters]


def _acts_in(
    quarter: FiscalQuarter,
    acts: Sequence[Event],
    efforts: Sequence[Event],
    initiated: Sequence[Event],
) -> QuarterActs:
    end = quarter.end_instant
    by_then = [act for act in acts if act.occurred_at < end]
    last = by_then[-1] if by_then else None
    return QuarterActs(
        quarter=quarter,
        customer=tuple(act for act in acts if quarter.contains(act.occurred_at)),
        seller=tuple(one for one in efforts if quarter.contains(action_time(one))),
        initiated=tuple(act for act in initiated if quarter.contains(act.occurred_at)),
        last=last,
        one_sided=effort_since(last, [one for one in efforts if action_time(one) < end]),
    )
