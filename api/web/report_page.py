"""What the report of a quarter shows: where it stood, when it closed, and under what pressure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.web import format as f
from api.web.asof import AsOf, as_of_view
from api.web.close_chart import CloseChart, close_charts
from api.web.discount_chart import DiscountChart, discount_chart
from api.web.organisation_page import Line, Statement, lines_of, statements_of
from api.web.quarter_parts import Chosen, chosen_of, interval_text, rate_text
from api.web.reads import Answer
from api.web.vocabulary import CHECKBOX_ONLY, EVIDENCED
from api.web.workings import Workings, of_report


@dataclass(frozen=True, slots=True)
class Attained:
    """What a team or rep booked against its quota; `percent` is how far its bar goes."""

    name: str
    quota: str
    attained: str
    attainment: str
    percent: float | None
    wins: int


@dataclass(frozen=True, slots=True)
class StageSum:
    """The open deals of a stage."""

    name: str
    deals: int
    amount: str


@dataclass(frozen=True, slots=True)
class Ticked:
    """How much of what has settled is checkbox-only, and who moved the deals."""

    name: str
    checkbox: str
    percent: float
    led: str


@dataclass(frozen=True, slots=True)
class ReportPage:
    """The report, ready for its template."""

    as_of: AsOf
    chosen: Chosen
    dates: str
    over: bool
    stands_at: Any
    booked: str
    attainment: str
    open_deals: int
    open_amount: str
    closing: str
    checkbox: str
    shaped: str
    shaped_interval: str
    teams: tuple[Attained, ...]
    reps: tuple[Attained, ...]
    stages: tuple[StageSum, ...]
    progress: tuple[Ticked, ...]
    chart: CloseChart
    sentence: str
    discounts: DiscountChart
    statements: tuple[Statement, ...]
    closers: tuple[Line, ...]
    late: int
    policy: int
    workings: Workings


def report_page(answer: Answer, asked: tuple[str | None, str | None]) -> ReportPage:
    """The report of a quarter of some scope."""
    figures, closing, pressure = answer["figures"], answer["close_pattern"], answer["pressure"]
    names, pipeline, progress = answer["names"], figures["pipeline"], figures["progress"]
    shaped = pressure["shares"]["shaped"]
    (chart,) = close_charts([closing])
    return ReportPage(
        as_of=as_of_view(answer, asked=asked),
        chosen=chosen_of(answer),
        dates=f"{f.day(figures['start'])} to {f.day(figures['end'])}",
        over=figures["after_end"],
        stands_at=figures["stands_at"],
        booked=f.money_list(figures["booked"], "nothing was booked"),
        attainment=_attainment(answer["scope"], figures),
        open_deals=pipeline["open"]["deals"],
        open_amount=f.money_list(pipeline["open"]["amounts"]),
        closing=_closing(pipeline["closing_in_quarter"]),
        checkbox=_checkbox(progress),
        shaped=rate_text(shaped),
        shaped_interval=interval_text(shaped),
        teams=tuple(_attained(f.words_of(one["team"]), one) for one in figures["teams"]),
        reps=tuple(_attained(names.get(one["rep"], one["rep"]), one) for one in figures["reps"]),
        stages=_stages(pipeline["open"]["by_stage"], answer["stages"]),
        progress=tuple(_ticked(names.get(one["rep"], one["rep"]), one) for one in progress["reps"]),
        chart=chart,
        sentence=f.sentence(closing["sentence"]),
        discounts=discount_chart(pressure["discounts_by_days_left"]["bins"]),
        statements=(
            Statement(
                "Discounts against days left",
                f.sentence(pressure["discounts_by_days_left"]["sentence"]),
            ),
            Statement("Deeper in the last days", f.sentence(pressure["window_effect"]["sentence"])),
            *statements_of(closing, pressure),
        ),
        closers=lines_of(answer, "rep"),
        late=figures["late"]["total"],
        policy=pressure["policy_version"],
        workings=of_report(answer),
    )


def _attained(name: str, one: Mapping[str, Any]) -> Attained:
    share = one["attainment"]
    return Attained(
        name=name,
        quota=f.short_money(one["quota"]) if one["quota"] else "no quota",
        attained=f.short_money(one["attained"])
        if one["attained"]
        else f.money_list(one["booked"], "nothing"),
        attainment=f.UNKNOWN if share is None else f"{share * 100:.0f}%",
        percent=None if share is None else round(min(share, 1.0) * 100, 1),
        wins=one["wins"],
    )


def _attainment(scope: Mapping[str, Any], figures: Mapping[str, Any]) -> str:
    """The attainment of a rep or a team; of everybody no quota is set, and their lines tell it."""
    rows = figures["reps"] if scope["rep"] else figures["teams"]
    key = "rep" if scope["rep"] else "team"
    named = scope["rep"] or scope["team"]
    own = next((one for one in rows if one[key] == named), None)
    if own is None or own["attainment"] is None:
        return ""
    return f"{own['attainment'] * 100:.0f}% of {f.short_money(own['quota'])}"


def _closing(closing: Mapping[str, Any]) -> str:
    deals = f.count(closing["deals"], "deal")
    return f"{deals}, {f.money_list(closing['amounts'])}" if closing["deals"] else deals


def _checkbox(told: Mapping[str, Any]) -> str:
    hollow = sum(told["counts"][status] for status in CHECKBOX_ONLY)
    settled = hollow + sum(told["counts"][status] for status in EVIDENCED)
    return f"{hollow:,} of {settled:,}" if settled else f.unknown("no activity has settled")


def _stages(rows: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> tuple[StageSum, ...]:
    """The stages in the order of the processes, then what is in none of them."""
    order = {stage: place for place, stage in enumerate(names)}
    ordered = sorted(rows, key=lambda one: (order.get(one["stage"], len(order)), str(one["stage"])))
    return tuple(
        StageSum(
            name=names.get(one["stage"], one["stage"] or "No stage yet"),
            deals=one["deals"],
            amount=f.money_list(one["amounts"]),
        )
        for one in ordered
    )


def _ticked(name: str, one: Mapping[str, Any]) -> Ticked:
    hollow = sum(one["counts"][status] for status in CHECKBOX_ONLY)
    settled = hollow + sum(one["counts"][status] for status in EVIDENCED)
    led = one["customer_led_movement"]
    return Ticked(
        name=name,
        checkbox=_checkbox(one),
        percent=round(100 * hollow / settled, 1) if settled else 0.0,
        led=f"{led['led']:,} of {f.count(led['steps'], 'step')}" if led["steps"] else "no step yet",
    )
