"""What is normal: the comparable offers and stays that a rule holds an event against."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Literal, TypeAlias
from uuid import UUID

from domain.policy import Policy
from domain.statistics import conformal_p, kaplan_meier, median
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
    """The seller events of every deal, ready for questions about what was normal before then."""

    def __init__(self, acts: Iterable[tuple[UUID, Act]]) -> None:
        """Take (deal id, act) pairs as known at one position."""
        self._acts = sorted(acts, key=lambda pair: pair[1].action_time)
        self._instants = [act.action_time for _, act in self._acts]

    def levels(self, question: Question, policy: Policy) -> Peers | None:
        """Give the depths of comparable offers; None where there are too few (METRICS 4)."""
        offers = self._offers(question)
        return _scoped(
            question, policy, [(act, act.depth) for act in offers if act.depth is not None]
        )

    def steps(self, question: Question, policy: Policy) -> Peers | None:
        """Give the increments of comparable offers over the offer that stood before them."""
        increments = [
            (act, act.depth - act.previous)
            for act in self._offers(question)
            if act.depth is not None and act.previous is not None
        ]
        return _scoped(question, policy, increments)

    def seller_only_rate(self, question: Question, kind: ActKind) -> tuple[int, int]:
        """Give how many comparable events outside the window lack a customer cause, of how many.

        Comparable are the rep's own events of the same kind on other deals.
        """
        peers = [
            other
            for other in self._before(question)
            if other.kind == kind and other.outside and other.rep == question.rep
        ]
        return sum(other.seller_only for other in peers), len(peers)

    def coverage(self, reps: frozenset[str] | None, until: datetime) -> tuple[int, int]:
        """Give how many events outside the window have a customer cause, of how many.

        Of these reps, or of all where None; up to and including an instant.
        """
        counted = [
            act
            for _, act in self._acts
            if act.outside and act.action_time <= until and (reps is None or act.rep in reps)
        ]
        return sum(not act.seller_only for act in counted), len(counted)

    def _before(self, question: Question) -> Iterable[Act]:
        end = bisect_left(self._instants, question.before)
        return (act for deal, act in self._acts[:end] if deal != question.deal_id)

    def _offers(self, question: Question) -> list[Act]:
        return [
            act for act in self._before(question) if act.kind == "discount_offered" and act.interior
        ]


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


def dwell(stays: Iterable[Stay], before: datetime, policy: Policy) -> Dwell | None:
    """Give what is normal among stays begun before an instant; None where there are too few.

    Stays that lasted at the instant count as censored then (Kaplan-Meier, METRICS section 4).
    """
    known = [stay for stay in stays if stay.entered_at < before]
    if len(known) < policy.n_dwell:
        return None
    ended = [stay.left_at is not None and stay.left_at <= before for stay in known]
    lengths = [_length(stay, before) for stay in known]
    shortest = kaplan_meier(lengths, ended).quantile(Fraction(policy.dwell_percentile))
    seconds = None if shortest is None else timedelta(seconds=float(shortest))
    return Dwell(len(known), seconds)


def _length(stay: Stay, before: datetime) -> Decimal:
    end = before if stay.left_at is None else min(stay.left_at, before)
    return Decimal(max(0, (end - stay.entered_at) // timedelta(seconds=1)))
