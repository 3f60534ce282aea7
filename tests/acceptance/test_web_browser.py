"""The pages in a real browser: whole without script, usable by keyboard, clean under axe."""

import itertools
from base64 import b64encode
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from playwright.async_api import Locator, Page, expect

from api.bootstrap_server import build_app
from tests.support.browser import (
    CHROMIUM,
    Site,
    Watched,
    Window,
    Windows,
    assert_accessible,
    assert_fit_for_all,
    serving,
)
from tests.support.ink import ink
from tests.support.ledgers import SCHEMA
from tests.support.roles import under_roles
from tests.support.web_answers import BARE_ID, DEAL_ID, LONG_ID
from tests.support.web_parts import event_id
from tests.support.web_reads import TOKEN, FakeReads, pages_on

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")

DEAL = f"/deals/{DEAL_ID}"
PAGES = ["/board", DEAL, f"/deals/{BARE_ID}", "/deals/none"]


MIDDLE = """async (_, picture) => {
  const bytes = Uint8Array.from(atob(picture), (one) => one.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes]));
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
  canvas.drawImage(bitmap, 0, 0);
  return canvas.getImageData(bitmap.width >> 1, bitmap.height >> 1, 1, 1).data.join();
}"""

GROUND = """() => {
  const one = document.body.appendChild(document.createElement("i"));
  one.style.color = "Canvas";
  return getComputedStyle(one).color;
}"""
"""Gives what the system paints the ground with."""


@pytest.fixture(scope="module")
async def site(chromium: Windows) -> AsyncIterator[Site]:
    with serving(pages_on(FakeReads())) as base:
        yield Site(base, chromium)


@pytest.fixture(scope="module")
async def shared_desk(site: Site) -> AsyncIterator[Watched]:
    async with site.signed_in(credential=TOKEN) as watched:
        yield watched


@pytest.fixture
async def desk(shared_desk: Watched) -> Watched:
    """A window in which somebody is signed in."""
    return await shared_desk.as_at_first()


async def middle(drawn: Locator) -> str:
    """Give the colour that is seen in the middle, which no computed style tells of an SVG."""
    picture = b64encode(await drawn.screenshot()).decode()
    return str(await drawn.evaluate(MIDDLE, picture))


async def focused(page: Page) -> str:
    return str(await page.evaluate("document.activeElement.id.match(/^m-(.*)/)?.[1] ?? ''"))


async def test_pages_are_accessible_and_ask_nobody_else(desk: Watched) -> None:
    for path in PAGES:
        await assert_fit_for_all(await desk.open(path), path)
    faults = [fault for fault in desk.faults if "404" not in fault]
    assert faults == []


async def test_the_sign_in_page_is_accessible_too(site: Site) -> None:
    async with site.seen() as watched:
        page = await watched.open("/board")

        assert await page.title() == "Sign in \N{EN DASH} Dealtrail"
        await assert_accessible(page, "the sign-in")
        await page.fill("#token", TOKEN)
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/board")


async def test_without_script_the_deal_page_is_complete(site: Site) -> None:
    async with site.signed_in(Window(script=False), credential=TOKEN) as watched:
        page = await watched.open(DEAL)

        assert await page.locator(".mark").count() == 19
        assert await page.locator(".mark .glyph").first.is_visible()
        assert await page.locator(".plot .pin").count() == 3
        assert await page.locator(".ledger tbody tr").count() == 20
        assert await page.locator("#theme").is_hidden()
        await page.locator(".mark.hot").first.click()
        await page.wait_for_url(f"**#e-{event_id(10)}")
        assert watched.faults == []


async def test_without_script_the_board_filters(site: Site) -> None:
    async with site.signed_in(Window(script=False), credential=TOKEN) as watched:
        page = await watched.open("/board")
        before = await page.locator(".card").count()
        await page.select_option("#show", "closed")
        await page.get_by_role("button", name="Apply").click()
        await page.wait_for_url("**show=closed**")

        assert 0 < await page.locator(".card").count() < before
        assert await page.input_value("#show") == "closed"


async def test_the_chart_is_one_tab_stop_with_arrow_keys(desk: Watched) -> None:
    page = await desk.open(DEAL)
    assert await page.locator(".plot [tabindex='0']").count() == 1

    await page.locator(".plot [tabindex='0']").focus()
    walk = []
    for key in ("Home", "ArrowRight", "ArrowUp", "p", "p", "p", "p", "End", "ArrowLeft"):
        await page.keyboard.press(key)
        walk.append(await focused(page))

    assert walk == [event_id(v) for v in (1, 2, 3, 10, 17, 20, 10, 20, 19)]
    await page.keyboard.press("Tab")
    assert await focused(page) == ""


async def test_enter_opens_what_is_known_of_an_event_and_escape_closes_it(desk: Watched) -> None:
    page = await desk.open(DEAL)
    await page.locator(".plot [tabindex='0']").focus()
    await page.keyboard.press("p")
    await page.keyboard.press("Enter")

    tip = page.locator("#tip")
    for said in ("1. Close date moved to 30 Jun 2026", "consistent with quota pressure"):
        await expect(tip).to_contain_text(said, use_inner_text=True)
    await expect(tip).to_be_visible()
    await assert_accessible(page, "what is known of an event")
    await page.keyboard.press("Escape")
    await expect(tip).to_be_hidden()
    assert await focused(page) == event_id(10)


