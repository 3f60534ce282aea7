"""The answer about pressure in a quarter: discounts, what followed, cost and shares."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, TypeAlias
from uuid import UUID

from domain.comparisons import Rate
from domain.fiscal import DaySpan, FiscalQuarter
from domain.intervals import Mean
from domain.values import money_json
from projections.quarter import readings
from projections.quarter.closings import Parts
from projections.quarter.cost import PressureCost, SignedWin
from projections.quarter.offers import (
    Effect,
    Offer,
    Trend,
    by_segment,
    calendar_window,
    effect,
    shifted_window,
    trend,
)
from projections.quarter.pattern_answer import span_json
from projections.quarter.payback import Payback
from projections.rates import interval_json, number, rate_json

Json: TypeAlias = dict[str, object]
_OF_PAYBACK: Final = (
    "days",
    "wins",
    "in_window",
    "in_trough",
    "daily",
    "excess",
    "excess_interval",
    "trough",
    "trough_interval",
    "payback",
    "payback_interval",
    "finding",
)


@dataclass(frozen=True, slots=True)
class LateDeal:
    """A deal that was won in the window, and whether it was opened only there."""

    deal_id: UUID
    won_by: UUID | None
    opened_by: UUID | None
    new: bool


@dataclass(frozen=True, slots=True)
class PullIn:
    """A close date that was pulled into the quarter, on a local day, by an event."""

    event_id: UUID
    day: date


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The events of one rep, or of everybody, by verdict."""

    shaped: tuple[UUID, ...]
    consistent: tuple[UUID, ...]
    evaluable: int
    not_evaluable: tuple[UUID, ...]


def pressure_json(
    *,
    quarter: FiscalQuarter,
    parts: Parts,
    over: bool,
    offers: Sequence[Offer],
    pull_ins: Sequence[PullIn],
    payback: Payback | None,
    cost: PressureCost,
    currency: str | None,
    late_deals: Sequence[LateDeal],
    verdicts: Mapping[str, Verdicts],
) -> Json:
    """Give every figure with its sentence; nothing is concluded until the quarter is over."""
    told: dict[str, Json] = {
        "discounts_by_days_left": _trend(trend(offers, quarter)),
        "window_effect": _main(offers, quarter, parts),
        "pull_ins": _pull_ins(pull_ins, parts),
        "excess_and_trough": _payback(payback),
        "cost": _cost(cost, currency),
        "new_and_won_late": _late_deals(late_deals),
        "shares": _shares(verdicts),
    }
    return {name: one if over else readings.undecided(one) for name, one in told.items()}


def cost_json(found: PressureCost, currency: str | None, *, over: bool) -> Json:
    """Give what pressure may have cost; nothing is concluded until the quarter is over."""
    told = _cost(found, currency)
    return told if over else readings.undecided(told)


def _trend(found: Trend) -> Json:
    return {
        "n": found.n,
        "spearman": number(found.rho),
        "interval": interval_json(found.interval),
        "bins": [
            {
                "days_left": {"from": one.least, "to": one.most},
                **_mean(one.mean),
                "event_ids": _ids(one.event_ids),
            }
            for one in found.bins
        ],
        "finding": found.finding,
        "sentence": readings.trend_sentence(found),
    }


def _main(offers: Sequence[Offer], quarter: FiscalQuarter, parts: Parts) -> Json:
    interior = frozenset(parts.interior)
    found = effect(offers, parts.window, interior)

    def placebo(name: str, days: DaySpan | None) -> Json:
        if days is None:
            nothing = readings.no_placebo(name)
            return {"placebo": name, "days": None, "effect": None, "sentence": nothing}
        tried = effect(offers, days, interior)
        sentence = readings.placebo_sentence(name, tried)
        return {
            "placebo": name,
            "days": span_json(days),
            "effect": _effect(tried),
            "sentence": sentence,
        }

    return {
        **_effect(found),
        "window": span_json(parts.window),
        "interior": span_json(parts.interior),
        "segments": [
            {"segment": segment, **_effect(one), "p_unadjusted": number(p)}
            for segment, one, p in by_segment(offers, parts.window, interior)
        ],
        "placebos": [
            placebo("45_days_earlier", shifted_window(parts)),
            placebo("calendar_quarter_end", calendar_window(quarter, parts)),
        ],
        "sentence": readings.effect_sentence(found),
    }


