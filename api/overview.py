"""The first page's answers: what changed, where progress is hollow, and a rep's own working day."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeAlias
from uuid import UUID

from api.changes import Changes
from api.context import ContextReader
from api.errors import UnknownThingError
from api.identity.reach import WHOLE, Reach
from api.moment import Moment
from api.open_deals import open_deals
from api.places import Places
from api.storage.log_reader import LogReader
from domain.commitments import Commitment, commitments_of, dated_next
from domain.known import Known
from domain.path import pinned_reference
from domain.process import Process
from domain.replay import Event, view
from projections.progress.figures import each, shares_of
from projections.progress.fold import ActivityProgress
from projections.progress.fold import fold as fold_progress
from projections.progress.shares import TickShares, ratio
from projections.progress.status import HOLLOW, SETTLED
from projections.spans.fold import DealState

Answer: TypeAlias = dict[str, object]
MAX_HOLLOW: Final = 20
"""Deals that are named where progress is hollow; of more only their number."""


class Overviews:
    """Answers what is to be looked at; the views must have reached the moment."""

    def __init__(
        self, store: LogReader, context: ContextReader, places: Places, changes: Changes
    ) -> None:
        self._store = store
        self._context = context
        self._places = places
        self._changes = changes

    def overview(self, moment: Moment, since: datetime, reach: Reach = WHOLE) -> Answer:
        """Give what changed since an instant, and where the progress of open deals is hollow."""
        known = self._context.known(moment.position)
        with self._store.connection() as connection:
            states = open_deals(connection, self._places.of(connection, moment), reach)
            shares = shares_of(
                connection,
                each(states),
                as_of=moment.position,
                at=moment.effective_at,
                cut=moment.cut,
            )
        return {
            **self._changes.changes(moment, since, reach),
            "hollow": _hollow(states, shares, known, reach),
        }

    def today(self, moment: Moment, rep: str, reach: Reach = WHOLE) -> Answer:
        """Give what a rep's open deals wait for: outcomes, commitments of both sides, next steps.

        Raises:
            UnknownThingError: there is no such rep whose deals may be seen.
        """
        if not reach.has_deal_of(rep):
            message = "there is no rep of this id whose deals you may see"
            raise UnknownThingError(message, field="rep")
        known = self._context.known(moment.position)
        with self._store.connection() as connection:
            place = self._places.of(connection, moment)
            states = open_deals(connection, place, reach, owner=rep)
        streams = self._places.streams(list(states), moment.position)
        views = {i: view(stream, effective_at=moment.cut) for i, stream in streams.items()}
        deals = sorted(states.items(), key=lambda pair: _first_to_close(*pair))
        return {
            **moment.answer(),
            "rep": rep,
            "deals": [_deal_today(i, state, views[i], known, moment) for i, state in deals],
        }


def _hollow(
    states: Mapping[UUID, DealState],
    shares: Mapping[UUID, TickShares],
    known: Known,
    reach: Reach,
) -> Answer:
    """Give the open deals with checkbox-only activities, and the same by stage and by owner."""
    told = {i: shares[i] for i in states if i in shares and _count(shares[i], SETTLED)}
    hollow = sorted(
        (i for i in told if _count(told[i], HOLLOW)),
        key=lambda i: (-_count(told[i], HOLLOW), states[i].account_name, i),
    )
    stages: dict[str, list[UUID]] = defaultdict(list)
    owners: dict[str, list[UUID]] = defaultdict(list)
    for deal_id in told:
        stages[states[deal_id].stage or ""].append(deal_id)
        owners[states[deal_id].owner].append(deal_id)
    names, order = _stage_names(states.values(), known)
    return {
        **_sum(told.values()),
        "deals_with": len(hollow),
        "deals": [{**_named(i, states[i]), **_sum([told[i]])} for i in hollow[:MAX_HOLLOW]],
        "stages": [
            {"stage": key or None, "name": names.get(key, key), **_group(told, stages[key])}
            for key in sorted(stages, key=lambda one: (order.get(one, len(order)), one))
        ],
        "reps": [
            {"rep": rep, **_group(told, owners[rep])}
            for rep in sorted(owners)
            if reach.has_figures_of(rep, None)
        ],
    }


def _stage_names(
    states: Iterable[DealState], known: Known
) -> tuple[Mapping[str, str], Mapping[str, int]]:
    """Give the names of the stages in use, and their order in the processes."""
    used = sorted({(s.process_id or "", s.process_version or 0) for s in states})
    processes = [known.catalogue[key] for key in used if key in known.catalogue]
    stages = [stage for process in processes for stage in process.working_stages]
    order = {stage.id: place for place, stage in reversed(list(enumerate(stages)))}
    return {stage.id: stage.name for stage in stages}, order


def _group(told: Mapping[UUID, TickShares], ids: Sequence[UUID]) -> Answer:
    return {
        "deals": len(ids),
        "deals_with": sum(bool(_count(told[i], HOLLOW)) for i in ids),
        **_sum(told[i] for i in ids),
    }


def _sum(shares: Iterable[TickShares]) -> Answer:
    """Add up how many activities have settled, and how many of them are checkbox-only."""
    found = list(shares)
    return {
        "hollow": sum(_count(one, HOLLOW) for one in found),
        "settled": sum(_count(one, SETTLED) for one in found),
        "checkbox_only": ratio(
            sum((one.hollow for one in found), start=_NOTHING),
            sum((one.settled for one in found), start=_NOTHING),
        ),
    }


_NOTHING: Final = TickShares.of([]).settled


def _count(shares: TickShares, statuses: Iterable[str]) -> int:
    return sum(number for status, number in shares.counts.items() if status in statuses)


def _deal_today(
    deal_id: UUID, state: DealState, events: Sequence[Event], known: Known, moment: Moment
) -> Answer:
    at = moment.effective_at
    both = commitments_of(events, known.calendar, known.policy)
    today = known.calendar.day_of(at)
    process = known.processes(events)(pinned_reference(events))
    progress = fold_progress(events, known.processes(events), known.policy)
    theirs = [one for one in both if one.side == "customer"]
    return {
        **_named(deal_id, state),
        "stage": _stage_name(process, state.stage),
        "close_date": state.close_date,
        "next_step": bool(dated_next(theirs, today, at)),
        "next_outcomes": list(_next_outcomes(progress.activities, process, state.stage, at)),
        "commitments": [commitment_json(one, at) for one in both if _waits(one, at)],
    }


def _next_outcomes(
    activities: Iterable[ActivityProgress], process: Process, stage: str | None, at: datetime
) -> Iterable[Answer]:
    """Give the outcomes of the deal's stage that are not shown yet, in the process's order."""
    planned = {
        activity.id: activity
        for one in process.stages
        if one.id == stage
        for activity in one.activities
    }
    for progress in activities:
        activity = planned.get(progress.activity)
        if activity is None:
            continue
        names = {outcome.id: outcome.name for outcome in activity.outcomes}
        for outcome in progress.outcomes:
            if outcome.reached() is None:
                yield {
                    "activity": activity.name,
                    "activity_id": activity.id,
                    "outcome": names.get(outcome.outcome, outcome.outcome),
                    "outcome_id": outcome.outcome,
                    "required_level": outcome.required_level,
                    "status": progress.status(at),
                    "settles_at": progress.claim.settles_at if progress.claim else None,
                }


def _waits(one: Commitment, at: datetime) -> bool:
    """Say whether something is still to come of it: open, or past its day and never settled."""
    return one.settled is None and one.status(at) in {"open", "renegotiated", "broken"}


def commitment_json(one: Commitment, at: datetime) -> Answer:
    """Give what somebody said they will do, and what became of it by an instant."""
    return {
        "side": one.side,
        "id": one.id,
        "what": one.what,
        "by": one.by,
        "level": one.level,
        "due": one.due,
        "status": one.status(at),
        "event_id": str(one.event_id),
    }


def _named(deal_id: UUID, state: DealState) -> Answer:
    return {
        "deal_id": str(deal_id),
        "deal": state.name,
        "account": state.account_name,
        "owner": state.owner,
    }


def _stage_name(process: Process, stage: str | None) -> str | None:
    return next((one.name for one in process.stages if one.id == stage), stage)


def _first_to_close(deal_id: UUID, state: DealState) -> tuple[bool, str, str, UUID]:
    day = state.close_date
    return (day is None, day.isoformat() if day else "", state.name, deal_id)
