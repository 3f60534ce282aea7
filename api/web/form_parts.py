"""What a form that records consists of: its fields, and what stands over and beside them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from api.web.reads import FormError
from api.web.record_choices import Choice
from api.web.record_words import Words

_NOT_IN_ID: Final = re.compile("[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as it was sent, and why it is shown again."""

    values: Mapping[str, str]
    error: FormError


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form; a `fixed` one is sent and not shown, one without choices is typed.

    `empty` is what it means to choose nothing.
    """

    name: str
    label: str
    asked: str
    required: bool
    value: str
    choices: tuple[Choice, ...] | None
    help: str
    most: int | None
    empty: str = "Not said"
    fixed: bool = False
    error: str = ""

    @property
    def id(self) -> str:
        return "f-" + _NOT_IN_ID.sub("-", self.name.removeprefix("events[0].data.")).strip("-")

    @property
    def chosen(self) -> tuple[str, ...]:
        """The values of a field that takes several."""
        return tuple(self.value.split("\n"))

    @property
    def nothing(self) -> bool:
        """Whether it must be chosen, and there is nothing to choose."""
        return self.required and self.choices == () and not self.fixed


@dataclass(frozen=True, slots=True)
class Part:
    """One event of a form; a further one is told if something is filled in."""

    fields: tuple[Field, ...]
    kind: str = ""
    legend: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Since:
    """An event that was recorded after the form was shown, and where it is shown."""

    address: str
    title: str
    who: str


@dataclass(frozen=True, slots=True)
class Form:
    """A form, ready for its template; `problem` stands over it, `problems` are of its fields.

    `moved` says that the deal has events that its page did not show, which are `since`, and
    `again` that the form was sent before with something else in it. What is in a `fresh` one was
    just asked for, so that no draft takes its place.
    """

    name: str
    words: Words
    action: str
    key: str
    seen: int
    parts: tuple[Part, ...]
    envelope: tuple[Field, ...] = ()
    hidden: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    about: str = ""
    problem: str = ""
    problems: tuple[Field, ...] = ()
    moved: bool = False
    again: bool = False
    since: tuple[Since, ...] = ()
    fresh: bool = False

    @property
    def fields(self) -> Iterable[Field]:
        for part in self.parts:
            yield from part.fields
        yield from self.envelope

    @property
    def nothing(self) -> bool:
        """Whether there is nothing that it could tell."""
        return any(one.nothing for one in self.fields)
