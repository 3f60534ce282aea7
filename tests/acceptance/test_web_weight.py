"""What a deal's page weighs as a browser first loads it, at a usual and at a great size."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import pytest
from playwright.async_api import expect

from tests.support.browser import CHROMIUM, Site, Windows
from tests.support.ledgers import SCHEMA
from tests.support.postgres import PostgresServer
from tests.support.site import site_on
from tests.support.weighed import LONG, USUAL, fill, name_of

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")

MOST: Final = {USUAL: 40_000, LONG: 60_000}
"""Bytes by the events of a deal: page, style, scripts and icon as they are sent, without fonts."""
LOADED: Final = """async () => {
  const icon = document.querySelector("link[rel=icon]").href;
  await fetch(icon);
  const soon = () => new Promise((done) => setTimeout(done, 10));
  while (!performance.getEntriesByName(icon).length) await soon();
  const kinds = ["navigation", "resource"].flatMap((kind) => performance.getEntriesByType(kind));
  return kinds.map((one) => [one.name.split("/").pop(), one.encodedBodySize, one.decodedBodySize]);
}"""


@dataclass(frozen=True, slots=True)
class Served:
    """The site, and its deals by how many events they have."""

    site: Site
    deals: dict[int, str]


@pytest.fixture(scope="module")
async def served(chromium: Windows, postgres_server: PostgresServer) -> AsyncIterator[Served]:
    with (
        postgres_server.ledger(SCHEMA, filled_by=fill) as database,
        site_on(database) as (base, ledger, _),
    ):
        deals = {
            events: ledger.store.stream_ids_of(name_of(events))[0].partition(":")[2]
            for events in MOST
        }
        yield Served(Site(base, chromium), deals)


@pytest.mark.parametrize("events", list(MOST))
async def test_the_first_load_of_a_deal_is_light(served: Served, events: int) -> None:
    async with served.site.signed_in() as watched:
        page = await watched.open(f"/deals/{served.deals[events]}")
        await expect(page.locator("dl.facts")).to_contain_text(f"{events}")
        loaded = await page.evaluate(LOADED)

        sent = {name: size for name, size, _ in loaded if not name.endswith(".otf")}
        assert {"deal.css", "deal.js", "swap.js", "mark.svg", served.deals[events]} <= sent.keys()
        assert [name for name, size, plain in loaded if size >= plain > 0] == []
        assert sum(sent.values()) <= MOST[events], sent
        assert watched.faults == []


async def test_who_comes_from_another_site_cannot_guess_by_the_length(served: Served) -> None:
    async with served.site.signed_in() as watched:
        asked = watched.context.request
        for address in (f"/deals/{served.deals[USUAL]}", f"/deals/{served.deals[USUAL]}/tips"):
            own = await asked.get(served.site.base + address)
            led = {"Sec-Fetch-Site": "cross-site"}
            theirs = await asked.get(served.site.base + address, headers=led)

            assert own.headers["content-encoding"] == "gzip"
            assert "content-encoding" not in theirs.headers
            assert "Sec-Fetch-Site" in theirs.headers["vary"]
