from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

from hypothesis import example, given
from hypothesis import strategies as st

from domain.fiscal import (
    FiscalCalendar,
    FiscalQuarter,
    MonthsCalendar,
    WeeksCalendar,
    days_left,
    instant_at,
    local_day,
    tau,
)

MICROSECOND = timedelta(microseconds=1)
ZONES = st.sampled_from(
    [
        "UTC",
        "America/New_York",
        "America/St_Johns",
        "America/Sao_Paulo",
        "America/Havana",
        "Africa/Cairo",
        "Asia/Kathmandu",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "Pacific/Kiritimati",
    ]
)
MONTHS = st.integers(min_value=1, max_value=12)
CALENDARS: st.SearchStrategy[FiscalCalendar] = st.one_of(
    st.builds(MonthsCalendar, zone=ZONES, start_month=MONTHS),
    st.builds(WeeksCalendar, zone=ZONES, month=MONTHS),
)
DAYS = st.dates(min_value=date(1970, 1, 2), max_value=date(2100, 12, 31))
INSTANTS = st.datetimes(
    min_value=datetime(1970, 1, 2), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)
)
# Most of what can go wrong goes wrong within hours of a boundary.
NEAR = st.timedeltas(min_value=timedelta(hours=-3), max_value=timedelta(hours=3))


@given(calendar=CALENDARS, day=DAYS)
def test_quarters_follow_one_another_without_gap_or_overlap(
    calendar: FiscalCalendar, day: date
) -> None:
    quarter = calendar.quarter_on(day)
    following = calendar.after(quarter)

    assert quarter.start <= day <= quarter.end
    assert following.start == quarter.end + timedelta(days=1)
    assert following.start_instant == quarter.end_instant
    assert calendar.before(following) == quarter
    assert following.name > quarter.name
    assert calendar.quarter_named(quarter.name) == quarter


@given(calendar=CALENDARS, moment=INSTANTS)
def test_every_instant_is_in_exactly_one_quarter(
    calendar: FiscalCalendar, moment: datetime
) -> None:
    _check_is_in_one(calendar, moment)


@given(calendar=CALENDARS, day=DAYS, shift=NEAR)
@example(
    calendar=MonthsCalendar(zone="America/St_Johns", start_month=2),
    day=date(2009, 10, 31),
    shift=timedelta(minutes=30),
)
def test_every_instant_near_a_boundary_is_in_exactly_one_quarter(
    calendar: FiscalCalendar, day: date, shift: timedelta
) -> None:
    _check_is_in_one(calendar, calendar.quarter_on(day).end_instant + shift)


def _check_is_in_one(calendar: FiscalCalendar, moment: datetime) -> None:
    quarter = calendar.quarter_of(moment)
    around = [calendar.before(quarter), quarter, calendar.after(quarter)]

    assert [one.contains(moment) for one in around] == [False, True, False]
    assert 0 <= tau(quarter, moment) < 1
    assert 0 <= days_left(quarter, moment) < quarter.days
    assert _matches(quarter, moment)


def _matches(quarter: FiscalQuarter, moment: datetime) -> bool:
    """Whether the two measures of one instant tell the same local day."""
    day = local_day(moment, quarter.zone)
    shown = min(max(day, quarter.start), quarter.end)
    passed = int(tau(quarter, moment) * quarter.days)
    return quarter.start + timedelta(days=passed) == shown and (
        quarter.end - timedelta(days=days_left(quarter, moment)) == shown
    )


@given(calendar=CALENDARS, day=DAYS, data=st.data())
def test_time_passed_grows_within_a_quarter(
    calendar: FiscalCalendar, day: date, data: st.DataObject
) -> None:
    quarter = calendar.quarter_on(day)
    within = st.floats(min_value=0, max_value=1, exclude_max=True)
    span = quarter.end_instant - quarter.start_instant
    first, second = sorted(quarter.start_instant + span * data.draw(within) for _ in range(2))

    # Clocks that go back show an hour twice, so only a longer time has surely passed on them.
    if second - first > timedelta(hours=1):
        assert tau(quarter, first) < tau(quarter, second)
    assert days_left(quarter, first) >= days_left(quarter, second) or (
        second - first <= timedelta(hours=1)
    )


@given(
    calendar=CALENDARS,
    day=DAYS,
    share=st.fractions(min_value=0, max_value=1, max_denominator=100_000),
)
def test_the_instant_of_a_share_is_when_that_share_has_passed(
    calendar: FiscalCalendar, day: date, share: Fraction
) -> None:
    quarter = calendar.quarter_on(day)
    found = instant_at(quarter, share)

    assert quarter.start_instant <= found <= quarter.end_instant
    # Clocks that skip time make a share pass at once: of a day where one was skipped whole.
    off = abs(tau(quarter, found) - share) * quarter.days
    assert off <= 1 if quarter.zone == "Pacific/Apia" else off < Fraction(2, 24)
    if quarter.zone == "UTC":
        assert tau(quarter, found) >= share
        assert found == quarter.start_instant or tau(quarter, found - MICROSECOND) < share
