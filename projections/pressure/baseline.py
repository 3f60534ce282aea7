"""What is normal: the comparable offers and stays that a rule holds an event against."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from operator import itemgetter
from typing import Literal, Protocol, TypeAlias
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


class Dwell(Protocol):
    """How long other deals' stays in a stage are: from `n` of them, what is a normal one."""

    @property
    def n(self) -> int:
        """How many stays."""
        ...

    def shortest_normal(self) -> timedelta | None:
        """Give the duration that a rush falls below; None where too few are over to tell."""
        ...

    def is_rush(self, stayed: timedelta) -> bool:
        """Say whether a stay was shorter than that; not where none can be told."""
        ...


Lasted: TypeAlias = tuple[UUID, datetime, datetime | None]
"""A stay in a stage: of which deal, begun when, over when if it is over."""
