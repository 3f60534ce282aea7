"""What is normal: the comparable offers and stays that a rule holds an event against."""

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import partial
from itertools import chain
from operator import attrgetter, itemgetter
from typing import Final, Literal, TypeAlias
from uuid import UUID

from domain.policy import Policy
from domain.statistics import conformal_p, median

Scope: TypeAlias = Literal["rep", "segment", "organisation"]
Measure: TypeAlias = Literal["level", "step"]


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


@dataclass(frozen=True, slots=True)
class Offer:
    """A discount outside the last and the first days of its quarter: what is normal."""

    deal_id: UUID
    rep: str
    segment: str | None
    action_time: datetime
    depth: Decimal
    previous: Decimal | None


class Comparables:
    """The offers of every deal, ready for questions about what was normal before then.

    Read only when they are needed: `offers` gives those of some reps, or of everybody where None.
    """

    def __init__(self, offers: Callable[[Collection[str] | None], Iterable[Offer]]) -> None:
        self._load_offers = offers
        self._of_rep: dict[str, _Offers] = {}
        self._of_all: dict[str | None, _Offers] | None = None

    def read(self, reps: Collection[str]) -> None:
        """Read the offers of these reps at once, where each question would read its rep's."""
        missing = sorted(set(reps) - self._of_rep.keys())
        if not missing:
            return
        found: dict[str, list[Offer]] = {rep: [] for rep in missing}
        for offer in self._load_offers(missing):
            found[offer.rep].append(offer)
        self._of_rep |= {rep: _Offers(offers) for rep, offers in found.items()}

    def peers(self, measure: Measure, question: Question, policy: Policy) -> Peers | None:
        """Give the depths of comparable offers, or their steps up from the offer before them.

        Of the rep, else of the segment, else of everybody; None where there are too few
        (METRICS section 4).
        """
        for scope, enough, offers in self._scopes(question, policy):
            values = offers.of_others(measure, question)
            if len(values) >= enough:
                return Peers(scope, tuple(values), median(values) or Decimal(0))
        return None

    def _scopes(self, question: Question, policy: Policy) -> Iterator[tuple[Scope, int, "_Offers"]]:
        self.read([question.rep])
        yield "rep", policy.n_rep, self._of_rep[question.rep]
        if self._of_all is None:
            self._of_all = _by_segment(self._load_offers(None))
        if question.segment in self._of_all and question.segment is not None:
            yield "segment", policy.n_segment, self._of_all[question.segment]
        yield "organisation", policy.n_organisation, self._of_all[None]


class _Offers:
    """Offers as values in time: their levels, and their steps."""

    def __init__(self, offers: Collection[Offer]) -> None:
        self._measured: dict[Measure, _InTime] = {
            "level": _InTime((o.action_time, o.deal_id, o.depth) for o in offers),
            "step": _InTime(
                (o.action_time, o.deal_id, o.depth - o.previous)
                for o in offers
                if o.previous is not None
            ),
        }

    def of_others(self, measure: Measure, question: Question) -> list[Decimal]:
        return self._measured[measure].of_others(question)


class _InTime:
    """Values by their instant; those before one are kept sorted, for the next later question."""

    def __init__(self, values: Iterable[tuple[datetime, UUID, Decimal]]) -> None:
        # Plain numbers, so that equal ones are the same whoever offered them.
        plain = ((at, deal_id, value.normalize()) for at, deal_id, value in values)
        ordered = sorted(plain, key=itemgetter(0))
        self._instants = [at for at, _, _ in ordered]
        self._values = [value for _, _, value in ordered]
        self._of_deal: dict[UUID, list[tuple[datetime, Decimal]]] = defaultdict(list)
        for at, deal_id, value in ordered:
            self._of_deal[deal_id].append((at, value))
        self._counted = 0
        self._sorted: list[Decimal] = []

    def of_others(self, question: Question) -> list[Decimal]:
        """Give the values of other deals before an instant, the smallest first."""
        end = bisect_left(self._instants, question.before)
        if end < self._counted:
            self._counted, self._sorted = 0, []
        if end > self._counted:
            self._sorted += self._values[self._counted : end]
            self._sorted.sort()
            self._counted = end
        others = self._sorted.copy()
        for at, value in self._of_deal.get(question.deal_id, ()):
            if at < question.before:
                del others[bisect_left(others, value)]
        return others


def _by_segment(offers: Iterable[Offer]) -> dict[str | None, _Offers]:
    """Give the offers of each segment, and those of everybody under None."""
    everybody = list(offers)
    found: dict[str | None, list[Offer]] = defaultdict(list)
    for offer in everybody:
        found[offer.segment].append(offer)
    return {segment: _Offers(own) for segment, own in [*found.items(), (None, everybody)]}


@dataclass(frozen=True, slots=True, eq=False)
class Dwell:
    """How long other deals' stays in a stage are: from `n` of them, what is a normal one.

    The lengths of those that are over come sorted; `lasting` gives those of the others so far,
    the shortest first. Both in seconds.
    """

    n: int
    _ended: Sequence[float]
    _lasting: Callable[[], Iterable[float]]
    _share: Decimal

    def shortest_normal(self) -> timedelta | None:
        """Give the duration that a rush falls below; None where too few are over to tell."""
        shortest = _quantile(self._ended, self._lasting(), float(self._share), n=self.n)
        return None if shortest is None else timedelta(seconds=shortest)

    def is_rush(self, stayed: timedelta) -> bool:
        """Say whether a stay was shorter than the shortest normal one; not where none can be told.

        By a length that `over` of n stays did not last beyond, Kaplan-Meier has at least over/n of
        them over, and at most that share of those that are over by now: mostly that tells.
        """
        over, ended = bisect_right(self._ended, stayed.total_seconds()), len(self._ended)
        if over >= self._share * self.n:
            return False
        if over < self._share * ended and ended >= self._share * self.n:
            return True
        shortest = self.shortest_normal()
        return shortest is not None and stayed < shortest


