"""What the pages about one quarter have in common: their address, and whose quarter it is."""

from collections.abc import Callable
from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from api.identity.permissions import Action, Identity, may
from api.web.quarter_parts import whose_asked
from api.web.reads import Answer, QuarterAsked
from api.web.site import Asked, Moment, Section, Site, Tab, moment_asked

Text: TypeAlias = Annotated[str | None, Query(max_length=220)]


def quarter_section(
    path: str,
    name: str,
    *,
    template: str,
    answer: Callable[[Identity, QuarterAsked], Answer],
    view: Callable[[Answer, Asked], Any],
) -> Section:
    """The page at a path over the answer about a quarter, of everybody, a rep or a team."""

    def add(router: APIRouter, site: Site) -> None:
        @router.get(path)
        def show(
            request: Request,
            as_of: Moment = None,
            effective_at: Moment = None,
            quarter: Text = None,
            whose: Text = None,
        ) -> Response:
            moment = moment_asked(as_of, effective_at)
            rep, team = whose_asked(whose)

            def fill(reader: Identity) -> HTMLResponse:
                asked = QuarterAsked(*moment, quarter=quarter or None, rep=rep, team=team)
                page = view(answer(reader, asked), moment)
                return site.page(request, template, tab=path, page=page)

            return site.show(request, fill)

    return Section(add, Tab(path, lambda _: name, lambda reader: may(reader, Action.READ_FIGURES)))
