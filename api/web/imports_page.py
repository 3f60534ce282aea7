"""What the pages of imports show: the form with its errors, the list, and what one came to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from api.exchange.importing import Format
from api.web import format as f
from api.web.reads import Answer

PATH: Final = "/imports"
FORMATS: Final[Mapping[Format, str]] = {
    "csv": "Table (CSV)",
    "salesforce-csv": "Salesforce weekly export (zip)",
    "salesforce-rest": "Salesforce query results (zip)",
    "hubspot": "HubSpot (zip)",
    "pipedrive": "Pipedrive (zip)",
    "ndjson": "Dealtrail lines (NDJSON)",
    "parquet": "Dealtrail export (Parquet)",
    "cloudevents": "CloudEvents 1.0",
    "xes": "XES log",
    "ocel2": "OCEL 2.0 log",
}
STATES: Final = {
    "waiting": "Waiting",
    "running": "Running",
    "done": "Done",
    "refused": "Refused as a whole",
    "failed": "Failed",
    "cancelled": "Cancelled",
}
STEPS: Final = {"unpacking": "Unpacking", "reading": "Reading", "appending": "Writing to the log"}
RUNNING: Final = ("waiting", "running")


@dataclass(frozen=True, slots=True)
class ImportForm:
    """The form as it was filled in, what is wrong with which field, and what was proposed.

    `held` names the file where it is here already, and then it need not be chosen again.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    field: str | None = None
    error: str | None = None
    held: str | None = None
    file: str = ""
    proposed: bool = False


@dataclass(frozen=True, slots=True)
class ImportLine:
    """An import of the list."""

    id: str
    file: str
    format: str
    size: str
    by: str
    at: str
    state: str
    good: bool
    runs: bool
    said: str
    dry_run: bool


@dataclass(frozen=True, slots=True)
class ImportsPage:
    """The list and the form, ready for their template; `form` is None for who may not import."""

    lines: tuple[ImportLine, ...]
    older: str | None
    first: bool
    form: ImportForm | None
    formats: tuple[tuple[str, str], ...]
    profiles: tuple[str, ...]
    most: int
    key: str


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was not imported, and why."""

    number: int
    file: str
    row: str
    reason: str


@dataclass(frozen=True, slots=True)
class ImportPage:
    """One import, ready for its template.

    `share` is how much of its files was read, in per cent; None before they are unpacked.
    """

    line: ImportLine
    headline: str
    step: str
    share: float | None
    figures: tuple[tuple[str, str], ...]
    asked: tuple[tuple[str, str], ...]
    declared: str | None
    problem: str | None
    cancellable: bool
    cancelling: bool
    not_expressible: tuple[str, ...]
    notes: tuple[str, ...]
    rejects: tuple[Reject, ...]
    rejects_total: int
    after: int
    following: int | None
    position: int | None


def imports_page(answer: Answer, form: ImportForm | None = None) -> ImportsPage:
    """Shape the list, with the form as it was filled in where it is shown again."""
    return ImportsPage(
        lines=tuple(_line(one, answer["names"]) for one in answer["imports"]),
        older=answer["next"],
        first=answer["before"] is None,
        form=(form or ImportForm()) if answer["may_import"] else None,
        formats=tuple(FORMATS.items()),
        profiles=tuple(answer["profiles"]),
        most=answer["most"],
        key=answer["key"],
    )


def import_page(answer: Answer) -> ImportPage:
    """Shape one import."""
    one, report = answer["import"], answer["import"]["report"]
    progress = one["progress"]
    to_read = progress["bytes_to_read"]
    line = _line(one, answer["names"])
    return ImportPage(
        line=line,
        headline=_headline(one, report),
        step=STEPS.get(progress["step"] or "", ""),
        share=None if not to_read else min(100.0, round(100 * progress["bytes_read"] / to_read, 1)),
        figures=tuple(_figures(report or progress)),
        asked=tuple(_asked(one, line)),
        declared=one["declared"],
        problem=one["problem"],
        cancellable=line.runs and answer["may_import"],
        cancelling=one["cancelling"],
        not_expressible=tuple(report["not_expressible"]) if report else (),
        notes=tuple(report["notes"]) if report else (),
        rejects=tuple(_reject(row) for row in answer["rejects"]),
        rejects_total=progress["rejects"],
        after=answer["after"],
        following=answer["next"],
        position=one["position"] if one["state"] == "done" else None,
    )


def _line(one: Mapping[str, Any], names: Mapping[str, str]) -> ImportLine:
    state, progress = one["state"], one["progress"]
    return ImportLine(
        id=one["import_id"],
        file=one["file"],
        format=FORMATS.get(one["format"], one["format"]),
        size=f.size(one["bytes"]),
        by=names.get(one["received_from"], one["received_from"]),
        at=f.moment(one["received_at"]),
        state=STATES[state],
        good=state == "done",
        runs=state in RUNNING,
        said=", ".join(_said(progress)),
        dry_run=one["dry_run"],
    )


def _said(progress: Mapping[str, Any]) -> Iterator[str]:
    yield f.count(progress["rows_read"], "row")
    yield f.count(progress["events_made"], "event")
    if progress["duplicates"]:
        yield f"{progress['duplicates']:,} known"
    if progress["rejects"]:
        yield f.count(progress["rejects"], "reject")


def _headline(one: Mapping[str, Any], report: Mapping[str, Any] | None) -> str:
    if report is None:
        return {
            "waiting": "It waits for its turn",
            "running": "It is being imported",
            "refused": "Nothing of it was imported",
            "failed": "It came to no end",
        }.get(one["state"], "It was ended before its end")
    if not report["events_made"] and report["duplicates"]:
        if report["rejects_total"]:
            return "Nothing was added: what was not rejected was known already"
        return "All of it was known already: nothing was added"
    events = f.count(report["events_made"], "event")
    deals = f.count(report["deals"], "deal")
    if report["dry_run"]:
        return f"A dry run: {events} of {deals} would be added, and nothing was"
    return f"{events} of {deals} were added"


def _figures(told: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give what was counted so far, or in the end."""
    yield "Rows read", f"{told['rows_read']:,}"
    yield "Events made", f"{told['events_made']:,}"
    if "deals" in told:
        yield "Deals", f"{told['deals']:,}"
    yield "Known already", f"{told['duplicates']:,}"
    rejects = told["rejects_total"] if "rejects_total" in told else told["rejects"]
    yield "Rejected", f"{rejects:,}"
    if "gaps" in told:
        yield "Gaps in its history", f"{told['gaps']:,}"


def _asked(one: Mapping[str, Any], line: ImportLine) -> Iterator[tuple[str, str]]:
    yield "File", f"{line.file}, {line.size}"
    yield "Format", line.format
    if one["profile"]:
        yield "Profile", one["profile"]
    elif one["declared"]:
        yield "Profile", "of one's own, as it stands below"
    yield "Sent by", f"{line.by}, {line.at}"
    if one["founding"]:
        yield "Founding", "with the recording times of its source"
    if one["began_at"]:
        yield "Began", f.moment(one["began_at"])
    if one["ended_at"]:
        yield "Ended", f.moment(one["ended_at"])
    if one["attempts"] > 1:
        yield "Attempts", f"{one['attempts']}, after a crash"
    yield "SHA-256", one["sha256"]


def _reject(row: Mapping[str, Any]) -> Reject:
    return Reject(row["number"], row["file"], f"{row['row']:,}", row["reason"])
