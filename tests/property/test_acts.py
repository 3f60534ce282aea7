"""Acts and stays are facts of a deal's own: what changes them, and what hindsight may still."""

from dataclasses import replace

from hypothesis import given, settings

from domain.replay import view
from projections.batch import Batch
from projections.pressure.acts import Act
from projections.pressure.derive import (
    ACT_TOPICS,
    ACTS_ONWARD,
    STAY_TOPICS,
    derive_acts,
    derive_stays,
)
from tests.support.framing import ToldFrames
from tests.support.many_deals import LOGS, Log


@settings(max_examples=60, deadline=None)
@given(log=LOGS)
def test_only_events_that_are_looked_at_change_acts_and_stays(log: Log) -> None:
    known = log.known(log.head)
    whole = Batch(0, log.head, log.streams(log.head), ToldFrames.of(log.events, log.known))
    acts_at = whole.positions(ACT_TOPICS, onward=ACTS_ONWARD, framed=False)
    stays_at = whole.positions(STAY_TOPICS, onward=(), framed=False)
    for deal_id, stream in whole.streams.items():
        for event in stream:
            before, after = (
                view(stream, as_of=position) for position in (event.position - 1, event.position)
            )
            if event.position not in acts_at.get(deal_id, ()):
                assert derive_acts(before, known) == derive_acts(after, known)
            if event.position not in stays_at.get(deal_id, ()):
                assert derive_stays(before, known) == derive_stays(after, known)


@settings(max_examples=60, deadline=None)
@given(log=LOGS)
def test_hindsight_sees_the_same_acts_but_for_those_that_say_so(log: Log) -> None:
    known = log.known(log.head)
    for stream in log.streams(log.head).values():
        whole = derive_acts(view(stream), known)
        for cut in log.instants[::2]:
            seen = {act.event_id: act for act in derive_acts(view(stream, effective_at=cut), known)}
            expected = [act for act in whole if act.occurred_at <= cut]
            assert [act.event_id for act in expected] == list(seen)
            for act in expected:
                if act.unsettled_until is None or act.unsettled_until <= cut:
                    assert told(seen[act.event_id]) == told(act)
                if act.kind == "discount_offered":
                    assert compared(seen[act.event_id]) == compared(act)


def told(act: Act) -> Act:
    return replace(act, unsettled_until=None)


def compared(act: Act) -> Act:
    """Give what offers are compared by, which is all but their cause."""
    return replace(told(act), cause="seller_only")
