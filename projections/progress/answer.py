"""The answer about a deal's progress at an instant, in the shape of the API."""

from collections import Counter
from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final

from projections.progress.fold import (
    SETTLED,
    STATUSES,
    ActivityProgress,
    Advance,
    Progress,
    Status,
)

PLACES: Final = 6
"""Ratios are given to six places."""


def ratio(part: Decimal | int, whole: Decimal | int) -> float | None:
    """Give part/whole to six places; None where there is no whole."""
    return round(float(Fraction(part) / Fraction(whole)), PLACES) if whole else None


def answer(progress: Progress, at: datetime) -> dict[str, object]:
    """Give the progress at an instant: statuses, counts and both shares (METRICS section 5)."""
    statuses = {a.activity: a.status(at) for a in progress.activities}
    counted = Counter(statuses.values())
    return {
        "process": {"id": progress.process_id, "version": progress.process_version},
        "activities": [_activity(a, statuses[a.activity]) for a in progress.activities],
        "counts": {status: counted[status] for status in STATUSES},
        "checkbox_only": _share(progress, statuses, {"asserted_only", "bare_tick"}),
        "checkbox_only_lenient": _share(progress, statuses, {"bare_tick"}),
        "checkbox_only_progress": _unshown_progress(progress.advances),
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
        "customer_led_movement": {
            "led": sum(a.steps for a in progress.advances if a.customer_led),
            "steps": sum(a.steps for a in progress.advances),
        },
    }


def _activity(activity: ActivityProgress, status: Status) -> dict[str, object]:
    return {
        "activity": activity.activity,
        "stage": activity.stage,
        "status": status,
        "ticked_at": activity.ticked_at,
        "tick_event_id": str(activity.tick_id) if activity.tick_id else None,
        "settles_at": activity.settles_at,
        "outcomes": [
            {
                "outcome": outcome.outcome,
                "required_level": outcome.required_level,
                "level": shown.level if shown else None,
                "evidenced_at": shown.occurred_at if shown else None,
                "event_id": str(shown.event_id) if shown else None,
            }
            for outcome in activity.outcomes
            for shown in [outcome.reached() or outcome.best()]
        ],
    }


def _share(
    progress: Progress, statuses: dict[str, Status], hollow: Collection[str]
) -> float | None:
    """Give the weighted share of settled activities with one of these statuses."""
    return ratio(_weight(progress, statuses, hollow), _weight(progress, statuses, SETTLED))


def _weight(progress: Progress, statuses: dict[str, Status], wanted: Collection[str]) -> Decimal:
    weights = (a.weight for a in progress.activities if statuses[a.activity] in wanted)
    return sum(weights, Decimal(0))


def _unshown_progress(advances: tuple[Advance, ...]) -> float | None:
    """Give the share of steps made without the outcomes of the stages left.

    Sum of steps x (1 - f) over the sum of steps, f the evidenced part of the required outcomes
    at the advance; advances that left no required outcome behind say nothing and are left out.
    """
    telling = [a for a in advances if a.required]
    unshown = sum((a.steps * (1 - Fraction(a.evidenced, a.required)) for a in telling), Fraction(0))
    steps = sum(a.steps for a in telling)
    return round(float(unshown / steps), PLACES) if steps else None
