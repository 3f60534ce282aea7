"""Pressure is a share that grows with time and falls with bookings; money counts once."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.pace import Active
from projections.pressure.curve import pivotality, pressure, shortfall, standing
from projections.pressure.exposure import exposure
from projections.pressure.fold import fold
from projections.pressure.money import cost, price_of
from projections.pressure.recording import Coverage
from tests.support.pressure import PlainContext, offers
from tests.support.told import DEAL, Teller, at, discount, named, opened, process, request, won

AMOUNTS = st.decimals(min_value=-1_000, max_value=10_000_000, places=2)
QUOTAS = st.decimals(min_value=0, max_value=5_000_000, places=2)
SHARES = st.fractions(min_value=0, max_value=1, max_denominator=10_000)
FACTORS = st.decimals(min_value="0.01", max_value=1_000, places=2)
LINEAR = process(("1", {}))


@given(quota=QUOTAS, attained=AMOUNTS, elapsed=SHARES)
def test_pressure_shortfall_and_pivotality_are_shares(
    quota: Decimal, attained: Decimal, elapsed: Fraction
) -> None:
    pressed = pressure(quota, attained, elapsed)
    pivotal = pivotality(Decimal(500), quota, attained)

    assert pressed is not None
    assert pivotal is not None
    assert 0 <= pressed <= 1
    assert 0 <= pivotal <= 1
    assert (shortfall(quota, attained, elapsed) or 0) >= 0


@given(quota=QUOTAS, attained=AMOUNTS | QUOTAS, elapsed=SHARES)
def test_pressure_and_shortfall_are_what_the_formulas_say(
    quota: Decimal, attained: Decimal, elapsed: Fraction
) -> None:
    target, booked = Fraction(quota), Fraction(attained)
    behind = target * elapsed - booked
    nothing_missing = quota <= 0 or attained >= quota
    pressed = Fraction(0) if nothing_missing else behind / (target - booked)
    short = Fraction(0) if quota <= 0 else behind / target

    assert pressure(quota, attained, elapsed) == min(Fraction(1), max(Fraction(0), pressed))
    assert shortfall(quota, attained, elapsed) == max(Fraction(0), short)


@given(quota=QUOTAS, attained=AMOUNTS, times=st.tuples(SHARES, SHARES))
def test_pressure_never_falls_while_nothing_is_booked(
    quota: Decimal, attained: Decimal, times: tuple[Fraction, Fraction]
) -> None:
    earlier, later = (pressure(quota, attained, elapsed) for elapsed in sorted(times))

    assert earlier is not None
    assert later is not None
    assert earlier <= later


@given(quota=QUOTAS, attained=AMOUNTS, more=QUOTAS, elapsed=SHARES)
def test_pressure_never_grows_with_bookings(
    quota: Decimal, attained: Decimal, more: Decimal, elapsed: Fraction
) -> None:
    before, after = (pressure(quota, one, elapsed) for one in (attained, attained + more))

    assert before is not None
    assert after is not None
    assert after <= before


@given(quota=QUOTAS, attained=AMOUNTS, elapsed=SHARES, factor=FACTORS)
def test_pressure_does_not_depend_on_the_unit_of_money(
    quota: Decimal, attained: Decimal, elapsed: Fraction, factor: Decimal
) -> None:
    scaled = quota * factor, attained * factor

    assert pressure(*scaled, elapsed) == pressure(quota, attained, elapsed)
    assert shortfall(*scaled, elapsed) == shortfall(quota, attained, elapsed)


@given(attained=AMOUNTS, elapsed=SHARES)
def test_without_a_quota_nothing_is_known(attained: Decimal, elapsed: Fraction) -> None:
    assert pressure(None, attained, elapsed) is None
    assert shortfall(None, attained, elapsed) is None
    assert pivotality(Decimal(1), None, attained) is None
    assert Coverage(0, 0).share() is None


PERCENTS = st.lists(st.integers(1, 60), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(
    percents=PERCENTS,
    asked=st.sets(st.integers(0, 5)),
    net=st.none() | st.integers(30_000, 130_000),
    usual=st.none() | st.integers(1, 40),
)
def test_floor_is_part_of_what_was_realised_and_that_of_what_was_offered(
    percents: list[int], asked: set[int], net: int | None, usual: int | None
) -> None:
    teller = Teller()
    teller.tell(opened(amount="100000"), "2025-01-02")
    for index, percent in enumerate(percents):
        if index in asked:
            teller.tell(request("discount"), f"2025-03-2{index}T06:00:00+00:00")
        offer = discount(str(percent), list_price="100000")
        teller.tell(offer, f"2025-03-2{index}T12:00:00+00:00")
    if net is not None:
        teller.tell(won(str(net), list_price="100000"), "2025-03-30")
    depths = [] if usual is None else [usual / 100] * 20
    baseline = [*offers(depths, rep="ann"), *offers([0.01] * 20, rep="bob", steps=True)]

    judged = fold(DEAL, teller.events, lambda _: LINEAR, PlainContext(offers=baseline))
    spent = cost(judged, price_of(teller.events), won=net is not None)

    assert spent.offered is not None
    assert spent.realised is not None
    assert 0 <= spent.realised.amount <= spent.offered.amount
    if spent.floor is not None:
        assert 0 <= spent.floor.amount <= spent.realised.amount
    if not any(one.verdict == "pressure_shaped" for one in judged):
        assert spent.offered.amount == 0


@settings(max_examples=40, deadline=None)
@given(
    bookings=st.lists(st.tuples(st.integers(0, 89), st.integers(1, 600)), max_size=3),
    joined=st.none() | st.integers(1, 80),
    until=st.integers(1, 90),
)
def test_exposure_is_the_time_in_which_pressure_reached_theta(
    bookings: list[tuple[int, int]], joined: int | None, until: int
) -> None:
    start, day = at("2025-01-01"), timedelta(days=1)
    context = PlainContext(
        quota_amount="1000",
        bookings=[((start + day * n).isoformat(), str(amount)) for n, amount in bookings],
        active=[] if joined is None else [Active(start + day * joined, None, (named("joined"),))],
    )
    teller = Teller()
    teller.tell(opened(), "2025-01-01")
    quarter = context.calendar.quarter_of(start)
    booked = context.booked("ann", quarter.name, "USD")
    quota, _ = context.quota("ann", quarter.name, start)

    exposed = exposure(teller.events, context, start + day * until)

    step = timedelta(hours=3)
    middles = [start + step * n + step / 2 for n in range(until * 8)]
    behind = sum(
        (standing(quota, booked, context.pace("ann", quarter, t).elapsed, t).pressure or 0)
        >= context.policy.theta
        for t in middles
    )
    # Each change of sides may fall anywhere in one of the steps.
    assert abs(exposed.behind - step * behind) <= step * (len(bookings) + 1)
    assert exposed.known == exposed.open == day * until
