"""What a deal page says of what its ticks taught, and of facts that no activity is linked to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from api.web import format as f

SHOWN: Final = 5
"""Facts told one by one; of more only their number."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact that was learned, in words, with the event that tells it."""

    text: str
    event_id: str


@dataclass(frozen=True, slots=True)
class Facts:
    """The first facts of a list, and how many more there are."""

    shown: tuple[Fact, ...]
    more: int

    @classmethod
    def of(cls, learned: Sequence[Mapping[str, Any]]) -> Self:
        """Put facts of the application's answer in words."""
        shown = tuple(
            Fact(f"{f.words_of(one['kind'])}: {_value(one)}", one["event_id"])
            for one in learned[:SHOWN]
        )
        return cls(shown, len(learned) - len(shown))


@dataclass(frozen=True, slots=True)
class Lessons:
    """One bead for each ticked activity, hollow where no fact is linked to it, and loose facts."""

    beads: tuple[str, ...]
    unlinked: Facts

    @property
    def headline(self) -> str:
        """How many ticks have a fact linked, and how many facts none; silence without a tick."""
        if not self.beads:
            return ""
        ticked = f.count(len(self.beads), "ticked activity", "ticked activities")
        loose = f.count(len(self.unlinked.shown) + self.unlinked.more, "fact is", "facts are")
        return (
            f"{self.beads.count('filled')} of {ticked} taught a linked fact; {loose} linked to none"
        )


def _value(fact: Mapping[str, Any]) -> str:
    """The value; a date comes after what it is of, and a role after whose it is.

    Who is learned of is at the customer.
    """
    value = str(fact["value"])
    of, _, rest = value.partition(": ")
    match fact["kind"]:
        case "person":
            return f.contact(value)
        case "role":
            return f"{f.contact(of)}, {rest}"
        case "date":
            return f"{f.written(rest)} ({f.words_of(of).lower()})"
        case _:
            return value


def lessons_of(
    activities: Iterable[Mapping[str, Any]], unlinked: Sequence[Mapping[str, Any]]
) -> Lessons:
    """Sum up what the ticks of a deal taught, and what was learned besides."""
    return Lessons(
        tuple("filled" if one["learned"] else "hollow" for one in activities if one["ticked_at"]),
        Facts.of(unlinked),
    )
