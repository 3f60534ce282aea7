"""Verdicts against truth: how many flags were right, how many acts were missed, and why."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from api.sample.cast import RATES
from api.sample.journal import Json
from api.validation.folded import Deal
from domain.events.life import DealDeleted, DealWon, WinReversed
from domain.values import Money
from projections.pressure.acts import ActKind
from projections.pressure.fold import Judged
from projections.pressure.money import cost, price_of

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
SCORED: Final = (*NAMES.values(), ALL, *RULES)
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
class Scores:
    """What was found in one history, by kind of act and by rule, against its truth.

    `missed` says why truly shaped acts were not flagged. `held_back` acts are shaped, but no
    rule about a single event is about them. Money is in the currency of the quotas.
    """

    of: dict[str, Score] = field(default_factory=dict)
    missed: Counter[tuple[str, str]] = field(default_factory=Counter)
    held_back: int = 0
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
    for line in told.values():
        lost = line.get("lost")
        if isinstance(lost, dict):
            scores.truly_lost += Decimal(lost["amount"]) * RATES[lost["currency"]]
    return scores


def _count(scores: Scores, judged: Judged, line: Json) -> None:
    if line["held_back"]:
        scores.held_back += 1
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
        return "nothing unusual about it"
    return "the customer had acted"


def _realised(deal: Deal) -> Decimal:
    won = False
    for event in deal.events:
        if isinstance(event.data, DealWon):
            won = True
        elif isinstance(event.data, WinReversed | DealDeleted):
            won = False
    realised: Money | None = cost(deal.judged, price_of(deal.events), won=won).realised
    return realised.amount * RATES[realised.currency] if realised else Decimal(0)
