"""What of a quarter is consistent with quota pressure, over all its deals, as of any moment."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, TypeAlias
from uuid import UUID

from api.closings import closings
from api.moment import Moment
from api.quarter_acts import QuarterActs
from api.replays import Replay, ReplayReader
from domain.events.life import DealOpened
from domain.fiscal import FiscalQuarter, OutsideCalendarError, local_day
from domain.known import Known
from domain.replay import view
from domain.values import Money
from projections.batch import DEAL_PREFIX, deal_of
from projections.facts import Rows
from projections.pressure.acts import Act
from projections.pressure.fold import Judgement, fold
from projections.pressure.money import cost, price_of
from projections.pressure.verdicts import ActVerdict, verdicts_of
from projections.quarter.closings import Closing, Parts, wins_by_day
from projections.quarter.cost import SignedWin, pressure_cost
from projections.quarter.offers import Offer
from projections.quarter.organisation import LateDeal, PullIn, Verdicts, cost_json, pressure_json
from projections.quarter.payback import Payback, payback
from projections.quarter.steps import Scope

Answer: TypeAlias = dict[str, object]
_DAY: Final = timedelta(days=1)
# A deal is in the pipeline from when it was told of (RecordedEvent.bookkeeping_time): a backdated
# opening was in none.
_OPENED: Final = """
    SELECT stream_id, event_id,
           CASE WHEN channel = 'import' AND clock = 'server' THEN occurred_at ELSE recorded_at END
      FROM events WHERE stream_id = ANY(%s) AND topic = %s AND position <= %s
     ORDER BY position DESC
