"""Where verdicts turn, and where they are asked for."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from api.act_turns import TurningAct, probes, turn
from api.told_facts import Fact

START = datetime(2025, 1, 1, tzinfo=UTC)
STRETCHES = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 9)).map(lambda one: (one[0], sum(one)))
)
INSTANTS = st.integers(0, 12).map(lambda hours: START + timedelta(hours=hours))
REPS = st.sampled_from(["ada", "bo"])
STAGES = st.sampled_from([("sales", "discovery"), ("sales", "proposal")])
FACTS = st.builds(
    Fact,
    st.integers(0, 12),
    INSTANTS,
    st.none() | REPS,
    st.none() | st.just("discount_offered"),
    st.none() | STAGES,
)
ACTS = st.builds(
    TurningAct,
    st.just(UUID(int=1)),
    st.sampled_from(["discount_offered", "stage_entered"]),
    REPS,
    INSTANTS,
    INSTANTS,
    st.sets(STAGES),
    st.sets(st.integers(0, 12), min_size=1),
)


@given(STRETCHES)
def test_every_stretch_has_a_probe_and_no_two_probes_could_be_one(
    stretches: list[tuple[int, int]],
) -> None:
    found = probes(stretches)

    assert all(any(first <= at <= last for at in found) for first, last in stretches)
    assert found == sorted(set(found))
    # As many stretches as there are probes lie apart, so that fewer would not do.
    alone = [min((s for s in stretches if s[1] == at), key=lambda s: -s[0]) for at in found]
    assert all(one[1] < other[0] for one, other in pairwise(alone))


@given(st.lists(ACTS, max_size=6), st.lists(FACTS, max_size=12))
def test_an_act_turns_where_something_is_told_after_it_of_before_it(
    acts: list[TurningAct], facts: list[Fact]
) -> None:
    wanted = [
        act.turns
        | {
            fact.told
            for fact in facts
            if fact.told > min(act.turns)
            and fact.of <= max(act.occurred_at, act.action_time)
            and (fact.rep is None or fact.rep == act.rep)
            and (fact.kind is None or fact.kind == act.kind)
            and (fact.left is None or fact.left in act.left)
        }
        for act in acts
    ]

    turn(acts, facts)

    assert [act.turns for act in acts] == wanted
