"""Who is credited how much, when, and what taking a win back does."""

from decimal import Decimal

import pytest

from domain.calendars import CalendarHistory
from domain.events.base import DomainEvent
from domain.events.life import CreditSplitSet, DealDeleted, DealWon, OwnerChanged, WinReversed
from domain.replay import view
from domain.values import Money
from projections.attainment.fold import Credit, credits_of
from tests.support.told import Teller, at, opened, won
from tests.support.worked_examples import worked_example

CALENDAR = CalendarHistory()


def split(**shares: str) -> CreditSplitSet:
    return CreditSplitSet(shares={rep: Decimal(share) for rep, share in shares.items()})


def total(credits_given: list[Credit], rep: str, before: str, quarter: str = "FY2025Q1") -> Decimal:
    return sum(
        (
            c.amount * (Decimal("1.08") if c.currency == "EUR" else 1)
            for c in credits_given
            if c.rep == rep and c.quarter == quarter and c.occurred_at < at(before)
        ),
        Decimal(0),
    )


def test_the_split_of_the_win_counts_and_a_reversal_takes_the_wins_own_shares_back() -> None:
    expected = worked_example("EX06")["expect"]
    first, second = Teller(), Teller()
    first.tell(opened(), "2025-01-01")
    first.tell(split(ann="0.6", bob="0.4"), "2025-01-05")
    euros = DealWon(net=Money.of("100000.00", "EUR"), closed_on=at("2025-01-20").date())
    first.tell(euros, "2025-01-20")
    first.tell(split(ann="0.5", bob="0.5"), "2025-02-01")
    first.tell(WinReversed(), "2025-03-15")
    second.tell(opened(owner="bob"), "2025-01-01", actor="bob")
    second.tell(won("50000.00"), "2025-02-10")
    given = credits_of(first.events, CALENDAR) + credits_of(second.events, CALENDAR)

    for day in ("2025-02-15", "2025-03-31"):
        for rep in ("ann", "bob"):
            assert total(given, rep, day) == Decimal(expected[f"{rep}@{day}"])
    assert total(given, "ann", "2025-01-20") == 0


def test_a_win_told_late_counts_in_the_quarter_it_happened_once_it_is_known() -> None:
    expected = worked_example("EX14")["expect"]
    teller = Teller()
    teller.tell(opened(), "2025-01-01")
    teller.tell(won("75000"), "2025-03-31T20:00:00+00:00", recorded="2025-04-03T09:00:00+00:00")

    known = credits_of(teller.events, CALENDAR)
    before = credits_of(view(teller.events, as_of=1), CALENDAR)

    q1 = expected["Q1 attained, T=2025-04-01,K=2025-04-30"]
    assert total(known, "ann", "2025-04-01") == Decimal(q1)
    assert total(before, "ann", "2025-04-01") == 0
    q2 = expected["Q2 attained, T=K=2025-04-30"]
    assert total(known, "ann", "2025-04-30", "FY2025Q2") == Decimal(q2)


def test_without_a_split_the_owner_of_the_moment_is_credited() -> None:
    teller = Teller()
    teller.tell(opened(owner="ann"), "2025-01-01")
    teller.tell(OwnerChanged(owner="bob"), "2025-01-05")
    teller.tell(won("10"), "2025-01-06")

    assert [(c.rep, c.amount) for c in credits_of(teller.events, CALENDAR)] == [
        ("bob", Decimal(10))
    ]


def test_a_win_dated_before_its_deal_was_opened_is_whose_deal_it_was_opened() -> None:
    teller = Teller()
    teller.tell(opened(owner="ann"), "2025-02-01")
    teller.tell(won("10"), "2025-01-31", recorded="2025-02-01")
    teller.tell(OwnerChanged(owner="bob"), "2025-02-02")
    teller.tell(WinReversed(), "2025-02-03")

    given = credits_of(view(teller.events), CALENDAR)

    assert [(c.rep, c.amount) for c in given] == [("ann", Decimal(10)), ("ann", Decimal(-10))]


def test_an_overlay_is_a_second_kind_of_credit() -> None:
    teller = Teller()
    teller.tell(opened(), "2025-01-01")
    teller.tell(
        CreditSplitSet(shares={"ann": Decimal(1)}, overlays={"sam": Decimal("0.5")}), "2025-01-05"
    )
    teller.tell(won("10"), "2025-01-06")

    kinds = {(c.rep, c.kind): c.amount for c in credits_of(teller.events, CALENDAR)}

    assert kinds == {("ann", "revenue"): Decimal(10), ("sam", "overlay"): Decimal(5)}


def test_a_deleted_deal_counts_until_it_was_deleted() -> None:
    teller = Teller()
    teller.tell(opened(), "2025-01-01")
    teller.tell(won("10"), "2025-01-06")
    teller.tell(DealDeleted(), "2025-06-01")

    given = credits_of(teller.events, CALENDAR)

    assert total(given, "ann", "2025-02-01") == 10
    assert total(given, "ann", "2025-07-01") == 0


def test_a_reversal_counts_in_its_own_quarter() -> None:
    teller = Teller()
    teller.tell(opened(), "2025-01-01")
    teller.tell(won("10"), "2025-01-06")
    teller.tell(WinReversed(), "2025-04-02")

    given = credits_of(teller.events, CALENDAR)

    assert total(given, "ann", "2025-12-31") == 10
    assert total(given, "ann", "2025-12-31", "FY2025Q2") == -10


@pytest.mark.parametrize("ending", [WinReversed(), DealDeleted()])
def test_two_wins_of_one_deal_that_are_taken_back_at_once_are_one_credit(
    ending: DomainEvent,
) -> None:
    teller = Teller()
    teller.tell(opened(), "2025-01-01")
    teller.tell(won("10"), "2025-01-06")
    teller.tell(won("10"), "2025-01-08")
    teller.tell(ending, "2025-01-10")

    *_, back = given = credits_of(teller.events, CALENDAR)

    assert (len(given), back.amount) == (3, Decimal(-20))
    assert total(given, "ann", "2025-02-01") == 0
