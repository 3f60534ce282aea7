"""Credentials end when they should, by the clock and by every way of ending them."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from api.identity.authenticator import USED_EVERY, Authenticator, Verified
from api.identity.keys import Keys
from api.identity.permissions import OPERATOR, Identity, Role, Scope
from api.identity.sessions import IDLE, LIFETIME, Sessions
from api.identity.version_watch import VersionWatch
from api.storage.event_store import EventStore
from tests.support.ledgers import SCHEMA

NOON = datetime(2026, 9, 30, 12, tzinfo=UTC)
TOKEN = "the-token"
MINUTE = timedelta(minutes=1)


class Watch:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        return self.at


class Issued:
    """Stands where an issuer's tokens are verified: knows one, for an hour."""

    def verify(self, token: str) -> Verified | None:
        return Verified(token.split(".")[1], NOON + timedelta(hours=1)) if token[0] == "g" else None


@pytest.fixture
def store(database: str) -> Iterator[EventStore]:
    with EventStore(database, schema=SCHEMA) as opened:
        yield opened


def authenticator(store: EventStore, clock: Watch) -> Authenticator:
    roles: dict[str, Role] = {"ann": "rep"}
    return Authenticator(store, token=TOKEN, clock=clock, role_now=roles.get, verifier=Issued())


def of_bearer(known: Authenticator, credential: str) -> Identity | None:
    return asyncio.run(known.of_bearer(credential))


def test_a_key_ends_at_its_time(store: EventStore) -> None:
    clock = Watch()
    known, keys = authenticator(store, clock), Keys(store, clock)
    made = keys.create(
        member="ann", role="rep", scopes=None, name="t", lifetime=timedelta(days=1), by="t"
    )

    found = of_bearer(known, made.secret)
    assert found is not None
    assert (found.actor, found.role, found.operator) == ("ann", "rep", False)
    clock.at = made.key.expires_at - MINUTE
    assert of_bearer(known, made.secret) is not None
    clock.at = made.key.expires_at
    assert of_bearer(known, made.secret) is None


def test_the_grace_of_an_old_secret_ends_too(store: EventStore) -> None:
    clock = Watch()
    known, keys = authenticator(store, clock), Keys(store, clock)
    first = keys.create(
        member="ann", role="rep", scopes=None, name="t", lifetime=timedelta(days=1), by="t"
    )
    second = keys.rotate(first.key.id, grace=timedelta(hours=1))

    assert of_bearer(known, first.secret) is not None
    clock.at += timedelta(hours=1)
    assert of_bearer(known, first.secret) is None
    assert of_bearer(known, second.secret) is not None


def test_a_change_by_hand_in_the_database_counts_at_once(store: EventStore, database: str) -> None:
    clock = Watch()
    known, keys = authenticator(store, clock), Keys(store, clock)
    made = keys.create(
        member="ann", role="rep", scopes=None, name="t", lifetime=timedelta(days=1), by="t"
    )
    assert of_bearer(known, made.secret) is not None

    with psycopg.connect(database) as connection:
        connection.execute(f"UPDATE {SCHEMA}.api_keys SET scopes = ARRAY['read']")
    narrowed = of_bearer(known, made.secret)
    assert narrowed is not None
    assert narrowed.scopes == frozenset({Scope.READ})
    with psycopg.connect(database) as connection:
        connection.execute(f"DELETE FROM {SCHEMA}.api_keys")
    assert of_bearer(known, made.secret) is None


def test_a_session_has_an_idle_and_an_absolute_end(store: EventStore) -> None:
    clock = Watch()
    known, other = authenticator(store, clock), authenticator(store, clock)
    sessions = Sessions(store, clock)
    idle, used = sessions.open(None), sessions.open(None)

    async def in_use(by: Authenticator) -> bool:
        found = await by.of_cookie(used) is not None
        for writing in list(by._writing):
            await writing
        return found

    ends = NOON + LIFETIME
    while clock.at + IDLE - MINUTE < ends:
        clock.at += IDLE - MINUTE
        assert asyncio.run(in_use(known)), clock.at
    # Another process, which has not seen it in use, asks the database before it says no.
    assert asyncio.run(in_use(other))
    assert asyncio.run(known.of_cookie(idle)) is None
    clock.at = ends
    assert not asyncio.run(in_use(known))


