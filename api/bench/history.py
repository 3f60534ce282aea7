"""A generated history: one organisation's log, of any length, the same for the same seed."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from operator import itemgetter
from typing import Final, TypeAlias

from api.bench.company import Company
from api.bench.course import Course, event_id_of
from api.bench.working_time import DAY, QUARTERS, quarter_names, quarter_start, text_of

EVENTS: Final = 200_000
SEED: Final = 1
EVENTS_A_DEAL: Final = 40
COLUMNS: Final = (
    "position", "stream_id", "version", "event_id", "occurred_at", "recorded_at", "actor", "topic",
    "data", "ingested_at", "channel", "caller", "clock", "source_system",
)  # fmt: skip
"""What is written of each event; the other columns stay empty."""

_INGESTED: Final = "2026-02-01 00:00:00"
"""Told to this log after all of it had happened, by a founding import of another system."""
_CONSTANT: Final = f"\t{_INGESTED}\timport\tbench\tsource\tbench\n"
_Recorded: TypeAlias = tuple[int, str]
_SECOND: Final = itemgetter(0)


@dataclass(frozen=True, slots=True)
class History:
    """The first `events` of a log that has about `pace` of them after 12 quarters.

    Without a pace it is all 12. Of two histories of one seed and pace the shorter is the beginning
    of the longer.
    """

    events: int = EVENTS
    seed: int = SEED
    pace: int | None = None

    @property
    def deals(self) -> int:
        """About how many deals 12 quarters have."""
        return max(1, (self.pace or self.events) // EVENTS_A_DEAL)

    def lines(self) -> Iterator[str]:
        """Give the rows of the log as `COPY` takes them, in the order of their positions."""
        position = 0
        for day in self._days():
            for _, row in day:
                position += 1
                yield f"{position}\t{row}{_CONSTANT}"
                if position == self.events:
                    return

    def _days(self) -> Iterator[list[_Recorded]]:
        """Give what is recorded on each working day; memory holds the deals that are under way."""
        company = Company(self.seed, self.deals)
        days = quarter_start(quarter_names(QUARTERS + 1)[-1]) // DAY
        recorded = _by_day(_context(company))
        opened = 0
        for day in count():
            until = self.deals * (day + 1) // days
            for number in range(opened + 1, until + 1):
                share = (number - opened) / (until - opened + 1)
                opening = day * DAY + int(share * DAY)
                for row in Course(company, number, opened=opening).rows():
                    recorded.setdefault(row[0] // DAY, []).append(row)
            opened = until
            yield sorted(recorded.pop(day, ()), key=_SECOND)


def _context(company: Company) -> Iterator[_Recorded]:
    versions: dict[str, int] = {}
    for number, told in enumerate(company.told):
        version = versions[told.stream] = versions.get(told.stream, 0) + 1
        event_id = event_id_of(told.second, 0, number)
        when = text_of(told.second)
        row = f"{told.stream}\t{version}\t{event_id}\t{when}\t{when}\t{told.actor}\t{told.what}"
        yield told.second, row


def _by_day(rows: Iterator[_Recorded]) -> dict[int, list[_Recorded]]:
    days: dict[int, list[_Recorded]] = {}
    for row in rows:
        days.setdefault(row[0] // DAY, []).append(row)
    return days
