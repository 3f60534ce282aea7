"""The ticks of a deal as facts, and how many activities its process has to tick."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import starmap
from typing import Final, TypeAlias

from domain.events.base import DomainEvent
from domain.events.honesty import EventAmended, EventRetracted
from domain.events.life import (
    DealDisqualified,
    DealLost,
    DealMovedToProcess,
    DealOpened,
    DealReopened,
    DealWon,
    WinReversed,
)
from domain.events.progress import (
    ActivityTicked,
    ActivityUnticked,
    EvidenceWithdrawn,
    OutcomeContradicted,
    OutcomeEvidenced,
    StageEntered,
)
from domain.known import Known
from domain.path import moves, pinned_reference
from domain.replay import Event
from projections.progress.fold import ActivityProgress, Claim, ticked_of
from projections.progress.status import Status, status_of
from projections.stretches import Stretch, over_life

_Types: TypeAlias = frozenset[type[DomainEvent]]
_PINNING: Final[_Types] = frozenset({DealOpened, DealMovedToProcess})
_PATH: Final[_Types] = frozenset(
    {DealMovedToProcess, DealOpened, DealReopened, StageEntered, WinReversed}
)
_TURNING: Final[_Types] = _PINNING | {ActivityUnticked, EvidenceWithdrawn, OutcomeContradicted}
"""What changes how the time before it reads; all else only adds to it."""
_TELLING: Final[_Types] = (
    _PATH | _TURNING | {ActivityTicked, DealDisqualified, DealLost, DealWon, OutcomeEvidenced}
)
_CORRECTING: Final[_Types] = frozenset({EventAmended, EventRetracted})
TICK_TOPICS: Final = frozenset(event.TOPIC for event in _TELLING | _CORRECTING)
"""The events at which the ticks of a deal may change."""
PLAN_TOPICS: Final = frozenset(event.TOPIC for event in _PINNING | _CORRECTING)
"""The events at which the plan of a deal may change."""


@dataclass(frozen=True, slots=True)
class Tick(Stretch):
    """A tick in force, and the instants that its status follows from (`status_of`)."""

    activity: str
    weight: Decimal
    expressible: bool
    settles_at: datetime
    reached_at: datetime | None
    asserted_at: datetime | None

    def status(self, at: datetime, cut: datetime | None = None) -> Status:
        """Give the status at an instant; what lies after a cut has not happened yet."""
        return status_of(
            expressible=self.expressible,
            settles_at=self.settles_at,
            reached_at=self.reached_at,
            asserted_at=self.asserted_at,
            at=at,
            cut=cut,
        )


@dataclass(frozen=True, slots=True)
class Plan(Stretch):
    """How many activities the process has that a deal is judged by."""

    activities: int


def derive_ticks(events: Sequence[Event], known: Known) -> list[Tick]:
    """Give the ticks of a deal's view, each for as long as it reads the same."""
    told = _of_types(events, _TELLING)
    processes = known.processes(told)
    path = moves(_of_types(told, _PATH), processes)

    def derive(stretch: Sequence[Event]) -> Iterable[Tick]:
        # The whole path: a move after the stretch leaves what is pending within it pending.
        process = processes(pinned_reference(_of_types(stretch, _PINNING)))
        return starmap(_tick, ticked_of(stretch, path, process, known.policy))

    return over_life(told, _instants(told, _TURNING), derive)


def derive_plans(events: Sequence[Event], known: Known) -> list[Plan]:
    """Give how many activities a deal's process has, for as long as it is pinned to it."""
    told = _of_types(events, _PINNING)
    processes = known.processes(told)

    def derive(stretch: Sequence[Event]) -> Iterable[Plan]:
        process = processes(pinned_reference(stretch))
        yield Plan(stretch[0].occurred_at, None, len(process.activities))

    return over_life(told, _instants(told, _PINNING), derive)


def _tick(activity: ActivityProgress, claim: Claim) -> Tick:
    return Tick(
        from_at=claim.ticked_at,
        until_at=None,
        activity=activity.activity,
        weight=activity.weight,
        expressible=activity.expressible,
        settles_at=claim.settles_at,
        reached_at=activity.reached_at(),
        asserted_at=activity.asserted_at(),
    )


def _of_types(events: Iterable[Event], types: _Types) -> list[Event]:
    # Events are never subclassed, and this is many times faster than isinstance.
    return [event for event in events if type(event.data) in types]


def _instants(events: Iterable[Event], types: _Types) -> Iterable[datetime]:
    return (event.occurred_at for event in _of_types(events, types))