def test_a_session_that_is_over_is_forgotten(store: EventStore) -> None:
    clock = Watch()
    sessions = Sessions(store, clock)
    sessions.open(None)
    clock.at += IDLE
    sessions.open(None)

    assert store.rows("SELECT count(*) FROM sessions", {}) == [(1,)]


def test_use_is_written_down_once_a_minute_and_not_at_every_request(store: EventStore) -> None:
    clock = Watch()
    known, keys = authenticator(store, clock), Keys(store, clock)
    made = keys.create(
        member="ann", role="rep", scopes=None, name="t", lifetime=timedelta(days=1), by="t"
    )

    async def used() -> int:
        await known.of_bearer(made.secret)
        writing = list(known._writing)
        for one in writing:
            await one
        return len(writing)

    assert [asyncio.run(used()) for _ in range(3)] == [1, 0, 0]
    clock.at += USED_EVERY
    assert asyncio.run(used()) == 1
    assert keys.all()[0].last_used_at == clock.at


def test_a_token_of_the_issuer_acts_in_the_role_of_the_organisation(store: EventStore) -> None:
    clock = Watch()
    known = authenticator(store, clock)

    found = of_bearer(known, "good.ann.token")
    assert found == Identity(actor="ann", role="rep", credential="oidc")
    assert of_bearer(known, "good.stranger.token") is None
    assert of_bearer(known, "bad.ann.token") is None
    clock.at += timedelta(hours=1)
    assert of_bearer(known, "good.ann.token") is None


def test_a_session_of_the_issuer_is_of_the_member_and_of_nobody_else(
    store: EventStore, database: str
) -> None:
    clock = Watch()
    known, sessions = authenticator(store, clock), Sessions(store, clock)
    cookie = sessions.open_for("ann")

    found = asyncio.run(known.of_cookie(cookie))
    assert found == Identity(actor="ann", role="rep", credential="session of oidc")
    assert len(sessions.of(found, cookie=cookie)) == 1
    assert sessions.of(OPERATOR, cookie=None) == []
    assert asyncio.run(known.of_cookie(sessions.open_for("stranger"))) is None
    assert asyncio.run(known.of_cookie(cookie)) == found  # and remembered as it stands now
    with psycopg.connect(database) as connection:
        connection.execute(f"UPDATE {SCHEMA}.sessions SET member = 'stranger'")
    assert asyncio.run(known.of_cookie(cookie)) is None
    clock.at += IDLE
    assert asyncio.run(authenticator(store, clock).of_cookie(cookie)) is None
    with psycopg.connect(database) as connection, pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(f"UPDATE {SCHEMA}.sessions SET member = ''")


def test_the_token_of_the_server_is_the_operators(store: EventStore) -> None:
    known = authenticator(store, Watch())

    assert of_bearer(known, TOKEN) is OPERATOR
    assert of_bearer(known, TOKEN + "x") is None
    assert of_bearer(known, "") is None


async def test_who_asks_is_told_of_what_was_changed_before_they_asked() -> None:
    version, begun, go = 0, asyncio.Event(), asyncio.Event()
    reads = 0

    async def read() -> int:
        nonlocal reads
        reads += 1
        seen = version
        begun.set()
        await go.wait()
        return seen

    watch = VersionWatch(read)
    early = asyncio.create_task(watch.version())
    await begun.wait()
    version = 1  # changed while the first question is on its way
    late = [asyncio.create_task(watch.version()) for _ in range(50)]
    await asyncio.sleep(0)
    go.set()

    assert await early == 0
    assert [await one for one in late] == [1] * 50
    assert reads == 2


async def test_a_question_that_fails_fails_for_those_who_waited_and_for_no_other() -> None:
    failing = True

    async def read() -> int:
        await asyncio.sleep(0)
        if failing:
            raise ConnectionError("away")
        return 7

    watch = VersionWatch(read)
    answers = await asyncio.gather(*(watch.version() for _ in range(3)), return_exceptions=True)
    assert [type(one) for one in answers] == [ConnectionError] * 3
    failing = False
    assert await watch.version() == 7
