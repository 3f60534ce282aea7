"""The board: open deals by stage, and what closed in the quarter."""

from typing import Annotated, Final, Protocol

from fastapi import Header, Query, Request
from fastapi.responses import HTMLResponse, Response

from api.board import SHOWS, BoardWish, Show
from api.identity.permissions import Action, Identity, may
from api.web.board_page import board_page
from api.web.reads import Answer
from api.web.site import SITE, Moment, Part, Section, Tab, moment_asked, new_router

PATH: Final = "/board"
HELD: Final = "Dealtrail-Held"
"""The header in which a page that follows the log says which parts it has (`static/swap.js`)."""
_DIGITS: Final = 7


class BoardReads(Protocol):
    """What the board asks; `as_of` and `effective_at` come as the reader typed them."""

    def board(
        self,
        reader: Identity,
        *,
        as_of: str | None,
        effective_at: str | None,
        wish: BoardWish,
    ) -> Answer:
        """The board with the deals wished for."""
        ...


READS: Final = Part[BoardReads]()
router: Final = new_router()


def board_section(reads: BoardReads) -> Section:
    """The board over these answers."""
    tab = Tab(PATH, lambda _: "Board", lambda reader: may(reader, Action.READ_DEALS))
    return Section(router, (READS.given(reads),), tab)


@router.get(PATH)
def board(
    *,
    request: Request,
    as_of: Moment = None,
    effective_at: Moment = None,
    owner: str | None = None,
    show: str = "all",
    column: Annotated[str | None, Query(max_length=200)] = None,
    skip: str = "0",
    moved: Annotated[str, Query(max_length=200)] = "",
    held: Annotated[str, Header(alias=HELD)] = "",
) -> Response:
    site, reads = SITE.of(request), READS.of(request)
    asked = moment_asked(as_of, effective_at)
    wish = BoardWish(owner=owner or None, show=_show(show), column=column or None, skip=_skip(skip))

    def fill(reader: Identity) -> HTMLResponse:
        answer = reads.board(reader, as_of=asked[0], effective_at=asked[1], wish=wish)
        page = board_page(answer, asked=asked, wish=wish, moved=moved)
        has = frozenset(held.split(","))
        return site.page(request, "board.html", tab=PATH, page=page, held=has)

    return site.show(request, fill)


def _show(value: str) -> Show:
    return next((show for show in SHOWS if show == value), "all")


def _skip(value: str) -> int:
    """An address that somebody changed by hand begins at the first card."""
    return int(value) if value.isascii() and value.isdigit() and len(value) <= _DIGITS else 0
