"""A deal of Pipedrive as snapshots: what it began with, and its changes one after the other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from api.exchange.deal_lines import SAME_MOMENT
from api.exchange.lines import JsonObject
from api.exchange.moments import moment_id, moments
from api.exchange.pipedrive_rows import DELETED, amount_value, day_value, parse_named
from api.exchange.records import instant_of, stamp, text_of
from domain.fiscal import local_day

STATE: Final = {
    "stage_id": "stage",
    "pipeline_id": "pipeline",
    "value": "amount",
    "currency": "currency",
    "expected_close_date": "close_date",
    "status": "status",
}
"""What a snapshot holds, by the field that says it."""
OWNERS: Final = ("user_id", "owner_id")
SILENT: Final = frozenset(
    {
        *STATE,
        *OWNERS,
        "add_time",
        "update_time",
        "stage_change_time",
        "won_time",
        "lost_time",
        "close_time",
        "lost_reason",
        "weighted_value",
        "probability",
        "label",
    }
)
"""Fields that are told by events of their own, or that follow from others."""
CLOSED: Final = {"won": "won", "lost": "lost"}
_TOLD_BY: Final = {
    "stage_id": ("stage_entered", "deal_moved_to_process"),
    "value": ("amount_changed",),
    "currency": ("amount_changed",),
    "expected_close_date": ("close_date_moved",),
    "status": ("deal_won", "deal_lost", "win_reversed", "deal_reopened"),
}
"""The events that changes of a field are told by."""


@dataclass(slots=True)
class DealHistory:
    """The changes of one deal, oldest first, and what they make of it."""

    record: JsonObject
    changes: Sequence[JsonObject]
    zone: str
    pipelines: Mapping[str, str]
    """The pipeline of a stage, by the stage's id."""
    opened: Mapping[str, object]
    """Each field as the ledger has the deal opened with it, as far as it has it."""
    holes: list[tuple[str, datetime, JsonObject]] = field(default_factory=list)
    """A field, the change before the missing one, and the row that shows that one is missing."""
    told: set[str] = field(default_factory=set)
    """The names of lines that only changes of the ledger make, which are not told again."""

    def snapshots(self) -> list[JsonObject]:
        """The deal at each moment; none where its history was not exported.

        Raises:
            BadRecordError: a change to a value that cannot be read.
        """
        if not self.changes and self.record["created"] != self.record["modified"]:
            return []
        self._find_holes()
        return list(self._rows())

    def _rows(self) -> Iterator[JsonObject]:
        state = self._beginning()
        created = entered_at = instant_of(self.record, "created")
        begun = min([created, *(instant_of(row, "at") for row in self._lasting)])
        if begun < created or not self._changed_at(created):
            # What a deal had merged into it may be older than the deal.
            yield self._row(state, created, 1, {}) | {"at": stamp(begun)}
        for at, number, changes in moments(
            (instant_of(row, "at"), text_of(row, "field"), row) for row in self._lasting
        ):
            told = {name: row for name, row in changes.items() if name in STATE}
            for name, row in told.items():
                state[STATE[name]] = _value(name, row["new"])
            entered_at = at if "status" in changes else entered_at
            explained = "lost_reason" in changes and state["status"] == "lost"
            if told or explained or "won_time" in changes or at == created:
                self._close(state, at, changes)
                row = self._row(state, at, number, changes)
                if row["closes"] == "lost":
                    row["loss_reason"] = self._reason(since=entered_at, upto=at)
                yield row

    @property
    def _lasting(self) -> list[JsonObject]:
        """The changes but for deletions, after which a deal stands as before."""
        return [row for row in self.changes if row["field"] != "status" or row["new"] != DELETED]

    def _changed_at(self, at: datetime) -> bool:
        return any(instant_of(row, "at") == at for row in self._lasting)

    def _beginning(self) -> JsonObject:
        """Each field as it was before its first change, or as it still is."""
        state: JsonObject = {key: self.record[key] for key in STATE.values()}
        # The currency is the present one, unless a change says which one it was.
        state |= {"closed_on": "", "status": "open", "currency": ""}
        for row in reversed(self.changes):
            name = text_of(row, "field")
            if name in STATE:
                state[STATE[name]] = _value(name, row["old"])
        return state | {STATE[name]: _value(name, value) for name, value in self.opened.items()}

    def _close(self, state: JsonObject, at: datetime, changes: dict[str, JsonObject]) -> None:
        """The day of a win: as its time was set by hand, else the day on which it was recorded."""
        if state["status"] != "won":
            state["closed_on"] = ""
        elif "won_time" in changes and changes["won_time"]["new"]:
            won = parse_named("won_time", text_of(changes["won_time"], "new"))
            state["closed_on"] = local_day(won, self.zone).isoformat()
        elif "status" in changes:
            state["closed_on"] = local_day(self._won_time(at), self.zone).isoformat()

    def _won_time(self, at: datetime) -> datetime:
        """When the win was that was recorded then; the deal itself says it of the last one."""
        fields = ("status", "won_time")
        later = [
            row
            for row in self._lasting
            if text_of(row, "field") in fields and instant_of(row, "at") > at
        ]
        return at if later or not self.record["won_time"] else instant_of(self.record, "won_time")

    def _row(
        self, state: JsonObject, at: datetime, number: int, changes: dict[str, JsonObject]
    ) -> JsonObject:
        first = next(iter(changes.values()), {})
        row: JsonObject = state | {
            "file": text_of(first, "file") or self.record["file"],
            "row": first.get("row") or self.record["row"],
            "id": moment_id(text_of(self.record, "id"), stamp(at), number),
            "at": stamp(at),
            "by": text_of(first, "by"),
            "pipeline": self.pipelines.get(text_of(state, "stage"), text_of(state, "pipeline")),
            "closes": CLOSED.get(text_of(state, "status")),
        }
        self._keep(text_of(row, "id"), changes)
        moved = changes.get("expected_close_date")
        if moved is not None and moved["bulk"]:
            row["moved_why"] = "One of many changed at once in Pipedrive."
        return row

    def _keep(self, moment: str, changes: Mapping[str, JsonObject]) -> None:
        """Note what the ledger has of a moment: all, or what fields tell that it has itself."""
        stated = {name for name, row in changes.items() if not row.get("known")}
        new = {kind for name in stated for kind in _TOLD_BY.get(name, ())}
        known = {kind for name in changes.keys() - stated for kind in _TOLD_BY[name]} - new
        if known and not stated:
            known.add("event_amended")
        self.told |= {f"{moment}:{kind}" for kind in known}

    def _reason(self, *, since: datetime, upto: datetime) -> str:
        """Why the deal was lost, as last stated with the loss or since, and not long before it.

        What a later change took it from was stated before; else the deal says it of its last loss.
        """
        stated = [
            (instant_of(row, "at"), row) for row in self.changes if row["field"] == "lost_reason"
        ]
        latest = max(upto, since + SAME_MOMENT)
        said = [row for at, row in stated if since - SAME_MOMENT <= at <= latest and row["new"]]
        if said:
            return text_of(said[-1], "new")
        turned = [instant_of(row, "at") for row in self._lasting if row["field"] == "status"]
        if any(at > since for at in turned):
            return ""
        later = [row for at, row in stated if at > latest]
        return text_of(later[0], "old") if later else text_of(self.record, "loss_reason")

    def _find_holes(self) -> None:
        created = self.record["created"]
        last = {name: {"new": value, "at": created} for name, value in self.opened.items()}
        for row in self.changes:
            name = text_of(row, "field")
            before = last.get(name)
            hidden = name == "status" and row["old"] == DELETED
            joins = before is None or hidden or _same(name, before, row)
            if name in STATE and before is not None and not joins:
                self.holes.append((STATE[name], instant_of(before, "at"), row))
            last[name] = row


def with_stated_end(record: JsonObject, changes: list[JsonObject]) -> list[JsonObject]:
    """The changes and, if none of them closed a deal that is closed, the closing it states."""
    status = text_of(record, "status")
    at = text_of(record, f"{status}_time") if status in CLOSED else ""
    if not changes or not at or any(row["field"] == "status" for row in changes):
        return changes
    closing: JsonObject = {"field": "status", "old": "open", "new": status, "at": at, "by": ""}
    closing |= {"bulk": False, "file": record["file"], "row": record["row"]}
    return sorted([*changes, closing], key=lambda row: text_of(row, "at"))


def _same(name: str, before: JsonObject, row: JsonObject) -> bool:
    return _value(name, before["new"]) == _value(name, row["old"])


def _value(name: str, value: object) -> str | None:
    if name == "value":
        return amount_value(name, value)
    if name == "expected_close_date":
        return day_value(name, value)
    return value if isinstance(value, str) else ""
