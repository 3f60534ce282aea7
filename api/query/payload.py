"""What the payloads of events can be asked for: every path, and what kinds of values lie there."""

import types
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Final, Literal, TypeAlias, Union, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel

from domain.events.catalogue import EVENT_TYPES

Kind: TypeAlias = Literal[
    "text", "number", "truth", "day", "instant", "texts", "object", "anything"
]
"""What lies at a path; `texts` is a list of texts, `anything` what no event type pins down."""
_Found: TypeAlias = Iterator[tuple[tuple[str, ...], Kind]]
_SCALARS: Final[tuple[tuple[type, Kind], ...]] = (
    (bool, "truth"),
    (int, "number"),
    (Decimal, "number"),
    (datetime, "instant"),
    (date, "day"),
    (str, "text"),
    (UUID, "text"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """A path that some types of events have: the topics by what kind of value they have there."""

    path: tuple[str, ...]
    topics: Mapping[Kind, tuple[str, ...]]


@cache
def places() -> Mapping[str, Place]:
    """Give every path below `data.`, by its name; what lies deeper in a mapping has none."""
    found: dict[tuple[str, ...], dict[Kind, set[str]]] = defaultdict(lambda: defaultdict(set))
    for topic, event_type in EVENT_TYPES.items():
        for path, kind in _of_model(event_type, ()):
            found[path][kind].add(topic)
    return {".".join(path): _place(path, kinds) for path, kinds in sorted(found.items())}


def place_of(name: str) -> Place | None:
    """Give the place of a name below `data.`; None if no type of event has such a one."""
    known = places()
    if name in known:
        return known[name]
    path = tuple(name.split("."))
    above = (known.get(".".join(path[:end])) for end in range(len(path) - 1, 0, -1))
    open_above = next((place for place in above if place), None)
    topics = open_above.topics.get("anything") if open_above else None
    return Place(path, {"anything": topics}) if topics else None


def _place(path: tuple[str, ...], kinds: Mapping[Kind, set[str]]) -> Place:
    return Place(path, {kind: tuple(sorted(topics)) for kind, topics in sorted(kinds.items())})


def _of_model(model: type[BaseModel], above: tuple[str, ...]) -> _Found:
    if above:
        yield above, "object"
    for name, field in model.model_fields.items():
        yield from _of_type(field.annotation, (*above, field.alias or name))


def _of_type(annotation: Any, path: tuple[str, ...]) -> _Found:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in {Union, types.UnionType}:
        for one in arguments:
            if one is not types.NoneType:
                yield from _of_type(one, path)
    elif origin is Literal:
        yield path, "text"
    elif origin is list:
        inner = {kind for _, kind in _of_type(arguments[0], path)}
        yield path, "texts" if inner == {"text"} else "anything"
    elif hasattr(annotation, "__metadata__"):
        yield from _of_type(arguments[0], path)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from _of_model(annotation, path)
    else:
        yield path, _scalar(annotation)


def _scalar(annotation: Any) -> Kind:
    if not isinstance(annotation, type):
        return "anything"
    return next((kind for base, kind in _SCALARS if issubclass(annotation, base)), "anything")
