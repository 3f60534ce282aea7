"""When a deal takes what: opened, closed, reopened, reversed, deleted."""

from datetime import date

import pytest

from domain.deal import decide, replay
from domain.decisions.order import AFTER_CLOSING
from domain.errors import (
    ContradictionError,
    DealClosedError,
    DealDeletedError,
    DealExistsError,
    DealNotClosedError,
    DealNotOpenedError,
    DomainError,
    UnknownProcessError,
)
from domain.events.base import type_name
from domain.events.catalogue import DealEvent
from domain.events.life import (
    Account,
    AmountChanged,
    DealDeleted,
    DealDisqualified,
    DealLost,
    DealOpened,
    DealReopened,
    DealWon,
    ProcessRef,
    WinReversed,
)
from domain.events.people import NoteAdded
from domain.replay import Event
from domain.stamp import Stamp
from tests.support.histories import (
    decide_next,
    golden_deal_events,
    history_of,
    hours,
    processes,
    said,
    stamp_at,
)
from tests.support.told import evidence, opened, stage, tick, usd

WON = DealWon(net=usd("1000.00"), closed_on=date(2025, 1, 8))


def test_nothing_comes_before_the_opening() -> None:
    with pytest.raises(DealNotOpenedError) as refused:
        decide_next([], stage("qualify"), at=0)

    assert refused.value.field == "type"


def test_a_deal_is_opened_once() -> None:
    with pytest.raises(DealExistsError, match="opened on 2025-01-08"):
        decide_next(history_of(), opened())


def test_a_deal_is_opened_for_a_process_that_is_published() -> None:
    unknown = DealOpened(
        name="Fleet",
        account=Account(id="acme", name="Acme"),
        owner="ann",
        process=ProcessRef(id="linear", version=9),
    )

    with pytest.raises(UnknownProcessError, match="no version 9") as refused:
        decide_next([], unknown, at=0)

    assert refused.value.field == "data.process"


def test_nothing_happens_to_a_deal_before_it_was_opened() -> None:
    with pytest.raises(ContradictionError, match="before the deal was opened") as refused:
        decide_next(history_of(), tick("demo"), at=-1, told=2)

    assert refused.value.field == "occurred_at"


@pytest.mark.parametrize(
    "closing", [WON, DealLost(), DealDisqualified()], ids=["won", "lost", "out"]
)
def test_a_closed_deal_takes_no_steps(closing: DealEvent) -> None:
    with pytest.raises(DealClosedError, match="reopen it first"):
        decide_next(history_of(closing), tick("demo"))


STILL_TAKEN = {
    "outcome_evidenced",
    "outcome_contradicted",
    "evidence_withdrawn",
    "customer_goal_recorded",
    "consequence_recorded",
    "obstacle_recorded",
    "obstacle_removed",
    "contact_identified",
    "decision_criterion_recorded",
    "alternative_recorded",
    "fit_assessed",
    "customer_request_received",
    "customer_commitment_recorded",
    "commitment_kept",
    "commitment_broken",
    "commitment_withdrawn",
    "commitment_renegotiated",
    "seller_promise_made",
    "seller_promise_kept",
    "seller_promise_broken",
    "customer_feedback_recorded",
    "customer_goal_achieved",
    "review_held",
    "coaching_given",
    "note_added",
    "event_amended",
    "event_retracted",
    "history_gap",
    "deal_reopened",
    "win_reversed",
}


@pytest.mark.parametrize("event", golden_deal_events(), ids=lambda event: type_name(type(event)))
def test_a_closed_deal_takes_exactly_the_documented_events(event: DealEvent) -> None:
    closed = history_of(stage("qualify"), WON)

    refusal = refusal_of(event, closed)

    not_for_being_closed = not isinstance(refusal, DealClosedError | DealExistsError)
    assert not_for_being_closed == (type_name(type(event)) in STILL_TAKEN)
    assert isinstance(event, AFTER_CLOSING) == (type_name(type(event)) in STILL_TAKEN)


def refusal_of(event: DealEvent, history: list[Event]) -> DomainError | None:
    try:
        decide_next(history, event)
    except DomainError as error:
        return error
    return None


