"""The `eventsourcing` library on our log: its recorder, mapper and application, and nothing else.

Its own recorder locks the table or loses events, its own mapper imports what a row names, and
both retry what must not be retried blindly; so these parts are ours and the rest is the library's.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import Any, Final, LiteralString, cast

from eventsourcing.application import Application
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import (
    IntegrityError,
    ListenNotifySubscription,
    Mapper,
    Notification,
    OperationalError,
    ProgrammingError,
    StoredEvent,
    Subscription,
)
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from eventsourcing.utils import get_topic
from psycopg.conninfo import conninfo_to_dict

from api.storage.errors import AppendRefusedError, LogUnavailableError
from api.storage.event_store import EventStore
from api.storage.log_reader import END
from api.storage.requests import Appended, AppendRequest, Duplicate, NewEvent, VersionConflict
from api.storage.rows import SELECT, Event, Row, read_event
from api.storage.wire import CHANNEL

_POLL_SECONDS: Final = 0.5
_STREAM: Final[LiteralString] = (
    SELECT + " WHERE stream_id = %(stream)s AND version > %(gt)s AND version <= %(lte)s"
    " ORDER BY version"
)
_STREAM_BACKWARDS: Final[LiteralString] = _STREAM + " DESC"
_LIMIT: Final[LiteralString] = " LIMIT %(limit)s"
_LOG: Final[LiteralString] = (
    SELECT + " WHERE position > %(gt)s AND position <= %(lte)s"
    " AND (%(every)s OR topic = ANY(%(topics)s)) ORDER BY position LIMIT %(limit)s"
)


@dataclass(frozen=True, slots=True)
class PendingEvent:
    """A decided event as the library passes it on to be saved."""

    originator_id: str
    originator_version: int
    event: NewEvent


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event of the log as the library gives it to a projector."""

    originator_id: str
    originator_version: int
    event: Event


@dataclass(frozen=True)
class StoredPending(StoredEvent):
    """What the library's recorder takes, together with what stands around the payload."""

    event: NewEvent


@dataclass(frozen=True)
class StoredRow(StoredEvent):
    """What the library's recorder gives, together with the whole row."""

    row: Row


@dataclass(frozen=True)
class LogNotification(Notification):
    """A place in the log as the library names it, together with the whole row."""

    row: Row


class EventMapper(Mapper[str]):
    """Reads payloads through the closed registry; no stored name is ever imported."""

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        pending = cast("PendingEvent", domain_event)
        data = pending.event.data
        return StoredPending(
            originator_id=pending.originator_id,
            originator_version=pending.originator_version,
            topic=data.TOPIC,
            state=data.to_json(),
            event=pending.event,
        )

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[str]:
        row = cast("StoredRow | LogNotification", stored_event).row
        event = read_event(row)
        return cast("DomainEventProtocol[str]", LoggedEvent(event.stream_id, event.version, event))


