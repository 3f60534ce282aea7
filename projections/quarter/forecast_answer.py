"""The answers about a forecast, in the shape of the API."""

from dataclasses import asdict
from decimal import Decimal

from domain.values import money_json
from projections.quarter.forecast import Calibration, Chance, Expected, Odds, OpenDeal, StageOf
from projections.rates import number

Json = dict[str, object]


def expected_json(found: Expected) -> Json:
    """Give what deals of one currency will probably bring."""
    currency = found.currency
    amounts = {
        name: money_json(amount, currency)
        for name, amount in (
            ("open", found.open),
            ("left_out", found.left_out),
            ("expected", found.expected),
            ("sd", Decimal(found.sd)),
            ("low", found.low),
            ("high", found.high),
        )
    }
    return {
        "currency": currency,
        "deals": found.deals,
        "evaluable": found.evaluable,
        **amounts,
    }


def deal_json(deal: OpenDeal, chance: Chance) -> Json:
    """Give a deal with its chance, and what the chance rests on."""
    amount = None if deal.currency is None else money_json(deal.amount, deal.currency)
    return {
        "deal_id": str(deal.deal_id),
        "owner": deal.owner,
        **_stage(deal.stage),
        "age_days": int(deal.age_days),
        "amount": amount,
        "chance": number(chance.p),
        "n": chance.n,
    }


def stage_json(stage: StageOf, odds: Odds, within: Decimal) -> Json:
    """Give how deals ended after entering a stage, and the chance of one that enters it now."""
    ended = odds.ended(stage)
    chance = odds.chance(stage, Decimal(0), within)
    return {
        **_stage(stage),
        "n": sum(ended.values()),
        "won": ended.get("won", 0),
        "lost": ended.get("lost", 0),
        "open": ended.get(None, 0),
        "chance": number(chance.p),
    }


def calibration_json(found: Calibration) -> Json:
    """Give how chances came out."""
    return {
        **asdict(found),
        "brier": number(found.brier),
        "bias": number(found.bias),
        "conclusive": found.conclusive,
    }


def _stage(stage: StageOf | None) -> Json:
    process, name = stage or (None, None)
    return {"process": process, "stage": name}
