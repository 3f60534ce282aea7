"""The pipeline at the end of each day of a quarter, by stage, by owner and by category."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from domain.fiscal import FiscalQuarter


class Slice(NamedTuple):
    """Deals of one stage, owner, forecast category and currency, and their amount together.

    The currency is None, and the amount 0, for deals without an amount.
    """

    stage: str | None
    owner: str
    category: str | None
    currency: str | None
    deals: int
    amount: Decimal


class Row(NamedTuple):
    """The deals of one group in one currency."""

    key: str | None
    currency: str | None
    deals: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Frame:
    """The pipeline at the end of a local day; groups without deals are left out."""

    day: date
    total: tuple[Row, ...]
    by_stage: tuple[Row, ...]
    by_owner: tuple[Row, ...]
    by_category: tuple[Row, ...]


def frames(
    opening: Iterable[Slice],
    deltas: Iterable[tuple[date, Slice]],
    *,
    quarter: FiscalQuarter,
    until: date | None = None,
) -> list[Frame]:
    """Give one frame per day of the quarter, to its end or only `until` a day of it.

    `opening` is what stood when the quarter began, a delta what a day added (or took away).

    Raises:
        ValueError: a delta lies before the quarter, so that the opening holds it already.
    """
    by_day: dict[date, list[Slice]] = {}
    for day, delta in deltas:
        if day < quarter.start:
            message = f"{day} lies before the quarter, which begins on {quarter.start}"
            raise ValueError(message)
        by_day.setdefault(day, []).append(delta)
    running = _Running()
    running.add(opening)
    last = quarter.end if until is None else min(until, quarter.end)
    found: list[Frame] = []
    for count in range((last - quarter.start).days + 1):
        day = quarter.start + timedelta(days=count)
        running.add(by_day.get(day, ()))
        found.append(running.frame(day))
    return found


class _Running:
    """Sums that are carried from day to day."""

    def __init__(self) -> None:
        self._stages = _Groups()
        self._owners = _Groups()
        self._categories = _Groups()

    def add(self, slices: Iterable[Slice]) -> None:
        for one in slices:
            self._stages.add(one.stage, one)
            self._owners.add(one.owner, one)
            self._categories.add(one.category, one)

    def frame(self, day: date) -> Frame:
        stages = self._stages.rows()
        return Frame(day, _total(stages), stages, self._owners.rows(), self._categories.rows())


def _total(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Add up the groups of a grouping."""
    total = _Groups()
    for row in rows:
        total.add(None, row)
    return total.rows()


class _Sum:
    """A plain class, because so many small steps are added to it."""

    __slots__ = ("amount", "deals")

    def __init__(self) -> None:
        self.deals = 0
        self.amount = Decimal(0)


class _Groups:
    """The sums of one grouping; its rows are made anew only when something was added."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str | None, str | None], _Sum] = {}
        self._rows: tuple[Row, ...] | None = None

    def add(self, key: str | None, one: Slice | Row) -> None:
        group = key, one.currency
        found = self._sums.get(group)
        if found is None:
            found = self._sums[group] = _Sum()
        found.deals += one.deals
        found.amount += one.amount
        self._rows = None

    def rows(self) -> tuple[Row, ...]:
        if self._rows is None:
            self._rows = tuple(
                Row(key, currency, found.deals, found.amount)
                for (key, currency), found in sorted(self._sums.items(), key=_order)
                if found.deals or found.amount
            )
        return self._rows


def _order(item: tuple[tuple[str | None, str | None], object]) -> tuple[bool, str, bool, str]:
    """Sort by key and currency, what has none last."""
    key, currency = item[0]
    return (key is None, key or "", currency is None, currency or "")


def by_key(rows: Iterable[Row]) -> Mapping[str | None, list[Row]]:
    """Put the currencies of each group together."""
    groups: dict[str | None, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.key, []).append(row)
    return groups
