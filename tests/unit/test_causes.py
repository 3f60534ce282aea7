"""Who moved it: which customer event explains a seller's event."""

from domain.causes import Cause, causes
from domain.path import moves
from domain.policy import DEFAULT_POLICY
from tests.support.told import (
    Teller,
    commitment,
    discount,
    evidence,
    moved,
    named,
    opened,
    process,
    request,
    stage,
    tick,
)
from tests.support.worked_examples import worked_example

LINEAR = process(*((str(rank), {}) for rank in range(1, 7)), ("7", {"meet": "met"}))


def causes_of(teller: Teller) -> dict[str, Cause]:
    found = causes(teller.events, lambda _: LINEAR, DEFAULT_POLICY)
    names = {named(name): name for name in ("s", "s1", "s2", "s3", "s4", "t")}
    return {names[event_id]: cause for event_id, cause in found.items() if event_id in names}


def test_one_customer_action_explains_one_move_of_the_seven_days_after_it() -> None:
    expected = worked_example("EX08")["expect"]
    teller = Teller()
    teller.tell(opened(), "2025-01-01")
    teller.tell(stage("1"), "2025-01-02")
    teller.tell(commitment(2), "2025-01-10", name="c1")
    teller.tell(stage("2"), "2025-01-12", name="s1")
    teller.tell(stage("3"), "2025-01-13", name="s2")
    teller.tell(commitment(3), "2025-02-01", name="c2")
    teller.tell(stage("4"), "2025-02-09", name="s3")
    teller.tell(commitment(2), "2025-02-20", recorded="2025-02-28", name="c3")
    teller.tell(stage("6"), "2025-02-22", name="s4")

    found = causes_of(teller)

    for name, (kind, by) in expected["causes"].items():
        assert found[name].explained_by == (named(by) if by else None)
        late = ("explained_late",) if kind == "explained_late" else ()
        assert found[name].modifiers == late
        assert found[name].kind == ("customer_preceded" if late else kind)
    steps = {m.event.event_id: m.steps for m in moves(teller.events, lambda _: LINEAR)}
    led = sum(steps[named(name)] for name, cause in found.items() if cause.customer_led)
    assert led / sum(steps.values()) == expected["customer_led_share"]


def test_an_explicit_link_comes_before_what_merely_preceded() -> None:
    teller = Teller()
    teller.tell(opened(), "2025-01-01")
    teller.tell(request("discount"), "2025-01-02", name="r1")
    teller.tell(discount("5"), "2025-01-03", name="s1")
    teller.tell(discount("9"), "2025-03-03", name="s2", caused_by="r1")

    found = causes_of(teller)

    assert found["s2"] == Cause("customer_linked", named("r1"))
    assert found["s1"] == Cause("seller_only")


def test_a_link_to_what_came_later_is_provenance_and_explains_nothing() -> None:
    teller = Teller()
    teller.tell(opened(), "2025-01-01")
    teller.tell(discount("9"), "2025-01-03", name="s", caused_by="r1")
    teller.tell(request("discount"), "2025-01-04", name="r1")

    assert causes_of(teller)["s"] == Cause("seller_only")


def test_the_customers_own_word_is_preferred_to_the_sellers_word_for_it() -> None:
    teller = Teller()
    teller.tell(opened(), "2025-01-01")
    teller.tell(request("discount", level=1), "2025-01-02", name="asserted")
    teller.tell(request("discount", level=3), "2025-01-03", name="said")
    teller.tell(discount("5"), "2025-01-04", name="s1")
    teller.tell(discount("9"), "2025-01-05", name="s2")

    found = causes_of(teller)

    assert found["s1"] == Cause("customer_preceded", named("said"))
    assert found["s2"] == Cause("customer_preceded", named("asserted"), ("customer_asserted",))


def test_a_close_date_is_explained_by_a_decision_date_not_after_it() -> None:
    teller = Teller()
    teller.tell(opened(), "2025-01-01")
    teller.tell(commitment(3, kind="decision_date", due="2025-02-10"), "2025-01-02", name="c")
    teller.tell(moved("2025-02-09"), "2025-01-03", name="s1")
    teller.tell(moved("2025-02-10"), "2025-01-04", name="s2")

    found = causes_of(teller)

    assert found["s1"].kind == "seller_only"
    assert found["s2"] == Cause("customer_preceded", named("c"))


def test_a_tick_is_explained_by_evidence_of_its_own_outcome_only() -> None:
    teller = Teller()
    teller.tell(opened(), "2025-01-01")
    teller.tell(evidence("another"), "2025-01-02")
    teller.tell(tick("meet"), "2025-01-03", name="s")
    teller.tell(evidence("met"), "2025-01-04", name="e")
    teller.tell(tick("meet"), "2025-01-05", name="t")

    found = causes_of(teller)

    assert found["s"].kind == "seller_only"
    assert found["t"] == Cause("customer_preceded", named("e"))


def test_one_customer_event_may_explain_one_event_of_each_type() -> None:
    teller = Teller()
    teller.tell(opened(), "2025-01-01")
    teller.tell(evidence("met"), "2025-01-04", name="e")
    teller.tell(tick("meet"), "2025-01-05", name="t")
    teller.tell(stage("2"), "2025-01-05", name="s")

    found = causes_of(teller)

    assert found["t"].explained_by == found["s"].explained_by == named("e")


def test_an_earlier_move_leaves_its_cause_to_a_later_one_that_has_no_other() -> None:
    teller = Teller()
    teller.tell(opened(), "2025-01-01")
    teller.tell(commitment(3, kind="decision_date", due="2025-02-09"), "2025-01-02", name="soon")
    teller.tell(commitment(3, kind="decision_date", due="2025-02-25"), "2025-01-03", name="late")
    teller.tell(moved("2025-02-28"), "2025-01-04", name="s1")
    before = causes_of(teller)
    teller.tell(moved("2025-02-10"), "2025-01-05", name="s2")

    found = causes_of(teller)

    assert before["s1"] == Cause("customer_preceded", named("soon"))
    assert found["s1"] == Cause("customer_preceded", named("late"))
    assert found["s2"] == Cause("customer_preceded", named("soon"))


def test_what_leaves_its_cause_to_a_later_one_keeps_the_standing_of_it_if_it_can() -> None:
    teller = Teller()
    teller.tell(opened(), "2025-01-01")
    teller.tell(commitment(3, kind="decision_date", due="2025-02-09"), "2025-01-02", name="soon")
    later = commitment(3, kind="decision_date", due="2025-02-25")
    teller.tell(later, "2025-01-03", recorded="2025-01-20", name="told late")
    teller.tell(later, "2025-01-03T12:00:00+00:00", name="in time")
    teller.tell(moved("2025-02-28"), "2025-01-04", name="s1")
    teller.tell(moved("2025-02-10"), "2025-01-05", name="s2")

    found = causes_of(teller)

    assert found["s1"] == Cause("customer_preceded", named("in time"))
    assert found["s2"] == Cause("customer_preceded", named("soon"))


def test_explaining_one_more_goes_before_what_the_customer_said_in_person() -> None:
    teller = Teller()
    teller.tell(opened(), "2025-01-01")
    teller.tell(request("discount", level=1), "2025-01-02", name="asserted")
    teller.tell(request("discount", level=3), "2025-01-08", name="said")
    teller.tell(discount("5"), "2025-01-09", name="s1")
    teller.tell(discount("9"), "2025-01-10", name="s2")

    found = causes_of(teller)

    assert found["s1"] == Cause("customer_preceded", named("asserted"), ("customer_asserted",))
    assert found["s2"] == Cause("customer_preceded", named("said"))
