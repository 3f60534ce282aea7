"""How a history that broke the rules, as imports bring them, still makes a state."""

import pytest

from domain.deal import evolve, replay
from domain.events.context import QuotaWithdrawn
from domain.events.customer import CommitmentKept, CustomerCommitmentRecorded
from domain.events.life import DealLost, DealReopened
from domain.events.progress import ActivityUnticked
from tests.support.histories import hours, recorded_as, stamp_at, told
from tests.support.told import opened, stage, tick, won

COMMITMENT = CustomerCommitmentRecorded(
    commitment_id="k1", what="They run the pilot", kind="people", level=3
)


def test_nothing_is_no_deal() -> None:
    assert replay([]) is None


def test_before_it_was_opened_there_was_no_deal() -> None:
    assert replay(told([(opened(), 5)]), effective_at=hours(4)) is None


def test_what_is_told_before_the_opening_is_kept() -> None:
    deal = replay(told([(stage("qualify"), 1), (opened(), 2)]))

    assert deal is not None
    assert (deal.stage, deal.opened_at) == ("qualify", hours(2))


def test_a_second_opening_leaves_the_first_instant() -> None:
    deal = replay(told([(opened(), 1), (opened(owner="bob"), 2)]))

    assert deal is not None
    assert (deal.owner, deal.opened_at) == ("bob", hours(1))


def test_a_stage_entered_after_the_closing_leaves_the_deal_closed() -> None:
    deal = replay(told([(opened(), 1), (won("1000"), 2), (stage("discover"), 3)]))

    assert deal is not None
    assert (deal.closed, deal.stage) == ("won", "discover")


def test_an_untick_without_a_tick_changes_nothing() -> None:
    deal = replay(told([(opened(), 1), (ActivityUnticked(activity="demo"), 2), (tick("demo"), 3)]))

    assert deal is not None
    assert deal.ticked == {"demo"}


def test_a_commitment_is_settled_even_if_that_is_told_first() -> None:
    deal = replay(told([(CommitmentKept(commitment_id="k1"), 1), (COMMITMENT, 2)]))

    assert deal is not None
    assert deal.commitments.live == frozenset()


def test_events_fold_as_they_happened_not_as_they_were_told() -> None:
    deal = replay(told([(opened(), 1), (DealReopened(), 9), (DealLost(), 5)]))

    assert deal is not None
    assert deal.closed is None


def test_a_loss_after_a_reopened_win_leaves_the_win_standing() -> None:
    deal = replay(told([(opened(), 1), (won("1000"), 2), (DealReopened(), 3), (DealLost(), 4)]))

    assert deal is not None
    assert (deal.closed, deal.win_stands) == ("lost", True)


def test_an_event_of_another_stream_is_a_bug_and_loud() -> None:
    with pytest.raises(TypeError, match="QuotaWithdrawn"):
        evolve(None, recorded_as([], QuotaWithdrawn(), stamp_at(0)))
