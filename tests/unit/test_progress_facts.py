"""From when until when the facts of a deal's progress stand, and what a tick is worth meanwhile."""

import pytest

from domain.events.catalogue import DealEvent
from domain.events.life import (
    DealDisqualified,
    DealLost,
    DealMovedToProcess,
    DealReopened,
    ProcessRef,
    WinReversed,
)
from domain.events.progress import ActivityUnticked, EvidenceWithdrawn, OutcomeContradicted
from domain.replay import view
from projections.progress.advances import Advance, derive_advances
from projections.progress.ticks import Tick, derive_plans, derive_ticks
from tests.support.progress import KNOWN
from tests.support.told import Teller, at, evidence, named, opened, request, stage, tick, won

# The process of KNOWN asks for `criteria` from `meet` in its first stage; its grace is six days.


def deal() -> Teller:
    teller = Teller()
    teller.tell(opened(), "2025-01-01")
    return teller


def ticks_of(teller: Teller) -> list[Tick]:
    return derive_ticks(view(teller.events), KNOWN)


def advances_of(teller: Teller) -> list[Advance]:
    return derive_advances(view(teller.events), KNOWN)


def test_a_tick_stands_until_it_is_taken_back_and_again_from_the_next_on() -> None:
    teller = deal()
    teller.tell(tick("meet"), "2025-01-02")
    teller.tell(ActivityUnticked(activity="meet"), "2025-01-04")
    teller.tell(tick("meet"), "2025-01-05")

    stood, stands = ticks_of(teller)

    assert (stood.from_at, stood.until_at) == (at("2025-01-02"), at("2025-01-04"))
    assert (stands.from_at, stands.until_at) == (at("2025-01-05"), None)


def test_evidence_counts_until_it_is_contradicted_and_weaker_evidence_after_that() -> None:
    teller = deal()
    teller.tell(tick("meet"), "2025-01-02")
    teller.tell(evidence("criteria"), "2025-01-03")
    teller.tell(OutcomeContradicted(outcome="criteria"), "2025-01-04")
    teller.tell(evidence("criteria", level=1), "2025-01-05")

    before, after = ticks_of(teller)

    assert (before.until_at, before.reached_at) == (at("2025-01-04"), at("2025-01-03"))
    assert (after.from_at, after.reached_at) == (at("2025-01-04"), None)
    assert after.asserted_at == at("2025-01-05")


def test_a_tick_that_a_turn_leaves_as_it_was_stays_one_fact() -> None:
    teller = deal()
    teller.tell(tick("meet"), "2025-01-02")
    teller.tell(tick("call"), "2025-01-02")
    teller.tell(ActivityUnticked(activity="call"), "2025-01-04")

    meet, call = sorted(ticks_of(teller), key=lambda fact: fact.activity, reverse=True)

    assert (meet.from_at, meet.until_at) == (at("2025-01-02"), None)
    assert call.until_at == at("2025-01-04")


def test_a_tick_told_of_before_the_opening_stands_from_the_opening_on() -> None:
    teller = deal()
    teller.tell(tick("meet"), "2024-12-30")

    (fact,) = ticks_of(teller)

    assert fact.from_at == at("2025-01-01")
    assert fact.settles_at == at("2025-01-05")


def test_a_deal_without_an_opening_has_no_facts() -> None:
    teller = Teller()
    teller.tell(tick("meet"), "2025-01-02")
    teller.tell(stage("qualify"), "2025-01-02")
    teller.tell(stage("propose"), "2025-01-03")

    assert ticks_of(teller) == []
    assert derive_plans(view(teller.events), KNOWN) == []
    assert advances_of(teller) == []


def test_a_tick_is_worth_what_had_happened_by_the_cut() -> None:
    teller = deal()
    teller.tell(tick("meet"), "2025-01-02")
    teller.tell(evidence("criteria", level=1), "2025-01-04")
    teller.tell(evidence("criteria"), "2025-01-10")

    (fact,) = ticks_of(teller)

    assert fact.status(at("2025-01-03"), at("2025-01-03")) == "pending"
    assert fact.status(at("2025-01-08"), at("2025-01-08")) == "asserted_only"
    assert fact.status(at("2025-01-08")) == "evidenced_late"
    assert fact.status(at("2025-01-10"), at("2025-01-10")) == "evidenced_late"


@pytest.mark.parametrize("closing", [won("1000"), DealLost(), DealDisqualified()])
def test_a_close_settles_a_tick_from_then_on(closing: DealEvent) -> None:
    teller = deal()
    teller.tell(tick("meet"), "2025-01-02")
    teller.tell(closing, "2025-01-03")

    (fact,) = ticks_of(teller)

    assert fact.status(at("2025-01-02"), at("2025-01-02")) == "pending"
    assert fact.status(at("2025-01-03"), at("2025-01-03")) == "bare_tick"


