"""The page of a sales process."""

from typing import Annotated, Final, Protocol, TypeAlias

from fastapi import Query, Request
from fastapi.responses import HTMLResponse, Response

from api.identity.permissions import Action, Identity, may
from api.web.process_page import process_page
from api.web.reads import Answer
from api.web.site import SITE, Moment, Part, Section, Tab, moment_asked, new_router

PATH: Final = "/process"
Text: TypeAlias = Annotated[str | None, Query(max_length=200)]


class ProcessReads(Protocol):
    """What the page asks; versions come as the address has them."""

    def process(
        self,
        reader: Identity,
        *,
        as_of: str | None,
        effective_at: str | None,
        process: str | None,
        version: str | None,
        against: str | None,
    ) -> Answer:
        """A process with its versions, and what one of them is worth where that is told."""
        ...


READS: Final = Part[ProcessReads]()
router: Final = new_router()


def process_section(reads: ProcessReads) -> Section:
    """The page over these answers."""
    tab = Tab(PATH, lambda _: "Process", lambda reader: may(reader, Action.READ_CONTEXT))
    return Section(router, (READS.given(reads),), tab)


@router.get(PATH)
def process(
    *,
    request: Request,
    as_of: Moment = None,
    effective_at: Moment = None,
    process: Text = None,
    version: Text = None,
    against: Text = None,
    published: Text = None,
) -> Response:
    site, reads = SITE.of(request), READS.of(request)
    asked = moment_asked(as_of, effective_at)

    def fill(reader: Identity) -> HTMLResponse:
        answer = reads.process(
            reader,
            as_of=asked[0],
            effective_at=asked[1],
            process=process or None,
            version=version,
            against=against,
        )
        page = process_page(answer, asked=asked, published=published)
        return site.page(request, "process.html", tab=PATH, page=page)

    return site.show(request, fill)
