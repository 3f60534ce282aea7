"""Cases of bringing history in: an import of lines against the bare copying of its rows."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Final, LiteralString
from uuid import UUID

from api import clock
from api.bench.grounds import Grounds
from api.bench.harness import Case, Sides, at_least, timed
from api.bench.history import COLUMNS, History
from api.bench.ledger import Connection, connected
from api.exchange.importing import LedgerContext, reader_for, run_import
from api.storage.event_store import EventStore

_EVENTS: Final = 50_000
_MAKE_PLAIN: Final[LiteralString] = "CREATE TABLE plain_events (LIKE events INCLUDING ALL)"
_EMPTY_PLAIN: Final[LiteralString] = "TRUNCATE plain_events"
_COPY_OUT: Final[LiteralString] = "COPY (SELECT * FROM events ORDER BY position) TO STDOUT"
_COPY_IN: Final[LiteralString] = "COPY plain_events FROM STDIN"


class IncompleteImportError(Exception):
    """The import did not take every line, so that its time would mean nothing."""


@contextmanager
def _against_copy(grounds: Grounds, *, founding: bool) -> Iterator[Sides]:
    events = min(grounds.events, _EVENTS)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        file = folder / "lines.ndjson"
        with file.open("w", encoding="utf-8") as lines:
            lines.writelines(lines_of(History(events, pace=grounds.events)))

        def bring_in() -> float:
            return imported(grounds, grounds.empty_ledger(), file, events, founding=founding)

        schema = grounds.empty_ledger()
        imported(grounds, schema, file, events, founding=founding)
        connection = stack.enter_context(connected(grounds.dsn, schema=schema))
        connection.execute(_MAKE_PLAIN)
        rows = _rows(connection)

        def copy() -> float:
            connection.execute(_EMPTY_PLAIN)
            return timed(partial(_copy, connection, rows), units=events)()

        yield Sides(bring_in, copy)


def imported(
    grounds: Grounds, schema: str, file: Path, events: int, *, founding: bool = False
) -> float:
    """Import a file into a ledger, and give the seconds that each event took.

    Raises:
        IncompleteImportError: an event is missing afterwards.
    """
    with EventStore(grounds.dsn, schema=schema) as store:

        def run() -> None:
            reader = reader_for("ndjson", [file], profile=None, known=LedgerContext(store))
            run_import(store, reader, now=clock.now(), founding=founding)

        seconds = timed(run, units=events)()
        if (position := store.head().position) != events:
            message = f"{events - position} of {events} lines were not imported"
            raise IncompleteImportError(message)
        return seconds


def lines_of(history: History) -> Iterator[str]:
    """Give the events of a history as lines of Dealtrail's own, each named by its id."""
    for row in history.lines():
        told = dict(zip(COLUMNS, row.rstrip("\n").split("\t"), strict=True))
        line = {
            "stream": told["stream_id"],
            "external_id": str(UUID(told["event_id"])),
            "type": told["topic"].split(".")[1],
            "occurred_at": told["occurred_at"].replace(" ", "T") + "Z",
            "recorded_at": told["recorded_at"].replace(" ", "T") + "Z",
            "actor": told["actor"],
            "data": json.loads(told["data"].replace("\\\\", "\\")),
        }
        yield json.dumps(line) + "\n"


def _rows(connection: Connection) -> bytes:
    with connection.cursor() as cursor, cursor.copy(_COPY_OUT) as copy:
        return b"".join(copy)


def _copy(connection: Connection, rows: bytes) -> None:
    with connection.cursor() as cursor, cursor.copy(_COPY_IN) as copy:
        copy.write(rows)


def _case(name: str, what: str, *, founding: bool) -> Case:
    return Case(
        name=name,
        what=what,
        against="COPY of the same rows into a table with the same indexes",
        unit="event",
        goal=at_least(0.25),
        prepare=partial(_against_copy, founding=founding),
        rounds=3,
    )


CASES: Final = (
    _case("import", "import of lines", founding=False),
    _case("import-founding", "founding import of lines", founding=True),
)
