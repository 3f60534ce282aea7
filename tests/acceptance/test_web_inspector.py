"""The event that was opened last, docked beside the ledger of its deal, in a real browser."""

from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import Page, Route, expect

from tests.support.browser import (
    CHROMIUM,
    Site,
    Watched,
    Window,
    Windows,
    assert_accessible,
    serving,
)
from tests.support.client import event
from tests.support.looking import Served, served_on
from tests.support.postgres import PostgresServer
from tests.support.web_answers import DEAL_ID
from tests.support.web_parts import event_id
from tests.support.web_reads import TOKEN, FakeReads, pages_on

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")

DEAL = f"/deals/{DEAL_ID}"
EMPTY = "Open an event in the chart or the ledger."


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


@pytest.fixture(scope="module")
def served(chromium: Windows, postgres_server: PostgresServer) -> Iterator[Served]:
    with served_on(chromium, postgres_server) as found:
        yield found


async def selected(page: Page) -> list[str]:
    """Give the ids of what is marked as open in the chart and in the ledger."""
    found: list[str] = await page.eval_on_selector_all(
        "#plot [aria-current], .ledger tr[aria-current]", "all => all.map((one) => one.id)"
    )
    return found


def row(page: Page, version: int) -> str:
    return f"#e-{event_id(version)} .opens"


async def test_an_event_of_the_chart_is_docked_with_its_facts_and_said_once(desk: Watched) -> None:
    page = await desk.open(DEAL)
    panel = page.locator("#inspector")
    await expect(panel).to_contain_text(EMPTY)
    await page.locator(".plot [tabindex='0']").focus()
    await page.keyboard.press("p")
    await page.keyboard.press("Enter")

    await expect(panel.locator("h3")).to_have_text("1. Close date moved to 30 Jun 2026")
    facts = panel.locator(".verdict-facts > div")
    await expect(facts).to_have_count(4)
    assert await facts.nth(1).inner_text() == (
        "Behind the pace to quota Holds\npressure 0.62; asked: 0.25 or more. Evidence: 17,014"
    )
    await expect(panel.locator("[role=status]")).to_have_text(
        "Opened: 1. Close date moved to 30 Jun 2026"
    )
    assert await selected(page) == [f"m-{event_id(10)}", f"e-{event_id(10)}"]
    await page.locator("#tip").get_by_role("link", name="Facts and evidence").press("Enter")
    await expect(panel).to_be_focused()
    await expect(panel).to_be_in_viewport()
    await assert_accessible(page, "the docked event")

    await page.keyboard.press("Escape")
    await expect(panel).to_contain_text(EMPTY)
    assert await selected(page) == []
    await expect(page.locator(f"#m-{event_id(10)}")).to_be_focused()
    assert desk.faults == []


async def test_an_event_of_the_ledger_leads_to_its_evidence_and_on_by_keys(desk: Watched) -> None:
    page = await desk.open(DEAL)
    await page.locator(row(page, 6)).press("Enter")
    panel = page.locator("#inspector")
    await expect(panel.locator("h3")).to_have_text("Entered Discover")
    assert await page.locator("#tip").is_hidden()

    await panel.locator(".event-id").first.press("Enter")
    await expect(panel.locator("h3")).to_have_text("Evidenced: reason to change")
    await panel.get_by_role("button", name="Next event").focus()
    await page.keyboard.press("ArrowLeft")
    await expect(panel.locator("h3")).to_have_text("Ticked: Find out why they would change")
    await page.keyboard.press("Enter")
    await expect(panel.locator("h3")).to_have_text("Evidenced: reason to change")
    await expect(panel.get_by_role("button", name="Next event")).to_be_focused()
    assert await selected(page) == [f"m-{event_id(5)}", f"e-{event_id(5)}"]
    link = await panel.get_by_role("link", name="Link to this event").get_attribute("href")

    await page.keyboard.press("Escape")
    await expect(page.locator(row(page, 6))).to_be_focused()
    assert link is not None
    await desk.open(link)
    await expect(panel.locator("h3")).to_have_text("Evidenced: reason to change")
    assert "as_of=position" in page.url
    assert desk.faults == []


