"""The rules PS-1 to PS-5: what makes a discount, a close date or a stage move abnormal."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final, TypeAlias
from uuid import UUID

from domain.close_date import move_kind
from domain.fiscal import FiscalQuarter
from domain.path import Move
from domain.policy import Policy
from projections.pressure.acts import Act
from projections.pressure.baseline import Dwell, Peers
from projections.pressure.derive import ActSeen

Truth = bool | None
"""Three-valued: None is not known (METRICS section 1)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule found: whether it holds, in which figures, on which evidence."""

    rule: str
    holds: Truth
    value: dict[str, object]
    evidence: tuple[UUID, ...] = ()
    words: str = ""


def any_of(truths: Iterable[Truth]) -> Truth:
    """Kleene's or: true beats unknown, unknown beats false."""
    known = list(truths)
    if True in known:
        return True
    return None if None in known else False


def all_of(truths: Iterable[Truth]) -> Truth:
    """Kleene's and: false beats unknown, unknown beats true."""
    known = list(truths)
    if False in known:
        return False
    return None if None in known else True


def level(depth: Decimal, previous: Decimal | None, peers: Peers | None, policy: Policy) -> Finding:
    """PS-1: as rare as alpha among comparable depths, well above their median, and deeper."""
    deeper = depth > (previous or 0)
    value: dict[str, object] = {
        "percent": depth,
        "previous": previous,
        "baseline": describe(peers),
        "p": None,
    }
    if peers is None:
        return Finding("PS-1", None if deeper else False, value)
    p = peers.p(depth)
    rare = p <= Fraction(policy.alpha)
    excess = depth - peers.median
    deep = excess >= policy.minimum_excess
    words = (
        f"{depth.normalize():f}% is {excess.normalize():f} points above the median of "
        f"{len(peers.values)} comparable discounts"
    )
    return Finding("PS-1", rare and deep and deeper, value | {"p": _places(p)}, words=words)


def step(
    depth: Decimal, previous: Decimal | None, peers: Peers | None, policy: Policy
) -> Finding | None:
    """PS-2: a step up from a standing offer, as rare as alpha among comparable steps."""
    if previous is None:
        return None
    size = depth - previous
    large = size >= policy.minimum_excess
    value: dict[str, object] = {
        "percent": depth,
        "previous": previous,
        "step": size,
        "baseline": describe(peers),
        "p": None,
    }
    if peers is None:
        return Finding("PS-2", None if large else False, value)
    p = peers.p(size)
    words = (
        f"the step of {size.normalize():f} points is larger than {_below(peers, size)} of "
        f"{len(peers.values)} comparable steps"
    )
    return Finding(
        "PS-2", p <= Fraction(policy.alpha) and large, value | {"p": _places(p)}, words=words
    )


def expiry(expires: date | None, quarter: FiscalQuarter | None, policy: Policy) -> Finding:
    """PS-3: the offer expires at the fiscal quarter's end, give or take a day."""
    end = quarter.end if quarter else None
    value: dict[str, object] = {"expires_on": expires, "quarter_end": end}
    if expires is None:
        return Finding("PS-3", holds=False, value=value)
    near = None if end is None else abs((expires - end).days) <= policy.expiry_days
    words = f"the offer expires on {expires}, at the quarter's end"
    return Finding("PS-3", near, value, words=words)


def pull_in(old: date | None, new: date, quarter: FiscalQuarter | None) -> Finding:
    """PS-4: the close date was pulled over the quarter's end: from after it to within."""
    kind = move_kind(old, new, quarter=quarter) if old and quarter else None
    end = quarter.end if quarter else None
    value: dict[str, object] = {"from": old, "to": new, "quarter_end": end, "move": kind}
    words = f"the close date moved from {old} into the quarter, to {new}"
    # A first close date was pulled from nowhere; without a quarter nobody can say.
    holds = kind == "pull_in" if quarter or old is None else None
    return Finding("PS-4", holds, value, words=words)


NOT_CONSULTED: Final = "not consulted: the verdict does not depend on it"


def consults_dwell(act: Act) -> bool:
    """Say whether PS-5 depends on what a normal stay is: on a forward move that skips nothing."""
    return act.left_stage is not None and not act.skipped and act.missing != 0


Normal: TypeAlias = Callable[[], Dwell | None]
"""Gives how long stays of other deals in the stage left are; None where there are too few."""


def rush(act: Act, normal: Normal | None) -> Finding:
    """PS-5: a forward move that skips a stage, or a rush, with required outcomes left missing.

    `normal` is None where the verdict stands without it.
    """
    if act.left_stage is None:
        return Finding("PS-5", holds=False, value={})
    lacking: Truth = None if act.missing is None else act.missing > 0
    rushed = _rushed(act, normal) if consults_dwell(act) else None
    return Finding("PS-5", all_of([any_of([bool(act.skipped), rushed]), lacking]), {})


def _rushed(act: Act, normal: Normal | None) -> Truth:
    stayed = _stayed(act)
    known = None if normal is None or stayed is None else normal()
    return None if known is None or stayed is None else known.is_rush(stayed)


def _stayed(act: Act) -> timedelta | None:
    return None if (since := act.left_stage_entered_at) is None else act.occurred_at - since


def rush_explained(finding: Finding, seen: ActSeen, move: Move, normal: Normal | None) -> Finding:
    """Add to what PS-5 found of a move by which stages, outcomes and stays it found it."""
    missing = seen.missing
    value = {
        "from": move.source,
        "to": move.target,
        "skipped": list(move.never_entered),
        "missing_outcomes": None if missing is None else list(missing),
        "dwell": _dwell_json(seen.act, normal),
    }
    evidence = (seen.entered,) if seen.entered else ()
    return replace(finding, value=value, evidence=evidence, words=_rush_words(move, missing))


def _dwell_json(act: Act, normal: Normal | None) -> object:
    if not consults_dwell(act):
        return None
    stayed = _stayed(act)
    if normal is None or stayed is None:
        return NOT_CONSULTED
    known = normal()
    if known is None:
        return {"n": None, "days": None, "shortest_normal_days": None}
    shortest = known.shortest_normal()
    return {
        "n": known.n,
        "days": _days(stayed),
        "shortest_normal_days": None if shortest is None else _days(shortest),
    }


def _rush_words(move: Move, missing: Sequence[str] | None) -> str:
    names = {stage.id: stage.name for stage in move.process.stages}
    skipped = ", ".join(names.get(one, one) for one in move.never_entered)
    passed = f"skipped {skipped}" if skipped else "moved on early"
    return f"{passed} with {len(missing or ())} required outcomes not evidenced"


def _days(span: timedelta) -> float:
    return round(span / timedelta(days=1), 6)


def describe(peers: Peers | None) -> dict[str, object] | None:
    """Say whom an event was compared with, for an explanation."""
    if peers is None:
        return None
    return {"scope": peers.scope, "n": len(peers.values), "median": peers.median}


def _below(peers: Peers, size: Decimal) -> int:
    return sum(value < size for value in peers.values)


def _places(p: Fraction) -> float:
    return round(float(p), 6)
