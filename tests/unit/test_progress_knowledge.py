"""What a tick taught: the facts tied to it, each once, and whether anything followed."""

from dataclasses import replace
from uuid import UUID

import pytest

from domain.events.base import DomainEvent
from domain.events.customer import (
    AlternativeRecorded,
    CommitmentRenegotiated,
    ConsequenceRecorded,
    ContactIdentified,
    CustomerCommitmentRecorded,
    CustomerGoalRecorded,
    DecisionCriterionRecorded,
    FitAssessed,
    ObstacleRecorded,
)
from domain.events.life import DealDisqualified
from domain.events.progress import ActivityUnticked
from domain.policy import DEFAULT_POLICY
from domain.replay import view
from projections.progress.fold import Progress, fold
from projections.progress.knowledge import Taught, answer
from tests.support.told import (
    Teller,
    at,
    commitment,
    discount,
    named,
    opened,
    process,
    stage,
    tick,
)

LINEAR = process(("qualify", {"meet": "criteria", "call": "goal"}), ("discover", {}))
PRICE = DecisionCriterionRecorded(criterion="Price", level=3)


def told(*moments: tuple[DomainEvent, str]) -> Teller:
    teller = Teller()
    teller.tell(opened(), "2025-01-01")
    for data, when in moments:
        teller.tell(data, when)
    return teller


def folded(teller: Teller) -> Progress:
    return fold(view(teller.events), lambda _: LINEAR, DEFAULT_POLICY)


def facts(teller: Teller) -> dict[str, list[tuple[str, str, str | None]]]:
    return {
        activity: [(one.kind, one.value, one.link) for one in found.learned]
        for activity, found in folded(teller).knowledge.taught.items()
    }


def the_taught(teller: Teller) -> Taught:
    (found,) = folded(teller).knowledge.taught.values()
    return found


def test_a_handshake_ticked_as_a_meeting_taught_nothing() -> None:
    teller = told((tick("meet"), "2025-01-05"), (stage("qualify"), "2025-01-06"))

    assert facts(teller) == {}
    assert answer(folded(teller).knowledge.taught.get("meet"), at("2025-03-01")) == {
        "learned": [],
        "changed": None,
        "changed_by": [],
    }


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            ContactIdentified(contact="mia", role="buyer"),
            [("person", "mia"), ("role", "mia: buyer")],
        ),
        (PRICE, [("criterion", "Price")]),
        (AlternativeRecorded(alternative="Do nothing"), [("alternative", "Do nothing")]),
        (CustomerGoalRecorded(goal="Fewer returns", level=3), [("goal", "Fewer returns")]),
        (ObstacleRecorded(obstacle_id="o", obstacle="No time"), [("obstacle", "No time")]),
        (
            ConsequenceRecorded(consequence="Fines", by=at("2025-06-01").date(), level=3),
            [("consequence", "Fines"), ("date", "consequence: 2025-06-01")],
        ),
        (ConsequenceRecorded(consequence="Fines", level=3), [("consequence", "Fines")]),
        (
            commitment(2, kind="decision_date", due="2025-05-01"),
            [("date", "decision_date: 2025-05-01")],
        ),
        (commitment(4, kind="budget"), [("budget", "They run the pilot")]),
        (commitment(3, kind="people"), []),
    ],
)
def test_each_kind_of_fact_counts(data: DomainEvent, expected: list[tuple[str, str]]) -> None:
    found = facts(told((tick("meet"), "2025-01-05"), (data, "2025-01-06")))

    assert [(kind, value) for kind, value, _ in found.get("meet", [])] == expected


def test_a_later_day_for_a_commitment_is_a_new_date_of_its_kind() -> None:
    promise = commitment(2, kind="decision_date", due="2025-05-01")
    assert isinstance(promise, CustomerCommitmentRecorded)
    again = CommitmentRenegotiated(commitment_id=promise.commitment_id, due=at("2025-06-01").date())
    teller = told((promise, "2025-01-02"), (tick("meet"), "2025-02-05"), (again, "2025-02-06"))

    assert facts(teller) == {"meet": [("date", "decision_date: 2025-06-01", "nearest")]}


def test_what_was_known_already_is_not_learned_again() -> None:
    known = DecisionCriterionRecorded(criterion="  PRICE ")
    teller = told((known, "2025-01-02"), (tick("meet"), "2025-02-05"), (PRICE, "2025-02-05"))

    assert facts(teller) == {}