def _effect(found: Effect) -> Json:
    return {
        **_mean(found.mean),
        "p": number(found.p),
        "reps": [
            {
                "rep": rep.rep,
                "inside": _mean(Mean.of([float(offer.percent) for offer in rep.inside])),
                "outside": _mean(Mean.of([float(offer.percent) for offer in rep.outside])),
                "inside_events": _ids(offer.event_id for offer in rep.inside),
                "outside_events": _ids(offer.event_id for offer in rep.outside),
            }
            for rep in found.reps
        ],
        "finding": found.finding,
    }


def _pull_ins(found: Sequence[PullIn], parts: Parts) -> Json:
    inside = [one for one in found if one.day in parts.window]
    rate = Rate(len(inside), len(found))
    return {
        **rate_json(rate),
        "event_ids": _ids(one.event_id for one in found),
        "sentence": readings.pull_ins_sentence(rate),
    }


def _payback(found: Payback | None) -> Json:
    if found is None:
        return {**dict.fromkeys(_OF_PAYBACK), "sentence": readings.NO_PAYBACK}
    excess, trough = found.excess, found.trough
    names = ("interior", "window", "trough", "interior_after")
    values = (
        {name: span_json(days) for name, days in zip(names, found.days, strict=True)},
        found.wins,
        found.in_window,
        found.in_trough,
        number(found.daily),
        number(excess.value) if excess else None,
        interval_json(excess.interval) if excess else None,
        number(trough.value) if trough else None,
        interval_json(trough.interval) if trough else None,
        number(found.ratio),
        interval_json(found.interval),
        found.finding,
    )
    return {
        **dict(zip(_OF_PAYBACK, values, strict=True)),
        "sentence": readings.payback_sentence(found),
    }


def _cost(found: PressureCost, currency: str | None) -> Json:
    return {
        "wins": found.wins,
        "unknown": found.unknown,
        "excess": _money(found.excess, currency),
        "net": _money(found.net, currency),
        "share": number(found.share),
        "interval": interval_json(found.interval),
        "conclusive": found.conclusive,
        "flagged": [_flagged(one, currency) for one in found.flagged],
        "sentence": readings.cost_sentence(found),
    }


def _flagged(one: SignedWin, currency: str | None) -> Json:
    return {
        "deal_id": str(one.deal_id),
        "won_by": str(one.event_id) if one.event_id else None,
        "event_ids": _ids(one.flagged),
        "excess": None if one.excess is None else _money(one.excess, currency),
    }


def _late_deals(found: Sequence[LateDeal]) -> Json:
    new = [one for one in found if one.new]
    rate = Rate(len(new), len(found))
    return {
        **rate_json(rate),
        "deals": [
            {
                "deal_id": str(one.deal_id),
                "opened_by": str(one.opened_by) if one.opened_by else None,
                "won_by": str(one.won_by) if one.won_by else None,
            }
            for one in new
        ],
        "sentence": readings.late_deals_sentence(rate),
    }


def _shares(found: Mapping[str, Verdicts]) -> Json:
    total = Verdicts(
        shaped=tuple(i for one in found.values() for i in one.shaped),
        consistent=tuple(i for one in found.values() for i in one.consistent),
        evaluable=sum(one.evaluable for one in found.values()),
        not_evaluable=tuple(i for one in found.values() for i in one.not_evaluable),
    )
    rate = Rate(len(total.shaped), total.evaluable)
    return {
        **_share(total),
        "reps": [{"rep": rep, **_share(found[rep])} for rep in sorted(found)],
        "sentence": readings.shares_sentence(rate, len(total.not_evaluable)),
    }


def _share(verdicts: Verdicts) -> Json:
    def told(events: tuple[UUID, ...]) -> Json:
        rate = Rate(len(events), verdicts.evaluable)
        return {**rate_json(rate), "event_ids": _ids(events)}

    return {
        "shaped": told(verdicts.shaped),
        "consistent": told(verdicts.consistent),
        "not_evaluable": {
            "count": len(verdicts.not_evaluable),
            "event_ids": _ids(verdicts.not_evaluable),
        },
    }


def _mean(found: Mean) -> Json:
    return {
        "n": found.n,
        "mean": number(found.value),
        "interval": interval_json(found.interval),
        "conclusive": found.conclusive,
    }


def _money(amount: Decimal, currency: str | None) -> Json | None:
    return None if currency is None else {**money_json(amount, currency)}


def _ids(ids: Iterable[UUID]) -> list[str]:
    return sorted(map(str, ids))
