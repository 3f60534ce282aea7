"""PR-1: how many of the deals that reps open do not fit, while they are behind and otherwise."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias
from uuid import UUID

from domain.comparisons import COUNTS_ONLY
from domain.statistics import wilson
from projections.pressure.rules import Truth

Fit: TypeAlias = Literal["in", "out", "unclear"]
PLACES: Final = 6
"""Ratios are given to six places."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A deal that a rep opened; `behind` says whether the rep's pressure was theta or more then."""

    event_id: UUID
    rep: str
    behind: Truth
    fit: Fit | None
    fit_event_id: UUID | None


def off_fit(opened: Iterable[Opened]) -> dict[str, object]:
    """Give the rate of off-fit deals, of everybody and of each rep, in the order of their ids.

    It is a rate and no verdict on any deal: the share found to be off-fit of those opened while
    behind that were found to fit or not. Beside it stands the same share of those opened
    otherwise; the two say nothing of each other unless both have an interval.
    """
    every = list(opened)
    reps = sorted({one.rep for one in every})
    return {
        **_rates(every),
        "reps": [{"rep": rep, **_rates([o for o in every if o.rep == rep])} for rep in reps],
    }


def _rates(opened: Sequence[Opened]) -> dict[str, object]:
    return {
        "behind": _rate([one for one in opened if one.behind is True]),
        "not_behind": _rate([one for one in opened if one.behind is False]),
        "pressure_unknown": sum(one.behind is None for one in opened),
    }


def _rate(opened: Sequence[Opened]) -> dict[str, object]:
    assessed = [one for one in opened if one.fit in {"in", "out"}]
    found = [one for one in assessed if one.fit == "out"]
    enough = len(assessed) >= COUNTS_ONLY
    bounds = wilson(len(found), len(assessed)) if enough else None
    return {
        "off_fit": len(found),
        "assessed": len(assessed),
        "opened": len(opened),
        "rate": round(len(found) / len(assessed), PLACES) if enough else None,
        "interval": None if bounds is None else [round(bound, PLACES) for bound in bounds],
        "evidence": [
            str(event_id)
            for one in found
            for event_id in (one.event_id, one.fit_event_id)
            if event_id is not None
        ],
    }
