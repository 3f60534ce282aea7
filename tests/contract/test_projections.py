"""Live equals replayed, in whatever batches, and the views equal what the questions answer.

Holds `docs/guarantees.md`: projections can be made again; as-of questions use the same folds.
"""

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from api import worker
from api.bootstrap import Ledger, build_ledger
from api.looks import health_json, looks_at
from api.moment import moment
from domain.replay import view
from projections.spans.fold import fold
from tests.support.ledgers import NOW, import_lines, ledger_on
from tests.support.projected import forget, late_lines, snapshot
from tests.support.thirty import Line, thirty_lines


def chunks(lines: Sequence[Line], sizes: Callable[[], int]) -> list[list[Line]]:
    found, rest = [], list(lines)
    while rest:
        size = sizes()
        found.append(rest[:size])
        rest = rest[size:]
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_live_equals_replayed(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    lines = thirty_lines()
    with ledger_on(database) as ledger:
        for chunk in chunks(lines, lambda: chance.randint(5, 40)):
            import_lines(ledger, tmp_path, chunk)
        for line in late_lines():
            import_lines(ledger, tmp_path, [line])
        live = snapshot(ledger)

        for batch in (10_000, 7):
            forget(ledger)
            monkeypatch.setattr(worker, "BATCH_EVENTS", batch)
            ledger.worker.catch_up()
            assert snapshot(ledger) == live


def test_the_figures_of_many_deals_equal_those_folded_from_the_streams(
    database: str, tmp_path: Path
) -> None:
    with ledger_on(database) as ledger:
        import_lines(ledger, tmp_path, [*thirty_lines(), *late_lines()])
        now = moment(ledger.store, as_of=None, effective_at=None, now=NOW)
        known = ledger.context.known(now.position)
        with ledger.store.connection() as connection:
            deals = [r[0] for r in connection.execute("SELECT DISTINCT deal_id FROM spans")]
            looks = looks_at(connection, known, now, deals, ledger.places.reading(None))
        assert len(deals) > 25
        for deal_id in deals:
            seen = ledger.questions.seen(deal_id, now)
            review: dict[str, Any] = ledger.questions.review(seen)
            flags, state = review["health"]["flags"], fold(seen.events)
            assert state
            health = health_json(state, looks[deal_id], known, now)
            told = {f["flag"]: f["holds"] for f in flags if f["flag"] != "age_in_stage"}
            assert (health is None) == (not told)
            if health:
                assert health["holds"] == [name for name, holds in told.items() if holds]
            assert looks[deal_id].progress.items() <= ledger.questions.progress(seen).items()
            verdicts = [one.verdict for one in ledger.questions.judged(seen)]
            assert looks[deal_id].verdicts == {
                "shaped": verdicts.count("pressure_shaped"),
                "consistent": verdicts.count("pressure_consistent"),
                "evaluable": len(verdicts) - verdicts.count("not_evaluable"),
            }


def test_a_question_about_a_position_equals_the_live_answer_of_then(
    database: str, tmp_path: Path
) -> None:
    with ledger_on(database) as ledger:
        import_lines(ledger, tmp_path, thirty_lines())
        deal = UUID(ledger.store.stream_ids_of("D1")[0].partition(":")[2])
        then = ledger.store.head().position
        before = asked(ledger, deal, f"position:{then}")
        for line in late_lines():
            import_lines(ledger, tmp_path, [line])

        assert asked(ledger, deal, f"position:{then}") == before
        assert asked(ledger, deal, None) != before


def asked(ledger: Ledger, deal: UUID, as_of: str | None) -> tuple[Any, ...]:
    at = "2025-06-01T00:00:00Z"
    when = moment(ledger.store, as_of=as_of, effective_at=at, now=NOW)
    seen = ledger.questions.seen(deal, when)
    return (
        ledger.questions.progress(seen),
        ledger.questions.pressure(seen),
        ledger.questions.history(seen),
        ledger.questions.commitments(seen),
        ledger.questions.review(seen),
    )


def test_two_workers_take_turns(database: str, tmp_path: Path) -> None:
    with ledger_on(database) as ledger:
        import_lines(ledger, tmp_path, thirty_lines())
        live = snapshot(ledger)
        forget(ledger)
        others = [build_ledger(ledger.store, ledger.projecting).worker for _ in range(2)]
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda one: one.catch_up(), others))

        assert snapshot(ledger) == live


def test_what_is_effective_is_what_had_happened(database: str, tmp_path: Path) -> None:
    with ledger_on(database) as ledger:
        import_lines(ledger, tmp_path, thirty_lines())
        deal = UUID(ledger.store.stream_ids_of("D1")[0].partition(":")[2])
        when = moment(ledger.store, as_of=None, effective_at="2025-02-01T00:00:00Z", now=NOW)

        seen = ledger.questions.seen(deal, when)

        assert list(seen.events) == view(seen.stream, effective_at=instant())
        assert ledger.questions.progress(seen)["stage_path"] == ["s1", "s2"]


def instant() -> datetime:
    return datetime.fromisoformat("2025-02-01T00:00:00+00:00")
