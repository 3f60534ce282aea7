"""Objects of HubSpot as plain records: properties with their history, oldest version first."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

from api.exchange.csv_values import number_text
from api.exchange.instants import parse_instant
from api.exchange.lines import JsonObject
from api.exchange.price_offers import offered_at, price_of
from api.exchange.records import BadRecordError, one_line, stamp
from domain.fiscal import local_day
from domain.values import local_date, utc_instant

CURRENCY: Final = "deal_currency_code"
_PERCENT: Final = "hs_discount_percentage"
_PER_UNIT: Final = "discount"
"""A discount is a share of the price, or an amount off each unit of it."""

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MIDNIGHT: Final = timedelta(0)
_USER: Final = "userId:"
_MAX_MILLISECONDS: Final = 16
"""Digits of the latest instant that can be said."""


@dataclass(frozen=True, slots=True)
class Version:
    """A value that a property had from then on, and by whom."""

    value: str
    at: datetime
    by: str


def hubspot_instant(text: object) -> datetime:
    """The instant, written as ISO 8601 or in milliseconds since 1970.

    Raises:
        ValueError: neither of the two.
    """
    value = text_value(text)
    if value.isdecimal() and len(value) <= _MAX_MILLISECONDS:
        try:
            return utc_instant(_EPOCH + timedelta(milliseconds=int(value)))
        except OverflowError as error:
            raise ValueError(f"expected an instant, not {value!r}") from error
    return parse_instant(value, "UTC")


def hubspot_day(text: object, zone: str) -> date:
    """The day that a date property means: midnight UTC is the day itself, else the local day."""
    if _DAY.fullmatch(text_value(text)):
        return local_date(text_value(text))
    instant = hubspot_instant(text)
    since_midnight = (instant - _EPOCH) % timedelta(days=1)
    return instant.date() if since_midnight == _MIDNIGHT else local_day(instant, zone)


def text_value(value: object) -> str:
    """The value of a property as text; empty where there is none."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.strip() if isinstance(value, str) else ""


def number_value(value: object) -> Decimal | None:
    text = text_value(value)
    return Decimal(number_text(text)) if text else None


def object_of(content: Mapping[str, object], key: str) -> JsonObject:
    """The object under a key; empty where there is none."""
    value = content.get(key)
    return value if isinstance(value, dict) else {}


def id_of(content: Mapping[str, object]) -> str:
    """The id of an object.

    Raises:
        ValueError: it has none.
    """
    found = one_line(text_value(content.get("id")))
    if not found:
        raise ValueError("id: missing")
    return found


def associated(content: Mapping[str, object], kind: str) -> list[str]:
    """The ids of the objects of a kind that this one belongs to, each once."""
    results = object_of(object_of(content, "associations"), kind).get("results")
    found: dict[str, None] = {}
    for one in results if isinstance(results, list) else ():
        if isinstance(one, dict):
            found[id_of(one)] = None
    return list(found)


def versions(history: object, users: Mapping[str, str], name: str) -> list[Version]:
    """The versions of a property, oldest first; those of one moment in the order of the file.

    HubSpot writes the newest first. Where a file has them the other way round, so they stay.

    Raises:
        ValueError: a version without a readable time.
    """
    if not isinstance(history, list):
        raise BadRecordError(f"propertiesWithHistory.{name}: expected a list of versions")
    found: list[Version] = []
    for one in history:
        if not isinstance(one, dict):
            raise BadRecordError(f"propertiesWithHistory.{name}: expected a list of versions")
        try:
            at = hubspot_instant(one.get("timestamp"))
        except ValueError as error:
            raise ValueError(f"propertiesWithHistory.{name}: timestamp: {error}") from error
        found.append(Version(text_value(one.get("value")), at, _author(one, users)))
    if found and found[0].at >= found[-1].at:
        found.reverse()
    return sorted(found, key=lambda version: version.at)


def _author(version: Mapping[str, object], users: Mapping[str, str]) -> str:
    """The owner id of the user, else what HubSpot names as the source."""
    user = text_value(version.get("updatedByUserId"))
    source = text_value(version.get("sourceId"))
    if not user and source.startswith(_USER):
        user = source.removeprefix(_USER)
    if user:
        return users.get(user, user)
    return one_line(source or text_value(version.get("sourceType")))


def task_record(content: Mapping[str, object], deal: str) -> JsonObject:
    """A task that is done."""
    properties = object_of(content, "properties")
    done = properties.get("hs_task_completion_date") or properties.get("hs_timestamp")
    return {
        "id": f"{id_of(content)}:{deal}",
        "activity": one_line(text_value(properties.get("hs_task_subject"))) or "Task",
        "at": stamp(hubspot_instant(done)),
        "by": text_value(properties.get("hubspot_owner_id")),
    }


def line_item_records(
    content: Mapping[str, object], users: Mapping[str, str]
) -> Iterator[JsonObject]:
    """The price of a line item from each moment on at which its discount became another."""
    properties = object_of(content, "properties")
    price = number_value(properties.get("price"))
    if price is None:
        raise ValueError("price: missing, so its discount is of nothing")
    quantity = number_value(properties.get("quantity"))
    listed = price_of(price, quantity)
    name = one_line(text_value(properties.get("name")))
    discount: dict[str, Decimal | None] = {}
    for version, changed in _discounts(content, properties, users):
        discount |= {key: number_value(value) for key, value in changed.items()}
        cut = price_of(discount.get(_PER_UNIT) or Decimal(0), quantity)
        offered = offered_at(listed, percent=discount.get(_PERCENT), cut=cut)
        yield _priced(id_of(content), version, listed, offered) | {"name": name}


def _discounts(
    content: Mapping[str, object], properties: JsonObject, users: Mapping[str, str]
) -> Iterator[tuple[Version, dict[str, str]]]:
    """What changed of the discount at each moment, with a version of then, from the first on."""
    created = hubspot_instant(properties.get("createdate") or content.get("createdAt"))
    histories = object_of(content, "propertiesWithHistory")
    found: dict[datetime, tuple[Version, dict[str, str]]] = {}
    for name in (_PERCENT, _PER_UNIT):
        now = [Version(text_value(properties.get(name)), created, "")]
        for one in versions(histories[name], users, name) if name in histories else now:
            found.setdefault(one.at, (one, {}))[1][name] = one.value
    if not found or min(found) > created:
        yield Version("", created, ""), {}
    for at in sorted(found):
        yield found[at]


def _priced(item: str, version: Version, listed: Decimal, offered: Decimal) -> JsonObject:
    return {
        "id": f"{item}:{stamp(version.at)}",
        "line": item,
        "at": stamp(version.at),
        "by": version.by,
        "list": format(listed, "f"),
        "offered": format(offered, "f"),
    }
