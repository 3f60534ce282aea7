"""The one door decides on deals that it remembers, and is never wrong for it.

Holds `docs/guarantees.md`, G2 and G3.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from uuid import UUID

import pytest

from api.application import RETRIES, Application, Caller, Command, Intent, Recorded
from api.bootstrap import build_ledger
from api.errors import ContendedError, KeyReusedError, UnknownDealError, VersionMismatchError
from api.identity.permissions import OPERATOR
from api.storage.event_store import EventStore
from api.storage.requests import AppendRequest, Verdict, new_event_id
from domain.errors import DomainError
from domain.events.base import DomainEvent
from domain.events.catalogue import TYPES_BY_NAME
from tests.support.log import SCHEMA

_KEYS = count(1)


def said(name: str, /, **data: object) -> DomainEvent:
    return TYPES_BY_NAME[name].model_validate(data)


OPENED = said("deal_opened", name="Fleet", account={"id": "a", "name": "Acme"}, owner="ann")


def command(*facts: DomainEvent, key: str | None = None, if_match: int | None = None) -> Command:
    return Command(
        caller=Caller(identity=OPERATOR),
        intents=tuple(Intent(data=fact) for fact in facts),
        idempotency_key=key or f"key-{next(_KEYS)}",
        body_hash=str(facts),
        if_match=None if if_match is None else (if_match,),
    )


@contextmanager
def doors(dsn: str) -> Iterator[tuple[asyncio.Runner, Application, Application, EventStore]]:
    """Two processes' doors to one ledger, as far as they can know of each other."""
    with asyncio.Runner() as runner:
        stores = [EventStore(dsn, schema=SCHEMA) for _ in range(2)]
        for store in stores:
            store.start(runner.get_loop())
        try:
            one, other = (build_ledger(store, store).application for store in stores)
            yield runner, one, other, stores[0]
        finally:
            for store in stores:
                runner.run(store.aclose())


def opened(runner: asyncio.Runner, door: Application) -> UUID:
    recorded = runner.run(door.open_deal(command(OPENED)))
    return UUID(recorded.stream_id.partition(":")[2])


def test_what_is_answered_is_what_the_log_has(ledger_dsn: str) -> None:
    with doors(ledger_dsn) as (runner, door, _, store):
        deal = opened(runner, door)
        told: list[Recorded] = [
            runner.run(door.append_to_deal(deal, command(*facts)))
            for facts in (
                [
                    said("stage_entered", stage="qualification"),
                    said("deal_lost"),
                    said("deal_reopened"),
                ],
                [said("discount_offered", percent="10")],
                [said("close_date_moved", to="2027-01-01"), said("note_added", text="Called")],
            )
        ]
        stored = store.stream(f"deal:{deal}")

    assert [event for recorded in told for event in recorded.events] == stored[1:]


def test_a_remembered_deal_that_somebody_else_wrote_to_is_loaded_again(ledger_dsn: str) -> None:
    with doors(ledger_dsn) as (runner, one, other, store):
        deal = opened(runner, one)
        runner.run(other.append_to_deal(deal, command(said("deal_lost"))))
        with pytest.raises(DomainError):
            runner.run(one.append_to_deal(deal, command(said("discount_offered", percent="5"))))
        runner.run(other.append_to_deal(deal, command(said("deal_reopened"))))
        ticked = runner.run(
            one.append_to_deal(
                deal, command(said("stage_entered", stage="qualification"), if_match=3)
            )
        )
        with pytest.raises(VersionMismatchError) as refused:
            runner.run(other.append_to_deal(deal, command(said("deal_lost"), if_match=3)))
        versions = [event.version for event in store.stream(f"deal:{deal}")]

    assert ticked.version == 4
    assert refused.value.current_version == 4
    assert versions == [1, 2, 3, 4]


