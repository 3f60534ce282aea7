"""The report of a quarter, made to be printed."""

from typing import Annotated, Final, Protocol, TypeAlias

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from api.identity.permissions import Action, Identity, may
from api.web.quarter_parts import whose_asked
from api.web.reads import Answer, QuarterAsked
from api.web.report_page import report_page
from api.web.site import Moment, Section, Site, Tab, moment_asked

PATH: Final = "/report"
Text: TypeAlias = Annotated[str | None, Query(max_length=220)]


class ReportReads(Protocol):
    """What the report asks."""

    def report(self, reader: Identity, asked: QuarterAsked) -> Answer:
        """Where a quarter stood, when it closed, and under what pressure."""
        ...


def report_section(reads: ReportReads) -> Section:
    """The report over these answers."""

    def add(router: APIRouter, site: Site) -> None:
        @router.get(PATH)
        def report(
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
                page = report_page(reads.report(reader, asked), asked=moment)
                return site.page(request, "report.html", tab=PATH, page=page)

            return site.show(request, fill)

    return Section(
        add, Tab(PATH, lambda _: "Report", lambda reader: may(reader, Action.READ_FIGURES))
    )
