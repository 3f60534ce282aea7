"""A pattern: what several events together are consistent with, beside the verdicts on each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal, TypeAlias
from uuid import UUID

from domain.policy import Policy
from domain.values import Money, decimal_text
from projections.pressure.rules import Truth

PatternName: TypeAlias = Literal[
    "approval_hugging",
    "approval_splitting",
    "commit_without_commitment",
    "hold_back",
    "lost_and_reopened",
    "tick_burst",
    "win_reversed",
]
PLACES: Final = 6
"""Ratios are given to six places."""


@dataclass(frozen=True, slots=True)
class PatternFact:
    """One fact of a pattern: what was found, what it is held against, and the events that show it.

    `holds` is None where nobody can say.
    """

    fact: str
    value: object
    threshold: object
    holds: Truth = True
    evidence: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a rule beyond the single event found (METRICS section 4): outside every share.

    It is about the event `event_id`, the one that completes it or, in a run, begins it. `holds`
    is None where it cannot be evaluated.
    """

    rule: str
    name: PatternName
    event_id: UUID
    rep: str
    at: datetime
    holds: Truth
    facts: tuple[PatternFact, ...]
    sentence: str

    @property
    def evidence(self) -> tuple[UUID, ...]:
        """The events that its facts rest on, each once, that which it is about among them."""
        shown = [event_id for fact in self.facts for event_id in fact.evidence]
        return tuple(dict.fromkeys([self.event_id, *shown]))


def patterns_json(patterns: Sequence[Pattern], policy: Policy) -> list[dict[str, object]]:
    """Give patterns in the shape of the API, in the order of time."""
    ordered = sorted(patterns, key=lambda one: (one.at, one.rule, one.name, one.event_id))
    return [_pattern_json(pattern, policy) for pattern in ordered]


def _pattern_json(pattern: Pattern, policy: Policy) -> dict[str, object]:
    return {
        "pattern_id": f"{pattern.name}:{pattern.event_id}",
        "rule": pattern.rule,
        "name": pattern.name,
        "policy_version": policy.version,
        "event_id": str(pattern.event_id),
        "rep": pattern.rep,
        "at": pattern.at,
        "holds": pattern.holds,
        "facts": [
            {
                "fact": fact.fact,
                "value": plain(fact.value),
                "threshold": plain(fact.threshold),
                "holds": fact.holds,
                "evidence": [str(event_id) for event_id in fact.evidence],
            }
            for fact in pattern.facts
        ],
        "evidence": [str(event_id) for event_id in pattern.evidence],
        "sentence": pattern.sentence,
    }


def plain(value: object) -> object:
    """Give a value of a fact as the API does: exact numbers as text, shares to six places."""
    match value:
        case Fraction():
            return round(float(value), PLACES)
        case Decimal():
            return decimal_text(value)
        case Money():
            return {"amount": decimal_text(value.amount), "currency": value.currency}
        case datetime() | date():
            return value.isoformat()
        case UUID():
            return str(value)
        case dict():
            return {name: plain(inner) for name, inner in value.items()}
        case list() | tuple():
            return [plain(inner) for inner in value]
        case _:
            return value


def counted(count: int, one: str, more: str | None = None) -> str:
    """Give a count with its noun."""
    return f"{count} {one if count == 1 else more or one + 's'}"
