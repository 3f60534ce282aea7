"""Exports imported one after the other into one log, and what stands of a deal then."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeAlias

from api.exchange.importing import Format, LedgerContext, reader_for, run_import
from api.exchange.lines import ImportReport
from api.exchange.profile import Profile
from api.storage.event_store import EventStore
from domain.events.base import DomainEvent, type_name
from domain.replay import Event, view
from tests.support.exports import Rows, rewritten, rewritten_json
from tests.support.hubspot import PROFILE, changed, deal_in
from tests.support.hubspot import PROFILE as HUBSPOT

NOW: Final = datetime(2026, 1, 5, 12, tzinfo=UTC)
Versions: TypeAlias = list[dict[str, Any]]
"""The versions of a property of HubSpot, in the order of time."""
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


def in_salesforce(deleted: str, at: str) -> Callable[[str, Rows], Rows]:
    def change(name: str, rows: Rows) -> Rows:
        if name == "Opportunity":
            rows[0] |= {"IsDeleted": deleted, "LastModifiedDate": at.replace("T", " ").strip("Z")}
        return rows

    return change


def in_hubspot(deleted: str, at: str) -> Callable[[str, Any], Any]:
    def change(name: str, content: Any) -> Any:
        if name == "deals":
            content["results"][0].update(archived=deleted == "1", updatedAt=at)
        return content

    return change


def by_pipedrive(deleted: str, at: str) -> Callable[[str, Any], Any]:
    def change(name: str, content: Any) -> Any:
        if name == "deals_v2":
            in_pipedrive(content, 1001).update(is_deleted=deleted == "1", update_time=at)
        return content

    return change


Source: TypeAlias = tuple[Format, str, str, Any, Any, Profile | None]
"""A format, its folder of the pack, a deal, what copies an export, what deletes it, a profile."""
SOURCES: Final[list[Source]] = [
    (
        *("salesforce-csv", "salesforce_weekly_export", "0065g0000000TIuAAM"),
        *(rewritten, in_salesforce, None),
    ),
    ("hubspot", "hubspot_v3", "90000001", rewritten_json, in_hubspot, HUBSPOT),
    ("pipedrive", "pipedrive", "1001", rewritten_json, by_pipedrive, None),
]


class HubspotDeal:
    """Exports of one deal of HubSpot, imported one after the other."""

    id: Final = "90000001"

    def __init__(self, store: EventStore, source: Path, folder: Path) -> None:
        self._store = store
        self._source = source
        self._folder = folder

    def take(self, at: str, *, currency: str = "USD", **histories: Versions) -> ImportReport:
        """Import the deal as changed last then, with these histories in place of its own."""

        def change(content: Any) -> Any:
            one = deal_in(content, self.id)
            one["propertiesWithHistory"].pop("deal_currency_code", None)
            for name, versions in histories.items():
                one["propertiesWithHistory"][name] = versions[::-1]
                if versions:
                    one["properties"][name] = versions[-1]["value"]
            one["properties"]["deal_currency_code"] = currency
            one["updatedAt"] = at
            return content

        target = self._folder / str(len(list(self._folder.iterdir())))
        export = changed(self._source, target, deals=change)
        return imported(self._store, "hubspot", export, PROFILE)

    @property
    def events(self) -> Sequence[Event]:
        """All that was told of it."""
        (stream,) = self._store.stream_ids_of(self.id, system="hubspot")
        return self._store.stream(stream)
