"""The quick quantile of stays equals the plain Kaplan-Meier one."""

from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID, uuid5

from hypothesis import example, given
from hypothesis import strategies as st

from domain.policy import Policy
from domain.statistics import kaplan_meier
from projections.pressure.acts import Stay
from projections.pressure.stays import StaysIn
from tests.support.pressure import lasted
from tests.support.told import NAMESPACE, at, named
from tests.support.worked_examples import worked_example

START = at("2025-01-01")
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


@given(
    days=DAYS,
    asked=st.lists(st.integers(0, 60), min_size=1, max_size=5),
    share=st.sampled_from(["0.1", "0.25", "0.5", "0.8"]),
)
@example(days=[(0, 5), (0, 6), (0, 7), (0, 8), (57, None)], asked=[60], share="0.8")
@example(days=[(0, 5), (0, 6), (0, 7), (60, 0)], asked=[60], share="0.1")
@example(days=[(0, length) for length in range(1, 21)], asked=[60], share="0.25")
@example(days=[*((0, 10 + n) for n in range(12)), (59, None)], asked=[60], share="0.1")
def test_it_equals_the_plain_estimate_in_whatever_order_it_is_asked(
    days: list[Days], asked: list[int], share: str
) -> None:
    stays, policy = stays_of(days), Policy(n_dwell=3, dwell_percentile=Decimal(share))
    kept = StaysIn.of(lasted(stays))
    for day in asked:
        before = START + timedelta(days=day)
        dwell, expected = kept.dwell(OTHER, before, policy), plain(stays, before, policy)
        if dwell is None or expected is None:
            assert dwell is None
            assert expected is None
            continue
        _, shortest = expected
        assert (dwell.n, dwell.shortest_normal()) == expected
        for length in range(45):
            stayed = timedelta(days=length)
            assert dwell.is_rush(stayed) == (shortest is not None and stayed < shortest)


def plain(
    stays: list[tuple[UUID, Stay]], before: datetime, policy: Policy
) -> tuple[int, timedelta | None] | None:
    known = [s for deal, s in stays if deal != OTHER and s.entered_at < before]
    if len(known) < policy.n_dwell:
        return None
    ended = [s.left_at is not None and s.left_at <= before for s in known]
    lengths = [Decimal((min(s.left_at or before, before) - s.entered_at).days) for s in known]
    quantile = kaplan_meier(lengths, ended).quantile(Fraction(policy.dwell_percentile))
    return len(known), None if quantile is None else timedelta(days=int(quantile))


@given(days=DAYS, asked=st.integers(0, 60), age=st.integers(0, 40))
@example(days=[(0, 5), (0, 5), (0, 7), (57, None)], asked=60, age=5)
@example(days=[(60, 0), (0, 5)], asked=60, age=5)
def test_the_share_over_by_an_age_is_the_plain_estimate(
    days: list[Days], asked: int, age: int
) -> None:
    stays, at_ = stays_of(days), START + timedelta(days=asked)
    known = [s for _, s in stays if s.entered_at < at_]
    ended = [s.left_at is not None and s.left_at <= at_ for s in known]
    lengths = [Decimal((min(s.left_at or at_, at_) - s.entered_at).days) for s in known]

    n, share = StaysIn.of(lasted(stays)).over_by(timedelta(days=age), at_)

    assert n == len(known)
    assert abs(share - kaplan_meier(lengths, ended).percentile_of(Decimal(age))) < 1e-12


def test_the_share_over_by_an_age_is_that_of_the_worked_example() -> None:
    example = worked_example("EX21")
    lengths = zip(example["input"]["days"], example["input"]["observed"], strict=True)
    stays = [
        (named(str(number)), at("2025-01-01") - timedelta(days=days), over)
        for number, (days, over) in enumerate(lengths)
    ]
    kept = StaysIn.of(
        (d, entered, at("2025-01-01") if over else None) for d, entered, over in stays
    )

    for age, share in example["expect"]["age_percentile"].items():
        n, found = kept.over_by(timedelta(days=int(age)), at("2025-01-01"))
        assert (n, round(found, 6)) == (10, share)
