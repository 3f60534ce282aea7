"""One event of every type with hostile text in every field that takes text."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from pydantic import ValidationError

from api.exchange.told import Told
from domain.events.base import DomainEvent
from domain.events.catalogue import EVENT_TYPES
from domain.replay import Event
from domain.stamp import RecordedEvent, Source

GOLDEN: Final = Path(__file__).parents[1] / "golden"
START: Final = datetime(2025, 3, 31, 12, 0, 0, 123456, tzinfo=UTC)
LINE: Final = (
    "=cmd|' /C calc'!A0 +1 -2 @SUM(A1) <b>&amp;\"'</b> ]]> <!-- \u202ertl\u200f \u200b\u00a0"
    "\ufffe\uffff\U0001fffe \U0001f469\u200d\U0001f680 \u0301 \u2028 \u2029 \\u0041 %s {0} ,;| é"
)
"""One line that every format has some trouble with."""
TEXT: Final = (f"{LINE}\n\t{LINE}\n") * 60 + "'=quoted"
"""Many lines of the same, longer than a text may be."""


def hostile(event_type: type[DomainEvent], example: object, texts: Sequence[str]) -> object:
    """Give the example with each of its texts replaced by the first that the type takes there."""
    found = example
    for path in list(_paths(example)):
        for text in texts:
            tried = _with(found, path, text)
            try:
                event_type.model_validate_json(json.dumps(tried))
            except ValidationError:
                continue
            found = tried
            break
    return found


def _paths(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, str):
        yield path
    elif isinstance(value, Mapping):
        for name, part in value.items():
            yield from _paths(part, (*path, name))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _paths(part, (*path, index))


def _with(value: Any, path: tuple[str | int, ...], text: str) -> Any:
    if not path:
        return text
    first, *rest = path
    if isinstance(value, Mapping):
        return {n: _with(p, tuple(rest), text) if n == first else p for n, p in value.items()}
    return [_with(p, tuple(rest), text) if i == first else p for i, p in enumerate(value)]


def payloads(texts: Sequence[str]) -> list[DomainEvent]:
    """Give a payload of every type, made hostile with texts, of which the longest come first."""
    made = []
    for path in sorted(GOLDEN.glob("*.json")):
        event_type = EVENT_TYPES[".".join(path.name.split(".")[:3])]
        told = hostile(event_type, json.loads(path.read_bytes()), texts)
        made.append(event_type.model_validate_json(json.dumps(told)))
    return sorted(made, key=lambda one: one.TOPIC != "deal.deal_opened.v1")


def events_of(said: Sequence[DomainEvent], name: str) -> list[Event]:
    """Give payloads as the log holds them: of one deal or of the context, in the order given.

    `name` names people, and what else a stream is called after; every third event was imported
    from a system of that name, and every other one was caused by the one before.
    """
    made: list[Event] = []
    versions: dict[str, int] = {}
    for position, data in enumerate(said, start=1):
        stream_id = _stream(data, name)
        versions[stream_id] = versions.get(stream_id, 0) + 1
        at = START + timedelta(seconds=position)
        source = Source(name, f"{name[:400]}:{position}", None, "ab" * 32, at)
        told = RecordedEvent(
            event_id=_id(position),
            stream_id=stream_id,
            version=versions[stream_id],
            position=position,
            occurred_at=at - timedelta(hours=position),
            recorded_at=at,
            ingested_at=at,
            actor=name,
            data=data,
            on_behalf_of=name if position % 2 else None,
            channel="api" if position % 3 else "import",
            caused_by=_id(position - 1) if position > 1 and position % 2 else None,
            clock="server" if position % 3 else "source",
            source=None if position % 3 else source,
        )
        made.append(told)
    return made


def _id(number: int) -> UUID:
    return UUID(f"01900000-0000-7000-8000-{number:012}")


def _stream(data: DomainEvent, name: str) -> str:
    kind = data.TOPIC.split(".")[0]
    told = json.loads(data.to_json())
    match kind:
        case "deal":
            return "deal:01900000-0000-7000-9000-000000000000"
        case "quota" | "forecast":
            who = told.get("rep") or told.get("team") or name[:200].strip()
            return f"{kind}:{who}:{told.get('quarter', 'FY2026Q3')}"
        case "process":
            return f"process:{name[:200].strip()}"
        case _:
            return kind


def many(count: int, *, batch: int, deals: int = 50) -> Iterator[list[Told]]:
    """Give so many ordinary events, `deals` of each deal, made as they are taken."""
    said = [one for one in payloads([LINE[:40].strip()]) if one.TOPIC.startswith("deal.")]
    model = events_of(said, "ann")
    made: list[Told] = []
    for number in range(count):
        stream_id = f"deal:01900000-0000-7000-a000-{number // deals:012}"
        event = replace(
            model[number % len(model)],
            event_id=_id(number),
            stream_id=stream_id,
            version=number % deals + 1,
            position=number + 1,
        )
        made.append(Told(event, stream_id))
        if len(made) == batch:
            yield made
            made = []
    if made:
        yield made
