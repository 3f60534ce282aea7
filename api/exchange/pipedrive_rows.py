"""Objects of Pipedrive as plain records: deals as they are now, and every change of a field."""

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from api.exchange.csv_values import number_text
from api.exchange.instants import parse_day, parse_instant
from api.exchange.json_stream import JsonRecord
from api.exchange.lines import JsonObject
from api.exchange.owners import NOBODY
from api.exchange.price_offers import offered_at, price_of
from api.exchange.records import BadRecordError, one_line, stamp

_UTC: Final = "UTC"
"""Pipedrive writes its times in UTC, whether it says so or not."""
_TAG: Final = re.compile(r"<[^<>]*>")
DELETED: Final = "deleted"
"""The status of a deleted deal. It hides how the deal stood, and takes nothing of it back."""


def text_value(value: object) -> str:
    """A value as text; of an object that wraps one, the one inside; empty where there is none."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return text_value(value.get("value", value.get("id")))
    return value.strip() if isinstance(value, str) else ""


def id_of(content: Mapping[str, object], key: str = "id") -> str:
    """The id under a key.

    Raises:
        BadRecordError: there is none.
    """
    found = one_line(text_value(content.get(key)))
    if not found:
        raise BadRecordError(f"{key}: missing")
    return found


def instant_in(content: Mapping[str, object], *keys: str) -> datetime:
    """The instant under the first key that holds one; ValueError names the last."""
    for key in keys:
        text = text_value(content.get(key))
        if text:
            return parse_named(key, text)
    raise BadRecordError(f"{keys[-1]}: missing")


def parse_named(key: str, text: str) -> datetime:
    try:
        return parse_instant(text, _UTC)
    except ValueError as error:
        raise BadRecordError(f"{key}: {error}") from error


def day_value(key: str, value: object) -> str | None:
    text = text_value(value)
    if not text:
        return None
    try:
        return parse_day(text, None).isoformat()
    except ValueError as error:
        raise BadRecordError(f"{key}: {error}") from error


def amount_value(key: str, value: object) -> str | None:
    text = text_value(value)
    if not text:
        return None
    try:
        return number_text(text)
    except ValueError as error:
        raise BadRecordError(f"{key}: {error}") from error


def number_in(content: Mapping[str, object], key: str) -> Decimal | None:
    text = amount_value(key, content.get(key))
    return None if text is None else Decimal(text)


def deal_record(found: JsonRecord) -> JsonObject:
    """The deal as it is now.

    Raises:
        BadRecordError: no id or no time of creation, or a value that cannot be read.
    """
    content = found.content
    created = instant_in(content, "add_time")
    status = text_value(content.get("status"))
    organisation = content.get("org_id")
    named = organisation.get("name") if isinstance(organisation, dict) else None
    custom = content.get("custom_fields")
    return found.place | {
        "id": id_of(content),
        "name": text_value(content.get("title")),
        "account": text_value(organisation),
        "account_name": one_line(text_value(named or content.get("org_name"))),
        "owner": text_value(content.get("owner_id", content.get("user_id"))) or NOBODY,
        "created": stamp(created),
        "created_by": text_value(content.get("creator_user_id")),
        "modified": stamp(instant_in(content, "update_time", "add_time")),
        "modified_by": "",
        "deleted": content.get("is_deleted") is True or status == DELETED,
        "status": status,
        "won_time": _optional(content, "won_time"),
        "lost_time": _optional(content, "lost_time"),
        "stage": text_value(content.get("stage_id")),
        "pipeline": text_value(content.get("pipeline_id")),
        "amount": amount_value("value", content.get("value")),
        "currency": text_value(content.get("currency")),
        "close_date": day_value("expected_close_date", content.get("expected_close_date")),
        "loss_reason": text_value(content.get("lost_reason")),
        "archived": content.get("is_archived") is True,
        "custom": {
            name: text_value(value)
            for name, value in (custom.items() if isinstance(custom, dict) else ())
        },
    }


def _optional(content: Mapping[str, object], key: str) -> str:
    return stamp(instant_in(content, key)) if text_value(content.get(key)) else ""


@dataclass(frozen=True, slots=True)
class FlowItem:
    """One entry of a deal's history, whichever of the two answers it stands in."""

    kind: str
    deal: str
    content: JsonObject
    at: datetime


