"""The answer about a deal's progress at an instant, in the shape of the API."""

from collections.abc import Iterable
from datetime import datetime

from projections.progress.fold import ActivityProgress, Progress, StageAdvance
from projections.progress.knowledge import Taught, learned_json
from projections.progress.knowledge import answer as knowledge_answer
from projections.progress.shares import AdvancesAlike, Movement, TickShares
from projections.progress.status import Status


def answer(progress: Progress, at: datetime) -> dict[str, object]:
    """Give the progress at an instant: statuses, counts and both shares (METRICS section 5)."""
    statuses = [activity.status(at) for activity in progress.activities]
    weights = (activity.weight for activity in progress.activities)
    shares = TickShares.of(zip(statuses, weights, strict=True))
    movement = movement_of(progress.advances)
    return {
        "process": {"id": progress.process_id, "version": progress.process_version},
        "activities": [
            _activity(activity, status, progress.knowledge.taught.get(activity.activity), at)
            for activity, status in zip(progress.activities, statuses, strict=True)
        ],
        "unlinked_facts": [learned_json(one) for one in progress.knowledge.unlinked],
        **shares.answer(),
        "checkbox_only_progress": movement.checkbox_only_progress(),
        "stage_path": list(progress.stage_path),
        "skips": [
            {
                "from": skip.source,
                "to": skip.target,
                "skipped": list(skip.jumped),
                "never_entered": list(skip.never_entered),
                "event_id": str(skip.event_id),
            }
            for skip in progress.skips
        ],
        "regressions": [
            {"from": back.source, "to": back.target, "event_id": str(back.event_id)}
            for back in progress.regressions
        ],
        "customer_led_movement": {"led": movement.led, "steps": movement.steps},
    }


def movement_of(advances: Iterable[StageAdvance]) -> Movement:
    """Add up advances."""
    return Movement.of(
        AdvancesAlike(a.required, a.steps, a.steps * a.customer_led, a.steps * a.evidenced)
        for a in advances
    )


def _activity(
    activity: ActivityProgress, status: Status, found: Taught | None, at: datetime
) -> dict[str, object]:
    claim = activity.claim
    return {
        "activity": activity.activity,
        "stage": activity.stage,
        "status": status,
        "ticked_at": claim.ticked_at if claim else None,
        "tick_event_id": str(claim.tick_id) if claim else None,
        "settles_at": claim.settles_at if claim else None,
        "outcomes": outcomes_json(activity),
        **knowledge_answer(found, at),
    }


def outcomes_json(activity: ActivityProgress) -> list[dict[str, object]]:
    """Give the outcomes that an activity is for, each with what shows it best."""
    return [
        {
            "outcome": outcome.outcome,
            "required_level": outcome.required_level,
            "level": shown.level if shown else None,
            "evidenced_at": shown.occurred_at if shown else None,
            "event_id": str(shown.event_id) if shown else None,
        }
        for outcome in activity.outcomes
        for shown in [outcome.reached() or outcome.best()]
    ]
