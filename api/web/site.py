"""What every page of the site has: who reads it, the way around, and what is said instead of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Final, Generic, TypeAlias, TypeVar

from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.identity.permissions import Identity
from api.web.asof import query_of
from api.web.format import event_words
from api.web.reads import NotNowError, PageError
from api.web.renderer import HEADERS, Renderer
from api.web.tour import COOKIE, Sample, Step, steps_for, tour_view
from api.web.vocabulary import ROLES

HOME: Final = "/"

Moment = Annotated[str | None, Query(max_length=100)]
Asked: TypeAlias = tuple[str | None, str | None]
"""`as_of` and `effective_at` as the reader typed them."""
Names: TypeAlias = Callable[[], Mapping[str, str]]
"""Gives what people are called, by their ids."""


@dataclass(frozen=True, slots=True)
class Tab:
    """An entry of the navigation, there for whom `shown` says; `name` may depend on the reader."""

    path: str
    name: Callable[[Identity], str]
    shown: Callable[[Identity], bool]


Work = TypeVar("Work")
Given: TypeAlias = "tuple[Part[Any], object]"


class Part(Generic[Work]):
    """What some routes work with: they are made once, and each server is given its own."""

    def given(self, work: Work) -> Given:
        """Give what `install` takes."""
        return self, work

    def of(self, request: Request) -> Work:
        """Give what the server that is asked was given."""
        work: Work = request.app.state.parts[self]
        return work


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the site: its addresses, what these work with, maybe an entry to navigate by."""

    router: APIRouter
    given: tuple[Given, ...]
    tab: Tab | None = None


class Site:
    """Shows the pages of all sections, each with the navigation of whoever reads it."""

    def __init__(
        self,
        renderer: Renderer,
        sections: Sequence[Section],
        sample: Sample | None = None,
        names: Names = dict,
    ) -> None:
        self._renderer = renderer
        self._names = names
        self._sample = sample
        self._tabs = tuple(section.tab for section in sections if section.tab is not None)

    def show(self, request: Request, fill: Callable[[Identity], Response]) -> Response:
        """Give what `fill` makes for the reader; else the way to sign in, or why it cannot be."""
        reader = reader_of(request)
        if reader is None:
            return to_sign_in(request)
        try:
            return fill(reader)
        except PageError as error:
            return self.problem(request, error)

    def problem(self, request: Request, error: PageError) -> Response:
        """Say on a page of its own why there is none."""
        told = event_words(error.args[0] if error.args else "", self._called(error.status))
        shown = self.page(
            request,
            "problem.html",
            status=error.status,
            tab="",
            title=error.title,
            detail=f"{told[:1].upper()}{told[1:]}",
        )
        if isinstance(error, NotNowError):
            shown.headers["Retry-After"] = str(error.retry_after)
        return shown

    def page(
        self, request: Request, template: str, *, tab: str, status: int = 200, **context: Any
    ) -> HTMLResponse:
        """Fill a template; `tab` is the path of the entry that it stands under."""
        reader = reader_of(request)
        # What tells that something is away is not to ask for more.
        steps = self.tour_of(reader) if reader and status == HTTPStatus.OK else ()
        at, path = request.cookies.get(COOKIE), request.url.path
        return self._renderer.page(
            request,
            template,
            status=status,
            tab=tab,
            around=self._around(reader, self._called(status), toured=bool(steps)),
            tour=tour_view(steps, at=at, path=path) if steps else None,
            here=path + (f"?{request.url.query}" if request.url.query else ""),
            **context,
        )

    def piece(self, request: Request, template: str, **context: Any) -> HTMLResponse:
        """Fill a template of what a script puts into a page: without the way around."""
        return self._renderer.page(request, template, **context)

    def data(self, request: Request, value: Any) -> Response:
        """Give what a script of a page asks for."""
        return self._renderer.data(request, value)

    def tour_of(self, reader: Identity) -> tuple[Step, ...]:
        """Give the steps of the tour; none where the ledger does not hold the sample company."""
        if self._sample is None or not self._sample.is_loaded():
            return ()
        tabs = [tab.path for tab in self._tabs if tab.shown(reader)]
        return steps_for(tabs, self._sample.story(reader))

    def _called(self, status: int) -> Mapping[str, str]:
        """Give names for a page; what tells that something is away is not to ask for them."""
        return {} if status >= HTTPStatus.INTERNAL_SERVER_ERROR else self._names()

    def _around(
        self, reader: Identity | None, names: Mapping[str, str], *, toured: bool
    ) -> dict[str, Any] | None:
        """Give who reads, and where they may go; None for who is not signed in."""
        if reader is None:
            return None
        return {
            "reader": reader.actor,
            "name": names.get(reader.actor, reader.actor),
            "role": "Operator of this server" if reader.operator else ROLES[reader.role],
            "tabs": [(tab.path, tab.name(reader)) for tab in self._tabs if tab.shown(reader)],
            "toured": toured,
        }


SITE: Final = Part[Site]()


def new_router() -> APIRouter:
    """Give room for the routes of pages, which are no part of the API's contract."""
    return APIRouter(include_in_schema=False)


def install(app: FastAPI, router: APIRouter, *given: Given) -> None:
    """Add routes to a server as they are, with what they work with there."""
    app.state.parts = getattr(app.state, "parts", {}) | dict(given)
    # `include_router` would make each of them again, which takes longer than all else of a start.
    app.router.routes += router.routes


def reader_of(request: Request) -> Identity | None:
    """Who reads; None for who is not signed in."""
    identity = request.scope.get("identity")
    return identity if isinstance(identity, Identity) else None


def moment_asked(as_of: str | None, effective_at: str | None) -> Asked:
    """Give the moment as typed; a field left empty in a form asks for nothing."""
    return (as_of or "").strip() or None, (effective_at or "").strip() or None


def local(target: str) -> str:
    """Only an address of ours, so that a sign-in link cannot send anybody elsewhere."""
    plain = target.startswith("/") and not target.startswith("//")
    safe = plain and "\\" not in target and target.isprintable()
    return target if safe else HOME


def redirect(target: str) -> RedirectResponse:
    """Send a browser on to another page."""
    return RedirectResponse(target, status_code=303, headers=HEADERS)


def to_sign_in(request: Request) -> Response:
    """Send somebody to sign in, and on from there to what they asked for."""
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return redirect("/sign-in" + query_of({"next": path}))
