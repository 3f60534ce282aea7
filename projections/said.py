"""How an answer quotes an event: in words, with its age and whose word it is."""

from datetime import datetime

from domain.acts import level_of, word_of
from domain.events.base import type_name
from domain.replay import Event
from projections.names import NO_NAMES, Names
from projections.words import detail, title


def age_days(since: datetime, at: datetime) -> int:
    """Give the full days (of 24 hours) from one instant to another; 0 where it lies ahead."""
    return max(0, (at - since).days)


def said_json(event: Event, at: datetime, names: Names = NO_NAMES) -> dict[str, object]:
    """Quote an event at an instant, its ids by their names.

    `word_from` tells what `word` is read from: the level, or, where an event has none, whoever
    recorded it.
    """
    word, word_from = word_of(event)
    return {
        "event_id": str(event.event_id),
        "type": type_name(type(event.data)),
        "title": title(event.data, names),
        "detail": detail(event.data, names),
        "level": level_of(event),
        "word": word,
        "word_from": word_from,
        "recorded_by": event.rep,
        "occurred_at": event.occurred_at,
        "age_days": age_days(event.occurred_at, at),
    }
