"""Rows that stand between two positions: how a projection keeps facts as they were known."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, Generic, TypeAlias, TypeVar
from uuid import UUID

from psycopg import Connection, sql

from domain.replay import Event, view

Fact = TypeVar("Fact")
Rows: TypeAlias = Connection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class _Open:
    """Since when a fact stands, and its row if it has one already."""

    since: int
    row: int | None = None


@dataclass(slots=True)
class _Changes(Generic[Fact]):
    """What a batch does to the facts of one deal."""

    ended: list[tuple[int, int]]
    added: list[tuple[Fact, int, int | None]]


class FactTable(Generic[Fact]):
    """A table of facts about deals: one frozen dataclass, one column a field."""

    def __init__(self, name: str, fact_type: type[Fact]) -> None:
        self.name = name
        self._type = fact_type
        columns = [field.name for field in fields(fact_type)]  # type: ignore[arg-type]  # no TypeVar says dataclass
        self._values: Callable[[Fact], tuple[Any, ...]] = attrgetter(*columns)
        self._columns = sql.SQL(", ").join(map(sql.Identifier, columns))
        self._table = sql.Identifier(name)

    def known(
        self, connection: Rows, *, as_of: int, where: str = "true", params: Sequence[object] = ()
    ) -> list[tuple[UUID, Fact]]:
        """Give the (deal id, fact) pairs that stood at a position, of those that `where` names.

        `where` is SQL of the calling module, never of a request. The pairs come in no order.
        """
        query = sql.SQL(
            "SELECT deal_id, {} FROM {} WHERE from_position <= %s"
            " AND (until_position IS NULL OR until_position > %s) AND ({})"
        ).format(self._columns, self._table, sql.SQL(where))
        rows = connection.execute(query, (as_of, as_of, *params)).fetchall()
        return [(row[0], self._type(*row[1:])) for row in rows]

    def follow(
        self,
        connection: Rows,
        streams: Mapping[UUID, Sequence[Event]],
        positions: Mapping[UUID, Sequence[int]],
        derive: Callable[[list[Event], int], Iterable[Fact]],
        *,
        empty: bool = False,
    ) -> None:
        """Bring the facts of deals up to date.

        At each of a deal's positions its facts are derived from its view as known there: what is
        new stands from that position on, what is gone stood until it. `empty` says that the table
        has no facts of these deals, so that none need be looked for.
        """
        opened = {} if empty else self._opened(connection, list(positions))
        ended: list[tuple[int, int]] = []
        added: list[tuple[UUID, Fact, int, int | None]] = []
        for deal_id, instants in positions.items():
            stands = opened.get(deal_id, {})
            changes = _follow_deal(streams[deal_id], instants, stands, derive)
            ended += changes.ended
            added += [(deal_id, fact, since, until) for fact, since, until in changes.added]
        self._end(connection, ended)
        self._add(connection, added)

    def forget(self, connection: Rows, deal_ids: Iterable[UUID], after: int) -> None:
        """Take back what happened to the facts of deals after a position."""
        ids = list(deal_ids)
        for statement in (
            "DELETE FROM {} WHERE deal_id = ANY(%s) AND from_position > %s",
            "UPDATE {} SET until_position = NULL WHERE deal_id = ANY(%s) AND until_position > %s",
        ):
            connection.execute(sql.SQL(statement).format(self._table), (ids, after))

    def _opened(self, connection: Rows, deal_ids: list[UUID]) -> dict[UUID, dict[Fact, _Open]]:
        query = sql.SQL(
            "SELECT deal_id, id, from_position, {} FROM {}"
            " WHERE deal_id = ANY(%s) AND until_position IS NULL"
        ).format(self._columns, self._table)
        opened: dict[UUID, dict[Fact, _Open]] = {}
        for deal_id, row, since, *values in connection.execute(query, (deal_ids,)).fetchall():
            opened.setdefault(deal_id, {})[self._type(*values)] = _Open(since, row)
        return opened

    def _end(self, connection: Rows, ended: list[tuple[int, int]]) -> None:
        if ended:
            statement = sql.SQL(
                "UPDATE {} SET until_position = e.until"
                " FROM unnest(%s::bigint[], %s::bigint[]) AS e(id, until) WHERE {}.id = e.id"
            ).format(self._table, self._table)
            connection.execute(
                statement, ([row for row, _ in ended], [until for _, until in ended])
            )

    def _add(self, connection: Rows, added: Iterable[tuple[UUID, Fact, int, int | None]]) -> None:
        statement = sql.SQL(
            "COPY {} (deal_id, from_position, until_position, {}) FROM STDIN"
        ).format(self._table, self._columns)
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for deal_id, fact, since, until in added:
                copy.write_row((deal_id, since, until, *self._values(fact)))


def _follow_deal(
    events: Sequence[Event],
    positions: Sequence[int],
    stands: dict[Fact, _Open],
    derive: Callable[[list[Event], int], Iterable[Fact]],
) -> _Changes[Fact]:
    changes: _Changes[Fact] = _Changes([], [])
    for position in positions:
        facts = dict.fromkeys(derive(view(events, as_of=position), position))
        for fact in [fact for fact in stands if fact not in facts]:
            gone = stands.pop(fact)
            if gone.row is None:
                changes.added.append((fact, gone.since, position))
            else:
                changes.ended.append((gone.row, position))
        for fact in facts:
            if fact not in stands:
                stands[fact] = _Open(position)
    changes.added += [(fact, o.since, None) for fact, o in stands.items() if o.row is None]
    return changes
