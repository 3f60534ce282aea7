"""Commitments and promises: what is open, kept, broken or withdrawn at an instant."""

from datetime import timedelta
from typing import Any

import pytest

from domain.calendars import CalendarHistory
from domain.commitments import Commitment, commitments_of, live_level, overdue_at
from domain.fiscal import MonthsCalendar
from domain.policy import DEFAULT_POLICY, Policy
from domain.replay import view
from tests.support.promises import (
    breaks,
    breaks_promise,
    commits,
    keeps,
    keeps_promise,
    moves_to,
    promises,
    withdraws,
)
from tests.support.told import Teller, at
from tests.support.worked_examples import worked_example

CALENDAR = CalendarHistory()
BERLIN = CALENDAR.with_adopted(
    MonthsCalendar(zone="Europe/Berlin", start_month=1), effective_from=at("2020-01-01").date()
)


def told(*moments: tuple[Any, str], calendar: CalendarHistory = CALENDAR) -> list[Commitment]:
    teller = Teller()
    for data, when in moments:
        teller.tell(data, when)
    return commitments_of(view(teller.events), calendar, DEFAULT_POLICY)


def only(*moments: tuple[Any, str]) -> Commitment:
    [one] = told(*moments)
    return one


def example_events() -> Teller:
    teller = Teller()
    for name, kind, when, data in worked_example("EX16")["input"]["events"]:
        if kind == "CommitmentKept":
            teller.tell(keeps(data["target"]), when)
        else:
            teller.tell(commits(name, data["level"], due=data["due"][:10], role=data["role"]), when)
    return teller


@pytest.mark.parametrize("day", ["2025-01-07", "2025-02-18", "2025-02-19", "2025-04-12"])
def test_the_ladder_of_the_worked_example(day: str) -> None:
    expected = worked_example("EX16")["expect"][day]
    instant = at(day)

    own = commitments_of(
        view(example_events().events, effective_at=instant), CALENDAR, DEFAULT_POLICY
    )

    assert live_level(own, instant) == expected["level"]
    assert sum(one.live(instant) for one in own) == expected["live"]
    assert sum(one.status(instant) == "kept" for one in own) == expected["kept"]
    assert sum(one.status(instant) == "broken" for one in own) == expected["broken"]


def test_the_signature_of_the_deal_from_end_to_end_binds() -> None:
    expected = worked_example("EX30")["expect"]["commitment_2025_03_31_19Z"]

    one = only((commits("signature", 5), "2025-03-31T18:00:00+00:00"))

    assert live_level([one], at("2025-03-31T19:00:00+00:00")) == expected


def test_it_is_live_to_the_last_instant_of_the_days_of_grace() -> None:
    one = only((commits("k", due="2025-02-15"), "2025-02-01"))

    assert one.overdue_at == at("2025-02-19")
    assert one.status(at("2025-02-19") - timedelta(microseconds=1)) == "open"
    assert one.status(at("2025-02-19")) == "broken"
    assert not one.live(at("2025-02-19"))


def test_the_due_day_is_one_of_the_fiscal_calendars_zone() -> None:
    [one] = told((commits("k", due="2025-03-28"), "2025-02-01"), calendar=BERLIN)

    # Clocks go forward on the 30th: midnight of 1 April is two hours ahead of UTC.
    assert one.overdue_at == at("2025-03-31T22:00:00+00:00")


def test_the_grace_is_the_policys() -> None:
    strict = Policy(commitment_grace_days=0)

    assert overdue_at(at("2025-02-15").date(), CALENDAR, strict) == at("2025-02-16")


def test_without_a_day_it_is_never_overdue() -> None:
    one = only((commits("k"), "2025-02-01"))

    assert one.status(at("2035-01-01")) == "open"


def test_kept_counts_for_ninety_days() -> None:
    one = only((commits("k"), "2025-01-05"), (keeps("k"), "2025-01-09"))

    assert one.live(at("2025-01-09") + timedelta(days=90))
    assert not one.live(at("2025-01-09") + timedelta(days=90, microseconds=1))


