"""Who comes first: shown around the sample company once, and told what to do in an empty ledger."""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Final

import pytest
from fastapi.testclient import TestClient
from playwright.async_api import Page, expect

from tests.support.browser import Site, Window, Windows, assert_accessible
from tests.support.client import TOKEN, client_on, open_deal
from tests.support.ledgers import SCHEMA
from tests.support.postgres import PostgresServer
from tests.support.site import OWNER, REP, fill, site_on

WALK: Final = ("/", "/board", "/deals/", "/replay", "/process")
PATHS: Final = ("/", "/today", "/board", "/process", "/organisation", "/report", "/settings")


@dataclass(frozen=True, slots=True)
class Served:
    """The site on the sample company, and a key for each of four people."""

    site: Site
    secrets: Mapping[str, str]


@pytest.fixture(scope="module")
async def served(chromium: Windows, postgres_server: PostgresServer) -> AsyncIterator[Served]:
    with (
        postgres_server.ledger(SCHEMA, filled_by=fill) as database,
        site_on(database) as (base, _, secrets),
    ):
        yield Served(Site(base, chromium), secrets)


async def signed_in(page: Page, secret: str) -> None:
    await page.fill("#token", secret)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/")


@pytest.mark.parametrize("script", [True, False])
async def test_the_tour_leads_from_page_to_page_and_is_not_offered_again(
    served: Served, *, script: bool
) -> None:
    async with served.site.seen(Window(script=script, scheme="dark", width=390)) as watched:
        page = await watched.open(f"/sign-in?token={TOKEN}&next=/")
        tour = page.locator("#tour")
        for number, path in enumerate(WALK, start=1):
            await expect(tour).to_contain_text(f"Tour, {number} of 5")
            assert page.url.removeprefix(watched.base).startswith(path)
            if script and number == 1:
                await assert_accessible(page, "the tour")
                assert await page.evaluate("document.getAnimations().length") == 0
            if number < len(WALK):
                await tour.get_by_role("link", name="Next").press("Enter")
        await tour.get_by_role("link", name="End the tour").press("Enter")
        await expect(tour).to_have_count(0)
        assert page.url.endswith("/process")

        await watched.open("/")
        await expect(page.locator("h1")).to_be_visible()
        assert await tour.count() == 0
        await page.locator(".who").press("Enter")
        await page.get_by_role("link", name="Take the tour").click()
        await expect(tour).to_contain_text("Tour, 1 of 5")
        assert watched.faults == []


async def test_escape_ends_the_tour_but_closes_what_is_open_first(served: Served) -> None:
    async with served.site.seen() as watched:
        page = await watched.open(f"/sign-in?token={TOKEN}&next=/")
        await page.locator("main .how").first.press("Enter")
        await expect(page.locator("main .how-sheet:popover-open")).to_have_count(1)
        await page.keyboard.press("Escape")
        await expect(page.locator("main .how-sheet:popover-open")).to_have_count(0)
        await expect(page.locator("#tour")).to_be_visible()

        await page.locator("#tour-end").focus()
        await page.keyboard.press("Escape")
        await expect(page.locator("#tour")).to_have_count(0)
        await expect(page.locator("#main")).to_be_focused()
        await page.reload()
        await expect(page.locator("h1")).to_be_visible()
        assert await page.locator("#tour").count() == 0
        assert watched.faults == []


@pytest.mark.parametrize(("who", "of"), [(REP, 4), (OWNER, 4)])
async def test_the_tour_has_the_pages_that_its_reader_may_open(
    served: Served, who: str, of: int
) -> None:
    async with served.site.seen() as watched:
        page = await watched.open("/sign-in")
        await signed_in(page, served.secrets[who])
        # The deal that it opens is another rep's, and who owns processes replays no quarter.
        await expect(page.locator("#tour")).to_contain_text(f"Tour, 1 of {of}")
        for _ in range(of - 1):
            await page.locator("#tour").get_by_role("link", name="Next").click()
        await expect(page.locator("#tour-end")).to_have_text("End the tour")
        assert watched.faults == []


def said(client: TestClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    main = re.search(r"<main.*?</main>", answer.text, re.DOTALL)
    assert main is not None
    assert 'id="tour"' not in answer.text
    return main[0]


def test_an_empty_ledger_says_on_every_page_what_to_do_next(database: str) -> None:
    with client_on(database) as client:
        for path in (*PATHS, "/replay"):
            html = said(client, path)
            assert "The ledger is empty" in html, path
            assert "dealtrail import" in html, path
        assert "dealtrail quota" in said(client, "/settings")
        assert "dealtrail member" in said(client, "/settings")
        assert "dealtrail process" in said(client, "/process")
        assert client.get("/tour/1", follow_redirects=False).headers["location"] == "/"

        open_deal(client)
        assert "The ledger is empty" not in said(client, "/board")
