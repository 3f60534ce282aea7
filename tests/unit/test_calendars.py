from datetime import UTC, date, datetime
from typing import Any

import pytest

from domain.calendars import DEFAULT_CALENDAR, CalendarHistory, calendar_from
from domain.errors import CalendarRefusedError
from domain.fiscal import (
    ExplicitCalendar,
    MonthsCalendar,
    OutsideCalendarError,
    Period,
    WeeksCalendar,
)

WEEKS = {"weekday": "SAT", "month": 1, "rule": "nearest", "pattern": "4-5-4"}
FIRST = {"name": "FY2025Q1", "start": "2025-01-01", "end": "2025-03-31"}
SECOND = {"name": "FY2025Q2", "start": "2025-04-01", "end": "2025-06-30"}
FROM_FEBRUARY = MonthsCalendar(zone="America/New_York", start_month=2)


def test_each_kind_is_read_from_its_parameters() -> None:
    months = calendar_from(kind="months", zone="UTC", parameters={"start_month": 2})
    weeks = calendar_from(kind="weeks", zone="UTC", parameters=dict(WEEKS))
    listed = calendar_from(kind="explicit", zone="UTC", parameters={"periods": [FIRST, SECOND]})

    assert months == MonthsCalendar(zone="UTC", start_month=2)
    assert weeks == WeeksCalendar(
        zone="UTC", weekday="SAT", month=1, rule="nearest", pattern="4-5-4"
    )
    assert listed == ExplicitCalendar(
        zone="UTC",
        periods=(
            Period("FY2025Q1", date(2025, 1, 1), date(2025, 3, 31)),
            Period("FY2025Q2", date(2025, 4, 1), date(2025, 6, 30)),
        ),
    )


@pytest.mark.parametrize(
    ("kind", "parameters", "field", "expected"),
    [
        ("lunar", {}, "kind", "months, weeks, explicit"),
        ("months", {}, "parameters.start_month", "required"),
        ("months", {"start_month": "2"}, "parameters.start_month", "valid integer"),
        ("months", {"start_month": True}, "parameters.start_month", "valid integer"),
        ("months", {"start_month": 13}, "parameters.start_month", "less than or equal to 12"),
        ("months", {"start_month": 1, "month": 1}, "parameters.month", "not permitted"),
        ("weeks", WEEKS | {"weekday": "sat"}, "parameters.weekday", "'SAT'"),
        ("weeks", WEEKS | {"month": 0}, "parameters.month", "greater than or equal to 1"),
        ("weeks", WEEKS | {"rule": "first"}, "parameters.rule", "'nearest'"),
        ("weeks", WEEKS | {"pattern": "4-4-4"}, "parameters.pattern", "'4-4-5'"),
        ("explicit", {"periods": []}, "parameters.periods", "at least 1"),
        ("explicit", {"periods": [FIRST | {"end": "x"}]}, "parameters.periods[0].end", "YYYY"),
        (
            "explicit",
            {"periods": [FIRST | {"end": "2024-12-31"}]},
            "parameters.periods[0].end",
            "before it starts",
        ),
        (
            "explicit",
            {"periods": [FIRST, SECOND | {"start": "2025-04-02"}]},
            "parameters.periods[1].start",
            "expected FY2025Q2 to start on 2025-04-01",
        ),
        (
            "explicit",
            {"periods": [FIRST, SECOND | {"start": "2025-03-31"}]},
            "parameters.periods[1].start",
            "not on 2025-03-31",
        ),
        (
            "explicit",
            {"periods": [FIRST, SECOND | {"name": "FY2025Q1"}]},
            "parameters.periods[1].name",
            "a later quarter after FY2025Q1",
        ),
    ],
)
def test_a_refusal_names_the_parameter(
    kind: str, parameters: dict[str, Any], field: str, expected: str
) -> None:
    with pytest.raises(CalendarRefusedError) as refused:
        calendar_from(kind=kind, zone="UTC", parameters=parameters)

    assert refused.value.field == field
    assert expected in refused.value.detail
    assert field in refused.value.detail


def test_a_listed_name_that_is_no_quarter_is_refused() -> None:
    with pytest.raises(CalendarRefusedError, match="FY2026Q3"):
        ExplicitCalendar(
            zone="UTC", periods=(Period("Spring", date(2025, 1, 1), date(2025, 3, 31)),)
        )


def test_a_list_without_a_quarter_is_refused() -> None:
    with pytest.raises(CalendarRefusedError, match="at least one period"):
        ExplicitCalendar(zone="UTC", periods=())


