"""One line at a time: whether it can be an event, and under which ids and times it is staged."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from pydantic import ValidationError

from api.exchange.lines import Line, Reader
from api.exchange.own_lines import MAX_NAME, is_name
from api.exchange.profile import reasons
from api.exchange.texts import sha256_of
from api.storage.event_store import EventStore
from api.storage.staged_lines import StagedLine
from domain.context import decide_context
from domain.errors import DomainError
from domain.events.base import DomainEvent, type_name
from domain.events.catalogue import TYPES_BY_NAME, parse
from domain.events.context import CalendarAdopted, PolicyPublished, ProcessPublished
from domain.known import Known
from domain.replay import Event
from domain.stamp import FUTURE_TOLERANCE, Stamp
from domain.values import utc_instant

CORRECTIONS: Final = frozenset({"event_amended", "event_retracted"})
"""Types that take back what another event said, and so must fit it."""
_REFERENCE: Final = "event_id"
"""The field in which a line names the event that it is about."""
REFERRING: Final = frozenset(
    name for name, event_type in TYPES_BY_NAME.items() if _REFERENCE in event_type.model_fields
)
"""Types of which each is about another event."""


class RefusedLineError(ValueError):
    """The line is no event that can be stored; the message says why."""


@dataclass(slots=True)
class Checker:
    """Checks lines one by one, and gives them as they are staged."""

    store: EventStore
    reader: Reader
    now: datetime
    founding: bool
    digests: dict[str, str]
    versions: dict[tuple[str, int], str]
    moment: bytes
    """The time of this import, as its ids begin."""

    def __init__(self, store: EventStore, reader: Reader, *, now: datetime, founding: bool) -> None:
        self.store = store
        self.reader = reader
        self.now = now
        self.founding = founding
        self.versions = {}
        self.moment = int(now.timestamp() * 1000).to_bytes(6, "big")
        self.digests = {path.name: sha256_of(path) for path in reader.files}

    def checked(self, line: Line) -> StagedLine:
        """The line as it is staged; RefusedLineError if it cannot be an event."""
        _check_names(line)
        line, about = self._resolved(line)
        recorded_at = self._recorded_at(line)
        data = _payload(line.data, TYPES_BY_NAME[line.type], path="data")
        self._check_context(line, data)
        return StagedLine(
            stream=line.stream,
            external_id=line.external_id,
            data=data,
            occurred_at=line.occurred_at,
            recorded_at=recorded_at,
            actor=line.actor,
            on_behalf_of=line.on_behalf_of,
            caused_by=line.caused_by,
            file=line.file,
            row=line.row,
            file_sha256=self.digests.get(line.file),
            event_id=self.event_id_of(line),
            kept=line.kept,
            refers_to=about,
            stated_at=self._stated_at(line),
        )

    def _stated_at(self, line: Line) -> datetime | None:
        """Since when the source states it so; a time to come is none at which it can be told."""
        future = line.stated_at and line.stated_at > self.now + FUTURE_TOLERANCE
        return None if future else line.stated_at

    def _recorded_at(self, line: Line) -> datetime | None:
        """The source's recording time; of a founding line that has none, when it happened."""
        try:
            utc_instant(line.occurred_at)
        except ValueError as error:
            raise RefusedLineError(f"occurred_at: {error}") from error
        if line.occurred_at > self.now + FUTURE_TOLERANCE:
            raise RefusedLineError(
                f"occurred_at: {line.occurred_at.isoformat()} lies in the future"
            )
        if not self.founding:
            return line.recorded_at
        recorded_at = line.recorded_at or line.occurred_at
        if line.occurred_at > recorded_at + FUTURE_TOLERANCE:
            raise RefusedLineError(
                f"occurred_at: {line.occurred_at.isoformat()} lies after recorded_at "
                f"{recorded_at.isoformat()}"
            )
        return recorded_at

    def _resolved(self, line: Line) -> tuple[Line, UUID | None]:
        """The line and the event that it is about, which it names by the source's id.

        The log knows that by ours. Whether it stands among the lines of the deal, or in the log,
        is for the staging to say, which knows what else was rejected.
        """
        named = line.data.get(_REFERENCE)
        if line.type not in REFERRING or not isinstance(named, str):
            return line, None
        if not is_name(named):
            raise RefusedLineError(
                f"data.{_REFERENCE}: expected one line of at most {MAX_NAME} characters"
            )
        stored = self._stored(named)
        if line.type in CORRECTIONS:
            corrected = TYPES_BY_NAME.get(line.corrects or "")
            _check_correction(line, corrected if stored is None else type(stored.data))
        if line.kept is not None and _is_uuid(named):
            return line, UUID(named)
        if stored is None and line.corrects is None:
            raise RefusedLineError(
                f"data.{_REFERENCE}: {named} is neither a line of this import nor in the log"
            )
        about = stored.event_id if stored else line.about or self._event_id(named)
        return line._replace(data=line.data | {_REFERENCE: str(about)}), about

    def _stored(self, named: str) -> Event | None:
        """The event of the log that the source's id names, or its own id."""
        stored = self.store.by_external_ids(self.reader.system, [named]).get(named)
        if stored is not None or not _is_uuid(named):
            return stored
        return self.store.event(UUID(named))

    def _check_context(self, line: Line, data: DomainEvent) -> None:
        """Refuse context by which nothing could be computed; a broken rule alone is kept."""
        if not isinstance(data, CalendarAdopted | PolicyPublished | ProcessPublished):
            return
        stamp = Stamp(line.occurred_at, max(self.now, line.occurred_at), line.actor)
        try:
            decide_context(line.stream, (), [data], stamps=[stamp], known=Known(()))
        except DomainError as error:
            field = (error.field or "data").removeprefix("events[0].")
            raise RefusedLineError(f"{field}: {error.detail}") from error
        if not isinstance(data, CalendarAdopted):
            self._check_version(line, data)

    def _check_version(self, line: Line, data: PolicyPublished | ProcessPublished) -> None:
        """A version is published once: by another line, it would be something else."""
        key = (line.stream, data.version)
        first = self.versions.setdefault(key, line.external_id)
        others = [
            event
            for event in self.store.stream(line.stream)
            if isinstance(event.data, PolicyPublished | ProcessPublished)
            and event.data.version == data.version
            and not _is_of(event, line)
        ]
        if first != line.external_id or others:
            raise RefusedLineError(
                f"data.version: {data.version} is published already in {line.stream!r}"
            )

    def event_id_of(self, line: Line) -> UUID:
        """The id that its event has in the log."""
        return line.kept.event_id if line.kept else self._event_id(line.external_id)

    def _event_id(self, external_id: str) -> UUID:
        """A UUIDv7 that follows from this import's time and the source's id.

        A correction may come in the file before the event that it corrects, and both must
        know the id without a table of all ids.
        """
        digest = hashlib.sha256(f"{self.reader.system}\0{external_id}".encode()).digest()
        made = bytearray(self.moment + digest[:10])
        made[6] = made[6] & 0x0F | 0x70
        made[8] = made[8] & 0x3F | 0x80
        return UUID(bytes=bytes(made))


