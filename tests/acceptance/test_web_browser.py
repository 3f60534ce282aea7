"""The pages in a real browser: whole without script, usable by keyboard, clean under axe."""

import itertools
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped] # untyped
from playwright.async_api import Page

from api.bootstrap_server import build_app
from tests.support.browser import AXE_RUN, CHROMIUM, Scheme, Site, Window, launched, serving
from tests.support.ledgers import SCHEMA
from tests.support.roles import under_roles
from tests.support.web_answers import BARE_ID, DEAL_ID, LONG_ID
from tests.support.web_parts import event_id
from tests.support.web_reads import TOKEN, FakeReads, pages_on

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")

DEAL = f"/deals/{DEAL_ID}"
PAGES = ["/board", DEAL, f"{DEAL}?as_of=position:9&all=1", f"/deals/{BARE_ID}", "/deals/none"]


@pytest.fixture(scope="module")
async def site() -> AsyncIterator[Site]:
    async with launched() as browser:
        with serving(pages_on(FakeReads())) as base:
            yield Site(base, browser)


async def focused(page: Page) -> str:
    return str(await page.evaluate("document.activeElement.dataset.key ?? ''"))


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
async def test_pages_are_accessible_and_ask_nobody_else(
    site: Site, scheme: Scheme, width: int
) -> None:
    async with site.seen(Window(scheme=scheme, width=width)) as watched:
        await watched.open(f"/sign-in?token={TOKEN}&next=/board")
        for path in PAGES:
            page = await watched.open(path)
            found = await Axe().run(page, options=AXE_RUN)

            assert found.violations_count == 0, f"{path}: {found.generate_report()}"
            overflow = await page.evaluate("document.documentElement.scrollWidth > innerWidth")
            assert not overflow, f"{path} is wider than the window"
        faults = [fault for fault in watched.faults if "404" not in fault]
        assert faults == []


async def test_the_sign_in_page_is_accessible_too(site: Site) -> None:
    async with site.seen() as watched:
        page = await watched.open("/board")

        assert await page.title() == "Sign in \N{EN DASH} Dealtrail"
        assert (await Axe().run(page, options=AXE_RUN)).violations_count == 0
        await page.fill("#token", TOKEN)
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/board")


async def test_without_script_the_deal_page_is_complete(site: Site) -> None:
    async with site.seen(Window(script=False)) as watched:
        await watched.open(f"/sign-in?token={TOKEN}&next=/board")
        page = await watched.open(DEAL)

        assert await page.locator(".mark").count() == 19
        assert await page.locator(".mark .glyph").first.is_visible()
        assert await page.locator(".plot .pin").count() == 3
        assert await page.locator(".ledger tbody tr").count() == 20
        assert await page.locator("#theme").is_hidden()
        await page.locator(".mark.hot").first.click()
        assert page.url.endswith(f"#e-{event_id(10)}")
        assert watched.faults == []


async def test_without_script_the_board_filters(site: Site) -> None:
    async with site.seen(Window(script=False)) as watched:
        await watched.open(f"/sign-in?token={TOKEN}&next=/board")
        page = await watched.open("/board")
        before = await page.locator(".card").count()
        await page.select_option("#show", "closed")
        await page.get_by_role("button", name="Apply").click()

        assert 0 < await page.locator(".card").count() < before
        assert await page.input_value("#show") == "closed"


async def test_the_chart_is_one_tab_stop_with_arrow_keys(site: Site) -> None:
    async with site.seen() as watched:
        await watched.open(f"/sign-in?token={TOKEN}&next=/board")
        page = await watched.open(DEAL)
        assert await page.locator(".plot [tabindex='0']").count() == 1

        await page.locator(".plot [tabindex='0']").focus()
        walk = []
        for key in ("Home", "ArrowRight", "ArrowUp", "p", "p", "p", "p", "End", "ArrowLeft"):
            await page.keyboard.press(key)
            walk.append(await focused(page))

        assert walk == [event_id(v) for v in (1, 2, 3, 10, 17, 20, 10, 20, 19)]
        await page.keyboard.press("Tab")
        assert await focused(page) == ""


