"""PS-8: discounts that stay just under what needs approval, one by one or put together."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from domain.events.money import DiscountOffered
from domain.policy import Policy
from domain.replay import Event
from projections.pressure.patterns import Pattern, PatternFact, counted
from projections.pressure.rules import Truth

_UNSTATED: Final = "the policy states no approval threshold, so nothing can be said"


@dataclass(frozen=True, slots=True)
class OfferMade:
    """A discount that a rep offered to one customer, in per cent."""

    event_id: UUID
    deal_id: UUID
    rep: str
    offered_at: datetime
    percent: Decimal


def offers_made(deal_id: UUID, events: Iterable[Event]) -> list[OfferMade]:
    """Give the discounts of a deal's view, in its order."""
    return [
        OfferMade(event.event_id, deal_id, event.rep, event.occurred_at, event.data.percent)
        for event in events
        if isinstance(event.data, DiscountOffered)
    ]


def hugging_patterns(offers: Iterable[OfferMade], policy: Policy) -> list[Pattern]:
    """Give every discount, and whether it lies within a point under an approval threshold.

    A threshold is the deepest discount that needs no approval, so one of exactly that depth is
    the nearest to it. Unknown where the policy states no threshold.
    """
    return [_hugging(offer, policy) for offer in offers]


def _hugging(offer: OfferMade, policy: Policy) -> Pattern:
    above = [limit for limit in policy.approval_thresholds if offer.percent <= limit]
    nearest = min(above, default=None)
    under = None if nearest is None else nearest - offer.percent
    holds: Truth = None
    if policy.approval_thresholds:
        holds = under is not None and under <= policy.hugging_points
    value: dict[str, object] = {
        "percent": offer.percent,
        "nearest_threshold": nearest,
        "points_under": under,
    }
    asked = {"points": policy.hugging_points, "thresholds": policy.approval_thresholds}
    return Pattern(
        rule="PS-8",
        name="approval_hugging",
        event_id=offer.event_id,
        rep=offer.rep,
        at=offer.offered_at,
        holds=holds,
        facts=(PatternFact("just_under_a_threshold", value, asked, holds, (offer.event_id,)),),
        sentence=_hugging_sentence(offer, nearest, under, holds),
    )


def _hugging_sentence(
    offer: OfferMade, nearest: Decimal | None, under: Decimal | None, holds: Truth
) -> str:
    what = f"A discount of {_number(offer.percent)}% was offered"
    if holds is None:
        return f"{what}; {_UNSTATED}."
    if nearest is None or under is None:
        return f"{what}, deeper than every approval threshold."
    where = f"{what}, {_number(under)} points under the approval threshold of {_number(nearest)}%"
    if holds:
        return f"{where}. This is consistent with staying below what needs approval."
    return f"{where}: not close to it."


def splitting_patterns(deal_id: UUID, offers: Sequence[OfferMade], policy: Policy) -> list[Pattern]:
    """Give, for each rep of a deal, whether a discount was split over deals of its customer.

    `offers` are those that the reps made to the customer of the deal, in this deal and in others.
    It was split (METRICS section 4, PS-8) if within 30 days at least three deals have discounts
    that each need no approval, and together exceed the threshold. Depths in per cent are added up
    although they are of different amounts: approval is asked for per cent, list prices are often
    not told, and what the sum stands for is one discount put on one of the deals. Of a deal
    counts the deepest of its offers in those days, since a later offer replaces an earlier one.

    Nothing is given for a deal that shares no such days with enough others.
    """
    reps = sorted({offer.rep for offer in offers if offer.deal_id == deal_id})
    found = [_split(deal_id, [o for o in offers if o.rep == rep], policy) for rep in reps]
    return [pattern for pattern in found if pattern is not None]


@dataclass(frozen=True, slots=True)
class _Group:
    """The deepest offers of some deals within the days, and the threshold that they are under."""

    offers: tuple[OfferMade, ...]
    threshold: Decimal | None = None

    @property
    def total(self) -> Decimal:
        return sum((offer.percent for offer in self.offers), Decimal(0))


def _split(deal_id: UUID, offers: Sequence[OfferMade], policy: Policy) -> Pattern | None:
    groups = list(_groups(deal_id, offers, policy))
    split = next((one for group in groups for one in _under(deal_id, group, policy)), None)
    group = split or next(iter(groups), None)
    if group is None:
        return None
    holds: Truth = split is not None if policy.approval_thresholds else None
    return _splitting(deal_id, group, holds, policy)


def _groups(deal_id: UUID, offers: Sequence[OfferMade], policy: Policy) -> Iterator[_Group]:
    """Give the deals with offers in the same days as this one, for each offer that begins them."""
    ordered = sorted(offers, key=lambda offer: (offer.offered_at, offer.event_id))
    for first in ordered:
        until = first.offered_at + timedelta(days=policy.splitting_days)
        deepest: dict[UUID, OfferMade] = {}
        for offer in ordered:
            if first.offered_at <= offer.offered_at <= until:
                before = deepest.get(offer.deal_id)
                if before is None or offer.percent > before.percent:
                    deepest[offer.deal_id] = offer
        if deal_id in deepest and len(deepest) >= policy.splitting_deals:
            yield _Group(tuple(deepest.values()))


def _under(deal_id: UUID, group: _Group, policy: Policy) -> Iterator[_Group]:
    """Give those of a group that stay under a threshold and together exceed it."""
    for limit in sorted(policy.approval_thresholds):
        small = _Group(tuple(o for o in group.offers if o.percent <= limit), limit)
        is_own = any(offer.deal_id == deal_id for offer in small.offers)
        if is_own and len(small.offers) >= policy.splitting_deals and small.total > limit:
            yield small


def _splitting(deal_id: UUID, group: _Group, holds: Truth, policy: Policy) -> Pattern:
    own = next(offer for offer in group.offers if offer.deal_id == deal_id)
    value: dict[str, object] = {
        "deals": [{"deal_id": o.deal_id, "percent": o.percent} for o in group.offers],
        "sum": group.total,
        "threshold_exceeded": group.threshold,
    }
    asked = {
        "deals": policy.splitting_deals,
        "days": policy.splitting_days,
        "thresholds": policy.approval_thresholds,
    }
    shown = tuple(offer.event_id for offer in group.offers)
    return Pattern(
        rule="PS-8",
        name="approval_splitting",
        event_id=own.event_id,
        rep=own.rep,
        at=own.offered_at,
        holds=holds,
        facts=(PatternFact("split_over_deals", value, asked, holds, shown),),
        sentence=_splitting_sentence(group, holds, policy),
    )


def _splitting_sentence(group: _Group, holds: Truth, policy: Policy) -> str:
    depths = ", ".join(f"{_number(offer.percent)}%" for offer in group.offers)
    what = (
        f"{counted(len(group.offers), 'deal')} of one customer were offered discounts within"
        f" {counted(policy.splitting_days, 'day')}: {depths}"
    )
    if holds is None:
        return f"{what}; {_UNSTATED}."
    if group.threshold is None:
        return f"{what}. They are not each under an approval threshold and together above it."
    return (
        f"{what}. None needs approval at {_number(group.threshold)}%, and together they come to"
        f" {_number(group.total)}%. This is consistent with one discount split over deals."
    )


def _number(value: Decimal) -> str:
    return f"{value.normalize():f}"