def _check_names(line: Line) -> None:
    """Refuse what no column of names can hold, whatever a source calls its things."""
    for name, value in (
        ("stream", line.stream),
        ("external_id", line.external_id),
        ("actor", line.actor),
    ):
        if not is_name(value):
            raise RefusedLineError(f"{name}: expected one line of at most {MAX_NAME} characters")


def _payload(
    data: Mapping[str, object], event_type: type[DomainEvent], *, path: str
) -> DomainEvent:
    try:
        return parse(event_type, data)
    except ValidationError as error:
        raise RefusedLineError(reasons(error, under=path)) from error
    except (ValueError, RecursionError) as error:
        raise RefusedLineError(f"{path}: {error}") from error


def _check_correction(line: Line, corrected: type[DomainEvent] | None) -> None:
    """Refuse a correction that no replay could apply.

    An amendment replaces a whole payload, so its data must be one of that type.
    """
    if corrected is None:
        return
    name = type_name(corrected)
    if name in CORRECTIONS and line.type == "event_amended":
        raise RefusedLineError(f"data.event_id: {name} cannot be amended; retract it")
    if name == "deal_opened" and line.type == "event_retracted":
        raise RefusedLineError("data.event_id: deal_opened cannot be retracted")
    replacement = line.data.get("data")
    if line.type == "event_amended" and isinstance(replacement, dict):
        _payload(replacement, corrected, path="data.data")


def _is_of(event: Event, line: Line) -> bool:
    """Whether an event of the log is what a line tells."""
    if line.kept is not None and event.event_id == line.kept.event_id:
        return True
    return event.source is not None and event.source.external_id == line.external_id


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
