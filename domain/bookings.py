"""What a rep has booked in a quarter, as a running total that can be asked about any instant."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import accumulate
from uuid import UUID

from domain.values import Money


@dataclass(frozen=True, slots=True)
class Booking:
    """An amount credited to a rep by an event; negative where a win was taken back."""

    event_id: UUID
    occurred_at: datetime
    amount: Money


class RunningTotal:
    """The bookings of one rep in one quarter, summed in one currency."""

    def __init__(self, booked: Iterable[tuple[datetime, Decimal | None]]) -> None:
        """Take (occurred_at, amount) pairs; the amount is None where no plan rate converts it."""
        ordered = sorted(booked, key=lambda pair: pair[0])
        known = (amount or Decimal(0) for _, amount in ordered)
        self._instants = [occurred_at for occurred_at, _ in ordered]
        self._sums = list(accumulate(known, initial=Decimal(0)))
        self._unknown = list(accumulate((amount is None for _, amount in ordered), initial=0))

    def before(self, instant: datetime) -> Decimal:
        """Give the amount booked strictly before an instant, as far as rates convert it."""
        return self._sums[bisect_left(self._instants, instant)]

    def complete_before(self, instant: datetime) -> bool:
        """Say whether every booking strictly before the instant could be converted."""
        return self._unknown[bisect_left(self._instants, instant)] == 0

    @property
    def instants(self) -> tuple[datetime, ...]:
        """The instants at which the total changes, in order."""
        return tuple(self._instants)
