"""The frames of a log that a test tells, as a projection is given them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from api.context import REFRAMING_TOPICS
from domain.known import Known
from domain.replay import Event


@dataclass(frozen=True, slots=True)
class ToldFrames:
    """Frames that begin at some positions, and what is known at each."""

    beginnings: Sequence[int]
    known: Callable[[int], Known]

    @classmethod
    def of(cls, events: Iterable[Event], known: Callable[[int], Known]) -> "ToldFrames":
        """Give the frames of the events of a log."""
        begun = [event.position for event in events if event.data.TOPIC in REFRAMING_TOPICS]
        return cls(begun, known)

    def at(self, position: int) -> Known:
        return self.known(max(self.between(0, position), default=0))

    def between(self, after: int, upto: int) -> list[int]:
        return [position for position in self.beginnings if after < position <= upto]