"""


class QuarterPressure:
    """Answers about the pressure in a quarter; the views must have reached the moment."""

    def __init__(self, replays: ReplayReader, views: Callable[[], int]) -> None:
        self._replays = replays
        self._views = views

    def pressure(self, moment: Moment, name: str, known: Known, scope: Scope) -> Answer:
        """Give the effects, placebos, cost and shares of a quarter at a moment, in a context.

        Raises:
            UnknownThingError: the fiscal calendar has no such quarter.
        """
        replay = self._replays.replay(name, moment, known=known)
        quarter = replay.quarter
        over = moment.effective_at >= quarter.end_instant
        with self._replays.store.connection() as connection:
            asked = _Asked(connection, self._replays, replay, scope, self._views())
            return {
                **moment.answer(),
                "quarter": quarter.name,
                "start": quarter.start,
                "end": quarter.end,
                "scope": {"rep": scope.rep, "team": scope.team},
                "over": over,
                "policy_version": known.policy.version,
                **asked.answer(over=over),
                "late": self._replays.late(connection, replay),
            }

    def cost(self, moment: Moment, name: str, known: Known, judged: Sequence[ActVerdict]) -> Answer:
        """Give what pressure may have cost in the wins of a quarter, at a moment, in a context.

        `judged` are the verdicts of all its seller events there.

        Raises:
            UnknownThingError: the fiscal calendar has no such quarter.
        """
        replay = self._replays.replay(name, moment, known=known)
        over = moment.effective_at >= replay.quarter.end_instant
        with self._replays.store.connection() as connection:
            asked = _Asked(connection, self._replays, replay, Scope(), self._views())
            return asked.cost(judged, over=over)


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question about one quarter."""

    connection: Rows
    replays: ReplayReader
    replay: Replay
    scope: Scope
    views: int

    def answer(self, *, over: bool) -> Answer:
        quarter = self.replay.quarter
        parts = self._parts(quarter)
        read = self._read()
        acts = [(deal_id, act) for deal_id, act in read.acts() if self._counts(act)]
        # What lies outside the window is never pressure-shaped, and most acts do.
        judged = verdicts_of(read.context, [pair for pair in acts if not pair[1].outside])
        outside = Counter(act.rep for _, act in acts if act.outside)
        following = _following(self.replay)
        won = self._won(until=(following or quarter).end_instant)
        own = [one for one in won if quarter.start <= one.day <= quarter.end]
        currency = _currency(self.replay.known, quarter.name, own)
        return pressure_json(
            quarter=quarter,
            parts=parts,
            over=over,
            offers=_offers(acts, quarter),
            pull_ins=_pull_ins(acts, quarter),
            payback=self._payback(won, parts, following),
            cost=pressure_cost(self._signed(read, own, judged, currency)),
            currency=currency,
            late_deals=self._late_deals([one for one in own if one.day in parts.window], parts),
            verdicts=_by_rep(judged, outside),
        )

    def cost(self, judged: Sequence[ActVerdict], *, over: bool) -> Answer:
        quarter, read = self.replay.quarter, self._read()
        won = self._won(until=quarter.end_instant)
        own = [one for one in won if quarter.start <= one.day <= quarter.end]
        currency = _currency(self.replay.known, quarter.name, own)
        signed = self._signed(read, own, judged, currency)
        return cost_json(pressure_cost(signed), currency, over=over)

    def _read(self) -> QuarterActs:
        return QuarterActs(self.connection, self.replay, self.replays.places, self.views)

    def _won(self, *, until: datetime) -> list[Closing]:
        closed = closings(
            self.connection, self.replays.places, self.replay, self.scope, until=until
        )
        return [one for one in closed if one.outcome == "won"]

    def _counts(self, act: Act) -> bool:
        """Say whether an act is one of those asked for."""
        if self.scope.team is not None:
            member = self.replay.known.member(act.rep, act.action_time)
            return member is not None and member.team == self.scope.team
        return self.scope.rep in (None, act.rep)

    def _parts(self, quarter: FiscalQuarter) -> Parts:
        policy = self.replay.known.policy
        return Parts.of(quarter, window_days=policy.window_days, opening_days=policy.opening_days)

    def _payback(
        self, won: Sequence[Closing], parts: Parts, following: FiscalQuarter | None
    ) -> Payback | None:
        """Give excess and trough, once the interior of the quarter that follows is over."""
        if following is None:
            return None
        later = self._parts(following)
        today = local_day(self.replay.moment.effective_at, following.zone)
        if today < later.window.first:
            return None
        return payback(wins_by_day(won), parts, following, later)

    def _signed(
        self,
        read: QuarterActs,
        won: Sequence[Closing],
        judged: Sequence[ActVerdict],
        currency: str | None,
    ) -> list[SignedWin]:
        """Give the wins of the quarter with what its flagged discounts on them cost.

        One discount that cannot be judged makes the cost of its deal unknown.
        """
        flagged: dict[UUID, list[UUID]] = defaultdict(list)
        offered = [one for one in judged if one.kind == "discount_offered"]
        for one in offered:
            if one.verdict == "pressure_shaped":
                flagged[one.deal_id].append(one.event_id)
        floors: dict[UUID, Money | None] = {
            one.deal_id: None for one in offered if one.verdict == "not_evaluable"
        }
        judgeable = flagged.keys() - floors.keys()
        floors |= self._floors(read, [one.deal_id for one in won if one.deal_id in judgeable])

        def told(money: Money | None) -> Decimal | None:
            if money is None or currency is None:
                return None
            return self.replay.known.convert(money, currency, self.replay.quarter.name)

        return [
            SignedWin(
                deal_id=one.deal_id,
                event_id=one.event_id,
                net=told(one.net),
                excess=told(floors[one.deal_id]) if one.deal_id in floors else Decimal(0),
                flagged=tuple(flagged.get(one.deal_id, ())),
            )
            for one in won
        ]

    def _floors(self, read: QuarterActs, deal_ids: Sequence[UUID]) -> dict[UUID, Money | None]:
        """Give by how much the flagged discounts of won deals exceed the baseline median."""
        moment, known = self.replay.moment, self.replay.known
        found: dict[UUID, Money | None] = {}
        for deal_id, stream in self.replays.places.streams(deal_ids, moment.position).items():
            events = view(stream, effective_at=moment.cut)
            processes = known.processes(events)
            judged = fold(deal_id, events, processes, read.context, wanted=self._flagged)
            found[deal_id] = cost(judged, price_of(events), won=True).floor
        return found

    def _flagged(self, made: Judgement) -> bool:
        """Say whether an act is a pressure-shaped discount of the quarter."""
        offered = made.act.depth is not None and made.act.quarter == self.replay.quarter.name
        return offered and made.verdict == "pressure_shaped"

    def _late_deals(self, won: Sequence[Closing], parts: Parts) -> list[LateDeal]:
        """Give the deals won in the window, and whether nobody was told of them before it."""
        rows = self.connection.execute(
            _OPENED,
            (
                [f"{DEAL_PREFIX}{one.deal_id}" for one in won],
                DealOpened.TOPIC,
                self.replay.moment.position,
            ),
        ).fetchall()
        opened: dict[UUID | None, tuple[UUID, datetime]] = {
            deal_of(stream): (event_id, at) for stream, event_id, at in rows
        }
        zone = self.replay.quarter.zone
        found: list[LateDeal] = []
        for one in won:
            by, at = opened.get(one.deal_id, (None, None))
            new = at is not None and local_day(at, zone) >= parts.window.first
            found.append(LateDeal(one.deal_id, one.event_id, by, new))
        return found


