"""Tables that hold a row for each state of a deal: its rows compared, one after the other."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from api.exchange.context import ProcessInUse
from api.exchange.deal_lines import Deal, SourceContext, SourceNames
from api.exchange.instants import start_of_day
from api.exchange.lines import Findings, JsonObject, Line
from api.exchange.moments import moment_id
from api.exchange.openings import tell_deletion
from api.exchange.owners import tell_owner_changes
from api.exchange.profile import ColumnRole, Profile
from api.exchange.records import instant_of, one_line, place_of, stamp, text_of
from api.exchange.snapshots import tell_history

_NAMES: Final = SourceNames(system="the source", stages="the profile's stages")
_PLACE: Final = ("file", "row")
_NEEDED: Final[tuple[ColumnRole, ...]] = ("id", "owner", "stage", "recorded_on")


@dataclass(frozen=True, slots=True)
class HistoryTeller:
    """Tells deals by their rows, each of which holds from its time on."""

    profile: Profile
    process: ProcessInUse
    zone: str
    findings: Findings

    def deal(self, rows: list[JsonObject]) -> Iterator[Line]:
        """The lines of one deal; a row that stands twice is the same."""
        states = self._states(rows)
        if not states:
            return iter(())
        first, last = states[0], states[-1]
        record: JsonObject = last | {
            "id": rows[0]["id"],
            "created": text_of(first, "opened_at") or self._begun(text_of(rows[0], "id"), first),
            "created_by": first["by"],
            "name": first["name"],
            "account": first["account"],
            "account_name": first["account_name"],
            "modified": last["at"],
            "modified_by": last["by"],
            "custom": {},
        }
        deal = Deal(self._context, self.findings, record, states, owner=text_of(first, "owner"))
        deal.owners = [(text_of(state, "owner"), state) for state in states]
        tell_history(deal)
        tell_owner_changes(deal)
        tell_deletion(deal)
        return deal.in_order()

    def _begun(self, deal: str, first: JsonObject) -> str:
        return stamp(self.process.begun(deal, instant_of(first, "at")))

    @property
    def _context(self) -> SourceContext:
        return SourceContext(
            names=_NAMES,
            profile=self.profile,
            processes={"": self.process},
            zone=self.zone,
            stages={},
            closes={stage.name: stage.closes for stage in self.profile.stages},
            checkboxes=frozenset(),
            whole_states=True,
        )

    def _states(self, rows: list[JsonObject]) -> list[JsonObject]:
        """The rows in order, each once, named by deal and moment."""
        found: list[JsonObject] = []
        seen: set[frozenset[tuple[str, object]]] = set()
        numbers: dict[str, int] = {}
        for row in sorted(self._read(rows), key=lambda row: (text_of(row, "at"), *place_of(row))):
            said = frozenset((key, value) for key, value in row.items() if key not in _PLACE)
            if said in seen:
                self.findings.duplicates += 1
                continue
            seen.add(said)
            at = text_of(row, "at")
            numbers[at] = numbers.get(at, 0) + 1
            found.append(row | {"id": moment_id(text_of(row, "id"), at, numbers[at])})
        return found

    def _read(self, rows: list[JsonObject]) -> Iterator[JsonObject]:
        """The rows as states, with the time since when each holds; a bad one is a reject."""
        stages = {stage.name for stage in self.profile.stages}
        for row in rows:
            empty = next((role for role in _NEEDED if not row.get(role)), None)
            if empty is not None:
                column = (self.profile.columns_of(empty) or [empty])[0]
                self.findings.reject(*place_of(row), f"{column}: empty")
            elif row["stage"] not in stages:
                column = (self.profile.columns_of("stage") or ["stage"])[0]
                reason = f"{column}: {row['stage']!r} is not in the profile's stages"
                self.findings.reject(*place_of(row), reason)
            else:
                yield self._state(row)

    def _state(self, row: JsonObject) -> JsonObject:
        account = one_line(text_of(row, "account"))
        return row | {
            "at": self._instant(row, "recorded_on"),
            "opened_at": self._instant(row, "opened_on"),
            "by": row["owner"],
            "account": account,
            "account_name": account,
            "amount": row.get("amount"),
            "close_date": row.get("close_date"),
            "loss_reason": row.get("lost_reason") or "",
            "currency": row.get("currency") or "",
            "pipeline": "",
        }

    def _instant(self, row: JsonObject, role: str) -> str:
        """The instant that a role states: of a day its beginning; empty where there is none."""
        day = text_of(row, role)
        start = start_of_day(date.fromisoformat(day), self.zone) if day else None
        return text_of(row, f"{role}:at") or (stamp(start) if start else "")
