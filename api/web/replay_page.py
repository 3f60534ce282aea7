"""Everything the replay of a quarter shows at an instant, and what its script scrubs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

from api.web import format as f
from api.web import replay_chart as chart
from api.web import replay_words as words
from api.web.reads import Answer
from api.web.replay_address import Asked
from projections.quarter.board_scene import Amount, Film, Scene, Seen
from projections.quarter.waterfall import INFLOWS, OUTFLOWS

MAX_CARDS: Final = 40
"""Cards of a column that are shown; of the rest only how many."""
MAX_ROWS: Final = 50
LATEST_ROWS: Final = 12
OPENING, CLOSING = "opening", "closing"
_CELLS: Final = {
    OPENING: "At the beginning",
    "new": "New",
    "reopened_in": "Reopened",
    "pulled_in": "Pulled in",
    "pushed_in": "Pushed in",
    "increased": "Increased",
    "owner_in": "From other owners",
    "hierarchy_in": "From other teams",
    "category_in": "Into the category",
    "pulled_out": "Pulled out",
    "pushed_out": "Pushed out",
    "decreased": "Decreased",
    "owner_out": "To other owners",
    "hierarchy_out": "To other teams",
    "category_out": "Out of the category",
    "lost": "Lost",
    "won": "Won",
    CLOSING: "At the end",
}
CELLS: Final = [
    (name, _CELLS[name], sign)
    for name, sign in (
        (OPENING, 0),
        *((one, 1) for one in INFLOWS),
        *((one, -1) for one in OUTFLOWS),
        (CLOSING, 0),
    )
]
SPEEDS: Final = ((2, "2 days/s"), (6, "6 days/s"), (20, "20 days/s"))
_MICROSECOND: Final = timedelta(microseconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


_Told: TypeAlias = tuple[int, Amount, int | None, int, str]
"""A part of a cell: the deal, its amount and currency, and the event's position and kind."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One of the figures with what stands under it; `help` names its definition."""

    key: str
    name: str
    text: str
    below: str
    help: str


@dataclass(frozen=True, slots=True)
class Row:
    """Something that changed: of which deal, what, when."""

    deal_id: str
    account: str
    text: str
    hot: bool
    when: str


@dataclass(frozen=True, slots=True)
class CardView:
    """One card; `mark` is 1 for a deal that changed since the instant compared with, 2 if hot."""

    deal_id: str
    account: str
    name: str
    amount: str
    discount: str
    dots: tuple[int, int, int]
    dots_left_out: int
    dots_text: str
    shaped: int
    shaped_text: str
    mark: int


BLANK_CARD: Final = CardView("", "", "", "", "", (0, 0, 0), 0, "", 0, "", 0)
"""What the script fills: the card of no deal."""


@dataclass(frozen=True, slots=True)
class ColumnView:
    """A column with its cards, and how many more there are."""

    name: str
    closed: str | None
    count: int
    cards: Sequence[CardView]
    left_out: int
    hidden: bool


@dataclass(frozen=True, slots=True)
class Part:
    """One deal's part of a cell, and the event that put it there."""

    deal_id: str
    account: str
    amount: str
    what: str
    position: int


@dataclass(frozen=True, slots=True)
class CellView:
    """A cell of the waterfall; its bar from `left` on, both in per cent of the whole."""

    key: str
    name: str
    sign: int
    deals: int
    amount: str
    left: float
    width: float
    parts: Sequence[Part] | None


