"""Requests to the log, a proxy that cuts its connections, and what the log must always be."""

import itertools
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from api.storage.connections import conninfo
from api.storage.event_store import EventStore
from api.storage.requests import Appended, AppendRequest, NewEvent, new_event_id
from domain.events.base import DomainEvent
from domain.events.catalogue import TYPES_BY_NAME, parse
from domain.stamp import Source

SCHEMA: Final = "ledger"
NOON: Final = datetime(2025, 3, 31, 12, tzinfo=UTC)
_KEYS: Final = itertools.count(1)


def said(name: str, **data: object) -> DomainEvent:
    """A payload by the name that the API uses."""
    return parse(TYPES_BY_NAME[name], data)


TICK: Final = said("activity_ticked", activity="demo")


def new_event(
    data: DomainEvent = TICK, *, occurred_at: datetime = NOON, source: Source | None = None
) -> NewEvent:
    return NewEvent(
        event_id=new_event_id(), data=data, occurred_at=occurred_at, actor="ana", source=source
    )


def ask(
    stream_id: str,
    *events: NewEvent,
    expected: int | None = None,
    key: str | None = None,
    caller: str = "tests",
    body_hash: str = "hash",
) -> AppendRequest:
    """A request for the given events, or for one tick."""
    return AppendRequest(
        stream_id=stream_id,
        events=events or (new_event(),),
        expected_version=expected,
        caller=caller,
        idempotency_key=key,
        body_hash=body_hash,
    )


def imported(system: str, external_id: str) -> NewEvent:
    return new_event(source=Source(system=system, external_id=external_id))


def appended(verdict: object) -> Appended:
    assert isinstance(verdict, Appended), verdict
    return verdict


@contextmanager
def session(dsn: str) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A plain session in the ledger's schema, past the storage."""
    with psycopg.connect(conninfo(dsn, schema=SCHEMA), autocommit=True) as connection:
        yield connection


def assert_gapless(store: EventStore) -> int:
    """Positions 1..n, versions 1..n in each stream, time never going back; gives n."""
    versions: dict[str, int] = {}
    position, told = 0, datetime.min.replace(tzinfo=UTC)
    for events in store.log(batch=1000):
        for event in events:
            position += 1
            assert event.position == position
            versions[event.stream_id] = versions.get(event.stream_id, 0) + 1
            assert event.version == versions[event.stream_id]
            assert event.recorded_at >= told
            told = event.recorded_at
    assert store.head().position == position
    return position


@dataclass
class Proxy:
    """Stands between the storage and PostgreSQL, and breaks what it is told to break."""

    target: str
    folder: Path
    _cut_replies: int = 0
    _silent: bool = False
    _muted: set[socket.socket] = field(default_factory=set)
    _pairs: list[tuple[socket.socket, socket.socket]] = field(default_factory=list)
    _listener: socket.socket | None = None
    _threads: list[threading.Thread] = field(default_factory=list)

    @property
    def dsn(self) -> str:
        return make_conninfo(self.target, host=str(self.folder))

    def cut_next_reply(self) -> None:
        """The next thing that the server says is lost, together with the connection."""
        self._cut_replies += 1

    def fall_silent(self) -> None:
        """Nothing passes any more, in no direction, and nothing is closed."""
        self._silent = True

    def speak_again(self) -> None:
        """New connections work; those that fell silent stay so for ever."""
        self._muted.update(end for pair in self._pairs for end in pair)
        self._silent = False

    def drop_all(self) -> None:
        for pair in self._pairs:
            for end in pair:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def listening(self) -> Iterator["Proxy"]:
        self.folder.mkdir(exist_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.folder / ".s.PGSQL.5432"))
        self._listener.listen(16)
        self._start(self._accept)
        try:
            yield self
        finally:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self.drop_all()
            for thread in self._threads:
                thread.join(5)
            for pair in self._pairs:
                for end in pair:
                    end.close()
            (self.folder / ".s.PGSQL.5432").unlink()

    def _accept(self) -> None:
        assert self._listener is not None
        host = conninfo_to_dict(self.target)["host"]
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(f"{host}/.s.PGSQL.5432")
            self._pairs.append((client, server))
            self._start(self._forward, client, server)
            self._start(self._forward_replies, server, client)

    def _start(self, target: Any, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _forward(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if not self._silent and source not in self._muted:
                    sink.sendall(data)
        self._hang_up(source, sink)

    def _forward_replies(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if self._cut_replies:
                    self._cut_replies -= 1
                    break
                if not self._silent and source not in self._muted:
                    sink.sendall(data)
        self._hang_up(source, sink)

    def _hang_up(self, *ends: socket.socket) -> None:
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def fresh_key() -> str:
    return f"key-{next(_KEYS)}"
