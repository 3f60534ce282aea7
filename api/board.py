"""The board: open deals by stage, and what closed in the quarter, as of any instant."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, Literal, TypeAlias, get_args
from uuid import UUID

from api.context import ContextReader
from api.identity.access import Access
from api.identity.access import people as ids_of
from api.identity.reach import WHOLE, Reach
from api.kept_verdicts import KeptVerdicts
from api.moment import Moment
from api.people import People
from api.places import Places
from api.shared import Shared
from api.storage.event_store import EventStore
from domain.fiscal import FiscalQuarter, days_left
from domain.known import Known
from domain.process import Process, Stage
from domain.values import Money
from projections.attainment.projection import ledger
from projections.facts import Rows
from projections.pressure.answer import money_json
from projections.pressure.context import KnownContext
from projections.pressure.verdicts import Counts
from projections.progress.figures import each, shares_of
from projections.progress.shares import TickShares
from projections.progress.status import HOLLOW, STATUSES
from projections.spans import read
from projections.spans.fold import DealState

Show: TypeAlias = Literal["all", "open", "closed", "pressure", "checkbox"]
SHOWS: Final[tuple[Show, ...]] = get_args(Show)
MAX_CARDS: Final = 40
"""Deals of a column on one page."""
CLOSED_COLUMNS: Final = {"won": "Won", "lost": "Lost", "disqualified": "Disqualified"}
NO_STAGE: Final = "no_stage"
STANDS_SECONDS: Final = 1.0
"""How old the instant of a board of now may be: those who follow the log look at the same time."""
_KEPT: Final = 16
"""Boards that stand at a time, one for each reach; those of large ledgers take some megabytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardWish:
    """Which deals the board shows, no owner being everyone, and from which card on one column."""

    owner: str | None = None
    show: Show = "all"
    column: str | None = None
    skip: int = 0


@dataclass(frozen=True, slots=True)
class _Seen:
    """A deal on the board; `verdicts` is None where they are not the reader's to know."""

    deal_id: UUID
    state: DealState
    ticks: TickShares
    verdicts: Counts | None
    process: Process

    @property
    def column(self) -> str:
        return self.state.closed or self.state.stage or NO_STAGE

    def is_wished(self, wish: BoardWish) -> bool:
        if wish.owner and self.state.owner != wish.owner:
            return False
        match wish.show:
            case "open":
                return self.state.closed is None
            case "closed":
                return self.state.closed is not None
            case "pressure":
                return bool(self.verdicts and self.verdicts.shaped)
            case "checkbox":
                return any(self.ticks.counts[status] for status in HOLLOW)
            case "all":
                return True


@dataclass(frozen=True, slots=True)
class _Stood:
    """All deals of a board as of a moment, before anybody's wishes, and the figures of its head."""

    moment: Moment
    quarter: FiscalQuarter | None
    attainment: Mapping[str, object]
    stages: Mapping[str, str]
    seen: Sequence[_Seen]


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
        self._kept = KeptVerdicts(context)
        self._shared: Shared[tuple[int, int, Reach], _Stood] = Shared(
            seconds=STANDS_SECONDS, most=_KEPT
        )

    def board(
        self, moment: Moment, reach: Reach = WHOLE, wish: BoardWish | None = None
    ) -> dict[str, object]:
        """Give the columns of the board: the deals open then, and those closed in the quarter.

        Of them those in reach and wished for, a page of each column; the figures are of all of
        these, whatever page they are on. Quotas count only where the reader may see the figures
        of others.
        """
        return self._answer(self._stood(moment, reach), wish or BoardWish())

    def now(
        self, moment: Moment, reach: Reach = WHOLE, wish: BoardWish | None = None
    ) -> dict[str, object]:
        """Give the board of a moment that is now, so that all who look at once cost one.

        Its instant, which the answer names, may be before that of the moment, by a second or by as
        long as the board took to make; its position and who may see what are those of the moment.
        """
        unnamed = reach.unnamed()
        # The head too: who may see a deal is read from the log, which may be ahead of the views.
        key = (self._store.head().position, moment.position, unnamed)
        stood = self._shared.get(key, lambda: self._stood(moment, unnamed))
        return self._answer(stood, wish or BoardWish())

    def _answer(self, stood: _Stood, wish: BoardWish) -> dict[str, object]:
        names = self._people.names()
        wished = [one for one in stood.seen if one.is_wished(wish)]
        return {
            **stood.moment.answer(),
            "quarter": _quarter_json(stood.quarter, stood.moment),
            "attainment": stood.attainment,
            **_figures(wished),
            "columns": _columns(stood.stages, wished, wish, names),
            "processes": _processes(wished),
            "owners": _owners((one.state for one in stood.seen), names),
        }

    def _stood(self, moment: Moment, reach: Reach) -> _Stood:
        """Read the deals of the board that are in reach, and the figures of its head."""
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
            seen = self._seen(connection, known, moment, states, reach)
            attainment = _attainment(connection, known, quarter, moment, reach)
        return _Stood(moment, quarter, attainment, stages_of(known, states), seen)

    def _seen(
        self,
        connection: Rows,
        known: Known,
        moment: Moment,
        states: Mapping[UUID, DealState],
        reach: Reach,
    ) -> list[_Seen]:
        """Give each deal with its ticks and, where the reader may know them, its verdicts."""
        position, at, cut = moment.position, moment.effective_at, moment.cut
        context = KnownContext(
            connection,
            known=known,
            as_of=position,
            at=at,
            ledger=ledger,
            reading=self._places.reading(cut),
        )
        verdicts = self._kept.counts(context, moment, self._access.pressure_shown(reach, states))
        ticks = shares_of(connection, each(states), as_of=position, at=at, cut=cut)
        nothing = TickShares.of([])
        return [
            _Seen(
                deal_id,
                state,
                ticks.get(deal_id, nothing),
                verdicts.get(deal_id),
                _process_of(known, state),
            )
            for deal_id, state in states.items()
        ]


