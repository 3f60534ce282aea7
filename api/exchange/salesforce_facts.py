"""What Salesforce says of a deal beside its snapshots: owners, checkboxes, texts, tasks, quotes."""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import groupby
from typing import Final

from api.exchange.lines import JsonObject
from api.exchange.profile import (
    CommitmentField,
    CustomField,
    GoalField,
    OutcomeField,
    PlainField,
    TickField,
)
from api.exchange.salesforce_deal import SAME_MOMENT, Deal
from api.exchange.salesforce_ids import full_id
from api.exchange.salesforce_rows import CUSTOM, instant_of, text_of, truth

_OWNER: Final = ("Owner", "OwnerId")
_USER_ID: Final = re.compile(r"005[0-9A-Za-z]{12}(?:[0-9A-Za-z]{3})?")
_SNAPSHOT: Final = {
    "StageName": ("stage_entered", "stage"),
    "Amount": ("amount_changed", "amount"),
    "CloseDate": ("close_date_moved", "to"),
}
"""Fields that OpportunityHistory tells as well, and the event in which it does."""
_SILENT: Final = frozenset(
    {"created", "Probability", "ExpectedRevenue", "ForecastCategory", "ForecastCategoryName"}
)
"""Rows that say nothing that the snapshots do not."""


def first_owner(changes: Iterable[JsonObject], deal: Deal) -> str:
    """Who owned the deal when it was opened: whom the first change took it from."""
    for old, _, _ in _owner_changes(changes, deal):
        if old:
            return old
    return text_of(deal.opportunity, "owner")


def tell_owners(deal: Deal, changes: list[JsonObject]) -> None:
    """Add the changes of owner; where they do not lead to the present one, a gap."""
    owner = deal.owner
    since = instant_of(deal.opportunity, "created")
    for _, new, row in _owner_changes(changes, deal):
        since = instant_of(row, "at")
        if new == "":
            deal.reject(row, "NewValue: not the id, nor the name, of one user")
        elif new != owner:
            deal.add(row, "owner_changed", {"owner": new})
            owner = new
    if owner != text_of(deal.opportunity, "owner"):
        end = instant_of(deal.opportunity, "modified")
        deal.gap(deal.opportunity, start=since, end=end, fields=["owner"])


def _owner_changes(
    changes: Iterable[JsonObject], deal: Deal
) -> Iterator[tuple[str, str, JsonObject]]:
    """Old and new owner of each change; Salesforce writes one row of names and one of ids."""
    owners = (row for row in changes if row["field"] in _OWNER)
    for _, group in groupby(owners, key=lambda row: row["at"]):
        rows = list(group)
        by_id = [row for row in rows if _USER_ID.fullmatch(text_of(row, "new"))]
        for row in by_id or rows:
            yield _user(deal, text_of(row, "old")), _user(deal, text_of(row, "new")), row


def _user(deal: Deal, text: str) -> str:
    """The id that a text is, or that the one user of that name has; else empty."""
    if _USER_ID.fullmatch(text):
        return full_id(text)
    named = [user for user, name in deal.context.users.items() if name == text]
    return named[0] if len(named) == 1 else ""


def tell_fields(deal: Deal, changes: list[JsonObject]) -> None:
    """Add what changes of other fields say, and look for those that the snapshots lack."""
    checked: dict[str, bool] = {}
    for row in changes:
        name = text_of(row, "field")
        if name in deal.context.checkboxes:
            _tell_checkbox(deal, row, name, checked)
        elif name in _SNAPSHOT:
            _confirm(deal, row, name)
        elif name.endswith(CUSTOM):
            _tell_text(deal, row, name)
        elif name not in _SILENT and name not in _OWNER:
            deal.findings.lacks(f"changes of the field {name}")
    _check_boxes(deal, checked)
    _note_custom(deal)


def _confirm(deal: Deal, row: JsonObject, name: str) -> None:
    kind, key = _SNAPSHOT[name]
    at = instant_of(row, "at")
    for line in deal.lines:
        told = line.recorded_at or line.occurred_at
        if line.type in (kind, "deal_opened") and abs(told - at) <= SAME_MOMENT:
            return
    if text_of(row, "new"):
        deal.reject(row, f"{name}: OpportunityHistory has no such change at {row['at']} ({key})")


