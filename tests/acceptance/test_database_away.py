"""A database that is away: told in time, nothing lost, never a crash, and found again by itself.

Holds `docs/guarantees.md`, G2 and G21. What a client is promised in seconds is asserted with room
for a machine that is busy; `pytest -s` prints what was measured.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from time import perf_counter
from typing import Final

import pytest

from api.clock import Deadline
from api.storage.event_store import EventStore
from tests.support.chaos import ChaosProxy
from tests.support.crash.clients import Line
from tests.support.crash.server import Server
from tests.support.ledgers import SCHEMA
from tests.support.log import appended, ask, assert_gapless, new_event, said
from tests.support.postgres import PostgresServer

ROOM: Final = 2.0
"""How many times as long as promised a request may take here."""
PROMISED: Final = {"healthz": 1.0, "readyz": 4.0, "append": 7.0, "get": 7.0}
BACK_SECONDS: Final = 8.0
ANSWERED: Final = {200, 201}
CUTS: Final = 40
PAUSE: Final = 0.3
"""Seconds after an answer. Nine who ask sooner would only keep the machine busy."""
OPENED: Final = said(
    "deal_opened",
    name="Renewal",
    account={"id": "acme", "name": "Acme"},
    owner="ann",
    process={"id": "default", "version": 1},
)
_NUMBERS = count(1)


@dataclass(frozen=True, slots=True)
class Place:
    """A server, the network to its database, and the database itself."""

    server: Server
    network: ChaosProxy
    database: str

    def unseen_deal(self) -> str:
        """Open a deal past the server, so that it has to load it."""
        deal = f"00000000-0000-4000-8000-{next(_NUMBERS):012}"
        with EventStore(self.database, schema=SCHEMA) as store:
            appended(store.append_blocking(ask(f"deal:{deal}", new_event(OPENED))))
        return deal


@pytest.fixture(scope="module")
def place(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    with postgres_server.database() as database, ChaosProxy(database).listening() as network:
        home: Path = tmp_path_factory.mktemp("away") / "home"
        with Server(home, database_url=network.url).running() as server:
            yield Place(server, network, database)


@dataclass(slots=True)
class Asking:
    """Asks the same again and again, each time soon after it was answered."""

    place: Place
    kind: str
    method: str
    path: str
    status: int = 0
    told: list[tuple[int, float, bool]] = field(default_factory=list)
    """Status, seconds, and whether it says when to ask again."""

    def work(self, stop: Flag) -> None:
        line = Line(self.place.server, timeout=60)
        while not stop.wait(PAUSE):
            key = f"away-{next(_NUMBERS)}"
            body = json.dumps({"events": [{"type": "note_added", "data": {"text": key}}]}).encode()
            begun = perf_counter()
            answer = line.ask(
                self.method,
                self.path,
                body if self.method == "POST" else b"",
                Idempotency_Key=key,
                Content_Type="application/json",
            )
            status = answer[0] if answer else 0
            again = answer is not None and "retry-after" in answer[2]
            self.told.append((status, perf_counter() - begun, again))
            self.status = status
        line.hang_up()


@contextmanager
def asking(*askers: Asking) -> Iterator[None]:
    stop = Flag()
    threads = [Thread(target=one.work, args=(stop,)) for one in askers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def until(askers: Sequence[Asking], expected: set[int], *, within: float) -> float:
    """Wait until all are told one of these, and give how many seconds it took."""
    begun, deadline, pause = perf_counter(), Deadline.after(within), Flag()
    while not all(one.status in expected for one in askers):
        told = {f"{one.method} {one.path}": one.status for one in askers}
        assert not deadline.passed(), f"after {within} s: {told}"
        pause.wait(0.01)
    return perf_counter() - begun


def askers_of(place: Place) -> list[Asking]:
    seen, unseen = place.unseen_deal(), place.unseen_deal()
    return [
        Asking(place, "healthz", "GET", "/healthz"),
        Asking(place, "readyz", "GET", "/readyz"),
        Asking(place, "append", "POST", f"/v1/deals/{seen}/events"),
        Asking(place, "append", "POST", f"/v1/deals/{unseen}/events"),
        Asking(place, "get", "GET", f"/v1/deals/{seen}"),
        Asking(place, "get", "GET", "/v1/deals"),
        Asking(place, "get", "GET", "/v1/events?limit=5"),
        Asking(place, "get", "GET", "/v1/quarters/FY2025Q1/pressure"),
        Asking(place, "get", "GET", "/board"),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("outage", ["silent", "refused"])
def test_a_database_that_is_away_is_told_in_time_and_found_again(place: Place, outage: str) -> None:
    askers, unseen = askers_of(place), place.unseen_deal()
    latecomer = Asking(place, "append", "POST", f"/v1/deals/{unseen}/events")
    network = place.network
    away, back = {
        "silent": (network.fall_silent, network.speak_again),
        "refused": (network.refuse, network.accept),
    }[outage]
    with asking(*askers):
        until(askers, ANSWERED, within=60)
        away()
        with asking(latecomer):
            others = [one for one in (*askers, latecomer) if one.kind != "healthz"]
            told = until(others, {503}, within=7 * ROOM)
            # By now whoever pauses longer after each try would be asleep for longer than promised.
            Flag().wait(3.0)
            back()
            ready = until(others, ANSWERED, within=60)

    print(f"\n{outage}: all told after {told:.1f} s, back after {ready:.1f} s")  # noqa: T201
    assert ready < BACK_SECONDS * ROOM
    for one in (*askers, latecomer):
        slowest = max(seconds for _, seconds, _ in one.told)
        print(f"  {one.kind} {one.path}: {slowest:.2f} s at the most")  # noqa: T201
        assert slowest < PROMISED[one.kind] * ROOM
        assert {status for status, _, _ in one.told} <= ANSWERED | {503}
        assert all(again for status, _, again in one.told if status == 503 and one.kind != "readyz")
        if one.kind == "healthz":
            assert {status for status, _, _ in one.told} == {200}


@pytest.mark.slow
def test_a_lost_reply_to_a_commit_is_answered_stored_once_and_replayed_to_the_byte(
    place: Place,
) -> None:
    deal = place.unseen_deal()
    line = Line(place.server, timeout=60)
    told = []
    for number in range(CUTS):
        before = place.network.cuts
        place.network.cut_next_reply(to=b'"first_event_id"')
        headers = {"Idempotency_Key": f"cut-{number}", "Content_Type": "application/json"}
        body = json.dumps(
            {"events": [{"type": "note_added", "data": {"text": f"note {number}"}}]}
        ).encode()
        path = f"/v1/deals/{deal}/events"
        first = line.ask("POST", path, body, **headers)
        assert place.network.cuts == before + 1
        again = line.ask("POST", path, body, **headers)

        assert first is not None
        assert again is not None
        assert (first[0], again[0]) == (201, 201)
        assert again[1] == first[1]
        assert "idempotent-replayed" not in first[2]
        assert again[2]["idempotent-replayed"] == "true"
        told.append(json.loads(first[1])["version"])
    line.hang_up()

    assert told == list(range(2, CUTS + 2))
    with EventStore(place.database, schema=SCHEMA) as store:
        assert_gapless(store)
        assert len(store.stream(f"deal:{deal}")) == CUTS + 1


@pytest.mark.slow
def test_half_open_connections_and_a_slow_network_only_cost_time(place: Place) -> None:
    askers = askers_of(place)
    place.network.forget_all()
    try:
        with asking(*askers):
            until(askers, ANSWERED, within=60)
            place.network.delay_seconds = 0.02
            before = [len(one.told) for one in askers]
            for one, told in zip(askers, before, strict=True):
                while len(one.told) < told + 2:
                    Flag().wait(0.05)
    finally:
        place.network.delay_seconds = 0.0

    for one in askers:
        assert {status for status, _, _ in one.told} <= ANSWERED | {503}
        assert max(seconds for _, seconds, _ in one.told) < PROMISED[one.kind] * ROOM
