"""What the page of the organisation shows: how quarters close, and what goes with their end."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from api.web import format as f
from api.web.asof import AsOf, as_of_view
from api.web.close_chart import CloseChart, close_charts
from api.web.discount_chart import DiscountChart, discount_chart
from api.web.intervals import Axis, Whisker
from api.web.quarter_parts import (
    NOT_SHOWN,
    Chosen,
    chosen_of,
    interval_text,
    part_of,
    rate_of,
    rate_text,
)
from api.web.reads import Answer
from api.web.workings import Workings, of_quarter

PLACEBOS: Final = {
    "45_days_earlier": "Placebo: the same length, 45 days earlier",
    "calendar_quarter_end": "Placebo: the end of the calendar quarter",
}


@dataclass(frozen=True, slots=True)
class Effect:
    """How much deeper discounts were in some days than in others, by rep; None: too few reps."""

    name: str
    reps: int
    whisker: Whisker | None
    p: str


@dataclass(frozen=True, slots=True)
class Line:
    """One team or rep: its wins, those at the end, and the pressure-shaped events it may see.

    A share is told with its interval.
    """

    name: str
    value: str
    wins: int
    window: tuple[str, str]
    last_day: tuple[str, str]
    shaped: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Statement:
    """A finding in the words of the application."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class OrganisationPage:
    """The page, ready for its template."""

    as_of: AsOf
    chosen: Chosen
    over: bool
    wins: str
    last_day: str
    last_day_interval: str
    window: str
    window_interval: str
    shaped: str
    shaped_interval: str
    chart: CloseChart
    before: tuple[CloseChart, ...]
    sentence: str
    discounts: DiscountChart
    discounts_sentence: str
    effects: tuple[Effect, ...]
    segments_too_few: int
    axis: Axis
    effect_sentence: str
    statements: tuple[Statement, ...]
    teams: tuple[Line, ...]
    reps: tuple[Line, ...]
    policy: int
    workings: Workings


def organisation_page(answer: Answer, asked: tuple[str | None, str | None]) -> OrganisationPage:
    """The page for a quarter of some scope."""
    closing, pressure = answer["close_pattern"], answer["pressure"]
    pattern, shaped = closing["pattern"], pressure["shares"]["shaped"]
    effects, axis, too_few = _effects(pressure["window_effect"])
    window, window_interval = part_of(pattern, "window")
    last_day, last_day_interval = part_of(pattern, "last_business_day")
    chart, *before = close_charts([closing, *answer["before"]])
    return OrganisationPage(
        as_of=as_of_view(answer, asked=asked),
        chosen=chosen_of(answer),
        over=closing["over"],
        wins=f"{closing['wins']:,}",
        last_day=last_day,
        last_day_interval=last_day_interval,
        window=window,
        window_interval=window_interval,
        shaped=rate_text(shaped),
        shaped_interval=interval_text(shaped),
        chart=chart,
        before=tuple(before),
        sentence=f.sentence(closing["sentence"]),
        discounts=discount_chart(pressure["discounts_by_days_left"]["bins"]),
        discounts_sentence=f.sentence(pressure["discounts_by_days_left"]["sentence"]),
        effects=effects,
        segments_too_few=too_few,
        axis=axis,
        effect_sentence=f.sentence(pressure["window_effect"]["sentence"]),
        statements=statements_of(closing, pressure),
        teams=lines_of(answer, "team"),
        reps=lines_of(answer, "rep"),
        policy=pressure["policy_version"],
        workings=of_quarter(closing, pressure),
    )


def _effects(effect: Mapping[str, Any]) -> tuple[tuple[Effect, ...], Axis, int]:
    """The effect of the last days, of segments with enough reps and of placebos, on one axis.

    With how many segments have too few reps to say more than their number.
    """
    segments = [one for one in effect["segments"] if one["mean"] is not None]
    told = [("In the last days", effect)]
    told += [(f"In the last days: {one['segment']}", one) for one in segments]
    told += [
        (PLACEBOS[one["placebo"]], one["effect"]) for one in effect["placebos"] if one["effect"]
    ]
    differences = [_difference(one) for _, one in told]
    axis = Axis.of(differences)
    return (
        tuple(
            Effect(
                name=name,
                reps=one["n"],
                whisker=axis.whisker(difference),
                p="" if one["p"] is None else f"p {one['p']:.2f}",
            )
            for (name, one), difference in zip(told, differences, strict=True)
        ),
        axis,
        len(effect["segments"]) - len(segments),
    )


def _difference(effect: Mapping[str, Any]) -> dict[str, Any] | None:
    """A mean of percentage points as the ratio that the axis takes."""
    if effect["mean"] is None or effect["interval"] is None:
        return None
    low, high = effect["interval"]
    return {"difference": effect["mean"] / 100, "interval": [low / 100, high / 100]}


def statements_of(closing: Mapping[str, Any], pressure: Mapping[str, Any]) -> tuple[Statement, ...]:
    """What the pattern and the pressure of a quarter say in sentences."""
    return (
        Statement("Win rate in the last month", f.sentence(closing["win_rates"]["sentence"])),
        Statement("Close dates pulled in", f.sentence(pressure["pull_ins"]["sentence"])),
        Statement("Excess and trough", f.sentence(pressure["excess_and_trough"]["sentence"])),
        Statement("What flagged discounts cost", f.sentence(pressure["cost"]["sentence"])),
        Statement("New and won late", f.sentence(pressure["new_and_won_late"]["sentence"])),
    )


def lines_of(answer: Answer, kind: str) -> tuple[Line, ...]:
    """One line a team or rep, in the order of their ids: never by what is counted."""
    rows = {"team": answer["close_pattern"]["teams"], "rep": answer["close_pattern"]["reps"]}[kind]
    shares = answer["pressure"]["shares"] if kind == "rep" else {"reps": ()}
    shaped = {one["rep"]: one["shaped"] for one in shares["reps"]}
    return tuple(
        Line(
            name=answer["names"].get(row[kind], row[kind])
            if kind == "rep"
            else f.words_of(row[kind]),
            value=f"{kind}:{row[kind]}",
            wins=row["wins"],
            window=part_of(row["pattern"], "window"),
            last_day=part_of(row["pattern"], "last_business_day"),
            shaped=rate_of(shaped[row[kind]]) if row[kind] in shaped else NOT_SHOWN,
        )
        for row in rows
    )
