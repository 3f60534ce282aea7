"""Writes the catalogue of events, `docs/events.md`, from the events themselves."""

from collections.abc import Iterator
from typing import Final, TypeAlias, get_args

from pydantic import JsonValue

from domain.decisions.order import AFTER_CLOSING
from domain.events import catalogue
from domain.events.base import DomainEvent, type_name

Schema: TypeAlias = dict[str, JsonValue]

_INTRODUCTION: Final = """\
# Events

Everything that Dealtrail can remember. An event is a fact as its teller stated it; nothing in it
can be computed from other events. Fields marked `?` may be left out, unknown ones are refused.

Money is `{"amount": "30000.00", "currency": "USD"}`. Decimals, percentages (0 to 100) and shares
(0 to 1) are strings. Days are `YYYY-MM-DD`, instants RFC 3339 with their zone. People, accounts,
stages, activities and outcomes are named by id. Evidence has levels: 1 a seller's note, 2 a
seller's artefact, 3 the customer's word, 4 the customer's artefact of record, 5 binding.

Events marked `*` are also taken by a closed deal; a deleted deal takes corrections only.

This page is made from the code, and a test holds the two equal. To make it again:

    .venv/bin/python -c 'from domain.events.describe import page; print(page(), end="")' \\
        > docs/events.md
"""
_FAMILIES: Final = (
    ("The life of a deal", get_args(catalogue.LifeEvent)),
    ("Steps of the process", get_args(catalogue.ProgressEvent)),
    ("The customer", get_args(catalogue.CustomerEvent)),
    ("Money", get_args(catalogue.MoneyEvent)),
    ("People", get_args(catalogue.PeopleEvent)),
    ("Honesty", get_args(catalogue.HonestyEvent)),
    ("Context", get_args(catalogue.ContextEvent)),
)
_TEXTS: Final = {200: "id", 500: "line", 10_000: "text", 2000: "address"}
"""The kinds of text, told apart by how long they may be."""
_FORMATS: Final = {"date": "day", "date-time": "instant", "uuid": "event id"}


def page() -> str:
    """Give the whole catalogue as Markdown."""
    return "\n".join([_INTRODUCTION, *_sections()])


def _sections() -> Iterator[str]:
    for title, events in _FAMILIES:
        yield f"## {title}\n"
        for event in events:
            yield from _event(event)


def _event(event: type[DomainEvent]) -> Iterator[str]:
    mark = "*" if issubclass(event, AFTER_CLOSING) else ""
    yield f"### `{type_name(event)}`{mark}\n"
    yield f"{_sentence(event)} Stored as `{event.TOPIC}`.\n"
    schema = event.model_json_schema(by_alias=True)
    required = _texts(schema.get("required"))
    for name, field in _objects(schema.get("properties")).items():
        yield f"* `{name}`{'' if name in required else '?'}: {_words(field, _defs(schema))}"
    yield ""


def _sentence(event: type[DomainEvent]) -> str:
    return (event.__doc__ or "").strip()


def _defs(schema: Schema) -> dict[str, Schema]:
    return _objects(schema.get("$defs"))


def _words(field: Schema, defs: dict[str, Schema]) -> str:
    """Say in words what a field holds."""
    choices = [choice for choice in _list(field.get("anyOf")) if choice.get("type") != "null"]
    if choices:
        return " or ".join(_words(choice, defs) for choice in choices)
    reference = field.get("$ref")
    if isinstance(reference, str):
        return _part(reference.rpartition("/")[2], defs)
    values = _texts(field.get("enum"))
    if values:
        return " | ".join(f"`{value}`" for value in values)
    return _plain(field, defs)


def _part(name: str, defs: dict[str, Schema]) -> str:
    if name == "Money":
        return "money"
    schema = defs.get(name, {})
    required = _texts(schema.get("required"))
    inner = (
        f"`{key}`{'' if key in required else '?'}: {_words(field, defs)}"
        for key, field in _objects(schema.get("properties")).items()
    )
    return "{" + ", ".join(inner) + "}" if name != "JsonValue" else "any JSON value"


def _plain(field: Schema, defs: dict[str, Schema]) -> str:
    match field.get("type"):
        case "string":
            return _string(field)
        case "integer":
            return f"{field.get('minimum', 0)} to {field.get('maximum')}"
        case "number":
            return "number"
        case "boolean":
            return "true or false"
        case "array":
            return f"list of {_words(_object(field.get('items')), defs)}"
        case "object":
            return f"object by id, each {_words(_value_of(field), defs)}"
        case _:
            return "any JSON value"


def _string(field: Schema) -> str:
    description, length, form = (field.get(key) for key in ("description", "maxLength", "format"))
    if isinstance(form, str):
        return _FORMATS[form]
    if isinstance(length, int):
        return _TEXTS[length]
    if isinstance(description, str):
        return description.rstrip(".").lower()
    pattern = field.get("pattern")
    return f"a text as `{pattern}`" if isinstance(pattern, str) else "decimal"


def _value_of(field: Schema) -> Schema:
    """Give what an object holds under each of its keys, which may have a pattern."""
    patterned = list(_objects(field.get("patternProperties")).values())
    return patterned[0] if patterned else _object(field.get("additionalProperties"))


def _object(value: JsonValue) -> Schema:
    return value if isinstance(value, dict) else {}


def _objects(value: JsonValue) -> dict[str, Schema]:
    return {key: _object(one) for key, one in _object(value).items()}


def _list(value: JsonValue) -> list[Schema]:
    return [_object(one) for one in value] if isinstance(value, list) else []


def _texts(value: JsonValue) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
