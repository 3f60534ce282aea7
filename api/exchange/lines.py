"""What every reader gives: lines, rejects and findings, and the report that is made of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple, Protocol, TypeAlias
from uuid import UUID

from api.exchange.rejects import Reject, Rejects
from api.storage.staged_lines import Kept

JsonObject: TypeAlias = dict[str, object]

_MOST_NAMES: Final = 200
"""Names of events that are kept to be proposed; a log with more names them by their content."""


class Line(NamedTuple):
    """One event as a file states it, before it is checked.

    `recorded_at` is the source's own recording time, read by a founding import only; None
    for context that the source does not date. `row` counts records, the header being row 1.
    A tuple, since millions of them are made: a frozen dataclass takes twice as long.
    """

    stream: str
    external_id: str
    type: str
    occurred_at: datetime
    recorded_at: datetime | None
    actor: str
    data: JsonObject
    file: str
    row: int
    on_behalf_of: str | None = None
    caused_by: str | None = None
    corrects: str | None = None
    """The type of the event that it is about, where the reader knows it."""
    about: UUID | None = None
    """The event that it is about, where that is a line of the import."""
    kept: Kept | None = None
    """Of a line that a ledger exported: what its event keeps of it."""
    stated_at: datetime | None = None
    """Since when the source states it so, if it can come to state it otherwise."""


class ExportRefusedError(Exception):
    """The structure of the input is wrong, so nothing of it is imported."""

    def __init__(self, detail: str, *, file: str, row: int | None = None) -> None:
        place = file if row is None else f"{file}, row {row}"
        super().__init__(f"{place}: {detail}")
        self.detail = detail
        self.file = file
        self.row = row


@dataclass(slots=True)
class Findings:
    """What a reader notices on its way, beside the lines that it gives."""

    rows_read: int = 0
    duplicates: int = 0
    names: dict[str, str] = field(default_factory=dict)
    unmapped_fields: dict[str, None] = field(default_factory=dict)
    """Fields made by a customer that the profile says nothing of."""
    unmapped_events: dict[str, None] = field(default_factory=dict)
    """Names of a log's events that the profile says nothing of."""
    _rejects: Rejects = field(default_factory=Rejects)
    _not_expressible: dict[str, int] = field(default_factory=dict)
    _notes: dict[str, int] = field(default_factory=dict)

    def reject(self, file: str, row: int, reason: str) -> None:
        self._rejects.add(Reject(file, row, reason))

    def lacks(self, what: str) -> None:
        """Count something that the source holds or should hold and no event can say."""
        self._not_expressible[what] = self._not_expressible.get(what, 0) + 1

    def lacks_field(self, name: str, what: str) -> None:
        """Count a field, or a change of one, that the profile would have to map."""
        self.unmapped_fields[name] = None
        self.lacks(f"{what} {name}: the profile does not map it")

    def lacks_event(self, name: str) -> None:
        """Count an event of a log that the profile would have to map."""
        if len(self.unmapped_events) < _MOST_NAMES:
            self.unmapped_events[name] = None
        self.lacks(f"events called {name!r}: the profile does not map them")

    def note(self, what: str, times: int = 1) -> None:
        """Count a decision that a reader of the report should know of."""
        self._notes[what] = self._notes.get(what, 0) + times

    @property
    def rejects(self) -> Sequence[Reject]:
        """The rows that were not imported, by file and row."""
        return self._rejects

    @property
    def not_expressible(self) -> list[str]:
        return _counted(self._not_expressible)

    @property
    def notes(self) -> list[str]:
        return _counted(self._notes)


def _counted(found: dict[str, int]) -> list[str]:
    return [what if n == 1 else f"{what} ({n} times)" for what, n in sorted(found.items())]


class Reader(Protocol):
    """One format: refuses a wrong structure before it gives its first line."""

    @property
    def system(self) -> str:
        """The name under which the external ids of this source are unique."""
        ...

    @property
    def files(self) -> Sequence[Path]:
        """Every file that is read."""
        ...

    def lines(self, findings: Findings) -> Iterator[Line]:
        """The events of the source, rejects and notes going to the findings.

        Raises:
            ExportRefusedError: the structure is wrong; what was given before is void.
        """
        ...


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, or would do."""

    rows_read: int
    events_made: int
    deals: int
    duplicates: int
    rejects: Sequence[Reject]
    not_expressible: tuple[str, ...]
    gaps: int
    notes: tuple[str, ...] = ()
    names: dict[str, str] = field(default_factory=dict)
    dry_run: bool = False

    def to_json(self) -> JsonObject:
        """Give the whole report, all rejects in it."""
        return self.summary() | {
            "rejects": [
                {"file": one.file, "row": one.row, "reason": one.reason} for one in self.rejects
            ]
        }

    def summary(self) -> JsonObject:
        """Give the report without its rejects, of which a file may have any number."""
        return {
            "rows_read": self.rows_read,
            "events_made": self.events_made,
            "deals": self.deals,
            "duplicates": self.duplicates,
            "not_expressible": list(self.not_expressible),
            "gaps": self.gaps,
            "notes": list(self.notes),
            "names": dict(sorted(self.names.items())),
            "dry_run": self.dry_run,
        }
