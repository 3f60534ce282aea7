"""The tape of a quarter's board: its cards, figures and waterfall at any instant, found by search.

Where `tape.py` tells what deals were, this tells what a board shows of them, ticks and verdicts
among it, so that a page which scrubs it need not know what any of that means:

    {"start", "end":  the instants it spans, RFC 3339 in UTC, both included
     "instants":      [microseconds after the one before, ...], the first after `start`
     "columns":       [[id, name, how it closes or null, whether it shows when empty], ...]
     "currencies":    [[code, digits of the minor unit], ...]
     "labels":        [[account, deal], ...]    "owners", "days", "discounts": [text, ...]
     "deals":         [[deal id, its versions], ...]
     "figures":       {name: [[instant, value], ...]}
     "entries":       [[instant, cell, deal, amount, currency, position, event type], ...]
     "cells", "types": [text, ...]}

* An instant is a place in `instants`; a value holds from it until the next one of its list. What
  was so at `start` has the place of that instant, which is always the first.
* A version is [instant, column, label, owner, amount, currency, close date, discount, evidenced,
  checkbox-only, evidence due, pressure-shaped, in the quarter's pipeline, position]; one of a deal
  that is not on the board is its instant alone.
* Amounts are minor units, as texts beyond 2^53. Other places are those of the lists, or null.
* `open` and `due` have a list for each currency, of what is open, and of that in the pipeline.
* Lists and deals are sorted, so that the same history gives the same bytes.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID

from domain.values import minor_digits
from projections.quarter.steps import Worth

Mark: TypeAlias = Literal["evidenced", "checkbox_only", "due", "shaped"]
MARKS: Final[tuple[Mark, ...]] = ("evidenced", "checkbox_only", "due", "shaped")
Tape: TypeAlias = dict[str, Any]
Column: TypeAlias = tuple[str, str, str | None, bool]
"""A column: its id, its name, how the deals in it closed, and whether it shows when empty."""
Series: TypeAlias = list[tuple[datetime, int | None]]
_EXACT_IN_JSON: Final = 2**53 - 1
_MICROSECOND: Final = timedelta(microseconds=1)
_NOTHING: Final = (0,) * len(MARKS)


@dataclass(frozen=True, slots=True)
class Card:
    """What a board shows of a deal from its state; `position` is of the event that brought it."""

    column: str
    account: str
    name: str
    owner: str
    worth: Worth | None
    close_date: date | None
    discount: str | None
    in_pipeline: bool
    position: int

    @property
    def open(self) -> bool:
        """Whether the deal is open: closed ones stand in a column of their own."""
        return self.column not in CLOSED


CLOSED: Final = ("won", "lost", "disqualified")


@dataclass(frozen=True, slots=True)
class Span:
    """Something of a deal that counts from an instant on, and until another if it ended."""

    deal_id: UUID
    mark: Mark
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Flow:
    """One deal's part of a cell of the waterfall, and the event that put it there."""

    at: datetime
    cell: str
    deal_id: UUID
    worth: Worth | None
    position: int
    event_type: str | None


@dataclass(frozen=True, slots=True)
class Told:
    """What a tape is recorded from.

    `cards` are the changes of each deal in order, None while it is not on the board; spans may be
    of other deals too. `names` are those of people.
    """

    start: datetime
    end: datetime
    cards: Mapping[UUID, Sequence[tuple[datetime, Card | None]]]
    spans: Sequence[Span]
    flows: Sequence[Flow]
    series: Mapping[str, Series]
    columns: Sequence[Column]
    names: Mapping[str, str]


Counts: TypeAlias = tuple[int, ...]
Version: TypeAlias = tuple[datetime, Card | None, Counts]


def record(told: Told) -> Tape:
    """Record what was told between two instants."""
    spans: dict[UUID, list[Span]] = defaultdict(list)
    for span in told.spans:
        spans[span.deal_id].append(span)
    deals = {
        deal_id: versions
        for deal_id, changes in sorted(told.cards.items())
        if (versions := _versions(told, changes, spans[deal_id]))
    }
    figures = _figures(told, deals)
    return _Encoder(told, deals, figures).tape()


