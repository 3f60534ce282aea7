"""What the rules found of an event, in words: docs/metrics.md has what each rule asks."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from api.web import format as f
from api.web.vocabulary import HOLDS, SCOPES
from projections.names import Names

Found = Mapping[str, Any]
RULES: Final = {
    "PS-1": "Deeper than usual",
    "PS-2": "A larger step than usual",
    "PS-3": "Expires with the quarter",
    "PS-4": "Pulled into the quarter",
    "PS-5": "Moved on with outcomes missing",
}
"""The rules of single events by what they find."""


def rules_words(found: Sequence[Found], called: Names) -> str:
    """What each rule found, whether it holds, and the figures that it rests on."""
    return "; ".join(_rule(one, called) for one in found) or "nothing found"


def threshold_words(asked: Found) -> str:
    """What makes an event out of the ordinary among comparable ones."""
    alpha, excess = asked.get("alpha"), asked.get("minimum_excess")
    words = [f"as rare as {f.percent(alpha)} of comparable ones"] if alpha is not None else []
    if excess is not None:
        words.append(f"by {f.count(1, 'point') if excess == 1 else f'{excess:g} points'} or more")
    return ", ".join(words)


def _rule(one: Found, called: Names) -> str:
    rule = one["rule"]
    head = f"{RULES.get(rule, 'By the rule')} ({rule}): {HOLDS[one['holds']].lower()}"
    figures = _FIGURES.get(rule)
    told = ", ".join(filter(None, figures(one, called))) if figures else ""
    return f"{head}; {told}" if told else head


def _depth(one: Found, _: Names) -> list[str]:
    return [_percentage(one.get("percent"), "{}"), _before(one), *_peers(one, "%", "discounts")]


def _step(one: Found, _: Names) -> list[str]:
    step = one.get("step")
    points = "" if step is None else f"{float(step):g} points more than before"
    return [points, *_peers(one, " points", "steps")]


def _expiry(one: Found, _: Names) -> list[str]:
    expires = one.get("expires_on")
    return [f"on {f.day(expires)}" if expires else "no day that it expires on", _end(one)]


def _pull_in(one: Found, _: Names) -> list[str]:
    old, new = one.get("from"), one.get("to")
    return [f"from {f.day(old)}" if old else "", f"to {f.day(new)}" if new else "", _end(one)]


def _rush(one: Found, called: Names) -> list[str]:
    skipped = [called.stages.get(stage, stage) for stage in one.get("skipped") or ()]
    missing = one.get("missing_outcomes")
    shown = [called.outcomes.get(outcome, outcome) for outcome in missing or ()]
    return [
        f"skipped {' and '.join(skipped)}" if skipped else "",
        f"not evidenced: {', '.join(shown)}" if shown else "",
        "which outcomes were asked for is unknown" if missing is None else "",
        _stay(one.get("dwell")),
    ]


_FIGURES: Final = {
    "PS-1": _depth,
    "PS-2": _step,
    "PS-3": _expiry,
    "PS-4": _pull_in,
    "PS-5": _rush,
}


def _before(one: Found) -> str:
    return _percentage(one.get("previous"), "{} before") or "none before"


def _percentage(value: Any, words: str) -> str:
    return "" if value is None else words.format(f.percentage(value))


def _peers(one: Found, unit: str, of: str) -> list[str]:
    """Whom it was compared with, how it was there, and how rare this is among them."""
    peers = one.get("baseline")
    if peers is None:
        return [f"too few comparable {of}"]
    median, rare = f"{float(peers['median']):g}{unit}", one.get("p")
    return [
        f"median {median} in {peers['n']} {of} of {SCOPES[peers['scope']]}",
        "" if rare is None else f"p {f.ratio(rare)}",
    ]


def _stay(dwell: Any) -> str:
    if not isinstance(dwell, Mapping):
        return ""
    days, shortest = dwell.get("days"), dwell.get("shortest_normal_days")
    if days is None or shortest is None:
        return "too few stays to compare with"
    return f"stayed {days:.1f} days where the shortest tenth ends at {shortest:.1f}"


def _end(one: Found) -> str:
    end = one.get("quarter_end")
    return f"the quarter ends on {f.day(end)}" if end else ""