def activity_of(deal: Deal, field: str) -> str:
    """The activity that a checkbox claims: as declared, else the field's name in words."""
    mapping = deal.context.profile.custom_fields.get(field)
    if isinstance(mapping, TickField):
        return _declared(deal, mapping.activity)
    words = field.removesuffix(CUSTOM).split("_")
    rest = (word if word.isupper() else word.lower() for word in words[1:] if word)
    return _declared(deal, " ".join([words[0], *rest]))


def _declared(deal: Deal, activity: str) -> str:
    declared = deal.context.profile.activities.get(activity)
    if declared is None:
        deal.findings.lacks("intended outcomes of an activity: the profile does not declare it")
        return activity
    return declared.id or activity


def _tell_checkbox(deal: Deal, row: JsonObject, name: str, checked: dict[str, bool]) -> None:
    if isinstance(deal.context.profile.custom_fields.get(name), PlainField):
        return
    try:
        ticked = truth(text_of(row, "new"))
    except ValueError as error:
        deal.reject(row, f"NewValue: {error}")
        return
    if ticked != checked.get(name, False):
        kind = "activity_ticked" if ticked else "activity_unticked"
        deal.add(row, kind, {"activity": activity_of(deal, name)})
    checked[name] = ticked


def _check_boxes(deal: Deal, checked: dict[str, bool]) -> None:
    """A box that stands otherwise than its history says was moved at a time nobody knows."""
    custom = deal.opportunity["custom"]
    if not isinstance(custom, dict):
        return
    for name in sorted(deal.context.checkboxes):
        if isinstance(deal.context.profile.custom_fields.get(name), PlainField):
            continue
        now = str(custom.get(name, "")).lower() in ("1", "true")
        if now != checked.get(name, False):
            start = instant_of(deal.opportunity, "created")
            end = instant_of(deal.opportunity, "modified")
            deal.gap(deal.opportunity, start=start, end=end, fields=[activity_of(deal, name)])


def _note_custom(deal: Deal) -> None:
    custom = deal.opportunity["custom"]
    known = deal.context.checkboxes | set(deal.context.profile.custom_fields)
    for name in custom if isinstance(custom, dict) else ():
        if name not in known:
            deal.findings.lacks(f"Opportunity.{name}: the profile does not map it")


def _tell_text(deal: Deal, row: JsonObject, name: str) -> None:
    mapping = deal.context.profile.custom_fields.get(name)
    value = text_of(row, "new")
    if mapping is None:
        deal.findings.lacks(f"changes of the field {name}: the profile does not map it")
    elif value:
        kind, data = _mapped(mapping, value, key=text_of(row, "id"))
        if kind:
            deal.add(row, kind, data)


def _mapped(mapping: CustomField, value: str, *, key: str) -> tuple[str, JsonObject]:
    """The event and the payload that a declared text field stands for; no event if none."""
    match mapping:
        case OutcomeField():
            first, rest = _split(value, mapping.separator)
            evidenced: JsonObject = {"outcome": mapping.outcome or first, "level": mapping.level}
            statement = value if mapping.outcome else rest
            return mapping.event, evidenced | ({"statement": statement} if statement else {})
        case CommitmentField():
            what, due = _split(value, mapping.separator)
            if not _is_day(due):
                what, due = value, ""
            said: JsonObject = {"commitment_id": key, "what": what}
            said |= {"kind": mapping.kind, "level": mapping.level}
            return mapping.event, said | ({"due": due} if due else {})
        case GoalField():
            return mapping.event, {"goal": value, "level": mapping.level}
        case PlainField(event="note_added"):
            return "note_added", {"text": value}
        case _:
            return "", {}


def _split(value: str, separator: str | None) -> tuple[str, str]:
    if separator is None:
        return value, ""
    first, _, rest = value.partition(separator)
    return first.strip(), rest.strip()


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def tell_task(deal: Deal, row: JsonObject) -> None:
    """A task that is done is a claim that its activity was."""
    deal.add(row, "activity_ticked", {"activity": _declared(deal, text_of(row, "activity"))})


def tell_discount(deal: Deal, row: JsonObject) -> None:
    data: JsonObject = {"percent": row["percent"]}
    if row["list"] is not None:
        data["list"] = deal.money(row, row["list"])
    if row["expires_on"] is not None:
        data["expires_on"] = row["expires_on"]
    deal.add(row, "discount_offered", data)
