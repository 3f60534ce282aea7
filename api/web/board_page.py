"""Everything the board shows: the quarter's head, and a column of cards for each stage."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b
from secrets import token_urlsafe
from typing import Any, Final

from api.answers import json_bytes
from api.board import MAX_CARDS, BoardWish, Show
from api.web import format as f
from api.web.asof import AsOf, as_of_view
from api.web.deal_page import beads_of
from api.web.reads import Answer
from api.web.vocabulary import CHECKBOX_ONLY, EVIDENCED
from api.web.workings import Workings, of_board

NAMES: Final[Mapping[Show, str]] = {
    "all": "Every deal",
    "open": "Open deals",
    "closed": "Closed deals",
    "pressure": "With pressure-shaped events",
    "checkbox": "With checkbox-only activities",
}
MAX_BEADS: Final = 10
"""As many as one line of the narrowest card holds, with the number of the rest."""
_TAG_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry of a filter."""

    value: str
    name: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Card:
    """One deal; beads are its ticked activities, filled where the outcome was evidenced.

    `stages` are where it may be moved to.
    """

    deal_id: str
    account: str
    name: str
    owner: str
    amount: str
    close_date: str
    beads: tuple[str, ...]
    beads_left_out: int
    beads_text: str
    pressure: str | None
    discount: str | None
    stages: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """A stage with its cards; `skipped` deals come before them, `left_out` after.

    A `tag` stands for all that a part of the board says: what has the same says the same.
    """

    tag: str
    stage_id: str
    name: str
    closed: str | None
    count: int
    total: str
    cards: tuple[Card, ...]
    left_out: int
    skipped: int
    before: Mapping[str, str] | None
    after: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class BoardPage:
    """The board, ready for its template.

    `tag` is that of its head; `moving` is what the form of every card sends; `moved` and
    `moved_to` name the last move.
    """

    tag: str
    quarter: str
    as_of: AsOf
    kept: dict[str, str]
    here: dict[str, str]
    attainment: str
    open_total: str
    checkbox: str
    pressure: str
    columns: tuple[Column, ...]
    owners: tuple[Choice, ...]
    shows: tuple[Choice, ...]
    workings: Workings
    records: bool
    moving: Mapping[str, str]
    moved: str
    moved_to: str


def board_page(
    answer: Answer, *, asked: tuple[str | None, str | None], wish: BoardWish, moved: str = ""
) -> BoardPage:
    """The page for what was asked; the figures of the head are of the deals that are shown.

    `moved` is the deal that was moved from it last.
    """
    kept = {"owner": wish.owner or "", "show": wish.show if wish.show != "all" else ""}
    as_of = as_of_view(answer, asked=asked)
    records = answer.get("processes") is not None
    here = kept | {"column": wish.column or "", "skip": str(wish.skip or "")}
    linked = {**as_of.carried, **kept}, here
    columns = _columns(answer, linked)
    quarter, figures, workings = _quarter(answer["quarter"]), _figures(answer), of_board(answer)
    found = next(((c, one) for one in columns for c in one.cards if c.deal_id == moved), None)
    return BoardPage(
        tag=_tag(quarter, figures, workings, records, linked),
        quarter=quarter,
        as_of=as_of,
        kept=kept,
        here=here,
        **figures,
        columns=columns,
        owners=_owners(answer["owners"], wish.owner),
        shows=tuple(Choice(value, name, value == wish.show) for value, name in NAMES.items()),
        workings=workings,
        records=records,
        moving={"key": token_urlsafe(18), "seen": str(as_of.position)},
        moved=found[0].account if found else "",
        moved_to=found[1].name if found else "",
    )


def _tag(*told: object) -> str:
    """Make a tag of all that a part is made of but its moment, which no part waits for."""
    return blake2b(json_bytes(told), digest_size=_TAG_BYTES).hexdigest()


def _figures(answer: Answer) -> dict[str, str]:
    """The four figures of the head."""
    return {
        "attainment": _attainment(answer["attainment"]),
        "open_total": f.money_list(answer["open_total"]),
        "checkbox": _checkbox(answer["ticks"]),
        "pressure": _pressure(answer),
    }


def _quarter(quarter: Mapping[str, Any] | None) -> str:
    if quarter is None:
        return "No fiscal quarter is defined for this day"
    return f"{quarter['name']}, {f.count(quarter['days_left'], 'day')} left"


