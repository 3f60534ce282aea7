"""The order that the events of a question come in, and the stretches in which it is read."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Final, TypeAlias, TypeVar

from psycopg import sql

from api.errors import BeyondTheLogError
from api.query.extent import Extent, Span, extent_of, inside
from api.query.ground import Ground
from api.query.question import LogQuestion
from projections.facts import Rows

Key: TypeAlias = int | datetime
"""A place in the order as events say it: a position, or an instant."""
End = TypeVar("End")
_STEPS: Final = (4_000, 16_000, 64_000, 256_000)
"""How many events are looked at before all others: where many are found, these have enough."""
_FEW: Final = 4_000
"""How many positions are asked for one by one rather than between two of them."""
_LOOKS: Final = 8
"""Into how many parts the rest is divided, to look at where they meet."""
_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
_LEAST: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Stretch:
    """From one key until before another; None is no end."""

    since: Key | None
    until: Key | None
    among: list[int] | None = None
    """The only positions in it that can be meant, where they are known."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The events between which others are asked for, by position: None is no bound.

    In the order without its minus sign, and without the two themselves.
    """

    after: int | None = None
    before: int | None = None

    def from_(self, question: LogQuestion, last: int | None) -> "Bounds":
        """Give what of them comes after an event in the order of a question; all for None."""
        if last is None:
            return self
        return replace(self, before=last) if question.backwards else replace(self, after=last)


NO_BOUNDS: Final = Bounds()


class Order:
    """The order of one question, counted in places: about as many as there are events."""

    def __init__(self, connection: Rows, ground: Ground, question: LogQuestion) -> None:
        self._connection = connection
        self._ground = ground
        self._question = question

    @property
    def field(self) -> str:
        """The field that the order goes by, and positions after it."""
        return "occurred" if self._question.by_occurrence else "position"

    @property
    def words(self) -> sql.SQL:
        """The order of rows that have it as `key`."""
        return sql.SQL("key DESC, position DESC" if self._question.backwards else "key, position")

    def stretches(
        self, bounds: Bounds, nearest: Callable[[Sequence[Stretch]], Key | None]
    ) -> Iterator[Stretch]:
        """Divide what lies between bounds into stretches, the first in the order first.

        They grow, and are as few as can be: whatever is rare is found all at once at the end.
        Where something is common there after all, it lies together, and they grow again from
        the `nearest` key of some stretches at which there is anything.
        """
        first, last = self._ends(bounds)
        late = self._late_from(first, last)
        for since, until in self._ordered((first, late), (late, last)):
            if since >= until:
                continue
            few = self._few_told(since, until) if since == late else None
            if few is None:
                yield from self._growing(since, until, nearest)
            elif few:
                yield Stretch(self._end(since), self._end(until), few)

    def _late_from(self, first: int, last: int) -> int:
        """Give the place from which on a query asks for nothing but what was told late.

        That is what occurred in a span of time and was recorded after it.
        """
        since, until = self._extent.occurred
        if self._question.by_occurrence or since is None:
            return last
        ended = self._recorded_from(until)
        return last if ended is None else min(max(first, ended), last)

    def _few_told(self, first: int, last: int) -> list[int] | None:
        """Give the positions of what occurred in the span of time; None if they are many.

        Few are told late, unless a past was imported, and one index has both.
        """
        since, until = self._extent.occurred
        rows = self._connection.execute(
            "SELECT position FROM events WHERE occurred_at >= %s AND occurred_at < %s"
            " AND position >= %s AND position < %s LIMIT %s",
            (since, until, first, last, _FEW + 1),
        ).fetchall()
        return None if len(rows) > _FEW else [row[0] for row in rows]

    def _growing(
        self, first: int, last: int, nearest: Callable[[Sequence[Stretch]], Key | None]
    ) -> Iterator[Stretch]:
        near, end = self._ordered(self._end(first), self._end(last))
        for place in self._cuts(first, last, nearest):
            far = self._key_at(place)
            yield self._between(near, far)
            near = far
        yield self._between(near, end)

    def _cuts(
        self, first: int, last: int, nearest: Callable[[Sequence[Stretch]], Key | None]
    ) -> Iterator[int]:
        near, far = self._ordered(first, last)
        yield from self._steps(near, first, last)
        rest = self._further(near, _STEPS[-1])
        if not first < rest < last or abs(far - rest) <= _STEPS[-1]:
            return
        looks = [rest + (far - rest) * part // _LOOKS for part in range(1, _LOOKS)]
        width = _STEPS[0] // _LOOKS
        found = nearest(
            [
                self._between(self._key_at(place), self._key_at(self._further(place, width)))
                for place in looks
            ]
        )
        if found is not None:
            again = self._place_of(found) + self._question.backwards
            if first < again < last:
                yield again
                yield from self._steps(again, first, last)

    def _steps(self, near: int, first: int, last: int) -> Iterator[int]:
        places = (self._further(near, step) for step in _STEPS)
        return (place for place in places if first < place < last)

    def _further(self, place: int, steps: int) -> int:
        return place - steps if self._question.backwards else place + steps

    def _between(self, near: Key | None, far: Key | None) -> Stretch:
        return Stretch(*self._ordered(near, far))

    def _end(self, place: int) -> Key | None:
        return None if place in self._whole else self._key_at(place)

    def _ordered(self, near: End, far: End) -> tuple[End, End]:
        return (far, near) if self._question.backwards else (near, far)

    @cached_property
    def _extent(self) -> Extent:
        return extent_of(self._question.query, self._ground)

    @property
    def _whole(self) -> tuple[int, int]:
        return 0, self._question.moment.position + 1

    def _ends(self, bounds: Bounds) -> tuple[int, int]:
        """Give the place from which and the one before which all lies that is asked for."""
        extent = self._extent
        if self._question.by_occurrence:
            bound = (
                self.occurred_at(bounds.after, "after"),
                self.occurred_at(bounds.before, "before"),
            )
            return inside(self._whole, self._places(bound), self._places(extent.occurred))
        since, until = extent.recorded
        recorded = (self._recorded_from(since), self._recorded_from(until))
        return inside(self._whole, (bounds.after, bounds.before), extent.positions, recorded)

    def _places(self, span: Span[datetime]) -> Span[int]:
        """Give places that all of a span lies between."""
        since, until = span
        return (
            None if since is None else self._place_of(since),
            None if until is None else self._place_of(until) + 1,
        )

    def _key_at(self, place: int) -> Key:
        begun, one = self._scale
        return begun + one * place if self._question.by_occurrence else place

    def _place_of(self, key: Key) -> int:
        """Give the last place at or before a key."""
        return key if isinstance(key, int) else (key - self._scale[0]) // self._scale[1]

    @cached_property
    def _scale(self) -> tuple[datetime, timedelta]:
        """When the log begins, and how long it takes for one event of it."""
        begun, ended = self._ground.spanned or (_BEGINNING, _BEGINNING)
        return begun, max((ended - begun) / max(1, self._question.moment.position), _LEAST)

    def _recorded_from(self, instant: datetime | None) -> int | None:
        """Give the first position that was recorded at an instant or later; None if none was."""
        if instant is None:
            return None
        row = self._connection.execute(
            "SELECT position FROM events WHERE recorded_at >= %s"
            " ORDER BY recorded_at, position LIMIT 1",
            (instant,),
        ).fetchone()
        return int(row[0]) if row else None

    def occurred_at(self, position: int | None, field: str) -> datetime | None:
        """Give when the event at a bound occurred; None where there is no bound.

        Raises:
            BeyondTheLogError: there is no event, as known at the moment of the question.
        """
        if position is None:
            return None
        upto = self._question.moment.position
        row = self._connection.execute(
            "SELECT occurred_at FROM events WHERE position = %s AND position <= %s",
            (position, upto),
        ).fetchone()
        if row is None:
            message = f"{field}: there is no event at position {position} of {upto}"
            raise BeyondTheLogError(message, field=field)
        found: datetime = row[0]
        return found
