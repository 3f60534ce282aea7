"""What is different between two instants, and the totals of it."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from projections.quarter.difference import Change, Total, differences, totals
from projections.quarter.steps import Standing
from tests.support.quarters import State
from tests.support.told import named

DEAL, OTHER = sorted([named("a deal"), named("another deal")])
OPEN = State()
LATER = date(2025, 7, 1)
Deals = dict[UUID, Standing | None]


def changes(before: State | None, after: State | None) -> tuple[Change, ...]:
    found = differences({DEAL: before}, {DEAL: after})
    return found[0].changes if found else ()


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, OPEN, [Change("opened")]),
        (None, State(closed="won"), [Change("opened"), Change("won", None, "won")]),
        (OPEN, State(closed="won"), [Change("won", None, "won")]),
        (OPEN, State(closed="lost"), [Change("lost", None, "lost")]),
        (OPEN, State(closed="disqualified"), [Change("disqualified", None, "disqualified")]),
        (State(closed="won"), State(closed="lost"), [Change("lost", "won", "lost")]),
        (State(closed="won"), OPEN, [Change("reopened", "won", None)]),
        (OPEN, State(deleted=True), [Change("deleted")]),
        (OPEN, State(deleted=True, stage="propose"), [Change("deleted")]),
        (OPEN, None, [Change("deleted")]),
        (State(deleted=True), OPEN, [Change("reopened")]),
        (
            State(deleted=True),
            State(closed="won", owner="bob"),
            [Change("reopened"), Change("won", None, "won")],
        ),
        (OPEN, State(stage="propose"), [Change("stage", "qualify", "propose")]),
        (OPEN, State(stage=None), [Change("stage", "qualify", None)]),
        (OPEN, State(owner="bob"), [Change("owner", "ann", "bob")]),
        (
            OPEN,
            State(amount=Decimal(5), currency="EUR"),
            [Change("amount", (1000_00, "USD"), (5_00, "EUR"))],
        ),
        (OPEN, State(close_date=LATER), [Change("close_date", date(2025, 5, 15), LATER)]),
        (
            OPEN,
            State(forecast_category="commit"),
            [Change("category", "pipeline", "commit")],
        ),
        (OPEN, State(amount=Decimal("1000.001")), []),
        (None, None, []),
        (None, State(deleted=True), []),
        (State(deleted=True), State(deleted=True, owner="bob"), []),
        (State(deleted=True), None, []),
    ],
)
def test_a_deal_says_what_changed(
    before: State | None, after: State | None, expected: list[Change]
) -> None:
    assert changes(before, after) == tuple(expected)


def test_several_changes_come_in_one_order() -> None:
    everything = State("bob", "propose", "won", Decimal(5), "USD", LATER, "commit")

    assert [change.what for change in changes(OPEN, everything)] == [
        "won",
        "stage",
        "owner",
        "amount",
        "close_date",
        "category",
    ]


def test_deals_come_in_the_order_of_their_ids_and_a_missing_one_is_not_there() -> None:
    one, other = State(owner="bob"), State(owner="cid")

    found = differences({OTHER: one}, {DEAL: other})

    assert [(d.deal_id, d.changes[0].what) for d in found] == [
        (DEAL, "opened"),
        (OTHER, "deleted"),
    ]
    assert (found[0].before, found[0].after) == (None, other)


def test_a_deleted_deal_is_gone_from_the_difference() -> None:
    (found,) = differences({DEAL: OPEN}, {DEAL: State(deleted=True)})

    assert (found.before, found.after) == (OPEN, None)


def test_totals_are_what_deals_are_worth_and_what_a_change_of_amount_added() -> None:
    before: Deals = {DEAL: OPEN, OTHER: State(amount=Decimal(70))}
    after: Deals = {
        DEAL: State(closed="won", amount=Decimal(900)),
        OTHER: State(amount=Decimal(100), currency="EUR"),
    }

    found = totals(differences(before, after))

    assert found["won"] == Total(1, {"USD": 900_00})
    assert found["amount"] == Total(2, {"EUR": 100_00, "USD": -170_00})
    assert found["lost"] == Total(0, {})


def test_what_is_gone_counts_as_what_it_was_worth() -> None:
    unknown = State(amount=None, currency=None)

    found = totals(differences({DEAL: OPEN, OTHER: unknown}, {}))

    assert found["deleted"] == Total(2, {"USD": 1000_00})
