"""What validation folds in memory is what a ledger says of the same history."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from api.bootstrap import Ledger
from api.moment import moment
from api.sample.history import Setting, history
from api.sample.journal import Json
from api.sample.profiles import PROFILES
from api.validation.cases import END
from api.validation.folded import FoldedHistory
from api.validation.patterns import found_in
from api.validation.scores import PATTERNS
from domain.replay import view
from projections.attainment.projection import ledger as booked
from projections.pressure.around import explain
from projections.pressure.context import KnownContext
from projections.pressure.derive import derive_acts
from projections.pressure.fold import Judged, fold
from tests.support.ledgers import SCHEMA, import_lines, ledger_on
from tests.support.postgres import PostgresServer
from tests.support.pressure import base_rates

SETTING = Setting(
    PROFILES["gaming"], quarters=2, reps=2, unrecorded=0.1, backdated=0.1, split=0.2, revised=0.5
)


@pytest.fixture(scope="module")
def lines() -> list[Json]:
    return list(history(SETTING, now=END, seed=1))


@pytest.fixture(scope="module")
def ledger(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory, lines: list[Json]
) -> Iterator[Ledger]:
    folder = tmp_path_factory.mktemp("told")
    with postgres_server.ledger(SCHEMA) as database, ledger_on(database) as ledger:
        report = import_lines(ledger, folder, lines, founding=True)
        assert (report.rejects, report.events_made) == ((), len(lines))
        yield ledger


def told(judged: Iterable[Judged]) -> Iterator[tuple[object, ...]]:
    """Give all that a judgement rests on, but for the ids, which are the ledger's own."""
    for one in judged:
        yield (
            one.event.rep,
            one.kind,
            one.action_time,
            one.cause.kind,
            one.verdict,
            one.rules,
            one.levels,
            one.standing and one.standing.pressure,
            one.pivotality,
        )


def test_judgements_in_memory_are_those_of_the_ledger(ledger: Ledger, lines: list[Json]) -> None:
    head = ledger.store.head().position
    known = ledger.context.known(head)
    stored: Counter[tuple[object, ...]] = Counter()
    with ledger.store.connection() as connection:
        context = KnownContext(connection, known=known, as_of=head, at=END, ledger=booked)
        for stream, events in ledger.store.by_prefix("deal:", upto=head).items():
            seen = view(events)
            deal_id = UUID(stream.partition(":")[2])
            stored.update(told(fold(deal_id, seen, known.processes(seen), context)))

    folded: Counter[tuple[object, ...]] = Counter()
    for deal in FoldedHistory(lines).deals():
        folded.update(told(deal.judged))

    assert folded == stored
    verdicts = {line[4] for line in stored}
    assert verdicts >= {"pressure_shaped", "pressure_consistent", "not_pressure_shaped"}


def test_a_ledger_tells_of_a_judgement_how_often_events_like_it_have_no_customer_cause(
    ledger: Ledger,
) -> None:
    head = ledger.store.head().position
    known = ledger.context.known(head)
    views = {
        UUID(stream.partition(":")[2]): view(events)
        for stream, events in ledger.store.by_prefix("deal:", upto=head).items()
    }
    acts = [(key, act) for key, seen in views.items() for act in derive_acts(seen, known)]
    expected = base_rates(acts)

    with ledger.store.connection() as connection:
        context = KnownContext(connection, known=known, as_of=head, at=END, ledger=booked)
        explained = [
            one
            for key, seen in views.items()
            for one in explain(fold(key, seen, known.processes(seen), context), context)
        ]

    assert len(explained) == len(acts)
    for one in explained:
        judged = one.judged
        scope = judged.levels.scope if judged.levels else None
        assert one.base_rate == expected.at(judged.question, judged.kind, known.policy, scope)
    assert {one.base_rate.of for one in explained} > {0}


def test_patterns_in_memory_are_those_of_the_ledger(ledger: Ledger, lines: list[Json]) -> None:
    stored: Counter[tuple[object, ...]] = Counter()
    ticked: set[str] = set()
    when = moment(ledger.store, as_of=None, effective_at=None, now=END)
    for stream in ledger.store.by_prefix("deal:", upto=when.position):
        seen = ledger.questions.seen(UUID(stream.partition(":")[2]), when)
        answer: Any = ledger.questions.pressure(seen)
        for found in answer["patterns"]:
            if found["name"] == "tick_burst":
                ticked |= set(found["facts"][0]["evidence"] if found["holds"] else ())
            elif found["name"] != "approval_splitting" or found["holds"]:
                stored[found["name"], found["holds"]] += 1
    stored["tick_burst", True] = len(ticked)

    history_read = FoldedHistory(lines)
    deals = list(history_read.deals())
    folded = Counter(
        (name, holds)
        for name, _, holds, _ in found_in(deals, history_read.known, when.effective_at)
        if holds or name not in {"tick_burst", "approval_splitting"}
    )

    assert folded == stored
    # The early wins of so short a history are those of its last day: nobody can say of them yet.
    assert {name for name, holds in stored if holds} == set(PATTERNS) - {"win_reversed"}


def test_imported_deals_join_a_ledger_that_has_its_history(database: str, tmp_path: Path) -> None:
    setting = Setting(PROFILES["gaming"], quarters=1, reps=2, imported=0.3)
    told_first, told_later = list[Json](), list[Json]()
    for line in history(setting, now=END, seed=1):
        (told_first if "recorded_at" in line else told_later).append(line)

    with ledger_on(database) as ledger:
        founding = import_lines(ledger, tmp_path, told_first, founding=True)
        ordinary = import_lines(ledger, tmp_path, told_later)

    assert (founding.rejects, founding.events_made) == ((), len(told_first))
    assert (ordinary.rejects, ordinary.events_made) == ((), len(told_later))
    assert told_later
