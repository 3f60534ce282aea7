"""Random logs of deals that follow two versions of a process, told late, taken back and moved."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final
from uuid import uuid5

from domain.events.catalogue import TYPES_BY_NAME, parse
from domain.replay import Event
from domain.stamp import RecordedEvent
from tests.support.spans import Log
from tests.support.told import NAMESPACE

_PUBLISHED: Final = "process_published"
START: Final = datetime(2025, 1, 1, tzinfo=UTC)
ACTIVITIES: Final = ("meet", "call", "demo", "send")
_OUTCOMES: Final = ("criteria", "goal", "fit", "answer")
_OF: Final = dict(zip(ACTIVITIES, _OUTCOMES, strict=True))


def _stage(name: str, *activities: str, level: int = 3) -> dict[str, Any]:
    return {
        "id": name,
        "name": name,
        "goal": "Know more",
        "activities": [
            {
                "id": activity,
                "name": activity,
                "purpose": "To learn",
                "outcomes": [{"id": _OF[activity], "name": "Learned", "required_level": level}],
            }
            for activity in activities
        ],
    }


_VERSIONS: Final = (
    {
        "version": 1,
        "name": "Linear",
        "stages": [
            _stage("qualify", "meet", "call"),
            _stage("discover", "demo"),
            _stage("propose"),
        ],
        "closing": {"won": "won", "lost": "lost"},
    },
    {
        "version": 2,
        "name": "Linear",
        "stages": [
            _stage("qualify", "meet", level=2),
            _stage("discover", "call", "demo"),
            _stage("propose", "send"),
        ],
        "closing": {"won": "won", "lost": "lost"},
    },
)
_DATA: Final[dict[str, Any]] = {
    "stage_entered": lambda c: {
        "stage": c.choice(["qualify", "discover", "discover", "propose", "propose", "won", "lost"])
    },
    "activity_ticked": lambda c: {"activity": c.choice(ACTIVITIES)},
    "activity_unticked": lambda c: {"activity": c.choice(ACTIVITIES)},
    "outcome_evidenced": lambda c: {"outcome": c.choice(_OUTCOMES), "level": c.choice([2, 3, 3])},
    "outcome_contradicted": lambda c: {"outcome": c.choice(_OUTCOMES)},
    "step_feedback_given": lambda c: {"activity": c.choice(ACTIVITIES), "statement": "Too long"},
    "deal_won": lambda _: {
        "net": {"amount": "10.00", "currency": "USD"},
        "closed_on": "2025-02-01",
    },
    "deal_lost": lambda _: {},
    "deal_disqualified": lambda _: {},
    "deal_reopened": lambda _: {},
    "deal_deleted": lambda _: {},
    "deal_moved_to_process": lambda c: {"process": {"id": "linear", "version": c.choice([1, 2])}},
}
_WEIGHTS: Final = {
    "stage_entered": 8,
    "activity_ticked": 8,
    "outcome_evidenced": 8,
    "deal_won": 2,
    "deal_lost": 2,
    "deal_deleted": 0.1,
    "deal_moved_to_process": 0.3,
}


def process_log(chance: Random, *, size: int = 800, deals: int = 40) -> Log:
    """A log of deals under two versions of one process; no two events occur at one instant."""
    log = Log([])
    _append(log, "process:linear", (_PUBLISHED, _VERSIONS[0]), START, START)
    recorded = START
    for index in range(size):
        recorded += timedelta(hours=chance.choice([2, 7, 12]), seconds=1)
        if index == size // 2:
            _append(log, "process:linear", (_PUBLISHED, _VERSIONS[1]), recorded, recorded)
            continue
        deal = chance.randrange(deals)
        stream = f"deal:{uuid5(NAMESPACE, f'deal {deal}')}"
        own = [event for event in log.events if event.stream_id == stream]
        late = timedelta(hours=chance.choice([0, 0, 0, 0, 31, 301, 901]), seconds=index / 1000)
        _append(log, stream, _said(chance, own), recorded, recorded - late)
    return log


def _said(chance: Random, own: list[Event]) -> tuple[str, dict[str, Any]]:
    if not own:
        return "deal_opened", {
            "name": "Fleet renewal",
            "account": {"id": "acme", "name": "Acme"},
            "owner": "ann",
            "process": {"id": "linear", "version": chance.choice([1, 2])},
        }
    if chance.random() < 0.05 and len(own) > 1:
        target = chance.choice(own[1:])
        return "event_retracted", {"event_id": str(target.event_id), "reason": "told wrongly"}
    kinds = list(_DATA)
    kind = chance.choices(kinds, [_WEIGHTS.get(name, 1) for name in kinds])[0]
    return kind, _DATA[kind](chance)


def _append(
    log: Log, stream: str, told: tuple[str, Any], recorded: datetime, occurred: datetime
) -> None:
    kind, data = told
    position = log.head + 1
    log.events.append(
        RecordedEvent(
            event_id=uuid5(NAMESPACE, f"event {position}"),
            stream_id=stream,
            version=1 + sum(event.stream_id == stream for event in log.events),
            position=position,
            occurred_at=occurred,
            recorded_at=recorded,
            ingested_at=recorded,
            actor="ann",
            data=parse(TYPES_BY_NAME[kind], data),
        )
    )
