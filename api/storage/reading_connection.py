"""A connection that is read over: it does not wait for ever for a network that went silent."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NoReturn, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.conninfo import make_conninfo

from api.clock import Deadline
from api.storage.rows import Row

_SILENCE_SECONDS: Final = 2.0
"""After so long without a byte the server is asked whether it still works on the question."""
_ASKING_SECONDS: Final = 2
"""libpq waits no shorter for a connection."""
_CHECK_SECONDS: Final = 1.0

Given = TypeVar("Given")


class ReadingConnection(psycopg.Connection[Row]):
    """A connection that breaks when nobody is at the other end any more.

    A long question is no reason to give it up: the server is asked over a second connection, and
    only one that cannot be reached, or whose answer does not come though it was given, ends the
    first.
    """

    _limit: float | None = None

    def wait(self, gen: PQGen[Given], *arguments: Any, **named: Any) -> Given:
        """Wait as psycopg does, and listen for silence.

        Raises:
            OperationalError: the server is not there, or the answer was lost on the way.
        """
        return super().wait(self._listened(gen), *arguments, **named)

    @contextmanager
    def answering_within(self, seconds: float) -> Iterator[None]:
        """In this block silence of so many seconds is the end, and nobody else is asked."""
        self._limit = seconds
        try:
            yield
        finally:
            self._limit = None

    def _listened(self, gen: PQGen[Given]) -> PQGen[Given]:
        ready = None
        answered = False
        patience = self._patience()
        while True:
            try:
                # psycopg begins by sending nothing, as `next` does.
                wanted = gen.send(ready)  # type: ignore[arg-type]
            except StopIteration as end:
                answer: Given = end.value
                return answer
            ready = yield wanted
            if ready:
                answered = False
                patience = self._patience()
            elif patience.passed():
                if answered:
                    self._give_up("the answer was lost on the way")
                answered = self._has_been_answered()
                # The answer may have come while the server was asked for it.
                patience = Deadline.after(_CHECK_SECONDS) if answered else self._patience()

    def _patience(self) -> Deadline:
        return Deadline.after(_SILENCE_SECONDS if self._limit is None else self._limit)

    def _has_been_answered(self) -> bool:
        if self._limit is not None:
            self._give_up("it does not answer")
        try:
            state = self._state_told_elsewhere()
        except psycopg.Error as error:
            self._give_up(str(error).strip())
        # A proxy tells numbers of its own; of a number that nobody has nothing follows.
        return state not in {None, "active"}

    def _state_told_elsewhere(self) -> str | None:
        """Ask the server what it does for this connection; None if it does not know it."""
        password = {"password": self.info.password} if self.info.password else {}
        address = make_conninfo(self.info.dsn, connect_timeout=_ASKING_SECONDS, **password)
        with (
            ReadingConnection.connect(address, autocommit=True) as other,
            other.answering_within(_CHECK_SECONDS),
        ):
            asked = "SELECT state FROM pg_stat_activity WHERE pid = %s"
            row = other.execute(asked, [self.info.backend_pid]).fetchone()
        return None if row is None else row[0]

    def _give_up(self, reason: str) -> NoReturn:
        self.close()
        raise psycopg.OperationalError(f"the database is silent: {reason}")


def check(connection: ReadingConnection) -> None:
    """Find out whether a connection of the pool is still good.

    Raises:
        OperationalError: it is not.
    """
    with connection.answering_within(_CHECK_SECONDS):
        connection.execute("")
