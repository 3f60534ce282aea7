"""What the append promises: one winner, all or nothing, once, and never changed afterwards."""

import json
from datetime import timedelta

import psycopg
import pytest

from api import clock
from api.storage.errors import AppendRefusedError, ClockRefusedError, ExternalIdTakenError
from api.storage.event_store import EventStore
from api.storage.requests import AppendRequest, Duplicate, VersionConflict
from api.storage.wire import APPEND, pack, parameters
from domain.stamp import Source
from tests.support.log import (
    NOON,
    appended,
    ask,
    assert_gapless,
    imported,
    new_event,
    said,
    session,
)
from tests.support.postgres import PostgresServer


@pytest.fixture
def ledger_server(every_postgres_server: PostgresServer) -> PostgresServer:
    """Each: the append is a function of the database."""
    return every_postgres_server


def test_events_of_one_request_are_stored_together_and_in_order(store: EventStore) -> None:
    stage = said("stage_entered", stage="discovery")

    verdict = appended(store.append_blocking(ask("deal:a", new_event(), new_event(stage))))

    events = store.stream("deal:a")
    assert (verdict.version, verdict.first_position, verdict.last_position) == (2, 1, 2)
    assert [(e.version, e.position, e.data.TOPIC) for e in events] == [
        (1, 1, "deal.activity_ticked.v1"),
        (2, 2, "deal.stage_entered.v1"),
    ]
    assert {e.recorded_at for e in events} == {e.ingested_at for e in events}
    assert {e.clock for e in events} == {"server"}


def test_everything_around_an_event_is_kept(store: EventStore) -> None:
    source = Source(
        system="crm",
        external_id="H1",
        stream="D01",
        file_sha256="ab",
        recorded_at=NOON - timedelta(days=1),
    )
    event = new_event(source=source)

    store.append_blocking(ask("deal:a", event, key="k"))

    stored = store.event(event.event_id)
    assert stored is not None
    assert (stored.source, stored.occurred_at, stored.idempotency_key) == (source, NOON, "k")
    assert (stored.actor, stored.channel, stored.data) == ("ana", "api", event.data)


def test_only_one_of_two_with_the_same_expected_version_wins(store: EventStore) -> None:
    outcomes = store.append_many_blocking([ask("deal:a", expected=0) for _ in range(20)])

    assert sum(isinstance(o, VersionConflict) for o in outcomes) == 19
    assert {o.current_version for o in outcomes if isinstance(o, VersionConflict)} == {1}
    assert len(store.stream("deal:a")) == 1


def test_an_expected_version_beyond_the_stream_is_a_conflict(store: EventStore) -> None:
    verdict = store.append_blocking(ask("deal:a", expected=3))

    assert verdict == VersionConflict(current_version=0)
    assert store.head().position == 0


def test_a_key_used_again_gives_the_first_answer_and_stores_nothing(store: EventStore) -> None:
    first = appended(store.append_blocking(ask("deal:a", expected=0, key="k", body_hash="one")))

    again = store.append_blocking(ask("deal:b", expected=7, key="k", body_hash="two"))

    assert again == Duplicate(
        body_hash="one",
        stream_id="deal:a",
        version=1,
        first_position=1,
        last_position=1,
        recorded_at=first.recorded_at,
    )
    assert store.find_request("tests", "k") == again
    assert store.head().position == 1


def test_a_key_belongs_to_its_caller(store: EventStore) -> None:
    store.append_blocking(ask("deal:a", key="k", caller="one"))

    appended(store.append_blocking(ask("deal:a", key="k", caller="two")))

    assert store.find_request("three", "k") is None


def test_a_key_twice_in_one_batch_is_stored_once(store: EventStore) -> None:
    outcomes = store.append_many_blocking([ask(f"deal:{n}", key="k") for n in range(5)])

    assert sum(isinstance(o, Duplicate) for o in outcomes) == 4
    assert store.head().position == 1


def test_a_refused_key_may_be_used_again(store: EventStore) -> None:
    store.append_blocking(ask("deal:a", expected=5, key="k"))

    appended(store.append_blocking(ask("deal:a", expected=0, key="k")))


def test_one_refused_request_takes_no_other_with_it(store: EventStore) -> None:
    store.append_blocking(ask("deal:old", imported("crm", "H1")))
    taken = new_event()
    store.append_blocking(ask("deal:old", taken))
    requests: list[AppendRequest] = [ask(f"deal:{n}") for n in range(30)]
    requests[7] = ask("deal:7", new_event(), imported("crm", "H1"))
    requests[20] = ask("deal:20", new_event(), taken)

    outcomes = store.append_many_blocking(requests)

    assert isinstance(outcomes[7], ExternalIdTakenError)
    assert isinstance(outcomes[20], AppendRefusedError)
    assert store.stream("deal:7") == store.stream("deal:20") == []
    assert all(appended(o) for n, o in enumerate(outcomes) if n not in {7, 20})
    assert assert_gapless(store) == 30


def test_text_that_the_database_cannot_hold_is_refused(store: EventStore) -> None:
    with pytest.raises(AppendRefusedError):
        store.append_blocking(ask("deal:a", caller="nul\x00"))
    with pytest.raises(AppendRefusedError):
        store.append_blocking(ask("deal:a", caller="half \ud800"))

    assert store.head().position == 0


