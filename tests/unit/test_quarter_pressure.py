"""Discounts by days left, the test over reps, placebos, excess and trough, and cost."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.comparisons import Rate, sign_flip
from domain.fiscal import DaySpan, ExplicitCalendar, MonthsCalendar, Period, WeeksCalendar
from projections.quarter import readings
from projections.quarter.closings import Parts
from projections.quarter.cost import SignedWin, pressure_cost
from projections.quarter.offers import (
    Effect,
    Offer,
    by_segment,
    calendar_window,
    effect,
    shifted_window,
    trend,
)
from projections.quarter.payback import Payback, payback, trough_days
from tests.support.worked_examples import worked_example

CALENDAR = MonthsCalendar(zone="UTC", start_month=1)
QUARTER = CALENDAR.quarter_named("FY2025Q1")
FOLLOWING = CALENDAR.quarter_named("FY2025Q2")
PARTS = Parts.of(QUARTER, window_days=14, opening_days=5)
LATER = Parts.of(FOLLOWING, window_days=14, opening_days=5)
INTERIOR = frozenset(PARTS.interior)
EARLY, LATE = date(2025, 2, 3), date(2025, 3, 20)


def offer(number: int, rep: str, day: date, percent: float, segment: str | None = None) -> Offer:
    return Offer(UUID(int=number), rep, segment, day, Decimal(str(percent)))


def deeper_by(points: float, reps: int, segment: str | None = None) -> list[Offer]:
    """Let each rep offer so much more in the window, give or take a little."""
    return [
        offer(2 * number + late, f"rep{number:02}", (EARLY, LATE)[late], 10 + late * one, segment)
        for number in range(reps)
        for late, one in ((0, 0), (1, points + number % 3 * 0.5))
    ]


def in_window(offers: list[Offer]) -> Effect:
    return effect(offers, PARTS.window, INTERIOR)


def test_each_rep_counts_once_whatever_they_offered() -> None:
    offers = [offer(n, "ann", LATE, 30) for n in range(50)] + [offer(60, "ann", EARLY, 10)]
    offers += [offer(70, "ben", LATE, 11), offer(71, "ben", EARLY, 12), offer(72, "ben", EARLY, 8)]
    offers += [offer(80, "cat", LATE, 90), offer(81, "dan", QUARTER.start, 90)]

    found = in_window(offers)

    assert [(rep.rep, rep.difference) for rep in found.reps] == [("ann", 20.0), ("ben", 1.0)]
    assert (found.mean.n, found.mean.value, found.p, found.finding) == (2, None, None, None)


@pytest.mark.parametrize(
    ("reps", "told", "concluded"), [(4, 0, 0), (5, 1, 0), (19, 1, 0), (20, 1, 1)]
)
def test_few_reps_are_counted_and_conclude_nothing(reps: int, told: int, concluded: int) -> None:
    found = in_window(deeper_by(5, reps))

    assert (found.p is not None) == (found.mean.value is not None) == bool(told)
    assert found.finding == ("deeper" if concluded else None)
    sentence = readings.effect_sentence(found)
    assert ("consistent with" in sentence) == bool(concluded)
    assert ("none is drawn" in sentence or "Too few" in sentence) != bool(concluded)


def test_the_test_over_reps_is_the_sign_flip_test_of_their_differences() -> None:
    found = in_window(deeper_by(5, 20))

    assert found.p == sign_flip([rep.difference for rep in found.reps])
    assert found.p == 1 / 10_000
    assert in_window(deeper_by(-5, 20)).finding == "shallower"


def test_no_difference_claims_no_pressure() -> None:
    offers = [o for n in range(24) for o in (
        offer(2 * n, f"rep{n:02}", EARLY, 10), offer(2 * n + 1, f"rep{n:02}", LATE, 10 + (-1) ** n)
    )]  # fmt: skip

    found = in_window(offers)

    assert found.finding == "not_apart"
    assert "no discount pressure is claimed" in readings.effect_sentence(found)


def test_segments_are_corrected_for_their_number() -> None:
    offers = deeper_by(5, 6, "large") + [
        offer(500 + 2 * n + late, f"other{n}", (EARLY, LATE)[late], 10 + late * (-1) ** n, "small")
        for n in range(6)
        for late in (0, 1)
    ]
    offers.append(offer(999, "rep00", LATE, 90, None))

    (large, one, raw), (small, other, other_raw) = by_segment(offers, PARTS.window, INTERIOR)

    assert (large, small) == ("large", "small")
    assert raw is not None
    assert one.p == pytest.approx(2 * raw)
    assert other.p == other_raw


def test_placebos_look_where_no_fiscal_quarter_ends() -> None:
    shifted = shifted_window(PARTS)
    assert shifted == DaySpan(date(2025, 2, 1), date(2025, 2, 14))
    assert calendar_window(QUARTER, PARTS) is None
    february = MonthsCalendar(zone="UTC", start_month=2).quarter_named("FY2026Q1")
    own = Parts.of(february, window_days=14, opening_days=5)
    assert calendar_window(february, own) == DaySpan(date(2025, 3, 18), date(2025, 3, 31))


def test_a_placebo_too_near_to_the_window_or_to_the_start_is_none() -> None:
    weeks = WeeksCalendar(zone="UTC", weekday="SAT", month=12, rule="last", pattern="4-4-5")
    quarter = weeks.quarter_named("FY2025Q1")
    assert quarter.end == date(2025, 3, 29)
    assert calendar_window(quarter, Parts.of(quarter, window_days=14, opening_days=5)) is None
    short = ExplicitCalendar(
        zone="UTC", periods=(Period("FY2025Q1", date(2025, 1, 1), date(2025, 2, 28)),)
    ).quarter_named("FY2025Q1")
    assert shifted_window(Parts.of(short, window_days=14, opening_days=5)) is None


def test_a_trend_of_discounts_that_deepen_is_negative_in_days_left() -> None:
    offers = [offer(n, "ann", QUARTER.start + timedelta(days=n), 5 + n / 10) for n in range(90)]

    found = trend(offers, QUARTER)

    assert found.rho == pytest.approx(-1)
    assert found.finding == "deeper"
    assert [one.mean.n for one in found.bins] == [1, 6, 7, 14, 14, 14, 34]
    assert sum(len(one.event_ids) for one in found.bins) == 90
    assert found.bins[0].mean.value is None
    assert found.bins[1].mean.value == pytest.approx(13.55)
    assert "caused" not in readings.trend_sentence(found)


@given(st.lists(st.tuples(st.dates(QUARTER.start, QUARTER.end), st.integers(1, 90)), max_size=60))
def test_every_offer_lies_in_one_bin_and_correlations_in_bounds(
    given_offers: list[tuple[date, int]],
) -> None:
    offers = [offer(n, "ann", day, depth) for n, (day, depth) in enumerate(given_offers)]

    found = trend(offers, QUARTER)

    assert sum(one.mean.n for one in found.bins) == found.n == len(offers)
    if found.rho is not None and found.interval is not None:
        assert -1.000001 <= found.interval[0] <= found.rho + 1e-9
        assert found.rho - 1e-9 <= found.interval[1] <= 1.000001
    assert (found.finding is None) == (len(offers) < 20 or found.interval is None)


def test_discounts_that_are_all_alike_have_no_trend() -> None:
    found = trend([offer(n, "ann", EARLY, 10) for n in range(30)], QUARTER)

    assert (found.rho, found.finding) == (None, None)
    assert "no trend" in readings.trend_sentence(found)


def paid(window: int, interior: int, trough: int) -> Payback:
    """Give so many wins on each day of the window, the interiors, and of those the days 6 to 33."""
    wins = dict.fromkeys(INTERIOR | frozenset(LATER.interior), interior)
    wins |= dict.fromkeys(trough_days(FOLLOWING), trough)
    wins |= dict.fromkeys(PARTS.window, window)
    found = payback(wins, PARTS, FOLLOWING, LATER)
    assert found is not None
    return found


def test_excess_trough_and_payback_follow_their_definition() -> None:
    found = paid(window=5, interior=2, trough=1)

    # 71 interior days of the first quarter and 72 of the next; 28 of those have one win less.
    daily = (143 * 2 - 28) / 143
    assert found.daily == pytest.approx(daily)
    assert (found.in_window, found.in_trough) == (70, 28)
    assert found.excess is not None
    assert found.trough is not None
    assert found.excess.value == pytest.approx(70 - daily * 14)
    assert found.trough.value == pytest.approx(daily * 28 - 28)
    assert found.ratio == pytest.approx((daily * 28 - 28) / (70 - daily * 14))
    assert found.finding == "paid_back"
    assert "borrowed" in readings.payback_sentence(found)


def test_the_variance_of_the_excess_is_that_of_independent_poisson_counts() -> None:
    found = paid(window=5, interior=2, trough=2)

    assert found.excess is not None
    assert found.excess.variance == pytest.approx(70 + 286 * (14 / 143) ** 2)
    assert found.finding == "not_paid_back"
    assert found.ratio == pytest.approx(0)


def test_no_excess_has_no_payback() -> None:
    found = paid(window=2, interior=2, trough=2)

    assert (found.ratio, found.interval, found.finding) == (None, None, "no_excess")
    assert "any other days" in readings.payback_sentence(found)


def test_a_small_excess_leaves_both_open() -> None:
    wins = dict.fromkeys(list(PARTS.window)[:10], 1) | dict.fromkeys(list(PARTS.interior)[::5], 1)
    wins |= dict.fromkeys(list(LATER.interior)[::5], 1)

    found = payback(wins, PARTS, FOLLOWING, LATER)

    assert found is not None
    assert found.finding == "open"
    assert "and with effort" in readings.payback_sentence(found)


def test_few_wins_have_no_excess_to_tell() -> None:
    found = payback({LATE: 4}, PARTS, FOLLOWING, LATER)

    assert found is not None
    assert (found.in_window, found.daily, found.excess, found.finding) == (4, None, None, None)
    assert "(4)" in readings.payback_sentence(found)


def test_without_an_interior_nothing_is_normal() -> None:
    whole = Parts.of(QUARTER, window_days=366, opening_days=0)
    after = Parts.of(FOLLOWING, window_days=366, opening_days=0)

    assert payback({LATE: 40}, whole, FOLLOWING, after) is None


@given(st.lists(st.integers(0, 9), min_size=181, max_size=181))
def test_a_payback_lies_in_its_interval_and_needs_an_excess(counts: list[int]) -> None:
    days = [*DaySpan(QUARTER.start, QUARTER.end), *DaySpan(FOLLOWING.start, FOLLOWING.end)]

    found = payback(dict(zip(days, counts, strict=True)), PARTS, FOLLOWING, LATER)

    assert found is not None
    if found.excess is None:
        assert found.wins < 5
        return
    assert (found.ratio is not None) == (found.excess.value > 0)
    if found.interval is not None:
        assert found.ratio is not None
        assert found.interval[0] - 1e-9 <= found.ratio <= found.interval[1] + 1e-9
        assert found.excess.interval[0] > 0


def test_the_cost_of_pressure_is_that_of_the_worked_example() -> None:
    example = worked_example("EX25")
    given_, expected = example["input"], example["expect"]
    wins = []
    for number, (listed, depth, flagged) in enumerate(
        zip(given_["list"], given_["discount"], given_["flagged"], strict=True)
    ):
        price, cut = Decimal(listed), Decimal(str(depth))
        excess = price * (cut - Decimal(str(given_["median"]))) if flagged else Decimal(0)
        wins.append(signed(number, price * (1 - cut), excess))

    found = pressure_cost(wins)
    more = pressure_cost(wins * 5)

    assert (float(found.excess), float(found.net)) == (expected["excess"], expected["net"])
    assert (found.wins, found.share) == (4, None)
    assert more.share is not None
    assert round(float(more.share), 6) == expected["cost_share"]
    assert more.conclusive


def signed(number: int, net: Decimal | None, excess: Decimal | None) -> SignedWin:
    flagged = (UUID(int=number),) if excess is None or excess else ()
    return SignedWin(UUID(int=number), None, net, excess, flagged)


def test_one_unknown_excess_makes_the_cost_unknown_and_shows_what_is_known() -> None:
    wins = [signed(n, Decimal(100), Decimal(10)) for n in range(30)]

    found = pressure_cost([*wins, signed(31, Decimal(100), None), signed(32, None, Decimal(0))])

    assert (found.unknown, found.share, found.interval, found.conclusive) == (2, None, None, False)
    assert (found.excess, found.net) == (Decimal(300), Decimal(3000))
    assert "not evaluable" in readings.cost_sentence(found)


def test_a_cost_that_may_be_nothing_is_called_so() -> None:
    plain = [signed(n, Decimal(100), Decimal(0)) for n in range(30)]
    one = pressure_cost([*plain, signed(30, Decimal(100), Decimal(20))])
    many = pressure_cost([signed(n, Decimal(100), Decimal(20 + n % 3)) for n in range(30)])

    assert "and with none" in readings.cost_sentence(one)
    assert "and with none" not in readings.cost_sentence(many)


def test_without_a_flagged_discount_no_cost_is_claimed() -> None:
    found = pressure_cost([signed(n, Decimal(100), Decimal(0)) for n in range(30)])

    assert found.share == 0
    assert found.interval == (0.0, 0.0)
    assert "no cost is claimed" in readings.cost_sentence(found)


@given(st.lists(st.tuples(st.integers(1, 1000), st.integers(0, 500)), min_size=5, max_size=60))
def test_the_share_of_cost_lies_in_its_interval(given_wins: list[tuple[int, int]]) -> None:
    wins = [signed(n, Decimal(net), Decimal(cost)) for n, (net, cost) in enumerate(given_wins)]

    found = pressure_cost(wins)

    assert found.share == Fraction(
        sum(cost for _, cost in given_wins), sum(net for net, _ in given_wins)
    )
    assert found.interval is not None
    assert found.interval[0] <= float(found.share) + 1e-9
    assert float(found.share) <= found.interval[1] + 1e-9


@pytest.mark.parametrize(
    "told",
    [
        readings.pull_ins_sentence,
        readings.late_deals_sentence,
        readings.shares_sentence,
    ],
)
def test_rates_are_concluded_from_twenty_on(told: Callable[[Rate], str]) -> None:
    assert "consistent with" in told(Rate(7, 20))
    assert "consistent with" in told(Rate(0, 20))
    assert told(Rate(0, 20)).split(".")[1] != told(Rate(7, 20)).split(".")[1]
    assert "none is drawn" in told(Rate(7, 19))
    assert told(Rate(2, 4)).startswith("Too few")
    assert told(Rate(0, 0)).startswith("No ")


def test_what_could_not_be_judged_forbids_to_call_the_rest_free_of_pressure() -> None:
    assert "without quota pressure" in readings.shares_sentence(Rate(0, 30))
    assert "without quota pressure" not in readings.shares_sentence(Rate(0, 30), 1)
    assert "1 more lack" in readings.shares_sentence(Rate(0, 30), 1)
