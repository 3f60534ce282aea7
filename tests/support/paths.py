"""Builds the ways of deals through the process `LINEAR`, by days."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from projections.process.paths import Path, Stay, Tick
from tests.support.told import at, named, process

START: Final = at("2025-01-01")
LINEAR: Final = process(
    ("qualify", {"meet": "criteria", "call": "goal"}), ("discover", {"demo": "fit"})
)


def day(number: float) -> datetime:
    """Give the instant so many days after the start."""
    return START + timedelta(days=number)


def stays(*entered: tuple[str, float], until: float | None = None) -> tuple[Stay, ...]:
    """Give stays, each left when the next begins; the last one at the end, or not yet."""
    ends = [*(day(number) for _, number in entered[1:]), None if until is None else day(until)]
    return tuple(
        Stay(stage, day(number), end) for (stage, number), end in zip(entered, ends, strict=True)
    )


def tick(
    activity: str, on: float, *, shown: float | None = None, gone: float | None = None
) -> Tick:
    """Give a tick, shown and taken back on these days if it was."""
    return Tick(
        activity,
        day(on),
        None if gone is None else day(gone),
        None if shown is None else day(shown),
    )


def deal(number: int, *ticks: Tick, won: bool | None = True, left: float = 5) -> Path:
    """Give a deal that left its first stage behind and closed in the second, if it did."""
    until = None if won is None else 20.0
    return Path(
        _id(number), won, stays(("qualify", 0), ("discover", left), until=until), tuple(ticks)
    )


def group(won: int, n: int, *ticks: Tick, first: int) -> list[Path]:
    """Give deals of one group, so many of them won, with ids from a number on."""
    return [deal(first + k, *ticks, won=k < won) for k in range(n)]


def worked(counts: Mapping[str, tuple[int, int]]) -> list[Path]:
    """Give deals of which so many were won, of how many, in each group of the activity `meet`."""
    ticks = {
        "evidenced": (tick("meet", 1, shown=2),),
        "ticked_only": (tick("meet", 1),),
        "not_ticked": (),
    }
    return [
        path
        for place, (name, (won, n)) in enumerate(counts.items())
        for path in group(won, n, *ticks[name], first=1000 * place)
    ]


def _id(number: int) -> UUID:
    return named(f"deal {number}")
