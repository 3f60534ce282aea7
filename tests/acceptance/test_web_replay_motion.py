"""A quarter's replay while it moves: what runs by itself, what waits, and what is touched."""

import re
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Page, expect

from tests.support.browser import CHROMIUM, Site, Watched, Windows
from tests.support.client import TOKEN
from tests.support.ledgers import SCHEMA
from tests.support.postgres import PostgresServer
from tests.support.replay_pages import NEXT_FRAMES, drawn, shown
from tests.support.site import fill, site_on

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")

PATH: Final = "/replay/FY2026Q2"
DRAGGED: Final = """async () => {
  const slider = document.getElementById("second");
  const cards = () => document.querySelectorAll("#board .card").length;
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const height = board.offsetHeight;
  let [fewest, held] = [cards(), true];
  for (let part = 95; part >= 60; part -= 1) {
    slider.value = Math.floor((slider.max * part) / 100);
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    await frame();
    await frame();
    fewest = Math.min(fewest, cards());
    held = held && board.offsetHeight >= height;
  }
  return { fewest, held };
}"""
"""Drags without letting go: how few cards there were, and whether the board kept its height."""
TOUCHED: Final = """async (steps) => {
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const found = [];
  let moved = new Set();
  new MutationObserver((told) => {
    for (const one of told) for (const node of [...one.addedNodes, ...one.removedNodes])
      if (node.matches?.(".card")) moved.add(node);
  }).observe(board, { childList: true, subtree: true });
  for (let step = 0; step < steps; step += 1) {
    document.getElementById("after").click();
    await frame();
    await frame();
    found.push(moved.size);
    moved = new Set();
  }
  return found;
}"""
"""How many cards each step puts somewhere else."""
SETTLED: Final = """() => document.getElementById("second").getAttribute("aria-valuetext")
  === document.getElementById("clock").textContent"""
RUNNING: Final = """() => document.querySelector(".playhead").getAnimations().length"""


@pytest.fixture(scope="module")
async def desk(chromium: Windows, postgres_server: PostgresServer) -> AsyncIterator[Watched]:
    with (
        postgres_server.ledger(SCHEMA, filled_by=fill) as database,
        site_on(database) as (base, _, _),
    ):
        async with Site(base, chromium).seen() as watched:
            watched.base = base
            await watched.sign_in(TOKEN)
            yield watched


async def opened(watched: Watched, path: str) -> Page:
    page = await watched.open(path)
    await drawn(page)
    return page


async def test_a_drag_draws_what_is_seen_and_all_of_it_once_it_stays(desk: Watched) -> None:
    page = await opened(desk, PATH)
    await page.set_viewport_size({"width": 1440, "height": 400})
    told = await page.evaluate(DRAGGED)
    await page.wait_for_function(SETTLED)
    dragged = await shown(page)
    resting = await page.locator("#board .card").count()
    await page.reload()
    await drawn(page)

    assert told["fewest"] < resting
    assert told["held"]
    assert await shown(page) == dragged
    assert await page.locator("#board").evaluate("(one) => one.style.minHeight") == ""
    assert desk.faults == []


async def test_a_step_leaves_the_cards_that_it_does_not_concern(desk: Watched) -> None:
    page = await opened(desk, f"{PATH}?at=2025-05-20T00:00:00Z")

    touched = await page.evaluate(TOUCHED, 60)

    assert sum(one > 0 for one in touched) > 0
    assert max(touched) <= 2


async def test_the_playhead_runs_by_itself_and_stops_where_the_clock_is(desk: Watched) -> None:
    page = await opened(desk, f"{PATH}?at=2025-05-01T04:00:00Z")
    await page.emulate_media(reduced_motion="no-preference")
    await page.keyboard.press("Space")
    await page.wait_for_function(RUNNING)
    await page.keyboard.press("Space")
    await page.evaluate(NEXT_FRAMES)

    left = await page.evaluate(
        "() => { const [track, head, slider] = ['.track', '.playhead', '#second'].map((one) =>"
        " document.querySelector(one).getBoundingClientRect());"
        " return (head.x + head.width / 2 - track.x) / track.width; }"
    )
    slider = page.locator("#second")
    part = float(await slider.input_value()) / float(await slider.get_attribute("max") or 0)
    assert await page.evaluate(RUNNING) == 0
    assert left == pytest.approx(part, abs=0.002)
    await expect(page.locator(".track[data-runs]")).to_have_count(0)
    assert desk.faults == []


@pytest.mark.parametrize(
    ("followed", "clock"), [("[data-hindsight='1']", "at"), ("#board .card > a", "as_of")]
)
async def test_a_link_followed_while_it_plays_leads_to_the_instant_that_is_shown(
    desk: Watched, followed: str, clock: str
) -> None:
    page = await opened(desk, f"{PATH}?at=2025-05-01T04:00:00Z")
    await page.select_option("#speed", "20")
    await page.keyboard.press("Space")
    await page.wait_for_function(
        "(one) => !clock.textContent.includes(' May') && document.querySelector(one)", arg=followed
    )
    await page.evaluate("(one) => document.querySelector(one).click()", followed)
    await page.wait_for_url(re.compile("hindsight=1|/deals/"))

    asked = parse_qs(urlsplit(page.url).query)
    assert asked[clock] > ["2025-05-31"]
    assert desk.faults == []
