"""What the pages about one quarter have in common: their address, and whose quarter it is."""

from collections.abc import Callable
from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from api.identity.permissions import Action, Identity, may
from api.web.quarter_parts import whose_asked
from api.web.reads import Answer, QuarterAsked
from api.web.site import SITE, Asked, Moment, Tab, moment_asked, new_router

Text: TypeAlias = Annotated[str | None, Query(max_length=220)]


def quarter_router(
    path: str,
    *,
    template: str,
    answer: Callable[[Request, Identity, QuarterAsked], Answer],
    view: Callable[[Answer, Asked], Any],
) -> APIRouter:
    """The page at a path over the answer about a quarter, of everybody, a rep or a team."""
    router = new_router()

    @router.get(path)
    def show(
        request: Request,
        as_of: Moment = None,
        effective_at: Moment = None,
        quarter: Text = None,
        whose: Text = None,
    ) -> Response:
        site, moment = SITE.of(request), moment_asked(as_of, effective_at)
        rep, team = whose_asked(whose)

        def fill(reader: Identity) -> HTMLResponse:
            asked = QuarterAsked(*moment, quarter=quarter or None, rep=rep, team=team)
            page = view(answer(request, reader, asked), moment)
            return site.page(request, template, tab=path, page=page)

        return site.show(request, fill)

    return router


def quarter_tab(path: str, name: str) -> Tab:
    """The entry of such a page in the navigation."""
    return Tab(path, lambda _: name, lambda reader: may(reader, Action.READ_FIGURES))
