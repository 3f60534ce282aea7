"""The catalogue of events is complete, its names are stable, and its page is up to date."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain import events
from domain.events.base import DomainEvent, type_name
from domain.events.catalogue import EVENT_TYPES, TYPES_BY_NAME
from domain.events.describe import page

ROOT = Path(__file__).resolve().parents[2]
TOPIC = re.compile(
    r"(deal|quota|process|policy|calendar|organisation|rates|forecast)\.[a-z]+(_[a-z]+)*\.v[1-9]"
)


def defined_events() -> list[type[DomainEvent]]:
    for module in pkgutil.iter_modules(events.__path__):
        importlib.import_module(f"{events.__name__}.{module.name}")
    shipped = (event for event in _heirs(DomainEvent) if event.__module__.startswith("domain."))
    return sorted(shipped, key=lambda event: event.__name__)


def _heirs(event: type[DomainEvent]) -> Iterator[type[DomainEvent]]:
    for heir in event.__subclasses__():
        yield heir
        yield from _heirs(heir)


EVENTS = defined_events()
each_event = pytest.mark.parametrize("event", EVENTS, ids=[event.__name__ for event in EVENTS])


def test_every_event_is_in_the_catalogue() -> None:
    assert set(EVENTS) == set(EVENT_TYPES.values())


def test_no_two_events_share_a_topic_or_a_name() -> None:
    assert len(EVENT_TYPES) == len(TYPES_BY_NAME) == len(EVENTS)


@each_event
def test_a_topic_is_stated_by_the_event_itself_and_well_formed(event: type[DomainEvent]) -> None:
    assert "TOPIC" in vars(event)
    assert TOPIC.fullmatch(event.TOPIC)


@each_event
def test_an_event_is_called_like_its_topic(event: type[DomainEvent]) -> None:
    words = re.findall("[A-Z][a-z]*", event.__name__)

    assert type_name(event) == "_".join(words).lower()


@each_event
def test_an_event_says_in_one_sentence_what_it_means(event: type[DomainEvent]) -> None:
    sentence = vars(event).get("__doc__") or ""

    assert re.fullmatch(r"[A-Z][^\n]+[a-z]\.", sentence), sentence


@each_event
def test_no_event_is_derived_from_another(event: type[DomainEvent]) -> None:
    assert list(_heirs(event)) == []


def test_the_page_of_events_is_up_to_date() -> None:
    """To make it again, run the command at the head of the page."""
    assert (ROOT / "docs" / "events.md").read_text() == page()
