"""The audit explorer: every event of the log, asked with a query, counted and exported."""

from typing import Final, Protocol

from fastapi import Request
from fastapi.responses import HTMLResponse, Response

from api.exchange.exporting import EXPORTS
from api.identity.permissions import Action, Identity, may
from api.query.counting import DIMENSIONS
from api.query.fields import FIELDS
from api.web.audit_asked import LogAsked, asked_of
from api.web.audit_page import EXPORT_NAMES, PATH, SORTS, audit_page
from api.web.reads import Answer
from api.web.site import SITE, Part, Section, Tab, new_router
from api.web.vocabulary import STATUSES, VERDICTS
from domain.events.catalogue import STREAM_KINDS


class AuditReads(Protocol):
    """What the explorer asks."""

    def explore(self, reader: Identity, asked: LogAsked, *, address: str) -> Answer:
        """A page of events and their counts, or what is wrong with the query."""
        ...


READS: Final = Part[AuditReads]()
router: Final = new_router()


def audit_section(reads: AuditReads) -> Section:
    """The explorer over these answers."""
    tab = Tab(PATH, lambda _: "Audit", lambda reader: may(reader, Action.READ_LOG))
    return Section(router, (READS.given(reads),), tab)


@router.get(PATH)
def audit(request: Request) -> Response:
    site, reads = SITE.of(request), READS.of(request)
    asked = asked_of(request.query_params)
    address = PATH + (f"?{request.url.query}" if request.url.query else "")

    def fill(reader: Identity) -> HTMLResponse:
        page = audit_page(reads.explore(reader, asked, address=address), asked)
        status = 200 if page.found else 422
        return site.page(
            request, "audit.html", tab=PATH, status=status, page=page, choices=_CHOICES
        )

    return site.show(request, fill)


def _by_kind() -> dict[str, list[str]]:
    """Give the types of events by the kind of stream that they belong to."""
    kinds: dict[str, list[str]] = {}
    for name, kind in STREAM_KINDS.items():
        kinds.setdefault(kind, []).append(name)
    return kinds


_CHOICES: Final = {
    "sorts": SORTS,
    "dimensions": DIMENSIONS,
    "fields": FIELDS.values(),
    "formats": {name: EXPORT_NAMES[name] for name in EXPORTS},
    "types": _by_kind(),
    "pressure_verdicts": VERDICTS,
    "tick_verdicts": {n: s.words for n, s in STATUSES.items() if n != "not_ticked"},
}
