"""The page of the organisation: how its quarters close."""

from typing import Annotated, Final, Protocol, TypeAlias

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from api.identity.permissions import Action, Identity, may
from api.web.organisation_page import organisation_page
from api.web.quarter_parts import whose_asked
from api.web.reads import Answer, QuarterAsked
from api.web.site import Moment, Section, Site, Tab, moment_asked

PATH: Final = "/organisation"
Text: TypeAlias = Annotated[str | None, Query(max_length=220)]


class OrganisationReads(Protocol):
    """What the page asks."""

    def organisation(self, reader: Identity, asked: QuarterAsked) -> Answer:
        """How a quarter closed, how those before it did, and under what pressure."""
        ...


def organisation_section(reads: OrganisationReads) -> Section:
    """The page over these answers."""

    def add(router: APIRouter, site: Site) -> None:
        @router.get(PATH)
        def organisation(
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
                page = organisation_page(reads.organisation(reader, asked), asked=moment)
                return site.page(request, "organisation.html", tab=PATH, page=page)

            return site.show(request, fill)

    return Section(
        add, Tab(PATH, lambda _: "Organisation", lambda reader: may(reader, Action.READ_FIGURES))
    )
