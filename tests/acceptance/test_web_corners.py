"""Corners of pages that nothing else looks into: forced colours, and a process that is compared."""

from collections.abc import AsyncIterator
from typing import Final

import pytest
import yaml
from playwright.async_api import Locator, expect

from tests.support.browser import CHROMIUM, Site, Window, Windows, assert_fit_for_all
from tests.support.ink import ink
from tests.support.ledgers import SCHEMA
from tests.support.postgres import PostgresServer
from tests.support.replay_pages import signed_in
from tests.support.site import fill, site_on

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")

WIDE: Final = """all => all.forEach((bar) => {
  const large = { width: "60px", height: "20px" };
  for (const one of [bar, bar.closest(".pressure-bar, .count-bar")].filter(Boolean))
    Object.assign(one.style, large);
})"""
"""Makes bars as large as is needed to see what fills them."""


@pytest.fixture(scope="module")
async def site(chromium: Windows, postgres_server: PostgresServer) -> AsyncIterator[Site]:
    with (
        postgres_server.ledger(SCHEMA, filled_by=fill) as database,
        site_on(database) as (base, _, _),
    ):
        yield Site(base, chromium)


async def filled(bars: Locator) -> float:
    """Give which share of the first of some bars is drawn dark."""
    await bars.evaluate_all(WIDE)
    box = await bars.first.bounding_box()
    assert box is not None
    return await ink(bars.first) / (box["width"] * box["height"])


async def test_what_is_pressure_shaped_is_hatched_in_the_audit_and_else_filled(site: Site) -> None:
    async with site.seen(Window(forced_colors=True)) as watched:
        page = await signed_in(watched, "/audit?q=verdict:pressure_shaped")
        bars = page.locator(".hot .pressure-bar i")
        hatched = await filled(bars)
        drawn = await bars.first.evaluate("one => getComputedStyle(one).backgroundImage")
        assert await page.evaluate("getComputedStyle(document.body).color") in drawn
        await watched.open("/audit?q=verdict:not_pressure_shaped&by=type")
        plain = await filled(page.locator("td > :not(.hot) .pressure-bar i"))
        counted = await filled(page.locator(".count-bar i"))

        assert 0.2 < hatched < 0.8
        assert plain > 0.85
        assert counted > 0.85
        assert watched.faults == []


async def test_the_last_days_are_hatched_in_the_chart_of_an_organisation(site: Site) -> None:
    async with site.seen(Window(forced_colors=True)) as watched:
        page = await signed_in(watched, "/organisation?quarter=FY2026Q1")
        keys = {
            name: await filled(page.locator(f".keys-of .{name}"))
            for name in ("won", "out", "window")
        }
        await page.locator(".close-chart svg").evaluate_all("all => all.map((one) => one.remove())")

        assert keys["won"] > 0.85
        assert keys["out"] < 0.3
        assert 0.1 < keys["window"] < 0.6
        assert 0.1 < await filled(page.locator(".close-chart .window")) < 0.6
        assert watched.faults == []


@pytest.mark.parametrize("script", [False, True])
async def test_what_a_version_would_change_is_seen_at_any_width(
    site: Site, *, script: bool
) -> None:
    async with site.seen(Window(script=script)) as watched:
        page = await signed_in(watched, "/process/publish?process=standard")
        told = yaml.safe_load(await page.input_value("#f-text"))
        stages = told["stages"]
        stages[1]["activities"][0]["purpose"] = "x" * 300
        stages[2]["activities"].append(stages[1]["activities"].pop())
        stages.append(stages.pop(0) | {"id": "again", "activities": []})
        await page.fill("#f-text", yaml.safe_dump(told))
        await page.get_by_role("button", name="Check it").click()

        columns = page.locator(".found .stage")
        await expect(columns.filter(has_text="Purpose was")).to_have_count(1)
        assert await page.locator(".found .moved").count() == 1
        await expect(columns.first).to_have_class("panel stage removed")
        await expect(columns.last).to_have_class("panel stage added")
        if script:
            await assert_fit_for_all(page, "what a version would change")
        else:
            await columns.last.scroll_into_view_if_needed()
            await expect(columns.last).to_be_in_viewport()
        assert watched.faults == []
