"""Cases of queries of the log: a page of two filters, at the beginning and at the end."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

from api.bench import product
from api.bench.grounds import Grounds
from api.bench.harness import Case, Measure, Sides, at_most, ensure_same, timed
from api.bootstrap import Ledger
from api.lists_log import Page
from api.query.order import NO_BOUNDS, Bounds
from api.query.parser import parse
from api.query.question import LogQuestion

LIMIT: Final = 100
QUERIES: Final = (
    "type:discount_offered rep:rep-7",
    "type:discount_offered data.percent>=10",
    "stage:propose amount>60000",
    "owner:rep-11 days_left<14",
    "late:yes type:stage_entered",
    "backdated:yes type:deal_won",
    "team:team-3 quarter:FY2022Q2",
    "recorded>=2023-01-01 rep:rep-7",
    "amount<20000 -type:activity_ticked",
    "source:elsewhere stage:qualify",
)
"""Two filters each: of envelope, payload, what an event stands in, and both clocks.

Of some there are many, of some few, of some only early or only late ones, and of the last none.
"""
_TIMES: Final = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and after which event its last page begins."""

    question: LogQuestion
    last: Bounds


@contextmanager
def _first_page(grounds: Grounds) -> Iterator[Sides]:
    with _asking(grounds) as (ledger, asked):
        places = [number * grounds.events // len(asked) for number in range(len(asked))]
        yield Sides(
            _measured([partial(_page, ledger, one.question) for one in asked]),
            _measured([partial(_by_position, ledger, place) for place in places]),
        )


@contextmanager
def _last_page(grounds: Grounds) -> Iterator[Sides]:
    with _asking(grounds) as (ledger, asked):
        yield Sides(
            _measured([partial(_page, ledger, one.question, one.last) for one in asked]),
            _measured([partial(_page, ledger, one.question) for one in asked]),
        )


@contextmanager
def _asking(grounds: Grounds) -> Iterator[tuple[Ledger, Sequence[Asked]]]:
    """Give a ledger with what its events stand in, and what is asked of it."""
    schema = grounds.shared_ledger()
    if (made := f"{schema}/contexts") not in grounds.told:
        grounds.told.add(made)
        product.bring_up(grounds.dsn, "contexts", schema=schema)
    with product.opened(grounds.dsn, schema=schema) as ledger:
        yield ledger, [asked_of(ledger, query) for query in QUERIES]


def asked_of(ledger: Ledger, query: str) -> Asked:
    """Give a question, and where its last page begins, which both ways through it agree on."""
    now = product.now_of(ledger)
    question = LogQuestion(query=parse(query), moment=now)
    backwards = LogQuestion(query=parse(query), moment=now, sort="-position")
    end = ledger.log.page(backwards, limit=LIMIT)
    last = NO_BOUNDS if end.last is None else Bounds(after=end.last - 1)
    there = _page(ledger, question, last).events
    ensure_same((e.position for e in there), (e.position for e in end.events))
    return Asked(question, last)


def _page(ledger: Ledger, question: LogQuestion, bounds: Bounds = NO_BOUNDS) -> Page:
    return ledger.log.page(question, limit=LIMIT, bounds=bounds)


def _by_position(ledger: Ledger, place: int) -> object:
    return ledger.store.events_at(place + 1, place + LIMIT)


def _measured(asks: Sequence[Callable[[], object]]) -> Measure:
    """Measure questions in turn, several times, since each is short."""

    def ask() -> None:
        for _ in range(_TIMES):
            for one in asks:
                one()

    return timed(ask, units=_TIMES * len(asks))


CASES: Final = (
    Case(
        name="audit-page",
        what="the first page of queries with two filters",
        against="as many events of the log by their positions",
        unit="page",
        goal=at_most(10),
        prepare=_first_page,
    ),
    Case(
        name="audit-last-page",
        what="the last page of queries with two filters",
        against="their first page",
        unit="page",
        goal=at_most(1.2),
        prepare=_last_page,
    ),
)
