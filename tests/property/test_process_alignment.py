"""What holds of every path beside every model."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from projections.process.alignment import align, replay_tokens

STAGES = st.sampled_from(["a", "b", "c", "d"])
TRACES = st.lists(STAGES, max_size=6)
MODELS = st.permutations(["a", "b", "c", "d"]).flatmap(
    lambda order: st.integers(0, 4).map(lambda length: order[:length])
)


def longest(one: list[str], other: list[str]) -> int:
    """The longest common subsequence by trying all."""
    kept = {part for n in range(len(one) + 1) for part in combinations(one, n)}
    return max(n for n in range(len(other) + 1) for p in combinations(other, n) if p in kept)


@given(TRACES, MODELS)
def test_the_cost_is_that_of_the_longest_common_subsequence(
    trace: list[str], model: list[str]
) -> None:
    assert align(trace, model).cost == len(trace) + len(model) - 2 * longest(trace, model)


@given(TRACES, MODELS)
def test_fitness_lies_from_nothing_to_all_and_is_all_for_equals_alone(
    trace: list[str], model: list[str]
) -> None:
    fitness = align(trace, model).fitness

    assert fitness is None or 0 <= fitness <= 1
    assert (fitness in (None, 1)) == (trace == model)


@given(TRACES, MODELS)
def test_tokens_are_neither_lost_nor_made_up(trace: list[str], model: list[str]) -> None:
    replayed = replay_tokens(trace, model)

    assert replayed.produced + replayed.missing == replayed.consumed + replayed.remaining
    assert 0 <= replayed.fitness <= 1
    assert (replayed.fitness == 1) == ([s for s in trace if s in model] == model)
