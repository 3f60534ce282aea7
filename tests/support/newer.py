"""Exports imported one after the other into one log, and what stands of a deal then."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from api.exchange.importing import Format, LedgerContext, reader_for, run_import
from api.exchange.lines import ImportReport
from api.exchange.profile import Profile
from api.storage.event_store import EventStore
from domain.events.base import DomainEvent, type_name
from domain.replay import view

NOW: Final = datetime(2026, 1, 5, 12, tzinfo=UTC)
LATER: Final = "2025-06-01T09:00:00Z"


def imported(
    store: EventStore, name: Format, path: Path, profile: Profile | None = None, **how: Any
) -> ImportReport:
    reader = reader_for(name, [path], profile=profile, known=LedgerContext(store))
    return run_import(store, reader, now=NOW, **how)


def deal(store: EventStore, external_id: str, system: str) -> list[DomainEvent]:
    """What stands of a deal, in order."""
    (stream,) = store.stream_ids_of(external_id, system=system)
    return [event.data for event in view(store.stream(stream))]


def told(events: list[DomainEvent], kind: str) -> list[DomainEvent]:
    return [event for event in events if type_name(type(event)) == kind]


def in_pipedrive(content: Any, deal_id: int) -> Any:
    return next(one for one in content["data"] if one["id"] == deal_id)
