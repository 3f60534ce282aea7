"""A deal's visits to its stages, in order: how often, how long, and what ended each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from domain.events.base import DomainEvent, type_name
from domain.events.life import DealDeleted
from domain.path import EPISODE_ENDS, Processes, stretches
from domain.replay import Event

_ENDS: Final[tuple[type[DomainEvent], ...]] = (*EPISODE_ENDS, DealDeleted)
_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Visit:
    """A stay in a stage, the `number`-th of this deal in this stage.

    `left_at`, `seconds` and what ended it are None while it lasts; seconds are whole ones,
    rounded down. `ended_how` is the type of the event that ended it.
    """

    event_id: UUID
    process: str
    stage: str
    episode: int
    number: int
    entered_at: datetime
    left_at: datetime | None
    seconds: int | None
    ended_by: UUID | None
    ended_how: str | None


@dataclass(frozen=True, slots=True)
class StageTime:
    """All visits to one stage together; `lasts` while the deal is still in it."""

    stage: str
    visits: int
    seconds: int
    lasts: bool


def visits_of(events: Sequence[Event], processes: Processes) -> list[Visit]:
    """Give the visits of one deal's view, in order.

    A visit ends with the next move, or when the deal closes, is reopened or deleted. A move to
    another process ends none; the visit keeps the name that it began under.
    """
    counts: dict[str, int] = {}
    found: list[Visit] = []
    for move, end in stretches(events, processes, ends=_ENDS):
        counts[move.target] = counts.get(move.target, 0) + 1
        entered = move.event.occurred_at
        found.append(
            Visit(
                event_id=move.event.event_id,
                process=move.process.id,
                stage=move.target,
                episode=move.episode,
                number=counts[move.target],
                entered_at=entered,
                left_at=end.occurred_at if end else None,
                seconds=_seconds(entered, end.occurred_at) if end else None,
                ended_by=end.event_id if end else None,
                ended_how=type_name(type(end.data)) if end else None,
            )
        )
    return found


def seconds_by(visit: Visit, at: datetime) -> int:
    """Give how long a visit has lasted at an instant, or lasted if it ended."""
    return _seconds(visit.entered_at, at) if visit.seconds is None else visit.seconds


def stage_times(visits: Iterable[Visit], *, at: datetime) -> list[StageTime]:
    """Sum the visits of each stage, in the order of first entry; one that lasts counts up to `at`.

    The seconds are those of the visits, so that the parts add up.
    """
    stages: dict[str, list[Visit]] = {}
    for visit in visits:
        stages.setdefault(visit.stage, []).append(visit)
    return [
        StageTime(
            stage=stage,
            visits=len(made),
            seconds=sum(seconds_by(visit, at) for visit in made),
            lasts=any(visit.left_at is None for visit in made),
        )
        for stage, made in stages.items()
    ]


def _seconds(since: datetime, until: datetime) -> int:
    return max(0, (until - since) // _SECOND)
