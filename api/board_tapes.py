"""The tape of a quarter's board, read from the facts that the board itself is made of."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from api.board import CLOSED_COLUMNS, NO_STAGE, stages_of
from api.board_marks import Times, tick_spans
from api.context import ContextReader
from api.identity.access import Access
from api.identity.reach import Reach
from api.places import Places
from api.replays import Replay, ReplayReader, Steps
from api.shaped_acts import ShapedActs, ShapedActsCache
from domain.fiscal import tau
from domain.known import Known
from domain.values import Money, decimal_text, minor_units
from projections.facts import Rows
from projections.pressure.curve import pressure
from projections.quarter.board_scene import Film
from projections.quarter.board_tape import Card, Column, Flow, Series, Tape, Told, record
from projections.quarter.crossing import lies_in
from projections.quarter.steps import Step, worth_of
from projections.quarter.waterfall import waterfall
from projections.spans.fold import DealState

_BEFORE: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class BoardTape:
    """A tape with the quarter that it is of, and how many events its deals had on each day.

    `pressure` is that on the reader's people together, 0 to 1: what is missing of the pace, as a
    share of what is missing of the quota (METRICS section 2); None where there is no quota.
    """

    replay: Replay
    tape: Tape
    events_by_day: Sequence[int]
    quota_currency: str | None
    pressure: Sequence[tuple[datetime, float | None]]


class BoardTapes:
    """Records the board of a quarter; the views must have reached the replay's moment."""

    def __init__(
        self, replays: ReplayReader, context: ContextReader, places: Places, access: Access
    ) -> None:
        self._replays = replays
        self._context = context
        self._places = places
        self._access = access
        self._judged = ShapedActsCache()

    def tape(self, replay: Replay, reach: Reach, names: Mapping[str, str]) -> BoardTape:
        """Record what a reader may see of it; `names` are those of people."""
        times = Times(self._replays.store, replay.quarter.start_instant)
        with self._replays.store.connection() as connection:
            steps = self._replays.steps(connection, replay)
            every = {step.deal_id for step in (*steps.opening, *steps.changes)}
            deals = self._access.in_reach(reach, every)
            told = self._access.pressure_shown(reach, deals)
            acts = ShapedActs(
                connection, replay, context=self._context, places=self._places, times=times
            )
            spans = tick_spans(connection, replay, deals, times)
            spans += [
                span for span in acts.spans(self._judged) if reach.whole or span.deal_id in told
            ]
            quotas = _Quotas(connection, replay, reach, self._context, times)
            events = _events_by_day(connection, replay, None if reach.whole else deals)
        cards = _cards(steps, deals, replay)
        recorded = record(
            Told(
                start=replay.starts_at - _BEFORE,
                end=replay.until,
                cards=cards,
                spans=spans,
                flows=_flows(steps, replay, deals),
                series=quotas.series(),
                columns=_columns(replay.known, steps, cards),
                names=names,
            )
        )
        pressed = _pressure(replay, Film(recorded))
        return BoardTape(replay, recorded, events, quotas.currency, pressed)

    def ended(self, replay: Replay, reach: Reach) -> tuple[Money | None, Money | None]:
        """Give the quotas of a reader's people and what they had booked where a replay ends."""
        times = Times(self._replays.store, replay.quarter.start_instant)
        with self._replays.store.connection() as connection:
            return _Quotas(connection, replay, reach, self._context, times).ended()


def _columns(
    known: Known, steps: Steps, cards: Mapping[UUID, Sequence[tuple[datetime, Card | None]]]
) -> list[Column]:
    """Give the columns of the board in order, also those in which a deal only ever passed."""
    states = {s.deal_id: _state(s) for s in (*steps.opening, *steps.changes)}
    stages = stages_of(known, {i: state for i, state in states.items() if state is not None})
    used = {card.column for changes in cards.values() for _, card in changes if card}
    names = {
        stage.id: stage.name for process in known.catalogue.values() for stage in process.stages
    }
    passed = {i: names.get(i, i) for i in sorted(used - stages.keys()) if i != NO_STAGE}
    if NO_STAGE in used:
        stages = {NO_STAGE: "No stage yet"} | stages
    working = [(i, n, None, i != NO_STAGE) for i, n in stages.items() if i not in CLOSED_COLUMNS]
    closing = [(i, n, i, i != "disqualified") for i, n in stages.items() if i in CLOSED_COLUMNS]
    return [*working, *((i, name, None, False) for i, name in passed.items()), *closing]


