"""The report of a quarter, made to be printed."""

from typing import Protocol

from api.identity.permissions import Identity
from api.web.reads import Answer, QuarterAsked
from api.web.report_page import report_page
from api.web.routes.of_quarter import quarter_section
from api.web.site import Section


class ReportReads(Protocol):
    """What the report asks."""

    def report(self, reader: Identity, asked: QuarterAsked) -> Answer:
        """Where a quarter stood, when it closed, and under what pressure."""
        ...


def report_section(reads: ReportReads) -> Section:
    """The report over these answers."""
    return quarter_section(
        "/report", "Report", template="report.html", answer=reads.report, view=report_page
    )
