"""Discounts of a deal's priced lines: one offer each time that what all of them cost changes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Final

from api.exchange.deal_lines import SAME_MOMENT, Deal
from api.exchange.lines import JsonObject
from api.exchange.records import instant_of, text_of

_PLACES: Final = Decimal("0.000001")
_ALL: Final = Decimal(100)
_DIGITS: Final = 60
"""Enough for prices and counts of as many digits as a payload takes."""


@dataclass(frozen=True, slots=True)
class _Change:
    """From now on a line is offered at another price than listed; `row` says who and where."""

    at: datetime
    line: str
    listed: Decimal
    offered: Decimal
    row: JsonObject


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

    A row is the price of one line from `at` on: `line`, `list`, `offered`. Lines that one
    save writes count as changed together, at the last of their times.
    """
    changes = sorted((_change(row) for row in rows), key=lambda one: one.at)
    standing: dict[str, _Change] = {}
    last = Decimal(0)
    for moment in _moments(changes):
        standing |= {change.line: change for change in moment}
        percent, listed = _discount(standing.values())
        if percent != last:
            _tell(deal, moment[-1].row, percent, listed)
        last = percent


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
    """How far all lines together stand below their list price, in percent, and that price."""
    held = list(lines)
    with localcontext(prec=_DIGITS):
        listed = sum((line.listed for line in held), Decimal(0))
        offered = sum((line.offered for line in held), Decimal(0))
        if listed <= 0:
            return Decimal(0), listed
        percent = (listed - offered) / listed * _ALL
        return percent.quantize(_PLACES, rounding=ROUND_HALF_EVEN), listed


def _tell(deal: Deal, row: JsonObject, percent: Decimal, listed: Decimal) -> None:
    if percent <= 0:
        deal.add(row, "discount_withdrawn", {})
        return
    data: JsonObject = {
        "percent": plain_number(percent),
        "list": deal.money(row, plain_number(listed)),
    }
    deal.add(row, "discount_offered", data)


def plain_number(number: Decimal) -> str:
    """The number without an exponent and without zeros at its end."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
