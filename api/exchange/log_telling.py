"""Events of a process log told as a deal's: each by what the profile says that its name means."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, cast

from api.exchange.context import (
    ContextStage,
    ContextWriter,
    KnownContext,
    ProcessInUse,
    declared_calendar,
    fiscal_zone,
)
from api.exchange.deal_groups import OWN, DealGroup, by_deal
from api.exchange.instants import won_at
from api.exchange.known_deals import KnownDeal
from api.exchange.lines import ExportRefusedError, Findings, JsonObject, Line
from api.exchange.log_fields import FieldReader
from api.exchange.opened_in_time import opened_in_time
from api.exchange.owners import NOBODY
from api.exchange.profile import IGNORED, EventMapping, Profile
from api.exchange.records import instant_of, one_line, place_of, stamp, text_of
from api.exchange.spool import Key, Spool
from api.exchange.won_again import CLOSINGS, reopened_in_time
from domain.events.catalogue import STREAM_KINDS
from domain.fiscal import local_day

EVENT: Final = 1
"""The kind of a row that is an event; a deal's own row holds what is known of its case."""
ALWAYS: Final = ""
"""The time of an attribute of a case that never changes."""
_SHOWN: Final = 8
"""Names of events that a refusal lists."""


class UnmappedLogError(ExportRefusedError):
    """The profile says of no event of a log what it means."""


@dataclass(slots=True)
class LogSpool:
    """The events of a log sorted by deal and time, and what was seen on the way."""

    profile: Profile
    rows: Spool
    findings: Findings
    earliest: datetime | None = None
    told: bool = False
    """Whether any event says something."""

    def event(self, record: JsonObject, *, at: datetime, sequence: str = "") -> None:
        """Keep an event, if it says something."""
        if self.takes(text_of(record, "name")):
            self.keep(record, at=at, sequence=sequence)

    def takes(self, name: str) -> bool:
        """Whether events of that name say something; one that does not is counted."""
        said = mappings_of(self.profile, name)
        if not said:
            self.findings.lacks_event(one_line(name))
            return False
        self.told = True
        if any(mapping.type == IGNORED for mapping in said):
            self.findings.note(f"events called {one_line(name)!r} were ignored, as declared")
            return False
        return True

    def keep(self, record: JsonObject, *, at: datetime, sequence: str = "") -> None:
        """Keep what an event says: `case`, `name`, `key`, `by`, `recorded`, `attributes`, place."""
        self.earliest = min(self.earliest or at, at)
        file, row = place_of(record)
        key: Key = [text_of(record, "case"), EVENT, stamp(at), sequence, file, row]
        self.rows.add(key, record | {"at": stamp(at)})

    def case(self, case: str, attributes: Mapping[str, list[list[str]]], file: str) -> None:
        """Keep the attributes of a case: of each its values and since when they were so."""
        record: JsonObject = {"id": case, "attributes": dict(attributes), "file": file, "row": 0}
        self.rows.add([case, OWN, ALWAYS, "", file, 0], record)


def mappings_of(profile: Profile, name: str) -> Sequence[EventMapping]:
    """What an event of that name says: as declared, or what one of our own types does."""
    if name in profile.events:
        return profile.events[name]
    return [EventMapping(type=name)] if STREAM_KINDS.get(name) == "deal" else []


@dataclass(slots=True)
class LogTelling:
    """The second half of reading a log: its context, then deal by deal."""

    profile: Profile
    known: KnownContext
    system: str
    findings: Findings
    file: str
    opens: bool = True
    """Whether an event of a deal that nothing opens opens it; else the deal must be known."""

    def lines(self, spool: LogSpool) -> Iterator[Line]:
        """The lines of the log; none where no event of it is told.

        Raises:
            ExportRefusedError: the profile says of no event what it means.
        """
        if spool.earliest is None:
            self._ensure_mapped(spool)
            return
        writer = ContextWriter(
            known=self.known,
            findings=self.findings,
            system=self.system,
            earliest=spool.earliest,
        )
        calendar = declared_calendar(writer, self.profile, file="profile")
        yield from [calendar] if calendar else []
        process, line = self._process(writer)
        yield from [line] if line else []
        self._say_what_lacks()
        zone = fiscal_zone(self.profile, self.known)
        for case, group in by_deal(spool.rows, self.known, self.system):
            rows = DealGroup(case, [(key[1], row) for key, row in group])
            yield from _Case(self, rows, process, zone).lines()

    def _ensure_mapped(self, spool: LogSpool) -> None:
        names = ", ".join(list(self.findings.unmapped_events)[:_SHOWN])
        if names and not spool.told:
            raise UnmappedLogError(
                f"the profile maps none of the events, whose names are: {names}; declare `events`",
                file=self.file,
            )

    def _process(self, writer: ContextWriter) -> tuple[ProcessInUse | None, Line | None]:
        if not self.profile.stages:
            self.findings.note("the profile declares no stages: deals follow the built-in process")
            return None, None
        stages = [
            ContextStage(one.name, one.name, one.goal, one.closes) for one in self.profile.stages
        ]
        for closes in ("won", "lost"):
            if closes not in [stage.closes for stage in stages]:
                raise ExportRefusedError(
                    f"the profile declares no stage in which a deal is {closes}", file=self.file
                )
        return writer.process(
            process_id=self.profile.process or self.system,
            stages=stages,
            profile=self.profile,
            file=self.file,
        )

    def reopening_reverses(self, row: JsonObject) -> bool:
        """Whether a won deal that this event reopens is won no more.

        It is where the profile says that the event reopens deals, and has none that reverses
        their wins: such a source knows one way back. Events of our own types know both.
        """
        declared = text_of(row, "name") in self.profile.events
        return declared and "win_reversed" not in self._declared

    @property
    def _declared(self) -> set[str]:
        return {one.type for mapped in self.profile.events.values() for one in mapped}

    def _say_what_lacks(self) -> None:
        said = self._declared
        for event in ("outcome_evidenced", "customer_commitment_recorded"):
            if self.profile.events and event not in said:
                self.findings.lacks(f"{event}: no event of the log is declared to say it")


