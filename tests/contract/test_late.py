"""What a quarter's answer lists as late is what the timelines of its deals say, one by one."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from api.answers import late_because
from api.bootstrap import Ledger
from api.corrected import correctors_of
from api.late import late_events
from api.moment import moment
from api.storage.migrate import shipped
from tests.support.audited import auditor
from tests.support.ledgers import NOW, SCHEMA, filling, import_lines, ledger_on
from tests.support.postgres import PostgresServer
from tests.support.projected import late_lines
from tests.support.thirty import Line, thirty_lines

START = datetime(2025, 1, 1, tzinfo=UTC)


def told_lines(seed: int) -> list[Line]:
    """Give notes of deals, told at once or days later, some of them corrected, all in order."""
    chance = random.Random(seed)
    lines: list[tuple[datetime, Line]] = []

    def line(name: str, kind: str, occurred: datetime, lag: timedelta, data: Any) -> None:
        stated = {"recorded_at": (occurred + lag).isoformat(), "occurred_at": occurred.isoformat()}
        about = {"stream": f"deal:{name[:2]}", "external_id": name, "type": kind, "actor": "ann"}
        lines.append((occurred + lag, {**about, **stated, "data": data}))

    for deal in ("X1", "X2", "X3"):
        opened = {"name": deal, "account": {"id": deal, "name": deal}, "owner": "ann"}
        line(f"{deal}/opened", "deal_opened", START, timedelta(), opened)
        for number in range(30):
            occurred = START + timedelta(days=chance.uniform(0, 200))
            lag = chance.choice([0.0, 0.05, 1, 30, 49, 400, 2000])
            name = f"{deal}/{number}"
            line(name, "note_added", occurred, timedelta(hours=lag), {"text": "met"})
            if chance.random() < 0.3:
                kind = chance.choice(["event_amended", "event_retracted"])
                data: dict[str, Any] = {"event_id": name, "reason": "told wrong"}
                data |= {"data": {"text": "did not meet"}} if kind == "event_amended" else {}
                later = occurred + timedelta(hours=lag + chance.uniform(1, 500))
                line(f"{name}/c", kind, later, timedelta(), data)
                if chance.random() < 0.3:
                    undo = {"event_id": f"{name}/c", "reason": "it was right"}
                    undone = later + timedelta(hours=5)
                    line(f"{name}/u", "event_retracted", undone, timedelta(), undo)
                    if number % 2:
                        again = {"event_id": f"{name}/u", "reason": "it was wrong after all"}
                        redone = undone + timedelta(hours=5)
                        line(f"{name}/r", "event_retracted", redone, timedelta(), again)
    return [line for _, line in sorted(lines, key=lambda pair: pair[0])]


def company() -> list[Line]:
    return told_lines(1)


founded = filling(company, founding=True)


@pytest.fixture
def corrected(postgres_server: PostgresServer) -> Iterator[str]:
    with postgres_server.ledger(SCHEMA, filled_by=founded) as dsn:
        yield dsn


@pytest.fixture
def ledger(corrected: str) -> Iterator[Ledger]:
    with ledger_on(corrected) as ledger:
        yield ledger


def by_timelines(ledger: Ledger, position: int, quarter: str, at: datetime) -> dict[str, Any]:
    when = moment(ledger.store, as_of=f"position:{position}", effective_at=None, now=NOW)
    found: dict[str, Any] = {}
    for stream in ledger.store.by_prefix("deal:", upto=position):
        seen = ledger.questions.seen(UUID(stream.partition(":")[2]), when)
        span = seen.known.calendar.quarter_named(quarter)
        for entry in seen.told.timeline():
            inside = span.start_instant <= entry.occurred_at < span.end_instant
            if inside and entry.occurred_at <= at and (because := late_because(entry, at)):
                found[str(entry.event_id)] = sorted(because)
    return found


def test_the_late_events_of_a_quarter_are_those_of_its_timelines(ledger: Ledger) -> None:
    chance = random.Random(3)
    head = ledger.store.head().position
    seen = 0
    for _ in range(25):
        position = chance.choice([head, chance.randint(1, head)])
        quarter = chance.choice(["FY2025Q1", "FY2025Q2"])
        at = START + timedelta(days=chance.uniform(0, 250))
        known = ledger.context.known(position)
        span = known.calendar.quarter_named(quarter)
        with ledger.store.connection() as connection:
            late = late_events(
                connection, span, as_of=position, at=at, late_hours=known.policy.late_hours
            )
        found: dict[str, Any] = {
            str(event["event_id"]): sorted(event["because"])  # type: ignore[call-overload]  # names
            for event in late.events
        }
        assert found == by_timelines(ledger, position, quarter, at)
        assert late.total == len(found)
        seen += len(found)
    assert seen > 20


def astray(ledger: Ledger) -> Line:
    """Give what another ledger exported: a deal's correction of an event of another deal."""
    told = {
        event.source.external_id: event
        for event in ledger.store.events_at(1, ledger.store.head().position)
        if event.source
    }
    about = {"event_id": str(told["X1/0"].event_id), "reason": "told of the wrong deal"}
    return {
        "position": 1,
        "stream": "deal:X2",
        "stream_id": told["X2/0"].stream_id,
        "external_id": "X2/astray",
        "event_id": str(UUID(int=told["X2/0"].event_id.int + 1)),
        "type": "event_retracted",
        "occurred_at": (START + timedelta(days=300)).isoformat(),
        "actor": "ann",
        "data": about,
    }


