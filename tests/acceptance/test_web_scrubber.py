"""The scrubber of a deal's page: the whole page as known at an instant, as the server has it."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from random import Random
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from playwright.async_api import Page, expect

from tests.support.browser import CHROMIUM, Site, Watched, Window, Windows
from tests.support.client import TOKEN
from tests.support.ledgers import SCHEMA
from tests.support.postgres import PostgresServer
from tests.support.site import STORY, fill, site_on

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")

CHANCE: Final = Random(7)
HOLLOW: Final = ("asserted_only", "bare_tick")
SLIDE: Final = """(step) => {
  const slider = document.getElementById("slider");
  slider.value = step;
  slider.dispatchEvent(new Event("input", { bubbles: true }));
}"""
SHOWN: Final = """() => {
  const copy = document.getElementById("main").cloneNode(true);
  for (const one of copy.querySelectorAll("#slide, #keys, script, [data-moment]")) one.remove();
  return copy.textContent.replace(/\\s+/g, " ").trim();
}"""

TOP: Final = "one => one.getBoundingClientRect().top"


@dataclass(frozen=True, slots=True)
class Served:
    """The site, the address of a deal's page, and who asks the API about it."""

    site: Site
    deal: str
    client: httpx2.Client

    def api(self, what: str, **query: str) -> Any:
        answer = self.client.get(f"/v1/deals/{self.deal}{what}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def signed_in(self, watched: Watched) -> Page:
        return await watched.open(f"/sign-in?token={TOKEN}&next=/deals/{self.deal}")


@pytest.fixture(scope="module")
async def served(chromium: Windows, postgres_server: PostgresServer) -> AsyncIterator[Served]:
    with (
        postgres_server.ledger(SCHEMA, filled_by=fill) as database,
        site_on(database) as (base, ledger, _),
        httpx2.Client(base_url=base, headers={"Authorization": f"Bearer {TOKEN}"}) as client,
    ):
        deal = ledger.store.stream_ids_of(STORY)[0].partition(":")[2]
        yield Served(Site(base, chromium), deal, client)


async def slid_to(page: Page, step: int, position: int) -> None:
    await page.evaluate(SLIDE, step)
    await page.wait_for_url(f"**as_of=position%3A{position}*")
    await expect(page.locator(".then")).to_contain_text(f"position {position:,}")


async def test_the_page_after_any_event_is_the_one_that_the_server_answers(served: Served) -> None:
    events = sorted(served.api("/history")["events"], key=lambda one: int(one["position"]))
    places = [one["position"] for one in events]
    async with served.site.seen() as watched, served.site.seen(Window(script=False)) as other:
        page, plain = await served.signed_in(watched), await served.signed_in(other)
        await expect(page.locator("#slid")).to_have_text(f"all {len(places)} events, now")
        for step in CHANCE.sample(range(1, len(places)), 3):
            position = places[step - 1]
            await slid_to(page, step, position)
            await plain.goto(page.url)
            known = {"as_of": f"position:{position}"}
            counts = served.api("/progress", **known)["counts"]
            pressure = served.api("/pressure", **known)["shares"]

            assert await page.evaluate(SHOWN) == await plain.evaluate(SHOWN)
            text = await page.locator("#slid").inner_text()
            assert text.startswith(f"event {step} of {len(places)}, ")
            assert await page.locator("#slider").get_attribute("aria-valuetext") == text
            assert await page.locator(".facts dd").last.inner_text() == str(step)
            assert await page.locator(".ledger tbody tr").count() == min(25, step)
            figures = await page.locator(".finding > strong").all_inner_texts()
            hollow = sum(counts[status] for status in HOLLOW)
            settled = hollow + counts["evidenced"] + counts["evidenced_late"]
            expected = [hollow] * bool(settled) + [pressure["shaped"]] * bool(pressure["evaluable"])
            assert figures == [str(one) for one in expected]
            told = {one["event_id"] for one in served.api("/history", **known)["events"]}
            marks = await page.eval_on_selector_all(
                ".mark", "all => all.map((one) => one.id.slice(2))"
            )
            assert set(marks) <= told
            assert marks
        assert [*watched.faults, *other.faults] == []


async def test_keys_lead_through_the_events_and_back_to_where_it_began(served: Served) -> None:
    places = sorted(one["position"] for one in served.api("/history")["events"])
    async with served.site.seen() as watched:
        page = await served.signed_in(watched)
        slider = page.locator("#slider")
        await slider.focus()
        for key, position in (("ArrowLeft", places[-1]), ("ArrowLeft", places[-2])):
            await page.keyboard.press(key)
            await page.wait_for_url(f"**as_of=position%3A{position}*")
        await page.keyboard.press("Home")
        await expect(page.locator(".ledger tbody tr")).to_have_count(1)
        await expect(slider).to_be_focused()
        height = await slider.evaluate(TOP)
        await page.keyboard.press("ArrowRight")
        await expect(page.locator(".ledger tbody tr")).to_have_count(2)
        assert abs(await slider.evaluate(TOP) - height) < 2

        link = page.url
        await page.go_back()
        await expect(page.locator(".then")).to_have_count(0)
        await expect(slider).to_have_value(str(len(places) + 1))
        assert "as_of" not in page.url
        await page.go_forward()
        await expect(page.locator(".ledger tbody tr")).to_have_count(2)
        assert page.url == link
        async with page.expect_response(lambda told: "/v1/events/stream" in told.url):
            await slider.press("End")
        await expect(page.locator(".then")).to_have_count(0)
        assert "as_of" not in parse_qs(urlsplit(page.url).query)
        assert watched.faults == []


async def test_without_script_the_form_and_the_steps_do_the_same(served: Served) -> None:
    places = sorted(one["position"] for one in served.api("/history")["events"])
    async with served.site.seen(Window(script=False)) as watched:
        page = await served.signed_in(watched)
        assert await page.locator("#slider").is_hidden()
        await page.fill("#as_of", f"position:{places[4]}")
        await page.get_by_role("button", name="Show", exact=True).click()
        await page.get_by_role("link", name="Next event").click()
        await expect(page.locator(".ledger tbody tr")).to_have_count(6)
        await page.get_by_role("link", name="Before the last event").click()
        await expect(page.locator(".ledger tbody tr")).to_have_count(5)
        assert re.search(rf"position(:|%3A){places[4]}$", page.url)
        assert watched.faults == []
