"""A deal as one question sees it, with what several answers need of it found once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from api.moment import Moment
from domain.commitments import Commitment, commitments_of
from domain.deal import replay
from domain.deal_state import Deal
from domain.events.honesty import EventAmended, EventRetracted
from domain.known import Known
from domain.path import Processes, pinned_reference
from domain.process import Process
from domain.replay import Event, view
from projections.history.fold import Entry
from projections.history.fold import fold as fold_history
from projections.names import Names
from projections.pressure.acts import Stay
from projections.pressure.derive import ActSeen, acts_seen, stays_of
from projections.progress.fold import Progress
from projections.progress.fold import fold as fold_progress
from projections.spans.fold import DealState
from projections.spans.fold import fold as fold_state

Found = TypeVar("Found")


class _Once:
    """What was found before is not found again; whoever is given it changes nothing of it."""

    def __init__(self) -> None:
        self._found: dict[str, Any] = {}

    def __call__(self, name: str, find: Callable[[], Found]) -> Found:
        if name not in self._found:
            self._found[name] = find()
        found: Found = self._found[name]
        return found


@dataclass(frozen=True, slots=True)
class DealTold:
    """What was told of a deal up to a position, read in one context.

    What it gives follows from its own events alone, and holds at any instant and beside any other
    deals. `cut` hides what occurred later.
    """

    stream: Sequence[Event]
    events: Sequence[Event]
    known: Known
    processes: Processes
    cut: datetime | None
    _once: _Once = field(default_factory=_Once, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, stream: Sequence[Event], known: Known, cut: datetime | None = None) -> "DealTold":
        """Read a stream, as known at some position, in a context."""
        events = view(stream, effective_at=cut)
        return cls(stream, events, known, known.processes(events), cut)

    def state(self) -> DealState | None:
        """Give the state of the deal; None where it was not opened yet."""
        return self._once("state", lambda: fold_state(self.events))

    def replayed(self) -> Deal | None:
        """Give what decisions about the deal rest on."""
        return self._once("replayed", lambda: replay(self.events))

    def progress(self) -> Progress:
        """Give what was ticked and what was shown."""
        return self._once(
            "progress", lambda: fold_progress(self.events, self.processes, self.known.policy)
        )

    def commitments(self) -> Sequence[Commitment]:
        """Give the commitments of the customer and the promises of the seller."""
        return self._once(
            "commitments",
            lambda: commitments_of(self.events, self.known.calendar, self.known.policy),
        )

    def acts(self) -> Sequence[ActSeen]:
        """Give the seller events that are judged, before they are."""
        policy, calendar = self.known.policy, self.known.calendar
        return self._once("acts", lambda: acts_seen(self.events, self.processes, policy, calendar))

    def stays(self) -> Sequence[Stay]:
        """Give the stays of the deal in its stages."""
        return self._once("stays", lambda: stays_of(self.events, self.processes))

    def names(self) -> Names:
        """Give what the ids in its events are called."""
        return self._once("names", lambda: Names.of(self.events, self.processes))

    def timeline(self) -> Sequence[Entry]:
        """Give the timeline of the deal, before verdicts are put to it.

        What corrects an event counts as soon as it is known, as in every view, whenever it was
        said.
        """
        return self._once("timeline", self._timeline)

    def _timeline(self) -> list[Entry]:
        told = [e for e in self.stream if self.true(e) or isinstance(e.data, _CORRECTION)]
        entries = fold_history(told, self.processes, self.known.policy, self.known.calendar)
        return [entry for entry in entries if self.cut is None or entry.occurred_at <= self.cut]

    def true(self, event: Event) -> bool:
        """Say whether the cut leaves an event to be seen."""
        return self.cut is None or event.occurred_at <= self.cut


_CORRECTION = EventAmended | EventRetracted


@dataclass(frozen=True, slots=True)
class DealSeen:
    """A deal as one question sees it: what was told of it, at a moment, beside other deals.

    What was told is read in the context of the moment, and `compared_at`, the position at which
    other deals are compared with it, is that of the moment, unless the question restates them.
    """

    deal_id: UUID
    moment: Moment
    told: DealTold
    compared_at: int
    once: _Once = field(default_factory=_Once, init=False, repr=False, compare=False)
    """Gives what several answers to the question need, found once."""

    @property
    def stream(self) -> Sequence[Event]:
        """The raw stream as known."""
        return self.told.stream

    @property
    def events(self) -> Sequence[Event]:
        """The view: corrections applied, in order."""
        return self.told.events

    @property
    def known(self) -> Known:
        """The context that the deal is read in."""
        return self.told.known

    @property
    def processes(self) -> Processes:
        """The processes as the deal is read by them."""
        return self.told.processes

    @property
    def version(self) -> int:
        """How many events of the deal were known."""
        return len(self.stream)

    def pinned(self) -> Process:
        """Give the process that the deal is judged by."""
        return self.processes(pinned_reference(self.events))
