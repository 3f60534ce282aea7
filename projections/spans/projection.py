"""Keeps the spans: a row for each stretch of positions in which a deal's state was constant."""

from typing import Final, get_args

from domain.events.catalogue import LifeEvent
from domain.events.honesty import EventAmended, EventRetracted
from domain.events.money import DiscountOffered, DiscountWithdrawn
from domain.events.progress import StageEntered
from domain.replay import Event
from projections.batch import Batch
from projections.facts import FactTable, Rows
from projections.spans.fold import DealState, fold

SPANS: Final = FactTable("spans", DealState)
_RELEVANT: Final = (
    *get_args(LifeEvent),
    StageEntered,
    DiscountOffered,
    DiscountWithdrawn,
    EventAmended,
    EventRetracted,
)


class SpansProjection:
    """The state of every deal at every position."""

    name = "spans"

    def project(self, connection: Rows, batch: Batch) -> None:
        """Follow the deals that the batch touches; the context changes no state."""
        positions = {
            deal_id: [e.position for e in events if e.position > batch.after and _relevant(e)]
            for deal_id, events in batch.streams.items()
        }
        SPANS.follow(connection, batch.streams, positions, _derive)


def _relevant(event: Event) -> bool:
    return isinstance(event.data, _RELEVANT)


def _derive(events: list[Event]) -> list[DealState]:
    state = fold(events)
    return [] if state is None else [state]
