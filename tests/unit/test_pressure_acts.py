"""What a deal's acts say: all that judging them takes from the deal itself."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from domain.calendars import CalendarHistory
from domain.events.life import CloseDateMoved, DealLost, DealReopened
from domain.events.money import DiscountOffered, DiscountWithdrawn
from domain.events.progress import EvidenceWithdrawn, OutcomeContradicted
from domain.policy import DEFAULT_POLICY
from domain.replay import Event, view
from projections.pressure.acts import Act
from projections.pressure.derive import ACT_TOPICS, acts_seen
from tests.support.told import (
    Teller,
    at,
    commitment,
    discount,
    evidence,
    moved,
    named,
    opened,
    process,
    request,
    stage,
)

LINEAR = process(("1", {"meet": "met"}), ("2", {"demo": "shown"}), ("3", {"trial": "tried"}))


def acts(teller: Teller) -> list[Act]:
    return acts_of(view(teller.events))


def acts_of(events: Sequence[Event]) -> list[Act]:
    seen = acts_seen(events, lambda _: LINEAR, DEFAULT_POLICY, CalendarHistory())
    return [one.act for one in seen]


def test_an_offer_is_held_against_the_one_that_stood_before_it() -> None:
    teller = Teller()
    teller.tell(opened(segment="big"), "2025-01-02")
    teller.tell(discount("10"), "2025-01-10")
    offer = DiscountOffered(percent=Decimal(20), expires_on=date(2025, 3, 31))
    teller.tell(offer, "2025-01-11")
    teller.tell(DiscountWithdrawn(), "2025-01-12")
    teller.tell(discount("5"), "2025-01-13")

    offers = acts(teller)

    assert [act.depth for act in offers] == [Decimal(10), Decimal(20), Decimal(5)]
    assert [act.previous for act in offers] == [None, Decimal(10), None]
    assert [act.expires_on for act in offers] == [None, date(2025, 3, 31), None]
    assert {act.segment for act in offers} == {"big"}


def test_an_offer_stands_on_when_the_deal_is_reopened() -> None:
    teller = Teller()
    teller.tell(opened(), "2025-01-02")
    teller.tell(discount("10"), "2025-01-10")
    teller.tell(DealLost(), "2025-01-11")
    teller.tell(DealReopened(), "2025-01-12")
    teller.tell(discount("20"), "2025-01-13")

    assert [act.previous for act in acts(teller)] == [None, Decimal(10)]


def test_a_moved_close_date_has_the_day_it_was() -> None:
    teller = Teller()
    teller.tell(opened(close_date="2025-04-25"), "2025-01-02")
    teller.tell(moved("2025-03-31"), "2025-01-10")
    teller.tell(moved("2025-03-20"), "2025-01-11")

    days = [(act.close_from, act.close_to) for act in acts(teller)]

    assert days == [
        (date(2025, 4, 25), date(2025, 3, 31)),
        (date(2025, 3, 31), date(2025, 3, 20)),
    ]


def test_what_occurred_before_the_deal_was_opened_does_not_know_what_the_opening_says() -> None:
    teller = Teller()
    teller.tell(CloseDateMoved(to=date(2025, 3, 31)), "2025-01-02")
    teller.tell(discount("10"), "2025-01-02")
    teller.tell(opened(close_date="2025-04-25", segment="big"), "2025-01-03")
    teller.tell(moved("2025-03-20"), "2025-01-11")

    early, offer, late = acts(teller)

    assert (early.close_from, early.unsettled_until) == (None, at("2025-01-03"))
    assert offer.segment is None
    assert (late.close_from, late.unsettled_until) == (date(2025, 4, 25), None)


def test_a_stage_entered_says_what_it_skipped_and_left_missing() -> None:
    teller = Teller()
    teller.tell(opened(), "2025-01-02")
    teller.tell(stage("1"), "2025-01-03")
    teller.tell(evidence("met"), "2025-01-04")
    teller.tell(stage("3"), "2025-01-10")

    created, entered = acts(teller)

    assert (created.steps, created.skipped, created.process) == (0, 0, None)
    assert (entered.steps, entered.skipped, entered.missing) == (2, 1, 1)
    assert (entered.process, entered.left_stage) == ("linear", "1")
    assert entered.left_stage_entered_at == at("2025-01-03")


def test_a_move_forward_below_the_high_water_mark_may_skip_and_rush_too() -> None:
    teller = Teller()
    teller.tell(opened(), "2025-01-02")
    for day, name in ((3, "1"), (4, "3"), (5, "1"), (6, "3"), (7, "2")):
        teller.tell(stage(name), f"2025-01-0{day}")

    back, again, down = acts(teller)[2:]

    assert (again.steps, again.skipped, again.missing, again.left_stage) == (0, 1, 2, "1")
    assert again.left_stage_entered_at == back.occurred_at
    assert (back.left_stage, down.left_stage) == (None, None)


def test_a_process_without_outcomes_leaves_it_open_what_is_missing() -> None:
    bare = process(("1", {}), ("2", {}))
    teller = Teller()
    teller.tell(opened(), "2025-01-02")
    teller.tell(stage("1"), "2025-01-03")
    teller.tell(stage("2"), "2025-01-10")

    seen = acts_seen(teller.events, lambda _: bare, DEFAULT_POLICY, CalendarHistory())

    assert [one.act.missing for one in seen] == [None, None]


def test_evidence_withdrawn_later_was_missing_all_along_and_hindsight_says_since_when() -> None:
    teller = Teller()
    teller.tell(opened(), "2025-01-02")
    teller.tell(stage("1"), "2025-01-03")
    teller.tell(evidence("met"), "2025-01-04", name="shown")
    teller.tell(stage("2"), "2025-01-10")
    before = acts(teller)[-1]
    teller.tell(EvidenceWithdrawn(event_id=named("shown")), "2025-01-20")
    created, after = acts(teller)

    assert (before.missing, before.unsettled_until) == (0, None)
    assert (after.missing, after.unsettled_until) == (1, at("2025-01-20"))
    assert created.unsettled_until is None


def test_a_later_offer_that_names_the_request_takes_it_from_an_earlier_one() -> None:
    teller = Teller()
    teller.tell(opened(), "2025-01-02")
    teller.tell(request(), "2025-01-09", name="asked")
    teller.tell(discount("10"), "2025-01-10")
    teller.tell(moved("2025-03-31"), "2025-01-11")
    (before, _) = acts(teller)
    teller.tell(discount("20"), "2025-01-12", caused_by="asked")
    after, date_moved, naming = acts(teller)

    assert (before.cause, before.unsettled_until) == ("customer_preceded", None)
    assert (after.cause, after.unsettled_until) == ("seller_only", at("2025-01-12"))
    assert (naming.cause, naming.unsettled_until) == ("customer_linked", None)
    assert date_moved.unsettled_until is None


def test_what_a_later_link_takes_from_one_event_it_takes_from_those_after_it() -> None:
    teller = Teller()
    teller.tell(opened(), "2025-01-01")
    teller.tell(moved("2025-04-01"), "2025-01-05", recorded="2025-01-12")
    teller.tell(request("date", level=1), "2025-01-06")
    teller.tell(moved("2025-04-02"), "2025-01-07", recorded="2025-01-08")
    teller.tell(request("date", level=3), "2025-01-10", name="asked")
    teller.tell(moved("2025-04-03"), "2025-01-20", caused_by="asked")

    # Had nobody named the second request, it would explain the first move, and the first one
    # the second move, which is too early to be explained by the second request.
    cut = view(teller.events, effective_at=at("2025-01-15"))
    assert [act.cause for act in acts_of(cut)] == ["customer_preceded", "customer_preceded"]
    assert [act.cause for act in acts(teller)] == [
        "customer_preceded",
        "seller_only",
        "customer_linked",
    ]
    late = at("2025-01-20")
    assert [act.unsettled_until for act in acts(teller)] == [late, late, None]


def test_a_late_contradiction_may_change_what_was_missing() -> None:
    teller = Teller()
    teller.tell(opened(), "2025-01-02")
    teller.tell(stage("1"), "2025-01-03")
    teller.tell(evidence("met"), "2025-01-04")
    teller.tell(stage("2"), "2025-01-10")
    before = acts(teller)[-1].missing
    told = teller.tell(OutcomeContradicted(outcome="met"), "2025-01-08", recorded="2025-01-20")

    assert (before, acts(teller)[-1].missing) == (0, 1)
    assert told.data.TOPIC in ACT_TOPICS


def test_a_stage_entered_late_may_be_explained_by_what_the_customer_did_meanwhile() -> None:
    teller = Teller()
    teller.tell(opened(), "2025-01-02")
    teller.tell(stage("1"), "2025-01-03", recorded="2025-01-08")
    teller.tell(evidence("met"), "2025-01-05", recorded="2025-01-09")

    (act,) = acts(teller)

    assert act.cause == "customer_preceded"
    assert act.action_time - act.occurred_at == timedelta(days=5)
    assert act.unsettled_until == at("2025-01-05")


def test_a_later_move_that_takes_over_a_cause_leaves_the_act_before_as_it_was() -> None:
    teller = Teller()
    teller.tell(opened(), "2025-01-01")
    for due, day in (("2025-02-09", "2025-01-02"), ("2025-02-25", "2025-01-03")):
        teller.tell(commitment(3, kind="decision_date", due=due), day)
    teller.tell(moved("2025-02-28"), "2025-01-04")
    before = acts(teller)
    teller.tell(moved("2025-02-10"), "2025-01-05")

    first, second = acts(teller)

    assert before == [first]
    assert (second.cause, second.unsettled_until) == ("customer_preceded", None)
