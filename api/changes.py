"""What was told of the deals since an instant, each change once, as a manager asks for it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal, LiteralString, TypeAlias, get_args
from uuid import UUID

from api.context import ContextReader
from api.identity.access import Access
from api.identity.reach import WHOLE, Reach
from api.moment import Moment
from api.places import Places
from api.storage.log_reader import LogReader
from domain.commitments import Commitment, commitments_of
from domain.events.base import DomainEvent
from domain.events.catalogue import TYPES_BY_NAME
from domain.events.life import (
    CloseDateMoved,
    DealDisqualified,
    DealLost,
    DealOpened,
    DealReopened,
    DealWon,
    WinReversed,
)
from domain.events.money import DiscountOffered
from domain.known import Known
from domain.path import Move, Processes, moves
from domain.replay import Event, view
from projections.attainment.projection import ledger
from projections.batch import deal_of
from projections.commitments.projection import COMMITMENTS
from projections.facts import Rows
from projections.names import Names
from projections.pressure.context import KnownContext
from projections.pressure.verdicts import verdicts
from projections.spans.fold import DealState
from projections.spans.fold import fold as fold_state
from projections.words import detail, title

Answer: TypeAlias = dict[str, object]
Kind: TypeAlias = Literal[
    "opened",
    "moves",
    "wins",
    "losses",
    "taken_back",
    "pushes",
    "pull_ins",
    "discounts",
    "pressure_shaped",
    "broken_commitments",
]
Told: TypeAlias = dict[Kind, list[Answer]]
"""The changes found so far, by kind."""
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
MAX_CHANGED: Final = 500
"""Deals whose changes are told at once; of more only that there are more."""
_TYPES: Final = (
    "deal_opened",
    "stage_entered",
    "deal_won",
    "deal_lost",
    "deal_disqualified",
    "deal_reopened",
    "win_reversed",
    "close_date_moved",
    "discount_offered",
    "commitment_broken",
    "seller_promise_broken",
)
_TOLD: Final[LiteralString] = (
    "SELECT DISTINCT stream_id FROM events WHERE position > %(after)s AND position <= %(upto)s"
    " AND topic = ANY(%(topics)s) AND occurred_at <= %(by)s"
)
_FELL_DUE: Final = "settled IS NULL AND overdue_at > %s AND overdue_at <= %s"


class Changes:
    """Answers what changed since an instant; the views must have reached the moment."""

    def __init__(
        self, store: LogReader, context: ContextReader, places: Places, access: Access
    ) -> None:
        self._store = store
        self._context = context
        self._places = places
        self._access = access

    def changes(self, moment: Moment, since: datetime, reach: Reach = WHOLE) -> Answer:
        """Give what was recorded after an instant and up to a moment, as it stands at the moment.

        What was taken back or amended since counts as it stands now, or not at all. A commitment
        whose days passed in between is broken though nobody recorded anything. Where more than
        `MAX_CHANGED` deals changed the answer says so and tells none of them.
        """
        known = self._context.known(moment.position)
        after = self._store.position_at(since)
        told: Told = {kind: [] for kind in KINDS}
        with self._store.connection() as connection:
            ids = self._changed(connection, moment, since, after, reach)
            complete = len(ids) <= MAX_CHANGED
            streams = self._places.streams(ids, moment.position) if complete else {}
            views = {i: view(stream, effective_at=moment.cut) for i, stream in streams.items()}
            told_of = self._access.pressure_shown(reach, views)
            new = {i: [e.event_id for e in views[i] if e.position > after] for i in told_of}
            shaped = self._shaped(connection, known, moment, new)
        for deal_id, events in views.items():
            deal = _Deal.of(deal_id, events, known)
            if deal is not None:
                deal.add(told, events, known, after, shaped)
                deal.add_broken(told, events, known, (since, moment.effective_at), after)
        return {
            **moment.answer(),
            "since": since,
            "since_position": after,
            "complete": complete,
            "changes": {kind: _latest_first(told[kind]) for kind in KINDS},
        }

    def _changed(
        self, connection: Rows, moment: Moment, since: datetime, after: int, reach: Reach
    ) -> list[UUID]:
        """Give the deals in reach of which something was told, or whose customer's day passed."""
        rows = connection.execute(
            _TOLD,
            {
                "after": after,
                "upto": moment.position,
                "topics": [TYPES_BY_NAME[name].TOPIC for name in _TYPES],
                "by": moment.cut or "infinity",
            },
        ).fetchall()
        due = COMMITMENTS.known(
            connection,
            as_of=moment.position,
            where=_FELL_DUE,
            params=(since, moment.effective_at),
        )
        ids = {deal_id for deal_id, _ in due}
        ids |= {i for (stream,) in rows if (i := deal_of(stream)) is not None}
        return sorted(self._access.in_reach(reach, ids))

    def _shaped(
        self, connection: Rows, known: Known, moment: Moment, new: Mapping[UUID, Sequence[UUID]]
    ) -> frozenset[UUID]:
        """Give which of the new events of deals are pressure-shaped."""
        context = KnownContext(
            connection,
            known=known,
            as_of=moment.position,
            at=moment.effective_at,
            ledger=ledger,
            reading=self._places.reading(moment.cut),
        )
        ids = [event_id for events in new.values() for event_id in events]
        found = verdicts(
            context, where="deal_id = ANY(%s) AND event_id = ANY(%s)", params=(list(new), ids)
        )
        return frozenset(one.event_id for one in found if one.verdict == "pressure_shaped")


