"""The patterns of several events in a history read in memory, by the product's own rules."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias
from uuid import UUID

from api.validation.folded import Deal
from domain.events.life import (
    AmountChanged,
    DealDeleted,
    DealDisqualified,
    DealLost,
    DealOpened,
    DealReopened,
    DealWon,
    OwnerChanged,
    WinReversed,
)
from domain.known import Known
from domain.values import Money
from projections.pressure.approvals import (
    OfferMade,
    hugging_patterns,
    offers_made,
    splitting_patterns,
)
from projections.pressure.bursts import Ticked, bursts
from projections.pressure.commit_calls import commit_patterns
from projections.pressure.holdback import OpenDeal, hold_back_patterns
from projections.pressure.patterns import Pattern, PatternName
from projections.pressure.reversals import reversal_patterns
from projections.progress.claims import derive_claims

Found: TypeAlias = tuple[PatternName, str, bool | None, str]
"""A pattern looked for in an act, by its event id or, of a split, its deal; and why not."""

_UNTOLD: Final[Money | None] = None
_TICKED: Final = {"catch_up": "catch-up", "mixed": "mixed run", None: "no outcome stated"}


def found_in(deals: Sequence[Deal], known: Known, until: datetime) -> Iterator[Found]:
    """Give every act that a pattern could be found in, whether it was, and else why not.

    `until` is how far the history reaches: what may still turn out otherwise is not evaluable.
    """
    yield from _ticked(deals, known)
    pipeline, offers = _Pipeline(deals), _offers(deals)
    for deal in deals:
        own = [offer for offer in offers[_account(deal)] if offer.deal_id == deal.deal_id]
        patterns = [
            *commit_patterns(deal.events, known.policy, known.calendar),
            *hugging_patterns(own, known.policy),
            *reversal_patterns(deal.events, known.policy, known.calendar, until),
            *hold_back_patterns(
                deal.events, deal.judged, known.policy, known.convert, pipeline.open_deals
            ),
        ]
        for pattern in patterns:
            yield pattern.name, str(pattern.event_id), pattern.holds, _why(pattern)
        if own:
            split = splitting_patterns(deal.deal_id, offers[_account(deal)], known.policy)
            holds = any(pattern.holds for pattern in split)
            why = "not together above a threshold" if split else "too few deals near it"
            yield "approval_splitting", deal.key, holds, why


def _why(pattern: Pattern) -> str:
    """Name the first fact that keeps a pattern from being found."""
    missing = (fact.fact for fact in pattern.facts if fact.holds is False)
    return f"not so: {next(missing)}" if pattern.holds is False else "not evaluable"


def _ticked(deals: Iterable[Deal], known: Known) -> Iterator[Found]:
    ticks = [
        Ticked(claim.event_id, deal.deal_id, claim.rep, claim.recorded_at, claim.shown())
        for deal in deals
        for claim in derive_claims(deal.events, known)
        if claim.until_at is None
    ]
    run = {
        tick.event_id: burst.kind(known.policy)
        for burst in bursts(ticks, known.policy)
        for tick in burst.ticks
    }
    for tick in ticks:
        if tick.event_id not in run:
            yield "tick_burst", str(tick.event_id), False, "run too short"
        elif run[tick.event_id] == "bulk_tick":
            yield "tick_burst", str(tick.event_id), True, ""
        else:
            yield "tick_burst", str(tick.event_id), False, _TICKED[run[tick.event_id]]


def _account(deal: Deal) -> str | None:
    return next((e.data.account.id for e in deal.events if isinstance(e.data, DealOpened)), None)


def _offers(deals: Iterable[Deal]) -> dict[str | None, list[OfferMade]]:
    """Give the offers that were made to each customer."""
    found: dict[str | None, list[OfferMade]] = defaultdict(list)
    for deal in deals:
        found[_account(deal)] += offers_made(deal.deal_id, deal.events)
    return found


@dataclass(frozen=True, slots=True)
class _Life:
    """How a deal stood in time: who owned it, what it was worth, and whether it was open."""

    deal_id: UUID
    instants: list[datetime]
    states: list[tuple[str, Money | None, bool]]


class _Pipeline:
    """Which deals a rep had open at an instant."""

    def __init__(self, deals: Iterable[Deal]) -> None:
        lives = [_life(deal) for deal in deals]
        owned: dict[str, list[_Life]] = defaultdict(list)
        for life in lives:
            for owner in dict.fromkeys(owner for owner, _, _ in life.states):
                owned[owner].append(life)
        self._owned = {
            owner: sorted(found, key=lambda life: life.instants[0])
            for owner, found in owned.items()
        }

    def open_deals(self, rep: str, at: datetime) -> list[OpenDeal]:
        """Give the deals that a rep had open at an instant, with what happened by then."""
        lives = self._owned.get(rep, [])
        begun = lives[: bisect_right(lives, at, key=lambda life: life.instants[0])]
        states = ((life, life.states[bisect_right(life.instants, at) - 1]) for life in begun)
        return [
            OpenDeal(life.deal_id, amount)
            for life, (owner, amount, is_open) in states
            if is_open and owner == rep
        ]


def _life(deal: Deal) -> _Life:
    life = _Life(deal.deal_id, [], [])
    owner, amount, is_open = "", _UNTOLD, False
    for event in deal.events:
        match event.data:
            case DealOpened() as opened:
                owner, amount, is_open = opened.owner, opened.amount, True
            case AmountChanged() as changed:
                amount = changed.amount
            case OwnerChanged() as given:
                owner = given.owner
            case DealReopened() | WinReversed():
                is_open = True
            case DealWon() | DealLost() | DealDisqualified() | DealDeleted():
                is_open = False
            case _:
                continue
        life.instants.append(event.occurred_at)
        life.states.append((owner, amount, is_open))
    return life
