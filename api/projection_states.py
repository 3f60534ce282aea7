"""Where each projection stands: how far behind it is, what is parked, what is being rebuilt."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from api.audit.tables import NAME as AUDIT
from api.context import ContextReader
from api.parking import Parked, parked_deals
from api.storage.log_reader import LogReader
from projections.batch import Projection
from projections.facts import Rows


@dataclass(frozen=True, slots=True)
class Rebuilding:
    """How far a rebuild has got; `eta_seconds` goes by its pace so far, None before it has one."""

    phase: str
    done: int
    total: int
    started_at: datetime
    eta_seconds: float | None


@dataclass(frozen=True, slots=True)
class ProjectionState:
    """One projection.

    Lag is counted from the head of the log as it stands, whether or not a worker lives:
    `lag_positions` are the events it has not taken in, `lag_seconds` how long the first of them
    has been waiting.
    """

    name: str
    position: int
    lag_positions: int
    lag_seconds: float
    parked: Sequence[Parked]
    rebuilding: Rebuilding | None


@dataclass(frozen=True, slots=True)
class ProjectionStates:
    """All projections at one moment, the rows of auditors last, and what nobody can read."""

    head: int
    projections: Sequence[ProjectionState]
    unreadable: Sequence[tuple[str, int]]

    @property
    def awaited(self) -> Sequence[ProjectionState]:
        """Those that answers wait for: the rows of auditors follow them at a pace of their own."""
        return [one for one in self.projections if one.name != AUDIT]

    @property
    def lag_seconds(self) -> float:
        """How long the event has been waiting that waits longest for one that is awaited."""
        return max((one.lag_seconds for one in self.awaited), default=0.0)


class StateReader:
    """Reads where the projections stand."""

    def __init__(
        self, store: LogReader, context: ContextReader, projections: Sequence[Projection]
    ) -> None:
        self._store = store
        self._context = context
        self._names = [*(projection.name for projection in projections), AUDIT]

    def states(self, now: datetime) -> ProjectionStates:
        """Give where all stand at this moment."""
        head = self._store.head().position
        self._context.known(head)
        unreadable = [(one.stream_id, one.position) for one in self._context.unreadable]
        with self._store.connection() as connection:
            parked = parked_deals(connection)
            positions = _positions(connection)
            states = [
                ProjectionState(
                    name=name,
                    position=positions.get(name, 0),
                    lag_positions=max(0, head - positions.get(name, 0)),
                    lag_seconds=_waiting(connection, positions.get(name, 0), now),
                    parked=[one for one in parked if one.projection == name],
                    rebuilding=_rebuilding(connection, name),
                )
                for name in self._names
            ]
        return ProjectionStates(head, states, [*self._store.unknown_topics(), *unreadable])


def _positions(connection: Rows) -> dict[str, int]:
    return dict(connection.execute("SELECT name, position FROM projections").fetchall())


def _waiting(connection: Rows, position: int, now: datetime) -> float:
    """Give for how many seconds the event after a position has been in the ledger."""
    row = connection.execute(
        "SELECT ingested_at FROM events WHERE position = %s", (position + 1,)
    ).fetchone()
    return max(0.0, (now - row[0]).total_seconds()) if row else 0.0


def _rebuilding(connection: Rows, name: str) -> Rebuilding | None:
    row = connection.execute(
        "SELECT max(phase), sum(done)::bigint, sum(total)::bigint, min(started_at),"
        " extract(epoch FROM max(told_at) - min(started_at))::float8"
        " FROM rebuild_progress WHERE name = %s HAVING count(*) > 0",
        (name,),
    ).fetchone()
    if row is None:
        return None
    phase, done, total, started_at, seconds = row
    eta = round(seconds / done * (total - done), 1) if done else None
    return Rebuilding(phase, done, total, started_at, eta)
