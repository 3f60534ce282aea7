"""Draws what an organisation adopted of fiscal calendars, one after another, and instants."""

from datetime import UTC, date, datetime
from typing import Any, Final

from hypothesis import strategies as st

from domain.calendars import CalendarHistory, calendar_from

_ZONES: Final = ("Europe/Berlin", "America/New_York", "UTC", "Asia/Tokyo")
_KINDS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("months", {"start_month": 2}),
    ("months", {"start_month": 1}),
    ("weeks", {"weekday": "SAT", "month": 1, "rule": "last", "pattern": "4-4-5"}),
    (
        "explicit",
        {
            "periods": [
                {"name": "FY2025Q1", "start": "2025-01-10", "end": "2025-04-01"},
                {"name": "FY2025Q2", "start": "2025-04-02", "end": "2025-07-09"},
            ]
        },
    ),
)


def _history(adopted: list[tuple[str, tuple[str, dict[str, Any]], date]]) -> CalendarHistory:
    history = CalendarHistory()
    for zone, (kind, parameters), day in adopted:
        calendar = calendar_from(kind=kind, zone=zone, parameters=parameters)
        history = history.with_adopted(calendar, effective_from=day)
    return history


HISTORIES: Final = st.lists(
    st.tuples(
        st.sampled_from(_ZONES),
        st.sampled_from(_KINDS),
        st.dates(date(2024, 11, 1), date(2025, 12, 1)),
    ),
    max_size=3,
).map(_history)
INSTANTS: Final = st.datetimes(datetime(2024, 10, 1), datetime(2026, 3, 1), timezones=st.just(UTC))
