"""PS-7: a forecast raised to commit that no commitment of the customer stands behind."""

import pytest

from domain.calendars import CalendarHistory
from domain.events.life import ForecastCategory, ForecastCategoryChanged
from domain.policy import DEFAULT_POLICY
from projections.pressure.commit_calls import commit_patterns
from projections.pressure.patterns import Pattern
from tests.support.promises import breaks, commits, keeps, promises
from tests.support.told import Teller, named, opened

RAISED = "2025-03-20T10:00:00"


def called(category: ForecastCategory) -> ForecastCategoryChanged:
    return ForecastCategoryChanged(category=category)


def deal() -> Teller:
    teller = Teller()
    teller.tell(opened(), "2025-01-08")
    return teller


def patterns_of(teller: Teller) -> list[Pattern]:
    return commit_patterns(teller.events, DEFAULT_POLICY, CalendarHistory())


def raised(teller: Teller, *, recorded: str | None = None) -> Pattern:
    teller.tell(called("commit"), RAISED, name="raised", recorded=recorded)
    (found,) = patterns_of(teller)
    return found


def test_a_deal_called_commit_with_nothing_from_the_customer() -> None:
    found = raised(deal())

    assert (found.rule, found.holds, found.evidence) == ("PS-7", True, (named("raised"),))
    assert found.facts[1].value is None
    assert "no commitment of the customer was live" in found.sentence


@pytest.mark.parametrize(("level", "holds"), [(0, True), (1, True), (2, False), (5, False)])
def test_a_live_commitment_in_the_customers_own_words_stands_behind_it(
    level: int, *, holds: bool
) -> None:
    teller = deal()
    teller.tell(commits("pilot", level), "2025-03-01", name="pilot")

    found = raised(teller)

    assert (found.holds, found.facts[1].value) == (holds, level)
    assert set(found.evidence) == {named("raised"), named("pilot")}
    assert ("consistent with" in found.sentence) is holds


def test_a_promise_of_the_seller_is_no_commitment() -> None:
    teller = deal()
    teller.tell(promises("offer"), "2025-03-01")

    assert raised(teller).holds is True


@pytest.mark.parametrize(("due", "holds"), [("2025-03-17", False), ("2025-03-16", True)])
def test_one_that_is_overdue_by_more_than_the_grace_is_not_live(due: str, *, holds: bool) -> None:
    teller = deal()
    teller.tell(commits("pilot", due=due), "2025-03-01")

    assert raised(teller).holds is holds


def test_kept_still_counts_and_broken_does_not() -> None:
    kept, broken = deal(), deal()
    for teller, end in ((kept, keeps("pilot")), (broken, breaks("pilot"))):
        teller.tell(commits("pilot"), "2025-03-01")
        teller.tell(end, "2025-03-10")

    assert raised(kept).holds is False
    assert raised(broken).holds is True


def test_what_came_after_the_raise_does_not_stand_behind_it() -> None:
    teller = deal()
    teller.tell(called("commit"), RAISED)
    teller.tell(commits("pilot"), "2025-03-20T10:00:01")

    assert [one.holds for one in patterns_of(teller)] == [True]


def test_a_raise_told_later_is_held_against_what_was_live_when_it_was_told() -> None:
    teller = deal()
    teller.tell(commits("pilot"), "2025-03-22")

    assert raised(teller, recorded="2025-03-25").holds is False


def test_only_a_raise_to_commit_is_one_and_each_is() -> None:
    teller = deal()
    for day, category in enumerate(
        ("best_case", "commit", "commit", "closed", "commit", "pipeline", "commit"), start=1
    ):
        data = ForecastCategoryChanged.model_validate({"category": category})
        teller.tell(data, f"2025-02-0{day}")

    assert [(one.at.day, one.facts[0].value) for one in patterns_of(teller)] == [
        (2, {"from": "best_case", "to": "commit"}),
        (7, {"from": "pipeline", "to": "commit"}),
    ]
