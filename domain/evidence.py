"""What shows that the intended outcomes of a deal were reached, and still stands."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.events.progress import EvidenceWithdrawn, OutcomeContradicted, OutcomeEvidenced
from domain.replay import Event

_OF_EVIDENCE: Final = frozenset({EvidenceWithdrawn, OutcomeContradicted, OutcomeEvidenced})


@dataclass(frozen=True, slots=True)
class Evidence:
    """One piece of evidence that stands: not withdrawn, not contradicted since."""

    event_id: UUID
    level: int
    occurred_at: datetime


def standing_evidence(events: Iterable[Event]) -> dict[str, tuple[Evidence, ...]]:
    """Give the evidence for each outcome that was neither withdrawn nor contradicted since."""
    told = [event for event in events if type(event.data) in _OF_EVIDENCE]
    withdrawn = {e.data.event_id for e in told if isinstance(e.data, EvidenceWithdrawn)}
    found: dict[str, tuple[Evidence, ...]] = {}
    for event in told:
        match event.data:
            case OutcomeEvidenced(outcome=outcome, level=level):
                if event.event_id not in withdrawn:
                    piece = Evidence(event.event_id, level, event.occurred_at)
                    found[outcome] = (*found.get(outcome, ()), piece)
            case OutcomeContradicted(outcome=outcome):
                found[outcome] = ()
            case _:
                pass
    return found
