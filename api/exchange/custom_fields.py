"""What a profile declares of fields that a customer made, and what boxes, tasks and offers say."""

from collections import Counter
from collections.abc import Sequence
from datetime import date

from api.exchange.deal_lines import Deal
from api.exchange.lines import JsonObject
from api.exchange.profile import (
    CommitmentField,
    CustomField,
    GoalField,
    OutcomeField,
    PlainField,
    Profile,
    TickField,
)
from api.exchange.records import BOX_SET, instant_of, text_of, truth


def tell_custom(deal: Deal, changes: Sequence[JsonObject]) -> None:
    """Add what changes of boxes and of declared fields say; where a change is missing, a gap.

    A field may have several changes of one moment: a box stands as the last of them left it.
    """
    last = {(row["field"], row["at"]): row for row in changes}
    checked: dict[str, bool] = {}
    told: Counter[str] = Counter()
    said: set[tuple[object, object]] = set()
    for row in changes:
        name = text_of(row, "field")
        if name not in deal.context.checkboxes:
            if (row["id"], row["new"]) not in said:
                _tell_text(deal, row, name, told)
            said.add((row["id"], row["new"]))
        elif last[name, row["at"]] is row:
            _tell_checkbox(deal, row, name, checked)
    _check_boxes(deal, checked)
    _note_custom(deal)


def declared_boxes(profile: Profile) -> frozenset[str]:
    """The fields that the profile declares to be checkboxes."""
    return frozenset(
        name for name, mapping in profile.custom_fields.items() if isinstance(mapping, TickField)
    )


def activity_of(deal: Deal, field: str) -> str:
    """The activity that a checkbox claims: as declared, else the field's name in words."""
    mapping = deal.context.profile.custom_fields.get(field)
    if isinstance(mapping, TickField):
        return _declared(deal, mapping.activity)
    words = field.removesuffix(deal.context.names.suffix).split("_")
    rest = (word if word.isupper() else word.lower() for word in words[1:] if word)
    return _declared(deal, " ".join([words[0][:1].upper() + words[0][1:], *rest]))


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
        deal.reject(row, f"{name}: {error}")
        return
    if ticked != checked.get(name, False):
        kind = "activity_ticked" if ticked else "activity_unticked"
        deal.add(row, kind, {"activity": activity_of(deal, name)})
    checked[name] = ticked


def _check_boxes(deal: Deal, checked: dict[str, bool]) -> None:
    """A box that stands otherwise than its history says was moved at a time nobody knows."""
    custom = deal.record["custom"]
    if not isinstance(custom, dict):
        return
    for name in sorted(deal.context.checkboxes):
        if isinstance(deal.context.profile.custom_fields.get(name), PlainField):
            continue
        if name not in custom:
            continue
        now = str(custom[name]).lower() in BOX_SET
        if now != checked.get(name, False):
            start = instant_of(deal.record, "created")
            end = instant_of(deal.record, "modified")
            deal.gap(deal.record, start=start, end=end, fields=[activity_of(deal, name)])


def _note_custom(deal: Deal) -> None:
    custom = deal.record["custom"]
    known = deal.context.checkboxes | set(deal.context.profile.custom_fields)
    for name, value in custom.items() if isinstance(custom, dict) else ():
        if value and name not in known:
            deal.findings.lacks_field(name, "the field")


def _numbered(row: JsonObject, kind: str, told: Counter[str]) -> JsonObject:
    """The row, under an id of its own where one of the same id has told the same kind before."""
    key = f"{text_of(row, 'id')}:{kind}"
    told[key] += 1
    return row | {"id": f"{text_of(row, 'id')}#{told[key]}"} if told[key] > 1 else row


def _tell_text(deal: Deal, row: JsonObject, name: str, told: Counter[str]) -> None:
    mapping = deal.context.profile.custom_fields.get(name)
    value = text_of(row, "new")
    if mapping is None:
        deal.findings.lacks_field(name, "changes of the field")
    elif value:
        numbered = _numbered(row, mapping.event, told)
        kind, data = _mapped(mapping, value, key=text_of(numbered, "id"))
        if kind:
            deal.add(numbered, kind, data)


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
