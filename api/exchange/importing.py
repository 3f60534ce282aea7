"""One import from its files to the log: read, check, stage, append, report."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Final, Literal, Protocol, TypeAlias, get_args
from uuid import UUID

from api.exchange.checking import REFERRING, Checker, RefusedLineError
from api.exchange.cloudevents import CloudEventsReader
from api.exchange.context import KnownContext, changed_by
from api.exchange.csv_events import CsvEventsReader
from api.exchange.csv_table import CsvTableReader
from api.exchange.hubspot import HubspotReader
from api.exchange.known_deals import ASKED, KnownDeal
from api.exchange.lines import ExportRefusedError, Findings, ImportReport, Line, Reader
from api.exchange.ndjson import NdjsonReader
from api.exchange.ocel2 import OcelReader
from api.exchange.own_lines import SYSTEM, is_name
from api.exchange.own_tables import OwnCsvReader, OwnParquetReader, is_own_csv
from api.exchange.pipedrive import PipedriveReader
from api.exchange.profile import Profile
from api.exchange.salesforce import SalesforceReader
from api.exchange.salesforce_files import QUERY_RESULTS, WEEKLY_EXPORT
from api.exchange.xes import XesReader
from api.storage.event_store import EventStore
from api.storage.staged_lines import deal_stream_of
from api.storage.staging import Staging, StagingReport, UnstorableLineError
from domain.events.base import type_name
from domain.events.catalogue import EVENT_TYPES
from domain.replay import Event

Format: TypeAlias = Literal[
    "ndjson",
    "csv",
    "salesforce-csv",
    "salesforce-rest",
    "hubspot",
    "pipedrive",
    "cloudevents",
    "xes",
    "ocel2",
    "parquet",
]
Step: TypeAlias = Literal["read", "appended"]
Progress: TypeAlias = Callable[[Step, int], None]
"""Told how many more lines were read or are in the log."""

FORMATS: Final[tuple[Format, ...]] = get_args(Format)
_TOLD_EVERY: Final = 500
_GAP: Final = "deal.history_gap.v1"
_OF_A_DEAL: Final = [
    topic for topic, event_type in EVENT_TYPES.items() if type_name(event_type) in ASKED
]
"""What is looked up of the deals that come next."""
_CALENDAR: Final = "calendar"
_RESTATED: Final = "what an earlier export stated otherwise was amended"


class _ReaderOfFolders(Protocol):
    def __call__(
        self, paths: Sequence[Path], *, profile: Profile, known: KnownContext
    ) -> Reader: ...


FOLDERS: Final[dict[Format, _ReaderOfFolders]] = {
    "salesforce-csv": partial(SalesforceReader, layout=WEEKLY_EXPORT),
    "salesforce-rest": partial(SalesforceReader, layout=QUERY_RESULTS),
    "hubspot": HubspotReader,
    "pipedrive": PipedriveReader,
}
"""Formats of several files, found by their names in a folder or given one by one."""
_LOGS: Final[dict[Format, Callable[[Sequence[Path], Profile, KnownContext], Reader]]] = {
    "cloudevents": CloudEventsReader,
    "xes": XesReader,
    "ocel2": OcelReader,
}
"""Formats that hold events of any kind, of which the profile says what they mean."""


class LedgerContext:
    """What a ledger holds of the context, as readers ask for it."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._deals: dict[str, KnownDeal] = {}
        self._calendar: Sequence[tuple[str, Mapping[str, object]]] | None = None

    def context(self, stream: str) -> Sequence[tuple[str, Mapping[str, object]]]:
        if stream != _CALENDAR:
            return self._told(stream)
        # Asked for the zone of each day that a file states, and no import is appended meanwhile.
        if self._calendar is None:
            self._calendar = self._told(stream)
        return self._calendar

    def _told(self, stream: str) -> Sequence[tuple[str, Mapping[str, object]]]:
        return [
            (type_name(type(event.data)), json.loads(event.data.to_json()))
            for event in self._store.stream(stream)
        ]

    def expect(self, system: str, deals: Sequence[str]) -> None:
        streams = [deal_stream_of(system, deal) for deal in deals]
        events = self._store.of_topics(streams, _OF_A_DEAL)
        self._deals = {
            stream: KnownDeal(system, list(told))
            for stream, told in groupby(events, key=attrgetter("stream_id"))
        }

    def deal(self, system: str, deal: str) -> KnownDeal:
        return self._deals.get(deal_stream_of(system, deal), KnownDeal())

    def latest(self, stream: str) -> datetime | None:
        return max((_told_until(event) for event in self._store.stream(stream)), default=None)


def _told_until(event: Event) -> datetime:
    named = changed_by((event.source and event.source.external_id) or "")
    return max(event.occurred_at, named or event.occurred_at)


