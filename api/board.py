"""The board: open deals by stage, and what closed in the quarter, as of any instant."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from api.context import ContextReader
from api.moment import Moment
from api.people import People
from api.storage.event_store import EventStore
from domain.fiscal import FiscalQuarter, days_left
from domain.known import Known
from domain.process import Stage
from domain.replay import view
from domain.values import Money
from projections.attainment.projection import ledger
from projections.batch import DEAL_PREFIX, deal_of, get_docs
from projections.facts import Rows
from projections.pressure.answer import money_json
from projections.pressure.context import KnownContext
from projections.pressure.fold import fold as fold_pressure
from projections.pressure.projection import summary, verdict_counts
from projections.progress.answer import answer as progress_answer
from projections.progress.fold import fold as fold_progress
from projections.progress.projection import PROGRESS
from projections.spans.fold import DealState
from projections.spans.fold import fold as fold_state
from projections.spans.projection import SPANS

_CLOSED = {"won": "Won", "lost": "Lost", "disqualified": "Disqualified"}
_NO_STAGE = "no_stage"


@dataclass(frozen=True, slots=True)
class _Look:
    """What the board says of a deal besides its state."""

    progress: Mapping[str, object]
    verdicts: Mapping[str, int]


class Board:
    """Answers what stands where in the pipeline."""

    def __init__(self, store: EventStore, context: ContextReader, people: People) -> None:
        self._store = store
        self._context = context
        self._people = people

    def board(self, moment: Moment, *, live: bool) -> dict[str, object]:
        """Give the columns of the board; `live` says that the views stand at this position."""
        known = self._context.known(moment.position)
        quarter = known.calendar.quarter_at(moment.effective_at)
        with self._store.connection() as connection:
            states = self._states(connection, moment, quarter)
            looks = (
                _stored(connection, states, moment)
                if live and moment.cut is None
                else self._folded(connection, known, states, moment)
            )
            attainment = _attainment(connection, known, quarter, moment)
        names = self._people.names()
        return {
            **moment.answer(),
            "quarter": _quarter_json(quarter, moment),
            "attainment": attainment,
            "columns": _columns(known, states, looks, names),
            "owners": _owners(states.values(), names),
        }

    def _states(
        self, connection: Rows, moment: Moment, quarter: FiscalQuarter | None
    ) -> dict[UUID, DealState]:
        """Give the deals that are open, and those that closed in the quarter."""
        since = quarter.start_instant if quarter else moment.effective_at
        if moment.cut is None:
            rows = SPANS.known(
                connection,
                as_of=moment.position,
                where="NOT deleted AND (closed IS NULL OR closed_at >= %s)",
                params=(since,),
            )
            return dict(rows)
        return {
            deal_id: state
            for deal_id, state in self._as_it_happened(moment)
            if not state.deleted and (state.closed_at is None or state.closed_at >= since)
        }

    def _as_it_happened(self, moment: Moment) -> Iterable[tuple[UUID, DealState]]:
        """Fold every deal with hindsight: what occurred by the instant, as known."""
        streams = self._store.by_prefix(DEAL_PREFIX, upto=moment.position)
        for stream_id, events in streams.items():
            state = fold_state(view(events, effective_at=moment.cut))
            deal_id = deal_of(stream_id)
            if state and deal_id:
                yield deal_id, state

    def _folded(
        self, connection: Rows, known: Known, deals: Iterable[UUID], moment: Moment
    ) -> dict[UUID, _Look]:
        """Fold progress and verdicts as they were at a moment that no view stands at."""
        context = KnownContext(connection, known=known, as_of=moment.position, ledger=ledger)
        streams = self._store.streams(
            (f"{DEAL_PREFIX}{deal_id}" for deal_id in deals), upto=moment.position
        )
        looks: dict[UUID, _Look] = {}
        for stream_id, stream in streams.items():
            deal_id = deal_of(stream_id)
            if deal_id is None:
                continue
            events = view(stream, effective_at=moment.cut)
            processes = known.processes(events)
            progress = fold_progress(events, processes, known.policy)
            judged = fold_pressure(deal_id, events, processes, context)
            looks[deal_id] = _Look(
                progress_answer(progress, moment.effective_at), verdict_counts(summary(judged))
            )
        return looks


def _stored(connection: Rows, deals: Iterable[UUID], moment: Moment) -> dict[UUID, _Look]:
    wanted = list(deals)
    progress = get_docs(connection, "progress", wanted)
    pressure = get_docs(connection, "pressure", wanted)
    return {
        deal_id: _Look(
            progress_answer(PROGRESS.validate_json(progress[deal_id]), moment.effective_at),
            verdict_counts(pressure[deal_id]),
        )
        for deal_id in wanted
        if deal_id in progress and deal_id in pressure
    }


def _quarter_json(quarter: FiscalQuarter | None, moment: Moment) -> dict[str, object] | None:
    if quarter is None:
        return None
    return {
        "name": quarter.name,
        "start": quarter.start.isoformat(),
        "end": quarter.end.isoformat(),
        "days_left": days_left(quarter, moment.effective_at),
    }


def _attainment(
    connection: Rows, known: Known, quarter: FiscalQuarter | None, moment: Moment
) -> dict[str, object]:
    """Give the reps' quotas of the quarter together, and what they have booked by then."""
    nothing: dict[str, object] = {"quota": None, "attained": None}
    if quarter is None:
        return nothing
    context = KnownContext(connection, known=known, as_of=moment.position, ledger=ledger)
    quota = attained = Decimal(0)
    currency: str | None = None
    for history in known.quotas.values():
        step = history.at(moment.effective_at)
        if history.rep is None or history.quarter != quarter.name or not step or not step.amount:
            continue
        if currency not in (None, step.amount.currency):
            return nothing
        currency = step.amount.currency
        quota += step.amount.amount
        booked = context.booked(history.rep, quarter.name, currency)
        attained += booked.before(moment.effective_at)
    if currency is None:
        return nothing
    return {"quota": _money(quota, currency), "attained": _money(attained, currency)}


