"""The answer about the close pattern of a quarter, in the shape of the API, with its sentences."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Final

from domain.fiscal import DaySpan, FiscalQuarter
from projections.quarter.close_pattern import (
    ClosePattern,
    MonthOutcomes,
    Part,
    WinRates,
    close_pattern,
    win_rates,
)
from projections.quarter.closings import Closing, wins_by_day
from projections.quarter.words import between, rated, too_few
from projections.rates import interval_json, number, rate_json

Json = dict[str, object]
_UNPROVEN: Final = (
    "Deals held for the quarter's end, effort that peaks there and customers' own deadlines all"
    " look like this; a spike alone proves nothing."
)
NOT_OVER: Final = "The quarter is not over: its wins are counted, and its pattern is not evaluable."


def pattern_json(
    closings: Sequence[Closing],
    quarter: FiscalQuarter,
    *,
    window: DaySpan,
    months: Sequence[DaySpan],
    over: bool,
) -> Json:
    """Give the pattern of everybody's closings, of each team's and of each rep's, by name.

    Until the quarter is over there are counts only. A win counts once for everybody who was
    credited with it, and once for each of their teams.
    """

    def told(own: Sequence[Closing]) -> Json:
        counts = wins_by_day(own)
        if not over:
            wins = sum(counts[day] for day in DaySpan(quarter.start, quarter.end))
            return {"wins": wins, "pattern": None, "sentence": NOT_OVER}
        found = close_pattern(counts, quarter, window=window, months=months)
        return {
            "wins": found.wins,
            "pattern": _pattern(found),
            "sentence": pattern_sentence(found),
        }

    return {
        **told(closings),
        "win_rates": win_rates_json(win_rates(closings, months), over=over),
        "days": _days(closings, quarter),
        "teams": _groups("team", closings, lambda one: one.teams, told),
        "reps": _groups("rep", closings, lambda one: one.reps, told),
    }


def _groups(
    name: str,
    closings: Sequence[Closing],
    keys: Callable[[Closing], tuple[str, ...]],
    told: Callable[[Sequence[Closing]], Json],
) -> list[Json]:
    """Answer for each group in the order of names: nobody is ranked."""
    found = sorted({key for one in closings if one.outcome == "won" for key in keys(one)})
    return [{name: key, **told([one for one in closings if key in keys(one)])} for key in found]


def _pattern(found: ClosePattern) -> Json:
    return {
        "first_business_day": _part(found.first_day),
        "last_business_day": _part(found.last_day),
        "window": _part(found.window),
        "months": [_part(month) for month in found.months],
        "spike_ratio": number(found.spike_ratio),
        "weekly_gini": number(found.weekly_gini),
        "linearity": number(found.linearity),
    }


def _part(part: Part) -> Json:
    return {
        **span_json(part.days),
        **rate_json(part.rate),
        "even": number(part.even),
        "finding": part.finding,
    }


def win_rates_json(found: WinRates, *, over: bool) -> Json:
    """Give the win rate of each month; once all are over, the last one's against the others'."""
    months = {"months": [_month(month) for month in found.months]}
    if not over:
        return {**months, "last_against_others": None, "sentence": NOT_OVER}
    compared = {
        "last": rate_json(found.last),
        "others": rate_json(found.others),
        "difference": interval_json(found.difference),
        "finding": found.finding,
    }
    return {**months, "last_against_others": compared, "sentence": win_rates_sentence(found)}


def _month(month: MonthOutcomes) -> Json:
    return {
        **span_json(month.days),
        **rate_json(month.rate),
        "lost": month.lost,
        "disqualified": month.disqualified,
    }


def _days(closings: Iterable[Closing], quarter: FiscalQuarter) -> list[Json]:
    """Give every day of the quarter on which a deal was closed, with the events that did."""
    by_day: dict[date, list[Closing]] = {}
    for one in closings:
        if quarter.start <= one.day <= quarter.end:
            by_day.setdefault(one.day, []).append(one)
    return [_day(day, by_day[day]) for day in sorted(by_day)]


def _day(day: date, closings: Sequence[Closing]) -> Json:
    def ids(outcome: str) -> list[str]:
        own = (one.event_id for one in closings if one.outcome == outcome)
        return sorted(str(event_id) for event_id in own if event_id is not None)

    counted = [one.outcome for one in closings]
    return {
        "day": day.isoformat(),
        "won": counted.count("won"),
        "lost": counted.count("lost"),
        "disqualified": counted.count("disqualified"),
        "won_by": ids("won"),
        "lost_by": ids("lost"),
        "disqualified_by": ids("disqualified"),
    }


def span_json(days: DaySpan) -> Json:
    """Give the first and the last of some days."""
    return {"from": days.first.isoformat(), "to": days.last.isoformat()}


def pattern_sentence(found: ClosePattern) -> str:
    """Say where in the quarter its deals were won, and what that is consistent with."""
    part = found.last_day
    if not part.rate.conclusive:
        return too_few(found.wins, "wins")
    told = f"{rated(part.rate, 'wins')} fell on {part.days.last}, the last business day"
    window = f"{rated(found.window.rate, 'wins')} on the last {len(found.window.days)} days"
    match part.finding:
        case "more_than_even":
            end = f"This is consistent with closing by the calendar. {_UNPROVEN}"
        case _:
            end = "On that day this is consistent with an even spread over the business days."
    return f"{told}, and {window}. {end}"


def win_rates_sentence(found: WinRates) -> str:
    """Say how often deals were won in the last month and before, and what that may be."""
    apart = found.difference
    if apart is None or found.finding is None:
        return too_few(min(found.last.n, found.others.n), "deals won or lost on one side")
    last = f"In the last month {rated(found.last, 'deals won or lost')} were won"
    others = f"before it {rated(found.others, 'deals won or lost')}"
    match found.finding:
        case "higher":
            end = (
                "This is consistent with wins drawn to the quarter's end, with losses that are"
                " recorded after it, and with customers' own deadlines."
            )
        case "lower":
            end = "This is consistent with losses that are cleared up at the quarter's end."
        case _:
            end = "This is consistent with one win rate throughout."
    return f"{last}, {others}; the difference has a {between(apart)}. {end}"
