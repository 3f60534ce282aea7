"""What the product does, one function for each operation that a case measures."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter
from typing import Any, Final, TypeAlias
from uuid import UUID

from api.all_projections import projections
from api.bench.ledger import Connection
from api.board import Board
from api.bootstrap import Ledger, ledger_at
from api.exports import Export, Tally
from api.moment import Moment
from api.people import People
from api.query.question import LogQuestion
from api.rebuild import drop_previous, rebuild
from api.storage.log_reader import LogReader
from api.storage.roles import Addresses
from domain.fiscal import FiscalQuarter
from projections.attainment.projection import ledger as bookings
from projections.pressure.context import KnownContext
from projections.pressure.verdicts import verdicts
from projections.quarter.frames import Frame, Slice, frames
from projections.spans import read
from projections.spans.days import Days

SPANS: Final = "spans"
_READ_AT_ONCE: Final = 10_000
_EMPTY_LOG_AT: Final = datetime(1970, 1, 1, tzinfo=UTC)
Total: TypeAlias = tuple[str | None, str | None, str | None, int, Any]
_PIPELINE: Final[tuple[read.Kind, ...]] = ("stage", "forecast_category", "currency")


@dataclass(frozen=True, slots=True)
class RebuiltSpans:
    """How long a rebuild took until its rows could be read, and the digest of these."""

    seconds: float
    digest: str


@contextmanager
def opened(dsn: str, *, schema: str) -> Iterator[Ledger]:
    """Open a ledger as the server does; whoever appends starts its store first."""
    with ledger_at(Addresses.shared(dsn), schema=schema) as ledger:
        yield ledger


def bring_up(dsn: str, name: str, *, schema: str) -> None:
    """Make the rows of a projection that has none, in the fastest way there is."""
    with LogReader(dsn, schema=schema).closing() as store:
        rebuild(store, name, projections)
        drop_previous(store, name, projections)


def rebuild_spans(dsn: str, *, schema: str, processes: int) -> RebuiltSpans:
    """Make the spans beside the live ones and give them up again."""
    start, ready = perf_counter(), 0.0

    def told(phase: str, _done: int, _total: int) -> None:
        nonlocal ready
        if phase == "comparing":
            ready = perf_counter()

    with LogReader(dsn, schema=schema).closing() as store:
        made = rebuild(store, SPANS, projections, processes=processes, swap=False, told=told)
    return RebuiltSpans(ready - start, made.rebuilt)


def derive_verdicts(ledger: Ledger) -> int:
    """Make the facts of every seller event anew, and judge them all; give how many there are."""
    for name in ("attainment", "pressure"):
        rebuild(ledger.projecting, name, projections, processes=1)
        drop_previous(ledger.projecting, name, projections)
    head = ledger.store.head().position
    with ledger.store.connection() as connection:
        known = ledger.context.known(head)
        at = ledger.store.recorded_at_of(head) or _EMPTY_LOG_AT
        context = KnownContext(connection, known=known, as_of=head, at=at, ledger=bookings)
        return len(verdicts(context))


def now_of(ledger: Ledger) -> Moment:
    """Give the moment of the last event of a log, which lies in the past."""
    head = ledger.store.head()
    at = head.recorded_at or _EMPTY_LOG_AT
    return Moment(head.position, head.recorded_at, at, None)


def board(ledger: Ledger) -> list[Mapping[str, Any]]:
    """Give the columns of the board as its page shows them, as of the last event of a log."""
    shown = Board(ledger.store, ledger.context, People(ledger.store), ledger.places, ledger.access)
    answer: Any = shown.board(now_of(ledger))
    return list(answer["columns"])


def export(ledger: Ledger, name: str) -> int:
    """Write the whole log in a format, and give how many bytes that are."""
    everything = Export(format=name, question=LogQuestion(moment=now_of(ledger)))
    return sum(map(len, ledger.exports.written(everything, Tally(0))))


def read_whole_log(ledger: Ledger) -> int:
    """Read the log from its beginning and decode every event; give how many there are."""
    head = ledger.store.head().position
    starts = range(1, head + 1, _READ_AT_ONCE)
    return sum(
        len(ledger.store.events_at(first, min(head, first + _READ_AT_ONCE - 1))) for first in starts
    )


def totals(connection: Connection, position: int) -> list[Total]:
    """Give (stage, owner, currency, deals, amount) of the open deals as known at a position."""
    found = read.totals(connection, read.known_at(position), by=("stage", "owner", "currency"))
    return [(one.stage, one.owner, one.currency, one.deals, one.amount) for one in found]


def open_deals(connection: Connection, position: int) -> list[read.Stood]:
    """Give the open deals as known at a position."""
    return read.stood(connection, read.open_deals(read.known_at(position)))


def difference(connection: Connection, earlier: int, later: int) -> list[UUID]:
    """Give the deals that read differently at two positions."""
    found = read.differences(connection, read.known_at(earlier), read.known_at(later))
    return [one.deal_id for one in found]


def pipeline(connection: Connection, position: int) -> list[read.Total]:
    """Give the open deals by stage and category, as one frame is made of."""
    return read.totals(connection, read.known_at(position), by=_PIPELINE)


def daily_frames(
    connection: Connection, quarter: FiscalQuarter, days: Days, opening: int, closing: int
) -> list[Frame]:
    """Give the pipeline at the end of each day of a quarter between two positions."""
    deltas = read.day_deltas(connection, read.known_at(closing), days)
    return frames(
        [_slice(one) for one in pipeline(connection, opening)],
        [(one.day, _slice(one)) for one in deltas],
        quarter=quarter,
    )


def _slice(one: read.Total | read.DayDelta) -> Slice:
    return Slice(one.stage, "", one.forecast_category, one.currency, one.deals, one.amount)
