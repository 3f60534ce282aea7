"""The patterns of a deal as its page tells them: those that hold, then the other candidates."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from api.web import format as f
from api.web.findings import Fact, Reason, plain
from api.web.vocabulary import HOLDS

NAMES: Final = {
    "approval_hugging": "Discount just under an approval threshold",
    "approval_splitting": "Discount split over deals of one customer",
    "commit_without_commitment": "Called commit without a commitment",
    "hold_back": "Close held back into the next quarter",
    "lost_and_reopened": "Lost at the quarter's end and reopened after it",
    "tick_burst": "Activities ticked in one run",
    "win_reversed": "Won and taken back",
}


def patterns_of(
    patterns: Iterable[Mapping[str, Any]], own: Collection[str]
) -> tuple[tuple[Reason, ...], tuple[Reason, ...]]:
    """Give the patterns that hold and the others, in order of time.

    `own` are the events of the deal, which its page can show.
    """
    told = [(pattern["holds"], _reason(pattern, own)) for pattern in patterns]
    return (
        tuple(reason for holds, reason in told if holds),
        tuple(reason for holds, reason in told if not holds),
    )


def _reason(pattern: Mapping[str, Any], own: Collection[str]) -> Reason:
    # A run may begin in another deal, of which this page has no row.
    about = [pattern["event_id"], *pattern["evidence"]]
    return Reason(
        number=None,
        event_id=next((event_id for event_id in about if event_id in own), about[0]),
        title=NAMES.get(pattern["name"], f.words_of(pattern["name"])),
        at=pattern["at"],
        verdict=HOLDS[pattern["holds"]],
        rules=(pattern["rule"],),
        modifiers=(),
        sentence=f.sentence(pattern["sentence"]),
        facts=tuple(_fact(fact, own) for fact in pattern["facts"]),
    )


def _fact(fact: Mapping[str, Any], own: Collection[str]) -> Fact:
    value = fact["value"]
    if isinstance(value, Mapping):
        # What other deals are called by is of no use to a reader; how many they are is.
        value = {name: len(v) if isinstance(v, list) else v for name, v in value.items()}
    shown = tuple(event_id for event_id in fact["evidence"] if event_id in own)
    elsewhere = len(fact["evidence"]) - len(shown)
    found = plain(value)
    if elsewhere:
        found += f" ({f.count(elsewhere, 'event')} of other deals)"
    return Fact(f.words_of(fact["fact"]), found, plain(fact["threshold"]), fact["holds"], shown)
