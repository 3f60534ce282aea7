"""The fields that a query can ask about, and what may be said of each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias, get_args

from api.query import values
from api.query.errors import QueryError, closest
from api.query.payload import Kind as Payload
from api.query.payload import Place, place_of, places
from api.query.tree import Between, Given, Leaf, Term, Word
from domain.events.catalogue import TYPES_BY_NAME
from projections.pressure.fold import Verdict
from projections.progress.status import STATUSES

Kind: TypeAlias = Literal["name", "text", "truth", "number", "whole", "time", "quarter"]
PAYLOAD_PREFIX: Final = "data."
CHANNELS: Final = ("ui", "api", "import", "rule")
PRESSURE_VERDICTS: Final[tuple[Verdict, ...]] = get_args(Verdict)
PROGRESS_VERDICTS: Final = tuple(status for status in STATUSES if status != "not_ticked")
RULES: Final = ("PS-1", "PS-2", "PS-3", "PS-4", "PS-5")
"""The rules that find something in one event; the others judge several, and are patterns."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field, what kind of value it has, what it says of an event, and the names it knows."""

    name: str
    kind: Kind
    says: str
    names: Sequence[str] = ()


_ALL: Final = (
    Field("type", "name", "the type of the event", tuple(TYPES_BY_NAME)),
    Field("position", "whole", "its place in the log"),
    Field("deal", "text", "the deal that it is about: its id, or its id in the source"),
    Field("account", "text", "the id of an account that its deal was ever of"),
    Field("owner", "text", "who owned the deal at the time"),
    Field("owner_now", "text", "who owns the deal, as known at `as_of`"),
    Field("stage", "text", "the id or the name of the stage of the deal at the time"),
    Field("amount", "number", "the amount of the deal at the time, in its own currency"),
    Field("currency", "text", "the currency of that amount"),
    Field("rep", "text", "whom it is attributed to: `on_behalf_of`, or else the actor"),
    Field("team", "text", "the team that this rep was in when it occurred"),
    Field("actor", "text", "whose credential recorded it"),
    Field("on_behalf_of", "text", "who acted, where the credential is not theirs"),
    Field("channel", "name", "the way it came in", CHANNELS),
    Field("source", "text", "the system that it was imported from"),
    Field("clock", "name", "whose clock `recorded` is", ("server", "source")),
    Field("recorded", "time", "when the log was told"),
    Field("occurred", "time", "when it happened"),
    Field("quarter", "quarter", "the fiscal quarter that it occurred in"),
    Field("days_left", "whole", "local days to that quarter's end when it occurred, 0 on the last"),
    Field(
        "late", "truth", "told more than 48 hours (`late_hours` of the policy) after it occurred"
    ),
    Field("backdated", "truth", "told in another fiscal quarter than it occurred in"),
    Field(
        "verdict",
        "name",
        "of a stage entered, a discount or a close date: its verdict on quota pressure; of an "
        "activity ticked: how the activity counts",
        (*PRESSURE_VERDICTS, *PROGRESS_VERDICTS),
    ),
    Field("rule", "name", "a rule of quota pressure that holds for it", RULES),
)
FIELDS: Final[Mapping[str, Field]] = {field.name: field for field in _ALL}

_EQUAL_ONLY: Final = frozenset({"name", "text", "truth", "texts", "object"})
_READERS: Final[Mapping[str, Callable[[Word], object]]] = {
    "text": values.text,
    "texts": values.text,
    "truth": values.truth,
    "number": values.number,
    "whole": values.whole,
    "time": values.day_or_instant,
    "instant": values.day_or_instant,
    "day": values.day,
    "quarter": values.quarter,
    "anything": values.text,
}


