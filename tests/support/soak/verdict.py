"""What a soak must come to, and whether it did."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tests.support.soak.load import Seen
from tests.support.soak.samples import PARTS, Sample, Table, memory_of, second_half, slope

MAX_SLOPE: Final = 1.0
"""MB a minute that a part may grow by once it is warm."""
MAX_LAG_SECONDS: Final = 10.0
"""How far the projections may be behind at any look, and after the load has ended."""
MAX_BLOAT: Final = 3.0
"""How many times the size of a fresh copy a table with its indexes may take."""
SMALL_TABLE: Final = 4 << 20
"""Bytes that a table may take however few rows it has: pages that are used again and again."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was held against its bound."""

    what: str
    figure: float
    bound: float

    @property
    def held(self) -> bool:
        return self.figure <= self.bound

    def __str__(self) -> str:
        held = "ok  " if self.held else "FAIL"
        return f"{held} {self.what}: {self.figure:.2f} (at most {self.bound:g})"


@dataclass(frozen=True, slots=True)
class Soaked:
    """All that a soak has seen; `caught_up` is the seconds that the views took after its end."""

    seen: Seen
    samples: Sequence[Sample]
    tables: Sequence[Table]
    caught_up: float


def findings(soaked: Soaked) -> list[Finding]:
    """Hold everything against its bound."""
    seen = soaked.seen
    odd = seen.count(least=0) - seen.count(least=200, most=299)
    return [
        *_memory(soaked.samples),
        Finding("answers of 5xx", seen.count(least=500), 0),
        Finding("other answers than were asked for, or none", odd, 0),
        Finding("lag in s at most", max(s.lag_seconds for s in soaked.samples), MAX_LAG_SECONDS),
        Finding("lag in s after the end", soaked.caught_up, MAX_LAG_SECONDS),
        *_bloat(soaked.tables),
    ]


def _memory(samples: Sequence[Sample]) -> Iterator[Finding]:
    for part in PARTS:
        grown = slope(memory_of(second_half(samples), part))
        yield Finding(f"memory of the {part}, MB a minute", grown, MAX_SLOPE)


def _bloat(tables: Sequence[Table]) -> Iterator[Finding]:
    for table in tables:
        if table.size > SMALL_TABLE:
            yield Finding(f"size of {table.name} in copies", table.size / table.packed, MAX_BLOAT)
