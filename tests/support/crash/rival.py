"""Another process at the same log, as far as the server can know: it writes past the server."""

import itertools
from typing import Final

from api.storage.errors import LogUnavailableError
from api.storage.event_store import EventStore
from tests.support.crash.requests import Book
from tests.support.crash.server import SCHEMA, Server
from tests.support.log import appended, ask, new_event, said

_NUMBERS: Final = itertools.count(1)


class Rival:
    """Appends to deals that the server remembers, so that what it remembers is old."""

    def __init__(self, server: Server, book: Book) -> None:
        self._server = server
        self._book = book

    def write(self, deal: str) -> None:
        """Append an event to a deal; where the database is away it may be recorded or not."""
        key = f"rival-{next(_NUMBERS)}"
        with self._book.lock:
            self._book.rivals[key] = None
        note = new_event(said("note_added", text=key))
        asked = ask(f"deal:{deal}", note, key=key)
        with EventStore(self._server.dsn(), schema=SCHEMA) as store:
            try:
                verdict = store.append_blocking(asked)
            except LogUnavailableError:
                return
        with self._book.lock:
            self._book.rivals[key] = appended(verdict).last_position
