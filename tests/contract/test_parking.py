"""An event that cannot be read or folded parks its deal; all others go on, and it can be resumed.

Holds `docs/guarantees.md`, G14. `pytest -s` prints the lag that was measured.
"""

from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any
from uuid import UUID

import psycopg
import pytest
from fastapi.testclient import TestClient

from api.all_projections import projections
from api.bootstrap import Ledger
from api.parking import Parked, parked_deals
from api.rebuild import rebuild
from api.storage import upcasts
from api.storage.connections import conninfo
from domain.events.life import OwnerChanged
from domain.replay import Event
from projections.spans import course, fold
from tests.support.client import client_on, event, open_deal, post
from tests.support.ledgers import NOW, SCHEMA, import_lines, ledger_on
from tests.support.projected import snapshot
from tests.support.thirty import Line, thirty_lines

FUTURE = "deal.owner_changed.v2"
UNHEARD_OF = "deal.owner_replaced.v1"
PLANT = """
    INSERT INTO events (position, stream_id, version, event_id, topic, occurred_at, recorded_at,
                        ingested_at, actor, channel, caller, clock, data)
    SELECT h.position + 1, e.stream_id, e.version + 1, gen_random_uuid(), %(topic)s, e.occurred_at,
           h.recorded_at, h.recorded_at, e.actor, e.channel, e.caller, e.clock, e.data
      FROM events e, log_head h WHERE e.stream_id = %(stream_id)s ORDER BY e.version DESC LIMIT 1
"""
LAG_SECONDS = 2.0
ROOM = 2.0
"""How many times as long as promised it may take on a machine that does other things too."""


def parked(ledger: Ledger) -> list[Parked]:
    with ledger.projecting.connection() as connection:
        return parked_deals(connection)


def owner_changed(deal: str, owner: str, day: int) -> Line:
    return {
        "stream": f"deal:{deal}",
        "external_id": f"{deal}/owner/{day}",
        "type": "owner_changed",
        "occurred_at": f"2025-05-{day:02}T00:00:00Z",
        "actor": "ann",
        "data": {"owner": owner},
    }


def deal_id(ledger: Ledger, name: str) -> UUID:
    return UUID(ledger.store.stream_ids_of(name)[0].partition(":")[2])


def owners(ledger: Ledger) -> dict[UUID, str]:
    with ledger.projecting.connection() as connection:
        rows = connection.execute("SELECT deal_id, owner FROM spans WHERE until_position IS NULL")
        return dict(rows.fetchall())


def position_of(database: str, external_id: str) -> int:
    with psycopg.connect(conninfo(database, schema=SCHEMA)) as connection:
        query = "SELECT position FROM events WHERE external_id = %s"
        row = connection.execute(query, (external_id,)).fetchone()
        assert row is not None
        return int(row[0])


def as_written_by_a_newer_version(database: str, external_id: str, topic: str) -> None:
    """Give an event a topic that this version does not know, past the triggers."""
    with psycopg.connect(conninfo(database, schema=SCHEMA)) as connection:
        connection.execute("ALTER TABLE events DISABLE TRIGGER events_append_only")
        connection.execute(
            "UPDATE events SET topic = %s WHERE external_id = %s", (topic, external_id)
        )
        connection.execute("ALTER TABLE events ENABLE ALWAYS TRIGGER events_append_only")


def poisoned_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    evolve = fold.evolve

    def failing(state: Any, event: Event) -> Any:
        if isinstance(event.data, OwnerChanged) and event.data.owner == "poison":
            message = "nobody owns poison"
            raise ValueError(message)
        return evolve(state, event)

    monkeypatch.setattr(course, "evolve", failing)
    monkeypatch.setattr(fold, "evolve", failing)


def append(ledger: Ledger, folder: Path, lines: Sequence[Line], *, project: bool = True) -> None:
    catch_up = ledger.worker.catch_up
    if not project:
        ledger.worker.catch_up = lambda **_: 0  # type: ignore[method-assign]  # only in this test
    import_lines(ledger, folder, lines)
    ledger.worker.catch_up = catch_up  # type: ignore[method-assign]  # as it was


