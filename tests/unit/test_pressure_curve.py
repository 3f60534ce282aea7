"""Quota pressure at an instant, by the worked examples."""

from decimal import Decimal
from fractions import Fraction

import pytest

from domain.bookings import RunningTotal
from domain.calendars import CalendarHistory
from domain.events.life import DealLost, DealReopened, WinReversed
from domain.fiscal import tau
from projections.pressure.curve import pivotality, pressure, shortfall, standing
from projections.pressure.deal_curve import owners_of
from tests.support.told import Teller, at, opened, usd, won
from tests.support.worked_examples import worked_example

CALENDAR = CalendarHistory()


def close(share: Fraction | None) -> float | None:
    return None if share is None else round(float(share), 6)


def test_pressure_shortfall_and_pivotality_of_the_example() -> None:
    example = worked_example("EX03")
    quota = Decimal(example["input"]["quota"])
    for row in example["expect"]["rows"]:
        instant = at(row["t"])
        elapsed = tau(CALENDAR.quarter_of(instant), instant)
        attained = Decimal(row["attained"])

        assert close(elapsed) == row["tau"]
        assert close(pressure(quota, attained, elapsed)) == row["P"]
        assert close(shortfall(quota, attained, elapsed)) == row["shortfall"]
        assert close(pivotality(Decimal(150000), quota, attained)) == row["pivotality_of_150k"]


def test_without_a_quota_nothing_is_known_and_a_zero_quota_presses_nobody() -> None:
    expected = worked_example("EX03")["expect"]

    assert pressure(None, Decimal(0), Fraction(1, 2)) == expected["no_quota"]
    assert pressure(Decimal(0), Decimal(0), Fraction(1, 2)) == expected["zero_quota"]
    assert shortfall(None, Decimal(0), Fraction(1, 2)) is None
    assert pivotality(Decimal(1), None, Decimal(0)) is None
    assert pivotality(None, Decimal(1), Decimal(0)) is None


def test_a_booking_counts_strictly_before_an_instant() -> None:
    total = RunningTotal([(at("2025-01-20"), Decimal(100))])

    assert total.before(at("2025-01-20")) == 0
    assert total.before(at("2025-01-20T00:00:00.000001+00:00")) == 100


def test_a_booking_without_a_rate_makes_pressure_unknown_from_then_on() -> None:
    total = RunningTotal([(at("2025-01-20"), None), (at("2025-01-10"), Decimal(100))])
    quarter = CALENDAR.quarter_of(at("2025-01-20"))

    before = standing(usd("1000"), total, tau(quarter, at("2025-01-20")), at("2025-01-20"))
    after = standing(usd("1000"), total, tau(quarter, at("2025-01-21")), at("2025-01-21"))

    assert before.pressure is not None
    assert after.pressure is None
    assert after.attained == 100


@pytest.mark.parametrize("attained", ["0", "400", "999", "1000", "5000"])
def test_pressure_grows_with_time_and_falls_with_bookings(attained: str) -> None:
    quota = Decimal(1000)
    shares = [Fraction(day, 90) for day in range(91)]
    line = [pressure(quota, Decimal(attained), share) for share in shares]
    less = [pressure(quota, Decimal(attained) + 1, share) for share in shares]

    assert all(p is not None and 0 <= p <= 1 for p in line)
    assert line == sorted(line, key=lambda p: p or 0)
    assert all((a or 0) >= (b or 0) for a, b in zip(line, less, strict=True))


def test_a_win_taken_back_opens_only_the_deal_that_was_closed_by_it() -> None:
    reopened, lost = Teller(), Teller()
    for teller in (reopened, lost):
        teller.tell(opened(), "2025-01-02")
        teller.tell(won("100"), "2025-01-10")
        teller.tell(DealReopened(), "2025-01-20")
    lost.tell(DealLost(), "2025-01-25")
    for teller in (reopened, lost):
        teller.tell(WinReversed(), "2025-02-10")

    until = at("2025-03-01")

    spell = ("ann", at("2025-01-02"), at("2025-01-10"))
    assert [*owners_of(reopened.events, until)] == [spell, ("ann", at("2025-01-20"), until)]
    again = ("ann", at("2025-01-20"), at("2025-01-25"))
    assert [*owners_of(lost.events, until)] == [spell, again]
