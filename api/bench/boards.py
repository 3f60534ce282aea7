"""The case of the board: all open deals judged and counted, against a list of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

from api.all_projections import projections
from api.bench import product, references
from api.bench.grounds import Grounds
from api.bench.harness import Case, Goal, Sides, ensure_same, timed
from api.bench.ledger import connected

CROWD: Final = 10
"""Of 200,000 events some 4,800 deals are open at the end, and not some hundred."""


@contextmanager
def _board(grounds: Grounds) -> Iterator[Sides]:
    schema = grounds.own_ledger(grounds.events, crowd=CROWD)
    for projection in projections():
        product.bring_up(grounds.dsn, projection.name, schema=schema)
    with (
        product.opened(grounds.dsn, schema=schema) as ledger,
        connected(grounds.dsn, schema=schema) as connection,
    ):
        ledger.audit.catch_up()
        references.make_history(connection)
        references.make_snapshot(connection, position=grounds.events)
        theirs = partial(references.snapshot_list, connection, grounds.events)
        open_deals = [one["count"] for one in product.board(ledger) if one["closed"] is None]
        ensure_same([sum(open_deals)], [len(theirs())])
        yield Sides(timed(partial(product.board, ledger)), timed(theirs))


CASES: Final = (
    Case(
        name="board",
        what="the board of thousands of open deals, each of them judged",
        against="a stored snapshot of the same open deals",
        unit="answer",
        goal=Goal(of="time"),
        prepare=_board,
    ),
)
