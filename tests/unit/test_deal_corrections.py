"""Amending and retracting: what may be corrected, and what then counts."""

from uuid import UUID

import pytest

from domain.deal import check_imported, replay
from domain.deal_state import Deal
from domain.errors import (
    AlreadySoError,
    ContradictionError,
    DomainError,
    PayloadRefusedError,
    UnknownProcessError,
    UnknownReferenceError,
    UnknownStageError,
)
from domain.events.catalogue import DealEvent
from domain.events.customer import CommitmentKept, CustomerCommitmentRecorded
from domain.events.honesty import EventAmended, EventRetracted
from domain.events.life import DealDeleted, DealLost
from domain.replay import Event
from tests.support.histories import decide_next, history_of, id_of, processes
from tests.support.told import opened, stage, tick


def amend(number: int, **data: object) -> EventAmended:
    return EventAmended.model_validate(
        {"event_id": id_of(number), "data": data, "reason": "Typed wrongly"}
    )


def retract(number: int) -> EventRetracted:
    return EventRetracted(event_id=id_of(number), reason="Told by mistake")


def state(events: list[Event]) -> Deal:
    deal = replay(events)
    assert deal is not None
    return deal


def test_an_amended_event_counts_as_if_said_so_at_first() -> None:
    corrected = history_of(stage("qualify"), tick("demo"), amend(2, stage="discover"))

    assert state(corrected).stage == "discover"


def test_the_latest_amendment_counts() -> None:
    events = history_of(stage("qualify"), amend(2, stage="propose"), amend(2, stage="discover"))

    assert state(events).stage == "discover"


def test_an_amendment_is_compared_with_what_counts_by_now() -> None:
    events = history_of(stage("qualify"), amend(2, stage="propose"), amend(2, stage="qualify"))

    assert state(events).stage == "qualify"
    with pytest.raises(AlreadySoError):
        decide_next(events, amend(2, stage="qualify"))


def test_what_settled_a_commitment_is_amended_though_it_is_settled() -> None:
    commitment = CustomerCommitmentRecorded(
        commitment_id="k1", what="They run the pilot", kind="people", level=3
    )
    events = history_of(commitment, CommitmentKept(commitment_id="k1"))

    amended = decide_next(events, amend(3, commitment_id="k1", reason="Both sent their notes"))

    assert state([*events, amended]).commitments.live == frozenset()


def test_a_retracted_event_does_not_count() -> None:
    assert state(history_of(tick("demo"), retract(2))).ticked == frozenset()


def test_a_retracted_retraction_leaves_the_event_standing() -> None:
    assert state(history_of(tick("demo"), retract(2), retract(3))).ticked == {"demo"}


def test_a_retracted_amendment_leaves_what_was_said_before() -> None:
    assert state(history_of(stage("qualify"), amend(2, stage="propose"), retract(3))).stage == (
        "qualify"
    )


def test_a_closed_deal_takes_corrections_and_a_retracted_loss_opens_it() -> None:
    assert state(history_of(DealLost(), retract(2))).closed is None


def test_a_deletion_told_by_mistake_is_retracted() -> None:
    assert not state(history_of(DealDeleted(), retract(2))).deleted


def test_an_opening_is_amended_but_never_retracted() -> None:
    data = opened(owner="bob").model_dump(mode="json", exclude_none=True)

    assert state(history_of(amend(1, **data))).owner == "bob"
    with pytest.raises(ContradictionError, match="deal_opened cannot be retracted") as refused:
        decide_next(history_of(), retract(1))

    assert refused.value.field == "data.event_id"


@pytest.mark.parametrize(
    ("before", "intent", "error", "field"),
    [
        ([], amend(99, stage="qualify"), UnknownReferenceError, "data.event_id"),
        ([], retract(99), UnknownReferenceError, "data.event_id"),
        ([tick("demo"), retract(2)], retract(2), AlreadySoError, "data.event_id"),
        (
            [tick("demo"), retract(2)],
            amend(2, activity="meet"),
            ContradictionError,
            "data.event_id",
        ),
        (
            [tick("demo"), amend(2, activity="meet")],
            amend(3, activity="demo"),
            ContradictionError,
            "data.event_id",
        ),
        ([tick("demo")], amend(2, activity="demo"), AlreadySoError, "data.data"),
        ([tick("demo")], amend(2, activity=7), PayloadRefusedError, "data.data.activity"),
        ([tick("demo")], amend(2), PayloadRefusedError, "data.data.activity"),
        ([tick("demo")], amend(2, activity="demo", x=1), PayloadRefusedError, "data.data.x"),
        ([stage("qualify")], amend(2, stage="golf"), UnknownStageError, "data.data.stage"),
        (
            [],
            amend(
                1,
                name="Fleet",
                account={"id": "acme", "name": "Acme"},
                owner="ann",
                process={"id": "golf", "version": 1},
            ),
            UnknownProcessError,
            "data.data.process",
        ),
    ],
)
def test_a_correction_that_cannot_be_is_refused(
    before: list[DealEvent], intent: DealEvent, error: type[DomainError], field: str
) -> None:
    with pytest.raises(error) as refused:
        decide_next(history_of(*before), intent)

    assert refused.value.field == field


def flag(intent: DealEvent, events: list[Event]) -> DomainError | None:
    return check_imported(replay(events), intent, processes=processes, events=events)


@pytest.mark.parametrize(
    ("intent", "error"),
    [
        (stage("golf"), UnknownStageError),
        (CommitmentKept(commitment_id="k9"), UnknownReferenceError),
        (retract(99), UnknownReferenceError),
        (amend(99, stage="golf"), UnknownReferenceError),
    ],
)
def test_an_import_keeps_what_refers_to_nothing_and_flags_it(
    intent: DealEvent, error: type[DomainError]
) -> None:
    assert isinstance(flag(intent, history_of()), error)


@pytest.mark.parametrize("intent", [stage("qualify"), tick("demo"), opened(), DealLost()])
def test_an_import_may_break_the_order_of_things(intent: DealEvent) -> None:
    closed = history_of(stage("qualify"), tick("demo"), DealLost())

    assert flag(intent, closed) is None
    assert flag(intent, []) is None


@pytest.mark.parametrize(
    ("intent", "error"),
    [(retract(1), ContradictionError), (amend(2, stage=7), PayloadRefusedError)],
)
def test_an_import_is_refused_a_correction_that_could_not_be_replayed(
    intent: DealEvent, error: type[DomainError]
) -> None:
    with pytest.raises(error):
        flag(intent, history_of(stage("qualify")))


def test_the_ids_of_a_history_are_its_own() -> None:
    assert [event.event_id for event in history_of(tick("demo"))] == [id_of(1), id_of(2)]
    assert isinstance(id_of(1), UUID)
