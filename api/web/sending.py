"""What becomes of a form that was sent: it is done, shown again, or kept on a page."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias

from fastapi import Request
from fastapi.responses import HTMLResponse, Response

from api.identity.permissions import Identity
from api.web.form_parts import Filled
from api.web.forms import read_form
from api.web.reads import FormError, NotNowError, PageError
from api.web.site import Site, reader_of, to_sign_in

MOST_BYTES: Final = 1 << 20
"""As long as a body of the API may be."""

Form: TypeAlias = Mapping[str, str]
Shown: TypeAlias = Callable[[Identity], Response]
Do: TypeAlias = Callable[[Form], Awaitable[Shown]]
"""Does what a form asks for, and gives how to show what came of it."""
Show: TypeAlias = Callable[[Identity, Filled], HTMLResponse]
"""Shows a form again as it was sent."""


async def done(request: Request, site: Site, do: Do, show: Show, *, tab: str) -> Response:
    """Do what a form asks for and show what came of it; or show the form again, and why."""
    form = await read_form(request, most=MOST_BYTES)
    if reader_of(request) is None:
        return to_sign_in(request)
    try:
        shown = await do(form)
    except PageError as error:
        shown = _refused(request, site, form, error, show, tab=tab)
    return await asyncio.to_thread(site.show, request, shown)


def _refused(
    request: Request, site: Site, form: Form, refusal: PageError, show: Show, *, tab: str
) -> Shown:
    def fill(reader: Identity) -> HTMLResponse:
        try:
            if not isinstance(refusal, FormError):
                raise refusal
            return show(reader, Filled(form, refusal))
        except NotNowError as error:
            return _send_again(request, site, form, error, tab=tab)

    return fill


def _send_again(
    request: Request, site: Site, form: Form, error: NotNowError, *, tab: str
) -> HTMLResponse:
    """Keep what was typed on a page that needs nothing of the log."""
    page = site.page(
        request,
        "send_again.html",
        tab=tab,
        status=error.status,
        action=request.url.path,
        form=form,
        detail=str(error),
    )
    page.headers["Retry-After"] = str(error.retry_after)
    return page
