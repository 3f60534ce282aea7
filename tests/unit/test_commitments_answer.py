"""What the answer about commitments says: the vector, one-sided effort, the ladder of change."""

from typing import Any

import pytest

from domain.calendars import CalendarHistory
from domain.events.base import DomainEvent
from domain.events.customer import (
    ConsequenceRecorded,
    ContactIdentified,
    CustomerGoalAchieved,
    CustomerGoalRecorded,
)
from domain.events.progress import ActivityUnticked
from domain.policy import DEFAULT_POLICY
from domain.replay import view
from projections.commitments.answer import answer
from projections.commitments.fold import fold
from tests.support.promises import breaks, commits, keeps, keeps_promise, promises, withdraws
from tests.support.told import (
    Teller,
    at,
    discount,
    evidence,
    named,
    opened,
    request,
    stage,
    tick,
    usd,
    won,
)
from tests.support.worked_examples import worked_example


def answered(teller: Teller, when: str) -> dict[str, Any]:
    seen = view(teller.events, effective_at=at(when))
    return answer(fold(seen, CalendarHistory(), DEFAULT_POLICY), at(when))


def told(*moments: tuple[DomainEvent, str]) -> Teller:
    teller = Teller()
    teller.tell(opened(), "2025-01-01", name="opening")
    for number, (data, when) in enumerate(moments, start=1):
        teller.tell(data, when, name=f"fact {number}")
    return teller


def goal(text: str, level: int = 3) -> CustomerGoalRecorded:
    return CustomerGoalRecorded(goal=text, level=level)


def consequence(level: int = 3, amount: str | None = None) -> ConsequenceRecorded:
    return ConsequenceRecorded(
        consequence="The line stops", level=level, amount=usd(amount) if amount else None
    )


@pytest.mark.parametrize("day", ["2025-01-07", "2025-02-18", "2025-02-19", "2025-04-12"])
def test_the_vector_of_the_worked_example(day: str) -> None:
    example = worked_example("EX16")
    teller = Teller()
    for name, kind, when, data in example["input"]["events"]:
        said: DomainEvent = (
            keeps(data["target"])
            if kind == "CommitmentKept"
            else commits(name, data["level"], due=data["due"][:10], role=data["role"])
        )
        teller.tell(said, when)

    customer = answered(teller, day)["customer"]

    expected = example["expect"][day]
    assert {name: customer[name] for name in expected} == expected
    assert customer["economic_buyer"] is (day == "2025-02-18")


def test_every_figure_is_unknown_or_nothing_where_nothing_was_said() -> None:
    said = answered(told(), "2025-02-01")

    assert said["customer"] | {"counts": None} == {
        "level": 0,
        "live": 0,
        "counts": None,
        "kept": 0,
        "kept_late": 0,
        "broken": 0,
        "kept_ratio": None,
        "kept_ci": None,
        "kept_n": 0,
        "roles": 0,
        "role_names": [],
        "roles_unknown": 0,
        "economic_buyer": False,
        "days_since_customer_act": None,
        "last_customer_act": None,
    }
    assert said["one_sided"] == {"since": None, "days": None, "acts": 0, "event_ids": []}
    assert said["customer_initiated"]["initiated_ratio"] is None
    assert said["change"]["standing"] == 0


def test_roles_count_once_in_any_spelling_and_only_of_those_who_mean_it() -> None:
    teller = told(
        (ContactIdentified(contact="kim", role="Economic Buyer"), "2025-01-02"),
        (commits("a", 3, by="kim"), "2025-01-03"),
        (commits("b", 2, role="economic-buyer"), "2025-01-03"),
        (commits("c", 1, role="champion"), "2025-01-03"),
        (commits("d", 2), "2025-01-03"),
    )

    customer = answered(teller, "2025-01-04")["customer"]

    assert (customer["role_names"], customer["roles_unknown"]) == (["economic_buyer"], 1)
    assert customer["economic_buyer"]


def test_kept_late_is_kept_and_counted_beside() -> None:
    teller = told(
        (commits("a", due="2025-01-05"), "2025-01-02"),
        (keeps("a"), "2025-01-20"),
        (commits("b"), "2025-01-21"),
        (breaks("b"), "2025-01-22"),
        (commits("c"), "2025-01-21"),
        (withdraws("c"), "2025-01-22"),
    )

    customer = answered(teller, "2025-02-01")["customer"]

    assert (customer["kept"], customer["kept_late"], customer["kept_n"]) == (1, 1, 2)
    assert customer["kept_ratio"] == 0.5


def test_promises_are_counted_apart() -> None:
    teller = told(
        (promises("x", due="2025-01-05"), "2025-01-02"),
        (promises("y"), "2025-01-02"),
        (keeps_promise("y"), "2025-01-03"),
    )

    said = answered(teller, "2025-02-01")

    assert said["customer"]["kept_n"] == 0
    assert (said["seller"]["kept"], said["seller"]["broken"]) == (1, 1)
    assert [one["status"] for one in said["promises"]] == ["broken", "kept"]


def test_effort_is_one_sided_since_the_customer_last_acted() -> None:
    teller = told(
        (tick("meet"), "2025-01-02"),
        (request("terms"), "2025-01-03"),
        (tick("demo"), "2025-01-04"),
        (discount("10"), "2025-01-05"),
        (evidence("fit", level=2), "2025-01-06"),
        (stage("propose"), "2025-01-07"),
        (promises("x"), "2025-01-08"),
        (tick("gone"), "2025-01-08"),
        (ActivityUnticked(activity="gone"), "2025-01-09"),
    )

    one_sided = answered(teller, "2025-01-23T12:00:00")["one_sided"]

    assert (one_sided["since"], one_sided["days"]) == (at("2025-01-03"), 20)
    assert one_sided["event_ids"] == [str(named(f"fact {n}")) for n in (3, 4, 5, 7)]
    assert one_sided["acts"] == 4


