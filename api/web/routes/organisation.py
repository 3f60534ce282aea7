"""The page of the organisation: how its quarters close."""

from typing import Final, Protocol

from api.identity.permissions import Identity
from api.web.organisation_page import organisation_page
from api.web.reads import Answer, QuarterAsked
from api.web.routes.of_quarter import quarter_router, quarter_tab
from api.web.site import Part, Section


class OrganisationReads(Protocol):
    """What the page asks."""

    def organisation(self, reader: Identity, asked: QuarterAsked) -> Answer:
        """How a quarter closed, how those before it did, and under what pressure."""
        ...


PATH: Final = "/organisation"
READS: Final = Part[OrganisationReads]()
router: Final = quarter_router(
    PATH,
    template="organisation.html",
    answer=lambda request, reader, asked: READS.of(request).organisation(reader, asked),
    view=organisation_page,
)


def organisation_section(reads: OrganisationReads) -> Section:
    """The page over these answers."""
    return Section(router, (READS.given(reads),), quarter_tab(PATH, "Organisation"))
