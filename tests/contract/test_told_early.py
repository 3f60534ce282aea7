"""What was told before it occurred, or of a quarter that was over before anything else occurred."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from api.audit.page import questions
from api.bootstrap import Ledger
from api.moment import moment
from api.query.parser import parse
from api.query.question import LogQuestion
from tests.support.audited import auditor
from tests.support.ledgers import SCHEMA, Line, filling, import_lines, ledger_on
from tests.support.postgres import PostgresServer
from tests.support.thirty import usd

NOW: Final = datetime(2026, 11, 1, 12, tzinfo=UTC)
NET: Final = {"net": usd("10"), "closed_on": "2025-04-02"}
AMENDED: Final = {"event_id": "line 2", "reason": "Typed wrongly", "data": NET | {"net": usd("12")}}


def deal(name: str) -> dict[str, Any]:
    return {"name": name, "account": {"id": "a", "name": "A"}, "owner": "ann"}


def quota(quarter: str) -> dict[str, Any]:
    return {"rep": "ann", "quarter": quarter, "amount": usd("100")}


TOLD: Final[tuple[tuple[str, str, str, str, dict[str, Any]], ...]] = (
    # stream, type, occurred, recorded by the source
    ("deal:A", "deal_opened", "2025-02-10", "2025-02-01", deal("A")),
    ("deal:B", "deal_opened", "2025-02-10", "2024-03-20", deal("B")),
    ("deal:A", "deal_won", "2025-03-31", "2025-04-02", NET),
    ("deal:B", "deal_won", "2025-04-02", "2025-03-30", NET),
    ("deal:A", "event_amended", "2025-04-03", "2025-04-03", AMENDED),
    ("quota:ann:FY2024Q2", "quota_assigned", "2025-03-10", "2025-03-10", quota("FY2024Q2")),
    ("quota:ann:FY2024Q2", "quota_revised", "2025-03-11", "2025-03-11", {"amount": usd("90")}),
    ("quota:ann:FY2025Q2", "quota_assigned", "2025-03-10", "2025-03-10", quota("FY2025Q2")),
    ("quota:ann:FY2025Q2", "quota_withdrawn", "2025-04-10", "2025-04-10", {"reason": "Left"}),
    ("quota:ann:FY2025Q2", "quota_assigned", "2025-05-10", "2025-05-10", quota("FY2025Q2")),
    ("quota:bob:FY2025Q2", "quota_assigned", "2025-05-10", "2025-05-10", quota("FY2025Q2")),
)


def company() -> list[Line]:
    lines: list[Line] = []
    for number, (stream, kind, occurred, recorded, data) in enumerate(TOLD):
        who = {"rep": stream.split(":")[1]} if "rep" in data else {}
        line = {"stream": stream, "external_id": f"line {number}", "type": kind, "actor": "ann"}
        times = {"occurred_at": f"{occurred}T10:00:00Z", "recorded_at": f"{recorded}T10:00:00Z"}
        lines.append({**line, **times, "data": data | who})
    return lines


imported = filling(company)


@pytest.fixture(scope="module")
def database(postgres_server: PostgresServer) -> Iterator[str]:
    with postgres_server.ledger(SCHEMA, filled_by=imported) as database:
        yield database


@pytest.fixture(scope="module")
def ledger(database: str) -> Iterator[Ledger]:
    with ledger_on(database) as ledger:
        ledger.audit.catch_up()
        assert ledger.store.head().position == len(TOLD)
        yield ledger


def asked(database: str, query: str) -> list[dict[str, Any]]:
    with auditor(database) as session:
        return session.execute(query.encode()).fetchall()


def test_what_was_told_early_in_its_own_quarter_was_not_dated_back(
    ledger: Ledger, database: str
) -> None:
    now = moment(ledger.store, as_of=None, effective_at=None, now=NOW)
    found = {
        said: {
            event.event_id
            for event in ledger.log.page(
                LogQuestion(query=parse(f"type:deal_opened,deal_won backdated:{said}"), moment=now),
                limit=100,
            ).events
        }
        for said in ("yes", "no")
    }

    by_sql = asked(
        database,
        "SELECT event_id, quarter <> told_quarter AS apart FROM events"
        " WHERE type IN ('deal_opened', 'deal_won')",
    )

    assert {row["event_id"] for row in by_sql if row["apart"] is True} == found["yes"]
    assert {row["event_id"] for row in by_sql if row["apart"] is False} == found["no"]
    assert (len(found["yes"]), len(found["no"])) == (3, 1)


def test_a_first_event_that_was_told_by_a_clock_ahead_was_not_dated_back(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    times = {"occurred_at": "2025-02-10T10:02:00Z", "recorded_at": "2025-02-10T10:00:00Z"}
    (line, *_) = company()
    with postgres_server.ledger(SCHEMA) as empty, ledger_on(empty) as ledger:
        import_lines(ledger, tmp_path, [{**line, **times}])
        now = moment(ledger.store, as_of=None, effective_at=None, now=NOW)

        counts = ledger.log.counts(
            LogQuestion(query=parse("backdated:no"), moment=now), ["quarter"]
        )

    assert counts.groups == [{"quarter": "FY2025Q1", "count": 1}]


def test_a_win_that_was_told_before_its_quarter_was_not_recorded_after_it(
    ledger: Ledger, database: str
) -> None:
    assert ledger.store.head().position

    names = ("deal", "dated_in", "net", "corrected_how")
    found = [tuple(row[name] for name in names) for row in asked(database, questions()[1].sql)]

    assert found == [("A", "FY2025Q1", "12", "amended")]


def test_every_change_of_a_quota_after_its_quarter_had_begun_is_told(
    ledger: Ledger, database: str
) -> None:
    assert ledger.store.head().position

    names = ("quarter", "whose", "type", "after_its_end")
    found = [tuple(row[name] for name in names) for row in asked(database, questions()[4].sql)]

    assert found == [
        ("FY2024Q2", "ann", "quota_assigned", True),
        ("FY2024Q2", "ann", "quota_revised", True),
        ("FY2025Q2", "ann", "quota_withdrawn", False),
        ("FY2025Q2", "ann", "quota_assigned", False),
    ]
