"""The route of exports: the log, or what of it was asked for, of any length in any format."""

import asyncio
import contextlib
import zlib
from collections.abc import AsyncIterator, Generator
from typing import Annotated, Final, Literal, TypeAlias

import anyio
from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import iterate_in_threadpool
from starlette.types import Receive, Scope, Send

from api.encodings import GZIP, takes_gzip
from api.exchange.exporting import EXPORTS
from api.exports import Export, Tally
from api.http import contract
from api.http.formats import EXPORTED
from api.http.guard import GuardedRoute, does, note_access, reach_of
from api.http.log import range_end
from api.http.log_query import Position, Wanted
from api.http.moments import Asked, AsOf, EffectiveAt, MinPosition
from api.http.services import Services, services_of
from api.http.slots import Slot, SlottedStream
from api.identity.accesses import Exported
from api.identity.permissions import Action
from api.query.question import LogQuestion, needs_views
from api.storage.errors import LogUnavailableError

Pieces: TypeAlias = Generator[bytes, None, None]
_GZIP: Final = 31
"""The window of zlib with which it writes the head and tail of gzip."""
_GZIP_LEVEL: Final = 3
"""Most of the gain for a part of the work: an export waits for the processor, not for the wire."""
router: Final = APIRouter(tags=["exchange"], route_class=GuardedRoute)
Format: TypeAlias = Literal["ndjson", "csv", "cloudevents", "parquet", "xes", "ocel2"]


@router.get(
    "/v1/exports",
    response_class=StreamingResponse,
    responses=contract.exports(EXPORTED),
)
@does(Action.EXPORT)
async def export_log(
    request: Request,
    format: Annotated[Format, Query(description="The format to write.")],
    wanted: Wanted,
    after: Position = None,
    upto: Position = None,
    as_of: AsOf = None,
    effective_at: EffectiveAt = None,
    min_position: MinPosition = None,
) -> StreamingResponse:
    """Write the log as a file, with the query and the range of `/v1/events`.

    `as_of` or `upto` fixes its end, by default at the head; `X-Position` says where that is, and
    the next export goes on `after` it. One that broke off goes on after the last position that
    came.
    """
    services = services_of(request)

    def resolved() -> Export:
        reach, asked = reach_of(request), Asked(as_of, effective_at, min_position)
        moment = range_end(services, reach, asked, upto=upto, views=needs_views(wanted))
        question = LogQuestion(query=wanted, moment=moment, reach=reach)
        return Export(format=format, question=question, after=after or 0)

    export = await asyncio.to_thread(resolved)
    slot = services.exports_at_once.take()
    try:
        asked = Exported(format, after=export.after, upto=export.upto)
        await asyncio.to_thread(note_access, request, "export", asked)
    except BaseException:
        slot.release()
        raise
    return _ExportStream(slot, request, services, export)


class _ExportStream(SlottedStream):
    """An export on its way; what was given out is kept once it ends, however it does."""

    def __init__(self, slot: Slot, request: Request, services: Services, export: Export) -> None:
        self._request = request
        self._export = export
        self._tally = Tally(export.after)
        self._pieces = services.exports.written(export, self._tally)
        chosen = EXPORTS[export.format]
        name = f"dealtrail-{export.after + 1}-{export.upto}.{chosen.suffix}"
        headers = {
            "X-Position": str(export.upto),
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
            "Vary": "Accept-Encoding",
        }
        pieces = self._pieces
        if takes_gzip(request.headers.get("accept-encoding", "")) and export.format != "parquet":
            headers["Content-Encoding"] = GZIP
            pieces = _gzipped(pieces)
        content = _given(services, pieces)
        super().__init__(slot, content, media_type=chosen.media_type, headers=headers)

    async def stream_response(self, send: Send) -> None:
        """Send the file; one that cannot be ended breaks off, and does not look whole."""
        with contextlib.suppress(LogUnavailableError):
            await super().stream_response(send)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the export."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            # Not given up with a client who is gone.
            with anyio.CancelScope(shield=True):
                await asyncio.to_thread(self._ended)

    def _ended(self) -> None:
        self._pieces.close()
        given = Exported(
            self._export.format,
            after=self._export.after,
            upto=self._tally.position,
            events=self._tally.events,
        )
        note_access(self._request, "exported", given)


def _gzipped(pieces: Pieces) -> Pieces:
    packer = zlib.compressobj(_GZIP_LEVEL, wbits=_GZIP)
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()


async def _given(services: Services, pieces: Pieces) -> AsyncIterator[bytes]:
    """Give the pieces as they are taken.

    Raises:
        LogUnavailableError: the server stops; a file must not end as if it were whole.
    """
    async for piece in iterate_in_threadpool(pieces):
        if services.stopping.is_set():
            message = "the server stops before the export has ended"
            raise LogUnavailableError(message)
        if piece:
            yield piece
