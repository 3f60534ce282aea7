"""The files of a Salesforce export, CSV or query results: which object each holds, and how."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from api.exchange.csv_values import declared_rows
from api.exchange.folders import find_files
from api.exchange.lines import ExportRefusedError, Findings
from api.exchange.profile import Profile
from api.exchange.salesforce_rest import QueryResult
from api.exchange.texts import CsvRow, CsvTable

COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "Opportunity": (
        "Id",
        "Name",
        "StageName",
        "Amount",
        "CloseDate",
        "OwnerId",
        "CreatedDate",
        "LastModifiedDate",
    ),
    "OpportunityHistory": (
        "Id",
        "OpportunityId",
        "CreatedById",
        "CreatedDate",
        "StageName",
        "Amount",
        "CloseDate",
    ),
    "OpportunityStage": ("MasterLabel", "SortOrder", "IsClosed", "IsWon"),
    "OpportunityFieldHistory": (
        "Id",
        "OpportunityId",
        "CreatedById",
        "CreatedDate",
        "Field",
        "OldValue",
        "NewValue",
    ),
    "OpportunityLineItem": ("Id", "OpportunityId", "Quantity", "TotalPrice", "CreatedDate"),
    "Quote": ("Id", "OpportunityId", "CreatedDate"),
    "QuoteLineItem": ("Id", "QuoteId"),
    "Task": ("Id", "WhatId", "Subject", "IsClosed", "CompletedDateTime", "OwnerId"),
    "ForecastingQuota": ("Id", "QuotaOwnerId", "QuotaAmount", "StartDate", "CreatedDate"),
    "Period": ("Id", "Type", "StartDate", "EndDate"),
    "User": ("Id", "Name"),
    "Account": ("Id", "Name"),
}
"""The columns that each object is read by; others are welcome, these are needed."""
NEEDED: Final = ("Opportunity", "OpportunityHistory", "OpportunityStage")
"""Without these there is no history to tell; any other object may be missing."""

_BY_NAME: Final = {name.lower(): name for name in COLUMNS}


class Table(Protocol):
    """One file of records, whatever it is written in."""

    def columns(self) -> list[str] | None:
        """The names of its columns; None if nothing shows them."""
        ...

    def rows(self, findings: Findings) -> Iterator[CsvRow]: ...


@dataclass(frozen=True, slots=True)
class Layout:
    """A way in which Salesforce gives its objects away."""

    suffix: str
    table: Callable[[Path, Profile], Table]


WEEKLY_EXPORT: Final = Layout(
    ".csv",
    lambda path, profile: CsvTable(path, encoding=profile.encoding, delimiter=profile.delimiter),
)
QUERY_RESULTS: Final = Layout(".json", lambda path, profile: QueryResult(path, profile.encoding))


@dataclass(frozen=True, slots=True)
class SalesforceFiles:
    """The files of one export by object; an object may have been split over several."""

    layout: Layout
    by_object: dict[str, tuple[Path, ...]]
    others: tuple[Path, ...]

    def rows(self, name: str, profile: Profile, findings: Findings) -> Iterator[CsvRow]:
        """All records of an object; none if the export lacks it."""
        for path in self.by_object.get(name, ()):
            yield from declared_rows(self.layout.table(path, profile).rows(findings), profile)

    def file_of(self, name: str) -> str:
        """The file in which an object is, or would be."""
        return next((path.name for path in self.by_object.get(name, ())), name + self.layout.suffix)

    def has(self, name: str) -> bool:
        return name in self.by_object

    @property
    def all(self) -> list[Path]:
        return [path for paths in self.by_object.values() for path in paths]


def find_export(paths: Sequence[Path], layout: Layout) -> SalesforceFiles:
    """The export in these folders and files.

    Raises:
        ExportRefusedError: nothing there, no file of an object, or a needed object missing.
    """

    def object_of(path: Path) -> str | None:
        return _BY_NAME.get(path.stem.lower()) if path.suffix.lower() == layout.suffix else None

    folder = find_files(
        paths,
        object_of,
        expected="not a Salesforce export: expected files named after objects, such as "
        f"Opportunity{layout.suffix} and OpportunityHistory{layout.suffix}",
    )
    for name in NEEDED:
        if name not in folder.by_kind:
            raise ExportRefusedError(
                f"missing: a history cannot be told without the object {name}",
                file=name + layout.suffix,
            )
    return SalesforceFiles(layout, folder.by_kind, folder.others)


def check_columns(export: SalesforceFiles, profile: Profile) -> None:
    """Refuse a file that lacks a column its object is read by."""
    for name, paths in export.by_object.items():
        for path in paths:
            header = export.layout.table(path, profile).columns()
            for column in COLUMNS[name]:
                if header is not None and column not in header:
                    raise ExportRefusedError(
                        f"no column {column!r}, which the object {name} has",
                        file=path.name,
                        row=1,
                    )


def note_others(export: SalesforceFiles, findings: Findings) -> None:
    """Say which files of the folder were left alone, and which objects were not there."""
    for path in export.others:
        findings.note(f"{path.name} was not read: it is no object that is imported")
    for name in COLUMNS:
        if not export.has(name):
            findings.lacks(f"{name}: the export has no such file")
