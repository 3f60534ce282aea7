"""What holds of what ticks taught, whatever was told of a deal."""

from datetime import timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from domain.events.base import DomainEvent
from domain.events.customer import ContactIdentified, DecisionCriterionRecorded
from domain.events.progress import ActivityUnticked
from domain.policy import DEFAULT_POLICY
from domain.replay import Event, view
from projections.progress.knowledge import knowledge
from tests.support.told import Teller, at, discount, opened, tick

MOMENTS = st.lists(
    st.tuples(
        st.one_of(
            st.sampled_from(["meet", "call"]).map(tick),
            st.just(ActivityUnticked(activity="meet")),
            st.sampled_from(["Price", "price", "Time"]).map(
                lambda text: DecisionCriterionRecorded(criterion=text)
            ),
            st.sampled_from(["mia", "leo"]).map(
                lambda name: ContactIdentified(contact=name, role="buyer")
            ),
            st.just(discount("5")),
        ),
        st.integers(0, 60),
    ),
    max_size=12,
)


def told(moments: list[tuple[DomainEvent, int]]) -> list[Event]:
    teller = Teller()
    teller.tell(opened(), "2025-01-01")
    for data, day in moments:
        teller.tell(data, (at("2025-01-01") + timedelta(days=day)).isoformat())
    return teller.events


@given(MOMENTS)
def test_a_value_is_learned_once_and_its_event_used_once(
    moments: list[tuple[DomainEvent, int]],
) -> None:
    found = knowledge(view(told(moments)), DEFAULT_POLICY)
    linked = [(activity, one) for activity, own in found.taught.items() for one in own.learned]
    assert all(one.link for _, one in linked)
    assert not any(one.link for one in found.unlinked)
    learned = [*linked, *((None, one) for one in found.unlinked)]

    values = [(one.kind, one.value.casefold()) for _, one in learned]
    assert len(values) == len(set(values))
    of = {(one.event_id, activity) for activity, one in learned}
    assert len(of) == len({event_id for event_id, _ in of})


@given(MOMENTS, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(
    moments: list[tuple[DomainEvent, int]], chance: Random
) -> None:
    events = told(moments)
    shuffled = list(events)
    chance.shuffle(shuffled)

    assert knowledge(view(shuffled), DEFAULT_POLICY) == knowledge(view(events), DEFAULT_POLICY)


@given(MOMENTS)
def test_without_ticks_nothing_was_taught(moments: list[tuple[DomainEvent, int]]) -> None:
    silent = [moment for moment in moments if moment[0] != tick("meet")]
    silent = [moment for moment in silent if moment[0] != tick("call")]

    found = knowledge(view(told(silent)), DEFAULT_POLICY)
    assert found.taught == {}
    ticked = knowledge(view(told(moments)), DEFAULT_POLICY)
    assert len(ticked.unlinked) <= len(found.unlinked), "no tick makes a fact come from nowhere"
