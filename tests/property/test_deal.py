"""What holds of every history of a deal, decided or imported."""

from dataclasses import replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.deal import check_imported, evolve, replay
from domain.deal_state import Deal
from domain.decisions.order import AFTER_CLOSING
from domain.errors import DealClosedError, DealExistsError, DomainError
from domain.events.catalogue import DealEvent
from domain.events.honesty import EventAmended, EventRetracted
from domain.events.life import DealLost
from domain.events.progress import ActivityTicked
from domain.replay import Event
from tests.support.histories import (
    DISORDER,
    FACTS,
    HISTORIES,
    INTENTS,
    decide_next,
    history_of,
    processes,
    recorded_as,
    stamp_at,
    told,
)
from tests.support.told import tick


@given(DISORDER)
def test_a_history_in_any_order_is_replayed(moments: list[tuple[DealEvent, int]]) -> None:
    deal = replay(told(moments))

    assert (deal is None) == (not moments)


@given(st.lists(INTENTS, max_size=12))
def test_evolving_refuses_nothing(events: list[DealEvent]) -> None:
    deal: Deal | None = None
    for number, data in enumerate(events):
        deal = evolve(deal, recorded_as([], data, stamp_at(number)))

    assert (deal is None) == (not events)


@given(DISORDER)
def test_the_order_in_which_an_import_tells_does_not_matter_where_times_differ(
    moments: list[tuple[DealEvent, int]],
) -> None:
    events = [
        replace(event, occurred_at=stamp_at(number).occurred_at)
        for number, event in enumerate(told(moments))
    ]

    assert replay(events) == replay(reversed(events))


@given(HISTORIES)
def test_the_state_is_the_replay_of_what_was_decided(events: list[Event]) -> None:
    stepwise: Deal | None = None
    for number, event in enumerate(events, start=1):
        corrects = isinstance(event.data, EventAmended | EventRetracted)
        stepwise = replay(events[:number]) if corrects else evolve(stepwise, event)

    assert stepwise == replay(events)


def outcome(events: list[Event], intent: DealEvent) -> Event | DomainError:
    try:
        return decide_next(events, intent)
    except DomainError as refusal:
        return refusal


@given(HISTORIES, INTENTS)
def test_a_decision_gives_what_evolves_or_says_why_not(
    events: list[Event], intent: DealEvent
) -> None:
    decided = outcome(events, intent)

    if isinstance(decided, DomainError):
        assert decided.detail
        assert decided.field
    else:
        assert decided.data == intent
        assert replay([*events, decided]) is not None


@given(HISTORIES, INTENTS)
def test_deciding_twice_gives_the_same(events: list[Event], intent: DealEvent) -> None:
    assert repr(outcome(events, intent)) == repr(outcome(events, intent))


@given(HISTORIES, FACTS)
def test_a_closed_deal_takes_only_what_is_still_told_then(
    events: list[Event], intent: DealEvent
) -> None:
    deal = replay(events)
    assert deal is not None
    assume(not deal.deleted)
    closed = events if deal.closed else [*events, decide_next(events, DealLost())]

    decided = outcome(closed, intent)

    still_told = isinstance(intent, AFTER_CLOSING)
    assert isinstance(decided, DealClosedError | DealExistsError) != still_told


@settings(max_examples=50)
@given(HISTORIES)
def test_a_retraction_and_its_retraction_change_nothing(events: list[Event]) -> None:
    deal = replay(events)
    for event in events:
        taken_back = EventRetracted(event_id=event.event_id, reason="A slip")
        try:
            once = [*events, decide_next(events, taken_back)]
        except DomainError:
            continue
        restored = EventRetracted(event_id=once[-1].event_id, reason="It was none")

        assert replay([*once, decide_next(once, restored)]) == deal


@given(st.sampled_from(["meet", "demo"]), st.sampled_from(["meet", "demo", "interview"]))
def test_an_amendment_folds_as_if_said_so_at_first(said: str, meant: str) -> None:
    events = history_of(tick(said))
    if said != meant:
        amendment = EventAmended(
            event_id=events[-1].event_id, data={"activity": meant}, reason="Typed wrongly"
        )
        events.append(decide_next(events, amendment))

    deal, at_first = replay(events), replay(history_of(ActivityTicked(activity=meant)))

    assert deal == at_first


@given(DISORDER, FACTS)
def test_an_imported_fact_is_flagged_at_most(
    moments: list[tuple[DealEvent, int]], intent: DealEvent
) -> None:
    events = told(moments)

    flag = check_imported(replay(events), intent, processes=processes, events=events)

    assert flag is None or flag.field
