"""For which share of a deal's open time its owner was behind (METRICS section 2, exposure)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from uuid import UUID

from domain.fiscal import FiscalQuarter
from domain.pace import first_instant
from domain.replay import Event
from projections.pressure.curve import standing
from projections.pressure.deal_curve import owners_of, spans_of
from projections.pressure.fold import Context


@dataclass(frozen=True, slots=True)
class Exposure:
    """How long a deal was open, how much of it with a known pressure, how much of that behind.

    `evidence` are the quotas that were in force and the wins that counted against them.
    """

    open: timedelta
    known: timedelta
    behind: timedelta
    evidence: tuple[UUID, ...]

    def share(self) -> Fraction | None:
        """Give the part of the open time of known pressure in which the owner was behind."""
        if not self.known:
            return None
        return Fraction(self.behind // _UNIT, self.known // _UNIT)


_UNIT = timedelta(microseconds=1)


def exposure(events: Sequence[Event], context: Context, until: datetime) -> Exposure:
    """Give the exposure of a deal's open life, up to an instant."""
    open_for = known = behind = timedelta(0)
    evidence: dict[UUID, None] = {}
    for owner, start, end in owners_of(events, until):
        open_for += end - start
        for quarter, since, till in spans_of(context, start, end):
            for piece, last in _pieces(context, owner, quarter, since, till):
                pressed = _behind_from(context, owner, quarter, piece, last)
                if pressed is not None:
                    known += last - piece
                    behind += last - pressed
                    evidence |= dict.fromkeys(context.quota(owner, quarter.name, piece)[1])
            evidence |= dict.fromkeys(context.wins(owner, quarter.name, till))
    return Exposure(open_for, known, behind, tuple(evidence))


def _pieces(
    context: Context, owner: str, quarter: FiscalQuarter, since: datetime, till: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """Cut a span where the quota or the bookings change; inside a piece pressure only grows."""
    booked = context.booked(owner, quarter.name, _currency(context, owner, quarter, till))
    changes = [*context.quota_changes(owner, quarter.name), *booked.instants]
    marks = sorted({since, till, *(at for at in changes if since < at < till)})
    return pairwise(marks)


def _behind_from(
    context: Context, owner: str, quarter: FiscalQuarter, since: datetime, till: datetime
) -> datetime | None:
    """Give from when on in a piece the owner was behind, its end if never; None if unknown.

    Bookings count strictly before an instant, so the piece is looked at from just after its start.
    """
    quota = context.quota(owner, quarter.name, since)[0]
    if quota is None:
        return None
    booked = context.booked(owner, quarter.name, quota.currency)
    if not booked.complete_before(since + _UNIT):
        return None

    def behind(at: datetime) -> bool:
        elapsed = context.pace(owner, quarter, at).elapsed
        pressed = standing(quota, booked, elapsed, max(at, since + _UNIT)).pressure
        return pressed is not None and pressed >= context.policy.theta

    return first_instant(behind, since, till)


def _currency(context: Context, owner: str, quarter: FiscalQuarter, at: datetime) -> str:
    quota, _ = context.quota(owner, quarter.name, at)
    return quota.currency if quota else "USD"