def test_payload_bytes_are_kept_as_they_were_sent(store: EventStore, ledger_dsn: str) -> None:
    data = said("deal_won", net={"currency": "EUR", "amount": "1200.00"}, closed_on="2025-03-31")
    store.append_blocking(ask("deal:a", new_event(data)))

    with session(ledger_dsn) as connection:
        row = connection.execute("SELECT data::text FROM events").fetchone()

    assert row == (data.to_json().decode(),)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET actor = 'bo'",
        "DELETE FROM events WHERE false",
        "TRUNCATE events",
        "UPDATE requests SET body_hash = ''",
        "DELETE FROM requests",
        "TRUNCATE requests",
        "DELETE FROM log_head",
        "TRUNCATE log_head",
        "SET session_replication_role = replica; DELETE FROM events",
        "INSERT INTO events SELECT * FROM events ON CONFLICT (position) DO UPDATE SET actor = 'bo'",
    ],
)
def test_what_the_log_says_stays_said(store: EventStore, ledger_dsn: str, statement: str) -> None:
    store.append_blocking(ask("deal:a", key="k"))
    before = store.stream("deal:a")

    with session(ledger_dsn) as connection, pytest.raises(psycopg.Error, match="stays said"):
        connection.execute(statement.encode())

    assert store.stream("deal:a") == before


def test_a_clock_that_jumped_back_is_refused_until_it_is_right_again(
    store: EventStore, ledger_dsn: str
) -> None:
    store.append_blocking(ask("deal:a"))
    with session(ledger_dsn) as connection:
        connection.execute("UPDATE log_head SET recorded_at = recorded_at + interval '1 hour'")

        with pytest.raises(ClockRefusedError):
            store.append_blocking(ask("deal:a"))

        connection.execute("UPDATE log_head SET recorded_at = recorded_at - interval '1 hour'")
    appended(store.append_blocking(ask("deal:a")))


def test_time_does_not_go_back_within_the_tolerance(store: EventStore, ledger_dsn: str) -> None:
    store.append_blocking(ask("deal:a"))
    with session(ledger_dsn) as connection:
        connection.execute("UPDATE log_head SET recorded_at = recorded_at + interval '3 seconds'")
    ahead = store.head().recorded_at

    verdict = appended(store.append_blocking(ask("deal:a")))

    assert verdict.recorded_at == ahead


def test_an_application_whose_clock_is_apart_is_refused(ledger_dsn: str) -> None:
    with session(ledger_dsn) as connection, pytest.raises(psycopg.Error) as refused:
        connection.execute("SELECT append_events('[]', now() - interval '6 seconds', false)")

    assert refused.value.sqlstate == "DT002"


def test_functions_that_write_keep_their_search_path(ledger_dsn: str) -> None:
    with session(ledger_dsn) as connection:
        rows = connection.execute(
            "SELECT proname, prosecdef, proconfig FROM pg_proc"
            " WHERE pronamespace = 'ledger'::regnamespace AND proname LIKE 'append%'"
        ).fetchall()

    assert {name for name, _, _ in rows} == {"append_events", "append_founding", "append_import"}
    assert all(definer and "search_path=ledger,pg_temp" in kept for _, definer, kept in rows)


def test_the_append_is_planned_once(ledger_dsn: str) -> None:
    # A plan made for each call takes longer than what an append of one event does.
    with session(ledger_dsn) as connection:
        kept = connection.execute(
            "SELECT proconfig FROM pg_proc WHERE oid = 'append_events'::regproc"
        ).fetchone()

    assert kept is not None
    assert "plan_cache_mode=force_generic_plan" in kept[0]


@pytest.mark.parametrize("resent", [False, True])
def test_an_append_reads_no_more_of_a_long_stream_than_of_a_short_one(
    store: EventStore, ledger_dsn: str, *, resent: bool
) -> None:
    store.append_blocking(ask("deal:a", *(new_event() for _ in range(50))))
    asked = parameters([pack(ask("deal:a"))], sent_at=clock.now(), resent=resent)

    with session(ledger_dsn) as connection, connection.transaction():
        connection.execute(APPEND, asked)
        read = connection.execute(
            "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables"
            " WHERE relid = 'events'::regclass"
        ).fetchone()

    assert read is not None
    assert read[0] <= 1  # the last of the stream, for its version


def test_a_resent_request_that_was_stored_is_answered_as_it_was(
    store: EventStore, ledger_dsn: str
) -> None:
    event = new_event()
    first = appended(store.append_blocking(ask("deal:a", event, new_event())))
    store.append_blocking(ask("deal:a"))
    resent = {
        "stream_id": "deal:a",
        "caller": "tests",
        "first_event_id": str(event.event_id),
        "events": [{}, {}],
    }

    with session(ledger_dsn) as connection:
        row = connection.execute(
            "SELECT verdict, version, first_position, last_position, recorded_at"
            " FROM append_events(%s, now(), true)",
            [json.dumps([resent])],
        ).fetchone()

    assert row == ("appended", 2, 1, 2, first.recorded_at)
    assert store.head().position == 3
