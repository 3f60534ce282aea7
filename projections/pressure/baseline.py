"""What is normal: the comparable offers and stays that a rule holds an event against."""

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate, groupby
from operator import itemgetter
from typing import Final, Literal, TypeAlias
from uuid import UUID

from domain.policy import Policy
from domain.statistics import conformal_p, median
from projections.pressure.acts import Act, ActKind, Stay

Scope: TypeAlias = Literal["rep", "segment", "organisation"]


@dataclass(frozen=True, slots=True)
class Peers:
    """Comparable values: whose they are, and the values."""

    scope: Scope
    values: tuple[Decimal, ...]
    median: Decimal

    def p(self, observed: Decimal) -> Fraction:
        """Give the conformal p of a value: how rare one at least as large is among the peers."""
        return conformal_p(observed, self.values)


@dataclass(frozen=True, slots=True)
class Question:
    """Whose offer is compared, of which deal, and with what was done before when."""

    deal_id: UUID
    rep: str
    segment: str | None
    before: datetime


class Comparables:
    """The seller events of every deal, ready for questions about what was normal before then.

    Asked for only when they are needed: `offers` gives every offer, `acts` those of one rep.
    """

    def __init__(
        self,
        offers: Callable[[], Iterable[tuple[UUID, Act]]],
        acts: Callable[[str], Iterable[tuple[UUID, Act]]],
    ) -> None:
        self._load_offers = offers
        self._load_acts = acts
        self._offers: _InTime | None = None
        self._acts: dict[str, dict[ActKind, _InTime]] = {}

    def levels(self, question: Question, policy: Policy) -> Peers | None:
        """Give the depths of comparable offers; None where there are too few (METRICS 4)."""
        offers = self._before(question)
        return _scoped(
            question, policy, [(act, act.depth) for act in offers if act.depth is not None]
        )

    def steps(self, question: Question, policy: Policy) -> Peers | None:
        """Give the increments of comparable offers over the offer that stood before them."""
        increments = [
            (act, act.depth - act.previous)
            for act in self._before(question)
            if act.depth is not None and act.previous is not None
        ]
        return _scoped(question, policy, increments)

    def seller_only_rate(self, question: Question, kind: ActKind) -> tuple[int, int]:
        """Give how many comparable events outside the window lack a customer cause, of how many.

        Comparable are the rep's own events of the same kind on other deals.
        """
        if question.rep not in self._acts:
            self._acts[question.rep] = _by_kind(self._load_acts(question.rep))
        in_time = self._acts[question.rep].get(kind)
        return in_time.seller_only(question) if in_time else (0, 0)

    def _before(self, question: Question) -> list[Act]:
        if self._offers is None:
            self._offers = _InTime([pair for pair in self._load_offers() if pair[1].interior])
        return self._offers.of_others(question)


class _InTime:
    """Seller events by their action time, with running counts of those without a customer cause."""

    def __init__(self, acts: Iterable[tuple[UUID, Act]]) -> None:
        self._acts = sorted(acts, key=lambda pair: pair[1].action_time)
        self._instants = [act.action_time for _, act in self._acts]
        self._running = list(accumulate((act.seller_only for _, act in self._acts), initial=0))
        self._of_deal: dict[UUID, list[Act]] = defaultdict(list)
        for deal_id, act in self._acts:
            self._of_deal[deal_id].append(act)

    def of_others(self, question: Question) -> list[Act]:
        end = bisect_left(self._instants, question.before)
        return [act for deal_id, act in self._acts[:end] if deal_id != question.deal_id]

    def seller_only(self, question: Question) -> tuple[int, int]:
        end = bisect_left(self._instants, question.before)
        own = [
            a for a in self._of_deal.get(question.deal_id, ()) if a.action_time < question.before
        ]
        return self._running[end] - sum(act.seller_only for act in own), end - len(own)


