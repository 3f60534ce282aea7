"""What every event payload has in common."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict
from pydantic.config import JsonDict


class Part(BaseModel):
    """A value inside an event: frozen, and refusing fields that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, strict=True)


class DomainEvent(Part):
    """A fact as its teller stated it; nothing in it can be computed from other events.

    `TOPIC` is the stored name and a file format: it is never changed and never inherited.
    """

    TOPIC: ClassVar[str]

    def to_json(self) -> bytes:
        """Give the payload as it is stored: declared order, absent optional fields left out."""
        return self.__pydantic_serializer__.to_json(self, by_alias=True, exclude_none=True)


def type_name(event_type: type[DomainEvent]) -> str:
    """Give the name that the API uses: `deal.stage_entered.v1` is `stage_entered`."""
    return event_type.TOPIC.split(".")[1]


def either_of(one: str, other: str) -> JsonDict:
    """Give the schema of what names exactly one of two fields, which are texts."""
    return {
        "oneOf": [
            {"required": [given], "properties": {given: {"type": "string"}, left: {"type": "null"}}}
            for given, left in ((one, other), (other, one))
        ]
    }
