"""One import from its files to the log: read, check, stage, append, report."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, TypeAlias
from uuid import UUID

from pydantic import ValidationError

from api.exchange.context import KnownContext
from api.exchange.csv_table import CsvTableReader
from api.exchange.lines import ExportRefusedError, Findings, ImportReport, Line, Reader, Reject
from api.exchange.ndjson import SYSTEM, NdjsonReader
from api.exchange.profile import Profile, reasons
from api.exchange.salesforce_csv import SalesforceReader
from api.exchange.texts import sha256_of
from api.storage.event_store import EventStore
from api.storage.staged_lines import StagedLine
from api.storage.staging import Staging, StagingReport
from domain.events.base import DomainEvent, type_name
from domain.events.catalogue import TYPES_BY_NAME, parse
from domain.stamp import FUTURE_TOLERANCE

Format: TypeAlias = Literal["ndjson", "csv", "salesforce-csv"]
Step: TypeAlias = Literal["read", "appended"]
Progress: TypeAlias = Callable[[Step, int], None]
"""Told how many more lines were read or are in the log."""

FORMATS: Final[tuple[Format, ...]] = ("ndjson", "csv", "salesforce-csv")
_TOLD_EVERY: Final = 500
_GAP: Final = "deal.history_gap.v1"
_REFERENCE: Final = "event_id"
"""The field in which a correction names the event that it corrects."""


class _RefusedLineError(ValueError):
    """The line is no event that can be stored; the message says why."""


class LedgerContext:
    """What a ledger holds of the context, as readers ask for it."""

    def __init__(self, store: EventStore) -> None:
        self._store = store

    def context(self, stream: str) -> Sequence[tuple[str, Mapping[str, object]]]:
        return [
            (type_name(type(event.data)), json.loads(event.data.to_json()))
            for event in self._store.stream(stream)
        ]


def reader_for(
    name: Format, paths: Sequence[Path], *, profile: Profile | None, known: KnownContext
) -> Reader:
    """The reader of a format.

    Raises:
        ExportRefusedError: the files are not there, or need a profile that is not given.
    """
    if not paths:
        raise ExportRefusedError("no file was named", file=name)
    if name == "salesforce-csv":
        return SalesforceReader(paths, profile=profile or Profile(), known=known)
    for path in paths:
        if not path.is_file():
            raise ExportRefusedError("no such file", file=str(path))
    if name == "ndjson":
        return NdjsonReader(paths, system=(profile and profile.source) or SYSTEM)
    if profile is None:
        raise ExportRefusedError(
            "a table needs a profile that says what its columns mean", file=paths[0].name
        )
    return CsvTableReader(paths, profile=profile, known=known)


def run_import(
    store: EventStore,
    reader: Reader,
    *,
    now: datetime,
    founding: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Import everything that the reader gives, or, dry, say what that would do.

    Raises:
        ExportRefusedError: the structure of the input is wrong; nothing was written.
        LedgerNotEmptyError: a founding import into a ledger that has deals.
        LogUnavailableError: the database was lost; the import may be run again.
    """
    findings = Findings()
    tell = progress or _silent
    with store.staging(system=reader.system) as staging:
        _stage(_Checker(store, reader, now=now, founding=founding), staging, findings, tell)
        if dry_run:
            staged = staging.check(founding=founding)
        else:
            staged = staging.append(
                founding=founding, progress=lambda count: tell("appended", count)
            )
    return _report(findings, staged, dry_run=dry_run)


def _stage(checker: "_Checker", staging: Staging, findings: Findings, tell: Progress) -> None:
    read = 0
    for line in checker.reader.lines(findings):
        try:
            staging.add(checker.checked(line))
        except _RefusedLineError as error:
            findings.reject(line.file, line.row, str(error))
        read += 1
        if read % _TOLD_EVERY == 0:
            tell("read", _TOLD_EVERY)
    tell("read", read % _TOLD_EVERY)


