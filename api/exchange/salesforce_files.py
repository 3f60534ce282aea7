"""The files of a Salesforce weekly export: which object each holds, and its columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from api.exchange.lines import ExportRefusedError, Findings
from api.exchange.texts import CsvTable

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


@dataclass(frozen=True, slots=True)
class SalesforceFiles:
    """The files of one export by object; an object may have been split over several."""

    by_object: dict[str, tuple[Path, ...]]
    others: tuple[Path, ...]

    def has(self, name: str) -> bool:
        return name in self.by_object

    @property
    def all(self) -> list[Path]:
        return [path for paths in self.by_object.values() for path in paths]


def find_export(paths: Sequence[Path]) -> SalesforceFiles:
    """The export in these folders and files.

    Raises:
        ExportRefusedError: nothing there, no file of an object, or a needed object missing.
    """
    found: dict[str, list[Path]] = {}
    others: list[Path] = []
    for path in _files(paths):
        name = _BY_NAME.get(path.stem.lower()) if path.suffix.lower() == ".csv" else None
        if name is None:
            others.append(path)
        else:
            found.setdefault(name, []).append(path)
    if not found:
        raise ExportRefusedError(
            "not a Salesforce export: expected files named after objects, such as "
            "Opportunity.csv and OpportunityHistory.csv",
            file=str(paths[0]),
        )
    for name in NEEDED:
        if name not in found:
            raise ExportRefusedError(
                f"missing: a history cannot be told without the object {name}",
                file=f"{name}.csv",
            )
    return SalesforceFiles({name: tuple(files) for name, files in found.items()}, tuple(others))


def _files(paths: Sequence[Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        if not path.exists():
            raise ExportRefusedError("no such file or folder", file=str(path))
        if path.is_dir():
            files += sorted(one for one in path.iterdir() if one.is_file())
        else:
            files.append(path)
    return files


def check_columns(export: SalesforceFiles, *, encoding: str | None, delimiter: str) -> None:
    """Refuse a file that lacks a column its object is read by."""
    for name, paths in export.by_object.items():
        for path in paths:
            header = CsvTable(path, encoding=encoding, delimiter=delimiter).columns()
            for column in COLUMNS[name]:
                if column not in header:
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
