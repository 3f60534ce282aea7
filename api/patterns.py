"""Reads what the patterns of a deal need to know of other deals, as of any moment."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from api.moment import Moment
from api.places import Places
from api.storage.log_reader import LogReader
from domain.known import Known
from domain.replay import Event
from domain.values import Money
from projections.facts import Rows
from projections.pressure.bursts import Ticked, burst_patterns
from projections.pressure.fold import Judged
from projections.pressure.holdback import OpenDeal, Pipeline, hold_back_patterns
from projections.pressure.patterns import patterns_json
from projections.pressure.reversals import reversal_patterns
from projections.progress.claims import Claim, derive_claims
from projections.progress.projection import CLAIMS
from projections.spans.read import Stood, stood


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

        Other deals are read as known at the position `as_of`: that of the moment, or a later one
        where the answer is restated in another frame.
        """
        with self._store.connection() as connection:
            ticks = _ticks(connection, deal_id, derive_claims(events, known), moment, as_of)
            found = [
                *burst_patterns(deal_id, ticks, events, known.policy, known.calendar),
                *reversal_patterns(events, known.policy, known.calendar, moment.effective_at),
                *hold_back_patterns(
                    events,
                    judged,
                    known.policy,
                    known.convert,
                    self._pipeline(connection, moment, as_of),
                ),
            ]
        return patterns_json(found, known.policy)

    def _pipeline(self, connection: Rows, moment: Moment, as_of: int) -> Pipeline:
        """Give what looks up the open deals of a rep, as known then and as true at an instant."""

        def open_deals(rep: str, at: datetime) -> list[OpenDeal]:
            instant = at if moment.cut is None else min(at, moment.cut)
            place = self._places.happened(connection, instant, as_of)
            rows = stood(connection, place.open_deals, where="owner = %s", params=(rep,))
            return sorted(map(_open_deal, rows), key=lambda deal: deal.deal_id)

        return open_deals


def _open_deal(row: Stood) -> OpenDeal:
    state = row.state
    amount = None
    if state.amount is not None and state.currency is not None:
        amount = Money(amount=state.amount, currency=state.currency)
    return OpenDeal(row.deal_id, amount)


def _ticks(
    connection: Rows, deal_id: UUID, claims: Iterable[Claim], moment: Moment, as_of: int
) -> list[Ticked]:
    """Give the ticks of a deal and those that its reps made in other deals."""
    own = [claim for claim in claims if claim.until_at is None]
    if not own:
        return []
    # In another frame the others are read as known later, but not with what was ticked since.
    told_by = moment.recorded_at if as_of > moment.position else None
    others = CLAIMS.known(
        connection,
        as_of=as_of,
        where="rep = ANY(%s) AND deal_id <> %s"
        " AND (%s::timestamptz IS NULL OR recorded_at <= %s)"
        " AND from_at <= coalesce(%s::timestamptz, 'infinity')"
        " AND (until_at IS NULL OR until_at > %s)",
        params=(
            sorted({claim.rep for claim in own}),
            deal_id,
            told_by,
            told_by,
            moment.cut,
            moment.cut,
        ),
    )
    return [
        *(_ticked(deal_id, claim) for claim in own),
        *(_ticked(other, claim, moment) for other, claim in others),
    ]


def _ticked(deal_id: UUID, claim: Claim, moment: Moment | None = None) -> Ticked:
    shown = claim.shown(moment.cut if moment else None)
    return Ticked(claim.event_id, deal_id, claim.rep, claim.recorded_at, shown)
