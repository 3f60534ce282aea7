"""Reads what the patterns of a deal need to know of other deals, as of any moment."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from api.moment import Moment
from api.places import Places
from api.storage.log_reader import LogReader
from domain.events.life import DealOpened
from domain.known import Known
from domain.policy import Policy
from domain.replay import Event
from domain.values import Money
from projections.facts import Rows
from projections.pressure.approvals import (
    OfferMade,
    hugging_patterns,
    offers_made,
    splitting_patterns,
)
from projections.pressure.bursts import Ticked, burst_patterns
from projections.pressure.commit_calls import commit_patterns
from projections.pressure.context import ACTS
from projections.pressure.fold import Judged
from projections.pressure.holdback import OpenDeal, hold_back_patterns
from projections.pressure.patterns import patterns_json
from projections.pressure.reversals import reversal_patterns
from projections.progress.claims import Claim, derive_claims
from projections.progress.projection import CLAIMS
from projections.spans.read import Stood, known_at, states, stood

_RUN: Final = timedelta(days=1)
"""How far from a tick its run is followed: longer than anybody ticks without a pause."""


class PatternReader:
    """Answers which patterns a deal has a part in; the views must have reached the moment."""

    def __init__(self, store: LogReader, places: Places) -> None:
        self._store = store
        self._places = places

    def patterns(
        self,
        deal_id: UUID,
        events: Sequence[Event],
        judged: Sequence[Judged],
        *,
        known: Known,
        moment: Moment,
        as_of: int,
    ) -> list[dict[str, object]]:
        """Give the patterns of a deal's view (METRICS section 4), in the order of time.

        `known` is the context that they are judged in. What of other deals rests on it is read
        at the position `as_of`: that of the moment, or one where that context was in force.
        """
        policy, calendar = known.policy, known.calendar
        own = offers_made(deal_id, events)
        with self._store.connection() as connection:
            others = _Others(connection, self._places, deal_id, moment)
            ticks = others.with_ticks(derive_claims(events, known), as_of)
            offers = others.with_offers(own, _account(events), policy)
            found = [
                *burst_patterns(deal_id, ticks, events, policy, calendar),
                *commit_patterns(events, policy, calendar),
                *hugging_patterns(own, policy),
                *splitting_patterns(deal_id, offers, policy),
                *reversal_patterns(events, policy, calendar, moment.effective_at),
                *hold_back_patterns(events, judged, policy, known.convert, others.open_deals),
            ]
        return patterns_json(found, policy)


@dataclass(frozen=True, slots=True)
class _Others:
    """The deals beside the one that is asked about, as known and as true at a moment."""

    connection: Rows
    places: Places
    deal_id: UUID
    moment: Moment

    def with_ticks(self, claims: Iterable[Claim], as_of: int) -> list[Ticked]:
        """Give the ticks of the deal, and those near them that its reps made in other deals."""
        own = [claim for claim in claims if claim.until_at is None]
        if not own:
            return []
        moment = self.moment
        # In another frame the others are read as known later, but not with what was ticked since.
        told_by = moment.recorded_at if as_of > moment.position else None
        others = CLAIMS.known(
            self.connection,
            as_of=as_of,
            where="rep = ANY(%s) AND deal_id <> %s"
            " AND recorded_at BETWEEN %s AND %s AND recorded_at <@ %s::tstzmultirange"
            " AND recorded_at <= coalesce(%s::timestamptz, 'infinity')"
            " AND from_at <= coalesce(%s::timestamptz, 'infinity')"
            " AND (until_at IS NULL OR until_at > %s)",
            params=(_reps(own), self.deal_id, *_near(own), told_by, moment.cut, moment.cut),
        )
        return [_ticked(self.deal_id, claim, None) for claim in own] + [
            _ticked(deal_id, claim, moment.cut) for deal_id, claim in others
        ]

    def with_offers(
        self, own: Sequence[OfferMade], account: str | None, policy: Policy
    ) -> list[OfferMade]:
        """Give the offers of the deal, and those that its reps made to the same customer.

        Of the latter only those near enough to one of the former to be looked at with it.
        """
        if not own:
            return []
        near = timedelta(days=policy.splitting_days)
        found = ACTS.known(
            self.connection,
            as_of=self.moment.position,
            where="kind = 'discount_offered' AND rep = ANY(%s) AND deal_id <> %s"
            " AND occurred_at BETWEEN %s AND %s"
            " AND occurred_at <= coalesce(%s::timestamptz, 'infinity')",
            params=(
                _reps(own),
                self.deal_id,
                min(offer.offered_at for offer in own) - near,
                max(offer.offered_at for offer in own) + near,
                self.moment.cut,
            ),
        )
        place = known_at(self.moment.position)
        known = states(self.connection, place, {deal_id for deal_id, _ in found})
        return [
            *own,
            *(
                OfferMade(act.event_id, deal_id, act.rep, act.occurred_at, act.depth)
                for deal_id, act in found
                if act.depth is not None
                and deal_id in known
                and known[deal_id].state.account_id == account
            ),
        ]

    def open_deals(self, rep: str, at: datetime) -> list[OpenDeal]:
        """Give the deals that a rep had open at an instant, as known at the moment."""
        cut = self.moment.cut
        instant = at if cut is None else min(at, cut)
        place = self.places.happened(self.connection, instant, self.moment.position)
        rows = stood(self.connection, place.open_deals, where="owner = %s", params=(rep,))
        return sorted(map(_open_deal, rows), key=lambda deal: deal.deal_id)


def _near(own: Sequence[Claim]) -> tuple[datetime, datetime, str]:
    """Give the first and last instant, and as SQL all stretches, in which ticks may share a run."""
    ticked = [claim.recorded_at for claim in own]
    stretches = ",".join(f"[{at - _RUN},{at + _RUN}]" for at in ticked)
    return min(ticked) - _RUN, max(ticked) + _RUN, f"{{{stretches}}}"


def _account(events: Iterable[Event]) -> str | None:
    return next((e.data.account.id for e in events if isinstance(e.data, DealOpened)), None)


def _reps(own: Sequence[Claim] | Sequence[OfferMade]) -> list[str]:
    return sorted({one.rep for one in own})


def _ticked(deal_id: UUID, claim: Claim, cut: datetime | None) -> Ticked:
    return Ticked(claim.event_id, deal_id, claim.rep, claim.recorded_at, claim.shown(cut))


def _open_deal(row: Stood) -> OpenDeal:
    state = row.state
    amount = None
    if state.amount is not None and state.currency is not None:
        amount = Money(amount=state.amount, currency=state.currency)
    return OpenDeal(row.deal_id, amount)
