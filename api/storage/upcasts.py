"""How payloads of former topic versions are read today: one function for each step up.

A stored topic is never rewritten. When `deal.x.v2` replaces `deal.x.v1`, the latter leaves the
catalogue and gets an entry here and a file of its old bytes in `tests/golden`.
"""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import orjson

from domain.events.base import DomainEvent
from domain.events.catalogue import EVENT_TYPES

Payload: TypeAlias = dict[str, object]
Step: TypeAlias = tuple[str, Callable[[Payload], Payload]]

UPCASTS: Final[Mapping[str, Step]] = {}
"""From a former topic to the next one, and what turns the former payload into the next."""


class UnknownTopicError(LookupError):
    """No event type and no upcast has this topic."""


def is_known(topic: str) -> bool:
    """Say whether payloads of this topic can be read, whatever version it is."""
    return topic in EVENT_TYPES or topic in UPCASTS


def read_payload(
    topic: str, data: str | bytes, *, upcasts: Mapping[str, Step] = UPCASTS
) -> DomainEvent:
    """The payload as today's event type, whatever version it was stored in.

    Raises:
        UnknownTopicError: the topic is in neither registry; nothing is ever imported by name.
        pydantic.ValidationError: the payload is not of its type.
    """
    event_type = EVENT_TYPES.get(topic)
    if event_type is not None:
        # Not `model_validate_json`, whose options cost more than reading a small payload.
        read: DomainEvent = event_type.__pydantic_validator__.validate_json(data)
        return read
    if topic not in upcasts:
        message = f"the topic {topic} is not known"
        raise UnknownTopicError(message)
    payload = orjson.loads(data)
    while topic in upcasts:
        topic, step = upcasts[topic]
        payload = step(payload)
    return read_payload(topic, orjson.dumps(payload), upcasts={})
