"""The pages' addresses: sign-in, board, deal and the files they need."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any, Final
from urllib.parse import parse_qs

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from api.identity.cookies import cookie_of, drop_cookie, set_cookie
from api.identity.permissions import Identity
from api.web.asof import query_of
from api.web.board_page import board_page
from api.web.deal_page import ZOOMS, Tip, deal_page
from api.web.format import FILTERS
from api.web.reads import SHOWS, BoardFilters, PageError, PageReads, Show
from api.web.sign_in import SignIn
from api.web.static_files import StaticFiles, load_static_files, media_type_of

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline';"
        " img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Vary": "Cookie",
}
IMMUTABLE: Final = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
}
MOST_FORM_BYTES: Final = 4096
HOME: Final = "/board"

Moment = Annotated[str | None, Query(max_length=100)]


class Renderer:
    """Fills templates and gives every page its headers."""

    def __init__(self, files: StaticFiles) -> None:
        self._environment = Environment(
            loader=PackageLoader("api.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(FILTERS, tips_json=_tips_json)
        self._environment.globals.update(
            static=files.url, font_installed=files.font_installed, query_of=query_of
        )

    def page(
        self, request: Request, template: str, *, status: int = 200, **context: Any
    ) -> HTMLResponse:
        theme = request.cookies.get("theme")
        html = self._environment.get_template(template).render(
            theme=theme if theme in ("light", "dark") else None, **context
        )
        return HTMLResponse(html, status_code=status, headers=HEADERS)

    def problem(self, request: Request, error: PageError) -> HTMLResponse:
        return self.page(
            request,
            "problem.html",
            status=error.status,
            title=error.title,
            detail=str(error),
            signed_in=True,
        )


def create_pages(reads: PageReads, doors: SignIn) -> APIRouter:
    """The pages over these answers; who reads is told by the request (`api/http/shield.py`)."""
    files = load_static_files()
    renderer = Renderer(files)
    router = APIRouter(include_in_schema=False)
    _add_static(router, files)
    _add_sign_in(router, renderer, doors)
    _add_board(router, renderer, reads)
    _add_deal(router, renderer, reads)
    return router


def _add_static(router: APIRouter, files: StaticFiles) -> None:
    @router.get("/static/{digest}/{name}")
    def static_file(digest: str, name: str) -> Response:
        if digest != files.digest or name not in files.files:
            return Response("not found", status_code=404, headers={"Cache-Control": "no-store"})
        return Response(files.files[name], media_type=media_type_of(name), headers=IMMUTABLE)


def _signed_in(
    request: Request, renderer: Renderer, cookie: str | None, *, wrong: bool, target: str
) -> Response:
    """The way in with a new cookie, or the form again if there is none."""
    if cookie is None:
        return renderer.page(
            request,
            "sign_in.html",
            status=403 if wrong else 200,
            wrong=wrong,
            target=target,
            signed_in=False,
        )
    response = _redirect(target)
    set_cookie(response, cookie, scheme=request.url.scheme)
    return response


def _add_sign_in(router: APIRouter, renderer: Renderer, doors: SignIn) -> None:
    async def answer(
        request: Request, token: str | None, target: str, *, in_address: bool
    ) -> Response:
        cookie = await doors.open(token, in_address=in_address) if token else None
        if token and cookie is None:
            doors.refuse(request.scope)
        before = cookie_of(request.headers)
        if cookie is not None and before is not None:
            await doors.close(before)
        return _signed_in(request, renderer, cookie, wrong=bool(token), target=local(target))

    @router.get("/sign-in")
    async def sign_in(
        request: Request, token: str | None = None, target: Annotated[str, Query(alias="next")] = ""
    ) -> Response:
        return await answer(request, token, target, in_address=True)

    @router.post("/sign-in")
    async def sign_in_form(request: Request) -> Response:
        form = await _form(request)
        return await answer(request, form.get("token"), form.get("next", ""), in_address=False)

    @router.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        cookie = cookie_of(request.headers)
        if cookie is not None:
            await doors.close(cookie)
        response = _redirect("/sign-in")
        drop_cookie(response, scheme=request.url.scheme)
        return response


def _add_board(router: APIRouter, renderer: Renderer, reads: PageReads) -> None:
    @router.get("/")
    def home() -> Response:
        return _redirect(HOME)

    @router.get("/board")
    def board(
        *,
        request: Request,
        as_of: Moment = None,
        effective_at: Moment = None,
        owner: str | None = None,
        show: str = "all",
    ) -> Response:
        reader = reader_of(request)
        if reader is None:
            return _to_sign_in(request)
        asked = _asked(as_of, effective_at)
        filters = BoardFilters(owner=owner or None, show=_show(show))
        try:
            answer = reads.board(reader, as_of=asked[0], effective_at=asked[1], filters=filters)
        except PageError as error:
            return renderer.problem(request, error)
        page = board_page(answer, asked=asked, filters=filters)
        return renderer.page(request, "board.html", page=page, filters=filters, signed_in=True)


def _add_deal(router: APIRouter, renderer: Renderer, reads: PageReads) -> None:
    @router.get("/deals/{deal_id}")
    def deal(
        *,
        request: Request,
        deal_id: str,
        as_of: Moment = None,
        effective_at: Moment = None,
        everything: Annotated[str, Query(alias="all")] = "",
        zoom: str = "1",
    ) -> Response:
        reader = reader_of(request)
        if reader is None:
            return _to_sign_in(request)
        asked = _asked(as_of, effective_at)
        try:
            answer = reads.deal(reader, deal_id, as_of=asked[0], effective_at=asked[1])
        except PageError as error:
            return renderer.problem(request, error)
        closer = _zoom(zoom)
        view = {"all": "1" if everything == "1" else "", "zoom": closer}
        page = deal_page(answer, asked=asked, everything=everything == "1", zoom=closer or 1)
        return renderer.page(
            request, "deal.html", page=page, view=view, zooms=ZOOMS, signed_in=True
        )


def reader_of(request: Request) -> Identity | None:
    """Who reads; None for who is not signed in."""
    identity = request.scope.get("identity")
    return identity if isinstance(identity, Identity) else None


def _tips_json(tips: Mapping[str, Tip]) -> Markup:
    """For a script element of plain data: nothing in it can end the element."""
    return htmlsafe_json_dumps({key: asdict(tip) for key, tip in tips.items()})


def local(target: str) -> str:
    """Only an address of ours, so that a sign-in link cannot send anybody elsewhere."""
    plain = target.startswith("/") and not target.startswith("//")
    safe = plain and "\\" not in target and target.isprintable()
    return target if safe else HOME


def _redirect(target: str) -> RedirectResponse:
    return RedirectResponse(target, status_code=303, headers=HEADERS)


def _to_sign_in(request: Request) -> Response:
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return _redirect("/sign-in" + query_of({"next": path}))


async def _form(request: Request) -> Mapping[str, str]:
    """The last value of each field; a body that is too large counts as empty."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_FORM_BYTES:
            return {}
    fields = parse_qs(body.decode("utf-8", errors="replace"))
    return {name: values[-1] for name, values in fields.items()}


def _asked(as_of: str | None, effective_at: str | None) -> tuple[str | None, str | None]:
    """A field left empty in a form asks for nothing."""
    return (as_of or "").strip() or None, (effective_at or "").strip() or None


def _show(value: str) -> Show:
    return next((show for show in SHOWS if show == value), "all")


def _zoom(value: str) -> int | None:
    """None for the whole deal, so that its address stays short."""
    return int(value) if value in {str(zoom) for zoom in ZOOMS[1:]} else None