def check(leaf: Leaf) -> None:
    """Refuse a term that no event could ever be held against.

    Raises:
        QueryError: there is no such field or no such value, or they are not compared like that.
    """
    name = leaf.field.text
    if name.startswith(PAYLOAD_PREFIX):
        _check_payload(leaf, payload_place(leaf.field))
        return
    field = FIELDS.get(name)
    if field is None:
        known = [*FIELDS, *(PAYLOAD_PREFIX + one for one in places())]
        meant = PAYLOAD_PREFIX + name if name in places() else closest(name, known)
        expected = f"there is no field {name[:80]!r}"
        raise QueryError(expected, column=leaf.field.column, meant=meant)
    _check_kind(leaf, field.kind)
    if isinstance(leaf, Term) and field.kind == "name":
        for value in leaf.values:
            _check_name(field, value)


def payload_place(field: Word) -> Place:
    """Give where a field of payloads lies.

    Raises:
        QueryError: no type of event has such a one.
    """
    name = field.text.removeprefix(PAYLOAD_PREFIX)
    place = place_of(name)
    if place is None:
        meant = closest(name, places())
        raise QueryError(
            f"no type of event has a field {field.text[:80]!r}",
            column=field.column,
            meant=PAYLOAD_PREFIX + meant if meant else None,
        )
    return place


def readable(kind: Kind | Payload, word: Word) -> object | None:
    """Read a value as one of a kind; None where it is none."""
    try:
        return _READERS[kind](word)
    except QueryError:
        return None


def _check_payload(leaf: Leaf, place: Place) -> None:
    """Refuse what holds for none of the kinds of values that lie at a place."""
    refusals: list[QueryError] = []
    for kind in place.topics:
        try:
            _check_kind(leaf, kind)
        except QueryError as refusal:
            refusals.append(refusal)
        else:
            return
    raise refusals[0]


def _check_kind(leaf: Leaf, kind: Kind | Payload) -> None:
    name, column = leaf.field.text, leaf.field.column
    if isinstance(leaf, Given):
        return
    if kind == "object":
        inside = next(one for one in places() if f"{PAYLOAD_PREFIX}{one}".startswith(name + "."))
        expected = f"{name} holds fields of its own, such as {PAYLOAD_PREFIX}{inside}"
        raise QueryError(expected, column=column)
    if isinstance(leaf, Between):
        _check_range(leaf, kind)
        return
    if leaf.comparison != ":" and kind in _EQUAL_ONLY:
        expected = f"{name} is equal or not: expected {name}:value, not {leaf.comparison!r}"
        raise QueryError(expected, column=column)
    if leaf.comparison != ":" and len(leaf.values) > 1:
        raise QueryError("expected one value to compare with", column=leaf.values[1].column)
    if kind != "name":
        for value in leaf.values:
            _READERS[kind](value)


def _check_range(leaf: Between, kind: Kind | Payload) -> None:
    if kind not in {"time", "instant", "day"}:
        name = leaf.field.text
        hint = f"{name}>= and {name}<=" if kind not in _EQUAL_ONLY else "quotation marks"
        raise QueryError(f"a range is one of days or instants; use {hint}", column=_column(leaf))
    ends = [_READERS[kind](end) for end in (leaf.since, leaf.until) if end]
    if len(ends) == 2 and type(ends[0]) is type(ends[1]):  # noqa: PLR2004
        since, until = ends
        if isinstance(since, datetime) and isinstance(until, datetime):
            backwards = since >= until
        else:
            backwards = str(since) >= str(until)
        if backwards:
            expected = "the range ends where it begins or before: its end does not belong to it"
            raise QueryError(expected, column=_column(leaf))


def _column(leaf: Between) -> int:
    first = leaf.since or leaf.until
    return first.column if first else leaf.field.column


def _check_name(field: Field, value: Word) -> None:
    if value.text in field.names:
        return
    few = ", ".join(field.names)
    expected = f"there is no {field.name} {value.text[:80]!r}"
    if len(field.names) <= len(CHANNELS) + 2:
        expected += f"; there are {few}"
    raise QueryError(expected, column=value.column, meant=closest(value.text, field.names))
