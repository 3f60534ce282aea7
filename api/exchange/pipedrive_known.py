"""Changes of a deal of Pipedrive that the ledger has, where a newer export no longer has them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from api.exchange.known_deals import KnownDeal
from api.exchange.lines import JsonObject
from api.exchange.records import instant_of, stamp, text_of

_Series = Sequence[tuple[datetime, object]]

_OPEN: Final = ("status", "open")
"""How every deal begins, whatever a history says that begins later."""


@dataclass(frozen=True, slots=True)
class KnownChanges:
    """What the ledger has of the fields of one deal up to the time of an export."""

    opened: Mapping[str, object]
    """Each field as the deal was opened with it, as far as that was told."""
    series: Mapping[str, _Series]
    """What each field became since, in order."""
    upto: datetime
    """When the last of it was."""

    def fill(self, record: JsonObject, rows: Sequence[JsonObject]) -> list[JsonObject]:
        """The changes of an export, and of the ledger those of which it lacks the moment.

        A row of the ledger is marked as `known`: it makes no event again.
        """
        stated = {(row["field"], row["at"]) for row in rows}
        place = {"file": record["file"], "row": record["row"], "by": "", "bulk": False}
        added: list[JsonObject] = [
            place | {"field": name, "new": value, "at": stamp(at), "known": True}
            for name, series in self.series.items()
            for at, value in series
            if (name, stamp(at)) not in stated
        ]
        merged = sorted([*rows, *added], key=lambda row: text_of(row, "at"))
        return list(self._joined(merged))

    def beginning(self, rows: Sequence[JsonObject]) -> dict[str, object]:
        """What holds of the opening: as the ledger has it, but for fields told better since."""
        cut = any(row.get("known") for row in rows)
        of_field = {name: [row for row in rows if row["field"] == name] for name in self.opened}
        return {
            name: value
            for name, value in self.opened.items()
            if (name, value) == _OPEN or not self._told_better(name, of_field[name], cut=cut)
        }

    def _told_better(self, name: str, rows: Sequence[JsonObject], *, cut: bool) -> bool:
        """Whether the export has older changes of a field than the ledger.

        Or the ledger has none, and took for the opening what one of these changes made of it.
        """
        if not rows:
            return False
        series = self.series.get(name)
        if instant_of(rows[0], "at") < (series[0][0] if series else self.upto):
            return True
        return not (cut or series) and self.opened[name] in [row["new"] for row in rows]

    def _joined(self, rows: Iterable[JsonObject]) -> Iterator[JsonObject]:
        """The rows, those of the ledger with what the field was before."""
        last = dict(self.opened)
        for row in rows:
            name = text_of(row, "field")
            yield row | {"old": last.get(name, "")} if row.get("known") else row
            last[name] = row["new"]


def known_changes(record: JsonObject, known: KnownDeal) -> KnownChanges:
    """What the ledger has of a deal up to its last change in an export; nothing if it is new."""
    opening, modified = known.opening, instant_of(record, "modified")
    if opening is None:
        return KnownChanges(dict([_OPEN]), {}, modified)
    told: dict[str, list[tuple[datetime, object]]] = {
        "stage_id": list(known.stages),
        "value": _values(known, "amount"),
        "currency": _values(known, "currency"),
        "expected_close_date": _values(known, "close_date"),
        "status": [(at, end or "open") for at, end in known.turns],
    }
    opened: dict[str, object] = dict([_OPEN]) | {
        name: value
        for name, series in told.items()
        for at, value in series[:1]
        if at <= opening.told_at
    }
    opened |= _stated(known.stated(opening.external_id))
    series = {
        name: list(_changes(series, opened.get(name), opening.told_at, modified))
        for name, series in told.items()
    }
    return KnownChanges(opened, series, max(opening.told_at, known.changed or opening.told_at))


def _stated(opening: Mapping[str, object]) -> dict[str, object]:
    """What an opening says of the fields, as a newer export may have amended it."""
    money, day = opening.get("amount"), opening.get("close_date")
    found = {"expected_close_date": day} if day else {}
    if isinstance(money, dict):
        found |= {"value": money["amount"], "currency": money["currency"]}
    return found


def _values(known: KnownDeal, name: str) -> list[tuple[datetime, object]]:
    return [(at, told[name]) for at, told in known.values if name in told]


def _changes(
    series: _Series, before: object, since: datetime, upto: datetime
) -> Iterator[tuple[datetime, object]]:
    """What each moment after the opening left of a field that had another value before."""
    left = {at: value for at, value in series if since < at <= upto}
    for at, value in left.items():
        if value != before:
            yield at, value
        before = value
