"""Which verdicts an event re-derives: those that rest on facts it changed, and no others.

METRICS section 7: an event that comes late dirties its own deal, the later events of the reps whose
bookings it changed, in that quarter, and the verdicts whose baseline holds what it changed.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, LiteralString, TypeAlias
from uuid import UUID

from psycopg import sql

from projections.pressure.acts import Act
from projections.pressure.baseline import Measure, Question
from projections.pressure.context import ACTS, KnownContext
from projections.pressure.rules import consults_dwell
from projections.pressure.verdicts import ActVerdict, verdicts

Reason: TypeAlias = Literal["deal", "bookings", "quota", "offers", "stays", "coverage"]
ContextAt: TypeAlias = Callable[[int], KnownContext]
Key: TypeAlias = tuple[UUID, UUID]
"""The deal of an act, and its event."""
_MEASURES: Final[tuple[Measure, ...]] = ("level", "step")


@dataclass(frozen=True, slots=True)
class Rederived:
    """A seller event whose verdict an event re-derives, and why.

    Something else may be told of its own deal, of the quota of its rep or their bookings before it,
    of the offers and stays that it is held against, or, where the policy has a gate for it, of how
    often its team records what customers do. An act that the event brought has no verdict
    before it, and one that it took away none after it.
    """

    event_id: UUID
    deal_id: UUID
    reasons: tuple[Reason, ...]
    before: ActVerdict | None
    after: ActVerdict | None

    @property
    def changed(self) -> bool:
        """Whether the verdict reads otherwise since."""
        was = self.before.verdict if self.before else None
        return was != (self.after.verdict if self.after else None)


def rederived(contexts: ContextAt, position: int, deal_id: UUID | None) -> list[Rederived]:
    """Give what the event at a position re-derives, in the order of event ids.

    `contexts` gives what is known at a position. `deal_id` is the deal of the event, None for one
    of a quota. Calendars, policies and processes change how every deal reads, and plan rates and
    people more than one rep: they are not asked about here.
    """
    before, after = contexts(position - 1), contexts(position)
    told: tuple[tuple[Reason, Iterable[Key]], ...] = (
        ("deal", _acts(before, after, "deal_id = %s", deal_id)),
        ("bookings", _of_bookings(before, after, deal_id)),
        ("quota", _of_quotas(before, after)),
        ("offers", _of_offers(before, after, deal_id)),
        ("stays", _of_stays(before, after, deal_id)),
        ("coverage", _of_coverage(before, after)),
    )
    reasons: dict[Key, set[Reason]] = defaultdict(set)
    for reason, found in told:
        for key in found:
            reasons[key].add(reason)
    ids = [event_id for _, event_id in reasons]
    was, now = (
        {one.event_id: one for one in verdicts(context, where="event_id = ANY(%s)", params=(ids,))}
        for context in (before, after)
    )
    return [
        Rederived(event_id, of, tuple(sorted(why)), was.get(event_id), now.get(event_id))
        for (of, event_id), why in sorted(reasons.items(), key=lambda item: item[0][1])
    ]


def _acts(before: KnownContext, after: KnownContext, where: str, *params: object) -> dict[Key, Act]:
    """Give the acts that `where` names and that are known before an event or after it."""
    found: dict[Key, Act] = {}
    for context in (before, after):
        acts = ACTS.known(context.connection, as_of=context.as_of, where=where, params=params)
        found |= {(deal_id, act.event_id): act for deal_id, act in acts}
    return found


def _changed(after: KnownContext, deal_id: UUID | None, facts: LiteralString) -> list[Any]:
    """Give those of a deal's facts that the last event of a context began or ended."""
    query = "SELECT {} AND deal_id = %(deal)s AND %(at)s IN (from_position, until_position)"
    values = {"deal": deal_id, "at": after.as_of}
    rows = after.connection.execute(sql.SQL(query).format(sql.SQL(facts)), values)
    return rows.fetchall()


def _of_bookings(before: KnownContext, after: KnownContext, deal_id: UUID | None) -> Iterator[Key]:
    """Give the acts after a booking that came or went, of its rep in its quarter."""
    since: dict[tuple[str, str], datetime] = {}
    for rep, quarter, occurred_at in _changed(after, deal_id, _BOOKED):
        earliest = since.get((rep, quarter), occurred_at)
        since[rep, quarter] = min(earliest, occurred_at)
    for (rep, quarter), occurred_at in since.items():
        where = "rep = %s AND quarter = %s AND action_time > %s"
        yield from _acts(before, after, where, rep, quarter, occurred_at)


def _of_quotas(before: KnownContext, after: KnownContext) -> Iterator[Key]:
    """Give the acts at which another quota is in force."""
    was, now = before.known.quotas, after.known.quotas
    for rep, _, quarter in [key for key in {*was, *now} if was.get(key) != now.get(key)]:
        acts = _acts(before, after, "rep = %s AND quarter = %s", rep, quarter)
        for key, act in acts.items():
            at = act.action_time
            if before.quota(act.rep, quarter, at) != after.quota(act.rep, quarter, at):
                yield key


def _of_offers(before: KnownContext, after: KnownContext, deal_id: UUID | None) -> Iterator[Key]:
    """Give the later offers of other deals whose baseline reads otherwise."""
    changed = [row[0] for row in _changed(after, deal_id, _OFFERED)]
    if not changed:
        return
    where = "kind = 'discount_offered' AND deal_id <> %s AND action_time > %s"
    for key, act in _acts(before, after, where, deal_id, min(changed)).items():
        question = Question(key[0], act.rep, act.segment, act.action_time)
        if any(
            before.comparables.peers(measure, question, before.policy)
            != after.comparables.peers(measure, question, after.policy)
            for measure in _MEASURES
        ):
            yield key


def _of_stays(before: KnownContext, after: KnownContext, deal_id: UUID | None) -> Iterator[Key]:
    """Give the later moves of other deals for which another stay in the stage left is normal."""
    since: dict[tuple[str, str], datetime] = {}
    for process, stage, entered_at in _changed(after, deal_id, _STAYED):
        since[process, stage] = min(since.get((process, stage), entered_at), entered_at)
    where = "deal_id <> %s AND process = %s AND left_stage = %s AND occurred_at > %s"
    for (process, stage), entered_at in since.items():
        acts = _acts(before, after, where, deal_id, process, stage, entered_at)
        for key, act in acts.items():
            place = (process, stage, key[0], act.occurred_at)
            if consults_dwell(act) and _normal(before, *place) != _normal(after, *place):
                yield key


def _normal(
    context: KnownContext, process: str, stage: str, deal_id: UUID, at: datetime
) -> tuple[int, timedelta | None] | None:
    dwell = context.dwell(process, stage, deal_id, at)
    return None if dwell is None else (dwell.n, dwell.shortest_normal())


def _of_coverage(before: KnownContext, after: KnownContext) -> Iterator[Key]:
    """Give the acts of reps whose team now records enough for a verdict, or no longer does."""
    gate = after.policy.coverage_gate
    if gate is None:
        return
    acts = _acts(before, after, "outside IS NOT TRUE AND cause = 'seller_only'")
    for key, act in acts.items():
        if before.coverage(act.rep).caps(gate) != after.coverage(act.rep).caps(gate):
            yield key


_BOOKED: Final = "rep, quarter, occurred_at FROM credits WHERE kind = 'revenue'"
_OFFERED: Final = "action_time FROM acts WHERE kind = 'discount_offered' AND interior"
_STAYED: Final = "process, stage, entered_at FROM stays WHERE true"
