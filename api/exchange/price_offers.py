"""Discounts of a deal's priced lines: one offer each time that what all of them cost changes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Final

from api.exchange.deal_lines import SAME_MOMENT, Deal
from api.exchange.lines import JsonObject
from api.exchange.records import instant_of, plain_number, text_of

_PLACES: Final = Decimal("0.000001")
_ALL: Final = Decimal(100)
_DIGITS: Final = 60
"""Enough for prices and counts of as many digits as a payload takes."""
_ROUNDING: Final = Decimal("1.01")
"""Sums of lines that sources round one by one may be that much higher than the deal's amount."""
_NAME: Final = 100
"""Characters of a line's name that it shows."""
_SHOWN: Final = 20
"""Lines that the text of an offer lists."""


@dataclass(frozen=True, slots=True)
class _Change:
    """From now on a line is offered at another price than listed; `row` says who and where."""

    at: datetime
    line: str
    listed: Decimal
    offered: Decimal
    row: JsonObject


def price_of(unit: Decimal, quantity: Decimal | None) -> Decimal:
    """The price of so many; of one where the source does not say how many."""
    with localcontext(prec=_DIGITS):
        return unit if quantity is None else unit * quantity


def offered_at(listed: Decimal, *, percent: Decimal | None, cut: Decimal | None) -> Decimal:
    """The price of a line after its discount, given as a share or as an amount.

    Raises:
        ValueError: the discount is below nothing or above the price.
    """
    with localcontext(prec=_DIGITS):
        offered = listed
        if percent:
            offered = listed * (_ALL - percent) / _ALL
        elif cut:
            offered = listed - cut
        if not 0 <= offered <= listed:
            raise ValueError("discount: below nothing, or above the price")
        return offered


def tell_price_offers(deal: Deal, rows: Iterable[JsonObject]) -> None:
    """Add an offer for each moment in which the discount over all lines became another.

    A row is the price of one line from `at` on: `line`, `name`, `list`, `offered`. Lines that one
    save writes count as changed together, at the last of their times. Lines are parts of one
    price, as long as together they cost no more than the deal was worth by then: a line that is
    added beyond that is another offer in place of those before it.
    """
    changes = sorted((_change(row) for row in rows), key=lambda one: one.at)
    standing: dict[str, _Change] = {}
    last = Decimal(0)
    for moment in _moments(changes):
        changed = {change.line: change for change in moment}
        added = bool(standing) and not changed.keys() <= standing.keys()
        standing |= changed
        beyond = added and _beyond(deal, moment[-1].at, _price(standing.values()))
        if beyond:
            standing = changed
            deal.findings.note(
                "a priced line beyond what its deal was worth is told as another offer"
            )
        percent, listed = _discount(standing.values())
        if percent != last or (beyond and percent):
            held = [line for line in standing.values() if line.listed]
            _tell(deal, moment[-1].row, percent, listed, held)
        last = percent


def _beyond(deal: Deal, at: datetime, price: Decimal) -> bool:
    """Whether lines cost more than the deal was worth by then, or by the next change of that."""
    told = [(instant_of(row, "at"), _amount(row)) for row in deal.snapshots]
    by_then = [amount for since, amount in told if since <= at and amount is not None]
    later = [*(amount for since, amount in told if since > at), _amount(deal.record)]
    changed = [amount for amount in later if amount is not None and amount not in by_then[-1:]]
    worth = by_then + changed[:1]
    return bool(worth) and price > max(worth) * _ROUNDING


def _amount(row: JsonObject) -> Decimal | None:
    amount = row.get("amount")
    return Decimal(amount) if isinstance(amount, str) else None


def _price(lines: Iterable[_Change]) -> Decimal:
    with localcontext(prec=_DIGITS):
        return sum((line.offered for line in lines), Decimal(0))


def _change(row: JsonObject) -> _Change:
    return _Change(
        at=instant_of(row, "at"),
        line=text_of(row, "line"),
        listed=Decimal(text_of(row, "list")),
        offered=Decimal(text_of(row, "offered")),
        row=row,
    )


def _moments(changes: Sequence[_Change]) -> Iterable[list[_Change]]:
    moment: list[_Change] = []
    for change in changes:
        if moment and change.at - moment[0].at > SAME_MOMENT:
            yield moment
            moment = []
        moment.append(change)
    if moment:
        yield moment


def _discount(lines: Iterable[_Change]) -> tuple[Decimal, Decimal]:
    """How far lines together stand below their list price, in percent, and that price."""
    held = list(lines)
    with localcontext(prec=_DIGITS):
        listed = sum((line.listed for line in held), Decimal(0))
        if listed <= 0:
            return Decimal(0), listed
        percent = (listed - _price(held)) / listed * _ALL
        return percent.quantize(_PLACES, rounding=ROUND_HALF_EVEN), listed


def _tell(
    deal: Deal, row: JsonObject, percent: Decimal, listed: Decimal, lines: Sequence[_Change]
) -> None:
    if percent <= 0:
        deal.add(row, "discount_withdrawn", {})
        return
    data: JsonObject = {
        "percent": plain_number(percent),
        "list": deal.money(row, plain_number(listed)),
    }
    if len(lines) > 1:
        data["reason"] = _parts(lines)
    deal.add(row, "discount_offered", data)


def _parts(lines: Sequence[_Change]) -> str:
    """What each line says of itself, since the discount over all of them shows none."""
    shown = [_part(line) for line in sorted(lines, key=lambda one: (-one.listed, one.line))]
    more = [f"{len(shown) - _SHOWN} more"] if len(shown) > _SHOWN else []
    return f"Over {len(lines)} lines: " + ", ".join([*shown[:_SHOWN], *more])


def _part(line: _Change) -> str:
    percent, listed = _discount([line])
    name = text_of(line.row, "name")[:_NAME] or line.line
    return f"{name} {plain_number(percent)} % of {plain_number(listed)}"
