"""The routes of imports: send files in, see how far they are and what came of them."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Final, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from api.answers import json_bytes
from api.errors import MalformedRequestError
from api.exchange.importing import Format
from api.http import contract
from api.http import schemas_imports as shapes
from api.http.body import ensure_type, too_large
from api.http.guard import GuardedRoute, does, identity_of, reach_of
from api.http.services import services_of
from api.http.writes import IdempotencyKey
from api.identity.permissions import Action
from api.imports import MAX_LISTED, Asked, ImportJson, Upload
from api.parameters import NUMERAL

router: Final = APIRouter(tags=["imports"], route_class=GuardedRoute)
MEDIA_TYPE: Final = "application/octet-stream"
MAX_FILE_NAME: Final = 200
_WRITTEN_AT_ONCE: Final = 1 << 20
_REFUSALS: Final = (400, 401, 403, 422, 503)

ImportId: TypeAlias = Annotated[UUID, Path(description="As the upload was answered.")]
FileName: TypeAlias = Annotated[
    str,
    Query(
        min_length=1,
        max_length=MAX_FILE_NAME,
        pattern=r"^[^/\\:.\x00-\x1f\x7f][^/\\:\x00-\x1f\x7f]*$",
        description="What the file is called, such as `deals.csv` or `export.zip`.",
    ),
]
ShippedProfile: TypeAlias = Annotated[
    str | None,
    Query(
        pattern="^[a-z0-9-]{1,50}$",
        description="A profile that comes with the product. One of your own comes as "
        "`profile.yaml` among the files of a zip.",
    ),
]


@router.post(
    "/v1/imports",
    status_code=202,
    response_model=shapes.ImportAnswer,
    responses=contract.only(*_REFUSALS, 413, 415),
    openapi_extra=contract.file(MEDIA_TYPE),
)
@does(Action.IMPORT)
async def send_import(
    request: Request,
    key: IdempotencyKey,
    format: Format,
    file: FileName,
    profile: ShippedProfile = None,
    founding: bool = False,
    dry_run: bool = False,
) -> Response:
    """Take a file, or a zip or gzip of files, and import it in the background.

    The answer says where to see how far it is. The same content imported again changes nothing.
    """
    ensure_type(request.headers.get("content-type", ""), MEDIA_TYPE)
    services = services_of(request)
    asked = Asked(format=format, file=file, profile=profile, founding=founding, dry_run=dry_run)
    _ensure_room(request, services.imports.uploads.most)
    slot = services.uploads.take()
    try:
        upload = await asyncio.to_thread(services.imports.receive)
        try:
            await _receive(request, upload, most=services.imports.uploads.most)
            told, replayed = await asyncio.to_thread(_ask, request, upload, asked, key)
        finally:
            await asyncio.to_thread(upload.__exit__)
    finally:
        slot.release()
    services.imports.uploads.received()
    headers = {"Location": f"/v1/imports/{told['import_id']}"}
    headers |= {"Idempotent-Replayed": "true"} if replayed else {}
    return _plain(told, HTTPStatus.ACCEPTED, headers)


def _ensure_room(request: Request, most: int) -> None:
    """Refuse what says that it is too large before any of it comes."""
    stated = request.headers.get("content-length", "")
    if not most or (stated.isascii() and stated.isdigit() and int(stated) > most):
        raise too_large(most)


async def _receive(request: Request, upload: Upload, *, most: int) -> None:
    """Write the body to the disk as it comes, and refuse it as soon as it is too large."""
    held = bytearray()
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise too_large(most)
        held += part
        if len(held) >= _WRITTEN_AT_ONCE:
            await asyncio.to_thread(upload.write, bytes(held))
            held.clear()
    if not size:
        raise MalformedRequestError("the body is empty, where a file was expected")
    await asyncio.to_thread(upload.write, bytes(held))


def _ask(request: Request, upload: Upload, asked: Asked, key: str) -> tuple[ImportJson, bool]:
    reach_of(request)
    identity = identity_of(request)
    name = f"{request.method} {request.url.path} {asked}"
    return services_of(request).imports.ask(upload, asked, identity=identity, key=key, name=name)


@router.get("/v1/imports", response_model=shapes.ImportList, responses=contract.only(*_REFUSALS))
@does(Action.READ_IMPORTS)
def list_imports(
    request: Request,
    before: Annotated[UUID | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LISTED), NUMERAL] = 100,
) -> Response:
    """List the imports there were, the latest first."""
    rows = services_of(request).imports.page(before=before, limit=limit + 1)
    page = rows[:limit]
    more = len(rows) > limit
    return _plain({"imports": page, "next": page[-1]["import_id"] if more else None})


@router.get(
    "/v1/imports/{import_id}",
    response_model=shapes.ImportAnswer,
    responses=contract.only(*_REFUSALS, 404),
)
@does(Action.READ_IMPORTS)
def get_import(request: Request, import_id: ImportId) -> Response:
    """Say how far an import is, and what it came to."""
    return _plain(services_of(request).imports.one(import_id))


@router.get(
    "/v1/imports/{import_id}/rejects",
    response_model=shapes.RejectList,
    responses=contract.only(*_REFUSALS, 404),
)
@does(Action.READ_IMPORTS)
def list_rejects(
    request: Request,
    import_id: ImportId,
    after: Annotated[int, Query(ge=0, le=2**62), NUMERAL] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_LISTED), NUMERAL] = 100,
) -> Response:
    """List the rows that were not imported, each with the reason."""
    rows = services_of(request).imports.rejects(import_id, after=after, limit=limit + 1)
    page = rows[:limit]
    return _plain({"rejects": page, "next": page[-1]["number"] if len(rows) > limit else None})


@router.post(
    "/v1/imports/{import_id}/cancel",
    response_model=shapes.ImportAnswer,
    responses=contract.only(*_REFUSALS, 404),
)
@does(Action.IMPORT)
def cancel_import(request: Request, import_id: ImportId) -> Response:
    """End an import that has not ended; what it has appended stays."""
    return _plain(services_of(request).imports.cancel(import_id))


def _plain(
    answer: Mapping[str, object],
    status: HTTPStatus = HTTPStatus.OK,
    headers: Mapping[str, str] | None = None,
) -> Response:
    return Response(json_bytes(answer), status, headers=headers, media_type="application/json")