def _state(step: Step) -> DealState | None:
    """Give the state that a step brought, which the reader makes of nothing else."""
    if step.after is not None and not isinstance(step.after, DealState):
        message = f"the step at {step.position} brought no state of a deal"
        raise TypeError(message)
    return step.after


def _cards(
    steps: Steps, deals: Collection[UUID], replay: Replay
) -> dict[UUID, list[tuple[datetime, Card | None]]]:
    """Give the cards of deals; what stood when the replay starts did so just before it."""
    found: dict[UUID, list[tuple[datetime, Card | None]]] = defaultdict(list)
    for step in steps.opening:
        found[step.deal_id].append((replay.starts_at - _BEFORE, _card(step, replay)))
    for step in steps.changes:
        found[step.deal_id].append((step.instant, _card(step, replay)))
    return {deal_id: cards for deal_id, cards in found.items() if deal_id in deals}


def _pressure(replay: Replay, film: Film) -> list[tuple[datetime, float | None]]:
    """Give the line of pressure: at the end of each day, and wherever quotas or bookings change."""
    start = replay.quarter.start_instant
    days = (start + timedelta(days=day) for day in range(replay.quarter.days + 1))
    turns = (film.instant(place) for name in ("quota", "attained") for place in film.turns(name))
    found: list[tuple[datetime, float | None]] = []
    for at in sorted({start, replay.until, *days, *turns}):
        if start <= at <= replay.until:
            place = film.place(at)
            quota, attained = film.figure("quota", place), film.figure("attained", place)
            value = None
            if quota is not None and attained is not None:
                value = pressure(Decimal(quota), Decimal(attained), tau(replay.quarter, at))
            found.append((at, None if value is None else float(value)))
    return found


def _card(step: Step, replay: Replay) -> Card | None:
    """Give how the board shows a deal; None where it is not on the board of the quarter."""
    state, quarter = _state(step), replay.quarter
    if state is None or state.deleted:
        return None
    if state.closed_at is not None and state.closed_at < quarter.start_instant:
        return None
    return Card(
        column=state.closed or state.stage or NO_STAGE,
        account=state.account_name,
        name=state.name,
        owner=state.owner,
        worth=worth_of(state),
        close_date=state.close_date,
        discount=None if state.discount is None else decimal_text(state.discount),
        in_pipeline=state.open and lies_in(state.close_date, quarter),
        position=step.position,
    )


def _flows(steps: Steps, replay: Replay, deals: Collection[UUID]) -> list[Flow]:
    """Give what moved the quarter's pipeline, entry by entry, in order."""
    kept = Steps(
        [step for step in steps.opening if step.deal_id in deals],
        [step for step in steps.changes if step.deal_id in deals],
    )
    instants = {(step.deal_id, step.position): step.instant for step in kept.changes}
    found = waterfall(kept.opening, kept.changes, quarter=replay.quarter)
    flows = [
        Flow(
            at=instants[entry.deal_id, entry.position],
            cell=name,
            deal_id=entry.deal_id,
            worth=entry.worth,
            position=entry.position,
            event_type=entry.kind,
        )
        for name, cell in found.cells.items()
        for entry in cell.entries
    ]
    return sorted(flows, key=lambda flow: (flow.at, flow.position, flow.cell))


def _events_by_day(connection: Rows, replay: Replay, deals: Collection[UUID] | None) -> list[int]:
    """Count the events of deals on each local day of the quarter, by the replay's clock."""
    known = replay.clock == "as_known"
    rows = connection.execute(
        "SELECT ((CASE WHEN %(known)s THEN recorded_at ELSE occurred_at END)"
        "        AT TIME ZONE %(zone)s)::date - %(first)s::date, count(*)"
        "  FROM events WHERE stream_id >= 'deal:' AND stream_id < 'deal;'"
        "   AND position <= %(position)s"
        "   AND (CASE WHEN %(known)s THEN recorded_at ELSE occurred_at END)"
        "       BETWEEN %(start)s AND %(until)s"
        "   AND (%(streams)s::text[] IS NULL OR stream_id = ANY(%(streams)s))"
        " GROUP BY 1",
        {
            "known": known,
            "zone": replay.quarter.zone,
            "first": replay.quarter.start,
            "position": replay.last_position,
            "start": replay.quarter.start_instant,
            "until": replay.until,
            "streams": None if deals is None else [f"deal:{one}" for one in deals],
        },
    ).fetchall()
    counts: dict[int, int] = dict(rows)
    return [counts.get(day, 0) for day in range(replay.quarter.days)]


