"""What a decision refuses of an open deal: unknown names, repetitions, contradictions."""

from datetime import date
from decimal import Decimal

import pytest

from domain.deal import replay
from domain.errors import (
    AlreadySoError,
    ContradictionError,
    DomainError,
    UnknownActivityError,
    UnknownOutcomeError,
    UnknownProcessError,
    UnknownReferenceError,
    UnknownStageError,
)
from domain.events.catalogue import DealEvent
from domain.events.customer import (
    CommitmentBroken,
    CommitmentKept,
    CommitmentRenegotiated,
    CommitmentWithdrawn,
    CustomerCommitmentRecorded,
    ObstacleRecorded,
    ObstacleRemoved,
    SellerPromiseBroken,
    SellerPromiseKept,
    SellerPromiseMade,
)
from domain.events.life import (
    AmountChanged,
    CreditSplitSet,
    DealMovedToProcess,
    ForecastCategoryChanged,
    OwnerChanged,
    ProcessRef,
)
from domain.events.money import DiscountOffered, DiscountWithdrawn
from domain.events.progress import (
    ActivityUnticked,
    Author,
    EvidenceWithdrawn,
    GateDecided,
    OutcomeContradicted,
    OutcomeEvidenced,
    StepFeedbackGiven,
)
from domain.values import Money
from tests.support.histories import Said, decide_next, history_of, id_of, said
from tests.support.told import discount, evidence, moved, opened, stage, tick, usd

COMMITMENT = CustomerCommitmentRecorded(
    commitment_id="k1", what="They run the pilot", kind="people", level=3
)
PROMISE = SellerPromiseMade(promise_id="p1", what="A reference")
OBSTACLE = ObstacleRecorded(obstacle_id="o1", obstacle="The works council")
SPLIT = CreditSplitSet(shares={"ann": Decimal("0.6"), "bob": Decimal("0.4")})
MOVED = DealMovedToProcess(process=ProcessRef(id="linear", version=2))
MAPPED = MOVED.model_copy(update={"mapping": {"qualify": "first"}})
FORECAST = ForecastCategoryChanged(category="commit")
SELLER = Author(side="seller")


@pytest.mark.parametrize(
    ("intent", "error", "field"),
    [
        (stage("procurement"), UnknownStageError, "data.stage"),
        (GateDecided(stage="procurement", decision="go"), UnknownStageError, "data.stage"),
        (tick("golf"), UnknownActivityError, "data.activity"),
        (StepFeedbackGiven(activity="golf", statement="?"), UnknownActivityError, "data.activity"),
        (evidence("golf"), UnknownOutcomeError, "data.outcome"),
        (OutcomeContradicted(outcome="golf"), UnknownOutcomeError, "data.outcome"),
        (EvidenceWithdrawn(event_id=id_of(1)), UnknownReferenceError, "data.event_id"),
        (CommitmentKept(commitment_id="k9"), UnknownReferenceError, "data.commitment_id"),
        (CommitmentBroken(commitment_id="k9"), UnknownReferenceError, "data.commitment_id"),
        (CommitmentWithdrawn(commitment_id="k9"), UnknownReferenceError, "data.commitment_id"),
        (
            CommitmentRenegotiated(commitment_id="k9", due=date(2025, 3, 1)),
            UnknownReferenceError,
            "data.commitment_id",
        ),
        (SellerPromiseKept(promise_id="p9"), UnknownReferenceError, "data.promise_id"),
        (SellerPromiseBroken(promise_id="p9"), UnknownReferenceError, "data.promise_id"),
        (ObstacleRemoved(obstacle_id="o9"), UnknownReferenceError, "data.obstacle_id"),
        (
            DealMovedToProcess(process=ProcessRef(id="linear", version=7)),
            UnknownProcessError,
            "data.process",
        ),
    ],
)
def test_what_is_named_must_be_there(
    intent: DealEvent, error: type[DomainError], field: str
) -> None:
    with pytest.raises(error) as refused:
        decide_next(history_of(), intent)

    assert refused.value.field == field


@pytest.mark.parametrize(
    ("before", "intent", "field"),
    [
        ([stage("qualify")], stage("qualify"), "data.stage"),
        ([tick("demo")], tick("demo"), "data.activity"),
        ([], ActivityUnticked(activity="demo"), "data.activity"),
        ([], OwnerChanged(owner="ann"), "data.owner"),
        ([SPLIT], SPLIT, "data.shares"),
        ([AmountChanged(amount=usd("10.00"))], AmountChanged(amount=usd("10")), "data.amount"),
        ([moved("2025-03-31")], moved("2025-03-31"), "data.to"),
        ([FORECAST], FORECAST, "data.category"),
        ([MOVED], MOVED, "data.process"),
        ([COMMITMENT], COMMITMENT, "data.commitment_id"),
        ([PROMISE], PROMISE, "data.promise_id"),
        ([OBSTACLE], OBSTACLE, "data.obstacle_id"),
        (
            [COMMITMENT, CommitmentKept(commitment_id="k1")],
            CommitmentBroken(commitment_id="k1"),
            "data.commitment_id",
        ),
        (
            [COMMITMENT, CommitmentBroken(commitment_id="k1")],
            CommitmentRenegotiated(commitment_id="k1", due=date(2025, 3, 1)),
            "data.commitment_id",
        ),
        (
            [PROMISE, SellerPromiseBroken(promise_id="p1")],
            SellerPromiseKept(promise_id="p1"),
            "data.promise_id",
        ),
        (
            [OBSTACLE, ObstacleRemoved(obstacle_id="o1")],
            ObstacleRemoved(obstacle_id="o1"),
            "data.obstacle_id",
        ),
        (
            [evidence("dm_criteria"), EvidenceWithdrawn(event_id=id_of(2))],
            EvidenceWithdrawn(event_id=id_of(2)),
            "data.event_id",
        ),
    ],
)
def test_what_is_so_already_is_not_said_again(
    before: list[DealEvent], intent: DealEvent, field: str
) -> None:
    with pytest.raises(AlreadySoError) as refused:
        decide_next(history_of(*before), intent)

    assert refused.value.field == field


