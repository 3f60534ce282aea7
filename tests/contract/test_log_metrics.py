"""What is counted of the commits is what the log did.

Holds `docs/guarantees.md`, G51.
"""

import asyncio
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from api.storage import group_commit
from api.storage.errors import LogUnavailableError
from api.storage.event_store import EventStore
from tests.support.log import ask, new_event, session


def counted(store: EventStore) -> dict[str, float]:
    """What was appended, refused and committed so far."""
    registry = CollectorRegistry()
    for metric in store.metrics.collectors():
        registry.register(metric)
    value: Any = registry.get_sample_value
    outcomes = ("appended", "conflict", "duplicate", "refused")
    return {
        **{name: value("dealtrail_appends_total", {"outcome": name}) for name in outcomes},
        "events": value("dealtrail_events_appended_total"),
        "commits": value("dealtrail_commit_seconds_count"),
        "batched": value("dealtrail_commit_requests_sum"),
    }


def test_each_outcome_is_counted_once(store: EventStore) -> None:
    store.append_blocking(ask("deal:a", new_event(), new_event(), key="k"))
    store.append_blocking(ask("deal:a", new_event(), key="k"))
    store.append_blocking(ask("deal:a", expected=7))

    assert counted(store) == {
        "appended": 1,
        "conflict": 1,
        "duplicate": 1,
        "refused": 0,
        "events": 2,
        "commits": 3,
        "batched": 3,
    }


def test_requests_that_share_a_commit_are_one_batch(store: EventStore) -> None:
    store.append_many_blocking([ask(f"deal:{n}") for n in range(50)])

    told = counted(store)
    assert (told["appended"], told["events"], told["batched"]) == (50, 50, 50)
    assert 1 <= told["commits"] < 50


def test_what_the_database_refuses_is_counted_for_each_client(
    store: EventStore, ledger_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "WAIT_SECONDS", 0.3)
    with session(ledger_dsn) as other, other.transaction():
        other.execute("SELECT FROM log_head FOR UPDATE")
        with pytest.raises(LogUnavailableError):
            store.append_many_blocking([ask("deal:a"), ask("deal:b")])

    assert counted(store)["refused"] == 2


async def test_a_full_queue_is_counted(store: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "MAX_QUEUE", 10)
    appends = (store.append(ask(f"deal:{n}")) for n in range(15))

    await asyncio.gather(*appends, return_exceptions=True)

    told = counted(store)
    assert told["refused"] > 0
    assert told["refused"] + told["appended"] == 15
