"""The shapes of imports of uploaded files."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field


class RejectAnswer(BaseModel):
    """A row that was not imported, and why."""

    file: str
    row: int
    reason: str


class NumberedReject(RejectAnswer):
    """A reject with its place among all of the import."""

    number: int


class ReportSummary(BaseModel):
    """What an import did, or would do."""

    rows_read: int
    events_made: int
    deals: int
    duplicates: int
    rejects_total: int
    not_expressible: list[str]
    gaps: int
    notes: list[str]
    names: dict[str, str]
    dry_run: bool


class ReportAnswer(ReportSummary):
    """What an import did, or would do; `rejects` are the first hundred of `rejects_total`."""

    rejects: list[RejectAnswer]


class ProgressAnswer(BaseModel):
    """How far an import is, as of `told_at`."""

    step: Literal["unpacking", "reading", "appending"] | None
    bytes_to_read: int | None = Field(description="Of the unpacked files; null until they are.")
    bytes_read: int
    rows_read: int
    events_made: int
    duplicates: int
    rejects: int
    told_at: datetime | None


class ListedImport(BaseModel):
    """An import; `report` once it is done, without its rejects; `problem` where there is none."""

    import_id: str
    state: Literal["waiting", "running", "done", "refused", "failed", "cancelled"]
    format: str
    file: str
    profile: str | None
    founding: bool
    dry_run: bool
    bytes: int
    sha256: str
    received_at: datetime
    received_from: str
    began_at: datetime | None
    ended_at: datetime | None
    attempts: int
    cancelling: bool
    progress: ProgressAnswer
    position: int | None = Field(description="The head of the log when it ended.")
    report: ReportSummary | None
    problem: str | None


class ImportAnswer(ListedImport):
    """An import with its first rejects, and what was declared for it."""

    report: ReportAnswer | None
    declared: str | None = Field(
        description="The profile of one's own that was sent along or lay among the files, in YAML."
    )


class ImportList(BaseModel):
    """Imports, the latest first; `next` is the id to go on before."""

    imports: list[ListedImport]
    next: str | None


class RejectList(BaseModel):
    """Rejects by file and row; `next` is the number to go on after."""

    rejects: list[NumberedReject]
    next: int | None
