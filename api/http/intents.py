"""The bodies of writes: events as clients tell them, one model for each type."""

from typing import Annotated, Any, Final, Literal, TypeAlias, TypeVar
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model

from api.application import Intent
from api.errors import MalformedRequestError
from api.http.body import JsonObject
from api.http.fields import field_errors
from domain.events.base import DomainEvent
from domain.events.catalogue import STREAM_KINDS, TYPES_BY_NAME
from domain.events.honesty import EventRetracted
from domain.events.life import DealOpened
from domain.values import Identifier, LongText, ZonedInstant

MAX_EVENTS: Final = 500
"""Events of one request; more go to `POST /v1/events:bulk`."""
_LITERAL: Final[Any] = Literal
Model = TypeVar("Model", bound=BaseModel)


def _canonical_id(value: object) -> object:
    # Other spellings of a UUID (braces, no hyphens) would not be found again by text.
    if isinstance(value, str) and len(value) != len(str(UUID(int=0))):
        raise ValueError('expected an event id such as "018f4e9c-0000-7000-8000-000000000000"')
    return value


class Envelope(BaseModel):
    """What may stand around an event; without `occurred_at` it happens now."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    occurred_at: ZonedInstant | None = Field(
        None, description="When it happened in the world, with its zone; now if left out."
    )
    on_behalf_of: Identifier | None = Field(
        None, description="Who acted, where that is not the owner of the token."
    )
    correlation_id: Identifier | None = Field(
        None, description="Your own name for what belongs together."
    )
    caused_by: Annotated[UUID, BeforeValidator(_canonical_id)] | None = Field(
        None, description="The event that brought this one about."
    )


def _item(name: str, event_type: type[DomainEvent]) -> type[Envelope]:
    return create_model(
        f"{event_type.__name__}Told",
        __base__=Envelope,
        __doc__=event_type.__doc__,
        type=(_LITERAL[name], ...),
        data=(event_type, ...),
    )


def _items(kind: str) -> Any:
    items = [_item(n, TYPES_BY_NAME[n]) for n, of in STREAM_KINDS.items() if of == kind]
    if len(items) == 1:
        return items[0]
    union: Any = items[0]
    for item in items[1:]:
        union |= item
    return Annotated[union, Field(discriminator="type")]


def _events_model(kind: str) -> type[BaseModel]:
    item: Any = _items(kind)
    return create_model(
        f"{kind.capitalize()}Events",
        __config__=ConfigDict(extra="forbid", frozen=True),
        __doc__="Events to record together or not at all.",
        events=(list[item], Field(min_length=1, max_length=MAX_EVENTS)),
    )


BODIES: Final[dict[str, type[BaseModel]]] = {
    kind: _events_model(kind) for kind in dict.fromkeys(STREAM_KINDS.values())
}
"""The body that records events of one kind of stream, by the kind."""
_TAGGED: Final = frozenset(
    kind for kind in BODIES if sum(of == kind for of in STREAM_KINDS.values()) > 1
)
"""Kinds with several event types, whose errors name the type on their way to the field."""
ShortFields: TypeAlias = dict[str, Any]
_SHORT_FIELDS: Final[ShortFields] = {
    name: (field.annotation, field) for name, field in DealOpened.model_fields.items()
}
OpenDeal: Final[type[Envelope]] = create_model(
    "OpenDeal",
    __base__=Envelope,
    __doc__="The short form of one `deal_opened`: its fields, and its envelope beside them.",
    **_SHORT_FIELDS,
)


class UndoEvent(BaseModel):
    """Why an event is undone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: LongText
    on_behalf_of: Identifier | None = Field(
        None, description="Who undoes it, where that is not the owner of the token."
    )


def read_undoing(body: bytes, event_id: UUID) -> Intent:
    """Give the retraction that undoes an event."""
    told = validated(UndoEvent, body)
    data = EventRetracted(event_id=event_id, reason=told.reason)
    return Intent(data=data, on_behalf_of=told.on_behalf_of, undoes=True)


def read_intents(kind: str, body: bytes, content: JsonObject) -> tuple[Intent, ...]:
    """Give the events that a body asks to record.

    Raises:
        MalformedRequestError: naming each field that is wrong.
    """
    _ensure_types(kind, content)
    told: Any = validated(BODIES[kind], body, tagged=kind in _TAGGED)
    return tuple(_intent(item, item.data) for item in told.events)


def read_opening(body: bytes, content: JsonObject) -> tuple[Intent, ...]:
    """Give the events of a new deal, in the long form or in the short one."""
    if "events" in content or not content.keys() & DealOpened.model_fields.keys():
        return read_intents("deal", body, content)
    opened = validated(OpenDeal, body)
    fields = {name: getattr(opened, name) for name in DealOpened.model_fields}
    return (_intent(opened, DealOpened.model_validate(fields)),)


def validated(model: type[Model], body: bytes, *, tagged: bool = False) -> Model:
    """Read a body as a model; `tagged` as for `field_errors`.

    Raises:
        MalformedRequestError: naming each field that is wrong.
    """
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        errors = field_errors(faults, tagged=tagged)
        raise malformed(errors) from error


def malformed(errors: list[dict[str, str]]) -> MalformedRequestError:
    """Give the refusal of a request that names every field at fault."""
    detail = "; ".join(f"{one['field'] or 'body'}: {one['detail']}" for one in errors[:5])
    if len(errors) > 5:  # noqa: PLR2004 - as many as the line above shows
        detail += f"; and {len(errors) - 5} more"
    return MalformedRequestError(detail, field=errors[0]["field"] or None, errors=errors)


def _ensure_types(kind: str, content: JsonObject) -> None:
    """Refuse unknown and misplaced types in words, not with a list of all there are."""
    events = content.get("events")
    if not isinstance(events, list):
        return
    errors = [
        {"field": f"events[{index}].type", "detail": detail}
        for index, event in enumerate(events)
        if isinstance(event, dict) and (detail := _wrong_type(kind, event.get("type")))
    ]
    if errors:
        raise malformed(errors)


def _wrong_type(kind: str, name: object) -> str | None:
    if name is None:
        return "missing"
    if not isinstance(name, str):
        return "expected the name of an event type"
    if name not in STREAM_KINDS:
        return f"no event type is called {name[:80]!r}"
    if STREAM_KINDS[name] != kind:
        return f"{name} belongs to a stream of the kind {STREAM_KINDS[name]!r}, not {kind!r}"
    return None


def _intent(envelope: Envelope, data: DomainEvent) -> Intent:
    return Intent(
        data=data,
        occurred_at=envelope.occurred_at,
        on_behalf_of=envelope.on_behalf_of,
        correlation_id=envelope.correlation_id,
        caused_by=envelope.caused_by,
    )
