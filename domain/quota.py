"""Quotas: assigned once for a rep or a team in a quarter, then revised or withdrawn."""

from collections.abc import Sequence

from domain.calendars import CalendarHistory
from domain.errors import AlreadySoError, ContradictionError, MisplacedEventError, QuotaRefusedError
from domain.events.catalogue import QuotaEvent
from domain.events.context import ForecastCalled, QuotaAssigned, QuotaRevised, QuotaWithdrawn
from domain.fiscal import OutsideCalendarError
from domain.known import Known, QuotaHistory
from domain.replay import Event
from domain.stamp import Stamp
from domain.values import Money


def quota_stream(*, who: str, quarter: str) -> str:
    """Give the stream of a rep's or a team's quota in a quarter.

    A rep and a team of the same id share its name, so the second of them is refused.
    """
    return f"quota:{who}:{quarter}"


def forecast_stream(*, who: str, quarter: str) -> str:
    """Give the stream of what a rep or a team calls for a quarter."""
    return f"forecast:{who}:{quarter}"


def ensure_quota(
    stream_id: str,
    events: Sequence[Event],
    intent: QuotaEvent,
    *,
    stamp: Stamp,
    calendar: CalendarHistory,
) -> None:
    """Refuse a quota for no quarter, a second one, and changes to one that is not in force."""
    history = next(iter(Known(events).quotas.values()), None)
    match intent:
        case QuotaAssigned():
            ensure_own_stream(stream_id, intent, calendar=calendar)
            _ensure_free(history, stamp)
            _ensure_not_negative(intent.amount)
        case QuotaRevised(amount=amount):
            _ensure_revision(_in_force(history, stamp), amount)
        case QuotaWithdrawn():
            _in_force(history, stamp)


def ensure_own_stream(
    stream_id: str, intent: QuotaAssigned | ForecastCalled, *, calendar: CalendarHistory
) -> None:
    """Refuse a figure of somebody else or of another quarter than the stream is named by."""
    who = intent.rep or intent.team or ""
    name = forecast_stream if isinstance(intent, ForecastCalled) else quota_stream
    expected = name(who=who, quarter=intent.quarter)
    if stream_id != expected:
        message = f"a figure of {who!r} for {intent.quarter} belongs to the stream {expected!r}"
        raise MisplacedEventError(message, field="data.rep" if intent.rep else "data.team")
    try:
        calendar.quarter_named(intent.quarter)
    except OutsideCalendarError as error:
        raise QuotaRefusedError(str(error), field="data.quarter") from error


def _ensure_free(history: QuotaHistory | None, stamp: Stamp) -> None:
    if history is None:
        return
    last = history.steps[-1]
    if last.amount is not None:
        who = f"rep {history.rep!r}" if history.rep else f"team {history.team!r}"
        message = f"the {who} has a quota for {history.quarter} already; revise or withdraw it"
        raise QuotaRefusedError(message, field="type")
    if stamp.occurred_at < last.since:
        message = f"occurred_at lies before the quota was withdrawn, on {last.since.isoformat()}"
        raise ContradictionError(message, field="occurred_at")


def _in_force(history: QuotaHistory | None, stamp: Stamp) -> Money:
    step = history.at(stamp.occurred_at) if history else None
    if step is None or step.amount is None:
        message = f"no quota was in force on {stamp.occurred_at.isoformat()}; assign one first"
        raise QuotaRefusedError(message, field="type")
    return step.amount


def _ensure_revision(current: Money, amount: Money) -> None:
    _ensure_not_negative(amount)
    if amount.currency != current.currency:
        message = f"the quota is in {current.currency}, not in {amount.currency}"
        raise QuotaRefusedError(message, field="data.amount.currency")
    if amount == current:
        raise AlreadySoError("the quota has this amount already", field="data.amount")


def _ensure_not_negative(amount: Money) -> None:
    if amount.amount < 0:
        message = f"a quota is not negative, as {amount.amount} is"
        raise QuotaRefusedError(message, field="data.amount")
