"""Who did something, and whose word a fact is."""

from dataclasses import replace

import pytest

from domain.acts import is_customer_act, seller_acts, word_of
from domain.events.base import DomainEvent
from domain.events.customer import (
    AlternativeRecorded,
    ContactIdentified,
    CustomerFeedbackRecorded,
    CustomerGoalRecorded,
    DecisionCriterionRecorded,
    ObstacleRecorded,
)
from domain.events.people import NoteAdded
from domain.replay import Event
from domain.stamp import Channel
from tests.support.promises import breaks, commits, keeps, moves_to, promises, withdraws
from tests.support.told import Teller, discount, evidence, opened, request, stage, tick


def event(data: DomainEvent, *, channel: Channel = "api") -> Event:
    return replace(Teller().tell(data, "2025-01-05"), channel=channel)


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (evidence("fit", level=2), "seller"),
        (evidence("fit", level=3), "customer"),
        (commits("k", 1), "seller"),
        (commits("k", 2), "customer"),
        (CustomerGoalRecorded(goal="Faster", level=2), "seller"),
        (AlternativeRecorded(alternative="Nothing", level=3), "customer"),
    ],
)
def test_the_level_says_whose_word_it_is(data: DomainEvent, word: str) -> None:
    assert word_of(event(data)) == (word, "level")


@pytest.mark.parametrize(
    ("channel", "word"),
    [("ui", "seller"), ("api", "seller"), ("import", "import"), ("rule", "rule")],
)
def test_without_a_level_it_is_the_word_of_who_recorded_it(channel: Channel, word: str) -> None:
    identified = ContactIdentified(contact="kim", role="Plant manager")

    assert word_of(event(identified, channel=channel)) == (word, "recorder")


@pytest.mark.parametrize(
    "data",
    [
        request(level=1),
        commits("k", 0),
        keeps("k"),
        moves_to("k", "2025-02-01"),
        withdraws("k"),
        evidence("fit", level=3),
        ObstacleRecorded(obstacle_id="o", obstacle="The works council", level=3),
        DecisionCriterionRecorded(criterion="Price", level=4),
        CustomerFeedbackRecorded(felt_pressured=True),
    ],
)
def test_the_customer_acts(data: DomainEvent) -> None:
    assert is_customer_act(event(data))


@pytest.mark.parametrize(
    "data",
    [
        breaks("k"),
        evidence("fit", level=2),
        tick("meet"),
        ObstacleRecorded(obstacle_id="o", obstacle="The works council"),
        DecisionCriterionRecorded(criterion="Price", level=2),
        ContactIdentified(contact="kim", role="Plant manager"),
    ],
)
def test_what_the_customer_did_not_do(data: DomainEvent) -> None:
    assert not is_customer_act(event(data))


def test_keeping_the_books_and_what_a_rule_does_is_no_effort_of_the_seller() -> None:
    books = [event(data) for data in (opened(), stage("qualify"), NoteAdded(text="Called"))]
    by_rule = event(promises("x"), channel="rule")
    efforts = [event(data) for data in (tick("meet"), discount("10"), evidence("fit", level=1))]
    own = [replace(e, event_id=e.event_id.__class__(int=n)) for n, e in enumerate(efforts)]

    assert seller_acts([*books, by_rule, *own]) == own
