"""The fiscal quarters as rows, each for the instants at which its calendar is in force."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from api.audit.rows import Row
from domain.calendars import CalendarHistory

_A_DAY: Final = timedelta(days=1)
NEVER: Final = datetime.min.replace(tzinfo=UTC)
"""Before everything."""
_ALWAYS: Final = datetime.max.replace(tzinfo=UTC)


def quarters(calendar: CalendarHistory, first: datetime, last: datetime) -> Iterator[Row]:
    """Give the quarters from the one of an instant to that of another.

    No two of them share an instant: where another calendar comes into force within a quarter, the
    quarter keeps the days that it was planned with and loses the instants.
    """
    turns = [NEVER, _ALWAYS, *(one.since for one in calendar.adopted)]
    at = first
    while at <= last:
        quarter = calendar.quarter_at(at)
        turn = min(since for since in turns if since > at)
        if quarter is None:
            at = min(at + _A_DAY, turn)
            continue
        until = min(quarter.end_instant, turn)
        yield {
            "name": quarter.name,
            "fiscal_year": quarter.fiscal_year,
            "number": quarter.number,
            "first_day": quarter.start,
            "last_day": quarter.end,
            "zone": quarter.zone,
            "from_instant": max(quarter.start_instant, *(one for one in turns if one <= at)),
            "to_instant": until,
        }
        at = until
