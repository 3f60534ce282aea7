"""What validation folds in memory is what a ledger says of the same history."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.bootstrap import Ledger
from api.sample.history import Setting, history
from api.sample.journal import Json
from api.sample.profiles import PROFILES
from api.validation.cases import END
from api.validation.folded import FoldedHistory
from projections.attainment.projection import ledger as booked
from projections.pressure.context import KnownContext
from projections.pressure.verdicts import verdicts
from tests.support.ledgers import import_lines, ledger_on

SETTING = Setting(
    PROFILES["gaming"], quarters=2, reps=2, unrecorded=0.1, backdated=0.1, split=0.2, revised=0.5
)


@pytest.fixture(scope="module")
def lines() -> list[Json]:
    return list(history(SETTING, now=END, seed=1))


@pytest.fixture
def ledger(database: str, tmp_path: Path, lines: list[Json]) -> Iterator[Ledger]:
    with ledger_on(database) as ledger:
        report = import_lines(ledger, tmp_path, lines, founding=True)
        assert (report.rejects, report.events_made) == ((), len(lines))
        yield ledger


def test_verdicts_in_memory_are_those_of_the_ledger(ledger: Ledger, lines: list[Json]) -> None:
    head = ledger.store.head().position
    known = ledger.context.known(head)
    with ledger.store.connection() as connection:
        context = KnownContext(connection, known=known, as_of=head, ledger=booked)
        stored = Counter(
            (one.rep, one.kind, one.occurred_at, one.cause, one.verdict)
            for one in verdicts(context)
        )

    folded = Counter(
        (j.event.rep, j.kind, j.event.occurred_at, j.cause.kind, j.verdict)
        for deal in FoldedHistory(lines).deals()
        for j in deal.judged
    )

    assert folded == stored
    assert {verdict for *_, verdict in stored} >= {"pressure_shaped", "pressure_consistent"}
