"""The page on which people sign in, and the way out."""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Query, Request
from fastapi.responses import Response

from api.identity.code_flow import SignInRefusedError
from api.identity.cookies import cookie_of, drop_cookie, set_cookie
from api.web.doors import SignIn
from api.web.forms import read_form
from api.web.site import SITE, Part, local, new_router, redirect


@dataclass(frozen=True, slots=True)
class Entrance:
    """Where sessions begin and end; `issuer` names who else lets people in."""

    doors: SignIn
    issuer: str | None


ENTRANCE: Final = Part[Entrance]()
router: Final = new_router()


async def _answer(
    request: Request, token: str | None, target: str, *, in_address: bool
) -> Response:
    entrance = ENTRANCE.of(request)
    doors = entrance.doors
    cookie = await doors.open(token, in_address=in_address) if token else None
    if token and cookie is None:
        doors.refuse(request.scope)
    before = cookie_of(request.headers)
    if cookie is not None and before is not None:
        await doors.close(before)
    if cookie is None:
        return sign_in_page(request, wrong=bool(token), target=target, issuer=entrance.issuer)
    return signed_in(request, cookie, target=target)


@router.get("/sign-in")
async def sign_in(
    request: Request, token: str | None = None, target: Annotated[str, Query(alias="next")] = ""
) -> Response:
    return await _answer(request, token, target, in_address=True)


@router.post("/sign-in")
async def sign_in_form(request: Request) -> Response:
    form = await read_form(request)
    return await _answer(request, form.get("token"), form.get("next", ""), in_address=False)


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    cookie = cookie_of(request.headers)
    if cookie is not None:
        await ENTRANCE.of(request).doors.close(cookie)
    response = redirect("/sign-in")
    drop_cookie(response, scheme=request.url.scheme)
    return response


def signed_in(request: Request, cookie: str, *, target: str) -> Response:
    """The way in, with the cookie of a new session."""
    response = redirect(local(target))
    set_cookie(response, cookie, scheme=request.url.scheme)
    return response


def sign_in_page(
    request: Request,
    *,
    target: str,
    issuer: str | None,
    wrong: bool = False,
    refused: SignInRefusedError | None = None,
) -> Response:
    """The form, and why it is shown again: a token that is wrong, or what became of a sign-in."""
    return SITE.of(request).page(
        request,
        "sign_in.html",
        tab="",
        status=refused.status if refused else 403 if wrong else 200,
        wrong=wrong,
        refused=str(refused or ""),
        target=local(target),
        issuer=issuer,
    )