def _process_of(known: Known, state: DealState) -> Process:
    """Give the process that a deal is judged by."""
    pinned = known.catalogue.get((state.process_id or "", state.process_version or 0))
    return pinned or known.default_process(state.opened_at)


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
    quotas = [
        (history.rep, step.amount)
        for history in known.quotas.values()
        if history.rep
        and history.quarter == quarter.name
        and reach.has_figures_of(history.rep, None)
        and (step := history.at(moment.effective_at))
        and step.amount
    ]
    currencies = {amount.currency for _, amount in quotas}
    if len(currencies) != 1:
        return nothing
    (currency,) = currencies
    context.read_booked((rep for rep, _ in quotas), [quarter.name])
    quota = attained = Decimal(0)
    for rep, amount in quotas:
        quota += amount.amount
        attained += context.booked(rep, quarter.name, currency).before(moment.effective_at)
    return {"quota": _money(quota, currency), "attained": _money(attained, currency)}


def _money(amount: Decimal, currency: str) -> dict[str, str] | None:
    return money_json(Money.model_construct(amount=amount, currency=currency).quantised())


def _figures(seen: Sequence[_Seen]) -> dict[str, object]:
    """Give what the deals that are shown come to together."""
    told = [one.verdicts for one in seen if one.verdicts is not None]
    return {
        "open_total": _totals(one.state for one in seen if one.state.closed is None),
        "ticks": {status: sum(one.ticks.counts[status] for one in seen) for status in STATUSES},
        "pressure_shaped": sum(counts.shaped for counts in told),
        "evaluable": sum(counts.evaluable for counts in told),
    }


def _columns(
    stages: Mapping[str, str],
    seen: Sequence[_Seen],
    wish: BoardWish,
    names: Mapping[str, str],
) -> list[dict[str, object]]:
    """Give a column for each stage of the processes in use, then one for each way to close."""
    columns: dict[str, list[_Seen]] = {name: [] for name in stages}
    for one in seen:
        columns.setdefault(one.column, []).append(one)
    found: list[dict[str, object]] = []
    for key, deals in columns.items():
        closed = key if key in CLOSED_COLUMNS else None
        if closed == "disqualified" and not deals:
            continue
        skip = wish.skip if key == wish.column else 0
        page = sorted(deals, key=_urgency)[skip : skip + MAX_CARDS]
        found.append(
            {
                "stage": {"id": key, "name": stages.get(key, key)},
                "closed": closed,
                "count": len(deals),
                "total": _totals(one.state for one in deals),
                "skip": skip,
                "deals": [_deal(one, names) for one in page],
            }
        )
    return found


def stages_of(known: Known, states: Mapping[UUID, DealState]) -> dict[str, str]:
    """Give the stages in order, those of the process with most deals first, then the closings."""
    used = Counter((s.process_id, s.process_version) for s in states.values() if s.process_id)
    stages: dict[str, str] = {}
    for (process_id, version), _ in used.most_common():
        process = known.catalogue.get((process_id or "", version or 0))
        working: tuple[Stage, ...] = process.working_stages if process else ()
        stages |= {stage.id: stage.name for stage in working if stage.id not in stages}
    if any(s.stage is None and s.closed is None for s in states.values()):
        stages = {NO_STAGE: "No stage yet"} | stages
    return stages | CLOSED_COLUMNS


def _processes(seen: Sequence[_Seen]) -> dict[str, list[dict[str, str]]]:
    """Give the stages that deals go through, by the process that they are judged by."""
    return {
        name: [{"id": stage.id, "name": stage.name} for stage in process.working_stages]
        for name, process in {_named(one.process): one.process for one in seen}.items()
    }


def _named(process: Process) -> str:
    return f"{process.id} {process.version}"


def _urgency(seen: _Seen) -> tuple[bool, date, str, UUID]:
    state = seen.state
    return (state.close_date is None, state.close_date or date.min, state.name, seen.deal_id)


def _totals(states: Iterable[DealState]) -> list[dict[str, str] | None]:
    sums: dict[str, Decimal] = {}
    for state in states:
        if state.amount is not None and state.currency is not None:
            sums[state.currency] = sums.get(state.currency, Decimal(0)) + state.amount
    return [_money(amount, currency) for currency, amount in sorted(sums.items())]


def _deal(seen: _Seen, names: Mapping[str, str]) -> dict[str, object]:
    state, verdicts = seen.state, seen.verdicts
    amount = None
    if state.amount is not None and state.currency is not None:
        amount = _money(state.amount, state.currency)
    return {
        "deal_id": str(seen.deal_id),
        "name": state.name,
        "stage": state.stage,
        "closed": state.closed,
        "process": _named(seen.process),
        "account": {"id": state.account_id, "name": state.account_name},
        "owner": {"id": state.owner, "name": names.get(state.owner, state.owner)},
        "amount": amount,
        "close_date": state.close_date,
        "checkbox_only": seen.ticks.checkbox_only(),
        "counts": seen.ticks.counts,
        "pressure_shaped": verdicts.shaped if verdicts else None,
        "evaluable": verdicts.evaluable if verdicts else None,
        "discount": None if state.discount is None else f"{state.discount.normalize():f}",
    }


def _owners(states: Iterable[DealState], names: Mapping[str, str]) -> list[dict[str, str]]:
    owners = sorted({state.owner for state in states})
    return [{"id": owner, "name": names.get(owner, owner)} for owner in owners]
