"""Lines of an import as they are staged."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias
from uuid import UUID, uuid5

from api.storage.requests import new_event_id
from domain.events.base import DomainEvent
from domain.events.life import DealOpened

Row: TypeAlias = tuple[Any, ...]

_DEALS_REMEMBERED: Final = 2_000
"""Deals whose streams are not reckoned again: lines of one deal stand near each other."""
_FIRST, _EXPORTED = 0, (1 << 63) - 2
WRITTEN: Final = (1 << 63) - 1
"""The place of what no ledger exported, but for the opening of its deal: after what one did."""
_DEALS: Final = UUID("5b0f3c1e-6b0a-5f0e-9d7e-2f6f0d3f7a11")
"""The namespace that deal ids of imports are derived in; never changed."""


@lru_cache(maxsize=_DEALS_REMEMBERED)
def deal_stream_of(system: str, external_id: str) -> str:
    """The stream of a deal of a source: always the same, so that importers need no table of ids."""
    return f"deal:{uuid5(_DEALS, f'{system}/{external_id}')}"


def caller_of(system: str) -> str:
    """Who appends what an import of a source makes."""
    return f"import:{system}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What an event that a ledger exported keeps in another: its ids, and where it came from."""

    event_id: UUID
    stream_id: str
    system: str
    file_sha256: str | None = None
    position: int | None = None
    """Where it stood in that log, which tells the order of what shares a moment."""


class StagedLine(NamedTuple):
    """One checked event of a source; `stream` and `caused_by` use the source's own ids.

    What was exported by a ledger may name its cause by the id that it has there, too.
    """

    stream: str
    external_id: str
    data: DomainEvent
    occurred_at: datetime
    recorded_at: datetime | None
    actor: str
    file: str
    row: int
    on_behalf_of: str | None = None
    caused_by: str | None = None
    file_sha256: str | None = None
    event_id: UUID | None = None
    """The id that other lines know it by; one is made where nothing refers to it."""
    kept: Kept | None = None
    refers_to: UUID | None = None
    """The event that it is about, which must be a line of the import or in the log."""
    stated_at: datetime | None = None
    """Since when the source states it so; None if what it says under an id is said for ever."""


def staged_row(line: StagedLine, *, seq: int, system: str) -> Row:
    """A line as it is copied into the staging table.

    Raises:
        ValueError: it holds what no text column takes, or an instant without a zone.
    """
    is_deal = line.stream.startswith("deal:")
    external_stream = line.stream.removeprefix("deal:") if is_deal else None
    kept = line.kept
    other = None if kept is None or kept.system == system else kept.system
    _check_storable(line)
    # As texts: the driver takes three times as long to write an instant.
    occurred_at = line.occurred_at.isoformat()
    source_recorded_at = None if line.recorded_at is None else line.recorded_at.isoformat()
    return (
        seq,
        _stream_id(line, external_stream, system=system),
        is_deal,
        external_stream,
        line.external_id,
        line.event_id or new_event_id(),
        line.data.TOPIC,
        line.data.to_json().decode(),
        occurred_at,
        source_recorded_at,
        line.actor,
        line.on_behalf_of,
        line.caused_by,
        line.file,
        line.row,
        _file_sha256(line, other),
        other,
        _event_id(line.caused_by) if kept else None,
        line.refers_to,
        source_recorded_at or (occurred_at if is_deal else None),
        None if line.stated_at is None else line.stated_at.isoformat(),
        _place(line),
    )


def _file_sha256(line: StagedLine, other: str | None) -> str | None:
    """The file that told it, which an export is not of what it states the source of."""
    stated = line.kept.file_sha256 if line.kept else None
    return stated if stated or other else line.file_sha256


def _place(line: StagedLine) -> int:
    """Where a line stands among those of its moment: as in the log that it is from, or first."""
    if line.kept is not None and line.kept.position is not None:
        return line.kept.position
    if isinstance(line.data, DealOpened):
        return _FIRST
    return WRITTEN if line.kept is None else _EXPORTED


def _stream_id(line: StagedLine, external_stream: str | None, *, system: str) -> str:
    if line.kept is not None:
        return line.kept.stream_id
    return line.stream if external_stream is None else deal_stream_of(system, external_stream)


def _event_id(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _check_storable(line: StagedLine) -> None:
    texts = (line.stream, line.external_id, line.actor, line.on_behalf_of, line.caused_by)
    together = "".join(filter(None, texts))
    if "\x00" in together:
        raise ValueError("a text holds a NUL character")
    together.encode()
    for instant in (line.occurred_at, line.recorded_at):
        if instant is not None and instant.tzinfo is None:
            raise ValueError("an instant has no time zone")
