"""The replay of a quarter, the list of quarters, and the way from a replay to an event."""

from typing import Annotated, Any, Final, Protocol, TypeAlias
from uuid import UUID

from fastapi import Path, Query, Request
from fastapi.responses import HTMLResponse, Response

from api.identity.permissions import Action, Identity, may
from api.web.asof import query_of
from api.web.reads import Answer
from api.web.replay_address import Address, asked_of
from api.web.replay_page import BLANK_CARD, SPEEDS, ReplayView, drawings, script_data
from api.web.replay_quarters import quarters_page
from api.web.replay_words import clock
from api.web.site import SITE, Moment, Part, Section, Tab, moment_asked, new_router, redirect
from projections.quarter.board_tape import instant_text

PATH: Final = "/replay"
Quarter: TypeAlias = Annotated[str, Path(pattern="^FY[0-9]{4}Q[1-4]$")]
Text: TypeAlias = Annotated[str | None, Query(max_length=64)]


class ReplayReads(Protocol):
    """What the pages ask; instants come as the address has them."""

    def replay(
        self,
        reader: Identity,
        quarter: str,
        *,
        as_of: str | None,
        until: str | None,
        hindsight: bool | None,
    ) -> Answer:
        """The tape of a quarter's board, and what stands around it."""
        ...

    def part(
        self,
        reader: Identity,
        quarter: str,
        *,
        as_of: str,
        until: str,
        hindsight: bool,
        skip: int,
    ) -> Answer:
        """More deals of a tape."""
        ...

    def event(self, reader: Identity, position: int) -> tuple[UUID, UUID]:
        """The deal and the id of an event."""
        ...

    def quarters(self, reader: Identity, *, as_of: str | None, effective_at: str | None) -> Answer:
        """The quarters that have deals, with how they ended."""
        ...


READS: Final = Part[ReplayReads]()
router: Final = new_router()


def replay_section(reads: ReplayReads) -> Section:
    """The pages over these answers."""
    tab = Tab(PATH, lambda _: "Replay", lambda reader: may(reader, Action.READ_FIGURES))
    return Section(router, (READS.given(reads),), tab)


@router.get(PATH)
def quarters(request: Request, as_of: Moment = None, effective_at: Moment = None) -> Response:
    site, reads = SITE.of(request), READS.of(request)
    asked = moment_asked(as_of, effective_at)

    def fill(reader: Identity) -> HTMLResponse:
        answer = reads.quarters(reader, as_of=asked[0], effective_at=asked[1])
        page = quarters_page(answer, asked=asked)
        return site.page(request, "replay_quarters.html", tab=PATH, page=page)

    return site.show(request, fill)


@router.get(PATH + "/events/{position}")
def event(request: Request, position: Annotated[int, Path(ge=1, lt=2**63)]) -> Response:
    reads = READS.of(request)

    def fill(reader: Identity) -> Response:
        deal_id, event_id = reads.event(reader, position)
        return redirect(f"/deals/{deal_id}?all=1#e-{event_id}")

    return SITE.of(request).show(request, fill)


@router.get(PATH + "/{quarter}")
def replay(
    *,
    request: Request,
    quarter: Quarter,
    at: Text = None,
    since: Annotated[str | None, Query(alias="from", max_length=64)] = None,
    second: Text = None,
    hindsight: Text = None,
    cell: Text = None,
    as_of: Moment = None,
) -> Response:
    site, reads = SITE.of(request), READS.of(request)

    def fill(reader: Identity) -> HTMLResponse:
        answer = reads.replay(
            reader,
            quarter,
            as_of=as_of or None,
            until=None,
            hindsight=_hindsight(hindsight),
        )
        asked = asked_of(answer, at=at, since=since, second=second, cell=cell)
        view = ReplayView(answer, asked)
        address = Address(quarter, asked.at, asked.since, hindsight or "", as_of or "")
        page = _page(answer, view, address)
        return site.page(request, "replay.html", tab=PATH, page=page)

    return site.show(request, fill)


@router.get(PATH + "/{quarter}/tape")
def part(
    *,
    request: Request,
    quarter: Quarter,
    as_of: Annotated[str, Query(max_length=100)],
    until: Annotated[str, Query(max_length=64)],
    hindsight: Annotated[str, Query(max_length=1)],
    skip: Annotated[int, Query(ge=0, le=10**7)],
) -> Response:
    site, reads = SITE.of(request), READS.of(request)

    def fill(reader: Identity) -> Response:
        found = reads.part(
            reader,
            quarter,
            as_of=as_of,
            until=until,
            hindsight=hindsight == "1",
            skip=skip,
        )
        return site.data(request, found)

    return site.show(request, fill)


def _hindsight(value: str | None) -> bool | None:
    """As known then or as known now; None leaves it to what was known in the quarter."""
    return {"1": True, "0": False}.get(value or "")


def _page(answer: Answer, view: ReplayView, address: Address) -> dict[str, Any]:
    """Give what the template shows."""
    heading, rows, left_out = view.rows()
    before, after = view.film.around(view.asked.at)
    start, until = answer["start_at"], answer["until"]
    since, hindsight = view.asked.since, answer["clock"] == "as_happened"
    return {
        "answer": answer,
        "address": address,
        "clock": clock(view.asked.at),
        "figures": view.figures(),
        "columns": view.columns(),
        "heading": heading,
        "rows": rows,
        "rows_left_out": left_out,
        "cells": view.waterfall(),
        "cell": view.asked.cell,
        "drawn": drawings(answer, view),
        "start_text": instant_text(start),
        "before_text": instant_text(max(start, before or start)),
        "after_text": instant_text(after or until),
        "since_text": instant_text(since) if since else "",
        "pin": address.of(from_=None if since else address.of_at),
        "span": view.span(),
        "hindsight": hindsight,
        "moment": query_of({"effective_at" if hindsight else "as_of": address.of_at}),
        "speeds": SPEEDS,
        "blank": BLANK_CARD,
        "data": script_data(answer),
    }