@dataclass(slots=True)
class _Case:
    """One deal of a log."""

    telling: LogTelling
    group: DealGroup
    process: ProcessInUse | None
    zone: str
    made: list[Line] = field(default_factory=list)
    amount: JsonObject | None = None
    """The amount as last told, which a win without its own is for."""
    won: bool = False
    """Whether a win was told that still stands."""
    opening: tuple[JsonObject, JsonObject] | None = None
    """The first event that opens the deal, and what it says of it."""

    stored: KnownDeal = field(init=False)
    """What the ledger has of the deal."""
    known: bool = field(default=False, init=False)
    """Whether that was by an event by which this log would not open it."""

    def __post_init__(self) -> None:
        self.stored = self.telling.known.deal(self.telling.system, self.group.id)

    @property
    def opened(self) -> bool:
        return self.known or bool(self.made)

    def lines(self) -> Iterator[Line]:
        cases = [row for kind, row in self.group.rows if kind == OWN]
        attributes = _joined(cases)
        if len(cases) == len(self.group.rows):
            self.telling.findings.note("a deal without any event that is told was left out")
        rows = self.group.each(EVENT, self.telling.findings, by="key")
        self.opening = next(self._openings(rows, attributes), None)
        opening = self.stored.opening
        self.known = opening is not None and opening.external_id != self._opens_by(rows)
        if self.known and rows:
            # What happened before the first row is in the ledger alone.
            stood = self.stored.standing(before=instant_of(rows[0], "at"))
            self.won, self.amount = stood.won, stood.amount
        for row in rows:
            try:
                self._tell(row, attributes)
            except ValueError as error:
                self.telling.findings.reject(*place_of(row), str(error))
        return iter(reopened_in_time(self._opened_in_time(), self.telling.findings))

    def _opened_in_time(self) -> list[Line]:
        opening = self.stored.opening
        stored_at = None if opening is None else opening.at
        if self.known and not any(
            line.type in CLOSINGS and stored_at is not None and line.occurred_at < stored_at
            for line in self.made
        ):
            # Told at the opening, an earlier stage would be the one that the deal is in since.
            return self.made
        return opened_in_time(self.made, stored_at=stored_at, findings=self.telling.findings)

    def _opens_by(self, rows: list[JsonObject]) -> str:
        """The external id under which the log opens the deal, if nothing is known of it."""
        row = self.opening[0] if self.opening else rows[0] if rows else {}
        return f"{text_of(row, 'key')}:deal_opened"

    def _openings(
        self, rows: list[JsonObject], case: Mapping[str, list[list[str]]]
    ) -> Iterator[tuple[JsonObject, JsonObject]]:
        """The events that open the deal, but for those that cannot be read."""
        for row in rows:
            mapped = mappings_of(self.telling.profile, text_of(row, "name"))
            opening = next((one for one in mapped if one.type == "deal_opened"), None)
            if opening is not None:
                with suppress(ValueError):
                    yield row, self._read(row, opening, case)

    def _read(
        self, row: JsonObject, mapping: EventMapping, case: Mapping[str, list[list[str]]]
    ) -> JsonObject:
        held = cast("JsonObject", row["attributes"])
        attributes = _as_of(case, text_of(row, "at")) | held
        currency = None if self.amount is None else self.amount.get("currency")
        reader = FieldReader(self.telling.profile, *place_of(row), currency=currency)
        return reader.data(mapping, attributes)

    def _tell(self, row: JsonObject, case: Mapping[str, list[list[str]]]) -> None:
        mapped = mappings_of(self.telling.profile, text_of(row, "name"))
        told = [(one.type, self._read(row, one, case)) for one in mapped]
        if not self.opened and "deal_opened" not in [kind for kind, _ in told]:
            self._open_for(row, case)
        elif self.opening is not None and row is self.opening[0] and self.opened and not self.known:
            # It opened the deal already, at an earlier event of it.
            told = [one for one in told if one[0] != "deal_opened"]
        for kind, data in told:
            if kind == "deal_reopened" and self.won and self.telling.reopening_reverses(row):
                self._add(row, "win_reversed", {})
            self._add(row, kind, data)

    def _open_for(self, row: JsonObject, case: Mapping[str, list[list[str]]]) -> None:
        """Open the deal at an event of it: as the event says that opens it later, or as a stub."""
        if not self.telling.opens:
            raise ValueError(f"the deal {self.group.id} is not in the ledger: import it first")
        if self.opening is None:
            self._add(row, "deal_opened", self._read(row, _OPENING, case))
        else:
            opening, data = self.opening
            moment = {"at": row["at"], "recorded": row["recorded"]}
            self._add(opening | moment, "deal_opened", data)

    def _add(self, row: JsonObject, kind: str, data: JsonObject) -> None:
        if kind == "deal_opened":
            data = self._opening(row, data)
        elif kind == "deal_won":
            data = self._win(row, data)
        elif kind == "customer_commitment_recorded":
            data = {"commitment_id": text_of(row, "key")} | data
        amount = data.get("amount")
        self.amount = amount if isinstance(amount, dict) else self.amount
        at = instant_of(row, "at")
        told_at = instant_of(row, "recorded") if row["recorded"] else at
        occurred_at = self._occurred_at(kind, data, at)
        file, number = place_of(row)
        self.made.append(
            Line(
                stream=f"deal:{self.group.id}",
                external_id=f"{text_of(row, 'key')}:{kind}",
                type=kind,
                occurred_at=occurred_at,
                recorded_at=told_at,
                actor=text_of(row, "by") or self.telling.system,
                data=data,
                file=file,
                row=number,
            )
        )

    def _occurred_at(self, kind: str, data: JsonObject, at: datetime) -> datetime:
        """When something happened that the log tells of at that moment; a win on its close date."""
        if kind == "deal_won":
            on = date.fromisoformat(str(data["closed_on"]))
            told_at, at = at, won_at(closed_on=on, told_at=at, zone=self.zone)
            if self.known and at < told_at:
                # The turns that the ledger has of it are not read: who knows them must look.
                self.telling.findings.note(
                    "a win is dated before it was told, of a deal whose earlier events are not in "
                    "the file: where the deal was reopened since that day, the reopening stands"
                )
        if kind in ("deal_won", "win_reversed"):
            self.won = kind == "deal_won"
        return at

    def _opening(self, row: JsonObject, data: JsonObject) -> JsonObject:
        if self.known:
            raise ValueError(f"the ledger has the deal {self.group.id} opened by another event")
        if self.opened:
            raise ValueError("a second event that opens the deal")
        if "account" not in data:
            # One placeholder for each deal: a shared one would read as a customer that comes back.
            self.telling.findings.lacks("account: the log names none")
            data["account"] = {"id": f"unknown:{self.group.id}", "name": "Unknown account"}
        data = {"name": self.group.id, "owner": text_of(row, "by") or NOBODY} | data
        if self.process is None:
            return data
        opened = self.stored.opening
        return data | {"process": (opened and opened.process) or self.process.ref}

    def _win(self, row: JsonObject, data: JsonObject) -> JsonObject:
        net = data.get("net") or self._told_net(row) or self.amount
        if net is None:
            raise ValueError("net: won without an amount, so the win cannot be counted")
        on = local_day(instant_of(row, "at"), self.zone).isoformat()
        return {"closed_on": on} | data | {"net": net}

    def _told_net(self, row: JsonObject) -> object:
        """What a win was told to be for, if the ledger has it: its amount may have come since."""
        win = f"{text_of(row, 'key')}:deal_won"
        return self.stored.stated(win).get("net") if self.known else None


_OPENING: Final = EventMapping(type="deal_opened")


def _joined(cases: list[JsonObject]) -> dict[str, list[list[str]]]:
    found: dict[str, list[list[str]]] = {}
    for case in cases:
        for name, values in cast("dict[str, list[list[str]]]", case["attributes"]).items():
            found.setdefault(name, []).extend(values)
    return {name: sorted(values, key=lambda one: one[0]) for name, values in found.items()}


def _as_of(case: Mapping[str, list[list[str]]], at: str) -> JsonObject:
    """The attributes of a case as they were at that moment, what it changed itself included."""
    found: JsonObject = {}
    for name, values in case.items():
        since = [value for time, value in values if time <= at]
        if since:
            found[name] = since[-1]
    return found
