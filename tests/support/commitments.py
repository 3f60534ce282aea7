"""Histories that play with commitments: moved, settled twice, told late, retracted."""

from dataclasses import fields, replace
from datetime import date
from typing import Final

from hypothesis import strategies as st

from domain.commitments import Word, commitments_of
from domain.events.catalogue import DealEvent
from domain.events.customer import ContactIdentified
from domain.events.honesty import EventRetracted
from domain.events.life import DealOpened
from domain.events.progress import OutcomeEvidenced
from domain.known import Known
from domain.replay import Event
from tests.support.histories import HOUR, id_of, recorded_as, stamp_at
from tests.support.promises import breaks, commits, keeps, moves_to, promises, withdraws
from tests.support.told import moved, opened

KNOWN: Final = Known([])
DAY: Final = 24
_NAMES: Final = st.sampled_from(["k1", "k2"])
_DAYS: Final = st.dates(date(2025, 1, 6), date(2025, 1, 20)).map(date.isoformat)


def _shown(side: str, contact: str) -> OutcomeEvidenced:
    author = {"side": side, "contact": contact}
    return OutcomeEvidenced.model_validate({"outcome": "fit", "level": 3, "author": author})


_SAID: Final[st.SearchStrategy[DealEvent]] = st.one_of(
    st.builds(
        lambda name, level, due: commits(name, level, due=due),
        _NAMES,
        st.integers(0, 5),
        st.none() | _DAYS,
    ),
    st.builds(moves_to, _NAMES, _DAYS),
    *(_NAMES.map(said) for said in (keeps, breaks, withdraws, promises)),
    _DAYS.map(moved),
    st.builds(ContactIdentified, contact=_NAMES, role=st.just("Plant manager")),
    st.builds(_shown, st.sampled_from(["customer", "seller"]), _NAMES),
    st.integers(2, 9).map(lambda n: EventRetracted(event_id=id_of(n), reason="By mistake")),
)


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Draw a deal's stream: its opening, and what is said of it, some of it late."""
    first: DealEvent = opened(close_date=draw(st.sampled_from([None, "2025-01-15"])))
    told = draw(st.lists(st.tuples(_SAID, st.integers(-1, 8), st.integers(0, 4)), max_size=10))
    events: list[Event] = []
    for data, day, lag in [(first, 0, 0), *told]:
        recorded = (day + lag) * DAY
        event = recorded_as(events, data, stamp_at(day * DAY, recorded=recorded))
        events.append(replace(event, channel=draw(st.sampled_from(["api", "rule"]))))
    return events


INSTANTS: Final = [
    stamp_at(hours).occurred_at + HOUR for hours in range(-2 * DAY, 30 * DAY, 2 * DAY)
]


def words_of(events: list[Event]) -> list[Word]:
    """Give what the stream says of the customer's word, folded as the answer about a deal does."""
    if not any(isinstance(event.data, DealOpened) for event in events):
        return []
    own = commitments_of(events, KNOWN.calendar, KNOWN.policy)
    names = [field.name for field in fields(Word)]
    return [
        Word(**{name: getattr(one, name) for name in names})
        for one in own
        if one.side == "customer"
    ]
