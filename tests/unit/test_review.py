"""The review sheet: six questions, gates that stay unmet, and health flags."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from domain.calendars import CalendarHistory
from domain.commitments import commitments_of
from domain.events.base import DomainEvent
from domain.events.customer import (
    ConsequenceRecorded,
    ContactIdentified,
    CustomerGoalRecorded,
    DecisionCriterionRecorded,
    ObstacleRecorded,
    ObstacleRemoved,
)
from domain.events.life import ForecastCategoryChanged
from domain.events.people import ReviewHeld
from domain.events.progress import Author, EvidenceWithdrawn, GateDecided, OutcomeContradicted
from domain.policy import DEFAULT_POLICY
from domain.replay import view
from projections.review.answer import answer
from projections.review.fold import fold
from projections.review.gates import gates_of
from projections.review.health import Age, flags_of
from projections.spans.fold import fold as fold_state
from tests.support.promises import breaks, commits, keeps_promise, promises
from tests.support.told import Teller, at, evidence, moved, named, opened, process, request

PROCESS = process(("qualify", {"meet": "criteria", "call": "needs"}), ("propose", {"demo": "fit"}))


def told(*moments: tuple[DomainEvent, str], close_date: str | None = None) -> Teller:
    teller = Teller()
    teller.tell(opened(close_date=close_date), "2025-01-01", name="opening")
    for number, (data, when) in enumerate(moments, start=1):
        teller.tell(data, when, name=f"fact {number}")
    return teller


def sheet(
    teller: Teller,
    when: str = "2025-02-01",
    *,
    age: Age | None = None,
    checkbox_only: float | None = None,
) -> dict[str, Any]:
    instant = at(when)
    seen = view(teller.events, effective_at=instant)
    both = commitments_of(seen, CalendarHistory(), DEFAULT_POLICY)
    theirs = [one for one in both if one.side == "customer"]
    ours = [one for one in both if one.side == "seller"]
    state = fold_state(seen)
    assert state is not None
    flags = flags_of(
        seen,
        theirs,
        close_date=state.close_date,
        forecast=state.forecast_category,
        age=age,
        checkbox_only=checkbox_only,
        today=instant.date(),
        at=instant,
    )
    return answer(fold(seen, ours), gates_of(seen, PROCESS), flags, both, instant)


def question(said: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in said["questions"] if one["name"] == name)
    return found


def ids(said: dict[str, Any]) -> list[str]:
    return [one["event_id"] for one in said["answers"]]


def fact(number: int) -> str:
    return str(named(f"fact {number}"))


def flag(said: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(f for f in said["health"]["flags"] if f["flag"] == name)
    return found


def gate(decision: str, *, unmet: list[str] | None = None, overridden: bool = False) -> GateDecided:
    return GateDecided.model_validate(
        {"stage": "qualify", "decision": decision, "unmet": unmet, "overridden": overridden}
    )


def goal(text: str, level: int) -> CustomerGoalRecorded:
    return CustomerGoalRecorded(goal=text, level=level)


def criterion(level: int | None = None) -> DecisionCriterionRecorded:
    return DecisionCriterionRecorded(criterion="Uptime", level=level)


def test_a_sheet_of_a_deal_of_which_nothing_is_known_is_blank() -> None:
    said = sheet(told())

    assert [one["state"] for one in said["questions"]] == ["blank"] * 6
    assert [one["name"] for one in said["questions"]] == [
        "goal",
        "consequence",
        "obstacles",
        "decision",
        "done",
        "promises",
    ]


def test_blank_questions_come_first_then_those_partly_answered() -> None:
    said = sheet(told((goal("Faster", 3), "2025-01-02"), (criterion(), "2025-01-03")))

    assert [(one["name"], one["state"]) for one in said["questions"]] == [
        ("consequence", "blank"),
        ("obstacles", "blank"),
        ("promises", "blank"),
        ("decision", "partly"),
        ("goal", "answered"),
        ("done", "answered"),
    ]
    assert question(said, "decision")["missing"] == ["people"]


def test_the_latest_answer_comes_first_with_its_age_and_whose_word_it_is() -> None:
    said = sheet(
        told(
            (goal("Faster", 4), "2025-01-02"),
            (goal("Cheaper", 2), "2025-01-12T06:00:00"),
            (ConsequenceRecorded(consequence="The line stops", level=3), "2025-01-03"),
        )
    )

    asked = question(said, "goal")
    assert ids(asked) == [fact(2), fact(1)]
    latest = asked["answers"][0]
    assert (latest["word"], latest["level"], latest["age_days"]) == ("seller", 2, 19)
    assert asked["latest_by_customer"] == fact(1)
    assert ids(question(said, "consequence")) == [fact(3)]


def test_only_obstacles_that_stand_are_shown_and_the_removal_of_the_last() -> None:
    works, budget = (
        (ObstacleRecorded(obstacle_id=name, obstacle=name), "2025-01-02")
        for name in ("works", "budget")
    )
    gone = [(ObstacleRemoved(obstacle_id=name), "2025-01-05") for name in ("works", "budget")]

    assert ids(question(sheet(told(works, budget, gone[0])), "obstacles")) == [fact(2)]
    cleared = question(sheet(told(works, budget, *gone)), "obstacles")
    assert (cleared["state"], ids(cleared)) == ("answered", [fact(4)])


def test_who_decides_is_the_last_known_role_of_each_person_by_the_word_of_the_recorder() -> None:
    said = sheet(
        told(
            (ContactIdentified(contact="kim", role="User"), "2025-01-02"),
            (criterion(level=3), "2025-01-03"),
            (ContactIdentified(contact="kim", role="Economic buyer"), "2025-01-04"),
        )
    )

    asked = question(said, "decision")
    assert (asked["state"], ids(asked)) == ("answered", [fact(3), fact(2)])
    words = [(one["word"], one["word_from"], one["recorded_by"]) for one in asked["answers"]]
    assert words == [("seller", "recorder", "ann"), ("customer", "level", "ann")]


def test_what_the_customer_did_counts_from_the_last_review_on() -> None:
    teller = told(
        (request("terms"), "2025-01-02"),
        (ReviewHeld(focus="customer"), "2025-01-10"),
    )
    assert question(sheet(teller), "done")["state"] == "blank"
    assert sheet(teller)["last_review"]["age_days"] == 22

    teller.tell(commits("pilot", due="2025-02-20"), "2025-01-12", name="later")

    asked = question(sheet(teller), "done")
    assert ids(asked) == [str(named("later"))]
    assert (asked["answers"][0]["due"], asked["answers"][0]["status"]) == (
        date(2025, 2, 20),
        "open",
    )


def test_our_promises_stay_open_when_they_are_overdue() -> None:
    kept = (promises("a"), "2025-01-02"), (keeps_promise("a"), "2025-01-03")
    overdue = (promises("b", due="2025-01-10"), "2025-01-04")

    all_kept = question(sheet(told(*kept)), "promises")
    asked = question(sheet(told(*kept, overdue)), "promises")

    assert (all_kept["state"], all_kept["answers"]) == ("answered", [])
    assert [(one["event_id"], one["status"]) for one in asked["answers"]] == [(fact(3), "broken")]


def test_an_overridden_gate_stays_unmet_until_evidence_of_its_level_comes() -> None:
    teller = told(
        (evidence("criteria", level=4), "2025-01-02"),
        (gate("go", unmet=["criteria", "needs"], overridden=True), "2025-01-05"),
        (evidence("needs", level=2), "2025-01-06"),
    )
    [found] = sheet(teller)["gates"]
    assert found["still_unmet"] == ["criteria", "needs"]

    teller.tell(evidence("needs", level=3), "2025-01-07", name="shown")
    teller.tell(evidence("criteria", level=3), "2025-01-04", recorded="2025-01-08")

    [found] = sheet(teller)["gates"]
    assert found["still_unmet"] == []
    assert found["unmet"][1] == {
        "outcome": "needs",
        "required_level": 3,
        "met": True,
        "level": 3,
        "met_at": at("2025-01-07"),
        "event_id": str(named("shown")),
    }


@pytest.mark.parametrize("back", [False, True])
def test_evidence_that_no_longer_stands_meets_nothing(*, back: bool) -> None:
    teller = told(
        (gate("conditional", unmet=["needs"]), "2025-01-05"), (evidence("needs"), "2025-01-06")
    )
    teller.tell(
        EvidenceWithdrawn(event_id=named("fact 2"))
        if back
        else OutcomeContradicted(outcome="needs"),
        "2025-01-07",
    )

    assert sheet(teller)["gates"][0]["still_unmet"] == ["needs"]


def test_an_override_that_does_not_say_what_is_read_against_the_process() -> None:
    [found] = sheet(
        told((evidence("criteria"), "2025-01-02"), (gate("go", overridden=True), "2025-01-05"))
    )["gates"]

    assert (found["unmet_from"], found["still_unmet"]) == ("process", ["needs"])


def test_the_last_decision_of_a_gate_rules_and_a_stop_lets_nothing_pass() -> None:
    [found] = sheet(
        told(
            (gate("go", unmet=["needs"]), "2025-01-05"),
            (gate("no_go", unmet=["needs"]), "2025-01-06"),
        )
    )["gates"]

    assert (found["decision"], found["still_unmet"]) == ("no_go", [])


def test_a_deal_that_shows_nothing_yet_is_amber_for_want_of_a_next_step() -> None:
    health = sheet(told())["health"]

    assert health["colour"] == "amber"
    held = {one["flag"]: one["holds"] for one in health["flags"]}
    assert held == {
        "close_date_past": None,
        "commit_without_commitment": None,
        "pushes": False,
        "broken_commitment": False,
        "age_in_stage": None,
        "one_contact": None,
        "no_dated_next_commitment": True,
        "checkbox_only": None,
    }


def test_a_close_date_is_past_on_the_day_after() -> None:
    teller = told((moved("2025-02-01"), "2025-01-05"), close_date="2025-01-10")

    on_the_day = flag(sheet(teller), "close_date_past")
    after = sheet(teller, "2025-02-02")

    assert (on_the_day["holds"], on_the_day["event_ids"]) == (False, [fact(1)])
    untouched = flag(sheet(told(close_date="2025-01-10")), "close_date_past")
    assert (untouched["holds"], untouched["event_ids"]) == (True, [str(named("opening"))])
    assert flag(after, "close_date_past")["holds"]
    assert after["health"]["colour"] == "red"


@pytest.mark.parametrize(("level", "holds"), [(1, True), (2, False)])
def test_commit_needs_a_commitment_in_writing(level: int, *, holds: bool) -> None:
    commit = (ForecastCategoryChanged(category="commit"), "2025-01-05")

    found = flag(
        sheet(told(commit, (commits("a", level), "2025-01-06"))), "commit_without_commitment"
    )

    assert (found["holds"], found["value"], found["event_ids"]) == (holds, level, [fact(1)])


def test_another_category_needs_none() -> None:
    said = sheet(told((ForecastCategoryChanged(category="best_case"), "2025-01-05")))

    assert flag(said, "commit_without_commitment")["holds"] is False


@pytest.mark.parametrize(("pushes", "holds"), [(2, False), (3, True)])
def test_three_pushes_are_red(pushes: int, *, holds: bool) -> None:
    days = [f"2025-0{month}-01" for month in range(4, 4 + pushes)]
    moves = [(moved(day), f"2025-01-0{n}") for n, day in enumerate(["2025-03-20", *days], start=2)]
    teller = told(*moves, close_date="2025-03-31")
    by_rule = replace(teller.tell(moved("2026-01-01"), "2025-01-10"), channel="rule")
    teller.events[-1] = by_rule

    found = flag(sheet(teller), "pushes")

    assert (found["holds"], found["value"]) == (holds, pushes)
    assert found["event_ids"] == [fact(number) for number in range(2, 2 + pushes)]


@pytest.mark.parametrize(("level", "holds"), [(3, False), (4, True)])
def test_a_broken_commitment_of_money_is_red(level: int, *, holds: bool) -> None:
    teller = told((commits("a", level), "2025-01-05"), (breaks("a"), "2025-01-06"))

    found = flag(sheet(teller), "broken_commitment")

    assert (found["holds"], found["value"]) == (holds, level)


@pytest.mark.parametrize(("percentile", "holds"), [(0.9, True), (0.899999, False), (None, None)])
def test_the_age_in_the_stage_is_read_against_other_stays(
    percentile: float | None, *, holds: bool | None
) -> None:
    age = Age(named("entered"), percentile, 25)

    found = flag(sheet(told(), age=age), "age_in_stage")

    assert (found["holds"], found["value"], found["n"]) == (holds, percentile, 25)


def test_one_contact_is_amber_and_two_are_not() -> None:
    first = (ContactIdentified(contact="kim", role="User"), "2025-01-02")
    shown = evidence("needs").model_copy(update={"author": Author(side="customer", contact="lee")})

    assert flag(sheet(told(first, first)), "one_contact")["holds"] is True
    assert flag(sheet(told(first, (shown, "2025-01-03"))), "one_contact")["holds"] is False
    ours = evidence("needs").model_copy(update={"author": Author(side="seller", contact="ann")})
    assert flag(sheet(told(first, (ours, "2025-01-03"))), "one_contact")["holds"] is True


@pytest.mark.parametrize(
    ("level", "due", "holds"),
    [
        (1, "2025-02-01", False),
        (1, "2025-01-31", True),
        (0, "2025-02-01", True),
        (1, None, True),
    ],
)
def test_the_next_commitment_has_a_day_that_is_not_past(
    level: int, due: str | None, *, holds: bool
) -> None:
    said = sheet(told((commits("a", level, due=due), "2025-01-05")))

    assert flag(said, "no_dated_next_commitment")["holds"] is holds


@pytest.mark.parametrize(("share", "holds"), [(0.5, False), (0.51, True)])
def test_more_than_half_only_ticked_is_amber(share: float, *, holds: bool) -> None:
    said = sheet(told(), checkbox_only=share)

    assert flag(said, "checkbox_only")["holds"] is holds


def test_without_a_flag_that_holds_it_is_green() -> None:
    said = sheet(told((commits("a", due="2025-02-20"), "2025-01-05")))

    assert said["health"]["colour"] == "green"
