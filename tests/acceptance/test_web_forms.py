"""Forms in a real browser: accessible, within every width, in forced colours, whatever is named."""

from typing import Final

import pytest
from playwright.async_api import expect

from tests.support.browser import (
    CHROMIUM,
    WIDER,
    Window,
    assert_fit_for_all,
)
from tests.support.client import event
from tests.support.site import NASTY
from tests.support.work import Work, without_refusals

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")

ACTIVITY: Final = "meet_decision_makers"


async def test_forms_are_accessible_and_fit(work: Work) -> None:
    async with work.site.seen() as watched:
        said = {"commitment_id": "c", "what": NASTY * 20, "kind": "other", "level": 1}
        deal = await work.deal(watched, event("customer_commitment_recorded", **said))
        event_id = (await work.told(watched, deal))[0]["event_id"]
        for query in (
            "activity_ticked",
            f"activity_ticked&activity={ACTIVITY}",
            "gate_decided",
            f"event_amended&event={event_id}",
            "commitment_kept",
            "deal_won&net.amount=1,000&closed_on=2026-01-31",
        ):
            page = await watched.open(f"{deal}?record={query}")
            await assert_fit_for_all(page, query)
        await page.locator(".record-form [type=submit]").click()
        await expect(page.locator("#f-net-amount-error")).to_be_visible()
        await assert_fit_for_all(page, "a form that was refused")
        await assert_fit_for_all(await watched.open("/deals/new"), "/deals/new")
        assert without_refusals(watched) == []


async def test_in_forced_colours_a_form_shows_its_edges_and_what_is_wrong(work: Work) -> None:
    async with work.site.seen(Window(forced_colors=True)) as watched:
        deal = await work.deal(watched)
        page = await watched.open(f"{deal}?record=deal_won&net.amount=1,000&closed_on=2026-01-31")
        button, field = page.locator(".record-form [type=submit]"), page.locator("#f-net-amount")
        edge = (
            "one => `${getComputedStyle(one).borderTopWidth} ${getComputedStyle(one).outlineStyle}`"
        )
        assert [await one.evaluate(edge) for one in (button, field)] == ["1px none", "1px none"]

        await button.click()
        await expect(page.locator("#f-net-amount-error")).to_be_visible()

        assert await field.evaluate(edge) == "2px solid"


async def test_what_a_process_names_shows_as_text_and_fits(work: Work) -> None:
    name, purpose = (NASTY + "x" * 500)[:500], (NASTY + "x" * 10_000)[:10_000]
    activity = {"id": "act", "name": name, "purpose": purpose}
    first = {"id": "first", "name": name, "goal": purpose}
    process = {
        "version": 1,
        "name": name,
        "stages": [
            first | {"activities": [activity | {"outcomes": [{"id": "out", "name": name}]}]},
            {"id": "won", "name": "Won", "goal": "Signed"},
        ],
        "closing": {"won": "won", "lost": "lost"},
    }
    async with work.site.seen() as watched:
        await work.post(
            watched, "/v1/processes/nasty/events", event("process_published", **process)
        )
        deal = await work.deal(
            watched,
            event("stage_entered", stage="first"),
            event("activity_ticked", activity="act"),
            name=name,
            account={"id": "bad", "name": name},
            process={"id": "nasty", "version": 1},
        )
        for path in (
            deal,
            f"{deal}?record=activity_ticked",
            f"{deal}?record=activity_ticked&activity=act",
            f"{deal}?record=stage_entered",
            "/board?process=nasty",
            "/process?process=nasty",
        ):
            page = await watched.open(path)
            for width in (1440, 390):
                await page.set_viewport_size({"width": width, "height": 900})
                assert await page.evaluate(WIDER) == [], f"{path} is wider than {width}"
            assert await page.title() != "taken"
            assert await page.locator("main script:not([type]), main img").count() == 0
            assert NASTY[:40] in await page.locator("main").inner_text(), path
        assert watched.faults == []
