"""The context that a source states once: its process, calendar and quotas, kept from repeating."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from api.exchange.known_deals import KnownDeal
from api.exchange.lines import Findings, JsonObject, Line
from api.exchange.profile import ActivityProfile, Profile
from api.exchange.records import stamp
from domain.events.catalogue import TYPES_BY_NAME, parse
from domain.fiscal import local_day
from domain.values import utc_instant


class KnownContext(Protocol):
    """What the ledger already holds of the context."""

    def context(self, stream: str) -> Sequence[tuple[str, Mapping[str, object]]]:
        """Type and payload of every event of a stream of context, in order."""
        ...

    def expect(self, system: str, deals: Sequence[str]) -> None:
        """Hear of which deals of a source all is asked until the next are named."""
        ...

    def latest(self, stream: str) -> datetime | None:
        """Until when a stream is told: its last event, or the last change that one was read from.

        None if it has no event.
        """
        ...

    def deal(self, system: str, deal: str) -> KnownDeal:
        """What is stored of a deal that was named last."""
        ...


class NoContext:
    """An empty ledger."""

    def context(self, stream: str) -> Sequence[tuple[str, Mapping[str, object]]]:
        return ()

    def expect(self, system: str, deals: Sequence[str]) -> None:
        return None

    def latest(self, stream: str) -> datetime | None:
        return None

    def deal(self, system: str, deal: str) -> KnownDeal:
        return KnownDeal()


@dataclass(frozen=True, slots=True)
class ContextStage:
    """A stage of the source's process; `closes` says how a deal ends there, if it does."""

    id: str
    name: str
    goal: str
    closes: str | None


@dataclass(frozen=True, slots=True)
class ProcessInUse:
    """The process of an import's new deals; a deal that is known stays with its own."""

    known: KnownContext
    system: str
    id: str
    version: int

    @property
    def ref(self) -> JsonObject:
        return {"id": self.id, "version": self.version}

    def begun(self, deal: str, first: datetime) -> datetime:
        """When a deal of which rows begin at a moment was begun: by then, or as the ledger has it.

        That has it earlier where the rows are only those of since an earlier import.
        """
        stored = self.deal(deal).opening
        return first if stored is None else min(first, stored.told_at)

    def deal(self, deal: str) -> KnownDeal:
        """What the ledger holds of a deal."""
        return self.known.deal(self.system, deal)


@dataclass(frozen=True, slots=True)
class ContextWriter:
    """Makes the lines of context that the ledger does not know yet.

    Context that the source does not date is as old as the source: it takes its earliest
    instant. What the ledger knows already counts as a duplicate and gives no line; where it
    differs, the difference is a new fact: another process version, a revised quota.
    """

    known: KnownContext
    findings: Findings
    system: str
    earliest: datetime

    def process(
        self, *, process_id: str, stages: Sequence[ContextStage], profile: Profile, file: str
    ) -> tuple[ProcessInUse, Line | None]:
        """The process with the version that these stages are, and its line if it is new."""
        content = _process(process_id, stages, profile)
        stream = f"process:{process_id}"
        versions = [data for kind, data in self.known.context(stream) if kind == _PROCESS]
        for data in versions:
            version = data["version"]
            if isinstance(version, int) and _same(_PROCESS, data, content | {"version": version}):
                self.findings.duplicates += 1
                return self._in_use(process_id, version), None
        version = len(versions) + 1
        data = content | {"version": version}
        line = self._line(stream, f"{stream}:{version}", _PROCESS, data, file=file)
        return self._in_use(process_id, version), line

    def _in_use(self, process_id: str, version: int) -> ProcessInUse:
        return ProcessInUse(self.known, self.system, process_id, version)

    def calendar(
        self,
        *,
        kind: str,
        zone: str,
        parameters: Mapping[str, object],
        effective_from: date | None,
        file: str,
    ) -> Line | None:
        """The line of a calendar, unless the ledger's newest is this one."""
        adopted = [data for _, data in self.known.context("calendar")]
        content: JsonObject = {"zone": zone, "kind": kind, "parameters": dict(parameters)}
        if adopted and {key: adopted[-1].get(key) for key in content} == content:
            self.findings.duplicates += 1
            return None
        since = effective_from or local_day(self.earliest, zone)
        data = content | {"effective_from": since.isoformat()}
        return self._line("calendar", f"calendar:{len(adopted) + 1}", _CALENDAR, data, file=file)

    def quota(
        self,
        *,
        rep: str,
        quarter: str,
        amount: JsonObject,
        told_at: datetime,
        changed_at: datetime | None,
        key: str,
        file: str,
        row: int,
    ) -> Line | None:
        """The line that makes this the quota, unless it is already, or was another by then.

        A quota is revised when it was changed, if the source says when: neither an older export
        nor the same again takes back what was told since. One that was changed before the ledger
        had any is told as set so at first, and its id says of when it is.
        """
        stream = f"quota:{rep}:{quarter}"
        stated = [data for _, data in self.known.context(stream) if "amount" in data]
        if stated and self._stands(stream, stated[-1], amount, told_at=told_at, changed=changed_at):
            return None
        known_at = ""
        if stated:
            told_at = changed_at or told_at
        elif changed_at and changed_at > told_at:
            self.findings.note("a quota was changed since it was set: what it was is not known")
            known_at = f":{stamp(changed_at)}"
        revised: JsonObject = {"amount": amount}
        return Line(
            stream=stream,
            external_id=f"{key}:{len(stated) + 1}{known_at}",
            type="quota_revised" if stated else "quota_assigned",
            occurred_at=told_at,
            recorded_at=told_at,
            actor=self.system,
            data=revised if stated else {"rep": rep, "quarter": quarter} | revised,
            file=file,
            row=row,
        )

    def _stands(
        self,
        stream: str,
        stated: Mapping[str, object],
        amount: JsonObject,
        *,
        told_at: datetime,
        changed: datetime | None,
    ) -> bool:
        """Whether the ledger's quota is this one, or one that was told of a later time."""
        if _same("quota_revised", {"amount": stated["amount"]}, {"amount": amount}):
            self.findings.duplicates += 1
            return True
        latest = self.known.latest(stream)
        later = bool(latest and (changed <= latest if changed else told_at < latest))
        if later:
            self.findings.note("a quota that the ledger has later was left as it is there")
        return later

    def _line(
        self, stream: str, external_id: str, kind: str, data: JsonObject, *, file: str
    ) -> Line:
        return Line(
            stream=stream,
            external_id=external_id,
            type=kind,
            occurred_at=self.earliest,
            recorded_at=None,
            actor=self.system,
            data=data,
            file=file,
            row=1,
        )


