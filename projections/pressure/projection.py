"""Keeps the seller events and stays that deals are compared by, and every deal's verdicts."""

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from domain.causes import is_customer_event
from domain.events.context import PlanRateSet
from domain.events.honesty import EventAmended, EventRetracted
from domain.events.life import (
    CloseDateMoved,
    DealDisqualified,
    DealLost,
    DealMovedToProcess,
    DealOpened,
    DealReopened,
    DealWon,
    WinReversed,
)
from domain.events.money import DiscountOffered, DiscountWithdrawn
from domain.events.progress import StageEntered
from domain.replay import Event, view
from projections.batch import Batch, put_docs
from projections.facts import Rows
from projections.pressure.acts import Act, Stay, acts_of, stays_of
from projections.pressure.context import ACTS, STAYS, KnownContext, Ledger
from projections.pressure.fold import Judged, fold

_MOVES = (
    DealOpened,
    StageEntered,
    DealMovedToProcess,
    DealReopened,
    WinReversed,
    EventAmended,
    EventRetracted,
)
_OF_ACTS = (*_MOVES, DiscountOffered, DiscountWithdrawn, CloseDateMoved)
_OF_STAYS = (*_MOVES, DealWon, DealLost, DealDisqualified)


class PressureProjection:
    """The verdicts of every deal at the projection's position."""

    name = "pressure"

    def __init__(self, ledger: Ledger) -> None:
        """Take what gives the bookings of a rep in a quarter."""
        self._ledger = ledger

    def project(self, connection: Rows, batch: Batch) -> None:
        """Follow the deals that the batch touches, then judge all whose verdicts may change."""
        streams = batch.read()
        acts = self._follow_acts(connection, batch, streams)
        stays = self._follow_stays(connection, batch, streams)
        deals = set(streams) | self._affected(connection, batch, acts, stays)
        others = deals - set(streams)
        context = KnownContext(connection, known=batch.known, as_of=batch.upto, ledger=self._ledger)
        docs = {}
        for deal_id, events in {**batch.load(sorted(others)), **streams}.items():
            seen = view(events)
            judged = fold(deal_id, seen, batch.known.processes(seen), context)
            docs[deal_id] = summary(judged)
        put_docs(connection, self.name, docs)

    def _follow_acts(
        self, connection: Rows, batch: Batch, streams: dict[UUID, list[Event]]
    ) -> list[Act]:
        known = batch.known

        def derive(events: Sequence[Event]) -> list[Act]:
            return acts_of(events, known.processes(events), known.policy, known.calendar)

        positions = batch.positions(streams, _changes_acts)
        return [fact for _, fact in ACTS.follow(connection, streams, positions, derive)]

    def _follow_stays(
        self, connection: Rows, batch: Batch, streams: dict[UUID, list[Event]]
    ) -> list[Stay]:
        known = batch.known

        def derive(events: Sequence[Event]) -> list[Stay]:
            return stays_of(events, known.processes(events))

        positions = batch.positions(streams, _changes_stays)
        return [fact for _, fact in STAYS.follow(connection, streams, positions, derive)]

    def _affected(
        self, connection: Rows, batch: Batch, acts: Iterable[Act], stays: Iterable[Stay]
    ) -> set[UUID]:
        """Give the other deals whose verdicts stand on something that the batch changed.

        Later offers than an offer that changed (their baseline), later events of a rep and
        quarter whose bookings or quota changed, later moves out of a stage whose stays changed.
        """
        if any(isinstance(event.data, PlanRateSet) for event in batch.events):
            return set(batch.every_deal())
        offers = [act.action_time for act in acts if act.kind == "discount_offered"]
        return (
            _offered_after(connection, min(offers, default=None))
            | _of_rep_and_quarter(connection, batch)
            | _left_after(connection, batch, stays)
        )


