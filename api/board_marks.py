"""When ticks and verdicts counted on the board of a quarter: spans of time, on either clock."""

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Any, Final
from uuid import UUID

from psycopg import sql

from api.context import ContextReader
from api.places import Places
from api.replays import Replay
from api.storage.log_reader import LogReader
from projections.attainment.projection import ledger
from projections.facts import Rows
from projections.pressure.context import KnownContext
from projections.pressure.verdicts import verdicts
from projections.quarter.board_tape import Span
from projections.spans.clocks import instant_of, micros

_KEPT: Final = 32
"""How many quarters' verdicts are kept: what was known at a position never changes."""


class Times:
    """When positions of the log were recorded; each is read once."""

    def __init__(self, store: LogReader, default: datetime) -> None:
        """Take where to read; `default` is for the position 0, at which nothing was."""
        self._store = store
        self._known = {0: default}

    def __call__(self, position: int) -> datetime:
        """Give when a position was recorded."""
        if position not in self._known:
            self.read([position])
        return self._known[position]

    def read(self, positions: Iterable[int | None]) -> None:
        """Read many at once."""
        missing = {at for at in positions if at is not None and at not in self._known}
        if missing:
            rows = self._store.rows(
                "SELECT position, recorded_at FROM events WHERE position = ANY(%(positions)s)",
                {"positions": sorted(missing)},
            )
            self._known |= dict(rows)


@dataclass(frozen=True, slots=True)
class ActSpan:
    """From where on the clock, and until where, an act of a deal was pressure-shaped."""

    deal_id: UUID
    since: int
    until: int | None