async def test_enter_opens_what_is_known_of_an_event_and_escape_closes_it(site: Site) -> None:
    async with site.seen() as watched:
        await watched.open(f"/sign-in?token={TOKEN}&next=/board")
        page = await watched.open(DEAL)
        await page.locator(".plot [tabindex='0']").focus()
        await page.keyboard.press("p")
        await page.keyboard.press("Enter")

        tip = page.locator("#tip")
        assert await tip.is_visible()
        assert "1. Close date moved to 30 Jun 2026" in await tip.inner_text()
        assert "consistent with quota pressure" in await tip.inner_text()
        assert (await Axe().run(page, options=AXE_RUN)).violations_count == 0
        await page.keyboard.press("Escape")
        assert await tip.is_hidden()
        assert await focused(page) == event_id(10)


async def test_the_skip_link_is_the_first_stop(site: Site) -> None:
    async with site.seen() as watched:
        await watched.open(f"/sign-in?token={TOKEN}&next=/board")
        page = await watched.open(DEAL)
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")

        assert await page.evaluate("document.activeElement.id") == "main"


async def test_on_a_phone_the_menu_opens_without_script(site: Site) -> None:
    async with site.seen(Window(width=390, script=False)) as watched:
        await watched.open(f"/sign-in?token={TOKEN}&next=/board")
        page = await watched.open(DEAL)
        assert await page.locator("#around").is_hidden()

        await page.get_by_role("button", name="Menu").click()
        await page.locator("#around").get_by_role("link", name="Board").click()

        assert page.url.endswith("/board")
        assert watched.faults == []


async def test_the_theme_stays_over_a_reload(site: Site) -> None:
    async with site.seen() as watched:
        await watched.open(f"/sign-in?token={TOKEN}&next=/board")
        page = await watched.open("/board")
        await page.get_by_role("button", name="Dark theme").click()
        await page.reload()

        assert await page.get_attribute("html", "data-theme") == "dark"


async def test_a_deal_of_a_thousand_events_is_drawn_with_hit_areas_that_do_not_overlap(
    site: Site,
) -> None:
    async with site.seen() as watched:
        await watched.open(f"/sign-in?token={TOKEN}&next=/board")
        page = await watched.open(f"/deals/{LONG_ID}")
        boxes = await page.eval_on_selector_all(
            ".mark", "marks => marks.map(m => [m.offsetLeft, m.offsetTop, m.offsetWidth])"
        )

        assert len(boxes) > 300
        assert {box[2] for box in boxes} == {24}
        places = sorted((top, left) for left, top, _ in boxes)
        near = [
            (one, other)
            for one, other in itertools.pairwise(places)
            if one[0] == other[0] and other[1] - one[1] < 23
        ]
        assert near == []
        assert watched.faults == []


async def test_forced_colours_keep_filled_and_hollow_apart(site: Site) -> None:
    async with site.seen(Window(forced_colors=True)) as watched:
        await watched.open(f"/sign-in?token={TOKEN}&next=/board")
        page = await watched.open(DEAL)
        fill = "beads => beads.map(b => getComputedStyle(b).backgroundColor)"

        filled = await page.eval_on_selector_all(".finding .beads .filled", fill)
        hollow = await page.eval_on_selector_all(".finding .beads .hollow", fill)

        assert set(filled).isdisjoint(hollow)


async def test_a_browser_signs_in_with_a_key_and_out_again(database: str) -> None:
    async with launched() as browser:
        with (
            under_roles(database, schema=SCHEMA) as ledger,
            serving(build_app(ledger, token="token-of-the-test")) as base,
        ):
            made = ledger.keys.create(
                member="pat",
                role="process_owner",
                scopes=None,
                name="browser",
                lifetime=timedelta(days=1),
                by="test",
            )
            async with Site(base, browser).seen() as watched:
                page = await watched.open("/board")
                await page.fill("#token", made.secret)
                await page.keyboard.press("Enter")
                await page.wait_for_url("**/board")
                await page.get_by_role("button", name="pat").click()
                await page.get_by_role("button", name="Sign out").click()
                await page.wait_for_url("**/sign-in")
                await page.goto(f"{base}/board")
                assert "/sign-in" in page.url
