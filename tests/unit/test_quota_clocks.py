"""A quota as it was known then and as it is known now give two pressures."""

from dataclasses import replace
from decimal import Decimal

import pytest

from domain.calendars import CalendarHistory
from domain.events.context import QuotaAssigned, QuotaRevised
from domain.fiscal import tau
from domain.known import Known
from projections.pressure.curve import pressure
from tests.support.told import Teller, at, usd
from tests.support.worked_examples import worked_example

CASES = {
    "t=2025-02-28T00Z,known=2025-02-28": ("2025-02-28", "2025-02-28"),
    "t=2025-03-03T00Z,known=2025-03-03": ("2025-03-03", "2025-03-03"),
    "t=2025-03-03T00Z,known=2025-03-31": ("2025-03-03", "2025-03-31"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_revision_counts_from_when_it_occurred_once_it_is_known(case: str) -> None:
    amount, expected = worked_example("EX05")["expect"][case]
    instant, known_at = (at(text) for text in CASES[case])
    teller = Teller()
    assigned = QuotaAssigned(rep="ann", quarter="FY2025Q1", amount=usd("800000"))
    teller.tell(assigned, "2025-01-01")
    teller.tell(QuotaRevised(amount=usd("1000000")), "2025-03-01", recorded="2025-03-05")
    events = [replace(event, stream_id="quota:ann:FY2025Q1") for event in teller.events]

    known = Known(event for event in events if event.recorded_at <= known_at)
    quota, _ = known.quota("ann", "FY2025Q1", instant)

    assert quota is not None
    assert quota.amount == amount
    elapsed = tau(CalendarHistory().quarter_of(instant), instant)
    share = pressure(quota.amount, Decimal(400000), elapsed)
    assert share is not None
    assert round(float(share), 6) == expected