def _report(findings: Findings, staged: StagingReport, *, dry_run: bool) -> ImportReport:
    rejects = [
        *findings.rejects,
        *(Reject(one.file, one.row, one.reason) for one in staged.rejects),
    ]
    return ImportReport(
        rows_read=findings.rows_read,
        events_made=staged.appended,
        deals=staged.deals,
        duplicates=findings.duplicates + staged.duplicates,
        rejects=tuple(sorted(rejects, key=lambda one: (one.file, one.row))),
        not_expressible=tuple(findings.not_expressible),
        gaps=staged.topics.get(_GAP, 0),
        notes=tuple(findings.notes),
        names=findings.names,
        dry_run=dry_run,
    )


@dataclass(slots=True)
class _Checker:
    """Checks lines one by one, and gives them as they are staged."""

    store: EventStore
    reader: Reader
    now: datetime
    founding: bool
    digests: dict[str, str]

    def __init__(self, store: EventStore, reader: Reader, *, now: datetime, founding: bool) -> None:
        self.store = store
        self.reader = reader
        self.now = now
        self.founding = founding
        self.digests = {path.name: sha256_of(path) for path in reader.files}

    def checked(self, line: Line) -> StagedLine:
        """The line as it is staged; _RefusedLineError if it cannot be an event."""
        line, referred = self._resolved(line)
        recorded_at = self._recorded_at(line)
        return StagedLine(
            stream=line.stream,
            external_id=line.external_id,
            data=_payload(line),
            occurred_at=line.occurred_at,
            recorded_at=recorded_at,
            actor=line.actor,
            on_behalf_of=line.on_behalf_of,
            caused_by=line.caused_by or referred,
            file=line.file,
            row=line.row,
            file_sha256=self.digests.get(line.file),
            event_id=self._event_id(line.external_id),
        )

    def _recorded_at(self, line: Line) -> datetime | None:
        """The source's recording time; of a founding line that has none, when it happened."""
        if line.occurred_at > self.now + FUTURE_TOLERANCE:
            raise _RefusedLineError(
                f"occurred_at: {line.occurred_at.isoformat()} lies in the future"
            )
        if not self.founding:
            return line.recorded_at
        recorded_at = line.recorded_at or line.occurred_at
        if line.occurred_at > recorded_at + FUTURE_TOLERANCE:
            raise _RefusedLineError(
                f"occurred_at: {line.occurred_at.isoformat()} lies after recorded_at "
                f"{recorded_at.isoformat()}"
            )
        return recorded_at

    def _resolved(self, line: Line) -> tuple[Line, str | None]:
        """A correction names its event by the source's id; the log knows it by ours.

        The second value is the source's id where the event is a line of this import, so that
        the staging refuses a correction of an event that is not there.
        """
        named = line.data.get(_REFERENCE)
        if not isinstance(named, str) or _REFERENCE not in TYPES_BY_NAME[line.type].model_fields:
            return line, None
        stored = self.store.by_external_ids(self.reader.system, [named]).get(named)
        if stored is not None:
            return _referring(line, stored.event_id), None
        if _is_uuid(named) and self.store.event(UUID(named)) is not None:
            return line, None
        return _referring(line, self._event_id(named)), named

    def _event_id(self, external_id: str) -> UUID:
        """A UUIDv7 that follows from this import's time and the source's id.

        A correction may come in the file before the event that it corrects, and both must
        know the id without a table of all ids.
        """
        digest = hashlib.sha256(f"{self.reader.system}\0{external_id}".encode()).digest()
        milliseconds = int(self.now.timestamp() * 1000)
        number = int.from_bytes(milliseconds.to_bytes(6, "big") + digest[:10], "big")
        number = number & ~(0xF << 76) | 0x7 << 76
        return UUID(int=number & ~(0x3 << 62) | 0x2 << 62)


def _payload(line: Line) -> DomainEvent:
    try:
        return parse(TYPES_BY_NAME[line.type], line.data)
    except ValidationError as error:
        raise _RefusedLineError(f"data.{reasons(error)}") from error
    except (ValueError, RecursionError) as error:
        raise _RefusedLineError(f"data: {error}") from error


def _referring(line: Line, event_id: UUID) -> Line:
    return replace(line, data=line.data | {_REFERENCE: str(event_id)})


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _silent(_: Step, __: int) -> None:
    return None
