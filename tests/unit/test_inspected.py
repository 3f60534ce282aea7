"""What is told of one event that is opened on the page of its deal."""

from typing import Any

import pytest

from api.web import format as f
from api.web.inspected import Inspected, inspected_of
from api.web.ledger_rows import LEDGER_ROWS
from tests.support import web_answers as answers
from tests.support.web_parts import event_id


def of(version: int, answer: dict[str, Any] | None = None) -> Inspected:
    told = answer or answers.deal_answer()
    found = inspected_of(told, event_id(version), asked=("position:9", None), everything=False)
    assert found is not None
    return found


def test_an_event_leads_to_the_ones_beside_it_in_time() -> None:
    ids = [(one.previous, one.following) for one in map(of, (1, 2, 20))]

    assert ids == [("", event_id(2)), (event_id(1), event_id(3)), (event_id(19), "")]


def test_the_driver_is_told_with_why_it_counts_so() -> None:
    explained, seller, customer, record = (of(version) for version in (6, 2, 3, 1))

    assert explained.why == "It names the customer action that explains it:"
    assert (explained.explained_by, explained.caused_by) == ((event_id(5),), ())
    assert "no customer action is recorded" in seller.why
    assert "what the customer did or said" in customer.why
    assert "neither side" in record.why


def test_who_recorded_an_event_for_somebody_else_is_named() -> None:
    assert (of(9).who, of(8).who) == ("amara, recorded by sync", "amara")


def test_a_tick_is_told_with_the_evidence_of_its_outcomes() -> None:
    assert [outcome.event_id for outcome in of(4).outcomes] == [event_id(5)]
    assert of(5).outcomes == ()


def test_what_corrected_an_event_is_told_with_its_reason() -> None:
    told = [(one.how, one.who, one.reason) for one in of(16).corrected]

    assert told == [("Retracted", "Amara Osei", "another deal")]


def test_an_event_that_was_not_known_is_not_told() -> None:
    answer = answers.deal_answer()

    assert inspected_of(answer, event_id(99), asked=(None, None), everything=True) is None


def test_what_the_ledger_shows_at_first_is_linked_without_all_of_it() -> None:
    answer = answers.long_answer(100)

    recent = [version for version in range(1, 101) if of(version, answer).recent]

    assert len(recent) == LEDGER_ROWS


@pytest.mark.parametrize("text", ["", "x" * 400, "x" * 9000, "word " * 2000, "x" * 290 + " y" * 99])
def test_a_long_text_is_folded_and_nothing_of_it_is_lost(text: str) -> None:
    beginning, rest = f.folded(text)

    assert beginning + rest == text
    assert len(beginning) <= 400
    assert bool(rest) is (len(text) > 400)
