from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction

import pytest

from domain.errors import CalendarRefusedError
from domain.fiscal import (
    ExplicitCalendar,
    FiscalCalendar,
    MonthsCalendar,
    OutsideCalendarError,
    Period,
    WeeksCalendar,
    days_left,
    local_day,
    tau,
)
from tests.support.worked_examples import worked_example

CALENDAR_QUARTERS = MonthsCalendar(zone="UTC", start_month=1)
RETAIL = WeeksCalendar(
    zone="America/New_York", weekday="SAT", month=1, rule="nearest", pattern="4-5-4"
)
LISTED = ExplicitCalendar(
    zone="Europe/Berlin",
    periods=(
        Period("FY2025Q4", date(2025, 1, 10), date(2025, 3, 31)),
        Period("FY2026Q1", date(2025, 4, 1), date(2025, 7, 5)),
        Period("FY2026Q2", date(2025, 7, 6), date(2025, 9, 30)),
    ),
)


def instant(text: str) -> datetime:
    """An instant as text; a day alone is its midnight in UTC."""
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def test_one_instant_lies_in_different_quarters_in_different_zones() -> None:
    example = worked_example("EX01")
    moment = instant(example["input"]["instant"])

    for zone, expected in example["expect"].items():
        calendar = MonthsCalendar(zone=zone, start_month=example["input"]["start_month"])
        quarter = calendar.quarter_of(moment)
        assert {
            "q": quarter.name,
            "start": quarter.start.isoformat(),
            "end": quarter.end.isoformat(),
            "days": quarter.days,
            "dte": days_left(quarter, moment),
            "tau": round(float(tau(quarter, moment)), 6),
        } == expected


def test_a_year_of_weeks_ends_on_the_last_weekday_of_its_month() -> None:
    example = worked_example("EX02c")
    rule = example["input"]
    calendar = WeeksCalendar(
        zone="UTC",
        weekday=rule["weekday"],
        month=rule["month"],
        rule=rule["rule"],
        pattern="4-4-5",
    )

    ends = [calendar.quarter_named(f"FY{year}Q4").end for year in range(2006, 2014)]

    assert [end.isoformat() for end in ends] == example["expect"]


def test_time_passed_in_a_quarter_agrees_with_the_pressure_example() -> None:
    for row in worked_example("EX03")["expect"]["rows"]:
        moment = instant(row["t"])
        quarter = CALENDAR_QUARTERS.quarter_of(moment)
        assert quarter.name == "FY2025Q1"
        assert round(float(tau(quarter, moment)), 6) == row["tau"]


@pytest.mark.parametrize(
    ("start_month", "day", "name", "start", "end"),
    [
        (1, "2025-12-31", "FY2025Q4", "2025-10-01", "2025-12-31"),
        (2, "2025-01-31", "FY2025Q4", "2024-11-01", "2025-01-31"),
        (2, "2025-02-01", "FY2026Q1", "2025-02-01", "2025-04-30"),
        (12, "2024-12-01", "FY2025Q1", "2024-12-01", "2025-02-28"),
        (12, "2024-02-29", "FY2024Q1", "2023-12-01", "2024-02-29"),
        (10, "2025-09-30", "FY2025Q4", "2025-07-01", "2025-09-30"),
        (7, "2025-01-01", "FY2025Q3", "2025-01-01", "2025-03-31"),
    ],
)
def test_a_fiscal_year_of_months_is_named_by_the_year_it_ends_in(
    start_month: int, day: str, name: str, start: str, end: str
) -> None:
    calendar = MonthsCalendar(zone="UTC", start_month=start_month)

    quarter = calendar.quarter_on(date.fromisoformat(day))

    assert (quarter.name, quarter.start.isoformat(), quarter.end.isoformat()) == (name, start, end)
    assert calendar.quarter_named(name) == quarter


def test_a_leap_day_makes_its_quarter_longer() -> None:
    assert CALENDAR_QUARTERS.quarter_named("FY2024Q1").days == 91
    assert CALENDAR_QUARTERS.quarter_named("FY2025Q1").days == 90
    assert CALENDAR_QUARTERS.quarter_named("FY2000Q1").days == 91


def test_retail_years_have_53_weeks_where_the_published_calendar_has_them() -> None:
    # The National Retail Federation names them a year earlier: 2006, 2012, 2017, 2023.
    long_years = [
        year for year in range(2005, 2027) if RETAIL.quarter_named(f"FY{year}Q4").days == 14 * 7
    ]

    assert long_years == [2007, 2013, 2018, 2024]
    assert RETAIL.year_end(2024) == date(2024, 2, 3)
    assert RETAIL.quarter_named("FY2025Q1").start == date(2024, 2, 4)
    assert {RETAIL.quarter_named(f"FY2024Q{number}").days for number in (1, 2, 3)} == {13 * 7}


