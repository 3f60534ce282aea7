"""Local days begin at the midnights of the calendar that is in force."""

from datetime import UTC, date, datetime, timedelta

from domain.calendars import CalendarHistory
from domain.fiscal import MonthsCalendar
from projections.spans.days import Days, days_between, zones
from tests.support.told import at


def calendars(*adopted: tuple[str, str]) -> CalendarHistory:
    history = CalendarHistory()
    for zone, since in adopted:
        calendar = MonthsCalendar(zone=zone, start_month=1)
        history = history.with_adopted(calendar, effective_from=date.fromisoformat(since))
    return history


def starts(days: Days) -> list[tuple[str, str, str]]:
    return [
        (day.isoformat(), zone, f"{start:%m-%d %H:%M}")
        for (day, zone), start in zip(days.days, days.starts, strict=True)
    ]


def test_a_day_begins_at_its_local_midnight_also_where_clocks_are_put_forward() -> None:
    berlin = calendars(("Europe/Berlin", "2000-01-01"))

    days = days_between(berlin, at("2025-03-29T12:00:00Z"), at("2025-03-31T12:00:00Z"))

    assert starts(days) == [
        ("2025-03-29", "Europe/Berlin", "03-28 23:00"),
        ("2025-03-30", "Europe/Berlin", "03-29 23:00"),
        ("2025-03-31", "Europe/Berlin", "03-30 22:00"),
    ]
    assert days.end == at("2025-03-31T22:00:00Z")


def test_without_a_calendar_days_are_those_of_utc() -> None:
    days = days_between(CalendarHistory(), at("2025-03-29T00:00:00Z"), at("2025-03-29T23:59:59Z"))

    assert starts(days) == [("2025-03-29", "UTC", "03-29 00:00")]


def test_where_the_zone_changes_a_day_is_cut_short() -> None:
    moved = calendars(("Asia/Tokyo", "2000-01-01"), ("America/New_York", "2025-02-02"))

    days = days_between(moved, at("2025-02-01T00:00:00Z"), at("2025-02-03T00:00:00Z"))

    assert starts(days) == [
        ("2025-02-01", "Asia/Tokyo", "01-31 15:00"),
        ("2025-02-02", "Asia/Tokyo", "02-01 15:00"),
        ("2025-02-02", "America/New_York", "02-02 05:00"),
    ]
    assert days.of(at("2025-02-02T04:59:59Z")) == (date(2025, 2, 2), "Asia/Tokyo")
    assert days.of(at("2025-02-02T05:00:00Z")) == (date(2025, 2, 2), "America/New_York")


def test_two_calendars_of_one_zone_count_the_same_days() -> None:
    once = calendars(("Europe/Berlin", "2000-01-01"))
    twice = calendars(("Europe/Berlin", "2000-01-01"), ("Europe/Berlin", "2025-02-01"))

    assert zones(once) == zones(twice)
    assert [zone for _, zone in zones(once)] == ["UTC", "Europe/Berlin"]


def test_a_day_that_clocks_put_back_over_midnight_show_again_does_not_begin_again() -> None:
    # In St. John's, clocks were put back at a minute past midnight, to the day before.
    newfoundland = calendars(("America/St_Johns", "2000-01-01"))
    turned = datetime(2010, 11, 7, 2, 31, tzinfo=UTC)

    days = days_between(newfoundland, turned - timedelta(days=1), turned + timedelta(days=1))

    assert sorted(days.starts) == list(days.starts)
    assert days.of(turned + timedelta(minutes=5))[0] == date(2010, 11, 7)
