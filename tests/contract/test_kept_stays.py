"""Stays that are kept in memory are those that the stored facts tell of at every position."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import IsolationLevel

from api.storage.connections import conninfo
from domain.replay import Event
from projections.batch import DEAL_PREFIX
from projections.facts import Rows
from projections.pressure.context import STAYS
from projections.pressure.kept_stays import KeptStays, Stage
from projections.pressure.projection import pressure_projection
from projections.pressure.stays import StaysIn
from tests.support.many_deals import DEALS, LOGS, NUMBERS, Log, Telling, log_of
from tests.support.postgres import PostgresServer

Chance = random.Random
CHANCES = st.randoms(use_true_random=False)
SCHEMA = "dealtrail"
OPENED: dict[str, object] = {
    "name": "Fleet",
    "account": {"id": "a", "name": "A"},
    "owner": "ann",
}
ENTERED = Telling(f"{DEAL_PREFIX}{DEALS[0]}", "stage_entered", {"stage": "qualify"})
Told = list[tuple[int, int, int]]


@pytest.fixture(scope="module")
def rows(postgres_server: PostgresServer) -> Iterator[Rows]:
    """A connection to an empty ledger."""
    with (
        postgres_server.ledger(SCHEMA) as dsn,
        psycopg.connect(conninfo(dsn, schema=SCHEMA), autocommit=True) as connection,
    ):
        yield connection


def keep_events(rows: Rows, log: Log) -> None:
    """Store which deals are told of where, and of what."""
    columns = "position, stream_id, version, event_id, topic, occurred_at, recorded_at"
    copied = f"COPY events ({columns}, ingested_at, actor, channel, caller, clock, data) FROM STDIN"
    with rows.cursor() as cursor, cursor.copy(copied.encode()) as copy:
        for event in log.events:
            at = (event.data.TOPIC, event.occurred_at, event.recorded_at, event.recorded_at)
            place = (event.position, event.stream_id, event.position, event.event_id)
            copy.write_row((*place, *at, event.actor, "api", event.actor, "server", "{}"))


def stand_at(rows: Rows, position: int) -> None:
    rows.execute(
        "INSERT INTO projections VALUES ('pressure', %s)"
        " ON CONFLICT (name) DO UPDATE SET position = EXCLUDED.position",
        (position,),
    )


def stages(rows: Rows) -> list[Stage]:
    """Give the stages that stays are told of, and one in which nothing ever was."""
    found = rows.execute("SELECT DISTINCT process, stage FROM stays ORDER BY 1, 2").fetchall()
    return [*((process, stage) for process, stage in found), ("nowhere", "nothing")]


def told(stays: StaysIn) -> Told:
    return sorted(
        zip(stays._high.tolist(), stays._entered.tolist(), stays._over.tolist(), strict=True)
    )


def stored(rows: Rows, as_of: int) -> dict[Stage, Told]:
    found: dict[Stage, list[tuple[UUID, object, object]]] = {}
    for deal_id, stay in STAYS.known(rows, as_of=as_of):
        own = (deal_id, stay.entered_at, stay.left_at)
        found.setdefault((stay.process, stay.stage), []).append(own)
    return {stage: told(StaysIn.of(stays)) for stage, stays in found.items()}  # type: ignore[arg-type]  # of facts


def agree(rows: Rows, kept: KeptStays, as_of: int, *, also: Sequence[Stage] = ()) -> None:
    """Hold what is kept of all stages against the stored facts, at a position."""
    found = kept.read(rows, {*stages(rows), *also}, as_of)
    lengths = [own._length.tolist() for own in found.values()]
    assert lengths == [sorted(own) for own in lengths]
    assert {stage: told(own) for stage, own in found.items() if told(own)} == stored(rows, as_of)


@settings(max_examples=12, deadline=None)
@given(log=LOGS, chance=CHANCES)
def test_they_follow_the_log_and_tell_of_every_position_before(
    rows: Rows, log: Log, chance: Chance
) -> None:
    kept = [KeptStays(), KeptStays(most=3)]
    with rows.transaction(force_rollback=True):
        keep_events(rows, log)
        for batch in log.batches(lambda: chance.randint(1, 15)):
            pressure_projection().project(rows, batch)
            stand_at(rows, batch.upto)
            if chance.random() < 0.6:
                for one in kept:
                    agree(rows, one, chance.choice([batch.upto, chance.randint(0, batch.upto)]))


@settings(max_examples=10, deadline=None)
@given(log=LOGS, chance=CHANCES)
def test_a_deal_that_was_parked_and_goes_on_is_read_again(
    rows: Rows, log: Log, chance: Chance
) -> None:
    kept, streams = KeptStays(), log.streams(log.head)
    held = chance.choice(sorted(streams)) if streams else None
    with rows.transaction(force_rollback=True):
        keep_events(rows, log)
        project(rows, log, {i: s for i, s in streams.items() if i != held})
        if held:
            rows.execute("INSERT INTO parked VALUES ('pressure', %s, 1, 'why')", (held,))
        stand_at(rows, log.head)
        agree(rows, kept, log.head)

        rows.execute("DELETE FROM parked")
        project(rows, log, {i: s for i, s in streams.items() if i == held})
        agree(rows, kept, log.head)


@settings(max_examples=10, deadline=None)
@given(log=LOGS)
def test_a_table_that_was_made_anew_is_read_again(rows: Rows, log: Log) -> None:
    kept, streams = KeptStays(), log.streams(log.head)
    with rows.transaction(force_rollback=True):
        keep_events(rows, log)
        project(rows, log, streams)
        stand_at(rows, log.head)
        agree(rows, kept, log.head)

        before = stages(rows)
        rows.execute("TRUNCATE stays")
        project(rows, log, dict(sorted(streams.items())[1:]))
        agree(rows, kept, log.head, also=before)


def test_where_a_frame_begins_all_deals_are_read_again(rows: Rows) -> None:
    kept, log = KeptStays(), log_of([Telling(f"{DEAL_PREFIX}{DEALS[0]}", "deal_opened", OPENED)])
    numbers = {"version": 1, "numbers": NUMBERS}
    later = log.and_then(Telling("policy", "policy_published", numbers))
    with rows.transaction(force_rollback=True):
        keep_events(rows, later)
        rows.execute(
            "INSERT INTO stays (deal_id, event_id, process, stage, entered_at, from_position)"
            " VALUES (%s, %s, 'linear', 'qualify', %s, 1)",
            (DEALS[0], log.events[0].event_id, log.events[0].occurred_at),
        )
        stand_at(rows, log.head)
        agree(rows, kept, log.head)

        rows.execute("UPDATE stays SET until_position = 2")  # nothing else was told of the deal
        stand_at(rows, later.head)
        agree(rows, kept, later.head, also=stages(rows))


def project(rows: Rows, log: Log, streams: Mapping[UUID, Sequence[Event]]) -> None:
    """Write what some deals imply, by whole streams."""
    *_, last = log.batches(lambda: log.head or 1)
    batch = replace(last, after=0, streams=streams)
    pressure_projection().project(rows, batch)


def test_what_an_old_snapshot_lacks_is_not_kept(postgres_server: PostgresServer) -> None:
    log = log_of([Telling(f"{DEAL_PREFIX}{DEALS[0]}", "deal_opened", OPENED), ENTERED])
    with (
        postgres_server.ledger(SCHEMA) as dsn,
        psycopg.connect(conninfo(dsn, schema=SCHEMA), autocommit=True) as now,
        psycopg.connect(conninfo(dsn, schema=SCHEMA), autocommit=True) as before,
    ):
        kept = KeptStays()
        keep_events(now, log)
        project(now, log, log.streams(log.head))
        stand_at(now, log.head)
        before.isolation_level = IsolationLevel.REPEATABLE_READ
        with before.transaction():
            before.execute("SELECT 1")
            now.execute("TRUNCATE stays")  # as where a rebuild puts another table in its place
            project(now, log, log.streams(log.head))
            kept.read(before, stages(now), log.head)

        assert stored(now, log.head)
        agree(now, kept, log.head)