async def test_the_skip_link_is_the_first_stop(desk: Watched) -> None:
    page = await desk.open(DEAL)
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")

    await expect(page.locator("#main")).to_be_focused()


async def test_on_a_phone_the_menu_opens_without_script(site: Site) -> None:
    async with site.signed_in(Window(width=390, script=False), credential=TOKEN) as watched:
        page = await watched.open(DEAL)
        assert await page.locator("#around").is_hidden()

        await page.get_by_role("button", name="Menu").click()
        await page.locator("#around").get_by_role("link", name="Board").click()

        await page.wait_for_url("**/board")
        assert watched.faults == []


async def test_the_theme_stays_over_a_reload(site: Site) -> None:
    async with site.signed_in(credential=TOKEN) as watched:
        page = await watched.open("/board")
        await page.get_by_role("button", name="Dark theme").click()
        await page.reload()

        assert await page.get_attribute("html", "data-theme") == "dark"


async def test_the_parts_of_a_deal_are_shown_in_the_order_in_which_they_are_read(
    desk: Watched,
) -> None:
    places = """all => all.map((one) => one.getBoundingClientRect())
        .map((box) => [Math.round(box.left), Math.round(box.top), Math.round(box.bottom)])"""

    # One ledger is longer than what stands beside it, the other shorter.
    for deal in (LONG_ID, BARE_ID):
        page = await desk.open(f"/deals/{deal}")
        panels = page.locator(".two .panel:visible")
        ledger, *beside, steps = await panels.evaluate_all(places)
        assert ledger[0] == steps[0] < min(left for left, _, _ in beside)
        assert beside[0][1] == ledger[1]
        assert 0 <= steps[1] - ledger[2] < 40
        for width in (900, 390):
            await page.set_viewport_size({"width": width, "height": 900})
            shown = await panels.evaluate_all(places)
            assert len({left for left, _, _ in shown}) == 1
            assert shown == sorted(shown, key=lambda place: place[1])
        await page.set_viewport_size({"width": 1440, "height": 900})


async def test_a_deal_of_a_thousand_events_is_drawn_with_hit_areas_that_do_not_overlap(
    desk: Watched,
) -> None:
    page = await desk.open(f"/deals/{LONG_ID}")
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
    assert desk.faults == []


async def test_forced_colours_keep_apart_what_colours_tell(desk: Watched) -> None:
    await desk.page.emulate_media(forced_colors="active")
    page = await desk.open(DEAL)
    fill = "beads => beads.map(b => getComputedStyle(b).backgroundColor)"
    filled = await page.eval_on_selector_all(".finding .beads .filled", fill)
    hollow = await page.eval_on_selector_all(".finding .beads .hollow", fill)
    assert set(filled).isdisjoint(hollow)
    for place in (".legend", ".plot .mark"):
        glyphs = page.locator(f"{place} .glyph")
        circles = glyphs.filter(has=page.locator("use[href='#glyph-circle']"))
        inside = [
            await middle(circles.and_(page.locator(f".{kind}")).first)
            for kind in ("filled", "hollow")
        ]
        assert inside[0] != inside[1], place
    edge = "all => all.map((one) => getComputedStyle(one).borderTopStyle)"
    assert await page.eval_on_selector_all(".plot .pin", edge) == ["solid"] * 3

    band = page.locator(".band")
    hatched = await ink(band)
    await page.locator(".hatch").evaluate_all("all => all.forEach((one) => one.remove())")
    assert hatched > await ink(band) + 100

    page = await desk.open("/board")
    outline = "all => all.map((one) => getComputedStyle(one).outlineStyle)"
    assert await page.eval_on_selector_all(".around a[aria-current]", outline) == ["solid"]


async def test_in_forced_colours_what_is_hollow_has_the_colour_of_the_ground(
    desk: Watched,
) -> None:
    await desk.look(Window(scheme="dark", forced_colors=True))
    page = await desk.open(DEAL)
    ground = await page.evaluate(GROUND)
    fill = "all => all.map((one) => getComputedStyle(one).fill)"
    for kind in ("hollow", "dashed"):
        drawn = await page.eval_on_selector_all(f".glyph.{kind}", fill)
        assert drawn, kind
        assert set(drawn) == {ground}, kind


async def test_a_browser_signs_in_with_a_key_and_out_again(
    chromium: Windows, database: str
) -> None:
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
        async with Site(base, chromium).seen() as watched:
            page = await watched.open("/board")
            await page.fill("#token", made.secret)
            await page.keyboard.press("Enter")
            await page.wait_for_url("**/board")
            await page.get_by_role("button", name="pat").click()
            await page.get_by_role("button", name="Sign out").click()
            await page.wait_for_url("**/sign-in")
            await page.goto(f"{base}/board")
            assert "/sign-in" in page.url
