"""When the views can answer: waits for the worker a little, and never claims a newer position."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from time import sleep
from typing import Final, LiteralString

from api.clock import Deadline
from api.errors import ViewsBehindError
from api.moment import Moment, ensure_recorded, moment
from api.storage.log_reader import LogReader

PATIENCE_SECONDS: Final = 2.0
"""How long a question waits for views that are behind."""
_PAUSE_SECONDS: Final = 0.02
_BEGINS_LATER: Final[LiteralString] = (
    "SELECT FROM events WHERE stream_id = %(stream)s AND version = 1 AND position > %(reached)s"
)


class Views:
    """The position that the projections have reached, and moments that they can answer."""

    def __init__(
        self, store: LogReader, position: Callable[[], int], clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._clock = clock
        self.position = position

    def moment(
        self,
        *,
        as_of: str | None,
        effective_at: str | None,
        min_position: int | None = None,
        stream: str | None = None,
    ) -> Moment:
        """Resolve a question's clocks to a moment that the views have reached.

        Without `as_of` that is the head, or, while the worker is behind, the views' position; but
        not one before the first event of the `stream` that the question is about, which would then
        read as unknown.

        Raises:
            MalformedRequestError: a clock cannot be read.
            BeyondTheLogError: it lies in the future.
            ViewsBehindError: the views did not reach the position asked for in time.
        """
        asked = moment(self._store, as_of=as_of, effective_at=effective_at, now=self._clock())
        if min_position:
            ensure_recorded(self._store, min_position)
        needed = max(asked.position, min_position or 0)
        reached = self._reached(needed)
        if reached >= needed:
            return asked
        begins_later = {"stream": stream, "reached": reached}
        if (
            as_of is not None
            or (min_position or 0) > reached
            or self._store.rows(_BEGINS_LATER, begins_later)
        ):
            message = f"the views are at position {reached}, not yet at {needed}; ask again shortly"
            raise ViewsBehindError(message)
        return replace(asked, position=reached, recorded_at=self._store.recorded_at_of(reached))

    def _reached(self, needed: int) -> int:
        deadline = Deadline.after(PATIENCE_SECONDS)
        while (reached := self.position()) < needed and not deadline.passed():
            sleep(_PAUSE_SECONDS)
        return reached
