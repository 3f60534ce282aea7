"""A network between the product and its database that breaks in whatever way it is told to."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event as Flag
from typing import Any

from psycopg.conninfo import conninfo_to_dict, make_conninfo


@dataclass(slots=True, eq=False)
class _Line:
    """One connection through the network: the client's end and the server's."""

    client: socket.socket
    server: socket.socket
    asked: bytes = b""
    muted: bool = False
    forgotten: bool = False

    def hang_up(self) -> None:
        for end in (self.client, self.server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.client.close()
        self.server.close()


@dataclass
class ChaosProxy:
    """Takes connections over TCP and hands them on to a server on a unix socket."""

    target: str
    delay_seconds: float = 0.0
    cuts: int = 0
    _to_cut: int = 0
    _cut_holding: bytes = b""
    _silent: bool = False
    _lines: list[_Line] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)
    _listener: socket.socket | None = None
    _port: int = 0

    @property
    def dsn(self) -> str:
        return make_conninfo(self.target, host="127.0.0.1", port=self._port, sslmode="disable")

    @property
    def url(self) -> str:
        """The same as a setting of the product takes it."""
        parts = conninfo_to_dict(self.target)
        address = f"127.0.0.1:{self._port}/{parts['dbname']}"
        return f"postgresql://{parts['user']}@{address}?sslmode=disable&gssencmode=disable"

    def cut_next_reply(self, *, to: bytes = b"") -> None:
        """What the server says next, to a message that holds `to`, is lost with its connection.

        `cuts` counts how often that has happened.
        """
        self._cut_holding = to
        self._to_cut += 1

    def fall_silent(self) -> None:
        """Nothing passes any more, in no direction, and nothing is closed or refused."""
        self._silent = True

    def speak_again(self) -> None:
        """New connections work; those that fell silent stay so for ever."""
        for line in self._lines:
            line.muted = True
        self._silent = False

    def refuse(self) -> None:
        """Every connection is cut, and new ones are refused."""
        if self._listener is not None:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.drop_all()

    def accept(self) -> None:
        """New connections work, on the same port as before."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self._port))
        listener.listen(64)
        self._port = listener.getsockname()[1]
        self._listener = listener
        self._start(self._take, listener)

    def drop_all(self) -> None:
        for line in self._lines:
            line.hang_up()

    def forget_all(self) -> None:
        """The server has lost its ends, and the clients are not told: half-open connections."""
        for line in self._lines:
            line.forgotten = True
            with suppress(OSError):
                line.server.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def listening(self) -> Iterator["ChaosProxy"]:
        self.accept()
        try:
            yield self
        finally:
            self.refuse()
            for thread in self._threads:
                thread.join(5)
            for line in self._lines:
                line.close()

    def _take(self, listener: socket.socket) -> None:
        path = f"{conninfo_to_dict(self.target)['host']}/.s.PGSQL.5432"
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            server = socket.socket(socket.AF_UNIX)
            server.connect(path)
            line = _Line(client, server)
            self._lines.append(line)
            self._start(self._forward, line)
            self._start(self._answer, line)

    def _start(self, target: Any, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _forward(self, line: _Line) -> None:
        with suppress(OSError):
            while data := line.client.recv(65536):
                line.asked = data
                self._linger()
                if self._passes(line):
                    line.server.sendall(data)
        line.hang_up()

    def _answer(self, line: _Line) -> None:
        with suppress(OSError):
            while data := line.server.recv(65536):
                if self._to_cut and self._cut_holding in line.asked:
                    self._to_cut -= 1
                    self.cuts += 1
                    break
                self._linger()
                if self._passes(line):
                    line.client.sendall(data)
        if not line.forgotten:
            line.hang_up()

    def _passes(self, line: _Line) -> bool:
        # A stream with a hole in it is none: what fell silent once stays so.
        line.muted = line.muted or self._silent
        return not (line.muted or line.forgotten)

    def _linger(self) -> None:
        if self.delay_seconds:
            Flag().wait(self.delay_seconds)