@pytest.mark.parametrize("reopening", [DealReopened(), WinReversed()])
def test_a_stage_entered_anew_in_another_episode_settles_the_ticks_before(
    reopening: DealEvent,
) -> None:
    teller = deal()
    teller.tell(stage("qualify"), "2025-01-01")
    teller.tell(tick("meet"), "2025-01-02")
    teller.tell(reopening, "2025-01-03")
    teller.tell(stage("qualify"), "2025-01-04")

    (fact,) = ticks_of(teller)

    assert fact.settles_at == at("2025-01-04")


def test_another_process_plans_from_when_the_deal_was_moved_to_it() -> None:
    teller = deal()
    moved = DealMovedToProcess(process=ProcessRef(id="linear", version=2))
    teller.tell(moved, "2025-01-06")

    before, after = derive_plans(view(teller.events), KNOWN)

    assert (before.activities, before.until_at) == (4, at("2025-01-06"))
    assert (after.activities, after.from_at, after.until_at) == (2, at("2025-01-06"), None)


def test_an_advance_left_an_outcome_shown_until_its_evidence_was_withdrawn() -> None:
    teller = deal()
    teller.tell(stage("qualify"), "2025-01-01")
    teller.tell(evidence("criteria"), "2025-01-02", name="heard")
    teller.tell(stage("discover"), "2025-01-03")
    teller.tell(EvidenceWithdrawn(event_id=named("heard")), "2025-01-05")

    before, after = advances_of(teller)

    assert (before.evidenced, before.until_at) == (1, at("2025-01-05"))
    assert (after.evidenced, after.from_at, after.until_at) == (0, at("2025-01-05"), None)


def test_a_stage_told_late_is_led_by_the_customer_from_when_the_customer_moved() -> None:
    teller = deal()
    teller.tell(stage("qualify"), "2025-01-01")
    teller.tell(stage("discover"), "2025-01-03", recorded="2025-01-06")
    teller.tell(evidence("fit"), "2025-01-05")

    before, after = advances_of(teller)

    assert (before.customer_led, before.until_at) == (False, at("2025-01-05"))
    assert (after.customer_led, after.from_at) == (True, at("2025-01-05"))


def test_a_stage_that_names_a_request_is_led_by_it() -> None:
    teller = deal()
    teller.tell(stage("qualify"), "2025-01-01")
    teller.tell(request("terms"), "2025-01-02", name="asked")
    teller.tell(stage("discover"), "2025-01-03", caused_by="asked")

    (advance,) = advances_of(teller)

    assert advance.customer_led


@pytest.mark.parametrize("asked", ["2025-01-02", "2025-01-03"])
def test_a_stage_that_names_a_customer_event_takes_it_from_the_one_before(asked: str) -> None:
    teller = deal()
    teller.tell(stage("qualify"), "2025-01-01")
    teller.tell(evidence("fit"), asked, name="asked")
    teller.tell(stage("discover"), "2025-01-03")
    teller.tell(stage("propose"), "2025-01-05", caused_by="asked")

    led, no_longer, named_it = sorted(
        advances_of(teller), key=lambda advance: (advance.occurred_at, advance.from_at)
    )

    assert (led.customer_led, led.until_at) == (True, at("2025-01-05"))
    assert (no_longer.customer_led, no_longer.from_at) == (False, at("2025-01-05"))
    assert (named_it.customer_led, named_it.occurred_at) == (True, at("2025-01-05"))


def test_a_stage_entered_may_leave_an_earlier_one_to_a_customer_event_told_in_time() -> None:
    teller = deal()
    teller.tell(stage("qualify"), "2025-01-10", recorded="2025-01-19")
    teller.tell(evidence("fit"), "2025-01-14T08:00", recorded="2025-01-22T08:00")
    teller.tell(stage("discover"), "2025-01-17T02:00", recorded="2025-01-23T02:00")
    teller.tell(evidence("fit"), "2025-01-17T10:00", recorded="2025-02-01T10:00")
    teller.tell(stage("propose"), "2025-01-17T11:00", recorded="2025-01-18T11:00")
    teller.tell(evidence("fit"), "2025-01-18T20:00")
    teller.tell(evidence("fit"), "2025-01-20T04:00")
    teller.tell(evidence("fit"), "2025-01-21T09:00", recorded="2025-01-29T09:00")
    teller.tell(stage("sign"), "2025-01-24T05:00", recorded="2025-01-27T05:00")

    entered = [a for a in advances_of(teller) if a.occurred_at == at("2025-01-17T02:00")]

    led = {advance.from_at: advance.customer_led for advance in entered}
    assert led[max(led)] is True
    assert max(led) == at("2025-01-24T05:00")
    assert [led[since] for since in sorted(led)][-2] is False
