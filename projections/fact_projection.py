"""A projection that is nothing but facts: what each deal implies, position by position."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

from domain.events.honesty import EventAmended, EventRetracted
from domain.known import Known
from domain.replay import Event
from projections.batch import Batch
from projections.facts import FactTable, Rows

Fact = TypeVar("Fact")

CORRECTIONS = frozenset({EventAmended.TOPIC, EventRetracted.TOPIC})
"""May change whatever the event implied that they correct."""


@dataclass(frozen=True, slots=True)
class Facts(Generic[Fact]):
    """One kind of fact: where it is kept, how a deal's view implies it, and what may change it.

    `topics` are those at which it may change, `onward` those of them whose events bear only on
    what is judged when they occurred or later. `framed` says whether it also rests on the
    calendar, the policy or the process that the deal is read with.
    """

    table: FactTable[Fact]
    derive: Callable[[Sequence[Event], Known], Iterable[Fact]]
    topics: frozenset[str]
    framed: bool
    onward: frozenset[str] = frozenset()

    def follow(self, connection: Rows, batch: Batch, *, empty: bool = False) -> None:
        """Bring the facts of a stretch's deals up to date."""
        positions = batch.positions(self.topics, onward=self.onward, framed=self.framed)
        self.table.follow(
            connection,
            batch.streams,
            positions,
            lambda events, position: self.derive(events, batch.frames.at(position)),
            empty=empty,
        )


class FactProjection:
    """The facts of one question, kept at every position."""

    def __init__(self, name: str, *kinds: Facts[Any]) -> None:
        self.name = name
        self._kinds = kinds

    @property
    def tables(self) -> Sequence[str]:
        """The tables that it alone writes."""
        return [facts.table.name for facts in self._kinds]

    @cached_property
    def topics(self) -> frozenset[str]:
        """The topics of deal events that can change its rows."""
        return frozenset[str]().union(*(facts.topics for facts in self._kinds))

    @property
    def framed(self) -> bool:
        """Whether calendars, policies and processes change its rows."""
        return any(facts.framed for facts in self._kinds)

    @property
    def reads_bare_events(self) -> bool:
        """Facts rest on who did what, and when it was recorded."""
        return False

    def project(self, connection: Rows, batch: Batch) -> None:
        """Write what a stretch changes."""
        for facts in self._kinds:
            facts.follow(connection, batch)

    def load(self, connection: Rows, batch: Batch) -> None:
        """Add whole deals to its tables, which hold nothing of them."""
        for facts in self._kinds:
            facts.follow(connection, batch, empty=True)

    def fill(self, connection: Rows, whole: Batch, *, part: int, parts: int) -> None:
        """Derive nothing more: the facts are all there is."""

    def refold(self, connection: Rows, batch: Batch) -> None:
        """Write the deals of a stretch that lies behind the projection's position."""
        for facts in self._kinds:
            facts.table.forget(connection, batch.streams, batch.after)
        self.project(connection, batch)
