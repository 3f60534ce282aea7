"""The stays of all deals at all positions, kept in memory: only what changed is read again."""

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Final, TypeAlias
from uuid import UUID

from psycopg import IsolationLevel

from projections.batch import FRAMING_KINDS, deal_of
from projections.facts import Rows
from projections.pressure.derive import STAY_TOPICS

if TYPE_CHECKING:
    from projections.pressure.stay_rows import StayRows
    from projections.pressure.stays import StaysIn

Stage: TypeAlias = tuple[str, str]
"""A process, and a stage of it."""
ReadStays: TypeAlias = Callable[[Rows, Collection[Stage], int], Mapping[Stage, "StaysIn"]]
"""Gives the stays of all deals in some stages as known at a position."""
MOST_ROWS: Final = 1_000_000
"""What is kept has 48 bytes a row; a stay that is over has two rows."""
_MOST_DEALS: Final = 2_000
"""Where more deals than this were told of since, everything is read again."""
_STANDING: Final = """
    SELECT coalesce(p.position, 0), pg_relation_filenode('stays'), k.deal_id, k.position
      FROM (VALUES ('pressure')) AS one (name)
      LEFT JOIN projections p USING (name) LEFT JOIN parked k ON k.projection = name
"""
_TOLD: Final = """
    SELECT DISTINCT stream_id FROM events
     WHERE position > %(after)s AND position <= %(upto)s
       AND (topic = ANY(%(topics)s) OR split_part(topic, '.', 1) = ANY(%(framing)s))
     LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class _Standing:
    """Up to where the log is taken in, in which table, and which deals are held before where."""

    position: int
    table: int
    parked: frozenset[tuple[UUID, int]]


def read_stays(connection: Rows, wanted: Collection[Stage], as_of: int) -> dict[Stage, "StaysIn"]:
    """Read the stays of all deals in some stages as known at a position, and keep nothing."""
    return KeptStays().read(connection, wanted, as_of)


class KeptStays:
    """Gives stays as known at any position that the projection has reached.

    A row of the projection says from which position until which it stands, so that rows once read
    tell of all positions up to there. They change with what is told later of their deals, with a
    new frame for all deals, with a parked deal that goes on, and with a table made anew. What was
    used longest ago is given up where there are more than `most` rows.
    """

    def __init__(self, *, most: int = MOST_ROWS) -> None:
        self._most = most
        self._lock = Lock()
        self._standing: _Standing | None = None
        self._rows: OrderedDict[Stage, StayRows] = OrderedDict()

    def read(
        self, connection: Rows, wanted: Collection[Stage], as_of: int
    ) -> dict[Stage, "StaysIn"]:
        """Give the stays of all deals in some stages as known at a position."""
        if not wanted:
            return {}
        if connection.isolation_level not in (None, IsolationLevel.READ_COMMITTED):
            # A snapshot of a while ago: what it lacks would be missed by all others.
            return _at(as_of, _read_rows(connection, wanted))
        with self._lock:
            self._bring_up(connection)
            missing = sorted(set(wanted) - self._rows.keys())
            if missing:
                self._rows |= _read_rows(connection, missing)
            found = {stage: self._rows[stage] for stage in wanted}
            for stage in found:
                self._rows.move_to_end(stage)
            while sum(map(len, self._rows.values())) > self._most:
                self._rows.popitem(last=False)
        return _at(as_of, found)

    def _bring_up(self, connection: Rows) -> None:
        # Where it stands is asked first: what comes after it meanwhile is read again next time.
        standing = _standing(connection)
        told = _told(connection, self._standing, standing)
        if told is None:
            self._rows.clear()
        elif told and self._rows:
            anew = _read_rows(connection, self._rows, told)
            for stage, rows in self._rows.items():
                self._rows[stage] = rows.retold(told, anew[stage])
        self._standing = standing


def _at(position: int, rows: "Mapping[Stage, StayRows]") -> dict[Stage, "StaysIn"]:
    return {stage: own.at(position) for stage, own in rows.items()}


def _standing(connection: Rows) -> _Standing:
    rows = connection.execute(_STANDING).fetchall()
    position, table, *_ = rows[0]
    parked = frozenset((deal, before) for *_, deal, before in rows if deal is not None)
    return _Standing(position, table, parked)


def _told(connection: Rows, before: _Standing | None, now: _Standing) -> set[UUID] | None:
    """Give the deals whose rows may have changed since; None for all of them."""
    if before is None or before.table != now.table or before.position > now.position:
        return None
    told = {deal_id for deal_id, _ in before.parked ^ now.parked}
    if before.position < now.position:
        rows = connection.execute(
            _TOLD,
            {
                "after": before.position,
                "upto": now.position,
                "topics": sorted(STAY_TOPICS),
                "framing": list(FRAMING_KINDS),
                "most": _MOST_DEALS + 1,
            },
        ).fetchall()
        deals = [deal_of(stream_id) for (stream_id,) in rows]
        if None in deals or len(deals) > _MOST_DEALS:
            return None
        told |= {deal_id for deal_id in deals if deal_id is not None}
    return told


def _read_rows(
    connection: Rows, stages: Collection[Stage], deal_ids: Collection[UUID] | None = None
) -> "Mapping[Stage, StayRows]":
    # Not before it is needed: see there.
    from projections.pressure.stay_rows import read_rows  # noqa: PLC0415

    return read_rows(connection, stages, deal_ids)