def summary(judged: Sequence[Judged]) -> bytes:
    """Give the verdicts of a deal as they are stored: the figures that boards and lists show."""
    verdicts = [
        {
            "event_id": str(j.event.event_id),
            "type": j.kind,
            "verdict": j.verdict,
            "cause": j.cause.kind,
            "rules": list(j.rules),
        }
        for j in judged
    ]
    return json.dumps({"events": verdicts}, separators=(",", ":")).encode()


def _changes_acts(event: Event) -> bool:
    return isinstance(event.data, _OF_ACTS) or is_customer_event(event)


def _changes_stays(event: Event) -> bool:
    return isinstance(event.data, _OF_STAYS)


def _offered_after(connection: Rows, instant: datetime | None) -> set[UUID]:
    if instant is None:
        return set()
    return _deals(
        connection,
        "SELECT DISTINCT deal_id FROM acts WHERE kind = 'discount_offered'"
        " AND until_position IS NULL AND action_time > %s",
        (instant,),
    )


def _of_rep_and_quarter(connection: Rows, batch: Batch) -> set[UUID]:
    """Give the deals with later events of a rep and quarter whose credits or quota changed."""
    quotas = sorted({event.stream_id for event in batch.events if _of_quota(event)})
    revised = [
        (history.rep, history.quarter)
        for history in batch.known.quotas.values()
        if history.rep is not None and history.stream_id in quotas
    ]
    return _deals(
        connection,
        "SELECT DISTINCT a.deal_id FROM acts a JOIN ("
        "  SELECT rep, quarter, min(occurred_at) AS since FROM credits"
        "   WHERE (from_position > %(after)s AND from_position <= %(upto)s)"
        "      OR (until_position > %(after)s AND until_position <= %(upto)s)"
        "   GROUP BY rep, quarter"
        "  UNION ALL SELECT r, q, '-infinity' FROM unnest(%(reps)s::text[], %(quarters)s::text[])"
        "   AS u(r, q)) c"
        " ON a.rep = c.rep AND a.quarter = c.quarter AND a.action_time > c.since"
        " WHERE a.until_position IS NULL",
        {
            "after": batch.after,
            "upto": batch.upto,
            "reps": [rep for rep, _ in revised],
            "quarters": [quarter for _, quarter in revised],
        },
    )


def _of_quota(event: Event) -> bool:
    return event.data.TOPIC.startswith("quota.")


def _left_after(connection: Rows, batch: Batch, stays: Iterable[Stay]) -> set[UUID]:
    """Give the deals that left a stage later than a stay in it began which the batch changed.

    Only where the process states outcomes: elsewhere no verdict consults the length of a stay.
    """
    stating = {process.id for process in batch.known.catalogue.values() if process.outcomes}
    since: dict[tuple[str, str], datetime] = {}
    for stay in stays:
        if stay.process in stating:
            key = (stay.process, stay.stage)
            since[key] = min(stay.entered_at, since.get(key, stay.entered_at))
    if not since:
        return set()
    return _deals(
        connection,
        "SELECT DISTINCT s.deal_id FROM stays s JOIN unnest("
        " %s::text[], %s::text[], %s::timestamptz[]) AS c(process, stage, since)"
        " ON s.process = c.process AND s.stage = c.stage AND s.left_at > c.since"
        " WHERE s.until_position IS NULL",
        ([p for p, _ in since], [s for _, s in since], list(since.values())),
    )


def _deals(connection: Rows, query: str, params: object) -> set[UUID]:
    return {row[0] for row in connection.execute(query, params).fetchall()}  # type: ignore[call-overload]  # constants of this module


def verdict_counts(doc: bytes) -> dict[str, int]:
    """Count the verdicts of a stored summary: shaped, consistent and evaluable."""
    verdicts: Collection[str] = [event["verdict"] for event in json.loads(doc)["events"]]
    return {
        "shaped": sum(v == "pressure_shaped" for v in verdicts),
        "consistent": sum(v == "pressure_consistent" for v in verdicts),
        "evaluable": sum(v != "not_evaluable" for v in verdicts),
    }
