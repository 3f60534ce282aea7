"""The two clocks of a question: what was known (`as_of`) and what was true (`effective_at`)."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from api.errors import BeyondTheLogError, MalformedRequestError
from api.storage.log_reader import LogReader
from domain.values import utc_instant

_POSITION: Final = re.compile(r"position:([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Moment:
    """A question's place on both clocks.

    `position` cuts what was known. `effective_at` settles what time alone changes (deadlines);
    only when the client named it does it also hide what occurred later: then `cut` equals it.
    """

    position: int
    recorded_at: datetime | None
    effective_at: datetime
    cut: datetime | None

    def answer(self) -> dict[str, object]:
        """Give the fields that every answer carries."""
        return {
            "as_of": {"position": self.position, "recorded_at": self.recorded_at},
            "effective_at": self.effective_at,
        }


def ensure_recorded(store: LogReader, position: int) -> None:
    """Refuse a position that no event has yet: nobody can have been told of it.

    Raises:
        BeyondTheLogError: it lies beyond the head of the log.
    """
    head = store.head().position
    if position > head:
        message = f"position {position} lies beyond the head of the log, {head}"
        raise BeyondTheLogError(message, field="min_position")


def moment(
    store: LogReader, *, as_of: str | None, effective_at: str | None, now: datetime
) -> Moment:
    """Resolve a question's parameters (DESIGN section 5, defaults).

    Raises:
        MalformedRequestError: neither an instant nor `position:N`.
        BeyondTheLogError: a future instant, or a position beyond the head.
    """
    cut = None if effective_at is None else instant(effective_at, field="effective_at")
    if as_of is None:
        head = store.head()
        recorded_at = head.recorded_at if head.position else None
        return Moment(head.position, recorded_at, cut or now, cut)
    if found := _POSITION.fullmatch(as_of):
        position = int(found[1])
        return _at_position(store, position, cut, now)
    known_at = instant(as_of, field="as_of")
    if known_at > now:
        message = f"as_of {as_of} lies in the future; nothing is known of it yet"
        raise BeyondTheLogError(message, field="as_of")
    position = store.position_at(known_at)
    return Moment(position, store.recorded_at_of(position), cut or known_at, cut)


def _at_position(store: LogReader, position: int, cut: datetime | None, now: datetime) -> Moment:
    head = store.head().position
    if position > head:
        message = f"position {position} lies beyond the head of the log, {head}"
        raise BeyondTheLogError(message, field="as_of")
    recorded_at = store.recorded_at_of(position)
    return Moment(position, recorded_at, cut or recorded_at or now, cut)


def instant(text: str, *, field: str) -> datetime:
    """Read an instant of a query string; a `+` of its zone may have arrived as a space."""
    try:
        return utc_instant(text.replace(" ", "+"))
    except ValueError as error:
        raise MalformedRequestError(f"{field}: {error}", field=field) from error
