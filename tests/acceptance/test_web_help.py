"""Help beside figures, sentences and names tell what the API tells, as pages write it."""

import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from html import unescape
from typing import Final

import pytest

from api.web import format as f
from tests.support.asker import Asker, asking, at
from tests.support.postgres import PostgresServer
from tests.support.site import AUDITOR, MANAGER, OWNER, REP, TOLD_ON

CHANCE: Final = random.Random(5)
INSTANTS: Final = [TOLD_ON - timedelta(days=CHANCE.randrange(20, 190)), TOLD_ON]
PARTS: Final = ("progress", "pressure")
RAW: Final = re.compile(
    r"\b[A-Z]{3} [0-9][0-9.]*|(?<![\w-])[0-9]{4}-[0-9]{2}-[0-9]{2}(?!T)|[0-9] %"
)
"""A figure as programs read it; with a time it is an example of what can be asked."""


@pytest.fixture(scope="module")
def ask(postgres_server: PostgresServer) -> Iterator[Asker]:
    with asking(postgres_server) as asker:
        yield asker


def working(html: str, figure: str) -> dict[str, str]:
    """Give the numbers that a figure's help shows."""
    sheet = re.search(rf'id="how-{figure}" popover>(.*?)</div>', html, re.DOTALL)
    assert sheet is not None, figure
    pairs = re.findall(r"<dt[^>]*>(.*?)</dt><dd[^>]*>(.*?)</dd>", sheet[1], re.DOTALL)
    return {unescape(name): unescape(number) for name, number in pairs}


def ticked(counts: Mapping[str, int]) -> dict[str, str]:
    names = {
        "evidenced": "Outcome evidenced in time",
        "evidenced_late": "Outcome evidenced, but late",
        "asserted_only": "Only the seller's word",
        "bare_tick": "Never evidenced",
        "pending": "Still due, left out",
    }
    return {name: f"{counts[status]:,}" for status, name in names.items()}


@pytest.mark.parametrize("instant", INSTANTS)
def test_help_on_a_deal_has_the_numbers_that_the_api_gives(ask: Asker, instant: datetime) -> None:
    listed = ask.deals(**at(instant))
    for one in CHANCE.sample(listed, 3):
        deal = f"/v1/deals/{one['deal_id']}"
        progress, pressure = (ask.api(f"{deal}/{w}", **at(instant)) for w in PARTS)
        html = ask.get(f"/deals/{one['deal_id']}", **at(instant)).text
        shares, led = pressure["shares"], progress["customer_led_movement"]

        shown = working(html, "checkbox_only")
        assert ticked(progress["counts"]).items() <= shown.items()
        assert shown["Weighted share"] == f.percent(progress["checkbox_only"], "none has settled")
        shown = working(html, "pressure_shaped")
        assert shown["Pressure-shaped"] == f"{shares['shaped']:,}"
        assert shown["Events that can be judged"] == f"{shares['evaluable']:,}"
        assert working(html, "led")["Forward moves"] == f"{led['steps']:,}"
        assert working(html, "led")["Led by the customer"] == f"{led['led']:,}"
        exposed = working(html, "exposure")["Of them behind"]
        assert exposed == f"{pressure['exposure']['behind_days']:,.1f}"
        assert working(html, "realised")["Offered"] == f.money(pressure["money"]["offered"])


@pytest.mark.parametrize("instant", INSTANTS)
def test_help_on_the_other_pages_has_the_numbers_that_the_api_gives(
    ask: Asker, instant: datetime
) -> None:
    deals, quarter = ask.deals(**at(instant)), ask.api("/v1/calendars", **at(instant))["current"]
    begins = f.instant(quarter["start_instant"])
    boarded = [
        one for one in deals if one["closed"] is None or f.instant(one["closed_at"]) >= begins
    ]
    counts = Counter[str]()
    for one in boarded:
        counts.update(one["progress"]["counts"])
    still_open = [one for one in deals if one["closed"] is None]

    html = ask.get("/board", **at(instant)).text
    assert ticked(counts).items() <= working(html, "checkbox_only").items()
    assert working(html, "open")["Open deals"] == f"{len(still_open):,}"
    shaped = sum(one["verdicts"]["shaped"] for one in boarded)
    assert working(html, "pressure_shaped")["Pressure-shaped"] == f"{shaped:,}"

    hollow = ask.api("/v1/overview", **at(instant))["hollow"]
    shown = working(ask.get("/", **at(instant)).text, "checkbox_only")
    assert shown["Settled activities"] == f"{hollow['settled']:,}"
    assert shown["Open deals with any"] == f"{hollow['deals_with']:,}"

    html = ask.get("/organisation", **at(instant)).text
    name = re.search(r"FY[0-9]{4}Q[1-4]", html.partition("<main")[2])
    assert name is not None
    window = ask.api(f"/v1/quarters/{name[0]}/close-pattern", **at(instant))["pattern"]["window"]
    assert working(html, "window")["In the last days"] == f"{window['count']:,}"
    assert working(html, "window")["Wins"] == f"{window['n']:,}"


