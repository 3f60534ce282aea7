"""The parameters that place a question on the clocks, and the wait for what it asks about."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Event as Flag
from typing import Annotated, Final, TypeAlias

from fastapi import Depends, Query

from api.clock import Deadline
from api.errors import ViewsBehindError
from api.http.services import Services
from api.moment import Moment, moment

WAIT_SECONDS: Final = 2.0
"""How long a question waits for the log or the views to get where it asks."""
_POLL_SECONDS: Final = 0.02

AsOf: TypeAlias = Annotated[
    str | None,
    Query(
        description="What was known then: an instant with its zone, or `position:N` of the log. "
        "Default: the head of the log.",
        max_length=64,
    ),
]
EffectiveAt: TypeAlias = Annotated[
    str | None,
    Query(
        description="What was true then, as known at `as_of`: an instant with its zone. "
        "Default: the instant of `as_of`; it then hides no event.",
        max_length=64,
    ),
]
MinPosition: TypeAlias = Annotated[
    int | None,
    Query(
        ge=0,
        le=2**62,
        description="Answer only from this position of the log on, such as the one of a write.",
    ),
]


@dataclass(frozen=True, slots=True)
class Asked:
    """The moment that a client asks about, not yet resolved."""

    as_of: str | None
    effective_at: str | None
    min_position: int | None


def asked(
    as_of: AsOf = None, effective_at: EffectiveAt = None, min_position: MinPosition = None
) -> Asked:
    """Take the parameters that a question about any moment has."""
    return Asked(as_of, effective_at, min_position)


def asked_as_of(as_of: AsOf = None, min_position: MinPosition = None) -> Asked:
    """Take the parameters of a question that only what was known cuts."""
    return Asked(as_of, None, min_position)


AskedMoment: TypeAlias = Annotated[Asked, Depends(asked)]
AskedAsOf: TypeAlias = Annotated[Asked, Depends(asked_as_of)]


def moment_of_log(services: Services, question: Asked) -> Moment:
    """Resolve the moment of a question that the log alone answers.

    Raises:
        ViewsBehindError: the log does not reach `min_position` in time.
        BeyondTheLogError: `as_of` has not come yet.
    """
    least = question.min_position or 0
    if least and not _reached(lambda: services.store.head().position, least):
        message = f"the log has not reached position {least} yet"
        raise ViewsBehindError(message, field="min_position")
    return moment(
        services.store,
        as_of=question.as_of,
        effective_at=question.effective_at,
        now=services.now(),
    )


def moment_of_views(services: Services, question: Asked) -> Moment:
    """Resolve the moment of a question that the views answer, and wait until they can.

    Where nobody asked for a position they do not reach, the answer stands where they are.

    Raises:
        ViewsBehindError: they do not get as far as `as_of` or `min_position` in time.
    """
    wanted = moment_of_log(services, question)
    if _reached(services.views_position, wanted.position):
        return wanted
    position = services.views_position()
    least = wanted.position if question.as_of else question.min_position or 0
    if position < least:
        message = f"the projections are at position {position}, not yet at {least}"
        raise ViewsBehindError(message)
    return replace(
        wanted, position=position, recorded_at=services.store.recorded_at_of(position)
    )


def _reached(current: Callable[[], int], position: int) -> bool:
    deadline = Deadline.after(WAIT_SECONDS)
    pause = Flag()
    while current() < position:
        if deadline.passed():
            return False
        pause.wait(_POLL_SECONDS)
    return True
