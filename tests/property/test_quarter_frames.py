"""Each frame is the opening and every delta up to its day, however the rows are grouped."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from projections.quarter.frames import Row, Slice, frames
from tests.support.quarters import QUARTER

LAST = QUARTER.start + timedelta(days=6)
SLICES = st.builds(
    Slice,
    st.sampled_from(["qualify", "propose", None]),
    st.sampled_from(["ann", "bob"]),
    st.sampled_from(["commit", None]),
    st.sampled_from(["USD", "JPY", None]),
    st.integers(-2, 2),
    st.sampled_from([Decimal(-5), Decimal(0), Decimal("5.00")]),
)
DELTAS = st.lists(st.tuples(st.dates(QUARTER.start, LAST + timedelta(days=2)), SLICES))


def summed(slices: list[Slice], key: Callable[[Slice], str | None]) -> set[Row]:
    groups = {(key(one), one.currency) for one in slices}
    rows = set()
    for name, currency in groups:
        own = [one for one in slices if (key(one), one.currency) == (name, currency)]
        row = Row(
            name, currency, sum(s.deals for s in own), sum((s.amount for s in own), Decimal())
        )
        rows |= {row} if row.deals or row.amount else set()
    return rows


@given(st.lists(SLICES), DELTAS)
def test_a_frame_is_the_sum_of_all_that_came_before(
    opening: list[Slice], deltas: list[tuple[date, Slice]]
) -> None:
    for frame in frames(opening, deltas, quarter=QUARTER, until=LAST):
        until = [*opening, *(one for day, one in deltas if day <= frame.day)]

        assert set(frame.total) == summed(until, lambda one: None)
        assert set(frame.by_stage) == summed(until, lambda one: one.stage)
        assert set(frame.by_owner) == summed(until, lambda one: one.owner)
        assert set(frame.by_category) == summed(until, lambda one: one.category)
