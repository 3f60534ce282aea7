"""What was known of a deal is folded once, and anew only where its past changes."""

from domain.events.honesty import EventAmended, EventRetracted
from domain.events.life import AmountChanged, DealLost, OwnerChanged
from domain.events.progress import StageEntered
from projections.spans.course import NEVER, course, in_order, onward
from projections.spans.fold import fold
from tests.support.told import Teller, named, opened, usd


def told() -> Teller:
    deal = Teller()
    deal.tell(opened(amount="1000.00"), "2025-01-08", name="opening")
    deal.tell(StageEntered(stage="qualify"), "2025-01-10", name="stage")
    return deal


def test_events_in_order_have_one_course_on_both_clocks() -> None:
    deal = told()
    deal.tell(DealLost(), "2025-02-01")

    found = course(deal.events)

    assert found.hindsight is found.known
    assert [change.position for change in found.known] == [1, 2, 3]
    assert found.settled_at == deal.events[-1].occurred_at


def test_what_changes_nothing_is_no_change_but_settles_the_deal() -> None:
    deal = told()
    deal.tell(StageEntered(stage="qualify"), "2025-01-20")

    found = course(deal.events)

    assert [change.position for change in found.known] == [1, 2]
    assert found.settled_at == deal.events[-1].occurred_at


def test_an_amount_written_otherwise_is_a_change() -> None:
    deal = told()
    deal.tell(AmountChanged(amount=usd("1000.0")), "2025-01-20")

    assert [change.position for change in course(deal.events).known] == [1, 2, 3]


def test_a_late_event_is_known_when_told_and_stands_where_it_happened() -> None:
    deal = told()
    deal.tell(OwnerChanged(owner="bob"), "2025-01-09", recorded="2025-03-01")

    found = course(deal.events)

    assert [change.position for change in found.known] == [1, 2, 3]
    assert [change.position for change in found.hindsight] == [1, 3, 2]
    assert found.known[-1].state == found.hindsight[-1].state == fold(deal.events)
    assert found.settled_at == deal.events[1].occurred_at
    assert not in_order([deal.events[2]], deal.events[1].occurred_at)


def test_a_correction_takes_back_what_happened_and_not_what_was_known() -> None:
    deal = told()
    deal.tell(EventRetracted(event_id=named("stage"), reason="wrong"), "2025-02-01")

    found = course(deal.events)

    assert [change.state.stage for change in found.known if change.state] == [None, "qualify", None]
    assert [change.position for change in found.hindsight] == [1]


def test_after_a_correction_events_go_on_in_order() -> None:
    deal = told()
    amended = EventAmended(event_id=named("stage"), data={"stage": "propose"}, reason="wrong")
    deal.tell(amended, "2025-02-01")
    before = course(deal.events)
    new = deal.tell(OwnerChanged(owner="bob"), "2025-02-02")

    assert in_order([new], before.settled_at)
    assert onward([new], before.known[-1].state) == course(deal.events).known[-1:]


def test_a_deal_is_never_settled_while_a_correction_names_an_event_to_come() -> None:
    deal = told()
    deal.tell(EventRetracted(event_id=named("later"), reason="wrong"), "2025-02-01")
    before = course(deal.events)
    deal.tell(OwnerChanged(owner="bob"), "2025-02-02", name="later")

    assert before.settled_at == NEVER
    assert course(deal.events).known == before.known
