"""Reads which deals were opened in a quarter, whether they fit, and how their reps stood then."""

from datetime import datetime

from api.replays import Replay
from projections.attainment.projection import ledger
from projections.facts import Rows
from projections.pressure.context import KnownContext
from projections.pressure.curve import standing
from projections.pressure.off_fit import Opened, off_fit
from projections.pressure.rules import Truth
from projections.progress.openings import Opening
from projections.progress.projection import OPENINGS
from projections.quarter.steps import ORGANISATION, Scope


def off_fit_opened(
    connection: Rows, replay: Replay, scope: Scope = ORGANISATION
) -> dict[str, object]:
    """Give the rate of off-fit deals among those opened in a quarter (METRICS section 4, PR-1).

    Opening a deal is judged when it occurred, by the quota and the bookings of its rep then.
    """
    moment, quarter = replay.moment, replay.quarter
    found = OPENINGS.known(
        connection,
        as_of=moment.position,
        where="opened_at >= %s AND opened_at < %s"
        " AND from_at <= coalesce(%s::timestamptz, 'infinity')"
        " AND (until_at IS NULL OR until_at > %s)",
        params=(quarter.start_instant, quarter.end_instant, moment.cut, moment.cut),
    )
    context = KnownContext(
        connection,
        known=replay.known,
        as_of=moment.position,
        at=moment.effective_at,
        ledger=ledger,
    )
    mine = (o for _, o in found if scope.holds(o.rep, replay.known, o.opened_at))
    openings = sorted(mine, key=lambda o: (o.opened_at, o.event_id))
    context.read_bookings({(opening.rep, quarter.name) for opening in openings})
    policy = replay.known.policy
    return {
        "rule": "PR-1",
        "policy_version": policy.version,
        "theta": float(policy.theta),
        **off_fit(_opened(opening, context, replay) for opening in openings),
    }


def _opened(opening: Opening, context: KnownContext, replay: Replay) -> Opened:
    return Opened(
        event_id=opening.event_id,
        rep=opening.rep,
        behind=_behind(opening.rep, opening.opened_at, context, replay),
        fit=opening.fit,
        fit_event_id=opening.fit_event_id,
    )


def _behind(rep: str, at: datetime, context: KnownContext, replay: Replay) -> Truth:
    quarter = replay.quarter
    quota, _ = context.quota(rep, quarter.name, at)
    if quota is None:
        return None
    booked = context.booked(rep, quarter.name, quota.currency)
    pressure = standing(quota, booked, context.pace(rep, quarter, at).elapsed, at).pressure
    return None if pressure is None else pressure >= context.policy.theta