@pytest.mark.parametrize("month", [0, 13])
def test_a_calendar_made_in_code_needs_a_real_month_too(month: int) -> None:
    with pytest.raises(CalendarRefusedError, match="1 to 12"):
        MonthsCalendar(zone="UTC", start_month=month)
    with pytest.raises(CalendarRefusedError, match="1 to 12"):
        WeeksCalendar(zone="UTC", weekday="SAT", month=month, rule="last", pattern="4-4-5")


def test_calendar_quarters_in_utc_are_in_force_until_one_is_adopted() -> None:
    nothing_adopted = CalendarHistory()

    quarter = nothing_adopted.quarter_of(datetime(2025, 12, 31, 23, 59, tzinfo=UTC))

    assert quarter == DEFAULT_CALENDAR.quarter_named("FY2025Q4")
    assert nothing_adopted.quarter_on(date(2026, 1, 1)).name == "FY2026Q1"
    assert nothing_adopted.quarter_named("FY2026Q1").start == date(2026, 1, 1)


def test_a_calendar_is_in_force_from_its_own_local_midnight() -> None:
    history = CalendarHistory().with_adopted(FROM_FEBRUARY, effective_from=date(2025, 2, 1))

    last_before = datetime(2025, 2, 1, 4, 59, 59, tzinfo=UTC)
    first_under = datetime(2025, 2, 1, 5, 0, tzinfo=UTC)

    assert history.quarter_of(last_before).name == "FY2025Q1"
    assert history.quarter_of(first_under).name == "FY2026Q1"
    assert history.quarter_on(date(2025, 1, 31)).name == "FY2025Q1"
    assert history.quarter_on(date(2025, 2, 1)).name == "FY2026Q1"


def test_a_quarter_cut_short_by_a_change_keeps_its_planned_end() -> None:
    history = CalendarHistory().with_adopted(FROM_FEBRUARY, effective_from=date(2025, 2, 1))

    cut_short = history.quarter_on(date(2025, 1, 15))

    assert (cut_short.name, cut_short.end) == ("FY2025Q1", date(2025, 3, 31))


def test_order_of_adoption_matters_only_on_the_same_day() -> None:
    early, late = date(2024, 1, 1), date(2025, 1, 1)
    july = MonthsCalendar(zone="UTC", start_month=7)

    forward = CalendarHistory().with_adopted(FROM_FEBRUARY, effective_from=early)
    forward = forward.with_adopted(july, effective_from=late)
    backward = CalendarHistory().with_adopted(july, effective_from=late)
    backward = backward.with_adopted(FROM_FEBRUARY, effective_from=early)
    corrected = forward.with_adopted(DEFAULT_CALENDAR, effective_from=late)

    assert forward == backward
    assert forward.calendar_on(date(2024, 12, 31)) == FROM_FEBRUARY
    assert forward.calendar_on(late) == july
    assert forward.calendar_at(datetime(2024, 12, 31, 23, 59, tzinfo=UTC)) == FROM_FEBRUARY
    assert forward.calendar_at(datetime(2025, 1, 1, tzinfo=UTC)) == july
    assert corrected.calendar_on(late) == DEFAULT_CALENDAR


def test_a_name_means_the_quarter_of_the_calendar_then_in_force() -> None:
    history = CalendarHistory().with_adopted(FROM_FEBRUARY, effective_from=date(2025, 2, 1))

    assert history.quarter_named("FY2024Q3").start == date(2024, 7, 1)
    assert history.quarter_named("FY2026Q1").start == date(2025, 2, 1)
    assert history.quarter_named("FY2025Q1").start == date(2025, 1, 1)
    # Under the old calendar it never began, under the new one it was over before.
    with pytest.raises(OutsideCalendarError, match="FY2025Q2"):
        history.quarter_named("FY2025Q2")


def test_a_listed_calendar_that_lacks_a_name_leaves_it_to_the_one_before() -> None:
    listed = ExplicitCalendar(
        zone="UTC", periods=(Period("FY2025Q2", date(2025, 4, 1), date(2025, 6, 30)),)
    )
    history = CalendarHistory().with_adopted(listed, effective_from=date(2025, 4, 1))

    assert history.quarter_named("FY2025Q1").start == date(2025, 1, 1)
    assert history.quarter_named("FY2025Q2").start == date(2025, 4, 1)
    with pytest.raises(OutsideCalendarError):
        history.quarter_of(datetime(2025, 7, 1, tzinfo=UTC))
