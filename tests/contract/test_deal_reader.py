"""Deals that stay read are bounded in memory, and read anew where they had to give way."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import pytest

from api import deal_reader
from api.deal_reader import DealReader
from api.storage.log_reader import LogReader
from api.storage.rows import Event, Unreadable
from tests.support.client import client_on, open_deal, post
from tests.support.ledgers import SCHEMA

LONG = {"type": "note_added", "data": {"text": "x" * 9_000}}


class Counted(LogReader):
    """Counts the deals that are read whole."""

    read = 0

    def readable_streams(
        self, ids: Sequence[str], *, upto: int
    ) -> tuple[list[Event], list[Unreadable]]:
        self.read += len(ids)
        return super().readable_streams(ids, upto=upto)


@pytest.fixture
def store(database: str) -> Iterator[Counted]:
    with client_on(database, apart=False) as client:
        deals = [open_deal(client) for _ in range(4)]
        for deal in deals:
            post(client, f"/v1/deals/{deal}/events", LONG)
        open_deal(client, LONG)
    with Counted(database, schema=SCHEMA).closing() as reader:
        yield reader


def read(reader: DealReader, store: Counted) -> dict[UUID, Any]:
    """Take the log in in three stretches, as three projections would; give the last deals."""
    found: dict[UUID, Any] = {}
    for after, upto in ((0, 4), (4, 8), (8, 10)):
        for _ in range(3):
            touched = reader.touched(after, upto)
            found = dict(reader.deals(touched).streams)
    return found


def test_what_stays_read_is_read_once(store: Counted) -> None:
    read(DealReader(store), store)

    assert store.read == 5


def test_long_texts_count_for_what_they_take(
    store: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = read(DealReader(store), store)
    store.read = 0
    # Four openings fit, and two long notes do not.
    monkeypatch.setattr(deal_reader, "KEPT_BYTES", 20_000)

    bounded = read(DealReader(store), store)

    assert bounded == whole
    assert store.read > 5


def test_a_deal_that_grows_gives_up_its_place_too(
    store: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deal_reader, "KEPT_BYTES", 20_000)
    reader = DealReader(store)
    for after, upto in ((0, 4), (4, 8)):
        reader.deals(reader.touched(after, upto))
    store.read = 0

    reader.deals(reader.touched(8, 9) | {event_deal(store, 1)})

    assert store.read >= 1


def event_deal(store: LogReader, position: int) -> UUID:
    (event,) = store.events_at(position, position)
    return UUID(event.stream_id.partition(":")[2])
