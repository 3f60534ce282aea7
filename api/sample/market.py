"""The simulated clock: works all deals in the order of time, and knows who stands where."""

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final, Protocol

from api.sample.cast import COMPANY, Cast
from api.sample.timeline import Timeline
from domain.fiscal import tau

BEHIND: Final = Fraction(1, 4)
"""Share of what is missing that a normal rest of the quarter would not bring: felt from here."""


class Agent(Protocol):
    """Something that acts at moments of its own choosing."""

    def next_at(self) -> datetime | None:
        """When it acts next; None if never again."""
        ...

    def act(self) -> None:
        """Do what is due."""
        ...


@dataclass(frozen=True, slots=True)
class Position:
    """Where a rep stands: quota and bookings of the quarter, and how far that is behind."""

    quota: Decimal
    attained: Decimal
    pressure: Fraction

    @property
    def behind(self) -> bool:
        return self.pressure >= BEHIND


class Market:
    """Quotas and bookings, and the loop that runs through time."""

    def __init__(self, timeline: Timeline, cast: Cast = COMPANY) -> None:
        self.timeline = timeline
        self.cast = cast
        self._quotas: dict[tuple[str, str], list[tuple[datetime, Decimal]]] = {}
        self._booked: dict[tuple[str, str], list[tuple[datetime, Decimal]]] = {}
        self._waiting: list[tuple[datetime, int, Agent]] = []
        self._entered = 0

    def set_quota(self, rep: str, quarter: str, amount: Decimal, *, since: datetime) -> None:
        """A later amount takes effect at its own instant."""
        self._quotas.setdefault((rep, quarter), []).append((since, amount))

    def book(self, shares: Mapping[str, Decimal], amount: Decimal, *, at: datetime) -> None:
        """Credit a win, or take it back with a negative amount."""
        quarter = self.timeline.calendar.quarter_of(at).name
        for rep, share in shares.items():
            self._booked.setdefault((rep, quarter), []).append((at, amount * share))

    def attained(self, rep: str, quarter: str, *, before: datetime) -> Decimal:
        return _sum(x for at, x in self._booked.get((rep, quarter), []) if at < before)

    def position(self, rep: str, at: datetime) -> Position | None:
        """Give the position; None where the rep has no quota."""
        quarter = self.timeline.calendar.quarter_of(at)
        quotas = [x for since, x in self._quotas.get((rep, quarter.name), []) if since <= at]
        if not quotas:
            return None
        quota, attained = quotas[-1], self.attained(rep, quarter.name, before=at)
        if quota <= 0 or attained >= quota:
            return Position(quota, attained, Fraction(0))
        expected = Fraction(quota) * tau(quarter, at)
        missing = (expected - Fraction(attained)) / (Fraction(quota) - Fraction(attained))
        return Position(quota, attained, max(Fraction(0), min(Fraction(1), missing)))

    def add(self, agent: Agent) -> None:
        """Let an agent take part, in line behind those that came before it."""
        self._entered += 1
        at = agent.next_at()
        if at is not None:
            heapq.heappush(self._waiting, (at, self._entered, agent))

    def run(self, *, until: datetime) -> None:
        """Let every agent act in the order of time; of two at one moment the earlier in line.

        Those that act later wait for the next run; those that never act again are forgotten.
        """
        waiting = self._waiting
        while waiting and waiting[0][0] < until:
            _, place, agent = waiting[0]
            agent.act()
            at = agent.next_at()
            if at is None:
                heapq.heappop(waiting)
            else:
                heapq.heapreplace(waiting, (at, place, agent))


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))