def test_a_retry_is_answered_as_before_though_the_deal_would_refuse_it(ledger_dsn: str) -> None:
    won = command(
        said("deal_won", net={"amount": "1.00", "currency": "USD"}, closed_on="2026-01-05")
    )
    with doors(ledger_dsn) as (runner, one, other, _):
        deal = opened(runner, one)
        first = runner.run(one.append_to_deal(deal, won))
        again = [runner.run(door.append_to_deal(deal, won)) for door in (one, other)]
        with pytest.raises(KeyReusedError):
            runner.run(
                one.append_to_deal(
                    deal, command(said("note_added", text="x"), key=won.idempotency_key)
                )
            )

    assert [recorded.events for recorded in again] == [first.events] * 2
    assert all(recorded.replayed for recorded in again)


def test_one_of_many_that_name_a_version_wins(ledger_dsn: str) -> None:
    async def race(doors: list[Application], deal: UUID) -> list[object]:
        note = said("note_added", text="Called")
        return await asyncio.gather(
            *(door.append_to_deal(deal, command(note, if_match=1)) for door in doors * 10),
            return_exceptions=True,
        )

    with doors(ledger_dsn) as (runner, one, other, _):
        deal = opened(runner, one)
        answers = runner.run(race([one, other], deal))

    assert sum(isinstance(answer, Recorded) for answer in answers) == 1
    assert sum(isinstance(answer, VersionMismatchError) for answer in answers) == 19


def test_many_that_name_no_version_are_all_recorded(ledger_dsn: str) -> None:
    async def crowd(door: Application, deal: UUID) -> list[Recorded]:
        notes = [command(said("note_added", text=f"Called {n}")) for n in range(30)]
        return await asyncio.gather(*(door.append_to_deal(deal, note) for note in notes))

    with doors(ledger_dsn) as (runner, one, _, store):
        deal = opened(runner, one)
        answers = runner.run(crowd(one, deal))
        events = store.stream(f"deal:{deal}")

    assert [answer.version for answer in answers] == list(range(2, 32))
    assert [event.data for event in events[1:]] == [
        said("note_added", text=f"Called {n}") for n in range(30)
    ]


def test_who_names_no_version_and_always_loses_is_told_to_come_again(ledger_dsn: str) -> None:
    class Overtaken(EventStore):
        """Somebody else is always first."""

        async def append(self, request: AppendRequest) -> Verdict:
            event = replace(request.events[0], event_id=new_event_id())
            await super().append(
                AppendRequest(stream_id=request.stream_id, events=(event,), caller="else")
            )
            return await super().append(request)

    async def asked(deal: UUID) -> None:
        overtaken = Overtaken(ledger_dsn, schema=SCHEMA).start(asyncio.get_running_loop())
        try:
            slow = build_ledger(overtaken, overtaken).application
            await slow.append_to_deal(deal, command(said("note_added", text="Called"), key="k"))
        finally:
            await overtaken.aclose()

    with doors(ledger_dsn) as (runner, one, _, store):
        deal = opened(runner, one)
        with pytest.raises(ContendedError):
            runner.run(asked(deal))
        written = store.stream(f"deal:{deal}")
        again = runner.run(
            one.append_to_deal(deal, command(said("note_added", text="Called"), key="k"))
        )

    assert len(written) == 1 + RETRIES
    assert again.version == len(written) + 1


def test_a_process_published_elsewhere_counts_for_a_deal_opened_at_once(ledger_dsn: str) -> None:
    process = said(
        "process_published",
        version=1,
        name="Two steps",
        stages=[
            {"id": name, "name": name, "goal": "g", "activities": []} for name in ("one", "two")
        ],
        closing={"won": "won", "lost": "lost"},
    )
    with doors(ledger_dsn) as (runner, one, other, _):
        opened(runner, one)
        runner.run(other.append_to_context("process:short", command(process)))
        recorded = runner.run(one.open_deal(command(OPENED, said("stage_entered", stage="two"))))

    assert recorded.version == 2


def test_an_unknown_deal_is_none(ledger_dsn: str) -> None:
    with doors(ledger_dsn) as (runner, one, _, _), pytest.raises(UnknownDealError):
        runner.run(one.append_to_deal(UUID(int=1), command(said("note_added", text="x"))))
