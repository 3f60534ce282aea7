"""What a single event does to the waterfall of a quarter, and the edges that had to be decided."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest

from projections.quarter.steps import Change, Scope, Step, TeamChange
from projections.quarter.waterfall import BrokenStepsError, Waterfall, waterfall
from tests.support.histories import hours
from tests.support.quarters import QUARTER, State, Steps
from tests.support.told import named

DEAL = named("a deal")
OPEN = State()
EARLIER, LATER = date(2025, 3, 31), date(2025, 7, 1)
Moved = dict[str, dict[str, int]]


def stood(state: State) -> Step:
    """Give the step that brought the deal to where the replay finds it."""
    return Step(DEAL, 0, named("before"), hours(0), None, state)


def after(
    before: State | None, *states: State | None, opening: bool = True, **asked: str
) -> Waterfall:
    """Play these states, one after the other; the first one stood at the opening if it is told."""
    steps = Steps(DEAL, before)
    changes = [steps.to(state, position=number) for number, state in enumerate(states, start=1)]
    stands = [stood(before)] if before and opening else []
    scope = Scope(rep=asked.get("rep"), team=asked.get("team"))
    return waterfall(stands, changes, quarter=QUARTER, scope=scope, category=asked.get("category"))


def cells(found: Waterfall) -> Moved:
    """Give the cells that hold something, by currency."""
    return {name: dict(cell.amounts) for name, cell in found.cells.items() if cell.entries}


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (None, OPEN, "new"),
        (State(closed="lost"), OPEN, "reopened_in"),
        (State(closed="won"), OPEN, "reopened_in"),
        (State(deleted=True), OPEN, "reopened_in"),
        (State(close_date=LATER), OPEN, "pulled_in"),
        (State(close_date=None), OPEN, "pulled_in"),
        (State(close_date=EARLIER), OPEN, "pushed_in"),
        (OPEN, State(close_date=EARLIER), "pulled_out"),
        (OPEN, State(close_date=LATER), "pushed_out"),
        (OPEN, State(close_date=None), "pushed_out"),
        (OPEN, State(closed="won"), "won"),
        (OPEN, State(closed="lost"), "lost"),
        (OPEN, State(closed="disqualified"), "lost"),
        (OPEN, State(deleted=True), "lost"),
        (OPEN, State(closed="won", deleted=True), "lost"),
        (OPEN, None, "lost"),
    ],
)
def test_what_enters_or_leaves_does_so_by_one_cell(
    before: State | None, now: State | None, expected: str
) -> None:
    assert cells(after(before, now)) == {expected: {"USD": 1000_00}}


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (OPEN, State(close_date=QUARTER.start)),
        (OPEN, State(close_date=QUARTER.end)),
        (OPEN, State(stage="propose")),
        (OPEN, State(owner="bob")),
        (OPEN, State(forecast_category="commit")),
        (State(close_date=EARLIER), State(close_date=LATER)),
        (State(closed="lost"), State(closed="lost", close_date=LATER)),
        (State(closed="won"), State(closed="won", amount=Decimal(5))),
        (State(closed="won"), State(closed="lost")),
        (State(close_date=LATER), State(close_date=LATER, closed="won")),
        (None, State(deleted=True)),
        (None, State(close_date=LATER)),
    ],
)
def test_what_moves_nothing_of_the_quarter_is_in_no_cell(before: State | None, now: State) -> None:
    assert cells(after(before, now)) == {}


def test_a_deal_opened_straight_into_the_quarter_is_new_with_all_that_it_brings() -> None:
    assert cells(after(None, State(amount=Decimal("7.5"), owner="bob"), rep="bob")) == {
        "new": {"USD": 7_50}
    }


def test_a_change_of_amount_is_what_was_added_or_taken_away() -> None:
    found = after(OPEN, State(amount=Decimal(1500)), State(amount=Decimal(200)))

    assert cells(found) == {"increased": {"USD": 500_00}, "decreased": {"USD": 1300_00}}


def test_in_another_currency_the_whole_amount_goes_and_comes() -> None:
    found = after(OPEN, State(amount=Decimal(100), currency="JPY"))

    assert cells(found) == {"decreased": {"USD": 1000_00}, "increased": {"JPY": 100}}


def test_a_deal_without_an_amount_counts_as_a_deal_and_as_no_money() -> None:
    unknown = State(amount=None, currency=None)

    found = after(None, unknown, OPEN, unknown)

    assert found.cells["new"].deals == 1
    assert found.closing.deals == 1
    assert cells(found) == {"new": {}, "increased": {"USD": 1000_00}, "decreased": {"USD": 1000_00}}


def test_amounts_are_rounded_once_each_half_to_even() -> None:
    found = after(None, State(amount=Decimal("0.125")), State(amount=Decimal("0.135")))

    assert cells(found) == {"new": {"USD": 12}, "increased": {"USD": 2}}


def test_a_win_at_another_price_changes_the_amount_before_it_is_won() -> None:
    found = after(OPEN, State(closed="won", amount=Decimal(900)))

    assert cells(found) == {"decreased": {"USD": 100_00}, "won": {"USD": 900_00}}


def test_one_event_may_fill_several_cells_in_the_order_of_attribution() -> None:
    everything = State(owner="bob", close_date=LATER, amount=Decimal(1), forecast_category="commit")

    assert cells(after(OPEN, everything, rep="ann")) == {"owner_out": {"USD": 1000_00}}
    assert cells(after(OPEN, everything, rep="bob")) == {
        "owner_in": {"USD": 1000_00},
        "pushed_out": {"USD": 1000_00},
    }


def test_a_new_owner_gains_only_what_was_in_the_quarter_and_the_category() -> None:
    now = State(owner="bob", forecast_category="commit")

    assert cells(after(State(close_date=LATER), now, rep="bob")) == {"pulled_in": {"USD": 1000_00}}
    assert cells(after(OPEN, now, rep="bob", category="commit")) == {
        "category_in": {"USD": 1000_00}
    }


def test_the_date_comes_before_the_amount_and_the_amount_before_the_category() -> None:
    later = State(close_date=LATER, forecast_category="pipeline")
    now = State(amount=Decimal(1200), forecast_category="commit")

    assert cells(after(later, now)) == {
        "pulled_in": {"USD": 1000_00},
        "increased": {"USD": 200_00},
    }
    assert cells(after(later, now, category="pipeline")) == {
        "pulled_in": {"USD": 1000_00},
        "increased": {"USD": 200_00},
        "category_out": {"USD": 1200_00},
    }
    assert cells(after(later, now, category="commit")) == {"category_in": {"USD": 1200_00}}


def test_what_moved_while_a_deal_was_closed_shows_when_it_is_reopened() -> None:
    lost = State(closed="lost")
    moved = State(closed="lost", close_date=LATER, amount=Decimal(5))
    back = State(closed=None, amount=Decimal(5))

    assert cells(after(OPEN, lost, moved, State(close_date=LATER))) == {"lost": {"USD": 1000_00}}
    assert cells(after(OPEN, lost, moved, back)) == {
        "lost": {"USD": 1000_00},
        "reopened_in": {"USD": 5_00},
    }


def test_a_deal_won_outside_the_quarter_was_never_in_its_pipeline() -> None:
    assert cells(after(State(close_date=LATER), State(close_date=LATER, closed="won"))) == {}


def team_change(rep: str, team: str | None, position: int) -> TeamChange:
    return TeamChange(rep, team, position, named(f"team {position}"), hours(position))


def of_team(changes: Sequence[Change], **teams: str) -> Waterfall:
    return waterfall(
        [stood(OPEN)], changes, quarter=QUARTER, scope=Scope(team="north"), teams=teams
    )


def test_a_rep_who_changes_teams_takes_the_open_deals_along() -> None:
    leaving = team_change("ann", "south", 1)
    returning = team_change("ann", "north", 2)

    found = of_team([leaving, returning], ann="north")

    assert cells(found) == {"hierarchy_out": {"USD": 1000_00}, "hierarchy_in": {"USD": 1000_00}}
    assert [e.event_id for e in found.cells["hierarchy_out"].entries] == [leaving.event_id]
    assert found.opening == found.closing


def test_only_the_deals_that_the_rep_has_then_move_with_the_team() -> None:
    steps = Steps(DEAL, OPEN)

    found = of_team(
        [steps.to(State(owner="bob"), position=1), team_change("ann", "south", 2)],
        ann="north",
        bob="north",
    )

    assert cells(found) == {}


def test_only_deals_of_the_category_move_with_the_team() -> None:
    found = waterfall(
        [stood(OPEN)],
        [team_change("ann", "south", 1)],
        quarter=QUARTER,
        scope=Scope(team="north"),
        category="commit",
        teams={"ann": "north"},
    )

    assert cells(found) == {}


def test_a_change_of_owner_within_a_team_moves_nothing_of_the_team() -> None:
    to_bob = Steps(DEAL, OPEN).to(State(owner="bob"))

    assert cells(of_team([to_bob], ann="north", bob="north")) == {}
    assert cells(of_team([to_bob], ann="north", bob="south")) == {"owner_out": {"USD": 1000_00}}


def test_every_entry_names_the_deal_and_the_event_behind_it() -> None:
    steps = Steps(DEAL)
    opened = steps.to(OPEN, position=4, kind="deal_opened")
    staged = steps.to(State(stage="propose"), position=5, kind="stage_entered")

    found = waterfall([], [opened, staged], quarter=QUARTER)

    (new,) = found.cells["new"].entries
    assert (new.deal_id, new.event_id, new.position, new.kind, new.worth) == (
        DEAL,
        opened.event_id,
        4,
        "deal_opened",
        (1000_00, "USD"),
    )
    assert [entry.event_id for entry in found.closing.entries] == [staged.event_id]


def test_what_stands_is_listed_in_the_order_of_the_deals_ids() -> None:
    deals = [named(name) for name in ("one", "two", "three", "four")]
    steps = [Steps(deal).to(OPEN, position=place) for place, deal in enumerate(deals)]

    found = waterfall(steps, [], quarter=QUARTER)

    assert [entry.deal_id for entry in found.opening.entries] == sorted(deals)


def test_a_deal_that_leaves_twice_is_one_deal_and_two_entries() -> None:
    away = State(close_date=LATER)

    found = after(OPEN, away, OPEN, away)

    assert found.cells["pushed_out"].deals == 1
    assert len(found.cells["pushed_out"].entries) == 2


def test_steps_that_do_not_follow_one_another_are_refused() -> None:
    with pytest.raises(BrokenStepsError, match="USD: 0 at the opening"):
        after(OPEN, State(closed="won"), opening=False)


def test_a_scope_is_not_two_things() -> None:
    with pytest.raises(ValueError, match="not a rep and a team"):
        Scope(rep="ann", team="north")
