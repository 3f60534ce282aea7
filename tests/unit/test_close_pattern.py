"""The close pattern of a quarter: the worked example, and what it does at the edges."""

from collections import Counter
from datetime import date, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendars import CalendarHistory
from domain.fiscal import (
    DaySpan,
    ExplicitCalendar,
    FiscalQuarter,
    MonthsCalendar,
    Period,
    WeeksCalendar,
)
from projections.quarter.close_pattern import (
    ClosePattern,
    close_pattern,
    linearity,
    spike_ratio,
    win_rates,
)
from projections.quarter.closings import Closing, Outcome, Parts
from projections.quarter.pattern_answer import NOT_OVER, pattern_json, pattern_sentence
from tests.support.quarters import QUARTER
from tests.support.worked_examples import worked_example

CALENDAR = MonthsCalendar(zone="UTC", start_month=1)
PARTS = Parts.of(QUARTER, window_days=14, opening_days=5)
MONTHS = CALENDAR.months_of(QUARTER)
DAYS = st.dates(QUARTER.start, QUARTER.end)


def pattern(wins: dict[date, int], quarter: FiscalQuarter = QUARTER) -> ClosePattern:
    window = Parts.of(quarter, window_days=14, opening_days=5).window
    return close_pattern(wins, quarter, window=window, months=CALENDAR.months_of(quarter))


def closing(number: int, day: date, outcome: Outcome = "won", rep: str = "ann") -> Closing:
    return Closing(UUID(int=number), UUID(int=1000 + number), day, outcome, (rep,), ("north",))


def on_63_business_days() -> FiscalQuarter:
    start, end = date(2025, 1, 6), date(2025, 4, 2)
    calendar = ExplicitCalendar(zone="UTC", periods=(Period("FY2025Q1", start, end),))
    return calendar.quarter_named("FY2025Q1")


def test_the_pattern_of_the_worked_example() -> None:
    expected = worked_example("EX17")["expect"]
    quarter = on_63_business_days()
    business = quarter.business_days
    assert len(business) == 63
    counts = {1: 1, 2: 1, 8: 1, 9: 1, 10: 1, 63: 75}

    found = pattern({business[number - 1]: count for number, count in counts.items()}, quarter)

    assert found.wins == expected["n"]
    assert found.last_day.days.first == business[-1]
    assert found.last_day.rate.share == Fraction(expected["share_last"])
    assert found.last_day.rate.interval is not None
    assert [round(end, 6) for end in found.last_day.rate.interval] == expected["ci"]
    assert found.spike_ratio == expected["spike_ratio"]
    assert found.first_day.rate.successes == 1
    assert found.last_day.finding == "more_than_even"


def test_a_quarter_that_ends_on_a_sunday_has_its_last_business_day_on_friday() -> None:
    quarter = CALENDAR.quarter_named("FY2024Q1")
    sunday, friday = date(2024, 3, 31), date(2024, 3, 29)

    found = pattern({sunday: 6, friday: 4, date(2024, 2, 1): 2}, quarter)

    assert (found.last_day.days.first, found.last_day.rate.successes) == (friday, 4)
    assert found.wins == 12
    assert found.spike_ratio == Fraction(4 * 64, 2)


def test_no_other_win_leaves_no_ratio() -> None:
    assert spike_ratio([0, 0, 7]) is None
    assert spike_ratio([]) is None
    assert pattern({QUARTER.last_business_day: 30}).spike_ratio is None


def test_all_in_one_week_is_as_uneven_as_it_gets() -> None:
    found = pattern({QUARTER.start + timedelta(days=day): 3 for day in (7, 8, 13)})

    assert found.weekly_gini == Fraction(12, 13)


def test_days_beyond_thirteen_weeks_belong_to_the_last_week() -> None:
    quarter = CALENDAR.quarter_named("FY2025Q3")
    assert quarter.days == 92

    found = pattern({quarter.end: 5, quarter.end - timedelta(days=7): 5}, quarter)

    assert found.weekly_gini == Fraction(12, 13)


def test_linearity_is_one_where_wins_keep_pace_and_a_day_where_all_come_last() -> None:
    assert linearity([2] * 90) == 1
    assert linearity([0] * 89 + [4]) == Fraction(1, 90)
    assert linearity([4] + [0] * 89) == Fraction(1, 90)
    assert linearity([0] * 90) is None


@pytest.mark.parametrize(
    ("wins", "told", "concluded"), [(4, 0, 0), (5, 1, 0), (19, 1, 0), (20, 1, 1)]
)
def test_few_wins_are_counted_and_conclude_nothing(wins: int, told: int, concluded: int) -> None:
    found = pattern({QUARTER.last_business_day: wins - 1, QUARTER.start: 1})

    shares = (found.last_day.rate.share, found.weekly_gini, found.linearity)
    assert all((share is not None) == bool(told) for share in shares)
    assert (found.last_day.finding is not None) == bool(concluded)
    assert ("consistent with" in pattern_sentence(found)) == bool(concluded)


def test_an_even_spread_is_called_even() -> None:
    found = pattern(dict.fromkeys(QUARTER.business_days, 2))

    assert found.last_day.finding == "as_even"
    assert found.spike_ratio == 1
    assert "caused" not in pattern_sentence(found)


