"""The answer about a deal's pressure, in the shape of the API."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from domain.events.life import DealDeleted, DealWon, WinReversed
from domain.policy import Policy
from domain.replay import Event
from domain.values import Money, decimal_text
from projections.pressure.around import Explained
from projections.pressure.base_rate import BaseRate
from projections.pressure.curve import Standing
from projections.pressure.exposure import Exposure
from projections.pressure.fold import Judged
from projections.pressure.money import Cost, Counterfactual, cost, counterfactual, price_of
from projections.pressure.recording import Coverage
from projections.pressure.rules import Finding
from projections.pressure.sentence import sentence

PLACES = 6
"""Ratios are given to six places."""


def answer(
    events: Sequence[Event],
    judged: Sequence[Judged],
    policy: Policy,
    coverage: Coverage,
    told: Sequence[Mapping[str, object]],
) -> dict[str, object]:
    """Give a deal's judged events, shares, money and counterfactual (METRICS section 4).

    `coverage` is that of the team of the deal's owner, `told` the judged events as
    `judged_json` gives them.
    """
    price = price_of(events)
    won = _stands_won(events)
    spent = cost(judged, price, won=won)
    before = counterfactual(events, judged, price)
    return {
        "policy_version": policy.version,
        "events": told,
        "shares": shares(judged),
        "money": _money(spent),
        "counterfactual": _before(before),
        "recording_coverage": _places(coverage.share()),
        "recording_coverage_of": coverage.of,
    }


def shares(judged: Sequence[Judged]) -> dict[str, int]:
    """Give how many events are pressure-shaped, of how many that could be judged."""
    return {
        "shaped": sum(j.verdict == "pressure_shaped" for j in judged),
        "evaluable": sum(j.verdict != "not_evaluable" for j in judged),
    }


def _stands_won(events: Sequence[Event]) -> bool:
    won = False
    for event in events:
        if isinstance(event.data, DealWon):
            won = True
        elif isinstance(event.data, WinReversed | DealDeleted):
            won = False
    return won


def _money(spent: Cost) -> dict[str, object]:
    return {
        "offered": money_json(spent.offered),
        "realised": money_json(spent.realised),
        "floor": money_json(spent.floor),
    }


def _before(before: Counterfactual) -> dict[str, object]:
    return {"net": money_json(before.net), "close_date": _json(before.close_date)}


def exposure_json(exposed: Exposure) -> dict[str, object]:
    """Give for which share of its open time the deal's owner was behind, and of how many days."""
    return {
        "share": _places(exposed.share()),
        "open_days": _days(exposed.open),
        "known_days": _days(exposed.known),
        "behind_days": _days(exposed.behind),
        "evidence": _ids(exposed.evidence),
    }


def _days(span: timedelta) -> float:
    return round(span / timedelta(days=1), PLACES)


def judged_json(explained: Explained, policy: Policy) -> dict[str, object]:
    """Give one judged event with its facts and its sentence (DESIGN section 6)."""
    judged = explained.judged
    return {
        **act_json(judged),
        **around_json(explained),
        **ruling_json(judged),
        "facts": _facts(judged, explained.base_rate, policy),
        "sentence": sentence(explained, policy),
    }


def act_json(judged: Judged) -> dict[str, object]:
    """Give which event was judged, and where its rep stood."""
    return {
        "event_id": str(judged.event.event_id),
        "type": judged.kind,
        "rep": judged.event.rep,
        "action_time": judged.action_time,
        **gap_json(judged),
        "pivotality": _places(judged.pivotality),
    }


def ruling_json(judged: Judged) -> dict[str, object]:
    """Give the cause of an event, its verdict and the rules that hold."""
    explained = judged.cause.explained_by
    return {
        "cause": judged.cause.kind,
        "explained_by": str(explained) if explained else None,
        "modifiers": list(judged.cause.modifiers),
        "verdict": judged.verdict,
        "rules": list(judged.rules),
    }


def around_json(explained: Explained) -> dict[str, object]:
    """Give what stands around an event and is in none of its facts (METRICS section 2)."""
    above, origin, usual = explained.managed, explained.origin, explained.usual_pace
    return {
        "origin": None if origin is None else {"who": origin.who, "by": origin.by},
        "manager": None
        if above is None
        else {
            "manager": above.manager,
            "reps": list(above.reps),
            **_standing(above.standing, above.currency),
            "evidence": _ids(dict.fromkeys(above.evidence)),
        },
        "usual_pace": None
        if usual is None
        else {
            "share": _places(usual.share),
            "own": _places(usual.own),
            "team": _places(usual.team),
            "weight": _places(usual.weight),
            "deals": usual.deals,
            "quarters": list(usual.quarters),
            "pressure": _places(usual.pressure),
        },
    }


