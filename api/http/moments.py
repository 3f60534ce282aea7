"""The parameters that place a question on the clocks, and the wait for what it asks about."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, TypeAlias

from fastapi import Depends, Query

from api.errors import MalformedRequestError
from api.http.services import Services
from api.moment import Moment, ensure_recorded, instant, moment
from api.parameters import NUMERAL
from api.what_if import published
from domain.policy import Policy

_LEAP: Final = "0[48]|[2468][048]|[13579][26]"


def _day_pattern(years: str, leap_years: str) -> str:
    """Give the pattern of the days that there are in some years; `leap_years` are some of them."""
    longest = "(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])"
    shorter = "(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    days = f"({longest}|{shorter}|02-(0[1-9]|1[0-9]|2[0-8]))"
    return f"(({years})-{days}|({leap_years})-02-29)"


DAY_PATTERN: Final = _day_pattern("19[0-9]{2}|2[0-9]{3}", f"19({_LEAP})|2[0-9]({_LEAP})|2[048]00")
"""What a day looks like, of the years 1900 to 2999."""
INSTANT_PATTERN: Final = (
    _day_pattern("19[7-9][0-9]|2[0-9]{3}", f"19(7[26]|8[048]|9[26])|2[0-9]({_LEAP})|2[048]00")
    + "T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})?"
    "(Z|[-+ ]([01][0-9]|2[0-3]):[0-5][0-9])"
)
"""What an instant looks like; a `+` may arrive as the space that it means in a query."""
AsOf: TypeAlias = Annotated[
    str | None,
    Query(
        description="What was known then: an instant with its zone, or `position:N` of the log. "
        "Default: the head of the log.",
        max_length=64,
        json_schema_extra={"pattern": f"^(position:[0-9]{{1,18}}|{INSTANT_PATTERN})$"},
    ),
]
EffectiveAt: TypeAlias = Annotated[
    str | None,
    Query(
        description="What was true then, as known at `as_of`: an instant with its zone. "
        "Default: the instant of `as_of`; it then hides no event.",
        max_length=64,
        json_schema_extra={"pattern": f"^{INSTANT_PATTERN}$"},
    ),
]
MinPosition: TypeAlias = Annotated[
    int | None,
    Query(
        ge=0,
        le=2**62,
        description="Answer only from this position of the log on, such as the one of a write.",
    ),
    NUMERAL,
]


Restate: TypeAlias = Annotated[
    bool,
    Query(
        description="Answer in today's context too (quota, people, process, policy, calendar, "
        "rates), and name what differs."
    ),
]
PolicyVersion: TypeAlias = Annotated[
    int | None,
    Query(
        ge=0,
        le=2**31 - 1,
        description="Answer under this published version of the policy too (0: the built-in one), "
        "and name the verdicts and values that it changes. Nothing is recorded.",
    ),
    NUMERAL,
]


@dataclass(frozen=True, slots=True)
class Asked:
    """The moment that a client asks about, not yet resolved, and whether to restate the answer.

    `policy` is the version of one under which it is to be answered too.
    """

    as_of: str | None
    effective_at: str | None
    min_position: int | None
    restate: bool = False
    policy: int | None = None


def asked(
    as_of: AsOf = None, effective_at: EffectiveAt = None, min_position: MinPosition = None
) -> Asked:
    """Take the parameters that a question about any moment has."""
    return Asked(as_of, effective_at, min_position)


def asked_in_context(
    as_of: AsOf = None,
    effective_at: EffectiveAt = None,
    min_position: MinPosition = None,
    restate: Restate = False,
) -> Asked:
    """Take the parameters that a question has whose answer rests on the context as well."""
    return Asked(as_of, effective_at, min_position, restate)


def asked_under_policy(
    as_of: AsOf = None,
    effective_at: EffectiveAt = None,
    min_position: MinPosition = None,
    restate: Restate = False,
    policy: PolicyVersion = None,
) -> Asked:
    """Take the parameters that a question has whose answer gives verdicts.

    Raises:
        MalformedRequestError: it asks for another policy and for today's context at once.
    """
    if restate and policy is not None:
        raise MalformedRequestError("policy: give a policy or restate, not both", field="policy")
    return Asked(as_of, effective_at, min_position, restate, policy)


AskedMoment: TypeAlias = Annotated[Asked, Depends(asked)]
AskedInContext: TypeAlias = Annotated[Asked, Depends(asked_in_context)]
AskedUnderPolicy: TypeAlias = Annotated[Asked, Depends(asked_under_policy)]


def moment_of_log(services: Services, question: Asked) -> Moment:
    """Resolve the moment of a question that the log alone answers.

    Raises:
        BeyondTheLogError: `as_of` or `min_position` has not come yet.
    """
    if question.min_position:
        ensure_recorded(services.store, question.min_position)
    return moment(
        services.store,
        as_of=question.as_of,
        effective_at=question.effective_at,
        now=services.now(),
    )


def moment_of_views(services: Services, question: Asked, *, stream: str | None = None) -> Moment:
    """Resolve the moment of a question that the views answer, and wait until they can.

    Where nobody asked for a position they do not reach, the answer stands where they are.

    Raises:
        ViewsBehindError: they do not get as far as `as_of`, `min_position`, or the first event of
            the `stream` that the question is about, in time.
    """
    return services.views.moment(
        as_of=question.as_of,
        effective_at=question.effective_at,
        min_position=question.min_position,
        stream=stream,
    )


def position_of_today(services: Services) -> int:
    """Give the position whose context is today's: the head, as far as the views have got."""
    return services.views.moment(as_of=None, effective_at=None).position


def policy_asked(services: Services, question: Asked) -> Policy | None:
    """Give the policy that a question names, of all that were published to this day.

    Raises:
        UnknownThingError: it was never published.
    """
    if question.policy is None:
        return None
    known = services.context.known(position_of_today(services))
    return published(known, question.policy)


def instant_named(field: str, text: str) -> datetime:
    """Read an instant of a query; a `+` of its zone may have arrived as a space."""
    return instant(text, field=field)
