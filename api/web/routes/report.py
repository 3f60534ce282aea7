"""The report of a quarter, made to be printed."""

from typing import Final, Protocol

from api.identity.permissions import Identity
from api.web.reads import Answer, QuarterAsked
from api.web.report_page import report_page
from api.web.routes.of_quarter import quarter_router, quarter_tab
from api.web.site import Part, Section


class ReportReads(Protocol):
    """What the report asks."""

    def report(self, reader: Identity, asked: QuarterAsked) -> Answer:
        """Where a quarter stood, when it closed, and under what pressure."""
        ...


PATH: Final = "/report"
READS: Final = Part[ReportReads]()
router: Final = quarter_router(
    PATH,
    template="report.html",
    answer=lambda request, reader, asked: READS.of(request).report(reader, asked),
    view=report_page,
)


def report_section(reads: ReportReads) -> Section:
    """The report over these answers."""
    return Section(router, (READS.given(reads),), quarter_tab(PATH, "Report"))