def _by_kind(acts: Iterable[tuple[UUID, Act]]) -> dict[ActKind, _InTime]:
    kinds: dict[ActKind, list[tuple[UUID, Act]]] = defaultdict(list)
    for deal_id, act in acts:
        if act.outside:
            kinds[act.kind].append((deal_id, act))
    return {kind: _InTime(pairs) for kind, pairs in kinds.items()}


def _scoped(
    question: Question, policy: Policy, pairs: Sequence[tuple[Act, Decimal]]
) -> Peers | None:
    own = [value for act, value in pairs if act.rep == question.rep]
    if len(own) >= policy.n_rep:
        return _peers("rep", own)
    if question.segment is not None:
        alike = [value for act, value in pairs if act.segment == question.segment]
        if len(alike) >= policy.n_segment:
            return _peers("segment", alike)
    if len(pairs) >= policy.n_organisation:
        return _peers("organisation", [value for _, value in pairs])
    return None


def _peers(scope: Scope, values: Sequence[Decimal]) -> Peers:
    return Peers(scope, tuple(values), median(values) or Decimal(0))


@dataclass(frozen=True, slots=True)
class Dwell:
    """How long stays in a stage are: from `n` of them, the duration that a rush falls below."""

    n: int
    shortest_normal: timedelta | None


class StaysIn:
    """The stays of all deals in one stage, ready to say at any instant what is a normal one.

    The Kaplan-Meier quantile of the policy, stays that lasted at the instant censored then
    (METRICS section 4); it equals that of `domain.statistics.kaplan_meier` over the same stays,
    and looks only at those shorter than it.
    """

    def __init__(self, stays: Iterable[tuple[UUID, Stay]]) -> None:
        """Take (deal id, stay) pairs as known at one position."""
        known = list(stays)
        self._entered = sorted(stay.entered_at for _, stay in known)
        self._of_deal: dict[UUID, list[datetime]] = defaultdict(list)
        for deal_id, stay in known:
            self._of_deal[deal_id].append(stay.entered_at)
        ended = [(deal_id, stay) for deal_id, stay in known if stay.left_at is not None]
        self._by_length = sorted(
            [
                (max(_NOTHING, (stay.left_at or stay.entered_at) - stay.entered_at), stay, deal_id)
                for deal_id, stay in ended
            ],
            key=itemgetter(0),
        )

    def dwell(self, deal_id: UUID, before: datetime, policy: Policy) -> Dwell | None:
        """Give what is normal among other deals' stays begun before; None where too few."""
        n = self._begun(deal_id, before, inclusive=False)
        if n < policy.n_dwell:
            return None
        left, remaining = 1 - float(policy.dwell_percentile) + _ROUNDING, 1.0
        shorter: list[datetime] = []
        for length, group in groupby(self._ended(deal_id, before), key=itemgetter(0)):
            begun = [entered for _, entered in group]
            at_risk = self._begun(deal_id, before - length, inclusive=True)
            at_risk -= bisect_right(shorter, before - length)
            remaining *= 1 - len(begun) / at_risk
            if remaining <= left:
                return Dwell(n, length)
            for entered in begun:
                insort(shorter, entered)
        return Dwell(n, None)

    def _begun(self, deal_id: UUID, instant: datetime, *, inclusive: bool) -> int:
        """Count the stays of other deals begun before an instant, or at it where inclusive."""
        bisect = bisect_right if inclusive else bisect_left
        own = sum(
            entered < instant or (inclusive and entered == instant)
            for entered in self._of_deal.get(deal_id, ())
        )
        return bisect(self._entered, instant) - own

    def _ended(self, deal_id: UUID, before: datetime) -> Iterable[tuple[timedelta, datetime]]:
        """Give (length, begun) of the stays of other deals that had ended, shortest first."""
        for length, stay, owner in self._by_length:
            ended = stay.left_at is not None and stay.left_at <= before
            if ended and stay.entered_at < before and owner != deal_id:
                yield length, stay.entered_at


_NOTHING: Final = timedelta(0)
_ROUNDING: Final = 1e-12
"""What a product of floats may be off by, far below one stay in a billion."""
