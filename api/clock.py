"""The only reader of the clock: everything else is told what time it is."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic clock, which no change of the wall clock moves."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        return cls(time.monotonic() + seconds)

    def seconds_left(self) -> float:
        """Never negative, so that it can be given to anything that waits."""
        return max(0.0, self.at - time.monotonic())

    def passed(self) -> bool:
        return self.seconds_left() == 0.0