def fiscal_zone(profile: Profile, known: KnownContext) -> str:
    """The zone of fiscal days: as declared for the calendar, as the ledger has it, or as declared.

    UTC where nothing says.
    """
    if profile.calendar is not None:
        return profile.calendar.zone
    adopted = known.context("calendar")
    return str(adopted[-1][1]["zone"]) if adopted else profile.zone or "UTC"


def declared_calendar(writer: ContextWriter, profile: Profile, *, file: str) -> Line | None:
    """The line of the calendar that the profile declares; None if it declares none."""
    if profile.calendar is None:
        return None
    return writer.calendar(
        kind=profile.calendar.kind,
        zone=profile.calendar.zone,
        parameters=profile.calendar.parameters,
        effective_from=profile.calendar.effective_from,
        file=file,
    )


def changed_by(external_id: str) -> datetime | None:
    """Of when the row was that a quota was first told from, if its id says so."""
    try:
        return utc_instant(external_id.partition(":1:")[2])
    except ValueError:
        return None


_PROCESS = "process_published"
_CALENDAR = "calendar_adopted"


def _same(kind: str, one: Mapping[str, object], other: Mapping[str, object]) -> bool:
    event_type = TYPES_BY_NAME[kind]
    return parse(event_type, one) == parse(event_type, other)


def _process(process_id: str, stages: Sequence[ContextStage], profile: Profile) -> JsonObject:
    won = [stage.id for stage in stages if stage.closes == "won"]
    lost = [stage.id for stage in stages if stage.closes == "lost"]
    return {
        "name": process_id,
        "stages": [
            {
                "id": stage.id,
                "name": stage.name,
                "goal": stage.goal,
                "activities": [
                    _activity(name, activity)
                    for name, activity in profile.activities.items()
                    if activity.stage in (stage.id, stage.name)
                ],
            }
            for stage in stages
        ],
        "closing": {"won": _one_or_all(won), "lost": _one_or_all(lost)},
    }


def _one_or_all(ids: list[str]) -> str | list[str]:
    return ids[0] if len(ids) == 1 else ids


def _activity(name: str, activity: ActivityProfile) -> JsonObject:
    outcomes = [
        {"id": one.id or one.name, "name": one.name}
        | ({} if one.required_level is None else {"required_level": one.required_level})
        for one in activity.outcomes
    ]
    return {
        "id": activity.id or name,
        "name": name,
        "purpose": activity.purpose,
        "outcomes": outcomes,
    }