def _standing(now: Standing | None, currency: str | None) -> dict[str, object]:
    attained = None
    if now is not None and currency is not None:
        attained = Money.model_construct(amount=now.attained, currency=currency).quantised()
    return {
        "quota": money_json(now.quota.quantised() if now and now.quota else None),
        "attained": money_json(attained),
        "pressure": _places(now.pressure if now else None),
        "shortfall": _places(now.shortfall if now else None),
    }


def gap_json(judged: Judged) -> dict[str, object]:
    """Give where the rep of an event stood against the quota when it was done."""
    return {
        "quarter": judged.quarter.name if judged.quarter else None,
        "days_left": judged.days_left,
        "elapsed": _places(judged.pace.elapsed if judged.pace else None),
        **_standing(judged.standing, judged.quota_currency),
    }


def _facts(judged: Judged, rate: BaseRate, policy: Policy) -> list[dict[str, object]]:
    explained = judged.cause.explained_by
    return [
        {
            "fact": "window",
            "value": judged.days_left,
            "threshold": policy.window_days,
            "holds": judged.window,
            "evidence": [],
        },
        {
            "fact": "behind",
            "value": _places(judged.standing.pressure if judged.standing else None),
            "threshold": float(policy.theta),
            "holds": judged.behind,
            "evidence": _ids([*judged.quota_events, *judged.win_events, *_came_or_left(judged)]),
        },
        {
            "fact": "no_customer_action",
            "value": judged.cause.kind,
            "threshold": policy.lookback_days,
            "holds": judged.cause.kind == "seller_only",
            "evidence": _ids([explained] if explained else []),
            "base_rate": _base_rate(rate),
            "coverage": _coverage(judged, policy),
        },
        {
            "fact": "abnormal",
            "value": [finding_json(finding) for finding in judged.findings],
            "threshold": {
                "alpha": float(policy.alpha),
                "minimum_excess": float(policy.minimum_excess),
            },
            "holds": judged.abnormal,
            "evidence": _ids(list(dict.fromkeys(e for f in judged.findings for e in f.evidence))),
        },
    ]


def _base_rate(rate: BaseRate) -> dict[str, object]:
    share, interval = rate.share(), rate.interval()
    return {
        "scope": rate.scope,
        "without_customer_action": rate.without,
        "of": rate.of,
        "share": None if share is None else round(share, PLACES),
        "interval": None if interval is None else [round(end, PLACES) for end in interval],
    }


def _came_or_left(judged: Judged) -> tuple[UUID, ...]:
    return judged.pace.events if judged.pace else ()


def _coverage(judged: Judged, policy: Policy) -> dict[str, object] | None:
    """Give the coverage of the rep's team against the policy's gate; None without a gate."""
    coverage, gate = judged.coverage, policy.coverage_gate
    if coverage is None or gate is None:
        return None
    return {
        "share": _places(coverage.share()),
        "of": coverage.of,
        "gate": float(gate),
        "caps": coverage.caps(gate),
    }


def finding_json(finding: Finding) -> dict[str, object]:
    """Give what a rule found, with its figures and the events that it rests on."""
    figures = {name: _json(value) for name, value in finding.value.items()}
    evidence = _ids(finding.evidence)
    return {"rule": finding.rule, "holds": finding.holds, **figures, "evidence": evidence}


def _ids(ids: Iterable[UUID]) -> list[str]:
    return [str(event_id) for event_id in ids]


def _places(share: Fraction | None) -> float | None:
    return None if share is None else round(float(share), PLACES)


def money_json(money: Money | None) -> dict[str, str] | None:
    """Give money as the API does: a decimal string with its currency."""
    if money is None:
        return None
    return {"amount": decimal_text(money.amount), "currency": money.currency}


def _json(value: object) -> object:
    match value:
        case Decimal():
            return decimal_text(value)
        case date():
            return value.isoformat()
        case dict():
            return {name: _json(inner) for name, inner in value.items()}
        case _:
            return value
