"""Quotas and what was booked against them, by rep and by team, as of any moment."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from api.context import ContextReader
from api.errors import UnknownThingError
from api.moment import Moment
from api.storage.log_reader import LogReader
from domain.fiscal import FiscalQuarter, OutsideCalendarError, days_left, tau
from domain.known import Known, QuotaHistory
from domain.values import Money, decimal_text
from projections.attainment.fold import Credit
from projections.attainment.projection import CREDITS
from projections.pressure.curve import pressure, shortfall
from projections.quarter.steps import ORGANISATION, Scope

PLACES: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaFilters:
    """Which quotas a list holds; what is None filters nothing."""

    rep: str | None = None
    team: str | None = None
    quarter: str | None = None


@dataclass(frozen=True, slots=True)
class _Booked:
    """What is credited to somebody, as it was signed."""

    credits: Sequence[Credit]

    @property
    def by_currency(self) -> dict[str, Decimal]:
        """The sums, in the order of currencies."""
        sums: dict[str, Decimal] = {}
        for credit in self.credits:
            sums[credit.currency] = sums.get(credit.currency, Decimal(0)) + credit.amount
        return dict(sorted(sums.items()))

    def attained(
        self, known: Known, currency: str, quarter: str
    ) -> tuple[Decimal, dict[str, Decimal]]:
        """Give the sum in a currency, and by currency what no plan rate converts."""
        attained, unconverted = Decimal(0), {}
        for own, amount in self.by_currency.items():
            converted = known.convert(_money(amount, own), currency, quarter)
            if converted is None:
                unconverted[own] = amount
            else:
                attained += converted
        return attained, unconverted


class Figures:
    """Answers about quotas and quarters; the views must have reached the moment."""

    def __init__(self, store: LogReader, context: ContextReader) -> None:
        self._store = store
        self._context = context

    def quotas(self, moment: Moment, filters: QuotaFilters) -> list[dict[str, Any]]:
        """Give every quota that was known, with what is booked against it."""
        known = self._context.known(moment.position)
        histories = [
            history
            for key, history in sorted(known.quotas.items(), key=lambda pair: pair[1].stream_id)
            if _wanted(key, filters) and _begun(history, moment)
        ]
        booked = self._booked(moment, {history.quarter for history in histories})
        return [self._quota(moment, known, history, booked) for history in histories]

    def quota(self, moment: Moment, *, who: str, quarter: str) -> dict[str, Any]:
        """Give one quota of a rep or a team.

        Raises:
            UnknownThingError: none was known.
        """
        known = self._context.known(moment.position)
        history = known.quotas.get((who, None, quarter)) or known.quotas.get((None, who, quarter))
        if history is None or not _begun(history, moment):
            raise no_quota(who, quarter)
        booked = self._booked(moment, {quarter})
        return self._quota(moment, known, history, booked)

    def quarter(
        self, moment: Moment, name: str, known: Known, scope: Scope = ORGANISATION
    ) -> dict[str, object]:
        """Give who booked how much of which quota in a quarter, by rep and by team.

        The context is that of the moment, or another that the answer is restated in.

        Raises:
            UnknownThingError: no fiscal calendar in force has such a quarter.
        """
        try:
            quarter = known.calendar.quarter_named(name)
        except OutsideCalendarError as error:
            raise UnknownThingError(str(error), field="quarter") from error
        everybodys = self._booked(moment, {name})
        booked = [c for c in everybodys if scope.holds(c.rep, known, c.occurred_at)]
        of_quarter = (h for h in known.quotas.values() if h.quarter == name)
        histories = [h for h in of_quarter if _of_scope(h, scope, known, moment)]
        reps = {c.rep for c in booked} | {h.rep for h in histories if h.rep}
        teams = {team for c in booked if (team := _team(known, c))}
        teams |= {h.team for h in histories if h.team}
        return {
            **quarter_json(quarter, moment.effective_at),
            "reps": [
                {"rep": rep, **_line(moment, known, quarter, _of_rep(booked, rep), (rep, None))}
                for rep in sorted(reps)
            ],
            "teams": [
                {
                    "team": team,
                    **_line(moment, known, quarter, _of_team(known, booked, team), (None, team)),
                }
                for team in sorted(teams)
            ],
            "booked": _sums(_Booked(booked).by_currency),
        }

    def _booked(self, moment: Moment, quarters: Iterable[str]) -> list[Credit]:
        with self._store.connection() as connection:
            credited = CREDITS.known(
                connection,
                as_of=moment.position,
                where="quarter = ANY(%s) AND kind = 'revenue'",
                params=(sorted(quarters),),
            )
        cut = moment.cut
        true_by = (c for _, c in credited if cut is None or c.occurred_at <= cut)
        return sorted(true_by, key=lambda c: (c.occurred_at, c.event_id, c.rep))

    def _quota(
        self, moment: Moment, known: Known, history: QuotaHistory, booked: Sequence[Credit]
    ) -> dict[str, Any]:
        own = [credit for credit in booked if credit.quarter == history.quarter]
        who = (history.rep, history.team)
        of_who = _of_rep(own, history.rep) if history.rep else _of_team(known, own, history.team)
        try:
            quarter = known.calendar.quarter_named(history.quarter)
        except OutsideCalendarError:
            quarter = None
        return {
            "stream_id": history.stream_id,
            "rep": history.rep,
            "team": history.team,
            "quarter": history.quarter,
            "history": [
                {
                    "since": step.since,
                    "amount": _money_json(step.amount),
                    "event_id": str(step.event_id),
                }
                for step in history.steps
                if moment.cut is None or step.since <= moment.cut
            ],
            **_line(moment, known, quarter, of_who, who, name=history.quarter),
        }


def _line(
    moment: Moment,
    known: Known,
    quarter: FiscalQuarter | None,
    booked: _Booked,
    who: tuple[str | None, str | None],
    *,
    name: str | None = None,
) -> dict[str, object]:
    """Give where somebody stands: the quota, what counts towards it, and what is left over.

    `pace` is what a linear quarter would have brought by then. Ratios are null where a booking
    could not be converted: they would be too low.
    """
    name = name or (quarter.name if quarter else "")
    history = known.quotas.get((*who, name))
    step = history.at(moment.effective_at) if history else None
    quota = step.amount if step else None
    figures: dict[str, object] = {
        "quota": _money_json(quota),
        "attained": None,
        "attainment": None,
        "pace": None,
        "pressure": None,
        "shortfall": None,
        "unconverted": [],
        "booked": _sums(booked.by_currency),
        "wins": sum(credit.amount >= 0 for credit in booked.credits),
        "taken_back": sum(credit.amount < 0 for credit in booked.credits),
    }
    if quota is None:
        return figures
    attained, unconverted = booked.attained(known, quota.currency, name)
    figures["attained"] = _money_json(_money(attained, quota.currency).quantised())
    figures["unconverted"] = _sums(unconverted)
    elapsed = _elapsed(known, quarter, who[0], moment.effective_at)
    figures["pace"] = _pace(quota, elapsed)
    if not unconverted:
        figures |= _ratios(quota.amount, attained, elapsed)
    return figures


def _elapsed(
    known: Known, quarter: FiscalQuarter | None, rep: str | None, at: datetime
) -> Fraction | None:
    """Give how much of the quarter has passed, of a rep's own time in it where it is a rep's."""
    if quarter is None:
        return None
    return known.pace(rep, quarter, at).elapsed if rep else tau(quarter, at)


def _pace(quota: Money, elapsed: Fraction | None) -> dict[str, str] | None:
    """Give what a linear quarter would have brought when a share of it has passed."""
    if elapsed is None:
        return None
    expected = quota.amount * Decimal(elapsed.numerator) / Decimal(elapsed.denominator)
    return _money_json(_money(expected, quota.currency).quantised())


def _ratios(quota: Decimal, attained: Decimal, elapsed: Fraction | None) -> dict[str, object]:
    figures: dict[str, object] = {}
    if quota > 0:
        figures["attainment"] = round(float(attained / quota), PLACES)
    if elapsed is not None:
        for name, value in (
            ("pressure", pressure(quota, attained, elapsed)),
            ("shortfall", shortfall(quota, attained, elapsed)),
        ):
            figures[name] = None if value is None else round(float(value), PLACES)
    return figures


def quarter_json(quarter: FiscalQuarter, at: datetime) -> dict[str, object]:
    """Give a quarter, and how far through it an instant is."""
    return {
        "quarter": quarter.name,
        "start": quarter.start,
        "end": quarter.end,
        "zone": quarter.zone,
        "start_instant": quarter.start_instant,
        "end_instant": quarter.end_instant,
        "days": quarter.days,
        "days_left": days_left(quarter, at),
        "elapsed": round(float(tau(quarter, at)), PLACES),
    }


def _of_rep(booked: Iterable[Credit], rep: str | None) -> _Booked:
    return _Booked([credit for credit in booked if credit.rep == rep])


def _of_team(known: Known, booked: Iterable[Credit], team: str | None) -> _Booked:
    """Give what was booked by the people who were in a team when they booked it."""
    return _Booked([credit for credit in booked if _team(known, credit) == team])


def _team(known: Known, credit: Credit) -> str | None:
    membership = known.member(credit.rep, credit.occurred_at)
    return membership.team if membership else None


def _wanted(key: tuple[str | None, str | None, str], filters: QuotaFilters) -> bool:
    wanted = (filters.rep, filters.team, filters.quarter)
    return all(one is None or one == own for one, own in zip(wanted, key, strict=True))


def no_quota(who: str, quarter: str) -> UnknownThingError:
    """Give the refusal of a quota that is not there, or not for the reader: both alike."""
    return UnknownThingError(f"{who!r} was assigned no quota for {quarter}")


def _of_scope(history: QuotaHistory, scope: Scope, known: Known, moment: Moment) -> bool:
    if not _begun(history, moment):
        return False
    if history.rep is None:
        return scope.rep is None and scope.team in (None, history.team)
    return scope.holds(history.rep, known, moment.effective_at)


def _begun(history: QuotaHistory, moment: Moment) -> bool:
    return moment.cut is None or history.steps[0].since <= moment.cut


def _sums(by_currency: dict[str, Decimal]) -> list[dict[str, str]]:
    return [
        {"amount": decimal_text(_money(amount, currency).quantised().amount), "currency": currency}
        for currency, amount in by_currency.items()
    ]


def _money(amount: Decimal, currency: str) -> Money:
    # Unvalidated, because a share of an amount may have more digits than a payload.
    return Money.model_construct(amount=amount, currency=currency)


def _money_json(money: Money | None) -> dict[str, str] | None:
    if money is None:
        return None
    return {"amount": decimal_text(money.amount), "currency": money.currency}