class ShapedActsCache:
    """Keeps what was found of the quarters that were asked about last."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._found: OrderedDict[tuple[object, ...], list[ActSpan]] = OrderedDict()

    def get(self, replay: Replay, find: Callable[[], list[ActSpan]]) -> list[ActSpan]:
        """Give what is kept of a replay, or find it."""
        key = (replay.quarter, replay.start, replay.end, replay.last_position)
        with self._lock:
            found = self._found.get(key)
        if found is None:
            found = find()
        with self._lock:
            self._found[key] = found
            self._found.move_to_end(key)
            while len(self._found) > _KEPT:
                self._found.popitem(last=False)
        return found


def tick_spans(
    connection: Rows, replay: Replay, deal_ids: Collection[UUID], times: Times
) -> list[Span]:
    """Give since when, and until when, ticks of deals were evidenced, due or checkbox-only."""
    known = replay.clock == "as_known"
    where = (
        "until_at IS NULL AND from_position <= %(end)s"
        " AND (until_position IS NULL OR until_position > %(start)s)"
        if known
        else "from_position <= %(end)s AND (until_position IS NULL OR until_position > %(end)s)"
    )
    last = replay.last_position
    rows = connection.execute(
        sql.SQL(
            "SELECT deal_id, from_position, until_position, from_at, until_at, settles_at,"
            " reached_at FROM ticks WHERE expressible AND deal_id = ANY(%(deals)s) AND {}"
        ).format(sql.SQL(where)),
        {"deals": list(deal_ids), "end": last, "start": replay.start.coordinate},
    )
    found: list[Span] = []
    told = rows.fetchall()
    if known:
        times.read(at for row in told for at in row[1:3])
    for deal_id, since, until, from_at, until_at, settles_at, reached_at in told:
        if known:
            ends = None if until is None or until > last else times(until)
            found += _tick(deal_id, times(since), ends, settles_at, reached_at and times(since))
        else:
            found += _tick(deal_id, from_at, until_at, settles_at, reached_at)
    return found


def _tick(
    deal_id: UUID,
    since: datetime,
    until: datetime | None,
    settles_at: datetime,
    reached_at: datetime | None,
) -> Iterator[Span]:
    """Give what a tick counts as, one after the other; what never was has no length."""
    reached = _earliest(until, reached_at)
    yield Span(deal_id, "due", since, _earliest(reached, settles_at))
    yield Span(deal_id, "checkbox_only", max(since, settles_at), reached)
    if reached_at is not None:
        yield Span(deal_id, "evidenced", max(since, reached_at), until)


def _earliest(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((at for at in (one, other) if at is not None), default=None)


@dataclass(slots=True)
class _Judged:
    """An act, and the coordinates from which on something else may bear on its verdict."""

    deal_id: UUID
    occurred_at: datetime
    action_time: datetime
    rep: str
    turns: set[int] = field(default_factory=set)


class ShapedActs:
    """Finds when the acts of a quarter were pressure-shaped, as they were judged at each instant.

    A verdict changes only where something is told that it rests on: its own deal, the context, or,
    told late, a booking, an offer or a stay of before it. Between two such turns it is asked for
    once.
    """

    def __init__(
        self,
        connection: Rows,
        replay: Replay,
        *,
        context: ContextReader,
        places: Places,
        times: Times,
    ) -> None:
        self._connection = connection
        self._replay = replay
        self._context = context
        self._places = places
        self._times = times

    def spans(self, cache: ShapedActsCache) -> list[Span]:
        """Give the spans in which acts were pressure-shaped."""
        found = cache.get(self._replay, self._found)
        if self._replay.clock == "as_known":
            self._times.read(at for one in found for at in (one.since, one.until))
        return [
            Span(
                one.deal_id,
                "shaped",
                self._at(one.since),
                None if one.until is None else self._at(one.until),
            )
            for one in found
        ]

    def _found(self) -> list[ActSpan]:
        known = self._replay.clock == "as_known"
        acts = self._told() if known else self._happened()
        end = self._replay.end.coordinate
        asked: dict[int, set[UUID]] = defaultdict(set)
        for event_id, act in acts.items():
            for _, last in _stretches(act.turns, end):
                asked[last].add(event_id)
        shaped = {at: self._shaped(at, ids) for at, ids in sorted(asked.items())}
        return [
            ActSpan(act.deal_id, first, last + 1 if last < end else None)
            for event_id, act in acts.items()
            for first, last in _stretches(act.turns, end)
            if event_id in shaped[last]
        ]

    def _at(self, coordinate: int) -> datetime:
        known = self._replay.clock == "as_known"
        return self._times(coordinate) if known else instant_of(coordinate)

    def _shaped(self, coordinate: int, event_ids: Iterable[UUID]) -> frozenset[UUID]:
        """Give those of some acts that were pressure-shaped at a place on the clock."""
        known = self._replay.clock == "as_known"
        position = coordinate if known else self._replay.moment.position
        at = self._times(coordinate) if known else instant_of(coordinate)
        context = KnownContext(
            self._connection,
            known=self._context.known(position),
            as_of=position,
            at=at,
            ledger=ledger,
            reading=self._places.reading(None if known else at),
        )
        found = verdicts(context, where="event_id = ANY(%s)", params=(sorted(event_ids),))
        return frozenset(one.event_id for one in found if one.verdict == "pressure_shaped")

    def _told(self) -> dict[UUID, _Judged]:
        """Give the acts known by the end, with the positions at which their verdicts may turn."""
        start, end = self._replay.start.coordinate, self._replay.end.coordinate
        acts: dict[UUID, _Judged] = {}
        rows = self._rows(
            "SELECT event_id, deal_id, rep, occurred_at, action_time, from_position,"
            " until_position FROM acts WHERE quarter = %(quarter)s AND outside IS NOT TRUE"
            " AND from_position <= %(end)s"
            " AND (until_position IS NULL OR until_position > %(start)s)"
        )
        for event_id, deal_id, rep, occurred_at, action_time, since, until in rows:
            act = acts.setdefault(event_id, _Judged(deal_id, occurred_at, action_time, rep))
            act.turns |= {max(since, start), *([] if until is None or until > end else [until])}
        told = self._context.known(end).events
        context = [event.position for event in told if start < event.position <= end]
        late = self._late_facts()
        for act in acts.values():
            first = min(act.turns)
            act.turns |= {at for at in context if at > first}
            act.turns |= {
                at
                for at, of, rep in late
                if at > first and of < act.action_time and rep in (None, act.rep)
            }
        return acts

    def _late_facts(self) -> list[tuple[int, datetime, str | None]]:
        """Give what was told in the quarter of what acts are judged by: when, of when, of whom.

        A stay that went on and is over tells something of the instant when it ended.
        """
        gate = self._replay.known.policy.coverage_gate is not None
        rows = self._rows(
            """
            SELECT at, occurred_at, rep FROM credits,
                   unnest(ARRAY[from_position, until_position]) AS at
             WHERE quarter = %(quarter)s AND kind = 'revenue' AND at > %(start)s AND at <= %(end)s
            UNION ALL
            SELECT at, action_time, NULL FROM acts,
                   unnest(ARRAY[from_position, until_position]) AS at
             WHERE (kind = 'discount_offered' AND interior OR %(gate)s)
               AND at > %(start)s AND at <= %(end)s
            UNION ALL
            SELECT at, CASE WHEN count(*) = 2 AND count(DISTINCT (process, stage, entered_at)) = 1
                            THEN min(left_at) ELSE min(entered_at) END, NULL
              FROM stays, unnest(ARRAY[from_position, until_position]) AS at
             WHERE at > %(start)s AND at <= %(end)s
             GROUP BY at, deal_id, event_id
            """,
            gate=gate,
        )
        return [(at, of, rep) for at, of, rep in rows if of is not None]

    def _happened(self) -> dict[UUID, _Judged]:
        """Give the acts as known now, with the instants from which on they may read otherwise."""
        rows = self._rows(
            "SELECT event_id, deal_id, rep, occurred_at, action_time, unsettled_until FROM acts"
            " WHERE quarter = %(quarter)s AND outside IS NOT TRUE AND occurred_at <= %(until)s"
            " AND from_position <= %(position)s"
            " AND (until_position IS NULL OR until_position > %(position)s)"
        )
        acts: dict[UUID, _Judged] = {}
        unsettled: dict[UUID, datetime] = {}
        for event_id, deal_id, rep, occurred_at, action_time, settles in rows:
            acts[event_id] = _Judged(
                deal_id, occurred_at, action_time, rep, {micros(occurred_at), micros(action_time)}
            )
            unsettled[event_id] = max(action_time, settles or action_time)
        wanted = {a.deal_id for i, a in acts.items() if unsettled[i] > a.occurred_at}
        streams = self._places.streams(sorted(wanted), self._replay.moment.position)
        others = self._between({i: (acts[i].occurred_at, acts[i].action_time) for i in acts})
        for event_id, act in acts.items():
            own = (e.occurred_at for e in streams.get(act.deal_id, ()))
            told = (at for at in own if act.occurred_at < at <= unsettled[event_id])
            act.turns |= {micros(at) for at in (*told, *others.get(event_id, ()))}
        return acts

    def _between(
        self, spans: Mapping[UUID, tuple[datetime, datetime]]
    ) -> dict[UUID, list[datetime]]:
        """Give for acts told late what else occurred until they were, which bears on them."""
        late = {i: span for i, span in spans.items() if span[0] < span[1]}
        if not late:
            return {}
        rows = self._rows(
            "SELECT occurred_at FROM events WHERE occurred_at > %(since)s"
            " AND occurred_at < %(before)s AND position <= %(position)s",
            since=min(since for since, _ in late.values()),
            before=max(until for _, until in late.values()),
        )
        return {
            event_id: [at for (at,) in rows if since < at < until]
            for event_id, (since, until) in late.items()
        }

    def _rows(self, statement: str, **more: object) -> list[tuple[Any, ...]]:
        # Only texts of this module come here.
        replay = self._replay
        return self._connection.execute(
            sql.SQL(statement),
            {
                "quarter": replay.quarter.name,
                "start": replay.start.coordinate,
                "end": replay.end.coordinate,
                "until": replay.until,
                "position": replay.moment.position,
                **more,
            },
        ).fetchall()


def _stretches(turns: Collection[int], end: int) -> Sequence[tuple[int, int]]:
    """Give from where to where nothing turns, both included."""
    starts = sorted(at for at in turns if at <= end)
    return [(at, after - 1) for at, after in zip(starts, [*starts[1:], end + 1], strict=True)]
