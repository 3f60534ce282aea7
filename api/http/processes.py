"""The routes of sales processes: publish and read them, and ask what they are worth."""

import asyncio
from typing import Annotated, Final, TypeAlias

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from api.application import Recorded
from api.http import contract
from api.http import schemas_context as shapes
from api.http import schemas_process as process_shapes
from api.http.body import read_object
from api.http.context_answers import process_json, processes_json
from api.http.guard import GuardedRoute, does
from api.http.intents import BODIES, read_intents
from api.http.moments import AskedMoment, moment_of_log, moment_of_views
from api.http.reply import reply
from api.http.services import Services, services_of
from api.http.writes import IdempotencyKey, IfMatch, command, recorded_process, versions_named
from api.identity.permissions import Action
from api.parameters import NUMERAL
from api.publications import process_of
from domain.events.context import ProcessPublished
from projections.process.lint import Finding, warnings_json

router: Final = APIRouter(tags=["context"], route_class=GuardedRoute)
Name: TypeAlias = Annotated[str, Path(min_length=1, max_length=200)]
Version: TypeAlias = Annotated[int | None, Query(ge=1, le=1_000_000), NUMERAL]


@router.post(
    "/v1/processes/{process}/events",
    status_code=201,
    response_model=process_shapes.RecordedProcess,
    responses=contract.writes(412),
    openapi_extra=contract.body(BODIES["process"]),
)
@does(Action.PUBLISH_PROCESS)
async def append_to_process(
    request: Request, process: Name, key: IdempotencyKey, if_match: IfMatch = None
) -> Response:
    """Publish a version of a sales process; versions never change.

    The answer says what the version should do without, by its shape and by what was known of the
    deals of earlier versions when it was published.
    """
    services = services_of(request)
    body, content = await read_object(request)
    intents = read_intents("process", body, content)
    asked_for = command(request, intents, key=key, body=body, if_match=versions_named(if_match))
    recorded = await services.application.append_to_context(f"process:{process}", asked_for)
    found = await asyncio.to_thread(_warnings, services, process, recorded)
    return recorded_process(recorded, warnings_json(found), location=f"/v1/processes/{process}")


@router.get("/v1/processes", response_model=shapes.ProcessList, responses=contract.reads())
@does(Action.READ_CONTEXT)
def list_processes(request: Request, asked: AskedMoment) -> Response:
    """List the sales processes, the built-in one among them."""
    services = services_of(request)
    moment = moment_of_log(services, asked)
    known = services.context.known(moment.position)
    return reply(request, {**moment.answer(), "processes": processes_json(known)}, moment)


@router.get(
    "/v1/processes/{process}",
    response_model=shapes.ProcessAnswer,
    responses=contract.reads(404),
)
@does(Action.READ_CONTEXT)
def get_process(
    request: Request, process: Name, asked: AskedMoment, version: Version = None
) -> Response:
    """Give the versions of a process, oldest first, or one of them."""
    services = services_of(request)
    moment = moment_of_log(services, asked)
    known = services.context.known(moment.position)
    return reply(request, {**moment.answer(), **process_json(known, process, version)}, moment)


@router.get(
    "/v1/processes/{process}/lint",
    response_model=process_shapes.LintAnswer,
    responses=contract.reads(404),
)
@does(Action.READ_PROCESS_WORTH)
def lint_process(
    request: Request, process: Name, asked: AskedMoment, version: Version = None
) -> Response:
    """Say what makes a version of a process, by default the latest, hard to use."""
    services = services_of(request)
    moment = moment_of_views(services, asked)
    return reply(request, services.processes.lint(moment, process, version=version), moment)


@router.get(
    "/v1/processes/{process}/effectiveness",
    response_model=process_shapes.EffectivenessAnswer,
    responses=contract.reads(404),
)
@does(Action.READ_PROCESS_WORTH)
def get_effectiveness(
    request: Request,
    process: Name,
    asked: AskedMoment,
    version: Version = None,
    against: Annotated[
        int | None,
        Query(
            ge=1,
            le=1_000_000,
            description="The version to compare with. Default: the one before, if there is one.",
        ),
        NUMERAL,
    ] = None,
) -> Response:
    """Give what each activity of a version, by default the latest, goes with: no cause is told."""
    services = services_of(request)
    moment = moment_of_views(services, asked)
    answer = services.processes.effectiveness(moment, process, version=version, against=against)
    return reply(request, answer, moment)


@router.get(
    "/v1/processes/{process}/effectiveness/{activity}",
    response_model=process_shapes.PassagesAnswer,
    responses=contract.reads(404),
)
@does(Action.READ_PROCESS_WORTH)
def get_passages(
    request: Request, process: Name, activity: Name, asked: AskedMoment, version: Version = None
) -> Response:
    """Give the deals that the figures of an activity are made of."""
    services = services_of(request)
    moment = moment_of_views(services, asked)
    answer = services.processes.behind(moment, process, activity, version=version)
    return reply(request, answer, moment)


def _warnings(services: Services, process: str, recorded: Recorded) -> list[Finding]:
    """Say what the version that was published last should do without.

    Its deals are those known just before it was recorded, so that a repeated request is answered
    as before.
    """
    published = [e.data for e in recorded.events if isinstance(e.data, ProcessPublished)]
    before = recorded.events[0].position - 1
    return services.publications.findings(process_of(process, published[-1]), before=before)