def reader_for(
    name: Format,
    paths: Sequence[Path],
    *,
    profile: Profile | None,
    known: KnownContext,
    now: datetime | None = None,
) -> Reader:
    """The reader of a format; `now` keeps what a table does not date from the days to come.

    Raises:
        ExportRefusedError: the files are not there, or need a profile that is not given.
    """
    if not paths:
        raise ExportRefusedError("no file was named", file=name)
    if name in FOLDERS:
        return FOLDERS[name](paths, profile=profile or Profile(), known=known)
    for path in paths:
        if not path.is_file():
            raise ExportRefusedError("no such file", file=str(path))
    if name in _LOGS:
        return _LOGS[name](paths, profile or Profile(), known)
    if name == "ndjson":
        return NdjsonReader(paths, system=(profile and profile.source) or SYSTEM)
    if name == "parquet":
        return OwnParquetReader(paths)
    return _table_reader(paths, profile, known, now)


def _table_reader(
    paths: Sequence[Path], profile: Profile | None, known: KnownContext, now: datetime | None
) -> Reader:
    if all(is_own_csv(path) for path in paths):
        return OwnCsvReader(paths)
    if profile is None:
        raise ExportRefusedError(
            "a table needs a profile that says what its columns mean", file=paths[0].name
        )
    if profile.events:
        return CsvEventsReader(paths, profile, known)
    return CsvTableReader(paths, profile, known, now)


def run_import(
    store: EventStore,
    reader: Reader,
    *,
    now: datetime,
    founding: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
    findings: Findings | None = None,
) -> ImportReport:
    """Import everything that the reader gives, or, dry, say what that would do.

    `findings` fills while the files are read, for whoever watches.

    Raises:
        ExportRefusedError: the structure of the input is wrong; nothing was written.
        LedgerNotEmptyError: a founding import into a ledger that has deals.
        LogUnavailableError: the database was lost; the import may be run again.
    """
    findings = findings or Findings()
    tell = progress or _silent
    with store.staging(system=reader.system) as staging:
        _stage(Checker(store, reader, now=now, founding=founding), staging, findings, tell)
        staging.reject_unopened()
        if not isinstance(reader, NdjsonReader):
            staging.reject_without_deals(rejected=bool(findings.rejects))
        if dry_run:
            staged = staging.check(founding=founding)
        else:
            staged = staging.append(
                founding=founding, progress=lambda count: tell("appended", count)
            )
        if staged.restated:
            findings.note(_RESTATED, times=staged.restated)
        for one in staging.rejects():
            findings.reject(one.file, one.row, one.reason)
    return _report(findings, staged, dry_run=dry_run)


def _stage(checker: Checker, staging: Staging, findings: Findings, tell: Progress) -> None:
    read = 0
    held: list[tuple[int, Line]] = []
    for line in checker.reader.lines(findings):
        if line.type in REFERRING and line.corrects is None:
            held.append((staging.reserve(), line))
        else:
            _add(line, checker, staging, findings)
        read += 1
        if read % _TOLD_EVERY == 0:
            tell("read", _TOLD_EVERY)
    for place, line in _knowing_what_they_are_about(held, checker, staging):
        _add(line, checker, staging, findings, place=place)
    tell("read", read % _TOLD_EVERY)


def _add(
    line: Line,
    checker: Checker,
    staging: Staging,
    findings: Findings,
    *,
    place: int | None = None,
) -> None:
    try:
        staging.add(checker.checked(line), place=place)
    except (RefusedLineError, UnstorableLineError) as error:
        findings.reject(line.file, line.row, str(error))


def _knowing_what_they_are_about(
    held: list[tuple[int, Line]], checker: Checker, staging: Staging
) -> Iterator[tuple[int, Line]]:
    """The lines with the event that each is about, which may stand anywhere in the source."""
    known: dict[str, tuple[str, UUID]] = {}
    for _, line in held:
        event_id = checker.event_id_of(line)
        known[line.external_id] = known[str(event_id)] = (line.type, event_id)
    wanted = {str(line.data.get("event_id")) for _, line in held}
    wanted = {name for name in wanted if is_name(name)}
    for name, (topic, event_id) in staging.named(wanted - known.keys()).items():
        known[name] = (type_name(EVENT_TYPES[topic]), event_id)
    for place, line in held:
        kind, about = known.get(str(line.data.get("event_id")), (None, None))
        yield place, line._replace(corrects=kind, about=about)


def _report(findings: Findings, staged: StagingReport, *, dry_run: bool) -> ImportReport:
    return ImportReport(
        rows_read=findings.rows_read,
        events_made=staged.appended,
        deals=staged.deals,
        duplicates=findings.duplicates + staged.duplicates,
        rejects=findings.rejects,
        not_expressible=tuple(findings.not_expressible),
        gaps=staged.topics.get(_GAP, 0),
        notes=tuple(findings.notes),
        names=findings.names,
        dry_run=dry_run,
    )


def _silent(_: Step, __: int) -> None:
    return None
