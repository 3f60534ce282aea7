"""Cases of exports: the whole log in each format, held against its bare rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

from api.bench import product, references
from api.bench.grounds import Grounds
from api.bench.harness import ROUNDS_OF_LONG_ONES, Case, Goal, Sides, timed
from api.bench.ledger import connected
from api.exchange.exporting import EXPORTS


@contextmanager
def _export(grounds: Grounds, *, name: str) -> Iterator[Sides]:
    schema = grounds.shared_ledger()
    with (
        product.opened(grounds.dsn, schema=schema) as ledger,
        connected(grounds.dsn, schema=schema) as connection,
    ):
        bare = partial(references.read_log, connection, upto=grounds.events)
        yield Sides(
            timed(partial(product.export, ledger, name), units=grounds.events),
            timed(bare, units=grounds.events),
        )


CASES: Final = tuple(
    Case(
        name=f"export-{name}",
        what=f"the whole log written as {name}",
        against="the log read in order by COPY",
        unit="event",
        goal=Goal(of="rate"),
        prepare=partial(_export, name=name),
        rounds=ROUNDS_OF_LONG_ONES,
    )
    for name in EXPORTS
)