async def test_on_a_phone_the_sheet_beside_the_mark_has_it_all(desk: Watched) -> None:
    await desk.look(Window(width=390))
    page = await desk.open(DEAL)
    assert await page.locator("#inspector").is_hidden()
    tip = page.locator("#tip")
    await page.locator(f"#m-{event_id(17)}").click()
    await expect(tip.locator(".verdict-facts > div")).to_have_count(4)
    await expect(tip).to_be_in_viewport(ratio=0.99)
    await tip.locator(".event-id").first.click()
    await expect(tip.locator("h3")).to_have_text("Entered Qualify")
    await page.keyboard.press("Escape")
    await expect(tip).to_be_hidden()

    await page.locator(row(page, 7)).click()
    await expect(tip).to_contain_text("Shook hands at the fair")
    await assert_accessible(page, "the sheet of an event on a phone")
    assert desk.faults == []


async def test_without_script_nothing_is_docked(site: Site) -> None:
    async with site.signed_in(Window(script=False), credential=TOKEN) as watched:
        page = await watched.open(DEAL)
        assert await page.locator("#inspector").is_hidden()
        await page.locator(row(page, 6)).click()
        await page.wait_for_url(f"**#e-{event_id(6)}")
        assert watched.faults == []


async def test_what_is_docked_stays_while_others_append_and_is_told_anew(served: Served) -> None:
    deal = served.open_deal("Docked")
    async with served.looking(f"/deals/{deal}") as looker:
        page = looker.page
        panel = page.locator("#inspector")
        note = served.append(deal, event("note_added", text="word " * 1999 + "end"))
        await page.locator(".opens", has_text="Note").click()
        await expect(panel.locator(".inspected")).to_contain_text("word")
        await panel.locator("summary").click()
        await panel.evaluate("one => { one.scrollTop = 40; one.dataset.same = ''; }")
        noted = str(await panel.locator(".inspected").get_attribute("data-event"))
        await page.evaluate("document.activeElement.blur()")
        await page.mouse.move(2, 2)
        wrong = {"event_id": noted, "reason": "of another deal"}
        served.append(deal, event("event_retracted", **wrong))

        await expect(page.locator(".ledger tbody tr")).to_have_count(4)
        await expect(panel).to_contain_text("of another deal")
        await expect(panel.locator("details")).to_have_attribute("open", "")
        await expect(panel).to_have_attribute("data-same", "")
        assert await panel.evaluate("one => one.scrollTop") == 40
        await expect(page.locator(f"#e-{noted}")).to_have_attribute("aria-current", "true")
        assert note < served.ledger.store.head().position


async def test_what_is_docked_is_told_as_of_the_moment_that_the_scrubber_leads_to(
    served: Served,
) -> None:
    deal = served.open_deal("Scrubbed")
    served.append(deal, event("note_added", text="The yard is closed in May"))
    async with served.site.signed_in() as watched:
        page = await watched.open(f"/deals/{deal}")
        panel = page.locator("#inspector")
        await page.locator(".opens", has_text="Note").click()
        await expect(panel).to_contain_text("The yard is closed in May")
        await page.locator("#slider").focus()
        await page.keyboard.press("Home")
        await expect(panel).to_contain_text("Nothing is told of this event as of this moment.")
        await page.keyboard.press("End")
        await expect(panel).to_contain_text("The yard is closed in May")
        assert [fault for fault in watched.faults if "404" not in fault] == []


async def test_a_text_of_ten_thousand_characters_leaves_a_row_low(served: Served) -> None:
    text = "word " * 1999 + "end"
    deal = served.open_deal("Tall")
    served.append(deal, event("note_added", text=text))
    async with served.site.signed_in(Window(script=False)) as watched:
        page = await watched.open(f"/deals/{deal}")
        first = page.locator(".ledger tbody tr").first
        box = await first.bounding_box()
        assert box is not None
        assert box["height"] < 200
        await first.locator(".long summary").click()
        assert "word word end" in await first.inner_text()
        told = await first.locator("small").first.evaluate(
            "one => { one.querySelector('summary').remove(); return one.textContent; }"
        )
        assert told == text
        assert watched.faults == []


async def test_what_is_being_opened_is_opened_though_the_page_changes(desk: Watched) -> None:
    page = await desk.open(DEAL)
    await page.click(row(page, 8))
    await expect(page.locator(f"[data-event='{event_id(8)}']")).to_be_visible()

    async def unanswered(_: Route) -> None:
        """Leave it open, until the page gives it up."""

    await page.route(f"**/events/{event_id(9)}*", unanswered, times=1)
    async with page.expect_request(f"**/events/{event_id(9)}*"):
        await page.click(row(page, 9))

    await page.evaluate("() => document.dispatchEvent(new Event('shown'))")

    await expect(page.locator(f"[data-event='{event_id(9)}']")).to_be_visible()
