"""The list of quarters to replay, each with how it ended as known then and as known now."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from api.web import format as f
from api.web.asof import AsOf, as_of_view
from api.web.reads import Answer


@dataclass(frozen=True, slots=True)
class QuarterRow:
    """A quarter; `then` and `now` are the shares of the quota, with a width for their bars."""

    name: str
    days: str
    state: str
    quota: str
    then: str
    then_width: float
    now: str
    now_width: float
    differs: bool


@dataclass(frozen=True, slots=True)
class QuartersPage:
    """The list, the newest quarter first, ready for its template."""

    as_of: AsOf
    rows: tuple[QuarterRow, ...]


def quarters_page(answer: Answer, *, asked: tuple[str | None, str | None]) -> QuartersPage:
    """The page for the quarters that can be replayed."""
    now = f.instant(answer["effective_at"])
    return QuartersPage(
        as_of=as_of_view(answer, asked=asked),
        rows=tuple(_row(one, now) for one in answer["quarters"]),
    )


def _row(one: Mapping[str, Any], now: Any) -> QuarterRow:
    quarter = one["quarter"]
    ended = quarter.end_instant <= now
    then, since = one["as_known"], one["as_happened"]
    told = one["told"]
    return QuarterRow(
        name=quarter.name,
        days=f"{f.day(quarter.start)} to {f.day(quarter.end)}",
        state="closed" if ended else "running",
        quota=f.money(since["quota"], "no quota"),
        then=_text(then) if told else f.unknown("nothing was told by then"),
        then_width=_width(then) if told else 0,
        now=_text(since),
        now_width=_width(since),
        differs=told and _text(then) != _text(since),
    )


def _text(ended: Mapping[str, Any]) -> str:
    return f.percent(ended["share"], "no quota")


def _width(ended: Mapping[str, Any]) -> float:
    """Give the width of a bar in which half again the quota fills the whole."""
    share = ended["share"] or 0
    return round(min(1.0, max(0.0, float(share) / 1.5)) * 100, 2)
