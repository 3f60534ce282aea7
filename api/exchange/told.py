"""What the log tells in other formats: an event beside the name of its stream, and its line."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

import orjson

from api.answers import json_bytes
from api.exchange.own_lines import SYSTEM
from domain.events.base import type_name
from domain.replay import Event

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "'")
"""What a spreadsheet takes for the beginning of a formula, and the mark that says it is none."""


@dataclass(frozen=True, slots=True)
class Told:
    """An event on its way out; `name` is the stream as a line names it, by the source's own id.

    `corrector` is the correction in force of it, where one is.
    """

    event: Event
    name: str
    corrector: Event | None = None

    @property
    def type(self) -> str:
        return type_name(type(self.event.data))

    @property
    def external_id(self) -> str:
        """The id that the source gave it; of an event that was told here, its own."""
        source = self.event.source
        return source.external_id if source and source.external_id else str(self.event.event_id)

    @property
    def told_at(self) -> datetime:
        """When the system of record was told, which a founding import takes for `recorded_at`.

        Never before it occurred: an ordinary import keeps what a founding one would refuse.
        """
        told_at = self.event.told_at
        return max(told_at, self.event.occurred_at) if self.event.ordinary_import else told_at

    @property
    def system(self) -> str | None:
        """The source, unless a line without one would come from it too."""
        source = self.event.source
        return source.system if source and source.system != SYSTEM else None

    @property
    def file_sha256(self) -> str | None:
        """The file that a source gave it in; of our own lines it is another in each ledger."""
        return self.event.source.file_sha256 if self.event.source and self.system else None


Batches: TypeAlias = Iterator[Sequence[Told]]
"""Events in the order of positions, some at a time."""


def line_json(told: Told) -> dict[str, object]:
    """Give the line of an event: the same in every ledger that founds itself on it, byte for byte.

    But for `position`, which is the same where a whole log was exported.
    """
    event = told.event
    line: dict[str, object] = {
        "position": event.position,
        "stream": told.name,
        "stream_id": event.stream_id,
        "external_id": told.external_id,
        "event_id": str(event.event_id),
        "type": told.type,
        "occurred_at": event.occurred_at,
        "recorded_at": told.told_at,
        "actor": event.actor,
    }
    if event.on_behalf_of is not None:
        line["on_behalf_of"] = event.on_behalf_of
    if event.caused_by is not None:
        line["caused_by"] = str(event.caused_by)
    if told.system is not None:
        sha256 = {"file_sha256": told.file_sha256} if told.file_sha256 else {}
        line["source"] = {"system": told.system} | sha256
    line["data"] = orjson.Fragment(event.data.to_json())
    return line


def line_bytes(told: Told) -> bytes:
    """Write the line of an event, without the end of a line."""
    return json_bytes(line_json(told))


def ndjson(batches: Batches) -> Iterator[bytes]:
    """Write Dealtrail's own lines."""
    for batch in batches:
        yield b"".join(line_bytes(told) + b"\n" for told in batch)


def instant_text(instant: datetime) -> str:
    """Write an instant as every answer does."""
    return json_bytes(instant).decode()[1:-1]
