"""PS-9: what was closed at a quarter's end and did not stay closed."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from fractions import Fraction

from domain.calendars import CalendarHistory
from domain.events.base import DomainEvent
from domain.events.life import DealLost, DealReopened, DealWon, WinReversed
from domain.fiscal import FiscalQuarter, days_left, local_day
from domain.policy import Policy
from domain.replay import Event
from projections.pressure.patterns import Pattern, PatternFact, counted
from projections.pressure.rules import Truth, all_of


def reversal_patterns(
    events: Sequence[Event], policy: Policy, calendar: CalendarHistory, until: datetime
) -> list[Pattern]:
    """Give every win, and every loss in the last days of a quarter, with how long it stood.

    `until` is how far the question looks: while the time in which a win may be taken back, or a
    lost deal reopened, is not over by then, nobody can say yet. Closing and reopening are acts in
    the world, judged when they occurred.
    """
    found: list[Pattern] = []
    for index, event in enumerate(events):
        later = events[index + 1 :]
        match event.data:
            case DealWon():
                found.append(_won(event, _next(later, WinReversed), policy, until))
            case DealLost():
                quarter = calendar.quarter_at(event.occurred_at)
                found += _lost(event, _next(later, DealReopened), quarter, policy, until)
            case _:
                pass
    return found


def _next(events: Iterable[Event], kind: type[DomainEvent]) -> Event | None:
    return next((event for event in events if isinstance(event.data, kind)), None)


def _won(won: Event, reversal: Event | None, policy: Policy, until: datetime) -> Pattern:
    stood = (reversal.occurred_at if reversal else until) - won.occurred_at
    within = stood <= timedelta(days=policy.reversal_days)
    # Standing so far says nothing while the days are not over.
    holds: Truth = within if reversal else (None if within else False)
    value: dict[str, object] = {
        "won_at": won.occurred_at,
        "reversed_at": reversal.occurred_at if reversal else None,
        "days": _days(stood) if reversal else None,
    }
    shown = [won.event_id, *([reversal.event_id] if reversal else [])]
    return Pattern(
        rule="PS-9",
        name="win_reversed",
        event_id=won.event_id,
        rep=won.rep,
        at=won.occurred_at,
        holds=holds,
        facts=(PatternFact("reversed_soon", value, policy.reversal_days, holds, tuple(shown)),),
        sentence=_won_sentence(reversal, stood, holds, policy),
    )


def _won_sentence(reversal: Event | None, stood: timedelta, holds: Truth, policy: Policy) -> str:
    limit = counted(policy.reversal_days, "day")
    if reversal is None:
        if holds is None:
            return f"The win stands so far; {limit} are not over, so nothing can be said yet."
        return f"The win was not taken back within {limit}."
    after = counted(stood // timedelta(days=1), "day")
    if holds:
        return (
            f"The win was taken back {after} later, within {limit}. This is consistent with a win"
            " booked before the customer had decided."
        )
    return f"The win was taken back {after} later, which is more than {limit}."


def _lost(
    lost: Event,
    reopened: Event | None,
    quarter: FiscalQuarter | None,
    policy: Policy,
    until: datetime,
) -> Iterator[Pattern]:
    """Give the pattern of a loss; none for one that is known to lie outside the window."""
    left = days_left(quarter, lost.occurred_at) if quarter else None
    window: Truth = None if left is None else left < policy.window_days
    if window is False:
        return
    after = _days_after(quarter, reopened.occurred_at) if quarter and reopened else None
    parked = _parked(quarter, after, policy, until)
    shown = [lost.event_id, *([reopened.event_id] if reopened else [])]
    value: dict[str, object] = {
        "lost_at": lost.occurred_at,
        "reopened_at": reopened.occurred_at if reopened else None,
        "quarter_end": quarter.end if quarter else None,
        "days_after_quarter_end": after,
    }
    holds = all_of([window, parked])
    yield Pattern(
        rule="PS-9",
        name="lost_and_reopened",
        event_id=lost.event_id,
        rep=lost.rep,
        at=lost.occurred_at,
        holds=holds,
        facts=(
            PatternFact("window", left, policy.window_days, window, (lost.event_id,)),
            PatternFact(
                "reopened_after_quarter_end", value, policy.reopening_days, parked, tuple(shown)
            ),
        ),
        sentence=_lost_sentence(quarter, left, after, holds, policy),
    )


def _parked(
    quarter: FiscalQuarter | None, after: int | None, policy: Policy, until: datetime
) -> Truth:
    """Say whether the deal came back in the first days after the quarter's end.

    `after` is how many local days after that end it was reopened, None if it was not so far.
    """
    if quarter is None:
        return None
    if after is not None:
        return 0 < after <= policy.reopening_days
    return None if _days_after(quarter, until) <= policy.reopening_days else False


def _days_after(quarter: FiscalQuarter, instant: datetime) -> int:
    return (local_day(instant, quarter.zone) - quarter.end).days


def _lost_sentence(
    quarter: FiscalQuarter | None,
    left: int | None,
    after: int | None,
    holds: Truth,
    policy: Policy,
) -> str:
    if quarter is None:
        return "The deal was lost outside every fiscal quarter, so nothing can be said."
    lost = f"Lost with {counted(left or 0, 'day')} left of {quarter.name}"
    limit = counted(policy.reopening_days, "day")
    if holds:
        return (
            f"{lost} and reopened {counted(after or 0, 'day')} after its end, within {limit}."
            " This is consistent with a deal parked over the quarter's end."
        )
    if after is not None:
        return f"{lost} and reopened, but not in the {limit} after its end."
    if holds is None:
        return f"{lost}; the {limit} after its end are not over, so nothing can be said yet."
    return f"{lost} and not reopened in the {limit} after its end."


def _days(span: timedelta) -> Fraction:
    return Fraction(span / timedelta(days=1))