def test_evidence_and_notes_are_taken_after_the_win() -> None:
    events = history_of(stage("qualify"), WON, evidence("dm_criteria"), NoteAdded(text="Thanks"))

    assert len(events) == 5


def test_a_reopened_deal_takes_steps_again_from_any_stage() -> None:
    events = history_of(stage("discover"), DealLost(), DealReopened(), stage("discover"))

    deal = replay(events)

    assert deal is not None
    assert (deal.closed, deal.stage) == (None, "discover")


def test_an_open_deal_is_not_reopened() -> None:
    with pytest.raises(DealNotClosedError, match="the deal is open"):
        decide_next(history_of(), DealReopened())


@pytest.mark.parametrize("before", [[], [DealLost()]], ids=["open", "lost"])
def test_a_win_that_is_not_there_is_not_reversed(before: list[DealEvent]) -> None:
    with pytest.raises(DealNotClosedError, match="no win"):
        decide_next(history_of(*before), WinReversed())


def test_a_reversed_win_leaves_the_deal_open_and_winnable() -> None:
    deal = replay(history_of(WON, WinReversed(), stage("propose"), WON))

    assert deal is not None
    assert (deal.closed, deal.win_stands) == ("won", True)


def test_a_reopened_win_still_stands_until_it_is_reversed() -> None:
    events = history_of(WON, DealReopened())

    with pytest.raises(ContradictionError, match="win_reversed"):
        decide_next(events, WON)
    deal = replay([*events, decide_next(events, WinReversed())])

    assert deal is not None
    assert not deal.win_stands


def test_closing_and_reopening_are_told_in_the_order_in_which_they_happened() -> None:
    events = history_of(said(DealLost(), occurred=10))

    with pytest.raises(ContradictionError, match="last closed or reopened") as refused:
        decide_next([*events, decide_next(events, DealReopened(), at=20)], WON, at=5, told=21)

    assert refused.value.field == "occurred_at"


def test_a_late_entry_is_refused_if_the_deal_was_closed_when_it_happened() -> None:
    events = history_of(said(DealLost(), occurred=10), said(DealReopened(), occurred=20))

    with pytest.raises(DealClosedError, match="was, when this happened, closed"):
        decide_next(events, tick("demo"), at=15, told=21)
    decide_next(events, tick("demo"), at=9, told=21)


def test_a_deleted_deal_takes_nothing_but_corrections() -> None:
    events = history_of(DealDeleted())

    with pytest.raises(DealDeletedError):
        decide_next(events, NoteAdded(text="Where is it?"))


def test_a_win_is_not_dated_on_a_day_that_has_not_come_anywhere_on_earth() -> None:
    tomorrow_at_the_date_line = WON.model_copy(update={"closed_on": date(2025, 1, 9)})
    the_day_after = WON.model_copy(update={"closed_on": date(2025, 1, 10)})

    decide_next(history_of(), tomorrow_at_the_date_line, at=1)
    with pytest.raises(ContradictionError, match="future"):
        decide_next(history_of(), tomorrow_at_the_date_line, at=0.99)
    with pytest.raises(ContradictionError, match="future") as refused:
        decide_next(history_of(), the_day_after)

    assert refused.value.field == "data.closed_on"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"net": usd("1").model_copy(update={"currency": "EUR"})}, "data.net.currency"),
        ({"list": usd("1").model_copy(update={"currency": "EUR"})}, "data.list.currency"),
    ],
)
def test_a_win_is_in_the_currency_of_the_deal(changes: dict[str, object], field: str) -> None:
    events = history_of(AmountChanged(amount=usd("1000")))

    with pytest.raises(ContradictionError, match="EUR") as refused:
        decide_next(events, WON.model_copy(update=changes))

    assert refused.value.field == field


def test_a_decision_gives_the_intent_as_the_event() -> None:
    events = history_of()
    stamp: Stamp = stamp_at(1)
    intent = tick("demo")

    assert decide(replay(events), intent, stamp=stamp, processes=processes, events=events) == intent
    assert stamp.occurred_at == hours(1)