class LogRecorder(PostgresApplicationRecorder):
    """The library's recorder on our append and our table; `bind` comes before its first use."""

    def __init__(self, datastore: PostgresDatastore, *, events_table_name: str = "events") -> None:
        super().__init__(datastore, events_table_name=events_table_name)
        self.channel_name = CHANNEL
        self._store: EventStore | None = None

    def bind(self, store: EventStore) -> None:
        self._store = store

    @property
    def store(self) -> EventStore:
        if self._store is None:
            raise ProgrammingError("the recorder was not bound to an event store")
        return self._store

    def create_table(self) -> None:
        """Makes nothing: tables are made by migrations, under another role than ours."""

    def insert_events(
        self, stored_events: Sequence[StoredEvent], *, tracking: object = None, **kwargs: Any
    ) -> Sequence[int] | None:
        """Appends events of one stream and gives their positions.

        `caller`, `idempotency_key` and `body_hash` may be given; a duplicate gives the
        positions of its first time.

        Raises:
            IntegrityError: somebody was first, or the database refuses these events.
        """
        if tracking is not None:
            raise ProgrammingError("projections are tracked in their own transactions, not here")
        if not stored_events:
            return None
        with _as_the_library_says():
            verdict = self.store.append_blocking(_request(stored_events, **kwargs))
        match verdict:
            case VersionConflict(current_version=current):
                raise IntegrityError(f"the stream is at version {current}")
            case Appended(first_position=first, last_position=last):
                return list(range(first, last + 1))
            case Duplicate(first_position=first, last_position=last):
                return list(range(first, last + 1))

    def select_events(
        self,
        originator_id: object,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        asked = {
            "stream": str(originator_id),
            "gt": -1 if gt is None else gt,
            "lte": END if lte is None else lte,
            "limit": limit,
        }
        statement = (_STREAM_BACKWARDS if desc else _STREAM) + _LIMIT
        with _as_the_library_says():
            rows = self.store.rows(statement, asked)
        return [StoredRow(row[1], row[2], row[19], row[20].encode(), row) for row in rows]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        asked = {
            "gt": (start or 0) - (1 if inclusive_of_start else 0),
            "lte": END if stop is None else stop,
            "every": not topics,
            "topics": list(topics),
            "limit": limit,
        }
        with _as_the_library_says():
            rows = self.store.rows(_LOG, asked)
        return [_notification(row) for row in rows]

    def max_notification_id(self) -> int | None:
        with _as_the_library_says():
            return self.store.head().position or None

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> "Subscription[LogRecorder]":
        return LogSubscription(self, gt=gt, topics=topics)


class LogSubscription(ListenNotifySubscription[LogRecorder]):
    """Follows the log by hints and by polling, so that a lost hint delays and loses nothing."""

    def __init__(
        self, recorder: LogRecorder, *, gt: int | None = None, topics: Sequence[str] = ()
    ) -> None:
        super().__init__(recorder=recorder, gt=gt, topics=topics)
        self._follower = Thread(target=self._follow, name="log-subscription")
        self._follower.start()

    def __exit__(self, *args: object, **kwargs: Any) -> None:
        try:
            super().__exit__(*args, **kwargs)
        finally:
            self._follower.join()

    def _follow(self) -> None:
        seen = 0
        try:
            while not self._has_been_stopped:
                head = self._recorder.store.wait_for(
                    seen + 1, timeout=_POLL_SECONDS, stopped=lambda: self._has_been_stopped
                )
                if head.position > seen:
                    seen = head.position
                    self._has_been_notified.set()
        except LogUnavailableError as error:
            self._thread_error = self._thread_error or error
            self.stop()


def library_application(store: EventStore) -> Application[str]:
    """The library's application on a ledger, held and never subclassed.

    Give `repository.get` a `projector_func` of your own: the library's checks a protocol at run
    time for every event. Its own pool connects by host, port, user and password only, and is used
    for nothing but looking once for types that we do not have.
    """
    given = conninfo_to_dict(store.dsn)
    application: Application[str] = Application(
        env={
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            "APPLICATION_RECORDER_TOPIC": get_topic(LogRecorder),
            "MAPPER_TOPIC": get_topic(EventMapper),
            "ORIGINATOR_ID_TYPE": "text",
            "POSTGRES_DBNAME": str(given.get("dbname") or given.get("user") or ""),
            "POSTGRES_HOST": str(given.get("host") or ""),
            "POSTGRES_PORT": str(given.get("port") or "5432"),
            "POSTGRES_USER": str(given.get("user") or ""),
            "POSTGRES_PASSWORD": str(given.get("password") or ""),
            "POSTGRES_SCHEMA": store.schema,
            "POSTGRES_CONNECT_TIMEOUT": "5",
            "POSTGRES_POOL_SIZE": "1",
            "POSTGRES_MAX_OVERFLOW": "1",
        }
    )
    cast("LogRecorder", application.recorder).bind(store)
    return application


def _request(
    stored_events: Sequence[StoredEvent],
    *,
    caller: str = "library",
    idempotency_key: str | None = None,
    body_hash: str = "",
) -> AppendRequest:
    first = stored_events[0]
    for place, event in enumerate(stored_events):
        if event.originator_id != first.originator_id:
            raise ProgrammingError("one append takes events of one stream")
        if event.originator_version != first.originator_version + place:
            raise IntegrityError("the versions of a stream have no gap and no repetition")
    return AppendRequest(
        stream_id=str(first.originator_id),
        events=tuple(cast("StoredPending", event).event for event in stored_events),
        expected_version=first.originator_version - 1,
        caller=caller,
        idempotency_key=idempotency_key,
        body_hash=body_hash,
    )


def _notification(row: Row) -> LogNotification:
    return LogNotification(
        originator_id=row[1],
        originator_version=row[2],
        topic=row[19],
        state=row[20].encode(),
        id=row[3],
        row=row,
    )


@contextmanager
def _as_the_library_says() -> Iterator[None]:
    try:
        yield
    except LogUnavailableError as error:
        raise OperationalError(str(error)) from error
    except AppendRefusedError as error:
        raise IntegrityError(str(error)) from error
