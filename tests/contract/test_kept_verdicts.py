"""What is answered from the verdicts that are kept is what judging everything anew answers.

Holds G4 of `docs/guarantees.md`: wherever in the log the rows of auditors stand, and whatever was
told between them and the question.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from random import Random
from typing import Final
from unittest.mock import patch

import pytest

from api.all_projections import projections
from api.bootstrap import Ledger
from api.identity.permissions import Identity
from api.kept_verdicts import Kept, KeptVerdicts
from api.moment import Moment, moment
from api.query.parser import parse
from api.query.question import LogQuestion, Sort
from api.rebuild import rebuild
from projections.attainment.projection import ledger as bookings
from projections.facts import Rows
from projections.pressure.context import KnownContext
from projections.pressure.verdicts import counts_by_deal
from tests.support.attacks import session_of
from tests.support.ledgers import NOW
from tests.support.log import SCHEMA
from tests.support.postgres import PostgresServer
from tests.support.pressed_logs import pressed_log
from tests.support.roles import under_roles
from tests.support.spans import Log, tell
from tests.support.told_late_logs import told_late_log

QUERIES: Final = (
    "verdict:pressure_shaped",
    "verdict:pressure_consistent,not_evaluable",
    "-verdict:not_pressure_shaped type:stage_entered,discount_offered",
    "verdict:* amount>1000",
    "verdict:pressure_shaped,bare_tick",
    "rule:PS-1,PS-2",
    "rule:PS-4 -verdict:pressure_shaped",
    "-rule:*",
)
LOGS: Final[dict[str, Callable[[], Log]]] = {
    "offers": lambda: pressed_log(Random(1), size=150),
    "bookings and quotas": lambda: told_late_log(Random(3)),
    "stays": lambda: told_late_log(Random(8)),
}
"""By what turns verdicts in it between the rows and questions."""


@contextmanager
def ledger_of(server: PostgresServer, log: Log) -> Iterator[tuple[str, Ledger]]:
    with server.ledger(SCHEMA) as database:
        tell(database, log)
        with under_roles(database, schema=SCHEMA) as ledger:
            yield database, ledger


def told_rows(ledger: Ledger, position: int) -> None:
    """Let the rows of auditors stand at a position, and all else at the head."""
    ledger.worker.catch_up()
    with patch.object(ledger.worker, "position", return_value=position):
        assert ledger.audit.catch_up() == position


def at(ledger: Ledger, position: int) -> Moment:
    return moment(ledger.store, as_of=f"position:{position}", effective_at=None, now=NOW)


def kept_at(ledger: Ledger, connection: Rows, when: Moment) -> Kept | None:
    known = ledger.context.known(when.position)
    return KeptVerdicts(ledger.context).answer(connection, when, known, lambda kept: kept)


def context_of(ledger: Ledger, connection: Rows, when: Moment) -> KnownContext:
    return KnownContext(
        connection,
        known=ledger.context.known(when.position),
        as_of=when.position,
        at=when.effective_at,
        ledger=bookings,
    )


def assert_counted_alike(ledger: Ledger, connection: Rows, when: Moment) -> None:
    context = context_of(ledger, connection, when)
    deals = [row[0] for row in connection.execute("SELECT DISTINCT deal_id FROM acts").fetchall()]
    expected = counts_by_deal(context, deals)
    assert KeptVerdicts(ledger.context).counts(context, when, deals) == expected


@pytest.mark.parametrize("name", LOGS)
def test_verdicts_are_counted_alike_at_every_position_wherever_the_rows_stand(
    name: str, postgres_server: PostgresServer
) -> None:
    log = LOGS[name]()
    stands = sorted(Random(5).sample(range(log.head // 4, log.head), 4))
    kept: list[Kept] = []
    with ledger_of(postgres_server, log) as (_, ledger), ledger.store.connection() as connection:
        for stand in stands:
            told_rows(ledger, stand)
            for position in range(max(1, stand - 40), min(log.head, stand + 40) + 1):
                when = at(ledger, position)
                found = kept_at(ledger, connection, when)
                if found is not None:
                    kept.append(found)
                    assert_counted_alike(ledger, connection, when)
    assert len(kept) > 5 * len(stands)
    assert any(one.acts for one in kept)


def test_queries_find_alike_wherever_the_rows_stand(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = LOGS["offers"]()
    with ledger_of(postgres_server, log) as (_, ledger), ledger.store.connection() as connection:
        stand = log.head * 3 // 4
        told_rows(ledger, stand)
        near = [
            p for p in range(stand - 12, stand + 13) if kept_at(ledger, connection, at(ledger, p))
        ]
        assert near[0] < stand < near[-1]
        places: list[tuple[int, Sort]] = [
            (near[0], "position"),
            (stand, "-occurred"),
            (near[-1], "-position"),
        ]
        asked = [
            LogQuestion(query=parse(text), moment=at(ledger, position), sort=sort)
            for text in QUERIES
            for position, sort in places
        ]
        found: dict[int, list[tuple[list[int], object]]] = {}
        for few in (0, 2_000):
            monkeypatch.setattr("api.query.kept_acts._FEW", few)
            found[few] = [_found(ledger, question) for question in asked]
        monkeypatch.setattr(KeptVerdicts, "answer", lambda *_: None)
        judged = [_found(ledger, question) for question in asked]
    assert found[0] == found[2_000] == judged
    assert sum(len(positions) for positions, _ in judged) > 100
    told = {str(one.query) for one, (positions, _) in zip(asked, judged, strict=True) if positions}
    assert told == {str(one.query) for one in asked}


def test_who_may_not_see_all_verdicts_is_told_those_that_they_may(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = LOGS["stays"]()
    with ledger_of(postgres_server, log) as (_, ledger):
        told_rows(ledger, log.head)
        reach = ledger.access.reach(Identity(actor="ann", role="rep", credential="key of ann"))
        question = LogQuestion(query=parse("verdict:*"), moment=at(ledger, log.head))
        own = _found(ledger, replace(question, reach=reach))
        everything = _found(ledger, question)
        monkeypatch.setattr(KeptVerdicts, "answer", lambda *_: None)
        assert own == _found(ledger, replace(question, reach=reach))
    assert set(own[0]) < set(everything[0])


def test_rows_told_from_others_than_there_are_answer_nothing_until_they_are_told_again(
    postgres_server: PostgresServer,
) -> None:
    log = LOGS["stays"]()
    with (
        ledger_of(postgres_server, log) as (database, ledger),
        ledger.store.connection() as connection,
    ):
        now = at(ledger, log.head)
        assert kept_at(ledger, connection, now) is None
        told_rows(ledger, log.head)
        assert kept_at(ledger, connection, now) == Kept(frozenset(), frozenset())

        rebuild(ledger.projecting, "pressure", projections, processes=1)
        assert kept_at(ledger, connection, now) is None
        _spoil(database)
        told_rows(ledger, log.head)
        assert_counted_alike(ledger, connection, now)


def test_rows_that_came_first_and_were_numbered_last_hide_no_others(
    postgres_server: PostgresServer,
) -> None:
    log = LOGS["stays"]()
    anew = f"UPDATE {SCHEMA}.projections SET generation = DEFAULT WHERE name = %s".encode()
    with (
        ledger_of(postgres_server, log) as (database, ledger),
        ledger.store.connection() as connection,
    ):
        told_rows(ledger, log.head)
        now = at(ledger, log.head)
        with session_of(database) as slow, slow.transaction():
            slow.execute(anew, ("pressure",))
            with session_of(database) as fast:
                fast.execute(anew, ("attainment",))
            assert ledger.audit.catch_up() == log.head
            assert kept_at(ledger, connection, now)
        assert kept_at(ledger, connection, now) is None
        told_rows(ledger, log.head)
        assert kept_at(ledger, connection, now)


def test_a_parked_deal_is_judged_and_one_that_goes_on_has_all_rows_told_again(
    postgres_server: PostgresServer,
) -> None:
    log = LOGS["stays"]()
    with (
        ledger_of(postgres_server, log) as (database, ledger),
        ledger.store.connection() as connection,
    ):
        told_rows(ledger, log.head)
        now = at(ledger, log.head)
        ((deal_id,),) = connection.execute("SELECT deal_id FROM acts LIMIT 1").fetchall()
        with session_of(database) as superuser:
            superuser.execute(
                f"INSERT INTO {SCHEMA}.parked VALUES ('pressure', %s, %s, 'x')".encode(),
                (deal_id, log.head),
            )
        assert kept_at(ledger, connection, now) == Kept(frozenset({deal_id}), frozenset())
        assert ledger.worker.resume() == 0
        assert kept_at(ledger, connection, now) is None
        _spoil(database)
        told_rows(ledger, log.head)
        assert_counted_alike(ledger, connection, now)


def test_rows_that_come_while_a_question_is_answered_are_asked_instead(
    postgres_server: PostgresServer,
) -> None:
    log = LOGS["stays"]()
    with ledger_of(postgres_server, log) as (_, ledger), ledger.store.connection() as connection:
        told_rows(ledger, log.head - 1)
        now = at(ledger, log.head)
        seen: list[Kept] = []

        def made(kept: Kept) -> Kept:
            seen.append(kept)
            told_rows(ledger, log.head)
            return kept

        known = ledger.context.known(now.position)
        answer = KeptVerdicts(ledger.context).answer(connection, now, known, made)
    assert seen[0] != seen[1] == answer == Kept(frozenset(), frozenset())


def test_what_a_cut_hides_and_what_a_gate_caps_is_judged(postgres_server: PostgresServer) -> None:
    log = told_late_log(Random(31), gates=("0.05", "0.15", "0.15"))
    with ledger_of(postgres_server, log) as (_, ledger), ledger.store.connection() as connection:
        told_rows(ledger, log.head)
        now = at(ledger, log.head)
        assert kept_at(ledger, connection, now) is None
    log = LOGS["stays"]()
    with ledger_of(postgres_server, log) as (_, ledger), ledger.store.connection() as connection:
        told_rows(ledger, log.head)
        now = at(ledger, log.head)
        assert kept_at(ledger, connection, now)
        assert kept_at(ledger, connection, replace(now, cut=now.effective_at)) is None


def _found(ledger: Ledger, question: LogQuestion) -> tuple[list[int], object]:
    """Give the positions of all pages of a question, and its counts."""
    events = (event for page in ledger.log.pages(question, size=7) for event in page.events)
    counts = ledger.log.counts(question, ["type", "rep"])
    return [event.position for event in events], counts


def _spoil(database: str) -> None:
    """Let every row of auditors be wrong, so that one that is left would show."""
    with session_of(database) as superuser:
        superuser.execute(f"UPDATE {SCHEMA}.audit_verdicts SET verdict = 'not_evaluable'".encode())
