"""The page of the organisation: how its quarters close."""

from typing import Protocol

from api.identity.permissions import Identity
from api.web.organisation_page import organisation_page
from api.web.reads import Answer, QuarterAsked
from api.web.routes.of_quarter import quarter_section
from api.web.site import Section


class OrganisationReads(Protocol):
    """What the page asks."""

    def organisation(self, reader: Identity, asked: QuarterAsked) -> Answer:
        """How a quarter closed, how those before it did, and under what pressure."""
        ...


def organisation_section(reads: OrganisationReads) -> Section:
    """The page over these answers."""
    return quarter_section(
        "/organisation",
        "Organisation",
        template="organisation.html",
        answer=reads.organisation,
        view=organisation_page,
    )