@pytest.mark.parametrize("path", ["/organisation", "/report"])
def test_a_quarter_that_is_not_over_has_counts_and_no_shares(ask: Asker, path: str) -> None:
    running = ask.api("/v1/calendars", **at(INSTANTS[0]))["current"]["quarter"]
    told = ask.api(f"/v1/quarters/{running}/close-pattern", **at(INSTANTS[0]))
    page = ask.page(path, quarter=running, **at(INSTANTS[0]))

    assert told["wins"]
    assert f.sentence(told["sentence"]) in page.text
    if path == "/organisation":
        assert page.pairs["Won"] == f"{told['wins']:,}"
        assert page.pairs["In the last days"] == "unknown: the quarter is not over"


@pytest.mark.parametrize("path", ["/", "/review", "/organisation", "/report", "/deals"])
def test_sentences_have_figures_as_all_others_of_a_page(ask: Asker, path: str) -> None:
    instant = at(TOLD_ON)
    told = {"since": "2025-03-01T00:00:00Z"} if path == "/" else {"quarter": "FY2025Q4"}
    paths = [path]
    if path == "/deals":
        paths = [f"/deals/{one['deal_id']}" for one in ask.deals(**instant)[:12]]

    for one in paths:
        found = RAW.findall(ask.page(one, **told, **instant).text)
        assert found == [], one


def test_a_deal_shows_the_commitments_of_both_sides_that_the_api_tells(ask: Asker) -> None:
    words = {"open": "open", "renegotiated": "another day was agreed", "withdrawn": "withdrawn"}
    shown = 0
    for deal in ask.deals(closed="open")[:5]:
        page = ask.page(f"/deals/{deal['deal_id']}")
        told = ask.api(f"/v1/deals/{deal['deal_id']}/commitments")
        part = page.text.partition("Commitments of both sides")[2]
        for one in [*told["commitments"], *told["promises"]]:
            said = part.partition(" ".join(one["what"].split()))[2]
            broken = "broken" if one["settled_at"] else "past its day"
            word = {**words, "kept": "kept", "broken": broken}[one["status"]]
            assert word in said[:60]
            shown += 1
    assert shown


def test_pages_call_people_and_steps_by_their_names(ask: Asker) -> None:
    """Ids are for programs; a step whose id is a word of the language is left out."""
    kinds = {"activity_ticked": "activity", "outcome_evidenced": "outcome"}
    events = ask.api("/v1/events", type=",".join(kinds), limit=1000)["events"]
    steps = {one["data"][kinds[one["type"]]] for one in events}
    ids = {REP, MANAGER, AUDITOR, OWNER} | {step for step in steps if "-" in step}
    deals = [one["deal_id"] for one in ask.deals() if one["progress"]["counts"]["evidenced"]][:6]
    since = (TOLD_ON - timedelta(days=90)).isoformat().replace("+00:00", "Z")
    pages = [
        ask.page("/", since=since, **at(TOLD_ON)),
        *(ask.page(path) for path in ("/board", "/review", "/commitments", "/report")),
        *(ask.page(f"/deals/{deal}", all="1") for deal in deals),
    ]

    told = re.compile(rf"(?<![\w/-])({'|'.join(map(re.escape, ids))})(?![\w-])")
    assert len(deals) == 6
    assert [found for page in pages for found in told.findall(page.text)] == []
