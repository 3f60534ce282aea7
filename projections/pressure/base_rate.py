"""How often comparable events outside the window have no customer cause either (METRICS 4, F3)."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import TypeAlias
from uuid import UUID

from domain.comparisons import COUNTS_ONLY
from domain.policy import Policy
from domain.statistics import wilson
from projections.pressure.acts import ActKind
from projections.pressure.baseline import Question, Scope


@dataclass(frozen=True, slots=True)
class Deed:
    """A seller event outside the last days of its quarter: whose it is, and if nobody asked."""

    deal_id: UUID
    segment: str | None
    action_time: datetime
    seller_only: bool


@dataclass(frozen=True, slots=True)
class BaseRate:
    """How many comparable events lack a customer cause, of how many, and whose they are."""

    scope: Scope
    without: int
    of: int

    def share(self) -> float | None:
        """Give the rate; None where there are too few for one."""
        return self.without / self.of if self.of >= COUNTS_ONLY else None

    def interval(self) -> tuple[float, float] | None:
        """Give the 95 % interval of the rate (Wilson); None where there are too few."""
        return wilson(self.without, self.of) if self.of >= COUNTS_ONLY else None


Load: TypeAlias = Callable[[str | None], Mapping[ActKind, Sequence[Deed]]]
"""Gives the deeds of one rep or of everybody, by their kind."""


class BaseRates:
    """The seller events of every deal outside the window, read only as far as they are needed."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._loaded: dict[str | None, Mapping[ActKind, Sequence[Deed]]] = {}
        self._of_rep: dict[tuple[ActKind, str], _InTime] = {}
        self._of_all: dict[ActKind, dict[str | None, _InTime]] = {}

    def at(
        self, question: Question, kind: ActKind, policy: Policy, scope: Scope | None
    ) -> BaseRate:
        """Give the base rate among events of the kind on other deals, done before.

        Of the scope that the event's baseline was taken from; where it has none, of the rep, else
        of the segment, else of everybody, as soon as they are as many as a baseline needs.
        """
        found = BaseRate("organisation", 0, 0)
        for own, enough, deeds in self._scopes(question, kind, policy):
            if scope in (None, own):
                without, of = deeds.before(question)
                found = BaseRate(own, without, of)
                if scope == own or of >= enough:
                    break
        return found

    def _scopes(
        self, question: Question, kind: ActKind, policy: Policy
    ) -> Iterator[tuple[Scope, int, "_InTime"]]:
        key = (kind, question.rep)
        if key not in self._of_rep:
            self._of_rep[key] = _InTime(self._deeds(kind, question.rep))
        yield "rep", policy.n_rep, self._of_rep[key]
        if kind not in self._of_all:
            self._of_all[kind] = _by_segment(self._deeds(kind, None))
        everybody = self._of_all[kind]
        if question.segment is not None and question.segment in everybody:
            yield "segment", policy.n_segment, everybody[question.segment]
        yield "organisation", policy.n_organisation, everybody[None]

    def _deeds(self, kind: ActKind, rep: str | None) -> Sequence[Deed]:
        """Give them of a kind; all kinds are read at once, since most deals have all of them."""
        if rep not in self._loaded:
            self._loaded[rep] = self._load(rep)
        return self._loaded[rep].get(kind, ())


def _by_segment(everybody: Sequence[Deed]) -> dict[str | None, "_InTime"]:
    """Give the deeds of each segment, and those of everybody under None."""
    found: dict[str | None, list[Deed]] = defaultdict(list)
    for deed in everybody:
        found[deed.segment].append(deed)
    return {segment: _InTime(own) for segment, own in [*found.items(), (None, everybody)]}


class _InTime:
    """Deeds in time, with running counts of those without a customer cause."""

    def __init__(self, deeds: Iterable[Deed]) -> None:
        ordered = sorted(deeds, key=lambda deed: deed.action_time)
        self._instants = [deed.action_time for deed in ordered]
        self._running = list(accumulate((deed.seller_only for deed in ordered), initial=0))
        self._of_deal: dict[UUID, list[Deed]] = defaultdict(list)
        for deed in ordered:
            self._of_deal[deed.deal_id].append(deed)

    def before(self, question: Question) -> tuple[int, int]:
        """Give how many of other deals before an instant lack a customer cause, of how many."""
        end = bisect_left(self._instants, question.before)
        own = [
            deed
            for deed in self._of_deal.get(question.deal_id, ())
            if deed.action_time < question.before
        ]
        return self._running[end] - sum(deed.seller_only for deed in own), end - len(own)
