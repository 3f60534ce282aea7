"""The facts of a deal's commitments tell at any instant what its stream tells, folded up to it."""

from dataclasses import astuple, fields

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.acts import contacts_of
from domain.close_date import pushes_of
from domain.commitments import Word, commitments_of
from domain.events.life import DealOpened
from domain.replay import Event, view
from projections.batch import Batch
from projections.commitments.facts import (
    COMMITMENT_TOPICS,
    SIGN_TOPICS,
    derive_given,
    derive_signs,
)
from tests.support.commitments import INSTANTS, KNOWN, histories
from tests.support.framing import ToldFrames
from tests.support.progress import standing
from tests.support.told import DEAL


def said_in(events: list[Event]) -> list[tuple[object, ...]]:
    """Give what a view says of both sides, each with its event and words."""
    if not any(isinstance(event.data, DealOpened) for event in events):
        return []
    told = commitments_of(events, KNOWN.calendar, KNOWN.policy)
    names = [field.name for field in fields(Word)]
    return [
        (one.side, one.id, one.event_id, one.what, one.by, *(getattr(one, n) for n in names))
        for one in told
    ]


@settings(max_examples=200, deadline=None)
@given(events=histories(), known=st.integers(1, 11))
def test_commitments_read_as_in_the_stream(events: list[Event], known: int) -> None:
    seen = [event for event in events if event.position <= known]
    facts = derive_given(view(seen), KNOWN)

    for cut in (None, *INSTANTS):
        found = [
            (one.side, one.commitment_id, one.event_id, one.what, one.by, *astuple(one.word))
            for one in standing(facts, cut)
        ]
        assert sorted(found, key=repr) == sorted(said_in(view(seen, effective_at=cut)), key=repr)


@settings(max_examples=200, deadline=None)
@given(events=histories(), known=st.integers(1, 11))
def test_pushes_and_contacts_read_as_in_the_stream(events: list[Event], known: int) -> None:
    seen = [event for event in events if event.position <= known]
    facts = derive_signs(view(seen), KNOWN)

    for cut in (None, *INSTANTS):
        then = view(seen, effective_at=cut)
        is_open = any(isinstance(event.data, DealOpened) for event in then)
        pushes = {("push", str(event.event_id)) for event in pushes_of(then)}
        contacts = {("contact", name) for name in contacts_of(then)}
        expected = pushes | contacts if is_open else set()
        assert {(sign.kind, sign.name) for sign in standing(facts, cut)} == expected


@settings(deadline=None)
@given(events=histories())
def test_facts_change_only_where_they_are_looked_at(events: list[Event]) -> None:
    for derive, topics in ((derive_given, COMMITMENT_TOPICS), (derive_signs, SIGN_TOPICS)):
        facts = [derive(view(events[:known]), KNOWN) for known in range(len(events) + 1)]
        steps = zip(events, facts, facts[1:], strict=False)
        changing = {event.position for event, old, new in steps if old != new}
        batch = Batch(0, len(events), {DEAL: events}, ToldFrames([], lambda _: KNOWN))
        looked_at = batch.positions(topics, onward=frozenset(), framed=False).get(DEAL, ())
        assert changing <= set(looked_at)
