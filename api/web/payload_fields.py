"""The fields of an event's payload, read from its schema: what a form asks for and sends."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal, TypeAlias

from domain.events.catalogue import TYPES_BY_NAME
from domain.events.honesty import EventAmended

Asked: TypeAlias = Literal[
    "line",
    "text",
    "date",
    "instant",
    "decimal",
    "number",
    "choice",
    "flag",
    "process",
    "lines",
    "pairs",
]
"""How a field is filled in. `process` names a version of one, `lines` one thing a line, and
`pairs` a name and what belongs to it on each."""
_LONG: Final = 10_000
_MOST_DIGITS: Final = 18
_DEFAULTED: Final = "currency"
"""Filled in beforehand, so that it alone does not make an amount."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A field with one value; `most` is how many characters it may have."""

    asked: Asked
    required: bool
    choices: tuple[str, ...] = ()
    most: int | None = None


Fields: TypeAlias = Mapping[str, "Leaf | Fields"]
"""The fields of an object by their names."""


@cache
def fields_of(name: str, *, amended: str = "") -> Fields | None:
    """Give the fields of an event type; None for one that there is not.

    An amendment holds those of the type that it amends.
    """
    event_type = TYPES_BY_NAME.get(name)
    if event_type is None:
        return None
    schema = event_type.model_json_schema(by_alias=True)
    fields = _object(schema, schema.get("$defs", {}), required=True)
    if event_type is EventAmended:
        inner = fields_of(amended) if amended else None
        return {**fields, "data": inner or {}}
    return fields


def leaves(fields: Fields, path: str) -> Iterator[tuple[str, Leaf]]:
    """Give every field that is filled in, with the path that names it in a request."""
    for name, field in fields.items():
        if isinstance(field, Leaf):
            yield f"{path}.{name}", field
        else:
            yield from leaves(field, f"{path}.{name}")


def payload_of(fields: Fields, form: Mapping[str, str], path: str) -> dict[str, object]:
    """Give the payload that a form tells, without what was left empty."""
    found: dict[str, object] = {}
    for name, field in fields.items():
        here = f"{path}.{name}"
        if isinstance(field, Leaf):
            value = _value(field, form.get(here, "").replace("\r\n", "\n").strip())
        else:
            inner = payload_of(field, form, here)
            value = inner if inner.keys() - {_DEFAULTED} else None
        if value is not None:
            found[name] = value
    return found


def filled(fields: Fields, payload: Mapping[str, Any], path: str) -> dict[str, str]:
    """Give the values with which a form tells a payload."""
    values: dict[str, str] = {}
    for name, field in fields.items():
        value = payload.get(name)
        if value is None:
            continue
        if isinstance(field, Leaf):
            values[f"{path}.{name}"] = _text(value)
        else:
            values |= filled(field, value, f"{path}.{name}")
    return values


def _object(
    schema: Mapping[str, Any], parts: Mapping[str, Any], *, required: bool
) -> dict[str, "Leaf | Fields"]:
    needed = set(schema.get("required", ())) if required else set()
    return {
        name: _field(inner, parts, required=name in needed)
        for name, inner in schema["properties"].items()
    }


def _field(schema: Mapping[str, Any], parts: Mapping[str, Any], *, required: bool) -> Leaf | Fields:
    several = [one for one in schema.get("anyOf", (schema,)) if one.get("type") != "null"]
    one = several[0]
    if "$ref" in one:
        name = one["$ref"].rpartition("/")[2]
        if name == "ProcessRef":
            return Leaf("process", required)
        return _object(parts[name], parts, required=required)
    match one.get("type"):
        case "boolean":
            return Leaf("flag", required, ("true", "false"))
        case "integer":
            return _number(one, required=required)
        case "array":
            return Leaf("lines", required)
        case "object":
            return Leaf("pairs", required)
        case _:
            return _string(one, required=required)


def _number(schema: Mapping[str, Any], *, required: bool) -> Leaf:
    levels = range(schema["minimum"], schema["maximum"] + 1)
    return Leaf("number", required, tuple(map(str, levels)))


def _string(schema: Mapping[str, Any], *, required: bool) -> Leaf:
    formats: dict[str, Asked] = {"date": "date", "date-time": "instant"}
    if "enum" in schema:
        return Leaf("choice", required, tuple(schema["enum"]))
    if schema.get("format") in formats:
        return Leaf(formats[schema["format"]], required)
    if str(schema.get("description", "")).startswith("A "):  # an amount, a percentage, a share
        return Leaf("decimal", required)
    most = schema.get("maxLength")
    return Leaf("text" if most == _LONG else "line", required, most=most)


def _value(field: Leaf, text: str) -> object:
    """Read what was filled in; what cannot be read goes on as it is, to be refused by its field."""
    if not text:
        return None
    match field.asked:
        case "number":
            digits = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
            return int(text) if digits else text
        case "flag":
            return {"true": True, "false": False}.get(text, text)
        case "lines":
            return _lines(text)
        case "pairs":
            return _pairs(text)
        case "process":
            name, _, version = text.rpartition(" ")
            return {"id": name, "version": _value(Leaf("number", required=True), version)}
        case _:
            return text


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def _pairs(text: str) -> object:
    """Give names with what belongs to them; only names where nothing belongs to any."""
    lines = _lines(text)
    if not any(": " in line for line in lines):
        return lines
    return {name.strip(): rest.strip() for name, _, rest in (one.partition(": ") for one in lines)}


def _text(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case list():
            return "\n".join(map(str, value))
        case {"id": name, "version": version}:
            return f"{name} {version}"
        case dict():
            return "\n".join(f"{name}: {rest}" for name, rest in value.items())
        case _:
            return str(value)
