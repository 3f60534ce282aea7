"""The ways through the tour: to a step, and out of it."""

from typing import Annotated, Final

from fastapi import Query, Request
from fastapi.responses import Response

from api.web.site import HOME, SITE, local, new_router, reader_of, redirect
from api.web.tour import COOKIE, DONE, LIFETIME_SECONDS

router: Final = new_router()
"""Each of its addresses remembers in the browser how far it is."""


@router.get("/tour/end")
def end(target: Annotated[str, Query(alias="next")] = HOME) -> Response:
    return _kept(redirect(local(target)), DONE)


@router.get("/tour/{number}")
def step(request: Request, number: int) -> Response:
    reader = reader_of(request)
    steps = SITE.of(request).tour_of(reader) if reader else ()
    if not 1 <= number <= len(steps):
        return redirect(HOME)
    return _kept(redirect(steps[number - 1].path), str(number))


def _kept(answer: Response, at: str) -> Response:
    # Script ends the tour too, and so the cookie is one that it can set.
    answer.set_cookie(COOKIE, at, max_age=LIFETIME_SECONDS, samesite="lax")
    return answer
