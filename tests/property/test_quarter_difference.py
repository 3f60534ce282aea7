"""The difference of two instants: what it lists, and that two of them make a third."""

from hypothesis import given

from projections.quarter.difference import differences, totals
from projections.quarter.tape import shown
from tests.support.quarters import CUTS, ON_CLOCK, UNHURRIED, Clock, World, worlds


@UNHURRIED
@given(worlds(), ON_CLOCK, CUTS, CUTS)
def test_a_deal_is_listed_exactly_if_it_shows_differently(
    world: World, clock: Clock, a: int, b: int
) -> None:
    before, after = world.cut(clock, a).states, world.cut(clock, b).states

    found = differences(before, after)

    assert [one.deal_id for one in found] == sorted(
        deal_id for deal_id in before if shown(before[deal_id]) != shown(after[deal_id])
    )


@UNHURRIED
@given(worlds(), ON_CLOCK, CUTS)
def test_there_and_back_amounts_cancel(world: World, clock: Clock, at: int) -> None:
    before, after = world.cut(clock, at).states, world.states()

    there = totals(differences(before, after))["amount"]
    back = totals(differences(after, before))["amount"]

    assert there.amounts == {currency: -units for currency, units in back.amounts.items()}
