"""Everything the board shows: the quarter's head, and a column of cards for each stage."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from api.web import format as f
from api.web.asof import AsOf, as_of_view
from api.web.deal_page import beads_of
from api.web.reads import SHOWS, Answer, BoardFilters
from api.web.vocabulary import CHECKBOX_ONLY, EVIDENCED

MAX_CARDS: Final = 40
MAX_BEADS: Final = 10
"""As many as one line of the narrowest card holds, with the number of the rest."""


@dataclass(frozen=True, slots=True)
class Card:
    """One deal; beads are its ticked activities, filled where the outcome was evidenced."""

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


@dataclass(frozen=True, slots=True)
class Column:
    """A stage with its cards; `left_out` deals have no card here."""

    stage_id: str
    name: str
    closed: str | None
    count: int
    total: str
    cards: tuple[Card, ...]
    left_out: int
    before: dict[str, str] | None = None
    before_text: str = ""
    after: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry of a filter."""

    value: str
    name: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class BoardPage:
    """The board, ready for its template."""

    quarter: str
    as_of: AsOf
    kept: dict[str, str]
    attainment: str
    open_total: str
    checkbox: str
    pressure: str
    columns: tuple[Column, ...]
    owners: tuple[Choice, ...]
    shows: tuple[Choice, ...]


def board_page(
    answer: Answer, *, asked: tuple[str | None, str | None], filters: BoardFilters
) -> BoardPage:
    """The page for what was asked; the figures of the head are of the deals that are shown."""
    kept = [(column, _kept(column, filters)) for column in answer["columns"]]
    deals = [deal for _, found in kept for deal in found]
    return BoardPage(
        quarter=_quarter(answer["quarter"]),
        as_of=as_of_view(answer, asked=asked),
        kept={"owner": filters.owner or "", "show": filters.show if filters.show != "all" else ""},
        attainment=_attainment(answer["attainment"]),
        open_total=f.money_list(
            _totals(deal for column, found in kept if not column["closed"] for deal in found)
        ),
        checkbox=_checkbox(deals),
        pressure=_pressure(deals),
        columns=tuple(_column(column, found) for column, found in kept),
        owners=_owners(answer["owners"], filters.owner),
        shows=tuple(Choice(value, name, value == filters.show) for value, name in SHOWS.items()),
    )


def _quarter(quarter: Mapping[str, Any] | None) -> str:
    if quarter is None:
        return "No fiscal quarter is defined for this day"
    return f"{quarter['name']}, {f.count(quarter['days_left'], 'day')} left"


def _kept(column: Answer, filters: BoardFilters) -> list[Mapping[str, Any]]:
    return [deal for deal in column["deals"] if _shown(deal, column, filters)]


def _shown(deal: Mapping[str, Any], column: Answer, filters: BoardFilters) -> bool:
    if filters.owner and _id_of(deal["owner"]) != filters.owner:
        return False
    match filters.show:
        case "open":
            return not column["closed"]
        case "closed":
            return bool(column["closed"])
        case "pressure":
            return bool(deal["pressure_shaped"])
        case "checkbox":
            return any(deal["counts"].get(status) for status in CHECKBOX_ONLY)
        case "all":
            return True


def _column(column: Answer, deals: Sequence[Mapping[str, Any]]) -> Column:
    whole = len(deals) == len(column["deals"])
    count = column.get("count", len(deals)) if whole else len(deals)
    total = column["total"] if whole else _totals(deals)
    shown = deals[:MAX_CARDS]
    return Column(
        stage_id=column["stage"]["id"],
        name=column["stage"]["name"],
        closed=column["closed"],
        count=count,
        total=f.money_list(total) if count else "",
        cards=tuple(_card(deal) for deal in shown),
        left_out=count - len(shown),
    )


def _card(deal: Mapping[str, Any]) -> Card:
    counts, shaped = deal["counts"], deal["pressure_shaped"]
    beads = beads_of(counts)
    return Card(
        deal_id=deal["deal_id"],
        account=f.name_of(deal["account"]),
        name=_short_name(deal),
        owner=f.name_of(deal["owner"]),
        amount=f.short_money(deal["amount"], "no amount"),
        close_date=f.day(deal["close_date"], "no close date"),
        beads=beads[:MAX_BEADS],
        beads_left_out=max(0, len(beads) - MAX_BEADS),
        beads_text=_beads_text(counts),
        pressure=f"{shaped} pressure-shaped" if shaped else None,
        discount=f"{f.MINUS}{f.percentage(deal['discount'])}" if deal["discount"] else None,
    )


def _short_name(deal: Mapping[str, Any]) -> str:
    """The name without the account's in front, which stands above it."""
    account, name = f.name_of(deal["account"]), str(deal["name"])
    rest = name.removeprefix(account).lstrip(" :-\N{EN DASH}\N{EM DASH}")
    return rest if rest and rest != name and name.startswith(account) else name


def _beads_text(counts: Mapping[str, int]) -> str:
    evidenced, hollow = _sum(counts, EVIDENCED), _sum(counts, CHECKBOX_ONLY)
    due = counts.get("pending", 0)
    text = f"{evidenced} evidenced, {hollow} checkbox-only"
    return f"{text}, {due} still due" if due else text


def _checkbox(deals: Sequence[Mapping[str, Any]]) -> str:
    hollow = sum(_sum(deal["counts"], CHECKBOX_ONLY) for deal in deals)
    settled = hollow + sum(_sum(deal["counts"], EVIDENCED) for deal in deals)
    if not settled:
        return f.unknown("no activity has settled")
    return f"{hollow:,} of {f.count(settled, 'activity', 'activities')}"


def _pressure(deals: Sequence[Mapping[str, Any]]) -> str:
    evaluable = sum(deal["evaluable"] or 0 for deal in deals)
    if not evaluable:
        return f.unknown("no event could be evaluated")
    shaped = sum(deal["pressure_shaped"] or 0 for deal in deals)
    return f"{shaped:,} of {f.count(evaluable, 'event')}"


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


def _totals(deals: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    sums: dict[str, Decimal] = {}
    for deal in deals:
        if deal["amount"] is not None:
            currency = deal["amount"]["currency"]
            sums[currency] = sums.get(currency, Decimal(0)) + Decimal(deal["amount"]["amount"])
    return [{"amount": str(sums[c]), "currency": c} for c in sorted(sums)]


def _sum(counts: Mapping[str, int], statuses: Iterable[str]) -> int:
    return sum(counts.get(status, 0) for status in statuses)


def _id_of(thing: Mapping[str, Any] | str | None) -> str:
    if thing is None:
        return ""
    return thing if isinstance(thing, str) else str(thing["id"])
