"""The quick quantile of stays equals the plain Kaplan-Meier one."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from domain.policy import Policy
from domain.statistics import kaplan_meier
from projections.pressure.acts import Stay
from projections.pressure.baseline import Dwell, StaysIn
from tests.support.told import NAMESPACE, at

START = at("2025-01-01")
POLICY = Policy(n_dwell=3)
OTHER = uuid5(NAMESPACE, "asked about")
Days = tuple[int, int | None]


def stays_of(days: list[Days]) -> list[tuple[UUID, Stay]]:
    return [
        (
            OTHER if index % 5 == 4 else uuid5(NAMESPACE, f"deal {index}"),
            Stay(
                event_id=uuid5(NAMESPACE, f"stay {index}"),
                process="linear",
                stage="1",
                entered_at=START + timedelta(days=begun),
                left_at=None if length is None else START + timedelta(days=begun + length),
            ),
        )
        for index, (begun, length) in enumerate(days)
    ]


DAYS = st.lists(
    st.tuples(st.integers(0, 40), st.one_of(st.none(), st.integers(0, 30))), max_size=30
)


@given(days=DAYS, asked=st.integers(0, 60))
def test_it_equals_the_plain_estimate(days: list[Days], asked: int) -> None:
    stays, before = stays_of(days), START + timedelta(days=asked)
    known = [s for deal, s in stays if deal != OTHER and s.entered_at < before]

    found = StaysIn(stays).dwell(OTHER, before, POLICY)

    if len(known) < POLICY.n_dwell:
        assert found is None
        return
    ended = [s.left_at is not None and s.left_at <= before for s in known]
    lengths = [Decimal((min(s.left_at or before, before) - s.entered_at).days) for s in known]
    plain = kaplan_meier(lengths, ended).quantile(Fraction(POLICY.dwell_percentile))
    shortest = None if plain is None else timedelta(days=int(plain))
    assert found == Dwell(len(known), shortest)
