"""XES, the standard of process mining: its traces as deals, its events as the profile says."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from api.exchange.context import KnownContext
from api.exchange.export_xes import CONTEXT, OWN_LINE
from api.exchange.instants import parse_instant
from api.exchange.lines import ExportRefusedError, Findings, JsonObject, Line
from api.exchange.log_telling import ALWAYS, LogSpool, LogTelling
from api.exchange.own_lines import SortedLines
from api.exchange.profile import Profile
from api.exchange.records import BadRecordError, NumberText, one_line, stamp
from api.exchange.spool import Spool
from api.exchange.xml_stream import Tag, xml_tags

MAX_ATTRIBUTES: Final = 10_000
"""Attributes of one event or trace, nested ones counted; real logs have some dozen."""
SYSTEM: Final = "xes"
"""The source of ids where the profile names no other."""

_NAME: Final = "concept:name"
_TIME: Final = "time:timestamp"
_RESOURCE: Final = "org:resource"
_TRANSITION: Final = "lifecycle:transition"
_IDENTITY: Final = "identity:id"
_COMPLETE: Final = "complete"
_VALUES: Final = frozenset({"string", "date", "int", "float", "boolean", "id", "list", "container"})
_NUMBERS: Final = frozenset({"int", "float"})
_IN_LOG: Final = 2
"""Levels down to what the log itself holds."""
_UNSET: Final = "__INVALID__"
"""What a log writes as the default of an attribute that has none."""


@dataclass(slots=True)
class XesReader:
    """Reads the events of traces; those of one moment stay in the order of the file."""

    files: Sequence[Path]
    profile: Profile
    known: KnownContext

    @property
    def system(self) -> str:
        return self.profile.source or SYSTEM

    def lines(self, findings: Findings) -> Iterator[Line]:
        with Spool() as rows, Spool() as exported:
            spool, own = LogSpool(self.profile, rows, findings), SortedLines(exported)
            for path in self.files:
                log = _Log(path.name, self.profile, spool, own, findings)
                for tag in xml_tags(path, root="log", encoding=self.profile.encoding):
                    log.take(tag)
                log.ensure_own()
            yield from own.lines(findings)
            if own.found and spool.earliest is None:
                return
            yield from LogTelling(
                self.profile, self.known, self.system, findings, self.files[0].name
            ).lines(spool)


@dataclass(slots=True)
class _Log:
    """One file, as far as it was read: the trace and the event that are being read."""

    file: str
    profile: Profile
    spool: LogSpool
    own: SortedLines
    findings: Findings
    row: int = 0
    keys: list[str] = field(default_factory=list)
    """The attributes that surround what is being read, each nested in the one before."""
    scope: str = ""
    defaults: dict[str, dict[str, str]] = field(default_factory=dict)
    """What an attribute of a trace or an event is where none is given."""
    trace: dict[str, str] = field(default_factory=dict)
    event: dict[str, str] = field(default_factory=dict)
    inside: str = ""
    """The innermost of log, global, trace and event."""
    traced: bool = False
    """Whether the log has a trace."""
    other: str = ""
    """An element that the log holds and XES does not have."""
    seen: dict[str, list[int]] = field(default_factory=dict)
    """The events of this name and time that the trace has had, each by the hash of all it says."""

    def take(self, tag: Tag) -> None:
        if tag.name in _VALUES:
            self._attribute(tag)
        elif tag.starts:
            self._begin(tag)
        else:
            self._end(tag)

    def _attribute(self, tag: Tag) -> None:
        if not tag.starts:
            self.keys.pop()
            return
        self.keys.append(tag.attributes.get("key", ""))
        held = self._held()
        if held is not None and len(held) > MAX_ATTRIBUTES:
            raise ExportRefusedError(
                f"an event of more than {MAX_ATTRIBUTES} attributes",
                file=self.file,
                row=self.row + 1,
            )
        if held is not None and "value" in tag.attributes:
            value = tag.attributes["value"].strip()
            held["/".join(self.keys)] = NumberText(value) if tag.name in _NUMBERS else value
        if not self.inside and self.keys == [CONTEXT, OWN_LINE]:
            self._take_own(tag.attributes.get("value", ""))

    def _held(self) -> dict[str, str] | None:
        match self.inside:
            case "event":
                return self.event
            case "trace":
                return self.trace
            case "global":
                return self.defaults.setdefault(self.scope, {})
            case _:
                return None

    def _begin(self, tag: Tag) -> None:
        match tag.name:
            case "global":
                self.inside, self.scope = "global", tag.attributes.get("scope", "event")
            case "objects" | "object-types" | "event-types":
                raise ExportRefusedError(
                    "another format: this is OCEL, where XES has traces", file=self.file
                )
            case "trace":
                self.traced = True
                self.inside, self.trace, self.seen = "trace", self._fresh("trace"), {}
            case "event":
                self.inside, self.event = "event", self._fresh("event")
            case "extension" | "classifier":
                pass
            case other if tag.depth == _IN_LOG:
                self.other = other
            case _:
                pass

    def _fresh(self, scope: str) -> dict[str, str]:
        """The defaults of the log, but for the time: a default of it would be invented."""
        return {
            key: value
            for key, value in self.defaults.get(scope, {}).items()
            if key != _TIME and value != _UNSET
        }

    def ensure_own(self) -> None:
        """Refuse a log of something else: one that holds no trace, and what XES does not have."""
        if self.other and not self.traced:
            raise ExportRefusedError(
                f"another format: a log of <{self.other}>, where XES has traces", file=self.file
            )

    def _end(self, tag: Tag) -> None:
        match tag.name:
            case "event":
                self._take_event()
                self.inside = "trace"
            case "trace":
                self._take_trace()
                self.inside = ""
            case "global":
                self.inside = ""
            case _:
                pass

    def _take_own(self, line: str) -> None:
        """Keep what a ledger exported as the line that it was."""
        self.row += 1
        self.findings.rows_read += 1
        self.own.add(line, file=self.file, row=self.row, findings=self.findings)

    def _take_event(self) -> None:
        if OWN_LINE in self.event:
            self._take_own(self.event[OWN_LINE])
            return
        self.row += 1
        self.findings.rows_read += 1
        transition = self.event.get(_TRANSITION, _COMPLETE).lower()
        if transition != _COMPLETE:
            self.findings.note(
                f"events of which only the {one_line(transition)!r} is told were left out"
            )
            return
        try:
            self._spool_event()
        except ValueError as error:
            self.findings.reject(self.file, self.row, str(error))

    def _spool_event(self) -> None:
        case, name = self._case(), self.event.get(self.profile.event_name or _NAME, "")
        if not name:
            raise BadRecordError(f"{self.profile.event_name or _NAME}: missing")
        try:
            at = parse_instant(self.event.get(_TIME, ""), self.profile.zone or "UTC")
        except ValueError as error:
            raise BadRecordError(f"{_TIME}: {error}") from error
        key = self.event.get(_IDENTITY) or self._key(case, one_line(name), stamp(at))
        record: JsonObject = {
            "case": case,
            "name": name,
            "key": one_line(key),
            "by": one_line(self.event.get(_RESOURCE, "")),
            "recorded": "",
            "attributes": dict(self.event),
            "file": self.file,
            "row": self.row,
        }
        self.spool.event(record, at=at)

    def _key(self, case: str, name: str, at: str) -> str:
        """What names an event without an identity; one that says the very same is the same."""
        key, said = f"{case}:{name}:{at}", hash(frozenset(self.event.items()))
        known = self.seen.setdefault(key, [])
        if said not in known:
            known.append(said)
        number = known.index(said) + 1
        return key if number == 1 else f"{key}#{number}"

    def _case(self) -> str:
        attribute = self.profile.case or _NAME
        case = one_line(self.trace.get(attribute, ""))
        if not case:
            raise BadRecordError(f"{attribute}: the trace of this event has none")
        return case

    def _take_trace(self) -> None:
        try:
            case = self._case()
        except BadRecordError:
            self.findings.note("a trace without a name was left out; its events are rejects")
            return
        attributes = {key: [[ALWAYS, value]] for key, value in self.trace.items()}
        self.spool.case(case, attributes, self.file)
