"""Bytes once stored are read for ever, and written the same; names of classes play no part."""

from pathlib import Path

import pytest

from domain.events.catalogue import EVENT_TYPES

FILES = sorted(Path(__file__).parent.glob("*.json"))


def topic_of(path: Path) -> str:
    """A file is called by its topic; a second example has a word of its own after it."""
    return ".".join(path.name.split(".")[:3])


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_stored_bytes_are_read_and_written_again_unchanged(path: Path) -> None:
    stored = path.read_bytes()

    event = EVENT_TYPES[topic_of(path)].model_validate_json(stored)

    assert event.to_json() == stored


def test_every_topic_has_its_stored_bytes() -> None:
    assert {topic_of(path) for path in FILES} == set(EVENT_TYPES)


@pytest.mark.parametrize("topic", sorted(EVENT_TYPES))
def test_the_examples_of_a_topic_use_each_of_its_fields(topic: str) -> None:
    event_type = EVENT_TYPES[topic]
    examples = [
        event_type.model_validate_json(path.read_bytes())
        for path in FILES
        if topic_of(path) == topic
    ]

    used = {name for example in examples for name in example.model_fields_set}

    assert used == set(event_type.model_fields)
