"""Lines on their way into the staging table of an import."""

from collections.abc import Sequence
from contextlib import ExitStack

import psycopg

from api.storage import staging_sql
from api.storage.staged_lines import Row


class Copying:
    """One copy of lines into the staging table; `close` ends it and lets the lines be seen."""

    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        with ExitStack() as stack:
            cursor = stack.enter_context(connection.cursor())
            self._copy = stack.enter_context(cursor.copy(staging_sql.COPY))
            self._stack = stack.pop_all()
        self.rows = 0

    def write(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._copy.write_row(row)
        self.rows += len(rows)

    def close(self) -> None:
        self._stack.close()
