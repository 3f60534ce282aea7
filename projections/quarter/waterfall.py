"""What moved a quarter's pipeline from its opening to its closing, exact in minor units.

The pipeline of a quarter are the deals that are open, not deleted, in scope, and expected to close
in it. closing = opening + inflows - outflows holds in every currency (METRICS section 7).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args
from uuid import UUID

from domain.fiscal import FiscalQuarter
from projections.quarter.crossing import crossing, lies_in
from projections.quarter.steps import (
    ORGANISATION,
    Change,
    Scope,
    Standing,
    Step,
    TeamChange,
    Worth,
    live,
    worth_of,
)

Inflow: TypeAlias = Literal[
    "new",
    "reopened_in",
    "pulled_in",
    "pushed_in",
    "increased",
    "owner_in",
    "hierarchy_in",
    "category_in",
]
Outflow: TypeAlias = Literal[
    "pulled_out",
    "pushed_out",
    "decreased",
    "owner_out",
    "hierarchy_out",
    "category_out",
    "lost",
    "won",
]
CellName: TypeAlias = Inflow | Outflow
INFLOWS: Final[tuple[Inflow, ...]] = get_args(Inflow)
OUTFLOWS: Final[tuple[Outflow, ...]] = get_args(Outflow)


class BrokenStepsError(ValueError):
    """A step does not begin where the deal's last one ended, so that nothing adds up."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One deal's part of a cell, and the event that put it there; `worth` is None if unknown."""

    deal_id: UUID
    event_id: UUID | None
    position: int
    kind: str | None
    worth: Worth | None


@dataclass(frozen=True, slots=True)
class Cell:
    """Minor units by currency, how many different deals, and what it is made of."""

    amounts: Mapping[str, int]
    deals: int
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Waterfall:
    """A quarter's pipeline at both ends, and every cell between them.

    The entries of `opening` and `closing` name the last step of each deal that stands there.
    """

    opening: Cell
    cells: Mapping[CellName, Cell]
    closing: Cell


def waterfall(
    opening: Iterable[Step],
    changes: Iterable[Change],
    *,
    quarter: FiscalQuarter,
    scope: Scope = ORGANISATION,
    category: str | None = None,
    teams: Mapping[str, str | None] | None = None,
) -> Waterfall:
    """Give the waterfall of the changes, in their order, after the opening.

    `opening` holds the last step before of every deal that may stand in the quarter, whoever
    owns it; `teams` says who is in which team then. With a category only deals of that forecast
    category count; without one the category cells stay empty.

    Raises:
        BrokenStepsError: the steps do not follow one another.
    """
    pipeline = _Pipeline(quarter, scope, category, teams or {})
    for step in opening:
        pipeline.open_with(step)
    begun = _cell(pipeline.standing())
    for change in changes:
        pipeline.take(change)
    found = Waterfall(
        opening=begun,
        cells={name: _cell(entries) for name, entries in pipeline.cells.items()},
        closing=_cell(pipeline.standing()),
    )
    _ensure_identity(found)
    return found


def waterfalls_by_rep(
    opening: Iterable[Step],
    changes: Iterable[Change],
    *,
    quarter: FiscalQuarter,
    category: str | None = None,
) -> dict[str, Waterfall]:
    """Give the waterfall of every rep who owned a deal, each from the steps of their own deals."""
    openings: dict[str, list[Step]] = {}
    steps: dict[str, list[Step]] = {}
    for step in opening:
        for rep in _owners(step.after):
            openings.setdefault(rep, []).append(step)
    for change in changes:
        if isinstance(change, Step):
            for rep in _owners(change.before) | _owners(change.after):
                steps.setdefault(rep, []).append(change)
    return {
        rep: waterfall(
            openings.get(rep, ()),
            steps.get(rep, ()),
            quarter=quarter,
            scope=Scope(rep=rep),
            category=category,
        )
        for rep in sorted({*openings, *steps})
    }


def _owners(standing: Standing | None) -> set[str]:
    return set() if standing is None else {standing.owner}


@dataclass(frozen=True, slots=True)
class _View:
    """A state as one waterfall sees it."""

    covered: bool
    dated: bool
    taken: bool
    worth: Worth | None

    @property
    def counted(self) -> bool:
        return self.covered and self.dated and self.taken


class _Pipeline:
    """The deals that stand in the quarter, whoever owns them, and the cells so far."""

    def __init__(
        self,
        quarter: FiscalQuarter,
        scope: Scope,
        category: str | None,
        teams: Mapping[str, str | None],
    ) -> None:
        self._quarter = quarter
        self._scope = scope
        self._category = category
        self._teams = dict(teams)
        self._held: dict[str, dict[UUID, Step]] = {}
        self.cells: dict[CellName, list[Entry]] = {name: [] for name in (*INFLOWS, *OUTFLOWS)}

    def open_with(self, step: Step) -> None:
        if (standing := live(step.after)) is not None:
            self._hold(step, standing)

    def take(self, change: Change) -> None:
        if isinstance(change, TeamChange):
            self._take_team(change)
        else:
            self._take_step(change)

    def standing(self) -> list[Entry]:
        """Give an entry for every deal that counts now, in the order of their ids."""
        steps = [step for held in self._held.values() for step in held.values()]
        return [
            _entry(step, view.worth)
            for step in sorted(steps, key=lambda step: step.deal_id)
            if (state := live(step.after)) is not None and (view := self._view(state)).counted
        ]

    def _take_team(self, change: TeamChange) -> None:
        before = self._covers(change.rep)
        self._teams[change.rep] = change.team
        after = self._covers(change.rep)
        if before == after:
            return
        name: CellName = "hierarchy_in" if after else "hierarchy_out"
        for deal_id, step in sorted(self._held.get(change.rep, {}).items()):
            state = live(step.after)
            if state is not None and self._takes(state):
                self.cells[name].append(
                    Entry(deal_id, change.event_id, change.position, change.kind, worth_of(state))
                )

    def _take_step(self, step: Step) -> None:
        before, after = live(step.before), live(step.after)
        if before is not None:
            self._held.get(before.owner, {}).pop(step.deal_id, None)
            # What ends a deal is attributed last: until then it is the open one, changed.
            left = self._move(step, before, step.after or before)
            if after is None and left.counted:
                self._add(_ending(step.after), step, left.worth)
        elif after is not None and (view := self._view(after)).counted:
            self._add("new" if step.before is None else "reopened_in", step, view.worth)
        if after is not None:
            self._hold(step, after)

    def _move(self, step: Step, before: Standing, after: Standing) -> _View:
        """Attribute what changed: owner, date, amount, category, each on top of those before."""
        was, stands = self._view(before), self._view(after)
        if was == stands:
            return stands
        if was.dated and was.taken and was.covered != stands.covered:
            self._add("owner_in" if stands.covered else "owner_out", step, was.worth)
        if stands.covered and was.taken and was.dated != stands.dated:
            crossed = crossing(before.close_date, after.close_date, self._quarter)
            if crossed is not None:
                self._add(crossed, step, was.worth)
        if stands.covered and stands.dated and was.taken and was.worth != stands.worth:
            self._revalue(step, was.worth, stands.worth)
        if stands.covered and stands.dated and was.taken != stands.taken:
            self._add("category_in" if stands.taken else "category_out", step, stands.worth)
        return stands

    def _revalue(self, step: Step, before: Worth | None, after: Worth | None) -> None:
        """Split a change of amount; in another currency the whole old amount goes."""
        if before is not None and after is not None and before[1] == after[1]:
            more = after[0] - before[0]
            self._add("increased" if more > 0 else "decreased", step, (abs(more), after[1]))
            return
        if before is not None:
            self._add("decreased", step, before)
        if after is not None:
            self._add("increased", step, after)

    def _add(self, name: CellName, step: Step, worth: Worth | None) -> None:
        self.cells[name].append(_entry(step, worth))

    def _hold(self, step: Step, standing: Standing) -> None:
        if lies_in(standing.close_date, self._quarter):
            self._held.setdefault(standing.owner, {})[step.deal_id] = step

    def _view(self, standing: Standing) -> _View:
        return _View(
            self._covers(standing.owner),
            lies_in(standing.close_date, self._quarter),
            self._takes(standing),
            worth_of(standing),
        )

    def _covers(self, owner: str) -> bool:
        if self._scope.team is not None:
            return self._teams.get(owner) == self._scope.team
        return self._scope.rep is None or self._scope.rep == owner

    def _takes(self, standing: Standing) -> bool:
        return self._category is None or standing.forecast_category == self._category


def _ending(after: Standing | None) -> CellName:
    won = after is not None and after.closed == "won" and not after.deleted
    return "won" if won else "lost"


def _entry(step: Step, worth: Worth | None) -> Entry:
    return Entry(step.deal_id, step.event_id, step.position, step.kind, worth)


def _cell(entries: Iterable[Entry]) -> Cell:
    kept = tuple(entries)
    amounts: dict[str, int] = {}
    for entry in kept:
        if entry.worth is not None:
            units, currency = entry.worth
            amounts[currency] = amounts.get(currency, 0) + units
    return Cell(dict(sorted(amounts.items())), len({entry.deal_id for entry in kept}), kept)


def _ensure_identity(found: Waterfall) -> None:
    ends = {*found.opening.amounts, *found.closing.amounts}
    for currency in ends.union(*(cell.amounts for cell in found.cells.values())):
        sums = {name: cell.amounts.get(currency, 0) for name, cell in found.cells.items()}
        flown = sum(sums[name] for name in INFLOWS) - sum(sums[name] for name in OUTFLOWS)
        opened = found.opening.amounts.get(currency, 0)
        closed = found.closing.amounts.get(currency, 0)
        if opened + flown != closed:
            message = (
                f"{currency}: {opened} at the opening and {flown} since do not make {closed}, in "
                "minor units; a step does not begin where the last one of its deal ended"
            )
            raise BrokenStepsError(message)
