"""The shapes of answers about the log."""

from datetime import datetime
from uuid import UUID

from api.http.schemas import Answer, AsOf, Event, LoggedEvent, Standing


class LogPage(Answer):
    """A page of the log; `next` is where the following one is, all up to the same position.

    `query` is how the question was read: the query and all filters as one.
    """

    upto: int
    query: str
    events: list[LoggedEvent]
    next: str | None


class LogCounts(Answer):
    """How many events a query holds for, and in the largest groups, the largest first.

    A group has one field for each part of `by`, null where an event says nothing of it, and its
    `count`; `more` says that there are further groups.
    """

    as_of: AsOf
    effective_at: datetime
    query: str
    by: list[str]
    total: int
    groups: list[dict[str, str | int | None]]
    more: bool


class ChangedVerdict(Answer):
    """A verdict that reads otherwise since an event; null where the event came or went."""

    deal_id: UUID
    event_id: UUID
    rep: str | None
    type: str | None
    reasons: list[str]
    before: str | None
    after: str | None


class RederivedAnswer(Standing):
    """Which verdicts an event re-derived, for which reasons, and which of them changed.

    `reasons` counts them: `deal` (its own), `bookings` and `quota` (of the rep, before the event
    judged), `offers` and `stays` (that the event judged is held against), `coverage` (of its team).
    """

    event: Event
    rederived: int
    reasons: dict[str, int]
    changed: list[ChangedVerdict]
