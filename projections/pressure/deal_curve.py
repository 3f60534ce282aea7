"""The quota pressure on a deal's owner through the life of the deal, for its chart."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from domain.events.life import (
    DealDeleted,
    DealDisqualified,
    DealLost,
    DealOpened,
    DealReopened,
    DealWon,
    OwnerChanged,
    WinReversed,
)
from domain.fiscal import FiscalQuarter
from domain.replay import Event
from projections.pressure.curve import curve
from projections.pressure.fold import Context


def deal_curve(
    events: Sequence[Event], context: Context, until: datetime
) -> list[dict[str, object]]:
    """Give (at, pressure, quarter, rep) along the deal's open life, pressure None where unknown."""
    points: list[dict[str, object]] = []
    for owner, start, end in owners_of(events, until):
        for quarter, since, till in spans_of(context, start, end):
            points += _line(context, owner, quarter, since, till)
    return points


def quarters_of(
    events: Sequence[Event], context: Context, until: datetime
) -> list[dict[str, object]]:
    """Give the fiscal quarters that the deal's open life touches."""
    lives = list(owners_of(events, until))
    if not lives:
        return []
    spans = spans_of(context, lives[0][1], lives[-1][2])
    return [
        {
            "name": quarter.name,
            "start": quarter.start.isoformat(),
            "end": quarter.end.isoformat(),
            "end_instant": quarter.end_instant,
        }
        for quarter, _, _ in spans
    ]


def _line(
    context: Context, owner: str, quarter: FiscalQuarter, since: datetime, till: datetime
) -> list[dict[str, object]]:
    changes = context.quota_changes(owner, quarter.name)
    quota, _ = context.quota(owner, quarter.name, till)
    booked = context.booked(owner, quarter.name, quota.currency if quota else "USD")
    line = curve(
        lambda at: context.quota(owner, quarter.name, at)[0],
        booked,
        lambda at: context.pace(owner, quarter, at).elapsed,
        [*changes, *context.turns(owner), *booked.instants],
        start=since,
        end=till,
    )
    return [
        {
            "at": at,
            "pressure": None if share is None else round(float(share), 6),
            "quarter": quarter.name,
            "rep": owner,
        }
        for at, share in line
    ]


def owners_of(events: Sequence[Event], until: datetime) -> Iterator[tuple[str, datetime, datetime]]:
    """Give who owned the deal from when to when, while it was open.

    Taking a win back opens the deal that was closed by it, and no other: one that was reopened
    before has been open since then, and one that was lost since stays lost.
    """
    owner: str | None = None
    since: datetime | None = None
    won = False
    for event in events:
        match event.data:
            case DealOpened(owner=named) | OwnerChanged(owner=named):
                yield from _owned(owner, since, event.occurred_at)
                since = event.occurred_at if owner is None or since is not None else None
                owner = named
            case DealWon() | DealLost() | DealDisqualified() | DealDeleted():
                yield from _owned(owner, since, event.occurred_at)
                since, won = None, isinstance(event.data, DealWon)
            case DealReopened():
                since = since or event.occurred_at
            case WinReversed() if won:
                since = since or event.occurred_at
            case _:
                pass
    if since is not None and since < until:
        yield from _owned(owner, since, until)


def _owned(
    owner: str | None, since: datetime | None, until: datetime
) -> Iterator[tuple[str, datetime, datetime]]:
    if owner is not None and since is not None:
        yield owner, since, until


def spans_of(
    context: Context, start: datetime, end: datetime
) -> Iterator[tuple[FiscalQuarter, datetime, datetime]]:
    """Give the quarters between two instants, each from when to when."""
    at = start
    while at < end:
        quarter = context.calendar.quarter_at(at)
        if quarter is None:
            return
        till = min(end, quarter.end_instant)
        yield quarter, at, till
        at = quarter.end_instant
