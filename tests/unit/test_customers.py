from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.comparisons import Rate
from domain.events.customer import CustomerGoalAchieved, CustomerGoalRecorded
from domain.known import Known
from domain.replay import view
from projections.customers.fold import CustomerDeal, customer_of, days_to_goal, kept, wins_of
from projections.customers.goals import Goal, derive_goals
from tests.support.told import Teller, at, opened

START = at("2025-01-01")
DAY = timedelta(days=1)


def goal(achieved_at: datetime | None = None, name: str = "On time") -> Goal:
    return Goal(name, START, UUID(int=1), achieved_at, UUID(int=2) if achieved_at else None)


def deal(number: int, account: str, won_on: int | None = None, *goals: Goal) -> CustomerDeal:
    return CustomerDeal(
        UUID(int=number),
        account,
        f"{account} {number}",
        START + number * DAY,
        None if won_on is None else "won",
        None if won_on is None else START + won_on * DAY,
        goals,
    )


def test_a_customer_comes_back_with_a_second_win() -> None:
    deals = [deal(3, "acme"), deal(1, "acme", 20), deal(2, "acme", 10)]

    acme = customer_of(deals)

    assert (acme.account_id, acme.name) == ("acme", "acme 3"), "as the latest deal calls it"
    assert (acme.deals, acme.open) == (3, 1)
    assert [one.deal_id.int for one in acme.wins] == [2, 1]
    assert [one.deal_id.int for one in acme.repeat_wins] == [1]
    assert customer_of([deal(4, "b")]).wins == ()
    assert kept(wins_of([*deals, deal(4, "b")]), customers=2).came_back == Rate(1, 1)


def test_a_goal_counts_once_it_is_reached_after_the_win() -> None:
    reached, early = goal(START + 30 * DAY), goal(START + 2 * DAY, "Sooner")
    first = deal(1, "acme", 10, reached, early, goal(None, "Never"))

    together = kept(wins_of([first, deal(2, "acme")]), customers=1)

    assert together.goals_achieved == Rate(1, 3)
    assert together.median_days == Decimal(20)
    assert days_to_goal(first, early) is None


def test_the_goals_of_deals_that_were_not_won_count_nowhere() -> None:
    together = kept(wins_of([deal(1, "acme", None, goal(START + DAY))]), customers=1)

    assert together.goals_achieved == Rate(0, 0)
    assert together.median_days is None
    assert together.came_back == Rate(0, 0)


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.none() | st.integers(0, 90),
            st.lists(st.none() | st.integers(0, 200), max_size=3),
        ),
        max_size=12,
    )
)
def test_customers_hold_every_deal_once_and_rates_stay_rates(
    told: list[tuple[str, int | None, list[int | None]]],
) -> None:
    deals = [
        deal(
            number,
            account,
            won_on,
            *(
                goal(None if day is None else START + day * DAY, f"goal {index}")
                for index, day in enumerate(days)
            ),
        )
        for number, (account, won_on, days) in enumerate(told)
    ]
    accounts = {one.account_id for one in deals}
    wins = wins_of(reversed(deals))
    together = kept(wins, customers=len(accounts))

    for account in accounts:
        own = [one for one in deals if one.account_id == account]
        found = customer_of(reversed(own))
        assert (found.name, found.deals) == (own[-1].account_name, len(own))
        assert list(found.wins) == wins.get(account, [])
    assert sorted(one.deal_id for own in wins.values() for one in own) == [
        one.deal_id for one in deals if one.won_at is not None
    ]
    assert 0 <= together.came_back.successes <= together.came_back.n <= together.customers
    assert 0 <= together.goals_achieved.successes <= together.goals_achieved.n
    assert (together.median_days is None) == (together.goals_achieved.successes == 0)


def test_the_first_word_of_a_goal_counts_and_the_first_of_its_achievement() -> None:
    teller = Teller()
    teller.tell(opened(), "2025-01-01")
    teller.tell(CustomerGoalRecorded(goal="On time", level=3), "2025-01-05")
    teller.tell(CustomerGoalRecorded(goal="On time", level=4), "2025-01-02")
    teller.tell(CustomerGoalAchieved(goal="On time", level=3), "2025-02-02")
    last = teller.tell(CustomerGoalAchieved(goal="Cheaper", level=3), "2025-02-01")
    events = teller.events

    found = {one.goal: one for one in derive_goals(view(events), Known([]))}

    assert found["On time"].recorded_at == at("2025-01-02")
    assert found["On time"].achieved_at == at("2025-02-02")
    assert found["Cheaper"].recorded_at is None
    assert found["Cheaper"].achieved_by == last.event_id