class ReplayView:
    """Shapes one scene of a film, against another where one is compared with."""

    def __init__(self, answer: Answer, asked: Asked) -> None:
        self.film = Film(answer["tape"])
        self.asked = asked
        self._answer = answer
        self.now = self.film.scene(asked.at)
        self.then = self.film.scene(asked.since) if asked.since else None
        opening = self.film.scene(self.film.start)
        ends = (self.then or opening, self.now)
        self.first, self.last = sorted(ends, key=lambda scene: scene.at)

    def figures(self) -> list[Figure]:
        """Give the five figures, with their change where two instants are compared."""
        film, now, then = self.film, self.now, self.then
        since = self.since
        checkbox, pressed, won = (self._count(name) for name in ("checkbox_only", "shaped", "won"))
        opened = self._sums("open", now)
        below = [
            self._attained_below(),
            f"{words.change(film, self._more('open'))} {since}"
            if then
            else f"{words.sums(film, self._sums('due', now))} due in it",
            f"{words.signed(won[1])} {since}" if then else self._booked(),
            f"{words.signed(checkbox[1])} {since}" if then else "of open deals",
            f"{words.signed(pressed[1])} {since}" if then else "in the quarter so far",
        ]
        return [
            Figure("attainment", "Attainment", self._attainment(now), below[0], "attainment"),
            Figure("open", "Open pipeline", words.sums(film, opened), below[1], "open"),
            Figure("won", "Won", f.count(won[0], "deal"), below[2], "replayed_wins"),
            Figure("hollow", "Checkbox-only ticks", f"{checkbox[0]:,}", below[3], "checkbox_only"),
            Figure(
                "shaped", "Pressure-shaped events", f"{pressed[0]:,}", below[4], "pressure_shaped"
            ),
        ]

    @property
    def since(self) -> str:
        """The words for what a change is against."""
        return "since A" if self.then is None or self.now.at >= self.then.at else "against A"

    def columns(self) -> list[ColumnView]:
        """Give the columns of the board."""
        marks: dict[int, int] = {}
        if self.then is not None:
            rows = words.rows_between(self.film, self.first, self.last)
            marks = {deal: 2 if hot else 1 for deal, _, hot, _ in rows}
        found: list[ColumnView] = []
        for place, (_, name, closed, lasting) in enumerate(self.film.tape["columns"]):
            deals = self._in_column(place)
            cards = [self._card(d, seen, marks.get(d, 0)) for d, seen in deals[:MAX_CARDS]]
            hidden = not deals and not lasting
            left_out = max(0, len(deals) - MAX_CARDS)
            found.append(ColumnView(name, closed, len(deals), cards, left_out, hidden))
        return found

    def rows(self) -> tuple[str, list[Row], int]:
        """Give what changed: a heading, the first rows, and how many there are besides."""
        if self.then is None:
            latest = words.latest_rows(self.film, self.now.place, LATEST_ROWS)
            return "Latest changes", [self._row(row, dated=True) for row in latest], 0
        rows = words.rows_between(self.film, self.first, self.last)
        heading = f"{f.count(len(rows), 'deal')} changed {self.since}"
        kept = [self._row(row, dated=False) for row in rows[:MAX_ROWS]]
        return heading, kept, max(0, len(rows) - MAX_ROWS)

    def waterfall(self) -> list[CellView]:
        """Give the cells between the two instants, those that are empty left out."""
        entries = self.film.entries(self.first.place, self.last.place)
        names = self.film.tape["cells"]
        main = self._answer["main"]
        running, found = 0, []
        parts: dict[str, list[_Told]] = {
            OPENING: self._standing(self.first),
            CLOSING: self._standing(self.last),
        }
        for one in entries:
            what = self._answer["types"][one.event_type]
            parts.setdefault(names[one.cell], []).append(
                (one.deal, one.amount, one.currency, one.position, what)
            )
        spans: list[tuple[float, float]] = []
        for key, name, sign in CELLS:
            told = parts.get(key, [])
            if not told and sign:
                continue
            worth = sum(int(units) for _, units, c, _, _ in told if c == main and units is not None)
            low = 0 if not sign else running if sign > 0 else running - worth
            running = worth if key == OPENING else running + sign * worth
            spans.append((low, worth))
            found.append((key, name, sign, told))
        top = max([low + worth for low, worth in spans] or [0])
        return [
            self._cell(cell, 100 * low / top if top else 0, 100 * worth / top if top else 0)
            for cell, (low, worth) in zip(found, spans, strict=True)
        ]

    def span(self) -> str:
        """Say between which instants the waterfall tells."""
        since = f.moment(self.first.at) if self.then else "the beginning of the quarter"
        return f"From {since} to {f.moment(self.last.at)}"

    def _cell(self, cell: tuple[str, str, int, list[_Told]], left: float, width: float) -> CellView:
        key, name, sign, told = cell
        sums: dict[int, int] = {}
        for _, units, currency, _, _ in told:
            if units is not None and currency is not None:
                sums[currency] = sums.get(currency, 0) + int(units)
        return CellView(
            key=key,
            name=name,
            sign=sign,
            deals=len({deal for deal, *_ in told}),
            amount=words.sums(self.film, sorted(sums.items())),
            left=round(left, 2),
            width=round(width, 2),
            parts=[self._part(one) for one in told] if key == self.asked.cell else None,
        )

    def _part(self, told: _Told) -> Part:
        deal, units, currency, position, what = told
        text = "no amount"
        if units is not None and currency is not None:
            text = words.money(self.film, currency, int(units))
        return Part(self._id(deal), self._account(deal), text, what, position)

    def _standing(self, scene: Scene) -> list[_Told]:
        return [
            (deal, seen.amount, seen.currency, seen.position, "")
            for deal, seen in enumerate(scene.deals)
            if seen is not None and seen.in_pipeline
        ]

    def _in_column(self, place: int) -> list[tuple[int, Seen]]:
        """Give the deals of a column, what is due first before what is due later or never."""
        found = [(d, s) for d, s in enumerate(self.now.deals) if s and s.column == place]
        return sorted(
            found, key=lambda one: (one[1].close_date is None, one[1].close_date or 0, one[0])
        )

    def _card(self, deal: int, seen: Seen, mark: int) -> CardView:
        account, name = self.film.tape["labels"][seen.label]
        dots, left_out, said = words.dots(seen)
        discount = seen.discount
        return CardView(
            deal_id=self._id(deal),
            account=account,
            name=name,
            amount=words.amount(self.film, seen),
            discount=""
            if discount is None
            else f"{f.MINUS}{self.film.tape['discounts'][discount]}%",
            dots=dots,
            dots_left_out=left_out,
            dots_text=said,
            shaped=seen.shaped,
            shaped_text=words.shaped(seen.shaped),
            mark=mark,
        )

    def _row(self, row: tuple[int, str, bool, int], *, dated: bool) -> Row:
        deal, text, hot, since = row
        at = self.film.instant(since) if since >= 0 else self.film.start
        when = f"{at.day} {at:%b, %H:%M}" if dated else ""
        return Row(self._id(deal), self._account(deal), text, hot, when)

    def _id(self, deal: int) -> str:
        return str(self.film.tape["deals"][deal][0])

    def _account(self, deal: int) -> str:
        """Give whose deal it is, as it was called last by then."""
        seen = self.last.deals[deal] or self.first.deals[deal]
        return "" if seen is None else str(self.film.tape["labels"][seen.label][0])

    def _sums(self, name: str, scene: Scene) -> list[tuple[int, int]]:
        codes = [code for code, _ in self.film.tape["currencies"]]
        return [(codes.index(code), n) for code, n in self.film.amounts(name, scene.place)]

    def _more(self, name: str) -> list[tuple[int, int]]:
        now = dict(self._sums(name, self.now))
        then = dict(self._sums(name, self.then)) if self.then else {}
        return [(c, now.get(c, 0) - then.get(c, 0)) for c in sorted({*now, *then})]

    def _count(self, name: str) -> tuple[int, int]:
        """Give a count, and how much it changed."""
        now = self.film.figure(name, self.now.place) or 0
        then = self.film.figure(name, self.then.place) if self.then else 0
        return now, now - (then or 0)

    def _share(self, scene: Scene) -> int | None:
        quota = self.film.figure("quota", scene.place)
        attained = self.film.figure("attained", scene.place)
        return words.share(attained, quota) if quota and attained is not None else None

    def _attainment(self, scene: Scene) -> str:
        share = self._share(scene)
        return f.unknown("no quota") if share is None else f"{share}%"

    def _attained_below(self) -> str:
        now = self._share(self.now)
        if self.then is not None:
            then = self._share(self.then)
            return (
                ""
                if now is None or then is None
                else f"{words.signed(now - then)} pts {self.since}"
            )
        return "" if now is None else f"plan {self.plan}%"

    @property
    def plan(self) -> int:
        """How much of the quarter has passed, in per cent."""
        start, end = self._answer["start_at"], self._answer["end_at"]
        passed = (self.now.at - start) // _MICROSECOND
        return words.share(max(0, passed), (end - start) // _MICROSECOND)

    def _booked(self) -> str:
        attained = self.film.figure("attained", self.now.place)
        currency = self._answer["quota_currency"]
        if attained is None or currency is None:
            return "in the quarter"
        return f"{words.money(self.film, currency, attained)} booked"


def script_data(answer: Answer) -> Mapping[str, Any]:
    """Give what the script needs besides the page: the tape, and words that it must not invent."""
    tape, rest = answer["tape"], answer["rest"]
    return {
        "tape": tape if rest is None else {**tape, "deals": tape["deals"][: rest["skip"]]},
        "cells": CELLS,
        "types": answer["types"],
        "main": answer["main"],
        "quota_currency": answer["quota_currency"],
        "start": _micros(answer["start_at"]),
        "end": _micros(answer["end_at"]),
        "hindsight": answer["clock"] == "as_happened",
        "rest": rest,
        "limits": {"cards": MAX_CARDS, "rows": MAX_ROWS, "latest": LATEST_ROWS},
    }


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def drawings(answer: Answer, view: ReplayView) -> Mapping[str, Any]:
    """Give what is drawn once for the whole quarter, and where the instants lie in it."""
    span = chart.Span(answer["start_at"], answer["end_at"])
    asked = view.asked
    return {
        "bars": chart.bars(answer["events_by_day"]),
        "line": chart.pressure_line(span, answer["pressure"]),
        "attainment": chart.attainment(view.film, span),
        "months": chart.months(answer["start"], len(answer["events_by_day"])),
        "x": span.x(asked.at),
        "a": span.x(asked.since) if asked.since else None,
        "done": span.x(answer["until"]),
        "second": int((asked.at - answer["start_at"]).total_seconds()),
        "seconds": int((answer["until"] - answer["start_at"]).total_seconds()),
    }