def test_a_deal_that_cannot_be_folded_parks_at_the_event_to_blame_and_others_go_on(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ledger_on(database) as ledger:
        import_lines(ledger, tmp_path, thirty_lines())
        poisoned_fold(monkeypatch)
        append(
            ledger,
            tmp_path,
            [
                owner_changed("B1", "ben", 1),
                owner_changed("D1", "zoe", 2),
                owner_changed("D1", "poison", 3),
                owner_changed("D1", "yan", 4),
                owner_changed("B2", "kim", 5),
            ],
        )

        [one] = [held for held in parked(ledger) if held.projection == "spans"]
        head = ledger.store.head().position
        to_blame = position_of(database, "D1/owner/3")
        assert (one.deal_id, one.position) == (deal_id(ledger, "D1"), to_blame)
        assert one.reason == "ValueError: nobody owns poison"
        assert ledger.worker.position() == head
        now = owners(ledger)
        assert [now[deal_id(ledger, name)] for name in ("B1", "D1", "B2")] == ["ben", "zoe", "kim"]


def test_a_parked_deal_is_resumed_as_if_it_had_never_been(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [owner_changed("D1", "poison", 3), owner_changed("D1", "yan", 4)]
    with ledger_on(database) as ledger:
        import_lines(ledger, tmp_path, thirty_lines())
        with monkeypatch.context() as patch:
            poisoned_fold(patch)
            import_lines(ledger, tmp_path, lines[:1])
            import_lines(ledger, tmp_path, lines[1:])
            assert ledger.worker.resume() == 1

        assert ledger.worker.resume() == 0
        assert parked(ledger) == []
        resumed = snapshot(ledger)
        assert owners(ledger)[deal_id(ledger, "D1")] == "yan"
        with ledger.projecting.connection() as connection:
            connection.execute("UPDATE projections SET position = 0")
            for table in resumed:
                connection.execute(f"TRUNCATE {table}".encode())
        ledger.worker.catch_up()
        assert snapshot(ledger) == resumed


@pytest.mark.parametrize("topic", [FUTURE, UNHEARD_OF])
def test_an_event_of_an_unknown_type_or_version_parks_its_deal_in_every_projection(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, topic: str
) -> None:
    with ledger_on(database) as ledger:
        import_lines(ledger, tmp_path, thirty_lines())
        append(ledger, tmp_path, [owner_changed("D1", "yan", 4)], project=False)
        as_written_by_a_newer_version(database, "D1/owner/4", topic)
        import_lines(ledger, tmp_path, [owner_changed("B2", "kim", 5)])

        held = parked(ledger)
        assert {one.deal_id for one in held} == {deal_id(ledger, "D1")}
        assert len(held) > 1
        assert all(f"topic {topic} is not known" in one.reason for one in held)
        assert owners(ledger)[deal_id(ledger, "B2")] == "kim"
        states = ledger.states.states(NOW)
        assert states.unreadable == [(topic, held[0].position)]

        step = (OwnerChanged.TOPIC, lambda payload: payload)
        monkeypatch.setitem(upcasts.UPCASTS, topic, step)
        assert ledger.worker.resume() == 0
        assert owners(ledger)[deal_id(ledger, "D1")] == "yan"


def test_a_rebuild_parks_what_it_cannot_fold(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ledger_on(database) as ledger:
        import_lines(ledger, tmp_path, [*thirty_lines(), owner_changed("D1", "poison", 3)])
        poisoned_fold(monkeypatch)

        rebuilt = rebuild(ledger.projecting, "spans", projections, processes=1)

        assert rebuilt.equal is False
        assert [one.deal_id for one in parked(ledger)] == [deal_id(ledger, "D1")]


def planted(database: str, deal: str, topic: str) -> None:
    """Append an event of a topic that this version does not know, as a newer server would."""
    with psycopg.connect(conninfo(database, schema=SCHEMA)) as connection:
        connection.execute(PLANT, {"stream_id": f"deal:{deal}", "topic": topic})
        connection.execute("UPDATE log_head SET position = position + 1")


def seconds_until_shown(client: TestClient, deal: str, owner: str) -> float:
    """How long the lists take to show what was just recorded of a deal."""
    begun = perf_counter()
    answer = post(client, f"/v1/deals/{deal}/events", event("owner_changed", owner=owner))
    assert answer.status_code == 201
    while not client.get("/v1/deals", params={"owner": owner}).json()["deals"]:
        assert perf_counter() - begun < 60
    return perf_counter() - begun


def test_deals_beside_poisoned_ones_are_shown_as_soon_as_ever_and_all_may_see_which(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    poisoned_fold(monkeypatch)
    with client_on(database) as client:
        newer, unheard, failing, healthy = (open_deal(client) for _ in range(4))
        planted(database, newer, FUTURE)
        planted(database, unheard, UNHEARD_OF)
        post(client, f"/v1/deals/{failing}/events", event("owner_changed", owner="poison"))
        slowest = max(seconds_until_shown(client, healthy, f"rep-{n}") for n in range(10))
        ready = client.get("/readyz")
        told = client.get("/v1/projections").json()
        metrics = client.get("/metrics").text

    print(f"\nlag of a deal beside three that are parked: {slowest:.2f} s")  # noqa: T201
    assert slowest < LAG_SECONDS * ROOM
    assert (ready.status_code, ready.json()["parked"]) == (200, 3)
    (spans,) = [one for one in told["projections"] if one["name"] == "spans"]
    reasons = {one["deal_id"]: one["reason"] for one in spans["parked"]}
    assert reasons.keys() == {newer, unheard, failing}
    assert FUTURE in reasons[newer]
    assert UNHEARD_OF in reasons[unheard]
    assert reasons[failing] == "ValueError: nobody owns poison"
    assert 'dealtrail_projection_parked{projection="spans"} 3.0' in metrics
    assert "dealtrail_unreadable_topics 2.0" in metrics
