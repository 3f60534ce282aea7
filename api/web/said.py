"""What the page of a deal tells of both sides' word: what was said, by when, what became of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from api.web import format as f
from api.web.commitments_page import by_whom
from api.web.today_page import records_of
from projections.words import COMMITMENT_LEVELS

_BECAME: Final = {
    "open": "open",
    "renegotiated": "open, another day was agreed",
    "kept": "kept",
    "broken": "broken",
    "withdrawn": "withdrawn",
}


@dataclass(frozen=True, slots=True)
class Said:
    """What a customer said they will do, or we; `records` are forms for what waits."""

    event_id: str
    ours: bool
    what: str
    became: str
    note: str
    waits: bool
    records: tuple[tuple[str, str], ...]


def said_of(commitments: Iterable[Mapping[str, Any]]) -> tuple[Said, ...]:
    """What still waits by the day that it is due, and then the rest by the same."""
    told = sorted(
        commitments,
        key=lambda one: (one["settled"], one["due"] is None, str(one["due"] or ""), one["id"]),
    )
    return tuple(_said(one) for one in told)


def _said(one: Mapping[str, Any]) -> Said:
    waits = not one["settled"]
    by, firmness = by_whom(one), one["level"]
    notes = (
        by,
        "" if firmness is None else COMMITMENT_LEVELS[firmness],
        f"due {f.day(one['due'])}" if one["due"] else "no day",
    )
    late = waits and one["status"] == "broken"
    return Said(
        event_id=one["event_id"],
        ours=one["side"] == "seller",
        what=one["what"],
        became="past its day" if late else _BECAME[one["status"]],
        note=" · ".join(note for note in notes if note),
        waits=waits,
        records=records_of(one) if waits else (),
    )
