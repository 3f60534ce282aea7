"""The tables of a projection in three schemas: live, made anew beside, and what was live before."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from psycopg import sql

from api.storage.rights import next_schema, previous_schema
from projections.facts import Rows

_OWN: Final = ("projections", "parked")
"""Tables that a rebuild has beside as well, for its own position and the deals it parks."""
_CONSTRAINTS: Final = (
    "SELECT conname, pg_get_constraintdef(c.oid), indisclustered FROM pg_constraint c"
    " JOIN pg_index ON indexrelid = conindid"
    " WHERE conrelid = %s::regclass AND contype IN ('p', 'u') ORDER BY conname"
)
_INDEXES: Final = (
    "SELECT pg_get_indexdef(i.indexrelid) FROM pg_index i"
    " WHERE i.indrelid = %s::regclass AND NOT EXISTS ("
    "  SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid) ORDER BY i.indexrelid"
)


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of one projection in a ledger's schema."""

    schema: str
    names: Sequence[str]

    @property
    def next(self) -> str:
        """The schema in which projections are made anew."""
        return next_schema(self.schema)

    @property
    def previous(self) -> str:
        """The schema in which what was live is kept until it is dropped."""
        return previous_schema(self.schema)

    def make_next(self, connection: Rows, name: str) -> None:
        """Make the tables of a projection beside, empty and without indexes."""
        with connection.transaction():
            _make_schema(connection, self.next)
            for own in _OWN:
                connection.execute(
                    sql.SQL("CREATE TABLE IF NOT EXISTS {} (LIKE {} INCLUDING ALL)").format(
                        _in(self.next, own), _in(self.schema, own)
                    )
                )
            self.drop_next(connection, name)
            for table in self.names:
                connection.execute(
                    sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL EXCLUDING INDEXES)").format(
                        _in(self.next, table), _in(self.schema, table)
                    )
                )

    def key_statements(self, connection: Rows) -> list[sql.Composed]:
        """Give what makes the keys of the live tables on those beside.

        Rows of a table that lies in the order of a key (`CLUSTER ON`) are brought into it.
        """
        found: list[sql.Composed] = []
        for live, target in self._pairs():
            for name, definition, clustered in connection.execute(_CONSTRAINTS, (live,)).fetchall():
                key = sql.Identifier(name)
                made = sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}").format(
                    target, key, sql.SQL(definition)
                )
                if clustered:
                    made += sql.SQL("; CLUSTER {} USING {}").format(target, key)
                found.append(made)
        return found

    def index_statements(self, connection: Rows) -> list[sql.Composed]:
        """Give what makes the other indexes of the live tables on those beside."""
        found: list[sql.Composed] = []
        for live, target in self._pairs():
            for (definition,) in connection.execute(_INDEXES, (live,)).fetchall():
                # "CREATE INDEX name ON schema.table USING ...": only the table is another one.
                head, _, rest = definition.partition(" ON ")
                method = rest.partition(" USING ")[2]
                found.append(
                    sql.SQL("{} ON {} USING {}").format(sql.SQL(head), target, sql.SQL(method))
                )
        return found

    def _pairs(self) -> Iterator[tuple[str, sql.Identifier]]:
        """Give the name of each live table, and the table beside it."""
        return ((f"{self.schema}.{table}", _in(self.next, table)) for table in self.names)

    def swap(self, connection: Rows, name: str, position: int) -> None:
        """Put the tables beside in the place of the live ones, which are kept."""
        _make_schema(connection, self.previous)
        self.drop_previous(connection)
        # A function of the log's owner, because nobody else may put anything into its schema.
        connection.execute("SELECT swap_projection(%s)", (list(self.names),))
        live, beside = _in(self.schema, "parked"), _in(self.next, "parked")
        connection.execute(sql.SQL("DELETE FROM {} WHERE projection = %s").format(live), (name,))
        connection.execute(
            sql.SQL("INSERT INTO {} SELECT * FROM {} WHERE projection = %s").format(live, beside),
            (name,),
        )
        connection.execute(
            sql.SQL("UPDATE {} SET position = %s, generation = DEFAULT WHERE name = %s").format(
                _in(self.schema, "projections")
            ),
            (position, name),
        )

    def drop_next(self, connection: Rows, name: str) -> None:
        """Give up what lies beside of a projection."""
        for table in self.names:
            connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(_in(self.next, table)))
        for own, column in (("projections", "name"), ("parked", "projection")):
            connection.execute(
                sql.SQL("DELETE FROM {} WHERE {} = %s").format(
                    _in(self.next, own), sql.Identifier(column)
                ),
                (name,),
            )

    def drop_previous(self, connection: Rows) -> None:
        """Give up what was live before."""
        for table in self.names:
            connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(_in(self.previous, table)))


def digest(connection: Rows, schema: str, tables: Sequence[str]) -> str:
    """Give a fingerprint of all rows of some tables, whatever their order and their row numbers.

    For each table the number of rows and the sum of a 64-bit hash of each; it tells drift, not
    forgery.
    """
    parts: list[str] = []
    for table in tables:
        columns = connection.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
            " AND NOT attisdropped AND attname <> 'id' ORDER BY attnum",
            (f"{schema}.{table}",),
        ).fetchall()
        row = connection.execute(
            sql.SQL(
                "SELECT count(*), coalesce(sum(hashtextextended(ROW({})::text, 0)::numeric), 0)"
                " FROM {}"
            ).format(
                sql.SQL(", ").join(sql.Identifier(name) for (name,) in columns),
                _in(schema, table),
            )
        ).fetchone()
        count, total = row or (0, 0)
        parts.append(f"{table}:{count}:{int(total) % 2**64:016x}")
    return " ".join(parts)


def _make_schema(connection: Rows, name: str) -> None:
    found = connection.execute("SELECT FROM pg_namespace WHERE nspname = %s", (name,)).fetchone()
    if found is None:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))


def _in(schema: str, table: str) -> sql.Identifier:
    return sql.Identifier(schema, table)
