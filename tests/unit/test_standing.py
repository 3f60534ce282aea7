"""Deals that are kept in memory are what a load would give, and are forgotten in time."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from api.memory import memory_of
from api.standing import RecentDeals, Standing
from domain.deal import replay
from domain.events.people import NoteAdded
from domain.replay import Event
from tests.support.histories import DISORDER, HISTORIES, told


def standing_at(version: int) -> Standing:
    """A deal with so many events."""
    return Standing.of_deal(told([(NoteAdded(text="Called"), hour) for hour in range(version)]))


@given(events=HISTORIES | st.builds(told, DISORDER))
def test_a_deal_followed_event_by_event_is_the_deal_replayed(events: list[Event]) -> None:
    standing = Standing(())
    for count, event in enumerate(events, start=1):
        standing = standing.then(event)

        assert standing == Standing(tuple(events[:count]), replay(events[:count]))
        assert standing.version == count


def test_the_longest_unused_deals_are_forgotten_first() -> None:
    recent = RecentDeals(kept_bytes=memory_of(standing_at(5).events))
    recent.put("deal:a", standing_at(2))
    recent.put("deal:b", standing_at(2))
    recent.get("deal:a")
    recent.put("deal:c", standing_at(2))

    assert recent.get("deal:b") is None
    assert recent.get("deal:a") == standing_at(2)
    recent.put("deal:a", standing_at(4))
    assert recent.get("deal:c") is None
    assert recent.get("deal:a") == standing_at(4)


def test_an_older_version_does_not_replace_a_newer_one() -> None:
    recent = RecentDeals()
    recent.put("deal:a", standing_at(3))
    recent.put("deal:a", standing_at(2))

    assert recent.get("deal:a") == standing_at(3)


def test_a_deal_larger_than_all_that_is_kept_is_not_kept() -> None:
    recent = RecentDeals(kept_bytes=memory_of(standing_at(5).events))
    recent.put("deal:a", standing_at(6))

    assert recent.get("deal:a") is None
    recent.put("deal:b", standing_at(5))
    assert recent.get("deal:b") == standing_at(5)


def test_long_texts_are_kept_within_the_same_memory() -> None:
    recent = RecentDeals(kept_bytes=3_000_000)
    tracemalloc.start()
    begun, _ = tracemalloc.get_traced_memory()
    for deal in range(200):
        # One such character makes Python keep every other one in four bytes, too.
        notes = [
            NoteAdded(text=f"{deal} {hour} \N{GRINNING FACE}" + 9_900 * "x") for hour in (1, 2)
        ]
        recent.put(f"deal:{deal}", Standing.of_deal(told([(note, 1) for note in notes])))
    kept = tracemalloc.get_traced_memory()[0] - begun
    tracemalloc.stop()

    assert recent.get("deal:199") is not None
    assert recent.get("deal:0") is None
    assert kept < 3_500_000
