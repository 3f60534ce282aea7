"""A deal as one question sees it, with what several answers need of it found once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from api.moment import Moment
from domain.commitments import Commitment, commitments_of
from domain.known import Known
from domain.path import Processes, pinned_reference
from domain.process import Process
from domain.replay import Event
from projections.progress.fold import Progress
from projections.progress.fold import fold as fold_progress
from projections.spans.fold import DealState
from projections.spans.fold import fold as fold_state

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class DealSeen:
    """A deal as one question sees it: its raw stream as known, and its view.

    `known` is the context that it is read in, `compared_at` the position at which other deals
    are compared with it; both are those of the moment, unless the question restates them.
    """

    deal_id: UUID
    moment: Moment
    stream: Sequence[Event]
    events: Sequence[Event]
    known: Known
    processes: Processes
    compared_at: int
    _found: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def once(self, name: str, find: Callable[[], Found]) -> Found:
        """Give what was found of the deal under a name: what several answers need is found once."""
        if name not in self._found:
            self._found[name] = find()
        found: Found = self._found[name]
        return found

    @property
    def version(self) -> int:
        """How many events of the deal were known."""
        return len(self.stream)

    def pinned(self) -> Process:
        """Give the process that the deal is judged by."""
        return self.processes(pinned_reference(self.events))

    def state(self) -> DealState | None:
        """Give the state of the deal; None where it was not opened yet."""
        return self.once("state", lambda: fold_state(self.events))

    def progress(self) -> Progress:
        """Give what was ticked and what was shown."""
        return self.once(
            "progress", lambda: fold_progress(self.events, self.processes, self.known.policy)
        )

    def commitments(self) -> list[Commitment]:
        """Give the commitments of the customer and the promises of the seller."""
        return self.once(
            "commitments",
            lambda: commitments_of(self.events, self.known.calendar, self.known.policy),
        )