def test_a_tick_backdated_before_the_customers_act_is_still_effort_after_it() -> None:
    teller = told((request("terms"), "2025-01-05"))
    teller.tell(tick("demo"), "2025-01-04", recorded="2025-01-09")

    assert answered(teller, "2025-01-10")["one_sided"]["acts"] == 1


def test_breaking_its_word_is_no_act_of_the_customer() -> None:
    teller = told(
        (commits("a"), "2025-01-02"), (tick("demo"), "2025-01-03"), (breaks("a"), "2025-01-04")
    )

    assert answered(teller, "2025-01-05")["customer"]["days_since_customer_act"] == 3


def test_what_the_seller_caused_the_customer_did_not_begin() -> None:
    teller = told((tick("demo"), "2025-01-02"), (request("terms"), "2025-01-03"))
    teller.tell(request("date"), "2025-01-04", caused_by="fact 1")

    initiated = answered(teller, "2025-01-05")["customer_initiated"]

    assert (initiated["initiated"], initiated["initiated_n"]) == (1, 3)
    assert initiated["event_ids"] == [str(named("fact 2"))]


@pytest.mark.parametrize(("ticks", "told_of"), [(3, None), (4, 0.2)])
def test_of_fewer_than_five_acts_only_their_counts_are_told(
    ticks: int, told_of: float | None
) -> None:
    days = range(3, 3 + ticks)
    teller = told(
        (request("terms"), "2025-01-02"), *((tick(f"t{n}"), f"2025-01-0{n}") for n in days)
    )

    said = answered(teller, "2025-01-10")

    for initiated in (said["customer_initiated"], said["by_quarter"][0]["customer_initiated"]):
        assert (initiated["initiated"], initiated["initiated_n"]) == (1, ticks + 1)
        assert initiated["initiated_ratio"] == told_of
        assert (initiated["initiated_ci"] is None) == (told_of is None)


def test_the_work_of_each_quarter_is_told_with_what_was_one_sided_at_its_end() -> None:
    teller = told(
        (request("terms"), "2025-01-02"),
        (tick("meet"), "2025-03-30"),
        (tick("demo"), "2025-04-01"),
        (request("date"), "2025-10-05"),
        (discount("10"), "2025-10-06"),
    )

    first, second, fourth = answered(teller, "2025-10-09T12:00:00")["by_quarter"]

    names = [one["quarter"] for one in (first, second, fourth)]
    assert names == ["FY2025Q1", "FY2025Q2", "FY2025Q4"]
    sides = [(one["customer"]["acts"], one["seller"]["acts"]) for one in (first, second, fourth)]
    assert sides == [(1, 1), (0, 1), (1, 1)]
    one_sided = [one["one_sided"] for one in (first, second, fourth)]
    assert [one["acts"] for one in one_sided] == [1, 2, 1]
    assert [one["days"] for one in one_sided] == [89, 180, 4]
    assert one_sided[1]["since"] == at("2025-01-02")
    assert one_sided[1]["event_ids"] == [str(named(f"fact {n}")) for n in (2, 3)]


def test_a_tick_is_work_of_the_quarter_in_which_it_was_recorded() -> None:
    teller = told((request("terms"), "2025-01-05"))
    teller.tell(tick("demo"), "2025-03-30", recorded="2025-04-02")

    first, second = answered(teller, "2025-04-10")["by_quarter"]

    assert [one["seller"]["acts"] for one in (first, second)] == [0, 1]
    assert [one["one_sided"]["acts"] for one in (first, second)] == [0, 1]


@pytest.mark.parametrize(
    ("said", "standing"),
    [
        ([goal("Faster", level=2)], 0),
        ([goal("Faster")], 1),
        ([consequence()], 1),
        ([consequence(amount="1000.00")], 2),
        ([consequence(level=2, amount="1000.00")], 0),
        ([goal("Faster"), commits("a", 2)], 1),
        ([consequence(amount="1000.00"), commits("a", 2)], 3),
        ([consequence(amount="1000.00"), commits("a", 3)], 4),
        ([consequence(amount="1000.00"), commits("a", 3), breaks("a")], 2),
    ],
)
def test_the_ladder_of_change_rests_on_the_customers_word(
    said: list[DomainEvent], standing: int
) -> None:
    teller = told(*((data, f"2025-01-0{day}") for day, data in enumerate(said, start=2)))

    assert answered(teller, "2025-01-09")["change"]["standing"] == standing


def test_goals_are_matched_with_what_was_achieved_after_the_win() -> None:
    teller = told(
        (goal("Cut the  waste"), "2025-01-02"),
        (CustomerGoalAchieved(goal="cut the waste", level=4), "2025-01-03"),
        (won("1000.00"), "2025-03-31"),
        (CustomerGoalAchieved(goal="Something else", level=2), "2025-06-01"),
    )

    later, earlier = answered(teller, "2025-07-01")["goals"]["achieved"]

    assert (earlier["goal_event_id"], earlier["after_win"]) == (str(named("fact 1")), False)
    assert (later["goal_event_id"], later["after_win"]) == (None, True)
    assert (later["word"], later["age_days"]) == ("seller", 30)


def test_consequences_are_told_latest_first_with_whose_word_they_are() -> None:
    teller = told((consequence(level=2), "2025-01-02"), (consequence(level=4), "2025-01-05"))

    latest, first = answered(teller, "2025-01-10")["consequences"]

    assert (latest["word"], latest["word_from"], latest["age_days"]) == ("customer", "level", 5)
    assert (first["word"], first["age_days"]) == ("seller", 8)
