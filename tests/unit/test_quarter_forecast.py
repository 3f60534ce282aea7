from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.comparisons import Rate
from projections.quarter.forecast import (
    Chance,
    Ending,
    Odds,
    OpenDeal,
    calibration,
    expectations,
    slip,
)
from tests.support.worked_examples import worked_example

STAGE = ("standard", "proposal")
IDS = [UUID(int=number) for number in range(1, 20)]


def deal(amount: str = "100.00", currency: str | None = "USD", number: int = 1) -> OpenDeal:
    return OpenDeal(UUID(int=number), "ann", STAGE, Decimal(3), Decimal(amount), currency)


def odds(*seen: tuple[int, int, Ending | None]) -> Odds:
    """Give the odds of a stage in which so many lasted so many days and ended so."""
    return Odds({STAGE: {(Decimal(days), ending): count for count, days, ending in seen}})


def test_deals_that_slipped_agree_with_the_example() -> None:
    expected = worked_example("EX26")["expect"]
    rate = slip(IDS[:10], IDS[6:10])

    assert rate.share is not None
    assert rate.interval is not None
    assert float(rate.share) == expected["slip"]
    assert [round(bound, 4) for bound in rate.interval] == expected["ci"]


def test_a_win_that_nobody_forecast_keeps_no_deal_from_slipping() -> None:
    assert slip(IDS[:5], [IDS[0], IDS[9]]) == Rate(4, 5)


def test_a_chance_is_the_share_won_by_then_among_those_still_open() -> None:
    # Of 40, twenty are lost on day 2; of the others ten are won on day 5, and ten go on.
    found = odds((20, 2, "lost"), (10, 5, "won"), (10, 30, None))

    assert found.chance(STAGE, Decimal(0), Decimal(10)) == Chance(0.25, 40)
    assert found.chance(STAGE, Decimal(3), Decimal(10)) == Chance(0.5, 20)
    assert found.chance(STAGE, Decimal(3), Decimal(1)) == Chance(0, 20)
    assert found.chance(STAGE, Decimal(5), Decimal(1)) == Chance(None, 10), "too few lasted so long"


def test_nineteen_stays_give_no_chance() -> None:
    found = odds((19, 2, "won"))

    assert found.chance(STAGE, Decimal(0), Decimal(10)) == Chance(None, 19)


def test_a_deal_in_no_stage_or_an_unknown_one_has_no_chance() -> None:
    found = odds((20, 2, "won"))

    assert found.chance(None, Decimal(0), Decimal(10)) == Chance(None, 0)
    assert found.chance(("standard", "other"), Decimal(0), Decimal(10)) == Chance(None, 0)


def test_stages_tell_how_their_deals_ended() -> None:
    found = odds((1, 2, "won"), (1, 3, "won"), (1, 4, "lost"), (1, 9, None))

    assert found.stages() == [STAGE]
    assert found.ended(STAGE) == {"won": 2, "lost": 1, None: 1}


def test_what_deals_will_bring_is_summed_by_currency_with_its_spread() -> None:
    euros, dollars = expectations(
        [
            (deal("100.00"), Chance(0.5, 30)),
            (deal("300.00", number=2), Chance(0.2, 30)),
            (deal("50.00", number=3), Chance(None, 3)),
            (deal("10.00", "EUR", 4), Chance(1.0, 30)),
            (deal("0", None, 5), Chance(0.4, 30)),
        ]
    )

    assert euros.currency == "EUR"
    assert euros.expected == 10
    assert euros.sd == 0
    assert (dollars.deals, dollars.evaluable) == (3, 2)
    assert dollars.open == 450
    assert dollars.left_out == 50
    assert float(dollars.expected) == pytest.approx(110)
    # sqrt(.5 * .5 * 100² + .2 * .8 * 300²)
    assert dollars.sd == pytest.approx(130)
    assert dollars.low == 0
    assert float(dollars.high) == pytest.approx(110 + 1.959963984540054 * 130)


@given(
    st.lists(
        st.tuples(
            st.decimals("0.01", "1000000", places=2),
            st.sampled_from(["USD", "EUR", None]),
            st.none() | st.floats(0, 1),
        )
    )
)
def test_bounds_hold_the_expected_and_stay_within_what_is_open(
    told: list[tuple[Decimal, str | None, float | None]],
) -> None:
    deals = [
        (OpenDeal(UUID(int=number), "ann", STAGE, Decimal(1), amount, currency), Chance(p, 9))
        for number, (amount, currency, p) in enumerate(told)
    ]
    for one in expectations(deals):
        assert 0 <= one.low <= one.expected <= one.high <= one.open - one.left_out
        assert one.evaluable <= one.deals


def test_chances_are_held_against_what_came() -> None:
    found = calibration(
        [
            (Chance(0.8, 20), True),
            (Chance(0.4, 20), False),
            (Chance(None, 3), True),
        ]
    )

    assert (found.deals, found.evaluable, found.won) == (3, 2, 1)
    assert found.brier == pytest.approx((0.2**2 + 0.4**2) / 2)
    assert found.bias == pytest.approx(0.1)
    assert not found.conclusive


def test_without_a_chance_nothing_is_held_against_anything() -> None:
    found = calibration([(Chance(None, 3), True)])

    assert found.brier is None
    assert found.bias is None
