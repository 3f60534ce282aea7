"""The ticks of a deal as their reps made them: when each was told, and what was shown by then."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias
from uuid import UUID

from domain.causes import action_time
from domain.events.base import DomainEvent
from domain.events.honesty import EventAmended, EventRetracted
from domain.events.life import DealMovedToProcess, DealOpened
from domain.events.progress import (
    ActivityTicked,
    EvidenceWithdrawn,
    OutcomeContradicted,
    OutcomeEvidenced,
)
from domain.evidence import Evidence, evidence_of, unshown
from domain.known import Known
from domain.path import Processes
from domain.process import Outcome
from domain.replay import Event
from projections.stretches import Stretch, over_life

_Types: TypeAlias = frozenset[type[DomainEvent]]
_ONWARD: Final[_Types] = frozenset({DealMovedToProcess, OutcomeContradicted, OutcomeEvidenced})
_TELLING: Final[_Types] = _ONWARD | {ActivityTicked, DealOpened, EvidenceWithdrawn}
_CORRECTING: Final[_Types] = frozenset({EventAmended, EventRetracted})
CLAIM_TOPICS: Final = frozenset(event.TOPIC for event in _TELLING | _CORRECTING)
"""The events at which the claims of a deal may change."""
CLAIMS_ONWARD: Final = frozenset(event.TOPIC for event in _ONWARD)
"""Those of them that leave a claim as it is which was made, and told, before them."""


@dataclass(frozen=True, slots=True)
class Claim(Stretch):
    """A tick, whether it stands or was taken back since, and what was shown when it was made.

    It is made when it is recorded (METRICS section 1, action time). `shown_at` is when the last
    of its outcomes had been shown at the level it asks for, None if one was not by then.
    `expressible` says whether its process states an outcome of it at all.
    """

    event_id: UUID
    rep: str
    activity: str
    recorded_at: datetime
    expressible: bool
    shown_at: datetime | None

    def shown(self, cut: datetime | None = None) -> bool | None:
        """Say whether its outcomes had been shown; None where none is stated.

        What lies after a cut has not happened yet.
        """
        if not self.expressible:
            return None
        return self.shown_at is not None and (cut is None or self.shown_at <= cut)


def derive_claims(events: Sequence[Event], known: Known) -> list[Claim]:
    """Give the claims of a deal's view, each for as long as it reads the same.

    Ticks of an ordinary import are left out: when they were recorded here says nothing of when
    somebody made them.
    """
    told = [event for event in events if type(event.data) in _TELLING and not _came_later(event)]
    ticks = [event for event in told if isinstance(event.data, ActivityTicked)]
    if not ticks:
        return []
    processes = known.processes(told)

    def derive(stretch: Sequence[Event]) -> Iterable[Claim]:
        return _claims(stretch, processes)

    return over_life(told, _turns(told, ticks), derive)


def _came_later(event: Event) -> bool:
    return event.ordinary_import and isinstance(event.data, ActivityTicked)


def _turns(events: Iterable[Event], ticks: Sequence[Event]) -> Iterator[datetime]:
    """Give the instants at which what had been shown by an earlier tick reads otherwise.

    Evidence that is withdrawn never counted; one that is contradicted stops to count, which a
    tick notices that was told only after it.
    """
    for event in events:
        at = event.occurred_at
        if isinstance(event.data, EvidenceWithdrawn) or (
            isinstance(event.data, OutcomeContradicted)
            and any(tick.occurred_at < at <= action_time(tick) for tick in ticks)
        ):
            yield at


def _claims(stretch: Sequence[Event], processes: Processes) -> Iterator[Claim]:
    evidence = evidence_of(stretch)
    for tick, outcomes in _asked(stretch, processes):
        yield Claim(
            from_at=tick.occurred_at,
            until_at=None,
            event_id=tick.event_id,
            rep=tick.rep,
            activity=_activity(tick),
            recorded_at=tick.recorded_at,
            expressible=bool(outcomes),
            shown_at=_shown_at(outcomes, evidence, action_time(tick)),
        )


def _asked(
    stretch: Iterable[Event], processes: Processes
) -> Iterator[tuple[Event, Sequence[Outcome]]]:
    """Give each tick with the outcomes that its process asked of it then; none if it asks none."""
    process = processes(None)
    for event in stretch:
        match event.data:
            case DealOpened(process=reference) | DealMovedToProcess(process=reference):
                process = processes(reference)
            case ActivityTicked(activity=activity):
                placed = process.activities.get(activity)
                yield event, placed[1].outcomes if placed else ()
            case _:
                pass


def _activity(tick: Event) -> str:
    return tick.data.activity if isinstance(tick.data, ActivityTicked) else ""


def _shown_at(
    outcomes: Sequence[Outcome], evidence: Mapping[str, Sequence[Evidence]], at: datetime
) -> datetime | None:
    """Give when the last of these was first shown; None while one is not, or none is asked."""
    if unshown(outcomes, evidence, at):
        return None
    first = (
        next(
            piece.occurred_at
            for piece in evidence[outcome.id]
            if piece.level >= outcome.needed and piece.stands_at(at)
        )
        for outcome in outcomes
    )
    return max(first, default=None)
