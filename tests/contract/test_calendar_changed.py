"""A quarter in which another calendar came into force, as queries and SQL count it."""

from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

import pytest

from api.audit.page import questions
from api.bootstrap import Ledger
from api.moment import moment
from api.query.parser import parse
from api.query.question import LogQuestion
from tests.support.audited import auditor
from tests.support.ledgers import NOW, SCHEMA, Line, filling, ledger_on
from tests.support.postgres import PostgresServer

QUARTER: Final = "FY2026Q2"


def calendar(zone: str, effective_from: str) -> dict[str, Any]:
    months = {"kind": "months", "parameters": {"start_month": 1}}
    return {"zone": zone, **months, "effective_from": effective_from}


def usd(amount: str) -> dict[str, Any]:
    return {"amount": {"amount": amount, "currency": "USD"}}


def changed() -> list[Line]:
    """New York until 15 May and Berlin from then on; the quarter keeps its name."""
    opened = {"name": "A", "account": {"id": "a", "name": "A"}, "owner": "ann"}
    quota, assigned = f"quota:ann:{QUARTER}", {"rep": "ann", "quarter": QUARTER, **usd("100.00")}
    york, berlin = (
        calendar("America/New_York", "2024-01-01"),
        calendar("Europe/Berlin", "2026-05-15"),
    )
    told: list[tuple[str, str, str, str, dict[str, Any]]] = [
        ("2025-01-01T10", "2025-01-01T10", "calendar", "calendar_adopted", york),
        ("2026-03-20T10", "2026-03-20T10", quota, "quota_assigned", assigned),
        ("2026-03-21T10", "2026-03-21T10", "deal:A", "deal_opened", opened),
        ("2026-03-30T10", "2026-04-02T10", "deal:A", "note_added", {"text": "Said in March"}),
        ("2026-04-06T03", "2026-04-06T03", "deal:A", "note_added", {"text": "Sunday evening"}),
        ("2026-04-10T10", "2026-04-10T10", "calendar", "calendar_adopted", berlin),
        ("2026-05-15T00", "2026-05-15T00", "deal:A", "note_added", {"text": "The new day"}),
        ("2026-05-18T01", "2026-05-18T01", "deal:A", "note_added", {"text": "Monday morning"}),
        ("2026-05-12T10", "2026-05-20T10", "deal:A", "note_added", {"text": "Before the turn"}),
        ("2026-05-20T10", "2026-05-20T10", quota, "quota_revised", usd("90.00")),
    ]
    return [
        {
            "stream": stream,
            "external_id": f"line {number}",
            "type": kind,
            "occurred_at": f"{occurred}:00:00Z",
            "recorded_at": f"{recorded}:00:00Z",
            "actor": "ann",
            "data": data,
        }
        for number, (occurred, recorded, stream, kind, data) in enumerate(told)
    ]


founded = filling(changed, founding=True)


@pytest.fixture(scope="module")
def database(postgres_server: PostgresServer) -> Iterator[str]:
    with postgres_server.ledger(SCHEMA, filled_by=founded) as database:
        yield database


@pytest.fixture(scope="module")
def ledger(database: str) -> Iterator[Ledger]:
    with ledger_on(database) as ledger:
        ledger.audit.catch_up()
        yield ledger


def answers(database: str, number: int) -> list[dict[str, Any]]:
    with auditor(database) as session:
        return session.execute(questions()[number - 1].sql.encode()).fetchall()


def test_a_week_is_that_of_the_local_day_by_the_calendar_of_its_time(ledger: Ledger) -> None:
    now = moment(ledger.store, as_of=None, effective_at=None, now=NOW)

    counts = ledger.log.counts(LogQuestion(moment=now), ["week"])

    weeks = {group["week"]: group["count"] for group in counts.groups}
    sundays = {"2026-W14": 2, "2026-W15": 1}
    assert weeks == {"2025-W01": 1, "2026-W12": 2, "2026-W20": 2, "2026-W21": 2} | sundays


def texts(ledger: Ledger, query: str) -> list[object]:
    """Give what the notes say that a query holds for."""
    now = moment(ledger.store, as_of=None, effective_at=None, now=NOW)
    question = LogQuestion(query=parse(f"type:note_added {query}"), moment=now)
    events = ledger.log.page(question, limit=100).events
    return [event.data.model_dump()["text"] for event in events]


def test_the_day_on_which_a_calendar_comes_into_force_is_one_day(ledger: Ledger) -> None:
    assert texts(ledger, "occurred:2026-05-14") == []
    assert texts(ledger, "occurred:2026-05-15") == ["The new day"]
    assert texts(ledger, "occurred:2026-05-14..2026-05-16") == ["The new day"]


def test_what_was_told_within_one_quarter_was_not_dated_back(ledger: Ledger) -> None:
    assert texts(ledger, "backdated:yes") == ["Said in March"]
    assert texts(ledger, "late:yes") == ["Said in March", "Before the turn"]
    now = moment(ledger.store, as_of=None, effective_at=None, now=NOW)
    (deal,) = ledger.store.by_prefix("deal:", upto=now.position)
    timeline = ledger.questions.seen(UUID(deal.partition(":")[2]), now).told.timeline()
    assert [one.position for one in timeline if one.backdated] == [4]


def test_a_changed_quota_is_told_once_by_its_quarter(ledger: Ledger, database: str) -> None:
    assert ledger.store.head().position == len(changed())

    found = [(row["type"], row["quarter"], row["after_its_end"]) for row in answers(database, 5)]

    assert found == [("quota_revised", QUARTER, False)]


def test_only_what_was_told_after_its_quarter_was_dated_back(ledger: Ledger, database: str) -> None:
    assert ledger.store.head().position == len(changed())

    found = [(row["dated_in"], row["type"], row["events"]) for row in answers(database, 9)]

    assert found == [("FY2026Q1", "note_added", 1)]