def _versions(
    told: Told, changes: Sequence[tuple[datetime, Card | None]], spans: Sequence[Span]
) -> list[Version]:
    """Give each state of a deal with what counts then; only where something shown changes."""
    cards = {max(told.start, at): card for at, card in changes if at <= told.end}
    turns = _turns(told, spans)
    found: list[Version] = []
    card: Card | None = None
    counts = list(_NOTHING)
    for at in sorted({*cards, *turns}):
        card = cards.get(at, card)
        for mark, by in turns.get(at, ()):
            counts[MARKS.index(mark)] += by
        shown = tuple(counts) if card else _NOTHING
        if (card, shown) != (found[-1][1:] if found else (None, _NOTHING)):
            found.append((at, card, shown))
    return found


def _turns(told: Told, spans: Iterable[Span]) -> dict[datetime, list[tuple[Mark, int]]]:
    """Give by instant which counts go up or down."""
    turns: dict[datetime, list[tuple[Mark, int]]] = defaultdict(list)
    for span in spans:
        since = max(span.since, told.start)
        if since > told.end or (span.until is not None and span.until <= since):
            continue
        turns[since].append((span.mark, 1))
        if span.until is not None and span.until <= told.end:
            turns[span.until].append((span.mark, -1))
    return turns


def _figures(told: Told, deals: Mapping[UUID, Sequence[Version]]) -> dict[str, Series]:
    """Give every figure of the board as it changed."""
    deltas: dict[str, dict[datetime, int]] = defaultdict(lambda: defaultdict(int))
    for currency in sorted(_currencies(deals)):
        deltas[f"open {currency}"] = defaultdict(int)
        deltas[f"due {currency}"] = defaultdict(int)
    for versions in deals.values():
        before: dict[str, int] = {}
        for at, card, counts in versions:
            now = _adds(card, counts)
            for name in {*before, *now}:
                deltas[name][at] += now.get(name, 0) - before.get(name, 0)
            before = now
    for at, turned in _turns(told, [s for s in told.spans if s.mark == "shaped"]).items():
        deltas["shaped"][at] += sum(by for _, by in turned)
    counted = {name: _summed(told.start, deltas[name]) for name in {*deltas, *_COUNTED}}
    given = {name: _told_once(told, series) for name, series in told.series.items()}
    return dict(sorted({**counted, **given}.items()))


_COUNTED: Final = ("won", "checkbox_only", "shaped", "open_deals", "due_deals")


def _adds(card: Card | None, counts: Counts) -> dict[str, int]:
    """Give what a deal adds to each figure."""
    if card is None:
        return {}
    if not card.open:
        return {"won": 1} if card.column == "won" else {}
    adds = {"open_deals": 1, "checkbox_only": counts[MARKS.index("checkbox_only")]}
    if card.worth is not None:
        adds[f"open {card.worth[1]}"] = card.worth[0]
    if card.in_pipeline:
        adds["due_deals"] = 1
        if card.worth is not None:
            adds[f"due {card.worth[1]}"] = card.worth[0]
    return adds


def _summed(start: datetime, deltas: Mapping[datetime, int]) -> Series:
    found: Series = [(start, 0)]
    total = 0
    for at, by in sorted(deltas.items()):
        total += by
        _put(found, at, total)
    return found


def _told_once(told: Told, series: Series) -> Series:
    found: Series = [(told.start, None)]
    for at, value in series:
        if at <= told.end:
            _put(found, max(at, told.start), value)
    return found


def _put(series: Series, at: datetime, value: int | None) -> None:
    """Let a value hold from an instant on, which is not before those that the series has."""
    if series[-1][0] == at:
        series.pop()
    if not series or series[-1][1] != value:
        series.append((at, value))


