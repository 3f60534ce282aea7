"""What lists and boards say of a deal besides its state: progress, verdicts and health."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from uuid import UUID

from api.moment import Moment
from domain.commitments import broken_level, dated_next, first_due, live_level
from domain.known import Known
from projections.attainment.projection import ledger
from projections.commitments.figures import Backing, backings_of
from projections.facts import Rows
from projections.pressure.context import KnownContext
from projections.pressure.others import Reading
from projections.pressure.verdicts import counts_by_deal
from projections.progress.figures import each, shares_of
from projections.progress.shares import TickShares
from projections.review.health import Vitals, held, worst_of
from projections.spans.fold import DealState


@dataclass(frozen=True, slots=True)
class Look:
    """The progress and the verdicts of one deal, in the shape of the API.

    `backing` is what its health is told by, with its state.
    """

    progress: Mapping[str, object]
    verdicts: Mapping[str, int]
    backing: Backing
    checkbox_only: float | None


def looks_at(
    connection: Rows,
    known: Known,
    moment: Moment,
    deal_ids: Collection[UUID],
    reading: Reading,
) -> dict[UUID, Look]:
    """Give a look at each of these deals, from the facts as known and as true at a moment."""
    position, cut = moment.position, moment.cut
    context = KnownContext(
        connection,
        known=known,
        as_of=position,
        at=moment.effective_at,
        ledger=ledger,
        reading=reading,
    )
    verdicts = counts_by_deal(context, deal_ids)
    shares = shares_of(connection, each(deal_ids), as_of=position, at=moment.effective_at, cut=cut)
    backings = backings_of(connection, deal_ids, as_of=position, cut=cut)
    nothing = TickShares.of([])
    found: dict[UUID, Look] = {}
    for deal_id in deal_ids:
        own = shares.get(deal_id, nothing)
        found[deal_id] = Look(
            own.answer(), asdict(verdicts[deal_id]), backings[deal_id], own.checkbox_only()
        )
    return found


def health_json(
    state: DealState, look: Look, known: Known, moment: Moment
) -> dict[str, object] | None:
    """Give the health of a deal as far as a list tells it; None of a deal that is not open.

    `holds` are its flags and `untold` those that cannot be told. A list does not compare the age
    in the stage with all stays in it, as the review of one deal does, so that it calls none green.
    """
    if not state.open:
        return None
    at, backing = moment.effective_at, look.backing
    today = known.calendar.day_of(at)
    vitals = Vitals(
        close_date=state.close_date,
        forecast=state.forecast_category,
        level=live_level(backing.words, at),
        broken_level=broken_level(backing.words, at),
        pushes=backing.pushes,
        contacts=backing.contacts,
        next_due=first_due(dated_next(backing.words, today, at)),
        checkbox_only=look.checkbox_only,
        age=None,
    )
    flags = held(vitals, today)
    return {
        "colour": worst_of(flags),
        "holds": [name for name, holds in flags.items() if holds],
        "untold": [name for name, holds in flags.items() if holds is None],
    }
