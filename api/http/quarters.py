"""The routes of a quarter: where it stood, how it moved, when it closed and under what pressure."""

from collections.abc import Callable, Iterable
from typing import Annotated, Final, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response

from api.errors import MalformedRequestError, NotPermittedError
from api.http import contract
from api.http import schemas_organisation as organisation
from api.http import schemas_replay as shapes
from api.http.guard import GuardedRoute, does, reach_of
from api.http.moments import (
    Asked,
    AskedInContext,
    AskedUnderPolicy,
    moment_of_views,
    policy_asked,
    position_of_today,
)
from api.http.reply import link_with, reply
from api.http.services import Services, services_of
from api.identity.permissions import Action
from api.identity.redaction import scope_within, within
from api.moment import Moment
from api.parameters import NUMERAL
from api.quarters import MAX_TAPED
from api.replays import ClockName, Replay
from api.restatement import restated
from domain.known import Known
from projections.quarter.steps import ORGANISATION, Scope

router: Final = APIRouter(tags=["quarters"], route_class=GuardedRoute)
QuarterName: TypeAlias = Annotated[str, Path(pattern="^FY[0-9]{4}Q[1-4]$")]
Text: TypeAlias = Annotated[str | None, Query(min_length=1, max_length=200)]
ClockOf: TypeAlias = Annotated[
    ClockName | None,
    Query(
        description="`as_known`: each instant as it was told by then. `as_happened`: by when "
        "things occurred, as known at `as_of`. Default: as known, if anything of it was known "
        "in the quarter; the answer says which."
    ),
]
Ends: TypeAlias = Annotated[
    str | None, Query(max_length=64, description="An instant with its zone, or `position:N`.")
]
Answer: TypeAlias = dict[str, object]
Answered: TypeAlias = Callable[[Known], Answer]


def scope(
    rep: Annotated[
        str | None, Query(min_length=1, max_length=200, description="Only one rep's deals.")
    ] = None,
    team: Annotated[
        str | None, Query(min_length=1, max_length=200, description="Only one team's deals.")
    ] = None,
) -> Scope:
    """Take whose deals count; everybody's without either."""
    if rep is not None and team is not None:
        raise MalformedRequestError("team: give a rep or a team, not both", field="team")
    return Scope(rep, team)


ScopeOf: TypeAlias = Annotated[Scope, Depends(scope)]


class Reader:
    """Whoever asks about a quarter, and what of the answer is theirs to see."""

    def __init__(self, request: Request) -> None:
        self._access = services_of(request).access
        self._reach = reach_of(request)

    def scope(self, asked: Scope) -> Scope:
        """Give whose figures the question is about (`api/identity/redaction.py`)."""
        return scope_within(self._reach, asked)

    def ensure_whole(self, scope: Scope) -> None:
        """Refuse what is only answered for everybody.

        Raises:
            NotPermittedError: the reader may not see everybody's figures.
            MalformedRequestError: somebody's were asked for.
        """
        if not self._reach.whole:
            raise NotPermittedError("what another policy says of a quarter is for auditors")
        if scope != ORGANISATION:
            raise MalformedRequestError("policy: not with rep or team", field="policy")

    def shown(self, deals: Iterable[UUID]) -> frozenset[UUID]:
        """Give those of some deals that the reader may see."""
        return self._access.in_reach(self._reach, deals)

    def within(self, answer: Answered) -> Answered:
        """Give the answer to a question without the rows that are somebody else's."""
        return lambda known: dict(within(answer(known), self._reach, self.shown))


@router.get(
    "/v1/quarters/{quarter}",
    response_model=shapes.QuarterAnswer,
    responses=contract.reads(404),
)
@does(Action.READ_FIGURES)
def get_quarter(
    request: Request,
    quarter: QuarterName,
    asked: AskedUnderPolicy,
    whose: ScopeOf,
    clock: ClockOf = None,
) -> Response:
    """Give where a quarter stood: pipeline, attainment against pace, progress and pressure."""
    services, reader = services_of(request), Reader(request)
    scope = reader.scope(whose)
    if asked.policy is not None:
        reader.ensure_whole(scope)
    policy = policy_asked(services, asked)
    moment = moment_of_views(services, asked)
    if policy is not None:
        known = services.context.known(moment.position)
        under = services.what_ifs.quarter(moment, quarter, known, clock, policy)
        return reply(request, under, moment)

    def answer(known: Known) -> Answer:
        return services.quarter_figures.quarter(moment, quarter, known, clock, scope=scope)

    return reply(request, in_context(services, asked, moment, reader.within(answer)), moment)


@router.get(
    "/v1/quarters/{quarter}/frames",
    response_model=shapes.FramesAnswer,
    responses=contract.reads(404),
)
@does(Action.READ_FIGURES)
def get_frames(
    request: Request,
    quarter: QuarterName,
    asked: AskedInContext,
    whose: ScopeOf,
    clock: ClockOf = None,
) -> Response:
    """Give what was open at the end of each day of a quarter, and what was booked by then."""
    services, reader = services_of(request), Reader(request)
    scope = reader.scope(whose)
    moment = moment_of_views(services, asked)

    def answer(known: Known) -> Answer:
        replay = services.replays.replay(quarter, moment, clock, known=known)
        return services.quarters.frames(replay, scope)

    return reply(request, in_context(services, asked, moment, reader.within(answer)), moment)