def _currencies(deals: Mapping[UUID, Sequence[Version]]) -> set[str]:
    return {
        card.worth[1]
        for versions in deals.values()
        for _, card, _ in versions
        if card is not None and card.worth is not None
    }


class _Encoder:
    """Writes texts and instants once, and their places wherever they are meant."""

    def __init__(
        self, told: Told, deals: Mapping[UUID, Sequence[Version]], figures: Mapping[str, Series]
    ) -> None:
        self._told = told
        self._deals = deals
        self._figures = figures
        self._flows = [flow for flow in told.flows if flow.deal_id in deals]
        cards = [card for versions in deals.values() for _, card, _ in versions if card]
        self._columns = {one[0]: place for place, one in enumerate(told.columns)}
        self._labels = _places({(card.account, card.name) for card in cards})
        self._owners = _places({card.owner for card in cards})
        self._days = _places({c.close_date.isoformat() for c in cards if c.close_date})
        self._discounts = _places({card.discount for card in cards if card.discount})
        flown = {flow.worth[1] for flow in self._flows if flow.worth}
        self._currencies = _places(flown | _currencies(deals))
        self._cells = _places({flow.cell for flow in self._flows})
        self._types = _places({flow.event_type or "" for flow in self._flows})
        self._instants = _places(self._every_instant())

    def _every_instant(self) -> set[datetime]:
        told = {at for versions in self._deals.values() for at, _, _ in versions}
        told |= {at for series in self._figures.values() for at, _ in series}
        return told | {flow.at for flow in self._flows} | {self._told.start}

    def tape(self) -> Tape:
        told = self._told
        instants = [told.start, *self._instants]
        order = {deal_id: place for place, deal_id in enumerate(self._deals)}
        return {
            "start": instant_text(told.start),
            "end": instant_text(told.end),
            "instants": [(b - a) // _MICROSECOND for a, b in pairwise(instants)],
            "columns": [list(column) for column in told.columns],
            "currencies": [[code, minor_digits(code)] for code in self._currencies],
            "labels": [list(label) for label in self._labels],
            "owners": [told.names.get(owner, owner) for owner in self._owners],
            "days": list(self._days),
            "discounts": list(self._discounts),
            "cells": list(self._cells),
            "types": list(self._types),
            "deals": [[str(i), list(map(self._version, own))] for i, own in self._deals.items()],
            "figures": {
                name: [[self._instants[at], _number(value)] for at, value in series]
                for name, series in self._figures.items()
            },
            "entries": [self._entry(flow, order) for flow in self._flows],
        }

    def _version(self, version: Version) -> list[Any]:
        at, card, counts = version
        if card is None:
            return [self._instants[at]]
        return [
            self._instants[at],
            self._columns[card.column],
            self._labels[card.account, card.name],
            self._owners[card.owner],
            *self._worth(card.worth),
            self._days[card.close_date.isoformat()] if card.close_date else None,
            self._discounts[card.discount] if card.discount else None,
            *counts,
            int(card.in_pipeline),
            card.position,
        ]

    def _entry(self, flow: Flow, order: Mapping[UUID, int]) -> list[Any]:
        return [
            self._instants[flow.at],
            self._cells[flow.cell],
            order[flow.deal_id],
            *self._worth(flow.worth),
            flow.position,
            self._types[flow.event_type or ""],
        ]

    def _worth(self, worth: Worth | None) -> tuple[int | str | None, int | None]:
        return (None, None) if worth is None else (_number(worth[0]), self._currencies[worth[1]])


def _places(values: Iterable[Any]) -> dict[Any, int]:
    return {value: place for place, value in enumerate(sorted(values))}


def _number(value: int | None) -> int | str | None:
    """Give a number that no reader rounds."""
    return str(value) if value is not None and abs(value) > _EXACT_IN_JSON else value


def instant_text(instant: datetime) -> str:
    """Give an instant as addresses and tapes have it."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
