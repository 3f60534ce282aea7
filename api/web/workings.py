"""What the figures of each page come from, in numbers: what stands beside their definitions."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from api.web import format as f
from api.web.quarter_parts import interval_text
from api.web.reads import Answer
from api.web.vocabulary import CHECKBOX_ONLY, EVIDENCED

Working: TypeAlias = tuple[tuple[str, str], ...]
"""Pairs of words and a number, in the order of the computation."""
Workings: TypeAlias = dict[str, Working]
"""By the figure that they belong to."""

_TICKS: Final = {
    "evidenced": "Outcome evidenced in time",
    "evidenced_late": "Outcome evidenced, but late",
    "asserted_only": "Only the seller's word",
    "bare_tick": "Never evidenced",
    "pending": "Still due, left out",
}


def ticks(counts: Mapping[str, int]) -> Working:
    """How many ticks have each status; those still due are not settled."""
    return tuple((name, f"{counts.get(status, 0):,}") for status, name in _TICKS.items())


def rate(told: Mapping[str, Any], counted: str, of: str) -> Working:
    """A count out of a number, with its interval where there are enough."""
    pairs = ((counted, f"{told['count']:,}"), (of, f"{told['n']:,}"))
    interval = interval_text(told).removeprefix("95% interval ")
    return (*pairs, ("95% interval", interval)) if interval else pairs


def of_board(answer: Answer) -> Workings:
    """The four figures of the board's head."""
    quota, attained = answer["attainment"]["quota"], answer["attainment"]["attained"]
    still_open = [column for column in answer["columns"] if column["closed"] is None]
    return {
        "attainment": (
            ("Booked", f.money(attained, "nothing to set it against")),
            ("Quota", f.money(quota, "no quota for this quarter")),
        ),
        "open": (("Open deals", f"{sum(column['count'] for column in still_open):,}"),),
        "checkbox_only": ticks(answer["ticks"]),
        "pressure_shaped": verdicts(answer["pressure_shaped"], answer["evaluable"]),
    }


def verdicts(shaped: int, evaluable: int) -> Working:
    """How many events could be judged, and how many are shaped."""
    return (("Pressure-shaped", f"{shaped:,}"), ("Events that can be judged", f"{evaluable:,}"))


def of_overview(answer: Answer) -> Workings:
    """The counts of changes, and how much is hollow."""
    span = (
        ("Told after", f.moment(answer["since"])),
        ("Up to", f.moment(answer["effective_at"])),
    )
    hollow = answer["hollow"]
    return {
        **dict.fromkeys(answer["changes"], span),
        "checkbox_only": (
            ("Checkbox-only", f"{hollow['hollow']:,}"),
            ("Settled activities", f"{hollow['settled']:,}"),
            ("Open deals with any", f"{hollow['deals_with']:,}"),
        ),
    }


def of_today(deals: Sequence[Mapping[str, Any]], rep: str) -> Workings:
    """The three counts of a rep's day."""
    late = [
        one["side"] for deal in deals for one in deal["commitments"] if one["status"] == "broken"
    ]
    with_step = sum(deal["next_step"] for deal in deals)
    return {
        "open_deals": (("Owner", rep),),
        "next_step": (
            ("Open deals", f"{len(deals):,}"),
            ("With a next step", f"{with_step:,}"),
        ),
        "past_day": (
            ("Said by customers", f"{late.count('customer'):,}"),
            ("Promised by us", f"{late.count('seller'):,}"),
        ),
    }


def of_commitments(counts: Mapping[str, Mapping[str, int]]) -> Workings:
    """What waits, by who said it and whether its day is past."""
    found: Workings = {}
    for key, side in (("customers", "customer"), ("we", "seller")):
        of_side = counts[side]
        found[f"{key}_late"] = (("Of all that waits", f"{sum(of_side.values()):,}"),)
        found[f"{key}_open"] = (
            ("By the first day", f"{of_side['open']:,}"),
            ("By another day since", f"{of_side['renegotiated']:,}"),
        )
    return found


def of_review(answer: Answer) -> Workings:
    """How many deals are asked about, and what is missing of those on the page."""
    asked = [one for deal in answer["deals"] for one in deal["review"]["questions"]]
    states = {state: sum(one["state"] == state for one in asked) for state in ("blank", "partly")}
    return {
        "review_deals": (("On this page", f"{len(answer['deals']):,}"),),
        "unanswered": (
            ("Questions on this page", f"{len(asked):,}"),
            ("Blank", f"{states['blank']:,}"),
            ("Partly blank", f"{states['partly']:,}"),
        ),
    }


def of_deal(answer: Answer) -> Workings:
    """Everything that the page of a deal counts, measures or sums up."""
    progress, pressure, deal = answer["progress"], answer["pressure"], answer["deal"]
    moved = [one for one in answer["history"]["events"] if one["type"] == "close_date_moved"]
    led = progress.get("customer_led_movement") or {"led": 0, "steps": 0}
    return {
        "amount": (("List price of the win", f.money(deal.get("list"), "no win")),),
        "close_date": (("Times it was moved", f"{len(moved):,}"),),
        "events": (
            ("First", f.moment(answer["told"][0][1])),
            ("Up to position", f"{progress['as_of']['position']:,}"),
        ),
        "checkbox_only": (
            *ticks(progress["counts"]),
            ("Weighted share", f.percent(progress["checkbox_only"], "none has settled")),
        ),
        "led": (("Led by the customer", f"{led['led']:,}"), ("Forward moves", f"{led['steps']:,}")),
        **({} if pressure.get("untold") else _of_pressure(pressure)),
        **_of_review(answer["review"]),
    }


