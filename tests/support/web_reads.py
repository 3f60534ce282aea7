"""Stands where the application will: gives the made-up answers, and signs in with one token."""

from collections.abc import Mapping
from itertools import count
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.board import BoardWish
from api.identity.cookies import cookie_of
from api.identity.permissions import OPERATOR, Identity
from api.web.pages import add_pages
from api.web.reads import BadQuestionError, NoSuchPageError, NotNowError
from api.web.routes.board import board_section
from api.web.routes.deal import deal_section
from api.web.routes.record import record_section
from tests.support.web_answers import (
    BARE_ID,
    DEAL_ID,
    LONG_ID,
    bare_answer,
    deal_answer,
    long_answer,
)
from tests.support.web_board import board_answer


class FakeReads:
    """Answers by deal; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str | None, str | None]] = []
        self.wishes: list[BoardWish] = []
        self.deals = {DEAL_ID: deal_answer(), BARE_ID: bare_answer(), LONG_ID: long_answer()}
        self.board_answer = board_answer(cards=12)

    def board(
        self,
        reader: Identity,
        *,
        as_of: str | None,
        effective_at: str | None,
        wish: BoardWish,
    ) -> Mapping[str, Any]:
        self._ask(as_of, effective_at)
        self.wishes.append(wish)
        if wish.show != "closed":
            return self.board_answer
        closed = [column for column in self.board_answer["columns"] if column["closed"]]
        return self.board_answer | {"columns": closed}

    def deal(
        self, reader: Identity, deal_id: str, *, as_of: str | None, effective_at: str | None
    ) -> Mapping[str, Any]:
        self._ask(as_of, effective_at)
        if deal_id not in self.deals:
            raise NoSuchPageError(f"there is no deal {deal_id}")
        return self.deals[deal_id]

    def opening(self, reader: Identity) -> Mapping[str, Any]:
        raise NotNowError("The log cannot be reached.")

    def _ask(self, as_of: str | None, effective_at: str | None) -> None:
        if as_of == "yesterday":
            raise BadQuestionError("as_of: 'yesterday' is neither an instant nor position:N")
        self.asked.append((as_of, effective_at))


class WritesAway:
    """Records nothing, because the log is away."""

    async def open_deal(self, request: Request, form: Mapping[str, str]) -> Mapping[str, Any]:
        raise NotNowError("The log cannot be reached.")

    async def append(
        self, request: Request, deal_id: str, form: Mapping[str, str]
    ) -> Mapping[str, Any]:
        raise NotNowError("The log cannot be reached.")


TOKEN: Final = "the-token"


class FakeDoors:
    """Opens a session for the token, and knows it until it is closed."""

    def __init__(self) -> None:
        self.open_sessions: set[str] = set()
        self._numbers = count()

    async def open(self, credential: str, *, in_address: bool) -> str | None:
        if credential != TOKEN:
            return None
        cookie = f"session-{next(self._numbers)}"
        self.open_sessions.add(cookie)
        return cookie

    async def close(self, cookie: str) -> None:
        self.open_sessions.discard(cookie)

    def refuse(self, scope: Scope) -> None:
        """Limit nobody."""


class FakeShield:
    """Tells the pages who reads, by the session."""

    def __init__(self, app: ASGIApp, *, doors: FakeDoors) -> None:
        self._app = app
        self._doors = doors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            cookie = cookie_of(Headers(scope=scope))
            scope["identity"] = OPERATOR if cookie in self._doors.open_sessions else None
        await self._app(scope, receive, send)


def pages_on(reads: FakeReads) -> FastAPI:
    """Give the pages over made-up answers, behind a sign-in."""
    doors = FakeDoors()
    app = FastAPI()
    app.add_api_route("/v1/events/stream", lambda: Response(status_code=204))  # nothing to follow
    sections = (board_section(reads), record_section(reads, WritesAway()), deal_section(reads))
    add_pages(app, sections, doors)
    app.add_middleware(FakeShield, doors=doors)
    return app
