"""The first page: what changed for who manages, and the working day of who sells."""

from typing import Annotated, Final, Protocol

from fastapi import Query, Request
from fastapi.responses import HTMLResponse, Response

from api.identity.permissions import Action, Identity, may
from api.web.home_page import HomePage, home_page, quiet, week_before
from api.web.reads import Answer
from api.web.site import HOME, SITE, Asked, Moment, Part, Section, Tab, moment_asked, new_router
from api.web.today_page import TodayPage, today_page


class HomeReads(Protocol):
    """What the first page asks; every instant comes as the reader typed it."""

    def overview(
        self,
        reader: Identity,
        *,
        as_of: str | None,
        effective_at: str | None,
        since: str | None,
    ) -> Answer:
        """What changed and what is hollow, with the names of people."""
        ...

    def today(
        self, reader: Identity, *, as_of: str | None, effective_at: str | None, rep: str | None
    ) -> Answer:
        """What a rep's open deals wait for, with the names of people."""
        ...


READS: Final = Part[HomeReads]()
router: Final = new_router()


def home_section(reads: HomeReads) -> Section:
    """The first page over these answers."""
    tab = Tab(HOME, _name, lambda reader: may(reader, Action.READ_DEALS))
    return Section(router, (READS.given(reads),), tab)


@router.get(HOME)
def home(
    request: Request, as_of: Moment = None, effective_at: Moment = None, since: Moment = None
) -> Response:
    site, reads = SITE.of(request), READS.of(request)
    asked = moment_asked(as_of, effective_at)

    def fill(reader: Identity) -> HTMLResponse:
        if reader.role == "rep":
            page = _day(reads, reader, asked, None)
            return site.page(request, "today.html", tab=HOME, page=page)
        changes = _changes(reads, reader, asked, since or None)
        return site.page(request, "home.html", tab=HOME, page=changes)

    return site.show(request, fill)


@router.get("/today")
def today(
    request: Request,
    as_of: Moment = None,
    effective_at: Moment = None,
    rep: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    site, reads = SITE.of(request), READS.of(request)
    asked = moment_asked(as_of, effective_at)

    def fill(reader: Identity) -> HTMLResponse:
        page = _day(reads, reader, asked, rep or None)
        return site.page(request, "today.html", tab=HOME, page=page)

    return site.show(request, fill)


def _changes(reads: HomeReads, reader: Identity, asked: Asked, since: str | None) -> HomePage:
    """Tell what changed; of a week where nobody said since when and a day has nothing to tell."""
    answer = reads.overview(reader, as_of=asked[0], effective_at=asked[1], since=since)
    if since or not quiet(answer):
        return home_page(answer, asked=asked)
    week = week_before(answer)
    of_week = reads.overview(reader, as_of=asked[0], effective_at=asked[1], since=week)
    return home_page(of_week, asked=asked, quiet_since=answer["since"])


def _day(reads: HomeReads, reader: Identity, asked: Asked, rep: str | None) -> TodayPage:
    answer = reads.today(reader, as_of=asked[0], effective_at=asked[1], rep=rep)
    return today_page(answer, asked=asked, own=rep in (None, reader.actor))


def _name(reader: Identity) -> str:
    return "Today" if reader.role == "rep" else "Overview"
