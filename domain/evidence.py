"""What shows that the intended outcomes of a deal were reached, and when it stood."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.events.progress import EvidenceWithdrawn, OutcomeContradicted, OutcomeEvidenced
from domain.process import Outcome
from domain.replay import Event

_OF_EVIDENCE: Final = frozenset({EvidenceWithdrawn, OutcomeContradicted, OutcomeEvidenced})


@dataclass(frozen=True, slots=True)
class Evidence:
    """One piece of evidence that was not withdrawn; it stands until its outcome is contradicted."""

    event_id: UUID
    level: int
    occurred_at: datetime
    contradicted_at: datetime | None = None

    def stands_at(self, instant: datetime) -> bool:
        """Say whether it had occurred by an instant and was not contradicted by then."""
        if self.occurred_at > instant:
            return False
        return self.contradicted_at is None or self.contradicted_at > instant


def evidence_of(events: Iterable[Event]) -> dict[str, tuple[Evidence, ...]]:
    """Give the evidence for each outcome of a view, in its order.

    What was withdrawn never showed anything and is left out; a contradiction says that the outcome
    is not, or no longer, reached from then on, and takes nothing back of what was judged before.
    """
    told = [event for event in events if type(event.data) in _OF_EVIDENCE]
    withdrawn = {e.data.event_id for e in told if isinstance(e.data, EvidenceWithdrawn)}
    found: dict[str, list[Evidence]] = defaultdict(list)
    for event in told:
        match event.data:
            case OutcomeEvidenced(outcome=outcome, level=level):
                if event.event_id not in withdrawn:
                    found[outcome].append(Evidence(event.event_id, level, event.occurred_at))
            case OutcomeContradicted(outcome=outcome):
                at = event.occurred_at
                found[outcome] = [_contradicted(piece, at) for piece in found[outcome]]
            case _:
                pass
    return {outcome: tuple(pieces) for outcome, pieces in found.items()}


def standing_evidence(events: Iterable[Event]) -> dict[str, tuple[Evidence, ...]]:
    """Give the evidence for each outcome that still stands at the end of a view."""
    return {
        outcome: tuple(piece for piece in pieces if piece.contradicted_at is None)
        for outcome, pieces in evidence_of(events).items()
    }


def unshown(
    outcomes: Iterable[Outcome], evidence: Mapping[str, Sequence[Evidence]], at: datetime
) -> tuple[str, ...]:
    """Give those of some outcomes for which no evidence of their level stood at an instant."""
    return tuple(
        outcome.id
        for outcome in outcomes
        if not any(
            piece.level >= outcome.needed and piece.stands_at(at)
            for piece in evidence.get(outcome.id, ())
        )
    )


def _contradicted(piece: Evidence, at: datetime) -> Evidence:
    return piece if piece.contradicted_at else replace(piece, contradicted_at=at)
