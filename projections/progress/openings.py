"""Who opened a deal, and whether it was found to fit: the facts of deals that should not be."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias
from uuid import UUID

from domain.events.customer import FitAssessed
from domain.events.honesty import EventAmended, EventRetracted
from domain.events.life import DealOpened
from domain.known import Known
from domain.replay import Event
from projections.stretches import Stretch, over_life

Fit: TypeAlias = Literal["in", "out", "unclear"]
OPENING_TOPICS: Final = frozenset(
    event.TOPIC for event in (DealOpened, EventAmended, EventRetracted, FitAssessed)
)
"""The events at which the opening of a deal may change."""


@dataclass(frozen=True, slots=True)
class Opening(Stretch):
    """A deal opened by a rep, with what was said last of its fit; None while nobody said."""

    event_id: UUID
    rep: str
    opened_at: datetime
    fit: Fit | None
    fit_event_id: UUID | None


def derive_openings(events: Sequence[Event], known: Known) -> list[Opening]:
    """Give the opening of a deal's view, for as long as its fit reads the same."""
    del known
    assessed = [event for event in events if isinstance(event.data, FitAssessed)]
    opened = next((event for event in events if isinstance(event.data, DealOpened)), None)
    if opened is None:
        return []
    told = [event for event in events if event is opened or isinstance(event.data, FitAssessed)]

    def derive(stretch: Sequence[Event]) -> Iterable[Opening]:
        yield _opening(opened, stretch)

    return over_life(told, [event.occurred_at for event in assessed], derive)


def _opening(opened: Event, stretch: Sequence[Event]) -> Opening:
    fit: Fit | None = None
    assessed: UUID | None = None
    for event in stretch:
        if isinstance(event.data, FitAssessed):
            fit, assessed = event.data.verdict, event.event_id
    return Opening(
        from_at=opened.occurred_at,
        until_at=None,
        event_id=opened.event_id,
        rep=opened.rep,
        opened_at=opened.occurred_at,
        fit=fit,
        fit_event_id=assessed,
    )
