"""How long deals stay in a stage: of all of them at once, as known at one position.

Whoever needs it imports it then, since numpy takes longer to import than most questions to answer.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import ceil
from struct import unpack
from typing import Final, Self, TypeAlias
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from domain.policy import Policy
from projections.pressure.baseline import Dwell, Lasted

Numbers: TypeAlias = NDArray[np.int64]
"""Instants and spans, in microseconds."""
Rows: TypeAlias = NDArray[np.void]
"""Stays: of which deal, begun when, how long, known since and until which position."""
ROW: Final = np.dtype(
    [(name, np.int64) for name in ("high", "low", "entered", "length", "since", "until")]
)
"""The id of the deal comes in two halves."""
ENDLESS: Final = np.iinfo(np.int64).max
"""The length of a stay that lasts; PostgreSQL sends it for `infinity` too."""


@dataclass(frozen=True, slots=True, eq=False)
class _Dwell:
    """The lengths of other deals' stays: of those that are over, sorted, and of the others so far.

    What is asked of them is told when it is asked.
    """

    n: int
    ended: Numbers
    lasting: Numbers
    share: Decimal

    def shortest_normal(self) -> timedelta | None:
        shortest = _quantile(self.ended, np.sort(self.lasting), float(self.share), n=self.n)
        return None if shortest is None else timedelta(microseconds=shortest)

    def is_rush(self, stayed: timedelta) -> bool:
        """Say whether a stay was a rush.

        By a length that `over` of n stays did not last beyond, Kaplan-Meier has at least over/n of
        them over, and at most that share of those that are over by now: mostly that tells.
        """
        over = int(np.searchsorted(self.ended, stayed // _MICROSECOND, side="right"))
        ended = len(self.ended)
        if over >= self.share * self.n:
            return False
        if over < self.share * ended and ended >= self.share * self.n:
            return True
        shortest = self.shortest_normal()
        return shortest is not None and stayed < shortest


class StaysIn:
    """The stays of all deals in one stage, ready to say at any instant what is a normal one.

    The Kaplan-Meier quantile of the policy, stays that lasted at the instant censored then
    (METRICS section 4); it equals that of `domain.statistics.kaplan_meier` over the same stays.
    """

    def __init__(self, rows: Rows) -> None:
        """Take the stays as known at one position, the shortest first; `ENDLESS` ones last."""
        self._high, self._low, self._entered, self._length = (
            np.ascontiguousarray(rows[name]) for name in ("high", "low", "entered", "length")
        )
        # One that ended as it began is counted with those begun before, not at that instant.
        lasts = self._length == ENDLESS
        over = self._entered + np.where(lasts, 0, np.maximum(self._length, 1))
        self._over = np.where(lasts, ENDLESS, over)

    @classmethod
    def of(cls, stays: Iterable[Lasted]) -> Self:
        """Take stays in any order."""
        rows = [
            (*halves(deal_id), instant_of(entered), _length(entered, left), 0, ENDLESS)
            for deal_id, entered, left in stays
        ]
        return cls(np.sort(np.array(rows, ROW), order="length"))

    def dwell(self, deal_id: UUID, before: datetime, policy: Policy) -> Dwell | None:
        """Give what is normal among other deals' stays begun before; None where too few."""
        at = instant_of(before)
        high, low = halves(deal_id)
        begun = (self._entered < at) & ((self._high != high) | (self._low != low))
        n = int(np.count_nonzero(begun))
        if n < policy.n_dwell:
            return None
        over = self._over <= at
        lasting = at - self._entered[begun & ~over]
        return _Dwell(n, self._length[begun & over], lasting, policy.dwell_percentile)

    def over_by(self, age: timedelta, at: datetime) -> tuple[int, float]:
        """Give how many stays began before an instant, and the share of them over by an age.

        Kaplan-Meier, stays that lasted at the instant censored then; 0 where there are none.
        """
        now = instant_of(at)
        begun, over = self._entered < now, self._over <= now
        n = int(np.count_nonzero(begun))
        lasting = np.sort(now - self._entered[begun & ~over])
        ended = self._length[begun & over]
        lengths, ends = np.unique(ended[ended <= age // _MICROSECOND], return_counts=True)
        gone = np.cumsum(ends) - ends + np.searchsorted(lasting, lengths)
        at_risk = n - gone
        return n, 1 - float(np.prod((at_risk - ends) / at_risk))


def _quantile(ended: Numbers, lasting: Numbers, share: float, *, n: int) -> int | None:
    """Give the length by which this share is over, of n sorted lengths that ended or still last.

    Each end leaves (r - 1)/r of the r at risk, so m of them between two stays that still last
    leave (r - m)/r at once.
    """
    left, gone, at_risk = 1.0, 0, n
    enough = 1 - share + _ROUNDING
    # What still lasts at a length is at risk of ending at it.
    for upto in [*np.searchsorted(ended, lasting, side="right").tolist(), len(ended)]:
        if ends := upto - gone:
            after = left * (at_risk - ends) / at_risk
            if after <= enough:
                needed = ceil(at_risk * (1 - enough / left))
                return int(ended[gone + max(needed, 1) - 1])
            left = after
        gone = upto
        at_risk -= ends + 1
    return None


def instant_of(moment: datetime) -> int:
    """Give an instant as PostgreSQL counts it: in microseconds since the year 2000."""
    return (moment - _BEGINNING) // _MICROSECOND


def halves(deal_id: UUID) -> tuple[int, int]:
    """Give the id of a deal as the rows have it."""
    high, low = unpack(">qq", deal_id.bytes)
    return high, low


def _length(entered: datetime, left: datetime | None) -> int:
    return ENDLESS if left is None else (left - entered) // _MICROSECOND


_BEGINNING: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_ROUNDING: Final = 1e-12
"""What a product of floats may be off by, far below one stay in a billion."""
