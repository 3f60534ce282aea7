"""The pages of commitments and of the review, each a list of open deals' affairs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Protocol, TypeAlias

from fastapi import Query, Request
from fastapi.responses import HTMLResponse, Response

from api.identity.permissions import Action, Identity, may
from api.web.commitments_page import SHOWN, SIDES, commitments_page
from api.web.quarter_parts import whose_asked
from api.web.reads import Answer
from api.web.review_page import HEALTHS, ORDERS, review_page
from api.web.site import SITE, Asked, Moment, Part, Section, Tab, moment_asked, new_router

COMMITMENTS: Final = "/commitments"
REVIEW: Final = "/review"
Text: TypeAlias = Annotated[str, Query(max_length=220)]
Cursor: TypeAlias = Annotated[str, Query(max_length=2000)]


@dataclass(frozen=True, slots=True)
class ListAsked:
    """A page of a list: its moment, whose deals, what else is asked, and where it begins."""

    asked: Asked
    rep: str | None
    team: str | None
    filters: Mapping[str, str]
    cursor: str


class ReviewingReads(Protocol):
    """What both pages ask; every word comes as the reader's address has it."""

    def commitments(self, reader: Identity, asked: ListAsked) -> Answer:
        """A page of what both sides said, with whose may be asked for."""
        ...

    def review(self, reader: Identity, asked: ListAsked) -> Answer:
        """A page of open deals with their sheets, with whose may be asked for."""
        ...


READS: Final = Part[ReviewingReads]()
review_router: Final = new_router()
commitments_router: Final = new_router()


def review_section(reads: ReviewingReads) -> Section:
    """The sheets of a review over these answers."""
    tab = Tab(REVIEW, lambda _: "Review", _reads_deals)
    return Section(review_router, (READS.given(reads),), tab)


def commitments_section(reads: ReviewingReads) -> Section:
    """What both sides said, over these answers."""
    tab = Tab(COMMITMENTS, lambda _: "Commitments", _reads_deals)
    return Section(commitments_router, (READS.given(reads),), tab)


@review_router.get(REVIEW)
def review(
    *,
    request: Request,
    as_of: Moment = None,
    effective_at: Moment = None,
    whose: Text = "",
    health: Text = "",
    sort: Text = "",
    cursor: Cursor = "",
) -> Response:
    site, reads = SITE.of(request), READS.of(request)
    filters = {"health": _known(health, HEALTHS), "sort": _known(sort, ORDERS)}
    moment = moment_asked(as_of, effective_at)
    wish = ListAsked(moment, *whose_asked(whose), filters, cursor)

    def fill(reader: Identity) -> HTMLResponse:
        page = review_page(reads.review(reader, wish), asked=moment, filters=filters, cursor=cursor)
        return site.page(
            request, "review.html", tab=REVIEW, page=page, healths=HEALTHS, orders=ORDERS
        )

    return site.show(request, fill)


@commitments_router.get(COMMITMENTS)
def commitments(
    *,
    request: Request,
    as_of: Moment = None,
    effective_at: Moment = None,
    whose: Text = "",
    side: Text = "",
    status: Text = "",
    due_to: Text = "",
    cursor: Cursor = "",
) -> Response:
    site, reads = SITE.of(request), READS.of(request)
    filters = {"side": _known(side, SIDES), "status": _known(status, SHOWN), "due_to": due_to}
    moment = moment_asked(as_of, effective_at)
    wish = ListAsked(moment, *whose_asked(whose), filters, cursor)

    def fill(reader: Identity) -> HTMLResponse:
        page = commitments_page(
            reads.commitments(reader, wish), asked=moment, filters=filters, cursor=cursor
        )
        return site.page(request, "commitments.html", tab=COMMITMENTS, page=page, statuses=SHOWN)

    return site.show(request, fill)


def _reads_deals(reader: Identity) -> bool:
    return may(reader, Action.READ_DEALS)


def _known(value: str, known: Mapping[str, str]) -> str:
    """What an address that somebody changed by hand does not name asks for nothing."""
    return value if value in known else ""
