"""What a board's tape shows at an instant: a search in each of its lists, and nothing else."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any, NamedTuple, TypeAlias

from projections.quarter.board_tape import Tape

Amount: TypeAlias = int | str | None
_MICROSECOND = timedelta(microseconds=1)


class Seen(NamedTuple):
    """A version of a deal, as the tape has it: places in the tape's lists, and counts."""

    since: int
    column: int
    label: int
    owner: int
    amount: Amount
    currency: int | None
    close_date: int | None
    discount: int | None
    evidenced: int
    checkbox_only: int
    due: int
    shaped: int
    in_pipeline: int
    position: int


class Entry(NamedTuple):
    """One deal's part of a cell of the waterfall."""

    at: int
    cell: int
    deal: int
    amount: Amount
    currency: int | None
    position: int
    event_type: int


@dataclass(frozen=True, slots=True)
class Scene:
    """The board at an instant, which has the place `place` among those of the tape.

    `deals` has the version of each deal in the order of the tape, None where it is not there.
    """

    at: datetime
    place: int
    deals: Sequence[Seen | None]


class Film:
    """A tape, ready for questions about instants."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.start = datetime.fromisoformat(tape["start"])
        self.end = datetime.fromisoformat(tape["end"])
        deltas: list[int] = tape["instants"]
        self._instants = list(accumulate(deltas))

    def place(self, at: datetime) -> int:
        """Give the place of the last instant of the tape that is not after this one.

        Raises:
            ValueError: it lies outside the tape.
        """
        if not self.start <= at <= self.end:
            message = f"{at.isoformat()} lies outside the tape"
            raise ValueError(message)
        return bisect_right(self._instants, (at - self.start) // _MICROSECOND) - 1

    def instant(self, place: int) -> datetime:
        """Give the instant of a place."""
        return self.start + self._instants[place] * _MICROSECOND

    def around(self, at: datetime) -> tuple[datetime | None, datetime | None]:
        """Give the instants before and after one at which something changes."""
        place = self.place(at)
        before = place - 1 if self.instant(place) == at else place
        after = place + 1
        return (
            self.instant(before) if before >= 0 else None,
            self.instant(after) if after < len(self._instants) else None,
        )

    def scene(self, at: datetime) -> Scene:
        """Give the board at an instant of the tape."""
        place = self.place(at)
        return Scene(at, place, [_seen(versions, place) for _, versions in self.tape["deals"]])

    def since(self, deal: int, place: int) -> int:
        """Give the place at which a deal came to be as it is at a place."""
        versions = self.tape["deals"][deal][1]
        found = bisect_right(versions, place, key=lambda version: version[0])
        return int(versions[found - 1][0]) if found else -1

    def steps_before(self, place: int) -> Iterator[tuple[int, int, Seen | None, Seen | None]]:
        """Give each change of a deal by a place, the newest first: its place, the deal, from, to.

        What stood when the tape begins changed nothing.
        """
        changes = sorted(
            (-version[0], deal, number)
            for deal, (_, versions) in enumerate(self.tape["deals"])
            for number, version in enumerate(versions)
            if 0 < version[0] <= place
        )
        for since, deal, number in changes:
            versions = self.tape["deals"][deal][1]
            before = _made(versions[number - 1]) if number else None
            yield -since, deal, before, _made(versions[number])

    def figure(self, name: str, place: int) -> int | None:
        """Give a figure at a place; None where it is unknown."""
        series = self.tape["figures"].get(name, ())
        found = bisect_right(series, place, key=lambda one: one[0])
        value = series[found - 1][1] if found else None
        return None if value is None else int(value)

    def turns(self, name: str) -> list[int]:
        """Give the places at which a figure changes."""
        return [place for place, _ in self.tape["figures"].get(name, ())]

    def amounts(self, name: str, place: int) -> list[tuple[str, int]]:
        """Give what a figure comes to in each currency; the code and minor units."""
        found = [
            (code, self.figure(f"{name} {code}", place)) for code, _ in self.tape["currencies"]
        ]
        return [(code, units) for code, units in found if units]

    def entries(self, after: int, upto: int) -> list[Entry]:
        """Give what moved the pipeline after one place and up to another."""
        rows: list[Any] = self.tape["entries"]
        first, last = (bisect_right(rows, place, key=lambda row: row[0]) for place in (after, upto))
        return [Entry._make(row) for row in rows[first:last]]


def _seen(versions: Sequence[Sequence[Any]], place: int) -> Seen | None:
    found = bisect_right(versions, place, key=lambda version: version[0])
    return _made(versions[found - 1]) if found else None


def _made(version: Sequence[Any]) -> Seen | None:
    """Read a version; None of a deal that is not on the board."""
    return None if len(version) == 1 else Seen._make(version)
