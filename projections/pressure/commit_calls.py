"""PS-7: a deal called commit while the customer had committed to nothing in its own words."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from domain.calendars import CalendarHistory
from domain.causes import CUSTOMER_MOVE
from domain.commitments import Commitment, commitments_of
from domain.events.life import ForecastCategory, ForecastCategoryChanged
from domain.policy import Policy
from domain.replay import Event
from projections.pressure.patterns import Pattern, PatternFact

_CALLED: Final[frozenset[ForecastCategory]] = frozenset({"commit", "closed"})
"""Already called commit, or beyond it: nothing is raised from there."""


def commit_patterns(
    events: Sequence[Event], policy: Policy, calendar: CalendarHistory
) -> list[Pattern]:
    """Give every raise of a deal's forecast to commit, and whether no commitment stood behind it.

    Raising is bookkeeping, so it is held against what was live when it was recorded: commitments
    of the customer from level 2 on, open or kept within 90 days (METRICS section 5).
    """
    found: list[Pattern] = []
    category: ForecastCategory | None = None
    for event in events:
        match event.data:
            case ForecastCategoryChanged(category="commit") if category not in _CALLED:
                found.append(_pattern(event, category, events, policy, calendar))
                category = "commit"
            case ForecastCategoryChanged(category=called):
                category = called
            case _:
                pass
    return found


def _pattern(
    raised: Event,
    before: ForecastCategory | None,
    events: Sequence[Event],
    policy: Policy,
    calendar: CalendarHistory,
) -> Pattern:
    at = raised.bookkeeping_time
    made = commitments_of(events, calendar, policy, until=at)
    live = [one for one in made if one.level is not None and one.live(at)]
    strongest = max((_level(one) for one in live), default=None)
    holds = strongest is None or strongest < CUSTOMER_MOVE
    shown: list[UUID] = [event_id for one in live for event_id in one.event_ids]
    move = {"from": before, "to": "commit"}
    return Pattern(
        rule="PS-7",
        name="commit_without_commitment",
        event_id=raised.event_id,
        rep=raised.rep,
        at=at,
        holds=holds,
        facts=(
            PatternFact("raised_to_commit", move, "commit", evidence=(raised.event_id,)),
            PatternFact("no_live_commitment", strongest, CUSTOMER_MOVE, holds, tuple(shown)),
        ),
        sentence=_sentence(before, strongest),
    )


def _level(commitment: Commitment) -> int:
    return 0 if commitment.level is None else commitment.level


def _sentence(before: ForecastCategory | None, strongest: int | None) -> str:
    since = f" from {before.replace('_', ' ')}" if before else ""
    what = f"The forecast was raised{since} to commit"
    if strongest is None:
        return (
            f"{what} while no commitment of the customer was live. This is consistent with a"
            " forecast of the seller alone."
        )
    if strongest < CUSTOMER_MOVE:
        return (
            f"{what} while the customer's strongest live commitment was of level {strongest}, below"
            f" {CUSTOMER_MOVE}. This is consistent with a forecast of the seller alone."
        )
    return f"{what} with a live commitment of the customer of level {strongest}."