def test_every_way_of_asking_names_the_same_corrections(
    ledger: Ledger, corrected: str, tmp_path: Path
) -> None:
    assert import_lines(ledger, tmp_path, [astray(ledger)]).events_made == 1
    ledger.audit.catch_up()
    head = ledger.store.head().position
    events = ledger.store.events_at(1, head)
    with ledger.store.connection() as connection:
        named = {i: one.event_id for i, one in correctors_of(connection, events, upto=head).items()}
    with auditor(corrected) as session:
        told = session.execute(
            "SELECT event_id, corrected_by FROM events WHERE corrected_by IS NOT NULL"
        ).fetchall()
        (strayed,) = session.execute(
            "SELECT in_force FROM corrections WHERE reason = 'told of the wrong deal'"
        ).fetchall()

    assert {row["event_id"]: row["corrected_by"] for row in told} == named
    assert strayed == {"in_force": False}
    assert len(named) > 10


def test_rows_of_auditors_from_before_a_correction_was_judged_otherwise_are_told_anew(
    ledger: Ledger, corrected: str, tmp_path: Path
) -> None:
    import_lines(ledger, tmp_path, [astray(ledger)])
    ledger.audit.catch_up()
    (anew,) = [one for one in shipped() if one.name == "0036_audit_rows_anew.sql"]
    with psycopg.connect(corrected, autocommit=True) as owner:
        owner.execute(f"SET search_path = {SCHEMA}".encode())
        owner.execute("UPDATE audit_corrections SET in_force = true")
        owner.execute(anew.text.encode())

    ledger.audit.catch_up()

    with auditor(corrected) as session:
        (strayed,) = session.execute(
            "SELECT in_force FROM corrections WHERE reason = 'told of the wrong deal'"
        ).fetchall()
    assert strayed == {"in_force": False}


def test_an_import_that_does_not_say_when_its_source_was_told_makes_nothing_late(
    database: str, tmp_path: Path
) -> None:
    with ledger_on(database) as ledger:
        import_lines(ledger, tmp_path, [*thirty_lines(), *late_lines()])
        head = ledger.store.head().position
        span = ledger.context.known(head).calendar.quarter_named("FY2025Q1")
        with ledger.store.connection() as connection:
            late = late_events(connection, span, as_of=head, at=NOW, late_hours=48)

        assert all(event["because"] in (["retracted"], ["amended"]) for event in late.events)
