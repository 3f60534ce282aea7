"""What others do shows on open pages within a second, said once and in nobody's way."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from typing import Any, Final

import pytest
from playwright.async_api import Locator, Page, Route, expect

from tests.support.browser import CHROMIUM, Windows
from tests.support.client import event
from tests.support.looking import STREAM, Looker, Served, served_on
from tests.support.postgres import PostgresServer
from tests.support.site import MANAGER, REP
from tests.support.work import without_refusals

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")

HIDE: Final = """(state) => {
  Object.defineProperty(document, "hidden", { value: state === "hidden", configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.fixture(scope="module")
def served(chromium: Windows, postgres_server: PostgresServer) -> Iterator[Served]:
    with served_on(chromium, postgres_server) as found:
        yield found


async def pointed(page: Page, place: Locator) -> None:
    await place.scroll_into_view_if_needed()
    await place.hover()


async def test_a_card_changes_in_its_place_after_one_look_and_is_said_once(served: Served) -> None:
    deal = served.open_deal("Onelook")
    async with served.looking("/board?owner=helga") as looker:
        served.append(deal, event("discount_offered", percent="7"))

        await expect(looker.card("Onelook", "qualify")).to_contain_text("7%")
        await expect(looker.page.locator(".live-note")).to_contain_text("Onelook changed")
        await expect(looker.page.locator(".live-note button")).to_be_hidden()
        assert looker.looks() == ["/board?owner=helga"]
        assert await looker.said() == ["Onelook changed"]
        assert await looker.page.locator("[data-fresh]").count() == 1


async def test_a_card_that_is_pointed_at_moves_when_it_is_left(served: Served) -> None:
    deal = served.open_deal("Pointed")
    async with served.looking("/board?owner=helga") as looker:
        await pointed(looker.page, looker.card("Pointed"))
        box = await looker.card("Pointed").bounding_box()
        served.append(deal, event("stage_entered", stage="discover"))

        await expect(looker.page.locator(".live-note")).to_contain_text("Pointed changed")
        await expect(looker.page.locator(".live-note button")).to_be_visible()
        assert await looker.card("Pointed", "qualify").bounding_box() == box
        assert await looker.card("Pointed").count() == 1
        heads = looker.page.locator(".column-head h2 span:first-child")
        before = await heads.all_inner_texts()

        await looker.page.mouse.move(2, 2)
        await expect(looker.card("Pointed", "discover")).to_be_visible()
        assert await looker.card("Pointed").count() == 1
        assert await heads.all_inner_texts() != before
        await expect(looker.page.locator(".live-note p")).to_be_empty()
        assert await looker.said() == ["Pointed changed"]


async def test_a_card_with_the_focus_moves_when_that_is_asked_for(served: Served) -> None:
    deal = served.open_deal("Focused")
    async with served.looking("/board?owner=helga") as looker:
        await looker.card("Focused").locator("a").focus()
        served.append(deal, event("stage_entered", stage="discover"))

        show = looker.page.get_by_role("button", name="Show")
        await expect(show).to_be_visible()
        await expect(looker.card("Focused", "qualify").locator("a")).to_be_focused()
        await show.dispatch_event("click")  # with the focus on it, nothing would hold the card
        await expect(looker.card("Focused", "discover")).to_be_visible()
        await expect(show).to_be_hidden()


async def test_a_deal_page_nobody_touches_is_whole_again_with_the_next_event(
    served: Served,
) -> None:
    deal, other = served.open_deal("Untouched"), served.open_deal("Elsewhere")
    async with served.looking(f"/deals/{deal}") as looker:
        await looker.page.mouse.move(2, 2)
        served.append(other, event("note_added", text="of no concern here"))
        served.append(deal, event("note_added", text="The yard is closed in May"))

        await expect(looker.page.locator(".ledger tbody tr")).to_have_count(3)
        await expect(looker.page.locator(".mark")).to_have_count(3)
        await expect(looker.page.locator(".plot [tabindex='0']")).to_have_count(1)
        await looker.page.locator(".plot [tabindex='0']").focus()
        await looker.page.keyboard.press("End")
        await looker.page.keyboard.press("Enter")
        await expect(looker.page.locator("#tip")).to_contain_text("The yard is closed in May")
        assert await looker.said() == ["1 new event"]
        told = ("/tips", "/events/")
        looks = [look for look in looker.looks() if not any(one in look for one in told)]
        assert looks == [f"/deals/{deal}"]


async def test_what_is_typed_on_a_deal_page_stays_when_the_new_events_are_shown(
    served: Served,
) -> None:
    deal = served.open_deal("Typing")
    async with served.looking(f"/deals/{deal}") as looker:
        field = looker.page.locator("#as_of")
        await field.focus()
        await looker.page.keyboard.type("position:")
        served.append(deal, event("note_added", text="one"), event("note_added", text="two"))

        await expect(looker.page.locator(".live-note")).to_contain_text("2 new events")
        await expect(looker.page.locator(".ledger tbody tr")).to_have_count(2)
        await expect(field).to_be_focused()
        await looker.page.keyboard.type("12")
        await looker.page.get_by_role("button", name="Show", exact=True).last.click()
        await expect(looker.page.locator(".ledger tbody tr")).to_have_count(4)
        await expect(field).to_have_value("position:12")


async def test_a_form_that_was_begun_stays_when_the_new_events_are_shown(served: Served) -> None:
    deal = served.open_deal("Begun")
    async with served.looking(f"/deals/{deal}?record=note_added") as looker:
        text = looker.page.locator(".record-form textarea").first
        await text.fill("The yard is closed")
        served.append(deal, event("note_added", text="one"))

        await expect(looker.page.locator(".live-note")).to_contain_text("1 new event")
        await looker.page.locator(".live-note button").click()
        await expect(looker.page.locator(".ledger tbody tr")).to_have_count(3)
        await expect(text).to_have_value("The yard is closed")
        await looker.page.locator(".record-form [type=submit]").click()
        await expect(looker.page.locator(".record-form .problem")).to_contain_text("1 event was")
        await expect(text).to_have_value("The yard is closed")
        looker.watched.faults[:] = without_refusals(looker.watched)


async def test_a_card_is_dragged_after_its_column_came_anew(served: Served) -> None:
    deal = served.open_deal("Dragged", owner="ben")  # the only one, so that nothing scrolls
    async with served.looking("/board?owner=ben") as looker:
        card = looker.card("Dragged")
        await looker.page.mouse.move(2, 2)
        served.append(deal, event("discount_offered", percent="9"))
        await expect(card).to_contain_text("9%")

        await card.drag_to(looker.page.locator(".column[data-stage=discover]"))
        await looker.page.wait_for_url("**moved=**")
        await expect(looker.card("Dragged", "discover")).to_be_visible()


async def test_a_hidden_tab_follows_nothing_and_catches_up_when_it_is_shown(
    served: Served,
) -> None:
    deal = served.open_deal("Hidden")
    async with served.looking("/board?owner=helga") as looker:
        async with looker.page.expect_event("requestfailed", lambda one: STREAM in one.url):
            await looker.page.evaluate(HIDE, "hidden")
        served.append(deal, event("discount_offered", percent="9"))
        async with looker.page.expect_request(lambda one: STREAM in one.url) as again:
            await looker.page.evaluate(HIDE, "visible")
        since = int((await (await again.value).all_headers())["last-event-id"])

        await expect(looker.card("Hidden")).to_contain_text("9%")
        assert since < served.ledger.store.head().position
        assert len(looker.looks()) == 1


async def test_a_page_of_the_past_follows_nothing(served: Served) -> None:
    head = served.ledger.store.head().position
    deal = served.open_deal("Past")
    async with served.site.signed_in() as watched:
        looker = Looker(watched)
        for path in ("/board", f"/deals/{deal}"):
            position = head + 2 if "deals" in path else head
            await watched.open(f"{path}?as_of=position:{position}")
            await expect(watched.page.locator(".live-note")).to_be_attached()
        assert not [path for path in looker.watched.asked if path.startswith(STREAM)]
        assert watched.faults == []


@pytest.mark.parametrize("path", ["/", "/today?rep=helga"])
async def test_the_first_pages_tell_what_was_told_just_now(served: Served, path: str) -> None:
    deal = served.open_deal(f"First{len(path)}")
    async with served.looking(path) as looker:
        await looker.page.mouse.move(2, 2)
        promise = {"promise_id": "p", "what": f"Send {path} drawings", "due": "2020-02-02"}
        served.append(deal, event("seller_promise_made", **promise))
        served.append(deal, event("stage_entered", stage="discover"))
        told = "Qualification to Discovery" if path == "/" else f"Send {path} drawings"

        await expect(looker.page.locator("main")).to_contain_text(told)


async def test_a_burst_of_events_is_followed_by_few_looks(served: Served) -> None:
    deal = served.open_deal("Burst")
    async with served.looking("/board?owner=helga") as looker:
        for number in range(15):
            served.append(deal, event("discount_offered", percent=str(number + 1)))
        await expect(looker.card("Burst")).to_contain_text("15%")

        assert 1 <= len(looker.looks()) <= 6


async def test_a_page_that_is_behind_the_log_is_asked_for_again(served: Served) -> None:
    deal = served.open_deal("Behind")
    before = served.client.get("/board?owner=helga").text
    async with served.looking("/board?owner=helga") as looker:
        behind = [before, before]

        async def lag(route: Any) -> None:
            await (route.fulfill(body=behind.pop()) if behind else route.continue_())

        await looker.page.route("**/board?owner=helga", lag)
        served.append(deal, event("discount_offered", percent="5"))

        await expect(looker.card("Behind")).to_contain_text("5%")
        assert len(looker.looks()) == 3
        assert await looker.said() == ["Behind changed"]


async def test_what_newer_news_overtakes_is_shown_all_the_same(served: Served) -> None:
    deal = served.open_deal("Overtaken")
    async with served.looking("/board?owner=helga") as looker:
        release, looks = asyncio.Event(), count(1)

        async def overtake(route: Route) -> None:
            answer = await route.fetch()
            if next(looks) == 1:
                served.append(deal, event("discount_offered", percent="31"))
                await looker.page.wait_for_timeout(500)  # so that the page is told of it before
            else:
                await release.wait()
            await route.fulfill(response=answer)

        await looker.page.route("**/board?owner=helga", overtake)
        served.append(deal, event("discount_offered", percent="27"))

        await expect(looker.card("Overtaken")).to_contain_text("27%")
        release.set()
        await expect(looker.card("Overtaken")).to_contain_text("31%")
        await looker.page.unroute_all(behavior="wait")


async def test_a_rep_is_told_of_their_own_deals_only(served: Served) -> None:
    own, other = served.open_deal("Ownone", REP), served.open_deal("Otherone")
    async with served.site.signed_in(credential=served.secrets[REP]) as watched:
        page = watched.page
        looker = Looker(watched)
        async with page.expect_response(lambda told: STREAM in told.url):
            await watched.open("/board")
        served.append(other, event("discount_offered", percent="11"))
        served.append(own, event("discount_offered", percent="13"))

        await expect(looker.card("Ownone")).to_contain_text("13%")
        await expect(page.locator(".live-note")).to_contain_text("Ownone changed")
        assert watched.faults == []


async def test_who_is_signed_out_is_told_so_and_asks_no_more(served: Served) -> None:
    made = served.ledger.keys.create(
        member=MANAGER, role="manager", scopes=None, name="t", lifetime=timedelta(days=1), by="t"
    )
    async with served.site.signed_in(credential=made.secret) as watched:
        page = watched.page
        looker = Looker(watched)
        async with page.expect_response(lambda told: STREAM in told.url):
            await watched.open("/board")
        served.ledger.keys.revoke(made.key.id)
        await page.evaluate(HIDE, "hidden")
        await page.evaluate(HIDE, "visible")
        await expect(page.locator(".live-note")).to_contain_text("session has ended")
        asked = len(looker.watched.asked)
        served.open_deal("Unseen")

        await page.evaluate(HIDE, "hidden")
        await page.evaluate(HIDE, "visible")
        await page.evaluate("new Promise((done) => setTimeout(done, 1200))")
        assert len(looker.watched.asked) == asked
        assert all("401" in fault for fault in watched.faults)
        assert len(watched.faults) <= 1


async def test_a_stream_that_breaks_is_taken_up_again_where_it_ended(served: Served) -> None:
    deal = served.open_deal("Broken")
    async with served.looking("/board?owner=helga") as looker:
        broken = []

        async def cut(route: Any) -> None:
            broken.append(route.request.url)
            await (route.abort() if len(broken) < 2 else route.continue_())

        await looker.page.route(f"**{STREAM}", cut)
        await looker.page.evaluate(HIDE, "hidden")
        await looker.page.evaluate(HIDE, "visible")
        served.append(deal, event("discount_offered", percent="3"))

        await expect(looker.card("Broken")).to_contain_text("3%")
        assert len(broken) == 2
        looker.watched.faults.clear()  # the browser's own words on what was cut
