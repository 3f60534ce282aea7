"""Where a quarter stood at a moment: pipeline, attainment against pace, progress and pressure."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, TypeAlias
from uuid import UUID

from api.lists_figures import Figures
from api.moment import Moment
from api.off_fit import off_fit_opened
from api.places import Places
from api.quarter_acts import QuarterActs
from api.replays import ClockName, Replay, ReplayReader
from domain.known import Known
from domain.replay import view
from domain.values import money_json
from projections.facts import Rows
from projections.pressure.fold import Verdict
from projections.pressure.verdicts import (
    ActVerdict,
    Counts,
    counts_by_rep,
)
from projections.progress.answer import movement_of
from projections.progress.figures import grouped, movements_of, shares_of
from projections.progress.fold import Progress, fold
from projections.progress.shares import Movement, TickShares
from projections.quarter.crossing import lies_in
from projections.quarter.steps import ORGANISATION, Scope
from projections.spans import read
from projections.spans.read import Stood

Answer: TypeAlias = dict[str, object]
_ALL: Final = "all"


class QuarterFigures:
    """Answers where a quarter stood; the views must have reached the moment."""

    def __init__(
        self, figures: Figures, replays: ReplayReader, places: Places, views: Callable[[], int]
    ) -> None:
        self._figures = figures
        self._replays = replays
        self._places = places
        self._views = views

    def quarter(
        self,
        moment: Moment,
        name: str,
        known: Known,
        clock: ClockName | None,
        *,
        judged: Sequence[ActVerdict] | None = None,
        scope: Scope = ORGANISATION,
    ) -> Answer:
        """Give a quarter as it stood at a moment, in a context, for those in scope then.

        The pipeline holds the deals that were open then: all of them, and those expected to
        close in the quarter. Progress is that of the open deals by their owners, pressure that
        of the quarter's seller events by who did them; these are not judged again where their
        verdicts are given. Each says at which instant it stands, which may lie after the quarter's
        end: a moment that nobody names is today.

        Raises:
            UnknownThingError: the fiscal calendar has no such quarter.
        """
        replay = self._replays.replay(name, moment, clock, known=known)
        with self._replays.store.connection() as connection:
            place = self._places.of(connection, moment)
            open_deals = [
                one
                for one in read.stood(connection, place.open_deals)
                if scope.holds(one.state.owner, known, moment.effective_at)
            ]
            return {
                **replay.answer(),
                "stands_at": moment.effective_at,
                "after_end": moment.effective_at >= replay.quarter.end_instant,
                **self._figures.quarter(moment, name, known, scope),
                "pipeline": _standing(moment, _pipeline(open_deals, replay)),
                "progress": _standing(moment, self._progress(connection, replay, open_deals)),
                "pressure": _standing(moment, self._pressure(connection, replay, judged, scope)),
                "off_fit_opened": _standing(moment, off_fit_opened(connection, replay, scope)),
                "late": self._replays.late(connection, replay),
            }

    def _progress(self, connection: Rows, replay: Replay, open_deals: Sequence[Stood]) -> Answer:
        """Give what is ticked only among the open deals, together and by owner."""
        by_owner = {one.deal_id: one.state.owner for one in open_deals}
        everybody = dict.fromkeys(by_owner, _ALL)
        folded = self._folded(replay, list(by_owner)) if replay.anew else None

        def told(groups: Mapping[UUID, str]) -> dict[str, Answer]:
            if folded is not None:
                return _added_up(folded, groups, replay.moment.effective_at)
            moment, deals = replay.moment, grouped(groups)
            position, at, cut = moment.position, moment.effective_at, moment.cut
            shares = shares_of(connection, deals, as_of=position, at=at, cut=cut)
            moved = movements_of(connection, deals, as_of=position, cut=cut)
            return {key: _shares(shares[key], moved.get(key)) for key in sorted(shares)}

        total = told(everybody).get(_ALL) or _shares(TickShares.of([]), None)
        return {**total, "reps": [{"rep": rep, **one} for rep, one in told(by_owner).items()]}

    def _folded(self, replay: Replay, deal_ids: Sequence[UUID]) -> dict[UUID, Progress]:
        """Fold deals in another frame than the one that the facts of then rest on."""
        moment, known = replay.moment, replay.known
        found: dict[UUID, Progress] = {}
        for deal_id, stream in self._places.streams(deal_ids, moment.position).items():
            events = view(stream, effective_at=moment.cut)
            found[deal_id] = fold(events, known.processes(events), known.policy)
        return found

    def verdicts(self, moment: Moment, name: str, known: Known) -> list[ActVerdict]:
        """Give the verdict of each seller event of a quarter at a moment, in a context.

        Raises:
            UnknownThingError: the fiscal calendar has no such quarter.
        """
        replay = self._replays.replay(name, moment, known=known)
        with self._replays.store.connection() as connection:
            return QuarterActs(connection, replay, self._places, self._views()).verdicts()

    def _pressure(
        self,
        connection: Rows,
        replay: Replay,
        judged: Sequence[ActVerdict] | None,
        scope: Scope,
    ) -> Answer:
        """Give how many seller events of the quarter are pressure-shaped, together and by rep.

        In another frame its deals are read anew, as they were known then.
        """
        if judged is not None:
            return _answered(_counted(judged))
        acts = QuarterActs(connection, replay, self._places, self._views())
        if replay.anew:
            found = _counted(acts.verdicts())
        else:
            found = counts_by_rep(acts.context, replay.quarter.name)
        at = replay.moment.effective_at
        return _answered({r: c for r, c in found.items() if scope.holds(r, replay.known, at)})


def _standing(moment: Moment, block: Answer) -> Answer:
    """Label figures with the instant at which they stand."""
    return {"stands_at": moment.effective_at, **block}


def _answered(found: Mapping[str, Counts]) -> Answer:
    """Give counts of verdicts together and by rep."""
    total = Counts(
        shaped=sum(one.shaped for one in found.values()),
        consistent=sum(one.consistent for one in found.values()),
        evaluable=sum(one.evaluable for one in found.values()),
    )
    return {
        **_verdicts(total),
        "reps": [{"rep": rep, **_verdicts(one)} for rep, one in found.items()],
    }


def _counted(found: Iterable[ActVerdict]) -> dict[str, Counts]:
    """Count verdicts by rep, in the order of their ids."""
    by_rep: dict[str, list[Verdict]] = defaultdict(list)
    for one in found:
        by_rep[one.rep].append(one.verdict)
    return {
        rep: Counts(
            shaped=told.count("pressure_shaped"),
            consistent=told.count("pressure_consistent"),
            evaluable=len(told) - told.count("not_evaluable"),
        )
        for rep, told in sorted(by_rep.items())
    }


def _added_up(
    folded: Mapping[UUID, Progress], groups: Mapping[UUID, str], at: datetime
) -> dict[str, Answer]:
    """Add up folded deals by group, as the figures of facts are added up."""
    members: dict[str, list[Progress]] = defaultdict(list)
    for deal_id, progress in folded.items():
        members[groups[deal_id]].append(progress)
    return {
        key: _shares(
            TickShares.of((a.status(at), a.weight) for deal in deals for a in deal.activities),
            movement_of([advance for deal in deals for advance in deal.advances]),
        )
        for key, deals in sorted(members.items())
    }


def _shares(shares: TickShares, movement: Movement | None) -> Answer:
    moved = movement or Movement.of([])
    return {
        **shares.answer(),
        "checkbox_only_progress": moved.checkbox_only_progress(),
        "customer_led_movement": {"led": moved.led, "steps": moved.steps},
    }


def _verdicts(counts: Counts) -> Answer:
    return {
        "shaped": counts.shaped,
        "consistent": counts.consistent,
        "evaluable": counts.evaluable,
    }


def _pipeline(open_deals: Sequence[Stood], replay: Replay) -> Answer:
    closing = [one for one in open_deals if lies_in(one.state.close_date, replay.quarter)]
    return {"open": _groups(open_deals), "closing_in_quarter": _groups(closing)}


def _groups(deals: Sequence[Stood]) -> Answer:
    """Give deals together, by stage and by forecast category."""
    stages: dict[str, list[Stood]] = defaultdict(list)
    categories: dict[str, list[Stood]] = defaultdict(list)
    for one in deals:
        stages[one.state.stage or ""].append(one)
        categories[one.state.forecast_category or ""].append(one)
    return {
        **_sum(deals),
        "by_stage": [{"stage": key or None, **_sum(stages[key])} for key in sorted(stages)],
        "by_category": [
            {"category": key or None, **_sum(categories[key])} for key in sorted(categories)
        ],
    }


def _sum(deals: Sequence[Stood]) -> Answer:
    sums: dict[str, Decimal] = {}
    for one in deals:
        if one.state.amount is not None and one.state.currency is not None:
            sums[one.state.currency] = sums.get(one.state.currency, Decimal(0)) + one.state.amount
    return {"deals": len(deals), "amounts": [money_json(sums[key], key) for key in sorted(sums)]}
