"""The only reader of the clock: everything else is told what time it is."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

JUMP_SECONDS: Final = 5.0
"""What a clock may be set by at once; less is what keeping it right takes, and is followed."""

_MACHINE_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""A clock that nobody sets, and that goes on while the machine sleeps: waking up is no jump."""


def now() -> datetime:
    return datetime.now(UTC)


class ClockSetError(Exception):
    """The wall clock was set while this process ran; `seconds` says by how much."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the clock of this machine was set by {seconds:+.0f} seconds")
        self.seconds = seconds


class SteadyClock:
    """The wall clock, as long as it goes as fast as the clock of the machine that nobody sets.

    Each takes the wall clock for right when it is made. Set right again, it is told again.
    """

    def __init__(self) -> None:
        self._ahead = _ahead(now())

    def now(self) -> datetime:
        """Tell the time.

        Raises:
            ClockSetError: the wall clock was set by more than `JUMP_SECONDS` at once.
        """
        told = now()
        ahead = _ahead(told)
        moved = ahead - self._ahead
        if abs(moved) > JUMP_SECONDS:
            raise ClockSetError(moved)
        self._ahead = ahead
        return told


def _ahead(told: datetime) -> float:
    """Give by how many seconds the wall clock is ahead of the machine's, which stays the same."""
    return told.timestamp() - time.clock_gettime(_MACHINE_CLOCK)


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