def flow_item(found: JsonRecord, *, deal: str) -> FlowItem:
    """An entry of `/flow`, or of `/changelog`, which wraps nothing and holds changes only.

    Raises:
        BadRecordError: no time, or nothing says of which deal.
    """
    content = found.content
    data = content.get("data")
    kind = text_value(content.get("object"))
    if isinstance(data, dict):
        stated = data | {"timestamp": content.get("timestamp")}
        at = instant_in(stated, "log_time", "marked_as_done_time", "add_time", "timestamp")
        return FlowItem(kind, deal or _deal_of(data), data, at)
    if "field_key" not in content:
        raise BadRecordError("data: missing")
    return FlowItem("dealChange", deal or _deal_of(content), content, instant_in(content, "time"))


def _deal_of(data: Mapping[str, object]) -> str:
    for key in ("item_id", "deal_id"):
        if text_value(data.get(key)):
            return one_line(text_value(data.get(key)))
    raise BadRecordError("deal_id: missing, so nothing says of which deal this is")


def change_row(item: FlowItem) -> JsonObject:
    """A change of one field."""
    data = item.content
    return {
        "change": text_value(data.get("id")),
        "field": id_of(data, "field_key"),
        "old": text_value(data.get("old_value")),
        "new": text_value(data.get("new_value")),
        "at": stamp(item.at),
        "by": text_value(data.get("user_id", data.get("actor_user_id"))),
        "bulk": text_value(data.get("is_bulk_update_flag")) in ("true", "1"),
    }


def activity_row(item: FlowItem) -> JsonObject:
    """An activity that is done."""
    return {
        "id": f"activity:{id_of(item.content)}",
        "activity": one_line(text_value(item.content.get("subject"))) or "Activity",
        "at": stamp(item.at),
        "by": text_value(item.content.get("assigned_to_user_id", item.content.get("user_id"))),
    }


def note_row(item: FlowItem) -> JsonObject:
    """A note, as the text that its HTML shows."""
    shown = html.unescape(_TAG.sub(" ", text_value(item.content.get("content"))))
    return {
        "id": f"note:{id_of(item.content)}",
        "text": shown.strip(),
        "at": stamp(item.at),
        "by": text_value(item.content.get("user_id")),
    }


def price_row(found: JsonRecord) -> JsonObject:
    """The price of a product in a deal, from when its discount is known to stand."""
    content = found.content
    price = number_in(content, "item_price")
    if price is None:
        raise BadRecordError("item_price: missing, so its discount is of nothing")
    listed = price_of(price, number_in(content, "quantity"))
    discount = number_in(content, "discount")
    share = text_value(content.get("discount_type")) != "amount"
    offered = offered_at(
        listed, percent=discount if share else None, cut=None if share else discount
    )
    product = id_of(content)
    return found.place | {
        "id": f"product:{product}",
        "line": product,
        "name": one_line(text_value(content.get("name"))),
        "at": stamp(instant_in(content, "update_time", "add_time")),
        "by": "",
        "list": format(listed, "f"),
        "offered": format(offered, "f"),
    }


def is_true(value: object) -> bool:
    return text_value(value) in ("true", "1")


def numbered_changes(deal: str, rows: list[JsonObject]) -> Iterator[JsonObject]:
    """The rows of a deal with ids: deal, field and time, which the two answers share.

    Many deals are changed in one second, as when a rep hands them over.
    """
    seen: dict[str, int] = {}
    for row in rows:
        key = f"{deal}:{row['field']}:{row['at']}"
        seen[key] = seen.get(key, 0) + 1
        yield row | {"id": key + (f"#{seen[key]}" if seen[key] > 1 else "")}
