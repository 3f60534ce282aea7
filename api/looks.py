"""What lists and boards say of a deal besides its state: progress and verdicts at a moment."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TypeAlias
from uuid import UUID

from api.moment import Moment
from domain.known import Known
from domain.replay import Event
from projections.attainment.projection import ledger
from projections.facts import Rows
from projections.pressure.context import KnownContext
from projections.pressure.verdicts import Cut, counts_by_deal
from projections.progress.figures import each, shares_of
from projections.progress.shares import TickShares

Streams: TypeAlias = Callable[[Sequence[UUID], int], Mapping[UUID, Sequence[Event]]]
"""Gives the raw streams of deals as known at a position."""


@dataclass(frozen=True, slots=True)
class Look:
    """The progress and the verdicts of one deal, in the shape of the API."""

    progress: Mapping[str, object]
    verdicts: Mapping[str, int]


def looks_at(
    connection: Rows,
    known: Known,
    moment: Moment,
    deal_ids: Collection[UUID],
    streams: Streams,
) -> dict[UUID, Look]:
    """Give a look at each of these deals, from the facts as known and as true at a moment."""
    position, cut = moment.position, moment.cut
    context = KnownContext(
        connection, known=known, as_of=position, at=moment.effective_at, ledger=ledger
    )
    seen = Cut(cut, lambda ids: streams(list(ids), position)) if cut else None
    verdicts = counts_by_deal(context, deal_ids, cut=seen)
    shares = shares_of(connection, each(deal_ids), as_of=position, at=moment.effective_at, cut=cut)
    nothing = TickShares.of([])
    return {
        deal_id: Look(shares.get(deal_id, nothing).answer(), asdict(verdicts[deal_id]))
        for deal_id in deal_ids
    }