@pytest.mark.parametrize(
    ("before", "intent"),
    [
        ([], evidence("fit_confirmed")),
        ([tick("demo"), ActivityUnticked(activity="demo")], tick("demo")),
        ([stage("qualify"), stage("propose")], stage("qualify")),
        ([stage("propose")], stage("won")),
        ([COMMITMENT], CommitmentRenegotiated(commitment_id="k1", due=date(2025, 3, 1))),
        ([discount("10")], discount("10")),
        ([discount("10")], DiscountWithdrawn()),
        ([], OutcomeEvidenced(outcome="dm_criteria", level=2, author=SELLER)),
    ],
    ids=[
        "evidence needs no tick",
        "a tick taken back is made again",
        "a stage is gone back to",
        "a closing stage is entered before the win",
        "a live commitment is renegotiated",
        "an offer is made again",
        "a standing offer is withdrawn",
        "a seller's evidence is of level 1 or 2",
    ],
)
def test_what_makes_sense_is_taken(before: list[DealEvent], intent: DealEvent) -> None:
    assert decide_next(history_of(*before), intent).data == intent


def test_a_refusal_says_what_the_process_has() -> None:
    with pytest.raises(
        UnknownActivityError, match=r"version 1 of the process 'linear'.*demo, inter"
    ):
        decide_next(history_of(), tick("golf"))


def test_what_the_seller_says_is_not_the_customers_word() -> None:
    with pytest.raises(ContradictionError) as refused:
        decide_next(history_of(), OutcomeEvidenced(outcome="dm_criteria", level=3, author=SELLER))

    assert refused.value.field == "data.level"


def test_no_discount_is_withdrawn_where_none_stands() -> None:
    with pytest.raises(ContradictionError, match="no discount"):
        decide_next(history_of(), DiscountWithdrawn())


def test_a_list_price_is_in_the_currency_of_the_deal() -> None:
    offer = DiscountOffered(percent=Decimal(10), list=Money.of("1", "EUR"))

    with pytest.raises(ContradictionError) as refused:
        decide_next(history_of(opened(amount="1000.00")), offer)

    assert refused.value.field == "data.list.currency"


def test_a_deal_is_moved_to_a_process_that_has_its_stage() -> None:
    events = history_of(stage("qualify"))

    with pytest.raises(UnknownStageError, match="no stage 'qualify'") as refused:
        decide_next(events, MOVED)
    moved_deal = replay([*events, decide_next(events, MAPPED)])

    assert refused.value.field == "data.mapping"
    assert moved_deal is not None
    assert (moved_deal.stage, moved_deal.process) == ("first", MOVED.process)


def test_a_mapping_leads_to_what_the_other_process_has() -> None:
    nowhere = MOVED.model_copy(update={"mapping": {"qualify": "nowhere"}})

    with pytest.raises(UnknownReferenceError) as refused:
        decide_next(history_of(), nowhere)

    assert refused.value.field == "data.mapping.qualify"


def test_after_a_move_the_other_process_judges() -> None:
    events = history_of(MOVED)

    assert decide_next(events, tick("visit")).data == tick("visit")
    with pytest.raises(UnknownActivityError):
        decide_next(events, tick("meet"))


def test_a_late_entry_is_compared_with_the_deal_as_it_was_when_it_happened() -> None:
    events = history_of(
        said(OwnerChanged(owner="bob"), occurred=10), said(OwnerChanged(owner="ann"), occurred=20)
    )

    with pytest.raises(AlreadySoError):
        decide_next(events, OwnerChanged(owner="bob"), at=15, told=21)
    back = OwnerChanged(owner="ann")
    assert decide_next(events, back, at=15, told=21).data == back


@pytest.mark.parametrize(
    ("events", "intent"),
    [
        ([said(COMMITMENT, occurred=10)], COMMITMENT),
        (
            [said(COMMITMENT, occurred=1), said(CommitmentKept(commitment_id="k1"), occurred=10)],
            CommitmentBroken(commitment_id="k1"),
        ),
    ],
    ids=["an id used later", "a commitment settled later"],
)
def test_a_late_entry_is_also_compared_with_what_is_known_now(
    events: list[Said], intent: DealEvent
) -> None:
    with pytest.raises(AlreadySoError):
        decide_next(history_of(*events), intent, at=5, told=11)


def test_a_commitment_is_not_kept_before_it_was_made() -> None:
    events = history_of(said(COMMITMENT, occurred=10))

    with pytest.raises(UnknownReferenceError, match="when this happened"):
        decide_next(events, CommitmentKept(commitment_id="k1"), at=5, told=11)