def _following(replay: Replay) -> FiscalQuarter | None:
    try:
        return replay.known.calendar.quarter_on(replay.quarter.end + _DAY)
    except OutsideCalendarError:
        return None


def _offers(acts: Iterable[tuple[UUID, Act]], quarter: FiscalQuarter) -> list[Offer]:
    found = [
        Offer(
            event_id=act.event_id,
            rep=act.rep,
            segment=act.segment,
            day=local_day(act.action_time, quarter.zone),
            percent=act.depth,
        )
        for _, act in acts
        if act.depth is not None
    ]
    return sorted(found, key=lambda offer: (offer.day, offer.event_id))


def _pull_ins(acts: Iterable[tuple[UUID, Act]], quarter: FiscalQuarter) -> list[PullIn]:
    """Give the moves of close dates from after the quarter to its end or before (PS-4)."""
    found = [
        PullIn(act.event_id, local_day(act.action_time, quarter.zone))
        for _, act in acts
        if act.close_from is not None
        and act.close_to is not None
        and act.close_from > quarter.end >= act.close_to
    ]
    return sorted(found, key=lambda one: (one.day, one.event_id))


def _by_rep(judged: Sequence[ActVerdict], outside: Mapping[str, int]) -> Mapping[str, Verdicts]:
    """Put verdicts together by rep, with how many acts outside the window each has besides."""
    by_rep: dict[str, list[ActVerdict]] = {rep: [] for rep in outside}
    for one in judged:
        by_rep.setdefault(one.rep, []).append(one)
    return {
        rep: Verdicts(
            shaped=tuple(o.event_id for o in own if o.verdict == "pressure_shaped"),
            consistent=tuple(o.event_id for o in own if o.verdict == "pressure_consistent"),
            evaluable=sum(o.verdict != "not_evaluable" for o in own) + outside.get(rep, 0),
            not_evaluable=tuple(o.event_id for o in own if o.verdict == "not_evaluable"),
        )
        for rep, own in by_rep.items()
    }


def _currency(known: Known, quarter: str, won: Sequence[Closing]) -> str | None:
    """Give the currency that wins are added up in: their own, or else that of the quotas."""
    own = {one.net.currency for one in won if one.net}
    quotas = {
        step.amount.currency
        for history in known.quotas.values()
        if history.quarter == quarter
        for step in history.steps
        if step.amount
    }
    wanted = own if len(own) == 1 else quotas
    return next(iter(wanted)) if len(wanted) == 1 else None