Lasted: TypeAlias = tuple[UUID, datetime, datetime | None]
"""A stay in a stage: of which deal, begun when, over when if it is over."""


@dataclass(frozen=True, slots=True, eq=False)
class _Stay:
    """A stay by when it began and when it counts as over; its length in seconds.

    Plain numbers, since floats are sorted several times faster than spans of time, and tell
    microseconds apart for centuries.
    """

    entered: datetime
    over: datetime
    seconds: float


class StaysIn:
    """The stays of all deals in one stage, ready to say at any instant what is a normal one.

    The Kaplan-Meier quantile of the policy, stays that lasted at the instant censored then
    (METRICS section 4); it equals that of `domain.statistics.kaplan_meier` over the same stays.
    Those over before an instant are kept sorted, for the next later question.
    """

    def __init__(self, stays: Iterable[Lasted]) -> None:
        """Take the stays as known at one position."""
        self._of_deal: dict[UUID, list[_Stay]] = defaultdict(list)
        for deal_id, entered, left in stays:
            self._of_deal[deal_id].append(_stay(entered, left))
        every = [stay for own in self._of_deal.values() for stay in own]
        self._begun = sorted(every, key=_ENTERED)
        self._over = sorted((stay for stay in every if stay.over < _NEVER), key=_OVER)
        self._at, self._counted = _EVER, 0
        self._ended: list[float] = []

    def dwell(self, deal_id: UUID, before: datetime, policy: Policy) -> Dwell | None:
        """Give what is normal among other deals' stays begun before; None where too few."""
        ended = self._ended_by(before)
        own = [stay for stay in self._of_deal.get(deal_id, ()) if stay.entered < before]
        for stay in own:
            if stay.over <= before:
                del ended[bisect_left(ended, stay.seconds)]
        begun = bisect_left(self._begun, before, key=_ENTERED)
        n = begun - len(own)
        if n < policy.n_dwell:
            return None
        return Dwell(n, ended, partial(self._lasting, begun, own, before), policy.dwell_percentile)

    def _lasting(self, begun: int, own: Sequence[_Stay], at: datetime) -> Iterator[float]:
        """Give how long those of the first stays that were not over by then had lasted."""
        # The latest begun have lasted least.
        for index in range(begun - 1, -1, -1):
            stay = self._begun[index]
            if stay.over > at and stay not in own:
                yield (at - stay.entered).total_seconds()

    def over_by(self, age: timedelta, at: datetime) -> tuple[int, float]:
        """Give how many stays began before an instant, and the share of them over by an age.

        Kaplan-Meier, stays that lasted at the instant censored then; 0 where there are none.
        """
        begun = self._begun[: bisect_left(self._begun, at, key=_ENTERED)]
        ended = sorted(stay.seconds for stay in begun if stay.over <= at)
        lasting = sorted((at - s.entered).total_seconds() for s in begun if s.over > at)
        left, index, limit = 1.0, 0, bisect_right(ended, age.total_seconds())
        while index < limit:
            ends = bisect_right(ended, ended[index]) - index
            at_risk = len(begun) - index - bisect_left(lasting, ended[index])
            left *= (at_risk - ends) / at_risk
            index += ends
        return len(begun), 1 - left

    def _ended_by(self, before: datetime) -> list[float]:
        """Give the lengths of all stays that were over by an instant, the shortest first."""
        if before < self._at:
            self._ended, self._counted = [], 0
        upto = bisect_right(self._over, before, key=_OVER)
        if upto > self._counted:
            self._ended += [stay.seconds for stay in self._over[self._counted : upto]]
            self._ended.sort()
        self._at, self._counted = before, upto
        return self._ended.copy()


def _stay(entered: datetime, left: datetime | None) -> _Stay:
    if left is None:
        return _Stay(entered, _NEVER, math.inf)
    # One that ended as it began is counted with those begun before, not at that instant.
    return _Stay(entered, max(left, entered + _INSTANT), (left - entered).total_seconds())


def _quantile(
    ended: Sequence[float], lasting: Iterable[float], share: float, *, n: int
) -> float | None:
    """Give the length by which this share is over, of n sorted lengths that ended or still last.

    Each end leaves (r - 1)/r of the r at risk, so m of them between two stays that still last
    leave (r - m)/r at once.
    """
    left, gone, at_risk = 1.0, 0, n
    enough = 1 - share + _ROUNDING
    for lasted in chain(lasting, [math.inf]):
        # What still lasts at a length is at risk of ending at it.
        ends = bisect_right(ended, lasted) - gone
        if ends:
            after = left * (at_risk - ends) / at_risk
            if after <= enough:
                needed = math.ceil(at_risk * (1 - enough / left))
                return ended[gone + max(needed, 1) - 1]
            left = after
        gone += ends
        at_risk -= ends + 1
    return None


_ENTERED: Final = attrgetter("entered")
_OVER: Final = attrgetter("over")
_INSTANT: Final = timedelta(microseconds=1)
_EVER: Final = datetime.min.replace(tzinfo=UTC)
_NEVER: Final = datetime.max.replace(tzinfo=UTC)
_ROUNDING: Final = 1e-12
"""What a product of floats may be off by, far below one stay in a billion."""
