"""The rules PS-1 to PS-5: what makes a discount, a close date or a stage move abnormal."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final
from uuid import UUID

from domain.close_date import move_kind
from domain.fiscal import FiscalQuarter
from domain.path import Move
from domain.policy import Policy
from projections.pressure.acts import Act
from projections.pressure.baseline import Dwell, Peers

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


def rush(act: Act, normal: Callable[[], Dwell | None] | None) -> Finding:
    """PS-5: a forward move that skips a stage, or a rush, with required outcomes left missing.

    `normal` gives what is a normal stay and is None where the verdict stands without it.
    """
    if act.left_stage is None:
        return Finding("PS-5", holds=False, value={"dwell": None})
    lacking: Truth = None if act.missing is None else act.missing > 0
    rushed: Truth = None
    dwell: object = None
    if consults_dwell(act):
        rushed, dwell = _rushed(act, normal)
    holds = all_of([any_of([bool(act.skipped), rushed]), lacking])
    return Finding("PS-5", holds, {"dwell": dwell})


def _rushed(act: Act, normal: Callable[[], Dwell | None] | None) -> tuple[Truth, object]:
    if normal is None or act.left_stage_entered_at is None:
        return None, NOT_CONSULTED
    known = normal()
    if known is None:
        return None, {"n": None, "days": None, "shortest_normal_days": None}
    stayed = act.occurred_at - act.left_stage_entered_at
    shortest = known.shortest_normal
    figures = {
        "n": known.n,
        "days": _days(stayed),
        "shortest_normal_days": None if shortest is None else _days(shortest),
    }
    return (False if shortest is None else stayed < shortest), figures


def rush_explained(
    finding: Finding, move: Move, missing: Sequence[str] | None, entered: UUID | None
) -> Finding:
    """Add to what PS-5 found which stages and outcomes it found it by.

    `entered` is the event that began the stay which the move ended.
    """
    value = {
        "from": move.source,
        "to": move.target,
        "skipped": list(move.never_entered),
        "missing_outcomes": None if missing is None else list(missing),
        **finding.value,
    }
    evidence = (entered,) if entered else ()
    return replace(finding, value=value, evidence=evidence, words=_rush_words(move, missing))


def _rush_words(move: Move, missing: Sequence[str] | None) -> str:
    passed = f"skipped {', '.join(move.never_entered)}" if move.never_entered else "moved on early"
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