def _money(amount: Decimal, currency: str) -> dict[str, str] | None:
    return money_json(Money.model_construct(amount=amount, currency=currency).quantised())


def _columns(
    known: Known,
    states: Mapping[UUID, DealState],
    looks: Mapping[UUID, _Look],
    names: Mapping[str, str],
) -> list[dict[str, object]]:
    """Give a column for each stage of the processes in use, then one for each way to close."""
    stages = _stages(known, states)
    columns: dict[str, list[tuple[UUID, DealState]]] = {name: [] for name in stages}
    for deal_id, state in states.items():
        key = state.closed or state.stage or _NO_STAGE
        columns.setdefault(key, []).append((deal_id, state))
    found: list[dict[str, object]] = []
    for key, deals in columns.items():
        closed = key if key in _CLOSED else None
        if closed == "disqualified" and not deals:
            continue
        ordered = sorted(deals, key=_urgency)
        found.append(
            {
                "stage": {"id": key, "name": stages.get(key, key)},
                "closed": closed,
                "total": _totals(state for _, state in deals),
                "deals": [_deal(d, s, looks.get(d), names) for d, s in ordered],
            }
        )
    return found


def _stages(known: Known, states: Mapping[UUID, DealState]) -> dict[str, str]:
    """Give the stages in order, those of the process with most deals first, then the closings."""
    used = Counter((s.process_id, s.process_version) for s in states.values() if s.process_id)
    stages: dict[str, str] = {}
    for (process_id, version), _ in used.most_common():
        process = known.catalogue.get((process_id or "", version or 0))
        working: tuple[Stage, ...] = process.working_stages if process else ()
        stages |= {stage.id: stage.name for stage in working if stage.id not in stages}
    if any(s.stage is None and s.closed is None for s in states.values()):
        stages = {_NO_STAGE: "No stage yet"} | stages
    return stages | _CLOSED


def _urgency(deal: tuple[UUID, DealState]) -> tuple[bool, object, str]:
    state = deal[1]
    return (state.close_date is None, state.close_date or 0, state.name)


def _totals(states: Iterable[DealState]) -> list[dict[str, str] | None]:
    sums: dict[str, Decimal] = {}
    for state in states:
        if state.amount is not None and state.currency is not None:
            sums[state.currency] = sums.get(state.currency, Decimal(0)) + state.amount
    return [_money(amount, currency) for currency, amount in sorted(sums.items())]


def _deal(
    deal_id: UUID, state: DealState, look: _Look | None, names: Mapping[str, str]
) -> dict[str, object]:
    amount = None
    if state.amount is not None and state.currency is not None:
        amount = _money(state.amount, state.currency)
    return {
        "deal_id": str(deal_id),
        "name": state.name,
        "account": {"id": state.account_id, "name": state.account_name},
        "owner": {"id": state.owner, "name": names.get(state.owner, state.owner)},
        "amount": amount,
        "close_date": state.close_date,
        "checkbox_only": look.progress["checkbox_only"] if look else None,
        "counts": look.progress["counts"] if look else {},
        "pressure_shaped": look.verdicts["shaped"] if look else None,
        "evaluable": look.verdicts["evaluable"] if look else None,
        "discount": None if state.discount is None else f"{state.discount.normalize():f}",
    }


def _owners(states: Iterable[DealState], names: Mapping[str, str]) -> list[dict[str, str]]:
    owners = sorted({state.owner for state in states})
    return [{"id": owner, "name": names.get(owner, owner)} for owner in owners]
