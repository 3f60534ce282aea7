"""What explains a seller's event: as many as can be, whatever came later or was told first."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.causes import Cause, action_time, causes, is_customer_event
from domain.events.base import DomainEvent
from domain.events.life import CloseDateMoved
from domain.policy import DEFAULT_POLICY
from domain.replay import Event, view
from domain.stamp import RecordedEvent
from tests.support.told import (
    DEAL,
    at,
    commitment,
    discount,
    evidence,
    moved,
    named,
    process,
    request,
    stage,
    tick,
)

LINEAR = process(("1", {"meet": "met"}), ("2", {}))
DAYS = ("2025-03-01", "2025-03-10", "2025-03-20")


@dataclass(frozen=True, slots=True)
class Told:
    """An event as it is drawn: hours after the start, hours until it was told, what it names."""

    data: DomainEvent
    hour: int
    lag: int
    names: int | None


SELLERS = st.one_of(
    st.sampled_from(DAYS).map(moved),
    st.sampled_from([discount("5"), stage("1"), tick("meet")]),
)
CUSTOMERS = st.one_of(
    st.builds(
        commitment, st.integers(1, 3), kind=st.just("decision_date"), due=st.sampled_from(DAYS)
    ),
    st.builds(request, st.sampled_from(["date", "discount"]), level=st.integers(1, 3)),
    st.builds(commitment, st.integers(1, 3), kind=st.just("for_discount")),
    st.just(evidence("met")),
)


def told(data: st.SearchStrategy[DomainEvent]) -> st.SearchStrategy[Told]:
    lag = st.sampled_from([0, 0, 0, 30, 90, 200])
    return st.builds(Told, data, st.integers(0, 300), lag, st.none() | st.integers(0, 40))


HISTORIES = st.lists(
    told(st.one_of(SELLERS, SELLERS, CUSTOMERS)),
    min_size=2,
    max_size=14,
    unique_by=lambda one: one.hour,
)


def events_of(history: Sequence[Told]) -> list[Event]:
    """Record what was told, in that order; some of it names an event that there is."""
    return [_event(number, one) for number, one in enumerate(history, start=1)]


def _event(number: int, one: Told) -> Event:
    occurred = at("2025-02-01") + timedelta(hours=one.hour)
    recorded = occurred + timedelta(hours=one.lag)
    return RecordedEvent(
        event_id=named(f"event {number}"),
        stream_id=f"deal:{DEAL}",
        version=number,
        position=number,
        occurred_at=occurred,
        recorded_at=recorded,
        ingested_at=recorded,
        actor="ann",
        data=one.data,
        caused_by=None if one.names is None else named(f"event {one.names}"),
    )


def causes_of(events: Sequence[Event]) -> dict[UUID, Cause]:
    return causes(view(events), lambda _: LINEAR, DEFAULT_POLICY)


def explained(events: Sequence[Event]) -> set[UUID]:
    return {event_id for event_id, cause in causes_of(events).items() if cause.explained_by}


def may_explain(customer: Event, seller: Event) -> bool:
    """Say whether a customer event alone would explain the seller's event unasked."""
    alone = causes_of([customer, replace(seller, caused_by=None)])
    return alone[seller.event_id].explained_by is not None


def most(sellers: Sequence[Event], customers: Sequence[Event]) -> int:
    """Count how many of the events customers could explain at most, by trying every way."""
    if not sellers:
        return 0
    first, *rest = sellers
    ways = [
        1 + most(rest, [other for other in customers if other is not customer])
        for customer in customers
        if may_explain(customer, first)
    ]
    return max([most(rest, customers), *ways])


@settings(deadline=None)
@given(
    history=st.lists(
        told(st.sampled_from(DAYS).map(moved)), min_size=1, max_size=5, unique_by=lambda o: o.hour
    ),
    asked=st.lists(told(CUSTOMERS), max_size=5),
)
def test_as_many_are_explained_as_can_be(history: list[Told], asked: list[Told]) -> None:
    unlinked = [replace(one, names=None) for one in [*history, *asked]]
    events = events_of(unlinked)
    sellers = [event for event in events if isinstance(event.data, CloseDateMoved)]
    customers = [event for event in events if is_customer_event(event)]

    assert len(explained(events)) == most(sellers, customers)


@settings(max_examples=300, deadline=None)
@given(history=HISTORIES, more=told(CUSTOMERS))
def test_one_more_customer_event_unexplains_nothing(history: list[Told], more: Told) -> None:
    before = events_of(history)

    assert explained(before) <= explained([*before, _event(len(before) + 1, more)])


@settings(max_examples=300, deadline=None)
@given(history=HISTORIES, more=told(SELLERS))
def test_a_later_seller_event_that_names_nothing_unexplains_nothing(
    history: list[Told], more: Told
) -> None:
    before = events_of(history)
    later = replace(more, hour=301 + more.hour, names=None)

    assert explained(before) <= explained([*before, _event(len(before) + 1, later)])


@settings(max_examples=300, deadline=None)
@given(history=HISTORIES, data=st.data())
def test_the_order_of_arrival_does_not_matter(history: list[Told], data: st.DataObject) -> None:
    events = events_of(history)
    positions = data.draw(st.permutations(range(1, len(events) + 1)))
    arrived = [
        replace(event, position=position, version=position)
        for event, position in zip(events, positions, strict=True)
    ]

    assert causes_of(sorted(arrived, key=lambda event: event.position)) == causes_of(events)


@settings(max_examples=300, deadline=None)
@given(history=HISTORIES)
def test_what_explains_is_the_customers_of_before_and_explains_one_of_a_kind(
    history: list[Told],
) -> None:
    events = {event.event_id: event for event in events_of(history)}

    pairs = [
        (events[seller], events[cause.explained_by])
        for seller, cause in causes_of(list(events.values())).items()
        if cause.explained_by
    ]

    for seller, customer in pairs:
        assert is_customer_event(customer)
        assert customer.occurred_at <= action_time(seller)
    taken = [(customer.event_id, type(seller.data)) for seller, customer in pairs]
    assert len(set(taken)) == len(taken)
