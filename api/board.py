"""The board: open deals by stage, and what closed in the quarter, as of any instant."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from uuid import UUID

from api.context import ContextReader
from api.identity.access import Access
from api.identity.access import people as ids_of
from api.identity.reach import WHOLE, Reach
from api.looks import Look, health_json, looks_at
from api.moment import Moment
from api.people import People
from api.places import Places
from api.storage.event_store import EventStore
from domain.fiscal import FiscalQuarter, days_left
from domain.known import Known
from domain.process import Stage
from domain.values import Money
from projections.attainment.projection import ledger
from projections.facts import Rows
from projections.pressure.answer import money_json
from projections.pressure.context import KnownContext
from projections.spans import read
from projections.spans.fold import DealState

_CLOSED = {"won": "Won", "lost": "Lost", "disqualified": "Disqualified"}
_NO_STAGE = "no_stage"


class Board:
    """Answers what stands where in the pipeline; the views must have reached the moment."""

    def __init__(
        self,
        store: EventStore,
        context: ContextReader,
        people: People,
        places: Places,
        access: Access,
    ) -> None:
        self._store = store
        self._context = context
        self._people = people
        self._places = places
        self._access = access

    def board(self, moment: Moment, reach: Reach = WHOLE) -> dict[str, object]:
        """Give the columns of the board: the deals open then, and those closed in the quarter.

        Of them those in reach; quotas count only where the reader may see the figures of others.
        """
        known = self._context.known(moment.position)
        quarter = known.calendar.quarter_at(moment.effective_at)
        since = quarter.start_instant if quarter else moment.effective_at
        with self._store.connection() as connection:
            place = self._places.of(connection, moment)
            found = read.stood(connection, place.open_deals)
            found += read.stood(
                connection, place.deals_out(closed_since=since), where="NOT deleted"
            )
            shown = _shown(connection, reach)
            states = {
                one.deal_id: one.state for one in found if shown is None or one.deal_id in shown
            }
            looks = looks_at(connection, known, moment, states, self._places.streams)
            health = {d: health_json(s, looks[d], known, moment) for d, s in states.items()}
            attainment = _attainment(connection, known, quarter, moment, reach)
        told = self._access.pressure_shown(reach, states)
        names = self._people.names()
        return {
            **moment.answer(),
            "quarter": _quarter_json(quarter, moment),
            "attainment": attainment,
            "columns": _columns(known, states, looks, health=health, names=names, told=told),
            "owners": _owners(states.values(), names),
        }


def _shown(connection: Rows, reach: Reach) -> set[UUID] | None:
    """Give the deals whose owner of today is in reach; None for all."""
    if reach.deals_of is None:
        return None
    rows = connection.execute(
        "SELECT deal_id FROM spans WHERE until_position IS NULL AND owner = ANY(%s)",
        (ids_of(reach.deals_of),),
    ).fetchall()
    return {row[0] for row in rows}


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
    connection: Rows,
    known: Known,
    quarter: FiscalQuarter | None,
    moment: Moment,
    reach: Reach,
) -> dict[str, object]:
    """Give the quotas of the reader's reps together, and what they have booked by then.

    A rep works here, and is shown no quota.
    """
    nothing: dict[str, object] = {"quota": None, "attained": None}
    if quarter is None or reach.identity.role == "rep":
        return nothing
    context = KnownContext(
        connection, known=known, as_of=moment.position, at=moment.effective_at, ledger=ledger
    )
    quota = attained = Decimal(0)
    currency: str | None = None
    for history in known.quotas.values():
        step = history.at(moment.effective_at)
        if not history.rep or not reach.has_figures_of(history.rep, None):
            continue
        if history.quarter != quarter.name or not step or not step.amount:
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
    looks: Mapping[UUID, Look],
    *,
    health: Mapping[UUID, object],
    names: Mapping[str, str],
    told: Collection[UUID],
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
                "deals": [
                    _deal(d, s, looks.get(d), names, told=d in told) | {"health": health[d]}
                    for d, s in ordered
                ],
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
    deal_id: UUID, state: DealState, look: Look | None, names: Mapping[str, str], *, told: bool
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
        "pressure_shaped": look.verdicts["shaped"] if look and told else None,
        "evaluable": look.verdicts["evaluable"] if look and told else None,
        "discount": None if state.discount is None else f"{state.discount.normalize():f}",
    }


def _owners(states: Iterable[DealState], names: Mapping[str, str]) -> list[dict[str, str]]:
    owners = sorted({state.owner for state in states})
    return [{"id": owner, "name": names.get(owner, owner)} for owner in owners]