def _of_pressure(pressure: Answer) -> Workings:
    shares, exposed, money = pressure["shares"], pressure["exposure"], pressure["money"]
    curve = pressure["curve"]
    latest = curve[-1]["pressure"] if curve else None
    policy = ("Policy", f"{pressure['policy_version']}")
    offered = ("Offered", f.money(money["offered"]))
    realised = ("Realised", f.money(money["realised"]))
    return {
        "pressure_shaped": (*verdicts(shares["shaped"], shares["evaluable"]), policy),
        "coverage": (
            ("Seller events that can be judged", f"{pressure.get('recording_coverage_of') or 0:,}"),
            ("With a customer action", f.percent(pressure["recording_coverage"], "no such event")),
        ),
        "exposure": (
            ("Days open with a known quota", f"{exposed['known_days']:,.1f}"),
            ("Of them behind", f"{exposed['behind_days']:,.1f}"),
        ),
        "deal_pressure": (("At the end of the chart", f.ratio(latest)), policy),
        "offered": (policy,),
        "realised": (offered,),
        "floor": (realised,),
        "net_without": (offered,),
        "close_without": (("Flagged events", f"{shares['shaped']:,}"),),
    }


def _of_review(review: Answer) -> Workings:
    flags = review["health"]["flags"]
    counts = {answer: sum(flag["holds"] is answer for flag in flags) for answer in (True, False)}
    return {
        "health": (
            ("Flags that hold", f"{counts[True]:,}"),
            ("That do not", f"{counts[False]:,}"),
            ("That cannot be told", f"{len(flags) - sum(counts.values()):,}"),
        )
    }


def of_quarter(closing: Answer, pressure: Answer) -> Workings:
    """What the pages about a quarter have in common."""
    pattern, shares = closing["pattern"], pressure["shares"]["shaped"]
    effect = pressure["window_effect"]
    bins = pressure["discounts_by_days_left"]["bins"]
    wins = ("Wins of the quarter", f"{closing['wins']:,}")
    return {
        "quarter_wins": (("Quarter", str(closing["quarter"])), wins),
        "window": rate(pattern["window"], "In the last days", "Wins") if pattern else (wins,),
        "last_day": rate(pattern["last_business_day"], "On the last business day", "Wins")
        if pattern
        else (wins,),
        "pressure_shaped": (
            *rate(shares, "Pressure-shaped", "Events that can be judged"),
            ("Policy", f"{pressure['policy_version']}"),
        ),
        "close_pattern": (wins,),
        "discount_days": (("Discounts", f"{sum(one['n'] for one in bins):,}"),),
        "quarter_says": (wins, ("Policy", f"{pressure['policy_version']}")),
        "window_effect": (
            ("Reps with discounts on both sides", f"{effect['n']:,}"),
            ("Mean of their differences", _points(effect["mean"])),
        ),
        "lines": (wins,),
    }


def _points(mean: float | None) -> str:
    return f.unknown("too few reps") if mean is None else f"{mean:.1f} points"


def of_report(answer: Answer) -> Workings:
    """The figures of the report besides those of its quarter."""
    figures = answer["figures"]
    pipeline, counts = figures["pipeline"], figures["progress"]["counts"]
    closing = pipeline["closing_in_quarter"]
    quotas = [one["quota"] for one in figures["reps"] if one["quota"]]
    return of_quarter(answer["close_pattern"], answer["pressure"]) | {
        "booked": (
            ("Credited wins by rep", f"{sum(one['wins'] for one in figures['reps']):,}"),
            ("Reps with a quota", f"{len(quotas):,}"),
        ),
        "attainment": (("Reps with a quota", f"{len(quotas):,}"),),
        "pipeline": (
            ("Open deals", f"{pipeline['open']['deals']:,}"),
            ("To close in the quarter", f"{closing['deals']:,}"),
        ),
        "checkbox_only": ticks(counts),
        "rep_progress": (
            ("Checkbox-only", f"{sum(counts[status] for status in CHECKBOX_ONLY):,}"),
            ("Evidenced", f"{sum(counts[status] for status in EVIDENCED):,}"),
        ),
    }


def of_process(lint: Answer | None, worth: Answer | None) -> Workings:
    """What speaks against a process, and over how many deals its steps are weighed."""
    found: Workings = {}
    if lint is not None:
        found["lint"] = (("Findings", f"{len(lint['warnings']):,}"),)
    if worth is not None:
        stays = sum(stage["n"] for stage in worth["stages"])
        found["worth"] = (("Activities", f"{len(worth['activities']):,}"),)
        found["stay"] = (("Stays", f"{stays:,}"),)
        if worth["comparison"]:
            won = worth["comparison"]["win_rate"]
            found["compared"] = (
                ("Closed deals of this version", f"{won['this']['n']:,}"),
                ("Of the other", f"{won['other']['n']:,}"),
            )
    return found
