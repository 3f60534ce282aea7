"""Days and quarters around the instants at which another fiscal calendar comes into force."""

from datetime import UTC, date, datetime, timedelta
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from api.query.fiscal import Stretch, stretches, with_days_left
from domain.calendars import CalendarHistory, calendar_from
from domain.fiscal import FiscalCalendar, days_left
from tests.support.calendars import HISTORIES, INSTANTS

HOURS: Final = st.integers(-26, 26)
_DAY: Final = timedelta(days=1)


def near(history: CalendarHistory, instant: datetime, hours: int) -> datetime:
    """Give an instant within hours of the last turn of a history; any, where it has none."""
    turns = [one.since for one in history.adopted]
    return turns[-1] + timedelta(hours=hours) if turns else instant


@given(history=HISTORIES, instant=INSTANTS, hours=HOURS)
def test_every_instant_lies_in_its_day_and_in_no_other(
    history: CalendarHistory, instant: datetime, hours: int
) -> None:
    for at in (instant, near(history, instant, hours)):
        day = history.day_of(at)
        for one in (day - _DAY, day, day + _DAY):
            begins, ends = history.first_instant_of(one), history.first_instant_of(one + _DAY)
            assert (begins <= at < ends) == (one == day)


def stretch_of(found: list[Stretch], at: datetime) -> Stretch:
    (one,) = (stretch for stretch in found if stretch.start <= at < stretch.end)
    return one


@given(history=HISTORIES, instant=INSTANTS, hours=HOURS, since=INSTANTS)
def test_every_instant_lies_in_the_stretch_of_its_quarter_and_zone(
    history: CalendarHistory, instant: datetime, hours: int, since: datetime
) -> None:
    ats = [at for at in (instant, near(history, instant, hours)) if at >= since]
    found = stretches(history, since, max([since, *ats]))
    for at in ats:
        stretch, quarter = stretch_of(found, at), history.quarter_at(at)
        assert stretch.quarter == quarter
        assert stretch.zone == history.calendar_at(at).zone
        if quarter:
            spans = with_days_left(found, ":", days_left(quarter, at))
            assert any(begins <= at < ends for begins, ends in spans)


def listed(zone: str, first: str, last: str) -> FiscalCalendar:
    periods = [{"name": "FY2025Q1", "start": first, "end": last}]
    return calendar_from(kind="explicit", zone=zone, parameters={"periods": periods})


def test_a_quarter_begins_at_its_first_instant_also_after_a_time_without_any() -> None:
    calendar = listed("UTC", "2025-01-10", "2025-04-01")
    history = CalendarHistory().with_adopted(calendar, effective_from=date(2024, 1, 1))
    since = datetime(2025, 1, 3, 10, tzinfo=UTC)

    before, quarter = stretches(history, since, datetime(2025, 2, 1, tzinfo=UTC))

    assert (before.quarter, before.end) == (None, datetime(2025, 1, 10, tzinfo=UTC))
    assert quarter.start == before.end


def test_a_time_without_a_quarter_has_the_zone_of_each_of_its_calendars() -> None:
    tokyo = listed("Asia/Tokyo", "2024-01-01", "2024-03-31")
    later = listed("America/New_York", "2026-01-01", "2026-03-31")
    history = CalendarHistory().with_adopted(tokyo, effective_from=date(2024, 1, 1))
    history = history.with_adopted(later, effective_from=date(2025, 2, 1))
    since, until = (datetime(2025, month, 1, tzinfo=UTC) for month in (1, 3))

    found = stretches(history, since, until)

    assert [(one.quarter, one.zone) for one in found] == [
        (None, "Asia/Tokyo"),
        (None, "America/New_York"),
    ]
    assert found[1].start == datetime(2025, 2, 1, 5, tzinfo=UTC)
