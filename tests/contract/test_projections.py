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
from api.moment import moment
from domain.replay import view
from projections.batch import get_docs
from projections.pressure.projection import summary
from projections.progress.answer import answer
from projections.progress.projection import PROGRESS
from tests.support.ledgers import NOW, import_lines, ledger_on
from tests.support.thirty import Line, thirty_lines, usd

TABLES = ("spans", "credits", "acts", "stays")


def late_lines() -> list[Line]:
    """Give lines that change what was said before: a late win, a quota revised, a calendar."""

    def line(stream: str, kind: str, when: str, data: dict[str, Any], **more: Any) -> Line:
        return {
            "stream": stream,
            "external_id": f"late/{kind}/{when}",
            "type": kind,
            "occurred_at": when,
            "actor": "ann",
            "data": data,
            **more,
        }

    return [
        line(
            "deal:B0",
            "deal_won",
            "2025-03-01T10:00:00Z",
            {"net": usd("90000"), "closed_on": "2025-03-01"},
        ),
        line(
            "quota:ann:FY2025Q1",
            "quota_revised",
            "2025-03-02T00:00:00Z",
            {"amount": usd("1200000")},
        ),
        line("deal:B1", "discount_offered", "2025-02-03T00:00:00Z", {"percent": "33"}),
        line("deal:D1", "win_reversed", "2025-04-20T00:00:00Z", {}),
        line(
            "deal:D1",
            "event_retracted",
            "2025-04-21T00:00:00Z",
            {"event_id": "deal:D1/85", "reason": "told twice"},
        ),
        line(
            "calendar",
            "calendar_adopted",
            "2025-01-01T00:00:00Z",
            {
                "zone": "America/New_York",
                "kind": "months",
                "parameters": {"start_month": 2},
                "effective_from": "2000-01-01",
            },
        ),
        line(
            "deal:B2",
            "deal_won",
            "2025-03-03T10:00:00Z",
            {"net": usd("10"), "closed_on": "2025-03-03"},
        ),
    ]


def snapshot(ledger: Ledger) -> dict[str, list[Any]]:
    """Give everything the projections hold, without the numbers of rows."""
    with ledger.store.connection() as connection:
        found: dict[str, list[Any]] = {}
        for table in TABLES:
            query = f"SELECT to_jsonb(t) - 'id' FROM {table} t"
            found[table] = sorted(str(row[0]) for row in connection.execute(query).fetchall())
        docs = connection.execute(
            "SELECT projection, deal_id, doc::text FROM deal_views ORDER BY 1, 2"
        ).fetchall()
        return {**found, "docs": docs}


def forget(ledger: Ledger) -> None:
    with ledger.store.connection() as connection:
        connection.execute("TRUNCATE projections, deal_views, spans, credits, acts, stays")


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


def test_the_stored_answers_equal_those_folded_from_the_streams(
    database: str, tmp_path: Path
) -> None:
    with ledger_on(database) as ledger:
        import_lines(ledger, tmp_path, [*thirty_lines(), *late_lines()])
        now = moment(ledger.store, as_of=None, effective_at=None, now=NOW)
        with ledger.store.connection() as connection:
            deals = [r[0] for r in connection.execute("SELECT DISTINCT deal_id FROM spans")]
            progress = get_docs(connection, "progress", deals)
            pressure = get_docs(connection, "pressure", deals)
        assert len(deals) > 25
        for deal_id in deals:
            seen = ledger.questions.seen(deal_id, now)
            stored = answer(PROGRESS.validate_json(progress[deal_id]), now.effective_at)
            folded = ledger.questions.progress(seen)
            assert stored.items() <= folded.items()
            assert summary(ledger.questions.judged(seen)[0]) == pressure[deal_id]


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
    )


def test_two_workers_take_turns(database: str, tmp_path: Path) -> None:
    with ledger_on(database) as ledger:
        import_lines(ledger, tmp_path, thirty_lines())
        live = snapshot(ledger)
        forget(ledger)
        others = [build_ledger(ledger.store).worker for _ in range(2)]
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
