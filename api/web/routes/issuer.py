"""The way in by the issuer: a browser goes to it, and comes back with a code."""

from typing import Annotated, Final

from fastapi import Query, Request
from fastapi.responses import RedirectResponse, Response

from api.identity.code_flow import TRY_LIFETIME, SignInRefusedError
from api.identity.cookies import cookie_of, drop_sign_in, keep_sign_in, sign_in_of
from api.identity.issuer import CALLBACK
from api.web.doors import IssuerDoors
from api.web.renderer import HEADERS
from api.web.routes.sign_in import sign_in_page, signed_in
from api.web.site import Part, new_router

DOORS: Final = Part[IssuerDoors]()
router: Final = new_router()


# A link and not a form: where a form may lead to is bounded by our own `form-action`.
@router.get("/sign-in/issuer")
def begin(request: Request, target: Annotated[str, Query(alias="next")] = "") -> Response:
    address, begun = DOORS.of(request).flow.begin(target)
    response = RedirectResponse(address, status_code=303, headers=HEADERS)
    keep_sign_in(response, begun.cookie(), lifetime=TRY_LIFETIME, scheme=request.url.scheme)
    return response


@router.get(CALLBACK)
async def come_back(request: Request, state: str = "", code: str = "", error: str = "") -> Response:
    doors, scheme, target = DOORS.of(request), request.url.scheme, ""
    try:
        begun = doors.flow.returned(sign_in_of(request.headers, scheme=scheme), state)
        target = begun.target
        before = cookie_of(request.headers)
        cookie = await doors.open(begun, code="" if error else code, before=before)
        response = signed_in(request, cookie, target=target)
    except SignInRefusedError as refused:
        if refused.wrong:
            doors.refuse(request.scope)
        response = sign_in_page(request, target=target, issuer=doors.name, refused=refused)
    drop_sign_in(response, scheme=scheme)
    return response
