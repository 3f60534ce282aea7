"""Cases of time: answers as of any position, daily frames, differences, and the growing log."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Final

from api.bench import product, references
from api.bench.grounds import Grounds
from api.bench.harness import (
    ROUNDS_OF_LONG_ONES,
    Case,
    Measure,
    Sides,
    at_least,
    at_most,
    ensure_same,
    timed,
)
from api.bench.ledger import Connection, connected
from api.bench.working_time import CALENDAR
from domain.calendars import CalendarHistory
from domain.fiscal import FiscalQuarter
from projections.quarter.frames import Frame
from projections.spans.days import days_between

_PLACES: Final = (0.5, 0.61, 0.72, 0.83, 0.94)
"""Where in the log an answer is asked for; a round asks at each of them."""
_TIMES: Final = 4
_RECORDED: Final = "SELECT recorded_at FROM events WHERE position = %s"
_BEFORE: Final = timedelta(microseconds=1)
_LAST_BEFORE: Final = "SELECT max(position) FROM events WHERE recorded_at < %s"
_SHORT: Final = 10
"""The shorter history of the growing log is a tenth of the longer one."""


@contextmanager
def _totals(grounds: Grounds) -> Iterator[Sides]:
    with _spans(grounds) as connection:
        places = _places(grounds.events)
        ours = partial(product.totals, connection)
        theirs = partial(references.snapshot_totals, connection)
        for place in places:
            ensure_same(ours(place), theirs(place))
        yield Sides(_asking(ours, *places), _asking(theirs, *places))


@contextmanager
def _list(grounds: Grounds) -> Iterator[Sides]:
    with _spans(grounds) as connection:
        places = _places(grounds.events)
        ours = partial(product.open_deals, connection)
        theirs = partial(references.snapshot_list, connection)
        for place in places:
            ensure_same(((row.deal_id, *row.state) for row in ours(place)), theirs(place))
        yield Sides(_asking(ours, *places), _asking(theirs, *places))


@contextmanager
def _late_totals(grounds: Grounds) -> Iterator[Sides]:
    with _spans(grounds) as connection:
        late = _places(grounds.events)[-1]
        ours = partial(product.totals, connection)
        theirs = partial(references.history_totals, connection)
        ensure_same(ours(late), theirs(late))
        yield Sides(_asking(ours, late), timed(partial(theirs, late)))


@contextmanager
def _growing(grounds: Grounds) -> Iterator[Sides]:
    with ExitStack() as stack:
        short = grounds.events // _SHORT
        longer = stack.enter_context(_spans(grounds))
        shorter = stack.enter_context(_spans(grounds, short))
        places = _places(short)
        ours, before = (partial(product.totals, each) for each in (longer, shorter))
        for place in places:
            ensure_same(ours(place), before(place))
        yield Sides(_asking(ours, *places), _asking(before, *places))


@contextmanager
def _frames(grounds: Grounds, *, against_window: bool) -> Iterator[Sides]:
    with _spans(grounds) as connection:
        quarter, opening, closing = _late_quarter(connection, grounds.events)
        calendars = CalendarHistory().with_adopted(CALENDAR, effective_from=date.min)
        days = days_between(calendars, quarter.start_instant, quarter.end_instant - _BEFORE)
        ours = partial(product.daily_frames, connection, quarter, days, opening, closing)
        theirs = partial(references.history_frames, connection, quarter)
        ensure_same(_of_frames(ours()), _of_rows(theirs()))
        one = _asking(partial(product.pipeline, connection), opening)
        yield Sides(timed(ours), timed(theirs) if against_window else one)


@contextmanager
def _difference(grounds: Grounds, *, against_history: bool) -> Iterator[Sides]:
    with _spans(grounds) as connection:
        earlier, later = _places(grounds.events)[-2:]
        ours = partial(product.difference, connection, earlier, later)
        theirs = partial(references.history_difference, connection, earlier, later)
        ensure_same(ours(), (row[0] for row in theirs()))
        one = _asking(partial(product.open_deals, connection), later)
        yield Sides(timed(ours), timed(theirs) if against_history else one)


@contextmanager
def _rebuild(grounds: Grounds) -> Iterator[Sides]:
    schema = grounds.shared_ledger()
    with connected(grounds.dsn, schema=schema) as connection:

        def rebuild() -> float:
            return product.rebuild_spans(grounds.dsn, schema=schema, processes=1).seconds

        yield Sides(rebuild, timed(partial(references.read_log, connection, upto=grounds.events)))


@contextmanager
def _two_processes(grounds: Grounds) -> Iterator[Sides]:
    schema = grounds.shared_ledger()
    digests: set[str] = set()

    def rebuild(processes: int) -> float:
        made = product.rebuild_spans(grounds.dsn, schema=schema, processes=processes)
        digests.add(made.digest)
        ensure_same(digests, [made.digest])
        return made.seconds

    yield Sides(partial(rebuild, 2), partial(rebuild, 1))


@contextmanager
def _spans(grounds: Grounds, events: int | None = None) -> Iterator[Connection]:
    """Give a connection to a ledger with its spans, and with the plain tables of the same rows."""
    schema = grounds.shared_ledger(events)
    with connected(grounds.dsn, schema=schema) as connection:
        if schema not in grounds.told:
            grounds.told.add(schema)
            product.bring_up(grounds.dsn, product.SPANS, schema=schema)
            references.make_history(connection)
            for place in _places(grounds.events):
                references.make_snapshot(connection, position=place)
        yield connection


def _places(events: int) -> list[int]:
    return [int(events * place) for place in _PLACES]


def _asking(answer: Callable[[int], object], *places: int) -> Measure:
    """Measure an answer at each of these positions, several times, since it is short."""

    def ask() -> None:
        for place in places:
            for _ in range(_TIMES):
                answer(place)

    return timed(ask, units=len(places) * _TIMES)


def _late_quarter(connection: Connection, events: int) -> tuple[FiscalQuarter, int, int]:
    """Give the last whole quarter of a history, and the positions before and at its end."""
    (late,) = connection.execute(_RECORDED, (events,)).fetchall()
    quarter = CALENDAR.before(CALENDAR.quarter_of(late[0]))
    ends = [
        connection.execute(_LAST_BEFORE, (at,)).fetchall()[0][0]
        for at in (quarter.start_instant, quarter.end_instant)
    ]
    return quarter, ends[0], ends[1]


def _of_frames(frames: list[Frame]) -> Iterator[tuple[object, ...]]:
    for frame in frames:
        for row in frame.by_stage:
            yield frame.day, row.key, row.currency, row.deals, row.amount


def _of_rows(rows: list[references.Row]) -> Iterator[tuple[object, ...]]:
    """Give rows of days, stages and categories without the categories."""
    sums: dict[tuple[object, ...], list[Decimal]] = {}
    for day, stage, _, currency, deals, amount in rows:
        both = sums.setdefault((day, stage or None, currency), [Decimal(0), Decimal(0)])
        both[0] += deals
        both[1] += amount
    for key, (deals, amount) in sums.items():
        yield *key, deals, amount


_case = partial(Case, unit="answer")
CASES: Final = (
    _case(
        name="totals",
        what="totals by stage and owner as known at any position",
        against="a stored snapshot of the same rows",
        goal=at_most(2),
        prepare=_totals,
    ),
    _case(
        name="list",
        what="all open deals as known at any position",
        against="a stored snapshot of the same rows",
        goal=at_most(1.5),
        prepare=_list,
    ),
    _case(
        name="totals-history",
        what="totals by stage and owner as known late",
        against="DISTINCT ON over a table of all changes",
        goal=at_least(50),
        prepare=_late_totals,
    ),
    _case(
        name="totals-growing",
        what="totals by stage and owner as known early in a log",
        against="the same answer of a tenth of that log",
        goal=at_most(1.2),
        prepare=_growing,
    ),
    _case(
        name="frames-window",
        what="the pipeline at the end of each day of a quarter",
        against="a window query over a table of all changes",
        goal=at_least(300),
        prepare=partial(_frames, against_window=True),
    ),
    _case(
        name="frames",
        what="the pipeline at the end of each day of a quarter",
        against="the pipeline at one position",
        goal=at_most(5),
        prepare=partial(_frames, against_window=False),
    ),
    _case(
        name="difference-history",
        what="what is different at two positions, by deal",
        against="DISTINCT ON, twice, over a table of all changes",
        goal=at_least(25),
        prepare=partial(_difference, against_history=True),
    ),
    _case(
        name="difference",
        what="what is different at two positions, by deal",
        against="all open deals at one position",
        goal=at_most(4),
        prepare=partial(_difference, against_history=False),
    ),
    _case(
        name="rebuild",
        what="the spans made anew from the log by one process",
        against="the log read in order by COPY",
        goal=at_least(0.3),
        prepare=_rebuild,
        rounds=ROUNDS_OF_LONG_ONES,
    ),
    _case(
        name="rebuild-two",
        what="the spans made anew from the log by two processes",
        against="by one process, with the same rows",
        goal=at_least(1.4),
        prepare=_two_processes,
        rounds=ROUNDS_OF_LONG_ONES,
    ),
)
