"""Any table with one row per deal, read by a declared profile: the last state, no history."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final, cast

from api.exchange.context import (
    ContextStage,
    ContextWriter,
    KnownContext,
    ProcessInUse,
    declared_calendar,
    fiscal_zone,
)
from api.exchange.csv_days import Days
from api.exchange.csv_history import HistoryTeller
from api.exchange.csv_values import Moment, declared_number, declared_rows, stated_moment
from api.exchange.deal_groups import by_deal
from api.exchange.instants import end_of_day, start_of_day
from api.exchange.known_deals import KnownDeal
from api.exchange.lines import ExportRefusedError, Findings, JsonObject, Line
from api.exchange.opened_in_time import opened_in_time
from api.exchange.profile import ColumnRole, Profile, StageProfile
from api.exchange.records import one_line, stamp, truth
from api.exchange.spool import Spool
from api.exchange.texts import CsvRow, CsvTable, ensure_column
from domain.fiscal import local_day
from domain.values import utc_instant

SYSTEM: Final = "csv"
"""The source of ids where the profile names no other."""

_REQUIRED: tuple[ColumnRole, ...] = ("id", "owner", "stage")
_EXPECTED: Final[ColumnRole] = "close_date"
_DAY: Final = timedelta(days=1)
_DAYS: tuple[ColumnRole, ...] = ("opened_on", "close_date", "closed_on", "recorded_on")


class _RefusedRowError(ValueError):
    """The row is not imported; the message says why."""


@dataclass(slots=True)
class CsvTableReader:
    """Reads tables of deals as their profile says; refuses them where it does not say enough."""

    files: Sequence[Path]
    profile: Profile
    known: KnownContext
    now: datetime | None = None
    """When it is read; None where the days that open deals expect are taken as they come."""
    _stages: dict[str, StageProfile] = field(init=False)

    def __post_init__(self) -> None:
        self._stages = {stage.name: stage for stage in self.profile.stages}

    @property
    def system(self) -> str:
        return self.profile.source or SYSTEM

    @property
    def _zone(self) -> str:
        """The zone of days, which have no time: that of fiscal quarters, as all days have it."""
        return fiscal_zone(self.profile, self.known)

    def lines(self, findings: Findings) -> Iterator[Line]:
        over = date.max if self.now is None else local_day(self.now, self._zone) - _DAY
        days = Days(over)
        with Spool() as spool:
            for path in self.files:
                self._check_declared(path)
                for row in declared_rows(self._table(path).rows(findings), self.profile):
                    self._spool(row, spool=spool, days=days, findings=findings)
            span = days.span
            if span.first is None or span.last is None:
                self._refuse_undated(spool, findings)
                return
            yield from self._lines_of(spool, first=span.first, last=span.last, findings=findings)

    def _refuse_undated(self, spool: Spool, findings: Findings) -> None:
        """Refuse a table none of whose rows states a date, if it has any.

        Beside rows that cannot be read the others are rejects too: the reasons of those are
        worth more than a refusal.
        """
        reason = "no row states a date, so no deal has a time"
        for _, row in spool:
            if not findings.rejects:
                raise ExportRefusedError(reason, file=self.files[0].name)
            findings.reject(str(row["file"]), cast("int", row["row"]), reason)

    def _table(self, path: Path) -> CsvTable:
        return CsvTable(path, encoding=self.profile.encoding, delimiter=self.profile.delimiter)

    def _check_declared(self, path: Path) -> None:
        """Refuse what the profile does not describe, before the first row is read."""
        for key in self._undeclared():
            raise ExportRefusedError(f"the profile declares no {key}", file=path.name)
        header = self._table(path).columns()
        for role in self.profile.columns:
            for column in self.profile.columns_of(role):
                ensure_column(column, header, key=f"columns.{role}", file=path.name)
        for stage in self.profile.stages:
            if stage.entered_on:
                ensure_column(stage.entered_on, header, key="stages.entered_on", file=path.name)

    def _undeclared(self) -> list[str]:
        missing = [
            f"`columns.{role}`"
            for role in _REQUIRED
            if not self.profile.columns_of(role) and role not in self.profile.defaults
        ]
        closes = {stage.closes for stage in self.profile.stages}
        if not {"won", "lost"} <= closes:
            missing.append("`stages` of which some close as won and some as lost")
        if self.profile.currency is None and not self.profile.columns_of("currency"):
            missing.append("`currency`")
        return missing

    def _value(self, row: CsvRow, role: ColumnRole) -> str:
        columns = self.profile.columns_of(role)
        return (row.get(columns[0]) if columns else "") or self.profile.defaults.get(role, "")

    def _spool(self, row: CsvRow, *, spool: Spool, days: Days, findings: Findings) -> None:
        roles = {**self.profile.columns, **self.profile.defaults}
        content: JsonObject = {role: self._value(row, role) for role in roles}
        names = (row.get(column) for column in self.profile.columns_of("name"))
        content["name"] = " - ".join(one_line(name) for name in names if name)
        content |= {"file": row.file, "row": row.row}
        stage = self._stages.get(str(content["stage"]))
        ahead = None if stage is not None and stage.closes else _EXPECTED
        try:
            for key, column in self._day_columns.items():
                found = stated_moment(row, column, self.profile)
                content[key] = found and found.day.isoformat()
                content[_at(key)] = found and found.at and stamp(found.at)
                # What an open deal expects is no day that had come when the file was written.
                if found is not None and key == ahead:
                    with suppress(_RefusedRowError):
                        days.expect(self._happened(found, column))
                elif found is not None:
                    days.happened.take(self._happened(found, column))
            content |= self._read(content)
        except ValueError as error:
            findings.reject(row.file, row.row, str(error))
            return
        spool.add([str(content["id"]), row.file, row.row], content)

    def _happened(self, found: Moment, column: str) -> date:
        """The day of what happened, if it can have."""
        try:
            utc_instant(found.start(self._zone))
        except ValueError as error:
            raise _RefusedRowError(f"{column}: {error}") from error
        return found.day

    @property
    def _day_columns(self) -> dict[str, str]:
        """Every column that holds a day, by what it says of the deal."""
        roles = {role: self.profile.columns_of(role) for role in _DAYS}
        return {str(role): columns[0] for role, columns in roles.items() if columns} | {
            _entered(stage): stage.entered_on for stage in self.profile.stages if stage.entered_on
        }

    def _read(self, content: JsonObject) -> JsonObject:
        """The values that are no texts: the amount as a payload has it, and a box."""
        deleted = truth(str(content.get("deleted") or ""))
        if not content.get("amount"):
            return {"amount": None, "deleted": deleted}
        column = (self.profile.columns_of("amount") or ["amount"])[0]
        style = self.profile
        try:
            amount = declared_number(
                str(content["amount"]), decimal=style.decimal, thousands=style.thousands
            )
        except ValueError as error:
            raise _RefusedRowError(f"{column}: {error}") from error
        return {"amount": amount, "deleted": deleted}

    def _lines_of(
        self, spool: Spool, *, first: date, last: date, findings: Findings
    ) -> Iterator[Line]:
        context = ContextWriter(
            known=self.known,
            findings=findings,
            system=self.system,
            earliest=start_of_day(first, self._zone),
        )
        file = self.files[0].name
        calendar = declared_calendar(context, self.profile, file=file)
        yield from [calendar] if calendar else []
        process_id = self.profile.process or self.system
        process, line = context.process(
            process_id=process_id,
            stages=[
                ContextStage(stage.name, stage.name, stage.goal, stage.closes)
                for stage in self.profile.stages
            ],
            profile=self.profile,
            file=file,
        )
        yield from [line] if line else []
        maker = _DealMaker(
            profile=self.profile,
            stages=self._stages,
            process=process,
            zone=self._zone,
            earliest=context.earliest,
            latest=end_of_day(last, self._zone),
            findings=findings,
        )
        history = HistoryTeller(self.profile, process, self._zone, findings)
        teller = history if self.profile.columns_of("recorded_on") else maker
        for _, rows in by_deal(spool, self.known, self.system):
            yield from teller.deal([row for _, row in rows])


def _at(key: str) -> str:
    """Where the instant of a day is kept, if the table states a time."""
    return f"{key}:at"


def _entered(stage: StageProfile) -> str:
    return f"entered:{stage.name}"


@dataclass(slots=True)
class _DealMaker:
    """Turns the one row of a deal into what it proves, and a gap where it proves nothing."""

    profile: Profile
    stages: dict[str, StageProfile]
    process: ProcessInUse
    zone: str
    earliest: datetime
    latest: datetime
    findings: Findings

    def deal(self, rows: list[JsonObject]) -> list[Line]:
        first = rows[0]
        for other in rows[1:]:
            if _stated(other) == _stated(first):
                self.findings.duplicates += 1
            else:
                file = "" if other["file"] == first["file"] else f"{first['file']}, "
                self._reject(other, f"id: {first['id']!r} also stands in {file}row {first['row']}")
        try:
            return self._lines(first)
        except ValueError as error:
            self._reject(first, str(error))
            return []

    def _reject(self, row: JsonObject, reason: str) -> None:
        self.findings.reject(str(row["file"]), cast("int", row["row"]), reason)

    def _lines(self, row: JsonObject) -> list[Line]:
        for role in _REQUIRED:
            if not row[role]:
                raise _RefusedRowError(f"{(self.profile.columns_of(role) or [role])[0]}: empty")
        stage = self.stages.get(str(row["stage"]))
        if stage is None:
            raise _RefusedRowError(
                f"{self.profile.columns_of('stage')[0]}: {row['stage']!r} is not in the "
                "profile's stages"
            )
        lines = self._opening(row, stage)
        lines += [] if stage.closes is None else self._closing(row, stage)
        opened_at = self._known(row).when(lines[0].external_id)
        lines = opened_in_time(lines, stored_at=opened_at, findings=self.findings)
        return [*lines, *self._deletion(row, lines)]

    def _known(self, row: JsonObject) -> KnownDeal:
        return self.process.deal(str(row["id"]))

    def _deletion(self, row: JsonObject, lines: list[Line]) -> list[Line]:
        if not row["deleted"]:
            return []
        self.findings.note("a deal is told as deleted at its last event: the table says not when")
        at = max(line.occurred_at for line in lines)
        return [self._line(row, "deal_deleted", "deleted", at, {})]

    def _opening(self, row: JsonObject, stage: StageProfile) -> list[Line]:
        at, dated = self._opened_at(row)
        told = self._known(row)
        known = told.stated(f"{row['id']}:opened")
        data: JsonObject = {
            "name": row["name"] or row["id"],
            "account": self._account(row),
            "owner": row["owner"],
            "process": known.get("process") or self.process.ref,
        }
        if stage.closes is None and row.get("amount"):
            data["amount"] = self._money(row)
        if stage.closes is None and row.get("close_date"):
            data["close_date"] = row["close_date"]
        if stage.closes is not None:
            # A deal that is known to have been open keeps what it was opened with.
            data |= {key: known[key] for key in ("amount", "close_date") if key in known}
        lines = [self._line(row, "deal_opened", "opened", at, data)]
        if not dated and not told.stated(f"{row['id']}:opening-gap"):
            gap: JsonObject = {
                "from": min(self.earliest, at).isoformat().replace("+00:00", "Z"),
                "to": at.isoformat().replace("+00:00", "Z"),
                "fields": ["opened_on"],
            }
            lines.append(self._line(row, "history_gap", "opening-gap", at, gap))
        if known and not dated and stage.closes is None:
            # The row was written again: it says of no other stage since when it is entered.
            at = told.when(f"{row['id']}:stage:{stage.name}") or self.latest
        return [*lines, *self._stages_before(row, stage, at)]

    def _opened_at(self, row: JsonObject) -> tuple[datetime, bool]:
        """When the deal was opened, and whether the row says it.

        One that says nothing was written when the file was, and so not before its latest date; a
        deal that the ledger has was opened when it says.
        """
        opened_on, closed_on = _moment(row, "opened_on"), _moment(row, "closed_on")
        if opened_on is not None:
            return opened_on.start(self.zone), True
        begun = self.latest if closed_on is None else start_of_day(closed_on.day, self.zone)
        return self._known(row).when(f"{row['id']}:opened") or begun, False

    def _stages_before(self, row: JsonObject, current: StageProfile, at: datetime) -> list[Line]:
        """The stages entered by the row's own dates, and the current one where it is open."""
        entered = [
            (stage, since.start(self.zone))
            for stage in self.stages.values()
            if stage.closes is None and (since := _moment(row, _entered(stage))) is not None
        ]
        if current.closes is None and current not in [stage for stage, _ in entered]:
            entered.append((current, at))
        return [self._stage_entered(row, stage, since) for stage, since in entered]

    def _stage_entered(self, row: JsonObject, stage: StageProfile, at: datetime) -> Line:
        return self._line(row, "stage_entered", f"stage:{stage.name}", at, {"stage": stage.name})

    def _closing(self, row: JsonObject, stage: StageProfile) -> list[Line]:
        closed_on = _moment(row, "closed_on") or _moment(row, "close_date")
        if closed_on is None:
            raise _RefusedRowError(f"closed as {stage.name!r} without a date of closing")
        at = closed_on.end(self.zone)
        entered = self._stage_entered(row, stage, at)
        if stage.closes == "lost":
            reason: JsonObject = {"reason": row["lost_reason"]} if row.get("lost_reason") else {}
            return [entered, self._line(row, "deal_lost", "lost", at, reason)]
        if not row.get("amount"):
            raise _RefusedRowError("won without an amount")
        won: JsonObject = {
            "net": self._money(row),
            "closed_on": local_day(at, self.zone).isoformat(),
        }
        return [entered, self._line(row, "deal_won", "won", at, won)]

    def _account(self, row: JsonObject) -> JsonObject:
        name = one_line(str(row.get("account") or ""))
        if not name:
            # One placeholder for each deal: a shared one would read as a customer that
            # comes back again and again.
            self.findings.lacks("account: the row names none")
            return {"id": f"unknown:{row['id']}", "name": "Unknown account"}
        segment = {"segment": row["segment"]} if row.get("segment") else {}
        return {"id": name, "name": name} | segment

    def _money(self, row: JsonObject) -> JsonObject:
        return {"amount": row["amount"], "currency": row.get("currency") or self.profile.currency}

    def _line(self, row: JsonObject, kind: str, key: str, at: datetime, data: JsonObject) -> Line:
        # The table does not say when its rows were written, so an event counts as recorded
        # when it happened.
        return Line(
            stream=f"deal:{row['id']}",
            external_id=f"{row['id']}:{key}",
            type=kind,
            occurred_at=at,
            recorded_at=at,
            actor=str(row["owner"]),
            data=data,
            file=str(row["file"]),
            row=cast("int", row["row"]),
        )


def _stated(row: JsonObject) -> JsonObject:
    return {key: value for key, value in row.items() if key not in ("file", "row")}


def _moment(row: JsonObject, role: str) -> Moment | None:
    day, at = row.get(role), row.get(_at(role))
    if not day:
        return None
    instant = datetime.fromisoformat(str(at)) if at else None
    return Moment(date.fromisoformat(str(day)), instant)