@given(st.lists(DAYS, min_size=5, max_size=60))
def test_shares_lie_in_bounds_and_months_make_the_quarter(days: list[date]) -> None:
    found = pattern(Counter(days))

    assert sum(month.rate.successes for month in found.months) == found.wins == len(days)
    assert found.linearity is not None
    assert 0 < found.linearity <= 1
    assert found.weekly_gini is not None
    assert 0 <= found.weekly_gini <= Fraction(12, 13)
    assert found.last_day.rate.successes <= found.window.rate.successes


@given(st.lists(DAYS, min_size=5, max_size=60), st.integers(2, 5))
def test_a_pattern_does_not_depend_on_how_much_was_won(days: list[date], times: int) -> None:
    one = pattern(Counter(days))
    many = pattern(Counter(days * times))

    assert (one.spike_ratio, one.weekly_gini, one.linearity) == (
        many.spike_ratio,
        many.weekly_gini,
        many.linearity,
    )


def test_win_rates_leave_out_who_was_disqualified() -> None:
    first, last = QUARTER.start, QUARTER.end
    told = [("won", last), ("lost", last), ("disqualified", last), ("won", first)]
    closings = [closing(n, day, outcome) for n, (outcome, day) in enumerate(told)]  # type: ignore[arg-type]  # literals

    found = win_rates(closings, MONTHS)

    assert (found.last.successes, found.last.n) == (1, 2)
    assert found.months[-1].disqualified == 1
    assert (found.others.successes, found.others.n) == (1, 1)
    assert found.finding is None


def test_a_last_month_with_more_wins_is_higher() -> None:
    closings = [closing(n, QUARTER.end, "won" if n % 5 else "lost") for n in range(100)]
    closings += [closing(n, QUARTER.start, "won" if n % 2 else "lost") for n in range(100, 200)]

    found = win_rates(closings, MONTHS)

    assert found.finding == "higher"
    assert found.difference is not None
    assert found.difference[0] > 0


def answer(closings: list[Closing], *, over: bool = True) -> Any:
    return pattern_json(closings, QUARTER, window=PARTS.window, months=MONTHS, over=over)


def test_the_words_of_win_rates_leave_out_who_was_disqualified() -> None:
    closings = [
        closing(n, day, ("won", "won", "lost", "disqualified")[n % 4])
        for n, day in enumerate([QUARTER.start] * 40 + [QUARTER.end] * 40)
    ]

    found = answer(closings)["win_rates"]["sentence"]

    assert found.startswith("In the last month 20 of 30 deals won or lost (")


def test_people_and_teams_come_by_name_and_every_day_names_its_events() -> None:
    closings = [closing(n, QUARTER.end, rep="zoe") for n in range(6)]
    closings += [closing(9, QUARTER.start, rep="abe"), closing(7, QUARTER.start, "lost")]

    found = answer(closings)

    assert [one["rep"] for one in found["reps"]] == ["abe", "zoe"]
    assert [one["wins"] for one in found["teams"]] == [7]
    first, last = found["days"]
    assert first["won_by"] == [str(UUID(int=1009))]
    assert first["lost_by"] == [str(UUID(int=1007))]
    assert len(last["won_by"]) == last["won"] == 6


def test_a_quarter_that_is_not_over_is_counted_and_not_judged() -> None:
    found = answer([closing(n, QUARTER.start) for n in range(30)], over=False)

    assert (found["wins"], found["pattern"], found["sentence"]) == (30, None, NOT_OVER)
    assert found["win_rates"]["last_against_others"] is None


def test_the_parts_of_a_quarter_are_those_of_the_policy() -> None:
    assert PARTS.opening == DaySpan(QUARTER.start, QUARTER.start + timedelta(days=4))
    assert len(PARTS.window) == 14
    assert PARTS.window.last == QUARTER.end
    assert len(PARTS.opening) + len(PARTS.interior) + len(PARTS.window) == QUARTER.days
    whole = Parts.of(QUARTER, window_days=366, opening_days=366)
    assert (len(whole.opening), len(whole.interior), len(whole.window)) == (0, 0, QUARTER.days)
    none = Parts.of(QUARTER, window_days=0, opening_days=0)
    assert (len(none.opening), len(none.interior), len(none.window)) == (0, QUARTER.days, 0)


@pytest.mark.parametrize(
    ("name", "weeks"), [("FY2025Q2", [28, 28, 35]), ("FY2028Q4", [28, 28, 42])]
)
def test_fiscal_months_follow_the_pattern_of_weeks(name: str, weeks: list[int]) -> None:
    calendar = WeeksCalendar(zone="UTC", weekday="SAT", month=12, rule="last", pattern="4-4-5")
    history = CalendarHistory().with_adopted(calendar, effective_from=date(2020, 1, 1))

    months = history.months_of(history.quarter_named(name))

    assert [len(month) for month in months] == weeks


def test_fiscal_months_of_other_calendars_are_those_of_the_year() -> None:
    assert [(m.first.month, m.last.day) for m in MONTHS] == [(4, 30), (5, 31), (6, 30)]
