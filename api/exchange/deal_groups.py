"""The rows of one deal, as they come from the disk: each once, by kind, with the deal's own."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from api.exchange.context import KnownContext
from api.exchange.lines import Findings, JsonObject
from api.exchange.records import place_of, text_of
from api.exchange.spool import Record, Spool

OWN = 0
"""The kind of the row that is the deal itself."""


def by_deal(rows: Spool, known: KnownContext, system: str) -> Iterator[tuple[str, list[Record]]]:
    """The rows by deal; the ledger is told which deals come, and looks them up together."""
    for batch in rows.batches():
        known.expect(system, [deal for deal, _ in batch])
        yield from batch


@dataclass(frozen=True, slots=True)
class DealGroup:
    """All rows that name one deal; the deal's own comes first."""

    id: str
    rows: list[tuple[str | int, JsonObject]]

    def record(self, findings: Findings) -> JsonObject | None:
        """The deal's own row; where there is none, the others are of nothing and rejected."""
        records = [row for kind, row in self.rows if kind == OWN]
        for other in records[1:]:
            if _stated(other) == _stated(records[0]):
                findings.duplicates += 1
            else:
                findings.reject(*place_of(other), f"id: {self.id} stands in another row too")
        for _, row in self.rows if not records else ():
            reason = f"the deal {self.id or '(no id)'} has no readable row"
            findings.reject(*place_of(row), reason)
        return records[0] if records else None

    def each(self, kind: int, findings: Findings, *, by: str = "id") -> list[JsonObject]:
        """The rows of a kind, each once; one that stands twice is the same."""
        found: dict[str, JsonObject] = {}
        for row in (row for of, row in self.rows if of == kind):
            first = found.setdefault(text_of(row, by), row)
            if first is not row and _stated(first) == _stated(row):
                findings.duplicates += 1
            elif first is not row:
                findings.reject(*place_of(row), "id: another row has this id")
        return list(found.values())


def _stated(row: JsonObject) -> JsonObject:
    return {key: value for key, value in row.items() if key not in ("file", "row")}


def inside(record: JsonObject, key: str) -> list[JsonObject]:
    """The rows that lie inside a record, at its place."""
    file, row = place_of(record)
    place: JsonObject = {"file": file, "row": row}
    return [one | place for one in cast("list[JsonObject]", record[key])]
