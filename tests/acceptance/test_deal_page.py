"""The page of a deal is made of the very answers that the API gives of it, at every moment."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

import pytest

from api import clock
from api.answers import json_bytes
from api.board import Board
from api.bootstrap import Ledger
from api.identity.permissions import OPERATOR, Identity
from api.page_reads.deals import DealReads
from api.page_reads.door import Door
from api.people import People
from api.views import Views
from tests.support.asker import Asker, at
from tests.support.ledgers import SCHEMA
from tests.support.postgres import PostgresServer
from tests.support.site import AUDITOR, MANAGER, OWNER, REP, TOLD_ON, Read, fill, site_on

CHANCE: Final = random.Random(56)
INSTANTS: Final = [TOLD_ON - timedelta(days=CHANCE.randrange(5, 200)) for _ in range(1)] + [TOLD_ON]
READERS: Final = {
    None: OPERATOR,
    AUDITOR: Identity(actor=AUDITOR, role="auditor", credential="test"),
    MANAGER: Identity(actor=MANAGER, role="manager", credential="test"),
    REP: Identity(actor=REP, role="rep", credential="test"),
}
ANSWERS: Final = ("progress", "review", "pressure", "history")
TOLD_APART: Final = frozenset({"rep", "recorder", "late", "verdict", "sentence"})
"""What the page says of an event beside what the API says, or by a name instead of an id."""


@dataclass(frozen=True, slots=True)
class Site:
    """The answers behind the pages, and the API of the same ledger."""

    ledger: Ledger
    reads: DealReads
    ask: Asker


@pytest.fixture(scope="module")
def site(postgres_server: PostgresServer) -> Iterator[Site]:
    with (
        postgres_server.ledger(SCHEMA, filled_by=fill) as database,
        site_on(database) as (base, ledger, secrets),
    ):
        asker = Asker(base, secrets)
        yield Site(ledger, reads_of(ledger), asker)
        asker.client.close()


def reads_of(ledger: Ledger) -> DealReads:
    store, people = ledger.store, People(ledger.store)
    views = Views(store, ledger.worker.position, clock.now)
    return DealReads(
        Door(store, views, ledger.access, ledger.accesses),
        questions=ledger.questions,
        board=Board(store, ledger.context, people, ledger.places, ledger.access),
        people=people,
        context=ledger.context,
        customers=ledger.customers,
    )


def plain(answer: Any) -> Any:
    return json.loads(json_bytes(answer))


def without(event: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name not in TOLD_APART}


def compared(site: Site, deal: str, who: str | None, **when: Any) -> dict[str, Any]:
    """Hold the page of a deal against the API, and give what it is made of."""
    shown = plain(
        site.reads.deal(
            READERS[who], deal, as_of=when.get("as_of"), effective_at=when.get("effective_at")
        )
    )
    path = f"/v1/deals/{deal}"
    told = {name: site.ask.get(f"{path}/{name}", who, **when) for name in ANSWERS}
    assert shown["progress"] == told["progress"].json()
    assert shown["review"] == told["review"].json()
    curve = shown["pressure"].pop("curve")
    if told["pressure"].status_code == 403:
        assert shown["pressure"].pop("untold")
        assert (curve, shown["pressure"]["events"], shown["pressure"]["patterns"]) == ([], [], [])
    else:
        assert shown["pressure"] == told["pressure"].json()
    pages, apis = shown["history"].pop("events"), told["history"].json().pop("events")
    assert [without(event) for event in pages] == [without(event) for event in apis]
    state = site.ask.api(path, who, **when)
    same = ("version", "amount", "close_date", "closed", "opened_at", "forecast_category")
    assert {name: shown["deal"][name] for name in same} == {name: state[name] for name in same}
    return {**shown, "events": pages, "curve": curve}


@pytest.mark.parametrize("instant", INSTANTS)
@pytest.mark.parametrize("who", READERS)
def test_a_page_is_made_of_what_the_api_answers(site: Site, instant: Any, who: str | None) -> None:
    listed = site.ask.api("/v1/deals", who, limit=100, **at(instant))["deals"]
    for one in CHANCE.sample(listed, min(2, len(listed))):
        shown = compared(site, one["deal_id"], who, **at(instant))

        assert shown["deal"]["owner"]["id"] == one["owner"]
        judged = [event for event in shown["events"] if event["verdict"]]
        assert all(event["sentence"] for event in judged)


def test_what_was_told_is_on_the_page_from_the_next_request_on(site: Site) -> None:
    deal = site.ask.api("/v1/deals", limit=1, closed="open", **at(TOLD_ON))["deals"][0]["deal_id"]
    before = plain(site.reads.deal(OPERATOR, deal, as_of=None, effective_at=None))
    version = before["deal"]["version"]

    for turn, percent in enumerate(("11", "37"), start=1):
        offer = {"type": "discount_offered", "data": {"percent": percent}}
        (told,) = site.ask.append(deal, offer)
        site.ledger.worker.catch_up()
        as_of = f"position:{told['position']}"
        shown = compared(site, deal, None, as_of=as_of, effective_at="2025-12-24T12:00:00Z")
        now = plain(site.reads.deal(OPERATOR, deal, as_of=None, effective_at=None))

        assert now["deal"]["version"] == shown["deal"]["version"] == version + turn
        assert now["deal"]["discount"] == percent
        assert now["pressure"]["events"][-1]["event_id"] == told["event_id"]
        assert now["told"][-1][0] == told["position"]


def test_the_page_of_another_deal_moves_with_what_it_is_compared_with(site: Site) -> None:
    """What a rep books elsewhere changes the pressure on this deal from its instant on."""

    def pressed(deal: str) -> Any:
        shown = plain(site.reads.deal(OPERATOR, deal, as_of=None, effective_at=None))
        return shown["pressure"]["exposure"], shown["pressure"]["curve"]

    owned: dict[str, list[str]] = {}
    for one in site.ask.api("/v1/deals", limit=100, closed="open", **at(TOLD_ON))["deals"]:
        owned.setdefault(one["owner"], []).append(one["deal_id"])
    mine, other, *_ = next(deals for deals in owned.values() if len(deals) > 1)
    before = pressed(mine)

    booked = {"net": {"amount": "9000000.00", "currency": "USD"}, "closed_on": TOLD_ON.date()}
    won = {"type": "deal_won", "data": plain(booked), "occurred_at": at(TOLD_ON)["as_of"]}
    site.ask.append(other, won)
    site.ledger.worker.catch_up()

    exposure, curve = pressed(mine)
    assert before[1] != curve
    assert set(before[0]["evidence"]) < set(exposure["evidence"])


def test_a_deal_that_left_their_reach_has_no_page_from_the_next_request_on(site: Site) -> None:
    listed = site.ask.api("/v1/deals", REP, limit=100, closed="open", **at(TOLD_ON))["deals"]
    deal = listed[-1]["deal_id"]
    assert site.ask.get(f"/deals/{deal}", REP).status_code == 200

    given = {"type": "owner_changed", "data": {"owner": f"nobody-{uuid4()}"}}
    site.ask.append(deal, given)

    assert site.ask.get(f"/deals/{deal}", REP).status_code == 404
    assert site.ask.get(f"/deals/{deal}").status_code == 200


def test_an_opened_event_says_what_the_api_says_of_it_and_to_whom_it_may(site: Site) -> None:
    listed = site.ask.api("/v1/deals", REP, limit=100, **at(TOLD_ON))["deals"]
    deal, judged = next(
        (one["deal_id"], judged)
        for one in listed
        for judged in site.ask.api(f"/v1/deals/{one['deal_id']}/pressure", **at(TOLD_ON))["events"]
        if judged["verdict"] == "pressure_shaped"
    )
    path = f"/deals/{deal}/events/{judged['event_id']}"
    told_to = []
    for who in (*READERS, OWNER):
        read = Read(site.ask.get(path, who, **at(TOLD_ON)).text)
        answer = site.ask.get(f"/v1/deals/{deal}/pressure", who, **at(TOLD_ON))
        if answer.status_code == 200:
            told_to.append(who)
            behind = read.pairs["Behind the pace to quota Holds"]
            assert behind.startswith(f"pressure {judged['pressure']:.2f}; asked: 0.25 or more")
        shown = answer.status_code == 200
        assert read.text.count("asked:") == (len(judged["facts"]) if shown else 0), who
        assert ("Pressure-shaped" in read.text) is shown, who
    assert None in told_to
    assert OWNER not in told_to
    elsewhere = next(
        one["deal_id"]
        for one in site.ask.api("/v1/deals", limit=100, **at(TOLD_ON))["deals"]
        if one["deal_id"] not in {mine["deal_id"] for mine in listed}
    )
    (other, *_) = site.ask.api(f"/v1/deals/{elsewhere}/history", **at(TOLD_ON))["events"]
    theirs = f"/deals/{elsewhere}/events/{other['event_id']}"
    assert site.ask.get(theirs, **at(TOLD_ON)).status_code == 200
    assert site.ask.get(theirs, REP, **at(TOLD_ON)).status_code == 404
    astray = f"/deals/{deal}/events/{other['event_id']}"
    assert site.ask.get(astray, **at(TOLD_ON)).status_code == 404