@dataclass(frozen=True, slots=True)
class _Deal:
    """A deal that changed, as it stands at the moment."""

    deal_id: UUID
    state: DealState
    names: Names

    @classmethod
    def of(cls, deal_id: UUID, events: Sequence[Event], known: Known) -> "_Deal | None":
        """Give the deal of a view; None where it was not opened yet, or was deleted."""
        state = fold_state(events)
        if state is None or state.deleted:
            return None
        return cls(deal_id, state, Names.of(events, known.processes(events)))

    def add(
        self,
        told: Told,
        events: Sequence[Event],
        known: Known,
        after: int,
        shaped: frozenset[UUID],
    ) -> None:
        """Add what was recorded after a position."""
        told["moves"] += [
            self._row(move.event) | ends
            for move, ends in _moves(events, known.processes(events))
            if move.event.position > after
        ]
        for event, kind in _kinds(events):
            if event.position > after:
                told[kind].append(self._row(event))
        told["pressure_shaped"] += [self._row(e) for e in events if e.event_id in shaped]

    def add_broken(
        self,
        told: Told,
        events: Sequence[Event],
        known: Known,
        span: tuple[datetime, datetime],
        after: int,
    ) -> None:
        """Add the commitments of both sides that were broken in a span, said or by time alone."""
        by_id = {event.event_id: event for event in events}
        for one in commitments_of(events, known.calendar, known.policy):
            said = any(by_id[i].position > after for i in one.event_ids)
            if _broke(one, span, said=said):
                told["broken_commitments"].append(
                    self._row(by_id[one.event_ids[-1]])
                    | {"title": one.what, "side": one.side, "due": one.due}
                )

    def _row(self, event: Event) -> Answer:
        return {
            "deal_id": str(self.deal_id),
            "deal": self.state.name,
            "account": self.state.account_name,
            "owner": self.state.owner,
            "event_id": str(event.event_id),
            "position": event.position,
            "occurred_at": event.occurred_at,
            "recorded_at": event.recorded_at,
            "rep": event.rep,
            "title": title(event.data, self.names),
            "detail": detail(event.data, self.names),
        }


def _moves(events: Sequence[Event], processes: Processes) -> Iterator[tuple[Move, Answer]]:
    """Give the moves between working stages with the names of both.

    The first stage of an episode is how it begins, and entering a closing stage is the outcome.
    """
    for move in moves(events, processes):
        names = {stage.id: stage.name for stage in move.process.working_stages}
        if move.source is not None and move.target in names:
            source = names.get(move.source, move.source)
            yield move, {"from_stage": source, "to_stage": names[move.target]}


_KINDS: Final[Mapping[type[DomainEvent], Kind]] = {
    DealOpened: "opened",
    DealWon: "wins",
    DealLost: "losses",
    DealDisqualified: "losses",
    DealReopened: "taken_back",
    WinReversed: "taken_back",
    DiscountOffered: "discounts",
}
"""Looked up by type, since events are never subclassed."""


def _kinds(events: Iterable[Event]) -> Iterator[tuple[Event, Kind]]:
    """Give the events of a deal's view that are changes, in their order; its moves apart."""
    closing: date | None = None
    for event in events:
        kind = _KINDS.get(type(event.data))
        if kind is not None:
            yield event, kind
        match event.data:
            case DealOpened(close_date=day):
                closing = day
            case CloseDateMoved(to=day):
                if closing is not None and day != closing:
                    yield event, "pushes" if day > closing else "pull_ins"
                closing = day
            case _:
                pass


def _broke(one: Commitment, span: tuple[datetime, datetime], *, said: bool) -> bool:
    """Say whether it is broken since the beginning of a span and was not before."""
    since, at = span
    if one.status(at) != "broken":
        return False
    if one.settled == "broken":
        return said
    return one.overdue_at is not None and since < one.overdue_at <= at


def _latest_first(rows: Iterable[Answer]) -> list[Answer]:
    return sorted(rows, key=lambda row: int(str(row["position"])), reverse=True)
