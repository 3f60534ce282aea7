"""Titles of events as pages show them, from what the API answers."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from api.web.format import event_words
from domain.events.catalogue import TYPES_BY_NAME, parse
from projections.names import NO_NAMES
from projections.wording import Wording
from projections.words import title


def shown_titles(history: Mapping[str, Any]) -> dict[str, str]:
    """The titles of a history by event, on one line each, with figures as pages write them."""
    return {one["event_id"]: " ".join(_shown(one).split()) for one in history["events"]}


def _shown(entry: Mapping[str, Any]) -> str:
    data = (entry["amended"] or {}).get("data") or entry["data"]
    named = {str(data.get("commitment_id")): entry["title"].partition(": ")[2]}
    words = title(parse(TYPES_BY_NAME[entry["type"]], data), replace(NO_NAMES, commitments=named))
    if not isinstance(words, Wording):
        return str(entry["title"])
    assert words == entry["title"]
    return event_words(words)