def _columns(
    answer: Answer, linked: tuple[Mapping[str, str], Mapping[str, str]]
) -> tuple[Column, ...]:
    """The columns in order; `linked` is what their links and their forms carry."""
    processes = answer.get("processes")
    return tuple(
        _column(
            column, linked[0], processes or {}, tag=_tag(place, column, processes is None, linked)
        )
        for place, column in enumerate(answer["columns"])
    )


def _column(column: Answer, kept: Mapping[str, str], processes: Answer, *, tag: str) -> Column:
    """One column; its links lead to the cards before and after those that are shown."""
    count, skip, deals = column["count"], column["skip"], column["deals"]
    stage = column["stage"]
    left_out = max(0, count - skip - len(deals))
    here = {**kept, "column": stage["id"]}
    return Column(
        tag=tag,
        stage_id=stage["id"],
        name=stage["name"],
        closed=column["closed"],
        count=count,
        total=f.money_list(column["total"]) if count else "",
        cards=tuple(_card(deal, processes) for deal in deals),
        left_out=left_out,
        skipped=min(skip, count),
        before={**here, "skip": str(max(0, skip - MAX_CARDS) or "")} if skip else None,
        after={**here, "skip": str(skip + len(deals))} if left_out else None,
    )


def _card(deal: Mapping[str, Any], processes: Answer) -> Card:
    counts, shaped = deal["counts"], deal["pressure_shaped"]
    beads = beads_of(counts)
    return Card(
        deal_id=deal["deal_id"],
        account=f.name_of(deal["account"]),
        name=f.short_name(deal["name"], f.name_of(deal["account"])),
        owner=f.name_of(deal["owner"]),
        amount=f.short_money(deal["amount"], "no amount"),
        close_date=f.day(deal["close_date"], "no close date"),
        beads=beads[:MAX_BEADS],
        beads_left_out=max(0, len(beads) - MAX_BEADS),
        beads_text=_beads_text(counts),
        pressure=f"{shaped} pressure-shaped" if shaped else None,
        discount=f"{f.MINUS}{f.percentage(deal['discount'])}" if deal["discount"] else None,
        stages=() if deal.get("closed") else _stages(deal, processes),
    )


def _stages(deal: Mapping[str, Any], processes: Answer) -> tuple[Choice, ...]:
    """Where a deal may be moved to: every stage of its process but the one that it is in."""
    return tuple(
        Choice(one["id"], one["name"], chosen=False)
        for one in processes.get(deal.get("process", ""), ())
        if one["id"] != deal["stage"]
    )


def _beads_text(counts: Mapping[str, int]) -> str:
    evidenced, hollow = _sum(counts, EVIDENCED), _sum(counts, CHECKBOX_ONLY)
    due = counts.get("pending", 0)
    text = f"{evidenced} evidenced, {hollow} checkbox-only"
    return f"{text}, {due} still due" if due else text


def _checkbox(ticks: Mapping[str, int]) -> str:
    hollow = _sum(ticks, CHECKBOX_ONLY)
    settled = hollow + _sum(ticks, EVIDENCED)
    if not settled:
        return f.unknown("no activity has settled")
    return f"{hollow:,} of {f.count(settled, 'activity', 'activities')}"


def _pressure(answer: Answer) -> str:
    if not answer["evaluable"]:
        return f.unknown("no event could be evaluated")
    return f"{answer['pressure_shaped']:,} of {f.count(answer['evaluable'], 'event')}"


def _attainment(attainment: Mapping[str, Any]) -> str:
    quota, attained = attainment["quota"], attainment["attained"]
    if quota is None or Decimal(quota["amount"]) == 0:
        return f.unknown("no quota for this quarter")
    if attained is None:
        return f.unknown("bookings could not be converted")
    if quota["currency"] != attained["currency"]:
        return f.unknown("quota and bookings have different currencies")
    share = Decimal(attained["amount"]) / Decimal(quota["amount"])
    return f"{share * 100:.0f}% of {f.short_money(quota)}"


def _owners(owners: Iterable[Any], chosen: str | None) -> tuple[Choice, ...]:
    found = [Choice("", "All reps", not chosen)]
    found += [Choice(_id_of(o), f.name_of(o), _id_of(o) == chosen) for o in owners]
    return tuple(found)


def _sum(counts: Mapping[str, int], statuses: Iterable[str]) -> int:
    return sum(counts.get(status, 0) for status in statuses)


def _id_of(thing: Mapping[str, Any] | str | None) -> str:
    if thing is None:
        return ""
    return thing if isinstance(thing, str) else str(thing["id"])