def test_a_year_that_runs_over_new_year_keeps_the_number_of_its_month() -> None:
    calendar = WeeksCalendar(zone="UTC", weekday="SAT", month=12, rule="nearest", pattern="4-4-5")

    assert calendar.year_end(2004) == date(2005, 1, 1)
    assert calendar.year_end(2005) == date(2005, 12, 31)
    assert calendar.quarter_on(date(2005, 1, 1)).name == "FY2004Q4"
    assert calendar.quarter_on(date(2005, 1, 2)).name == "FY2005Q1"


def test_the_pattern_moves_no_quarter() -> None:
    other = WeeksCalendar(zone=RETAIL.zone, weekday="SAT", month=1, rule="nearest", pattern="5-4-4")

    assert other.quarter_named("FY2025Q2") == RETAIL.quarter_named("FY2025Q2")


def test_a_listed_calendar_answers_for_its_list_only() -> None:
    assert LISTED.quarter_on(date(2025, 4, 1)).name == "FY2026Q1"
    assert LISTED.quarter_on(date(2025, 3, 31)).name == "FY2025Q4"
    assert LISTED.quarter_named("FY2026Q1").days == 96
    for day in (date(2025, 1, 9), date(2025, 10, 1)):
        with pytest.raises(OutsideCalendarError, match="2025-01-10 to 2025-09-30"):
            LISTED.quarter_on(day)
    with pytest.raises(OutsideCalendarError, match="FY2025Q4 to FY2026Q2, not FY2026Q3"):
        LISTED.quarter_named("FY2026Q3")
    with pytest.raises(OutsideCalendarError):
        LISTED.after(LISTED.quarter_named("FY2026Q2"))


@pytest.mark.parametrize("calendar", [CALENDAR_QUARTERS, RETAIL, LISTED])
def test_neighbours_lead_there_and_back(calendar: FiscalCalendar) -> None:
    middle = calendar.quarter_named("FY2026Q1")

    assert calendar.before(middle).name == "FY2025Q4"
    assert calendar.after(middle).name == "FY2026Q2"
    assert calendar.after(calendar.before(middle)) == middle
    assert (middle.fiscal_year, middle.number) == (2026, 1)


@pytest.mark.parametrize(
    "name", ["FY2026Q5", "FY26Q1", "2026Q1", "FY2026Q1 ", "FY\u0662\u0660\u0662\u0666Q1", ""]
)
def test_a_name_that_is_no_quarter_is_refused(name: str) -> None:
    for calendar in (CALENDAR_QUARTERS, RETAIL, LISTED):
        with pytest.raises(OutsideCalendarError, match="expected a quarter"):
            calendar.quarter_named(name)


def test_years_beyond_those_of_dates_are_refused() -> None:
    for calendar in (CALENDAR_QUARTERS, RETAIL):
        with pytest.raises(OutsideCalendarError, match="1900 to 2999"):
            calendar.quarter_named("FY9999Q4")
        with pytest.raises(OutsideCalendarError, match="outside every fiscal calendar"):
            calendar.quarter_on(date(9999, 12, 31))
        assert calendar.quarter_on(date(2999, 12, 31)).end >= date(2999, 12, 31)
        assert calendar.quarter_on(date(1900, 1, 1)).start <= date(1900, 1, 1)


def test_a_quarter_begins_and_ends_at_local_midnights() -> None:
    quarter = MonthsCalendar(zone="America/New_York", start_month=1).quarter_named("FY2025Q1")

    assert quarter.start_instant == instant("2025-01-01T05:00:00Z")
    assert quarter.end_instant == instant("2025-04-01T04:00:00Z")
    assert quarter.contains(quarter.start_instant)
    assert not quarter.contains(quarter.end_instant)


def test_local_days_are_equal_shares_across_a_change_of_clocks() -> None:
    calendar = MonthsCalendar(zone="America/New_York", start_month=1)
    quarter = calendar.quarter_named("FY2025Q1")
    before, after = instant("2025-03-09T12:00:00-04:00"), instant("2025-03-10T12:00:00-04:00")
    short_day = [instant("2025-03-09T05:00:00Z"), instant("2025-03-10T04:00:00Z")]

    assert tau(quarter, before) == Fraction(2 * 67 + 1, 2 * 90)
    assert tau(quarter, after) - tau(quarter, before) == Fraction(1, 90)
    assert tau(quarter, short_day[1]) - tau(quarter, short_day[0]) == Fraction(1, 90)