def test_kept_after_it_was_overdue_is_kept_late() -> None:
    made = (commits("k", due="2025-01-10"), "2025-01-05")

    late = only(made, (keeps("k"), "2025-01-14"))
    in_time = only(made, (keeps("k"), "2025-01-13T23:59:59"))

    assert (late.status(at("2025-01-14")), late.kept_late) == ("kept", True)
    assert (in_time.status(at("2025-01-14")), in_time.kept_late) == ("kept", False)


def test_another_day_makes_it_live_again_until_that_day() -> None:
    one = only(
        (commits("k", due="2025-01-10"), "2025-01-05"), (moves_to("k", "2025-02-10"), "2025-01-20")
    )

    assert one.status(at("2025-01-20")) == "renegotiated"
    assert one.live(at("2025-02-13"))
    assert one.status(at("2025-02-14")) == "broken"


@pytest.mark.parametrize(
    ("said", "status"), [(breaks("k"), "broken"), (withdraws("k"), "withdrawn")]
)
def test_broken_and_withdrawn_are_not_live(said: Any, status: str) -> None:
    one = only((commits("k", due="2025-03-10"), "2025-01-05"), (said, "2025-01-06"))

    assert one.status(at("2025-01-06")) == status
    assert not one.live(at("2025-01-06"))


def test_another_day_reopens_nothing_that_is_settled() -> None:
    one = only(
        (commits("k", due="2025-01-10"), "2025-01-05"),
        (breaks("k"), "2025-01-06"),
        (moves_to("k", "2025-02-10"), "2025-01-07"),
    )

    assert one.status(at("2025-01-08")) == "broken"


def test_what_is_said_last_of_the_outcome_rules() -> None:
    one = only(
        (commits("k"), "2025-01-05"), (keeps("k"), "2025-01-07"), (breaks("k"), "2025-01-06")
    )

    assert one.status(at("2025-01-08")) == "kept"


def test_the_last_statement_rules_and_the_first_dates_it() -> None:
    one = only((commits("k", 2), "2025-01-05"), (commits("k", 4, due="2025-03-01"), "2025-01-09"))

    assert (one.level, one.made_at, one.due) == (4, at("2025-01-05"), at("2025-03-01").date())


def test_a_settlement_without_a_statement_is_left_out() -> None:
    assert told((keeps("k"), "2025-01-05"), (moves_to("k", "2025-02-01"), "2025-01-06")) == []


def test_promises_follow_the_same_rules_and_have_no_level() -> None:
    kept, broken, overdue = told(
        (promises("a", due="2025-01-10"), "2025-01-05"),
        (promises("b"), "2025-01-06"),
        (promises("c", due="2025-01-10"), "2025-01-07"),
        (keeps_promise("a"), "2025-01-08"),
        (breaks_promise("b"), "2025-01-09"),
    )

    assert [one.status(at("2025-01-14")) for one in (kept, broken, overdue)] == [
        "kept",
        "broken",
        "broken",
    ]
    assert live_level([kept], at("2025-01-14")) == 0


def test_a_promise_and_a_commitment_of_one_name_are_two() -> None:
    own = told(
        (commits("k"), "2025-01-05"), (promises("k"), "2025-01-05"), (keeps("k"), "2025-01-06")
    )

    assert [(one.side, one.status(at("2025-01-07"))) for one in own] == [
        ("customer", "kept"),
        ("seller", "open"),
    ]


def test_what_occurred_after_an_instant_can_be_left_out() -> None:
    teller = Teller()
    teller.tell(commits("k"), "2025-01-05")
    teller.tell(keeps("k"), "2025-01-09")

    [one] = commitments_of(view(teller.events), CALENDAR, DEFAULT_POLICY, until=at("2025-01-08"))

    assert one.status(at("2025-01-08")) == "open"


def test_it_rests_on_all_that_was_said_of_it() -> None:
    teller = Teller()
    ids = [
        teller.tell(commits("k"), "2025-01-05").event_id,
        teller.tell(moves_to("k", "2025-02-01"), "2025-01-06").event_id,
        teller.tell(keeps("k"), "2025-01-09").event_id,
    ]

    [one] = commitments_of(view(teller.events), CALENDAR, DEFAULT_POLICY)

    assert (one.event_id, list(one.event_ids)) == (ids[0], ids)
