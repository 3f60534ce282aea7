"""What a look at a board brings is the parts that changed, and makes the page whole."""

from collections.abc import Iterator
from typing import Final

import pytest
from playwright.async_api import Route, expect

from tests.support.browser import CHROMIUM, Windows
from tests.support.client import event
from tests.support.looking import Served, served_on
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")

PARTS: Final = """async (from) => {
  const answer = from === "a load" ? await fetch(location.href) : null;
  const loaded = (text) => new DOMParser().parseFromString(text, "text/html");
  const page = answer ? loaded(await answer.text()) : document;
  return [...page.querySelectorAll("[data-part]")].map((part) => {
    const copy = part.cloneNode(true);
    for (const one of copy.querySelectorAll("[data-moment], input[type=hidden]")) one.remove();
    for (const one of [copy, ...copy.querySelectorAll("*")])
      for (const name of ["draggable", "data-fresh", "data-drops"]) one.removeAttribute(name);
    return copy.outerHTML;
  });
}"""
"""Gives the parts of the page as they stand, or as a whole load has them."""


@pytest.fixture(scope="module")
def served(chromium: Windows, postgres_server: PostgresServer) -> Iterator[Served]:
    with served_on(chromium, postgres_server) as found:
        yield found


async def test_a_look_brings_the_parts_that_changed_and_the_page_is_as_a_whole_load_has_it(
    served: Served,
) -> None:
    deal, other = served.open_deal("Partly"), served.open_deal("Elsewhere")
    async with served.looking("/board") as looker:
        page, sent = looker.page, []

        async def measure(route: Route) -> None:
            answer = await route.fetch()
            sent.append((await answer.text()).count("data-tag="))
            await route.fulfill(response=answer)

        await page.route("**/board", measure)
        await page.mouse.move(2, 2)
        assert await page.evaluate(PARTS, "here") == await page.evaluate(PARTS, "a load")
        whole = sent.pop()
        served.append(deal, event("note_added", text="of what no card shows"))
        served.append(deal, event("discount_offered", percent="7"))
        await expect(looker.card("Partly", "qualify")).to_contain_text("7%")
        served.append(deal, event("stage_entered", stage="discover"))
        await expect(looker.card("Partly", "discover")).to_be_visible()
        served.append(other, event("stage_entered", stage="solution"))
        await expect(looker.card("Elsewhere", "solution")).to_be_visible()

        assert all(one < whole for one in sent)
        assert await page.evaluate(PARTS, "here") == await page.evaluate(PARTS, "a load")
        await page.unroute_all(behavior="wait")