def test_time_passed_stops_at_both_ends() -> None:
    quarter = CALENDAR_QUARTERS.quarter_named("FY2025Q1")
    last = quarter.end_instant - timedelta(microseconds=1)

    assert tau(quarter, quarter.start_instant) == 0
    assert tau(quarter, quarter.start_instant - timedelta(days=400)) == 0
    assert tau(quarter, last) == 1 - Fraction(1, 90 * 86_400 * 1_000_000)
    assert tau(quarter, quarter.end_instant) == 1


def test_days_left_count_local_days_down_to_none_on_the_last() -> None:
    calendar = MonthsCalendar(zone="Asia/Tokyo", start_month=4)
    quarter = calendar.quarter_named("FY2026Q1")

    assert quarter.start_instant == instant("2025-03-31T15:00:00Z")
    assert days_left(quarter, quarter.start_instant) == quarter.days - 1 == 90
    assert days_left(quarter, instant("2025-06-29T14:59:59Z")) == 1
    assert days_left(quarter, instant("2025-06-29T15:00:00Z")) == 0
    assert days_left(quarter, instant("2025-07-29T15:00:00Z")) == 0


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("FY2025Q1", "2025-03-31"),  # a Monday
        ("FY2024Q2", "2024-06-28"),  # the 30th is a Sunday
        ("FY2024Q1", "2024-03-29"),  # the 31st is a Sunday
        ("FY2022Q4", "2022-12-30"),  # the 31st is a Saturday
    ],
)
def test_the_last_business_day_is_no_weekend_day(name: str, day: str) -> None:
    assert CALENDAR_QUARTERS.quarter_named(name).last_business_day.isoformat() == day


def test_a_midnight_that_comes_twice_begins_the_quarter_the_first_time() -> None:
    # At one minute past midnight of 1 November 2009, clocks in Newfoundland went back an hour.
    calendar = MonthsCalendar(zone="America/St_Johns", start_month=2)
    first = instant("2009-11-01T02:30:00Z")
    seen_as_october = first + timedelta(minutes=30)

    assert local_day(seen_as_october, calendar.zone) == date(2009, 10, 31)
    quarter = calendar.quarter_of(seen_as_october)
    assert (quarter.name, quarter.start_instant) == ("FY2010Q4", first)
    assert tau(quarter, seen_as_october) == 0
    assert days_left(quarter, seen_as_october) == quarter.days - 1
    assert calendar.quarter_of(first - timedelta(microseconds=1)).name == "FY2010Q3"


def test_a_midnight_that_is_skipped_begins_the_quarter_at_the_moment_after() -> None:
    # Cairo went from 23:59:59 on 25 April 2024 to 01:00 on the 26th.
    calendar = ExplicitCalendar(
        zone="Africa/Cairo",
        periods=(
            Period("FY2024Q1", date(2024, 1, 1), date(2024, 4, 25)),
            Period("FY2024Q2", date(2024, 4, 26), date(2024, 6, 30)),
        ),
    )
    quarter = calendar.quarter_named("FY2024Q2")

    assert quarter.start_instant == instant("2024-04-25T22:00:00Z")
    assert calendar.quarter_of(quarter.start_instant) == quarter
    assert calendar.quarter_of(quarter.start_instant - timedelta(seconds=1)).name == "FY2024Q1"


def test_a_local_time_is_no_instant() -> None:
    with pytest.raises(ValueError, match="zone"):
        CALENDAR_QUARTERS.quarter_of(datetime.combine(date(2025, 1, 1), time.min))


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "America", "localtime"])
def test_a_calendar_needs_a_zone_that_exists(zone: str) -> None:
    with pytest.raises(CalendarRefusedError, match="IANA") as refused:
        MonthsCalendar(zone=zone, start_month=1)
    assert refused.value.field == "zone"


def test_calendars_that_say_the_same_are_equal_whatever_they_were_asked() -> None:
    asked = MonthsCalendar(zone="UTC", start_month=1)
    asked.quarter_of(instant("2025-01-01"))

    assert asked == MonthsCalendar(zone="UTC", start_month=1)
    assert hash(asked) == hash(CALENDAR_QUARTERS)
    assert asked != MonthsCalendar(zone="UTC", start_month=2)
    assert asked.quarter_on(date(2025, 1, 1)) is asked.quarter_on(date(2025, 1, 1))