@dataclass(frozen=True, slots=True)
class _Credit:
    """A part of a booking, and from when until when it counts."""

    since: datetime
    until: datetime | None
    rep: str
    amount: Decimal
    currency: str


class _Quotas:
    """The quotas of a reader's people together, and what they have booked, at every instant.

    A rep is shown no quota; where quotas are in several currencies there is no sum.
    """

    def __init__(
        self,
        connection: Rows,
        replay: Replay,
        reach: Reach,
        context: ContextReader,
        times: Times,
    ) -> None:
        self._replay = replay
        self._reach = reach
        self._context = context
        self._times = times
        self._known = replay.clock == "as_known"
        self._credits = self._read(connection)
        told = context.known(replay.last_position).events
        self._positions = [event.position for event in sorted(told, key=lambda e: e.position)]
        times.read(self._positions)
        self.currency: str | None = None

    def _read(self, connection: Rows) -> list[_Credit]:
        rows = connection.execute(
            "SELECT from_position, until_position, occurred_at, rep, amount, currency"
            "  FROM credits WHERE quarter = %s AND kind = 'revenue' AND from_position <= %s",
            (self._replay.quarter.name, self._replay.last_position),
        ).fetchall()
        last = self._replay.last_position
        if not self._known:
            return [
                _Credit(occurred_at, None, rep, amount, currency)
                for _, until, occurred_at, rep, amount, currency in rows
                if until is None or until > last
            ]
        self._times.read(at for row in rows for at in row[:2])
        return [
            _Credit(
                self._times(since),
                None if until is None or until > last else self._times(until),
                rep,
                amount,
                currency,
            )
            for since, until, _, rep, amount, currency in rows
        ]

    def ended(self) -> tuple[Money | None, Money | None]:
        """Give both where the replay ends."""
        if self._hidden:
            return None, None
        quota, attained = (
            None if units is None else Money.of_minor_units(units, self.currency or "")
            for units in self._at(self._replay.until)
        )
        return quota, attained

    @property
    def _hidden(self) -> bool:
        return self._reach.identity.role == "rep" and not self._reach.whole

    def series(self) -> dict[str, Series]:
        """Give `quota` and `attained` in minor units wherever they change."""
        found: dict[str, Series] = {"quota": [], "attained": []}
        if self._hidden:
            return found
        for at in self._turns():
            quota, attained = self._at(at)
            found["quota"].append((at, quota))
            found["attained"].append((at, attained))
        return found

    def _turns(self) -> list[datetime]:
        start, until = self._replay.starts_at, self._replay.until
        told = {at for c in self._credits for at in (c.since, c.until) if at is not None}
        if self._known:
            told |= {self._times(position) for position in self._positions}
        told |= {
            step.since
            for history in self._replay.known.quotas.values()
            if history.quarter == self._replay.quarter.name
            for step in history.steps
        }
        return sorted({start, *(at for at in told if start < at <= until)})

    def _context_at(self, at: datetime) -> Known:
        if not self._known:
            return self._replay.known
        index = bisect_right(self._positions, at, key=self._times)
        return self._context.known(self._positions[index - 1] if index else 0)

    def _at(self, at: datetime) -> tuple[int | None, int | None]:
        """Give the quotas at an instant and what is booked against them, both None without any."""
        known, name = self._context_at(at), self._replay.quarter.name
        quotas: dict[str, Money] = {}
        for history in known.quotas.values():
            step = history.at(at)
            if history.quarter != name or not history.rep or not step or not step.amount:
                continue
            if self._reach.has_figures_of(history.rep, None):
                quotas[history.rep] = step.amount
        currencies = {quota.currency for quota in quotas.values()}
        if len(currencies) != 1:
            return None, None
        (currency,) = currencies
        self.currency = currency
        quota = sum((one.amount for one in quotas.values()), Decimal(0))
        attained = self._booked(known, quotas, currency, at)
        return (
            minor_units(quota, currency),
            None if attained is None else minor_units(attained, currency),
        )

    def _booked(
        self, known: Known, reps: Collection[str], currency: str, at: datetime
    ) -> Decimal | None:
        """Give what these reps have booked; None where a part of it has no plan rate."""
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for credit in self._credits:
            ended = credit.until is not None and credit.until <= at
            if credit.rep in reps and credit.since <= at and not ended:
                sums[credit.currency] += credit.amount
        total = Decimal(0)
        for own, amount in sums.items():
            money: Any = Money.model_construct(amount=amount, currency=own)
            converted = known.convert(money, currency, self._replay.quarter.name)
            if converted is None:
                return None
            total += converted
        return total
