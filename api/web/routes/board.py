"""The board: open deals by stage, and what closed in the quarter."""

from typing import Final, Protocol

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from api.identity.permissions import Action, Identity, may
from api.web.board_page import board_page
from api.web.reads import SHOWS, Answer, BoardFilters, Show
from api.web.site import Moment, Section, Site, Tab, moment_asked, redirect

PATH: Final = "/board"


class BoardReads(Protocol):
    """What the board asks; `as_of` and `effective_at` come as the reader typed them."""

    def board(
        self,
        reader: Identity,
        *,
        as_of: str | None,
        effective_at: str | None,
        filters: BoardFilters,
    ) -> Answer:
        """The board; deals that the filters leave out may be there, the page leaves them out."""
        ...


def board_section(reads: BoardReads) -> Section:
    """The board over these answers."""

    def add(router: APIRouter, site: Site) -> None:
        @router.get("/")
        def home() -> Response:
            return redirect(PATH)

        @router.get(PATH)
        def board(
            *,
            request: Request,
            as_of: Moment = None,
            effective_at: Moment = None,
            owner: str | None = None,
            show: str = "all",
        ) -> Response:
            asked = moment_asked(as_of, effective_at)
            filters = BoardFilters(owner=owner or None, show=_show(show))

            def fill(reader: Identity) -> HTMLResponse:
                answer = reads.board(reader, as_of=asked[0], effective_at=asked[1], filters=filters)
                page = board_page(answer, asked=asked, filters=filters)
                return site.page(request, "board.html", tab=PATH, page=page)

            return site.show(request, fill)

    return Section(add, Tab(PATH, lambda _: "Board", lambda reader: may(reader, Action.READ_DEALS)))


def _show(value: str) -> Show:
    return next((show for show in SHOWS if show == value), "all")
