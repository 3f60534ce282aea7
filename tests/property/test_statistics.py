from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from domain.statistics import conformal_p, kaplan_meier, union_length, wilson

SMALL = st.integers(min_value=0, max_value=20).map(Decimal)
DURATIONS = st.lists(st.tuples(SMALL, st.booleans()), max_size=15)


@given(n=st.integers(min_value=1, max_value=500), data=st.data())
def test_an_interval_holds_its_rate_and_mirrors(n: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(min_value=0, max_value=n))
    interval, mirrored = wilson(successes, n), wilson(n - successes, n)

    assert interval is not None
    assert mirrored is not None
    assert 0 <= interval[0] <= successes / n <= interval[1] <= 1
    assert abs(interval[0] - (1 - mirrored[1])) < 1e-12


@given(peers=st.lists(SMALL, min_size=1), value=SMALL)
def test_a_higher_value_is_never_less_unusual(peers: list[Decimal], value: Decimal) -> None:
    assert conformal_p(value + 1, peers) <= conformal_p(value, peers)
    assert Fraction(1, len(peers) + 1) <= conformal_p(value, peers) <= 1


@given(intervals=st.lists(st.tuples(SMALL, SMALL)))
def test_a_union_is_the_number_of_unit_cells_covered(
    intervals: list[tuple[Decimal, Decimal]],
) -> None:
    cells = {cell for low, high in intervals for cell in range(int(low), int(high))}

    assert union_length(intervals) == len(cells)
    assert union_length([*intervals, *intervals]) == len(cells)


@given(seen=DURATIONS)
def test_survival_without_open_ones_is_the_plain_share(seen: list[tuple[Decimal, bool]]) -> None:
    durations = [duration for duration, _ in seen]
    survival = kaplan_meier(durations, [True] * len(durations))

    for at in map(Decimal, range(22)):
        longer = sum(duration > at for duration in durations)
        assert survival.at(at) == (Fraction(longer, len(durations)) if durations else 1)
    cut = [min(duration, Decimal(10)) for duration in durations]
    mean = Fraction(sum(cut, Decimal(0))) / len(cut) if cut else Fraction(10)
    assert survival.restricted_mean(Decimal(10)) == mean


@given(seen=DURATIONS, horizon=SMALL)
def test_an_open_one_never_shortens_survival(
    seen: list[tuple[Decimal, bool]], horizon: Decimal
) -> None:
    durations = [duration for duration, _ in seen]
    closed = kaplan_meier(durations, [True] * len(seen))
    with_open = kaplan_meier(durations, [over for _, over in seen])

    assert with_open.at(horizon) >= closed.at(horizon)
    assert with_open.restricted_mean(horizon) >= closed.restricted_mean(horizon)