@router.get(
    "/v1/quarters/{quarter}/waterfall",
    response_model=shapes.WaterfallAnswer,
    responses=contract.reads(404),
)
@does(Action.READ_FIGURES)
def get_waterfall(
    request: Request,
    quarter: QuarterName,
    asked: AskedInContext,
    whose: ScopeOf,
    category: Text = None,
    clock: ClockOf = None,
) -> Response:
    """Give what moved the pipeline of a quarter from its start on, each cell with its events."""
    services, reader = services_of(request), Reader(request)
    scope = reader.scope(whose)
    moment = moment_of_views(services, asked)

    def answer(known: Known) -> Answer:
        replay = services.replays.replay(quarter, moment, clock, known=known)
        return services.quarters.waterfall(replay, scope, category)

    return reply(request, in_context(services, asked, moment, reader.within(answer)), moment)


@router.get(
    "/v1/quarters/{quarter}/diff",
    response_model=shapes.DifferenceAnswer,
    responses=contract.reads(404),
)
@does(Action.READ_FIGURES)
def get_difference(
    request: Request,
    quarter: QuarterName,
    asked: AskedInContext,
    a: Ends = None,
    b: Ends = None,
    clock: ClockOf = None,
) -> Response:
    """Give the deals that differ between two moments: by default start and end of the replay."""
    services, reader = services_of(request), Reader(request)
    moment = moment_of_views(services, asked)

    def answer(known: Known) -> Answer:
        replay = services.replays.replay(quarter, moment, clock, known=known)
        ends = [_end(services, replay, name, text) for name, text in (("a", a), ("b", b))]
        return services.quarters.difference(replay, *ends, shown=reader.shown)

    return reply(request, in_context(services, asked, moment, reader.within(answer)), moment)


@router.get(
    "/v1/quarters/{quarter}/movement",
    response_model=shapes.QuarterMovementAnswer,
    responses=contract.reads(404),
)
@does(Action.READ_FIGURES)
def get_movement(
    request: Request,
    quarter: QuarterName,
    asked: AskedInContext,
    whose: ScopeOf,
    clock: ClockOf = None,
) -> Response:
    """Give how close dates moved into, out of and within a quarter: slips and pushes by cause."""
    services, reader = services_of(request), Reader(request)
    scope = reader.scope(whose)
    moment = moment_of_views(services, asked)

    def answer(known: Known) -> Answer:
        replay = services.replays.replay(quarter, moment, clock, known=known)
        return services.quarters.movement(replay, scope)

    return reply(request, in_context(services, asked, moment, reader.within(answer)), moment)


@router.get(
    "/v1/quarters/{quarter}/tape",
    response_model=shapes.TapeAnswer,
    responses=contract.reads(404),
)
@does(Action.READ_FIGURES)
def get_tape(
    request: Request,
    quarter: QuarterName,
    asked: AskedInContext,
    clock: ClockOf = None,
    cursor: Annotated[
        UUID | None, Query(description="The deal that the page before ended with.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_TAPED), NUMERAL] = MAX_TAPED,
) -> Response:
    """Give the versions of each deal in a quarter, so that a page can scrub it by itself.

    All pages stand on the position of the first.
    """
    services, reader = services_of(request), Reader(request)
    moment = moment_of_views(services, asked)
    replay = services.replays.replay(quarter, moment, clock)
    answer = services.quarters.tape(replay, after=cursor, limit=limit, shown=reader.shown)
    link = None
    if answer["next"]:
        place = f"position:{moment.position}"
        link = link_with(request, as_of=asked.as_of or place, cursor=answer["next"])
    return reply(request, answer, moment, next_link=link)


@router.get(
    "/v1/quarters/{quarter}/close-pattern",
    response_model=organisation.ClosePatternAnswer,
    responses=contract.reads(404),
)
@does(Action.READ_FIGURES)
def get_close_pattern(
    request: Request, quarter: QuarterName, asked: AskedInContext, whose: ScopeOf
) -> Response:
    """Give when in a quarter its deals were won and lost, with intervals: no ranking of people."""
    services, reader = services_of(request), Reader(request)
    scope = reader.scope(whose)
    moment = moment_of_views(services, asked)

    def answer(known: Known) -> Answer:
        return services.close_patterns.pattern(moment, quarter, known, scope)

    return reply(request, in_context(services, asked, moment, reader.within(answer)), moment)


@router.get(
    "/v1/quarters/{quarter}/pressure",
    response_model=organisation.QuarterPressureAnswer,
    responses=contract.reads(404),
)
@does(Action.READ_FIGURES)
def get_pressure(
    request: Request, quarter: QuarterName, asked: AskedInContext, whose: ScopeOf
) -> Response:
    """Give what of a quarter is consistent with quota pressure: effects, placebos, cost, shares."""
    services, reader = services_of(request), Reader(request)
    scope = reader.scope(whose)
    moment = moment_of_views(services, asked)

    def answer(known: Known) -> Answer:
        return services.quarter_pressure.pressure(moment, quarter, known, scope)

    return reply(request, in_context(services, asked, moment, reader.within(answer)), moment)


def in_context(services: Services, asked: Asked, moment: Moment, answer: Answered) -> Answer:
    """Answer in the context of the moment, and again in today's where that is asked for."""
    then = answer(services.context.known(moment.position))
    if not asked.restate:
        return then
    position = position_of_today(services)
    return restated(then, answer(services.context.known(position)), position=position)


def _end(services: Services, replay: Replay, name: str, text: str | None) -> Moment | None:
    """Read one end of a comparison, on the clock of the replay."""
    if text is None:
        return None
    known = replay.clock == "as_known" or text.startswith("position:")
    asked = Asked(text, None, None) if known else Asked(None, text, None)
    try:
        return moment_of_views(services, asked)
    except MalformedRequestError as error:
        detail = f"{name}: {error.detail.partition(': ')[2] or error.detail}"
        raise MalformedRequestError(detail, field=name) from error
