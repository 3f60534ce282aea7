"""Verdicts against truth: how many flags were right, how many acts were missed, and why."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, cast

from api.sample.cast import RATES
from api.sample.journal import Json
from api.validation.folded import Deal
from api.validation.patterns import Found
from domain.events.life import DealDeleted, DealWon, WinReversed
from domain.values import Money
from projections.pressure.acts import ActKind
from projections.pressure.fold import Judged
from projections.pressure.money import cost, price_of
from projections.pressure.off_fit import Opened
from projections.pressure.patterns import PatternName

DISCOUNTS: Final = "discounts"
ALL: Final = "all rules"
NAMES: Final[Mapping[ActKind, str]] = {
    "discount_offered": DISCOUNTS,
    "close_date_moved": "close dates",
    "stage_entered": "stages",
}
RULES: Final[Mapping[str, ActKind]] = {
    "PS-1": "discount_offered",
    "PS-2": "discount_offered",
    "PS-3": "discount_offered",
    "PS-4": "close_date_moved",
    "PS-5": "stage_entered",
}
"""The rules behind a verdict on a single event, and the events that they apply to."""
PATTERNS: Final[Mapping[PatternName, tuple[str, str]]] = {
    "tick_burst": ("PS-6", "activity_ticked"),
    "commit_without_commitment": ("PS-7", "forecast_category_changed"),
    "approval_hugging": ("PS-8 hugging", "discount_offered"),
    "approval_splitting": ("PS-8 splitting", "discount_offered"),
    "win_reversed": ("PS-9 wins", "deal_won"),
    "lost_and_reopened": ("PS-9 losses", "deal_lost"),
    "hold_back": ("HB-1", "close_date_moved"),
}
"""The rules behind patterns of several events, and the acts in which these are looked for."""
_BEYOND: Final = frozenset({"hold_back", "lost_and_reopened", "win_reversed"})
"""Patterns whose moves of a date or a stage no rule about a single event is about."""
SCORED: Final = (*NAMES.values(), ALL, *RULES, *(rule for rule, _ in PATTERNS.values()))
"""All that has a score: kinds of act, all of them together, and rules."""


@dataclass(slots=True)
class Score:
    """Acts of one kind: flagged rightly, flagged wrongly, missed, of how many."""

    right: int = 0
    wrong: int = 0
    missed: int = 0
    acts: int = 0

    def count(self, *, shaped: bool, flagged: bool) -> None:
        self.acts += 1
        self.right += shaped and flagged
        self.wrong += flagged and not shaped
        self.missed += shaped and not flagged

    @property
    def precision(self) -> float | None:
        """The share of flags that were right; None without a flag."""
        flags = self.right + self.wrong
        return self.right / flags if flags else None

    @property
    def recall(self) -> float | None:
        """The share of truly shaped acts that were flagged; None without one."""
        shaped = self.right + self.missed
        return self.right / shaped if shaped else None

    @property
    def false_per_hundred(self) -> float | None:
        """Wrong flags for each hundred acts; None without acts."""
        return 100 * self.wrong / self.acts if self.acts else None


@dataclass(slots=True)
class OffFit:
    """Deals opened by reps who stood alike: found off-fit of those assessed, truly off of all."""

    found: int = 0
    assessed: int = 0
    truly: int = 0
    opened: int = 0

    @property
    def rate(self) -> float | None:
        """PR-1: the share found off-fit of those assessed; None where none was."""
        return self.found / self.assessed if self.assessed else None

    @property
    def truth(self) -> float | None:
        """The share that is truly off-fit; None where none was opened."""
        return self.truly / self.opened if self.opened else None


@dataclass(slots=True)
class Scores:
    """What was found in one history, by kind of act and by rule, against its truth.

    `missed` says why truly shaped acts were not flagged. Acts that are `left_out` are shaped, but
    only HB-1 or PS-9 is about them. `off_fit` is that of reps who were behind and of the others.
    Money is in the currency of the quotas.
    """

    of: dict[str, Score] = field(default_factory=dict)
    missed: Counter[tuple[str, str]] = field(default_factory=Counter)
    left_out: int = 0
    off_fit: dict[bool, OffFit] = field(default_factory=lambda: {True: OffFit(), False: OffFit()})
    realised: Decimal = Decimal(0)
    truly_lost: Decimal = Decimal(0)

    def score(self, name: str) -> Score:
        return self.of.setdefault(name, Score())

    @property
    def money_ratio(self) -> float | None:
        """Realised money as a multiple of what pressure truly cost; None where it cost nothing."""
        return float(self.realised / self.truly_lost) if self.truly_lost else None


def scores_of(deals: Iterable[Deal], truth: Iterable[Json]) -> Scores:
    """Hold every verdict against the truth about its event."""
    scores, told = Scores(), {str(line["external_id"]): line for line in truth}
    for deal in deals:
        for judged in deal.judged:
            _count(scores, judged, told[str(judged.event.event_id)])
        scores.realised += _realised(deal)
        for reversal in _reversed_wins(deal):
            told.pop(reversal, None)
    for line in told.values():
        lost = line.get("lost")
        if isinstance(lost, dict):
            scores.truly_lost += Decimal(lost["amount"]) * RATES[lost["currency"]]
    return scores


def score_patterns(scores: Scores, found: Iterable[Found], truth: Iterable[Json]) -> None:
    """Hold what was found beyond single events against what the acts truly were."""
    truly: dict[PatternName, set[str]] = {name: set() for name in PATTERNS}
    for line in truth:
        name = cast("PatternName | None", line.get("pattern"))
        if name is not None and line["type"] == PATTERNS[name][1]:
            key = "deal" if name == "approval_splitting" else "external_id"
            truly[name].add(str(line[key]))
    for name, act, holds, why in found:
        rule, shaped = PATTERNS[name][0], act in truly[name]
        truly[name].discard(act)
        scores.score(rule).count(shaped=shaped, flagged=holds is True)
        if shaped and not holds:
            scores.missed[rule, why] += 1
    for name, acts in truly.items():
        scores.score(PATTERNS[name][0]).missed += len(acts)
        scores.score(PATTERNS[name][0]).acts += len(acts)
        scores.missed[PATTERNS[name][0], "no candidate"] += len(acts)
    scores.missed = +scores.missed


def score_openings(
    scores: Scores, opened: Iterable[tuple[str, Opened]], truth: Iterable[Json]
) -> None:
    """Hold how many deals were found not to fit against how many truly do not."""
    off = {str(line["deal"]) for line in truth if line.get("off_fit")}
    for key, one in opened:
        if one.behind is not None:
            rates = scores.off_fit[one.behind]
            rates.found += one.fit == "out"
            rates.assessed += one.fit in {"in", "out"}
            rates.truly += key in off
            rates.opened += 1


def _count(scores: Scores, judged: Judged, line: Json) -> None:
    if line["pattern"] in _BEYOND:
        scores.left_out += 1
        return
    shaped, flagged = bool(line["shaped"]), judged.verdict == "pressure_shaped"
    for name in (NAMES[judged.kind], ALL):
        scores.score(name).count(shaped=shaped, flagged=flagged)
    for rule, kind in RULES.items():
        if kind == judged.kind:
            by_rule = flagged and rule in judged.rules
            scores.score(rule).count(shaped=shaped, flagged=by_rule)
    if shaped and not flagged:
        scores.missed[NAMES[judged.kind], _why(judged)] += 1


def _why(judged: Judged) -> str:
    """Give the first fact that kept an act from being flagged."""
    if judged.verdict == "not_evaluable":
        return "not evaluable"
    if judged.window is False:
        return "before the window"
    if judged.behind is False:
        return "rep not behind then"
    if judged.abnormal is False:
        return _ordinary(judged)
    return "the customer had acted"


def _ordinary(judged: Judged) -> str:
    """Say what makes an act ordinary; of a stage, which of the two parts of PS-5 is missing."""
    if judged.kind != "stage_entered":
        return "nothing unusual about it"
    value = judged.findings[0].value
    if not value.get("missing_outcomes"):
        return "no required outcome was missing"
    return "no stage skipped, and the stay was not short"


def _reversed_wins(deal: Deal) -> Iterator[str]:
    """Give the wins that were taken back: they cost nothing in the end."""
    won: str | None = None
    for event in deal.events:
        if isinstance(event.data, DealWon):
            won = str(event.event_id)
        elif isinstance(event.data, WinReversed) and won:
            yield won


def _realised(deal: Deal) -> Decimal:
    won = False
    for event in deal.events:
        if isinstance(event.data, DealWon):
            won = True
        elif isinstance(event.data, WinReversed | DealDeleted):
            won = False
    realised: Money | None = cost(deal.judged, price_of(deal.events), won=won).realised
    return realised.amount * RATES[realised.currency] if realised else Decimal(0)
