"""The shapes of imports of uploaded files."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field


class RejectAnswer(BaseModel):
    """A row that was not imported, and why."""

    file: str
    row: int
    reason: str


class NumberedReject(RejectAnswer):
    """A reject with its place among all of the import."""

    number: int


class ReportAnswer(BaseModel):
    """What an import did, or would do; `rejects` are the first hundred of `rejects_total`."""

    rows_read: int
    events_made: int
    deals: int
    duplicates: int
    rejects: list[RejectAnswer]
    rejects_total: int
    not_expressible: list[str]
    gaps: int
    notes: list[str]
    names: dict[str, str]
    dry_run: bool


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


class ImportAnswer(BaseModel):
    """An import; `report` once it is done, `problem` where it came to none."""

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
    report: ReportAnswer | None
    problem: str | None


class ListedImport(ImportAnswer):
    """An import in a list: its report without the rejects."""

    report: dict[str, Any] | None  # type: ignore[assignment]  # the report of a list is shorter


class ImportList(BaseModel):
    """Imports, the latest first; `next` is the id to go on before."""

    imports: list[ListedImport]
    next: str | None


class RejectList(BaseModel):
    """Rejects by file and row; `next` is the number to go on after."""

    rejects: list[NumberedReject]
    next: int | None