def test_a_new_role_of_a_known_person_is_learned() -> None:
    teller = told(
        (ContactIdentified(contact="mia", role="user"), "2025-01-02"),
        (tick("meet"), "2025-02-05"),
        (ContactIdentified(contact="mia", role="buyer"), "2025-02-05"),
    )

    assert facts(teller) == {"meet": [("role", "mia: buyer", "nearest")]}


def test_a_fact_belongs_to_the_tick_that_its_event_names() -> None:
    teller = Teller()
    teller.tell(opened(), "2025-01-01")
    teller.tell(tick("meet"), "2025-01-05", name="meeting")
    teller.tell(tick("call"), "2025-03-01")
    teller.tell(PRICE, "2025-03-01", caused_by="meeting")

    assert facts(teller) == {"meet": [("criterion", "Price", "caused_by")]}


def test_a_fact_caused_by_a_tick_that_was_taken_back_belongs_to_no_other() -> None:
    teller = Teller()
    teller.tell(opened(), "2025-01-01")
    teller.tell(tick("meet"), "2025-01-05", name="meeting")
    teller.tell(ActivityUnticked(activity="meet"), "2025-01-06")
    teller.tell(tick("call"), "2025-01-07")
    teller.tell(PRICE, "2025-01-07", caused_by="meeting")

    assert facts(teller) == {}


def test_a_fact_told_together_with_a_tick_belongs_to_it() -> None:
    teller = told((tick("meet"), "2025-01-05"), (tick("call"), "2025-03-01"), (PRICE, "2025-03-01"))
    together = {1, 3}
    teller.events = [
        replace(event, correlation_id="call" if index in together else None)
        for index, event in enumerate(teller.events)
    ]

    assert facts(teller) == {"meet": [("criterion", "Price", "correlation")]}


def test_else_it_belongs_to_the_nearest_tick_before_or_after() -> None:
    meeting, calling = (tick("meet"), "2025-01-05"), (tick("call"), "2025-01-06T08:00:00")
    before = told(meeting, (PRICE, "2025-01-05T20:00:00"), calling)
    tied = told(meeting, (PRICE, "2025-01-05T16:00:00"), calling)

    assert list(facts(before)) == ["call"]
    assert list(facts(tied)) == ["meet"]


def test_a_fact_more_than_a_day_away_belongs_to_no_tick() -> None:
    within = told((tick("meet"), "2025-01-05"), (PRICE, "2025-01-06"))
    beyond = told((tick("meet"), "2025-01-05"), (PRICE, "2025-01-06T00:00:01"))

    assert list(facts(within)) == ["meet"]
    assert facts(beyond) == {}
    (unlinked,) = folded(beyond).knowledge.unlinked
    assert (unlinked.kind, unlinked.value, unlinked.link) == ("criterion", "Price", None)


@pytest.mark.parametrize(
    "change", [discount("5"), FitAssessed(verdict="in"), DealDisqualified(), commitment(2)]
)
def test_what_follows_in_time_is_changed_by_it(change: DomainEvent) -> None:
    meeting = [(tick("meet"), "2025-01-05"), (PRICE, "2025-01-05")]
    soon = told(*meeting, (change, "2025-02-04"))
    late = told(*meeting, (change, "2025-02-04T00:00:01"))

    found = the_taught(soon)
    assert found.changed(at("2025-02-04")) is True
    assert found.changed_by == (soon.events[-1].event_id,)
    assert the_taught(late).changed(at("2025-03-01")) is False


def test_while_something_may_still_follow_nothing_is_said() -> None:
    found = the_taught(told((tick("meet"), "2025-01-05"), (PRICE, "2025-01-05")))

    assert found.changed(at("2025-02-03T23:59:59")) is None
    assert found.changed(at("2025-02-04")) is False


def test_what_was_before_and_what_taught_it_are_no_change() -> None:
    teller = told(
        (discount("5"), "2025-01-04"),
        (tick("meet"), "2025-01-05"),
        (PRICE, "2025-01-05"),
        (commitment(4, kind="budget"), "2025-01-06"),
    )

    assert the_taught(teller).changed_by == ()


def test_an_event_is_used_for_one_activity_alone() -> None:
    teller = told((tick("meet"), "2025-01-05"), (tick("call"), "2025-01-05"), (PRICE, "2025-01-05"))

    used: list[UUID] = [
        one.event_id for found in folded(teller).knowledge.taught.values() for one in found.learned
    ]
    assert len(used) == 1
    assert named("unused") not in used
