"""Discounts in Salesforce: quotes, and products of opportunities, below their list price."""

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from api.exchange.lines import JsonObject
from api.exchange.price_offers import price_of
from api.exchange.records import one_line, plain_number, stamp
from api.exchange.salesforce_ids import full_id
from api.exchange.salesforce_rows import RowReader, own_id
from api.exchange.texts import CsvRow

_PLACES: Final = Decimal("0.000001")
_ALL: Final = Decimal(100)


def quote_record(row: CsvRow, items: Sequence[JsonObject], reader: RowReader) -> JsonObject | None:
    """The offer that a quote makes; None where it gives no discount.

    The lines say the depth where they hold prices, each weighted by its own; else the quote's
    own percentage does.
    """
    listed = sum((_decimal(item, "list") for item in items), Decimal(0))
    if listed > 0:
        offered = sum((_decimal(item, "offered") for item in items), Decimal(0))
        percent = (listed - offered) / listed * _ALL
    else:
        listed = reader.number(row, "Subtotal") or Decimal(0)
        percent = _own_percent(row, listed, reader)
    percent = percent.quantize(_PLACES, rounding=ROUND_HALF_EVEN)
    if percent <= 0:
        return None
    return {
        "file": row.file,
        "row": row.row,
        "id": own_id(row),
        "at": stamp(reader.instant(row, "CreatedDate")),
        "by": full_id(row.get("CreatedById") or row.get("OwnerId")),
        "percent": plain_number(percent),
        "list": plain_number(listed) if listed > 0 else None,
        "currency": row.get("CurrencyIsoCode"),
        "expires_on": _text(reader.day(row, "ExpirationDate")),
    }


def line_item_record(row: CsvRow, reader: RowReader) -> JsonObject:
    """The list price of one line and what it is offered for; empty where it states neither.

    Its own discount is taken off the sales price, which may be below the list price already.
    """
    quantity = reader.number(row, "Quantity")
    catalogue = reader.number(row, "ListPrice")
    sales = reader.number(row, "Subtotal")
    if sales is None:
        unit = reader.number(row, "UnitPrice") or catalogue
        sales = None if unit is None else price_of(unit, quantity)
    if sales is None:
        return {}
    listed = sales if catalogue is None else max(sales, price_of(catalogue, quantity))
    return {
        "list": format(listed, "f"),
        "offered": format(_offered(row, sales, reader), "f"),
    }


def product_record(row: CsvRow, reader: RowReader) -> JsonObject:
    """The price of a product of an opportunity, as of when its row was changed last.

    What is sold above its list price gives no discount.
    """
    total = reader.number(row, "TotalPrice") or Decimal(0)
    unit = reader.number(row, "ListPrice") or reader.number(row, "UnitPrice") or Decimal(0)
    listed = max(total, price_of(unit, reader.number(row, "Quantity")))
    changed = "LastModifiedDate" if row.get("LastModifiedDate") else "CreatedDate"
    return {
        "file": row.file,
        "row": row.row,
        "id": own_id(row),
        "line": own_id(row),
        "name": one_line(row.get("Name") or row.get("ProductCode")),
        "at": stamp(reader.instant(row, changed)),
        "by": full_id(row.get("LastModifiedById") or row.get("CreatedById")),
        "list": format(listed, "f"),
        "offered": format(max(total, Decimal(0)), "f"),
        "currency": row.get("CurrencyIsoCode"),
    }


def _offered(row: CsvRow, listed: Decimal, reader: RowReader) -> Decimal:
    percent = reader.number(row, "Discount")
    if percent is not None:
        return listed * (_ALL - percent) / _ALL
    cut = reader.number(row, "DiscountAmount")
    if cut is not None:
        return listed - cut
    total = reader.number(row, "TotalPrice")
    return listed if total is None else total


def _own_percent(row: CsvRow, listed: Decimal, reader: RowReader) -> Decimal:
    percent = reader.number(row, "Discount")
    if percent is not None:
        return percent
    total = reader.number(row, "TotalPrice")
    if total is None or listed <= 0:
        return Decimal(0)
    return (listed - total) / listed * _ALL


def _decimal(item: JsonObject, key: str) -> Decimal:
    value = item.get(key)
    return Decimal(value) if isinstance(value, str) else Decimal(0)


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
