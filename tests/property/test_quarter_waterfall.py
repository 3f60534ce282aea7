"""The waterfall adds up: on every clock, for every scope and category, wherever it is cut."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from uuid import UUID

from hypothesis import given

from domain.values import Money
from projections.quarter.steps import Scope
from projections.quarter.waterfall import (
    INFLOWS,
    OUTFLOWS,
    Cell,
    CellName,
    Waterfall,
    waterfall,
    waterfalls_by_rep,
)
from projections.spans.fold import DealState
from tests.support.quarters import (
    ASKED,
    CUTS,
    EVERYTHING,
    ON_CLOCK,
    UNHURRIED,
    Asked,
    Clock,
    Cut,
    World,
    last_steps,
    teams_after,
    worlds,
)

REVALUED = ("increased", "decreased")


def waterfall_after(cut: Cut, asked: Asked) -> Waterfall:
    return waterfall(
        last_steps(cut.earlier),
        cut.later,
        quarter=asked.quarter,
        scope=asked.scope,
        category=asked.category,
        teams=teams_after(cut.earlier),
    )


def pipeline(
    states: Mapping[UUID, DealState | None],
    asked: Asked,
    teams: Mapping[str, str | None],
) -> dict[UUID, Money | None]:
    """Find anew what stands in a quarter, from the states alone."""
    quarter, scope = asked.quarter, asked.scope
    return {
        deal_id: (
            Money.model_construct(amount=state.amount, currency=state.currency).quantised()
            if state.amount is not None and state.currency is not None
            else None
        )
        for deal_id, state in states.items()
        if state is not None
        and state.closed is None
        and not state.deleted
        and state.close_date is not None
        and quarter.start <= state.close_date <= quarter.end
        and asked.category in {None, state.forecast_category}
        and (scope.rep is None or state.owner == scope.rep)
        and (scope.team is None or teams.get(state.owner) == scope.team)
    }


def sums(money: Iterable[Money | None]) -> dict[str, Money]:
    found: dict[str, Money] = {}
    for one in money:
        if one is not None:
            found[one.currency] = found[one.currency].plus(one) if one.currency in found else one
    return found


def is_pipeline(cell: Cell, expected: Mapping[UUID, Money | None]) -> bool:
    amounts = {c: Money.of_minor_units(units, c) for c, units in cell.amounts.items()}
    return (
        amounts == sums(expected.values())
        and cell.deals == len(expected)
        and [entry.deal_id for entry in cell.entries] == sorted(expected)
    )


def moved(found: Waterfall) -> Counter[str]:
    """Give the opening with what came added and what went subtracted."""
    amounts = Counter(found.opening.amounts)
    for inflow in INFLOWS:
        amounts.update(found.cells[inflow].amounts)
    for outflow in OUTFLOWS:
        amounts.subtract(found.cells[outflow].amounts)
    return amounts


@UNHURRIED
@given(worlds(), ON_CLOCK, CUTS)
def test_both_ends_are_what_stands_there_and_the_cells_are_the_difference(
    world: World, clock: Clock, at: int
) -> None:
    cut = world.cut(clock, at)
    teams, teams_at_last = teams_after(cut.earlier), teams_after([*cut.earlier, *cut.later])

    for asked in EVERYTHING:
        found = waterfall_after(cut, asked)

        assert is_pipeline(found.opening, pipeline(cut.states, asked, teams))
        assert is_pipeline(found.closing, pipeline(world.states(), asked, teams_at_last))
        assert moved(found) == Counter(found.closing.amounts)


@UNHURRIED
@given(worlds(), ON_CLOCK, CUTS, ASKED)
def test_deals_add_up_like_money(world: World, clock: Clock, at: int, asked: Asked) -> None:
    found = waterfall_after(world.cut(clock, at), asked)

    arrived, left = (
        sum(len(found.cells[name].entries) for name in names if name not in REVALUED)
        for names in (INFLOWS, OUTFLOWS)
    )
    assert found.opening.deals + arrived - left == found.closing.deals


def by_rep(cut: Cut, asked: Asked) -> dict[str, Waterfall]:
    return waterfalls_by_rep(
        last_steps(cut.earlier), cut.later, quarter=asked.quarter, category=asked.category
    )


@UNHURRIED
@given(worlds(), ON_CLOCK, CUTS, ASKED)
def test_the_reps_waterfalls_are_the_organisations_once_owners_cancel(
    world: World, clock: Clock, at: int, asked: Asked
) -> None:
    cut = world.cut(clock, at)

    whole = waterfall_after(cut, replace(asked, scope=Scope()))
    reps = by_rep(cut, asked).values()

    def together(name: CellName) -> Counter[str]:
        total: Counter[str] = Counter()
        for rep in reps:
            total.update(rep.cells[name].amounts)
        return total

    assert together("owner_in") == together("owner_out")
    for name in whole.cells:
        if name not in {"owner_in", "owner_out"}:
            assert together(name) == Counter(whole.cells[name].amounts)


@UNHURRIED
@given(worlds(), ON_CLOCK, CUTS, ASKED)
def test_a_reps_own_steps_are_enough_for_their_waterfall(
    world: World, clock: Clock, at: int, asked: Asked
) -> None:
    cut = world.cut(clock, at)

    for rep, found in by_rep(cut, asked).items():
        assert found == waterfall_after(cut, replace(asked, scope=Scope(rep=rep)))


@UNHURRIED
@given(worlds(), ON_CLOCK, CUTS, CUTS, ASKED)
def test_two_halves_chain_into_the_whole(
    world: World,
    clock: Clock,
    at: int,
    again: int,
    asked: Asked,
) -> None:
    first, second = sorted((at, at + again))
    cut, later_cut = world.cut(clock, first), world.cut(clock, second)
    between = later_cut.earlier[len(cut.earlier) :]

    whole = waterfall_after(cut, asked)
    half = waterfall_after(Cut(cut.earlier, between, {}), asked)
    rest = waterfall_after(later_cut, asked)

    assert half.opening == whole.opening
    assert half.closing == rest.opening
    assert rest.closing == whole.closing
    for name, cell in whole.cells.items():
        assert cell.entries == half.cells[name].entries + rest.cells[name].entries
