"""Forms in a real browser: accessible, within every width, in forced colours."""

from typing import Final

import pytest
from playwright.async_api import expect

from tests.support.browser import (
    CHROMIUM,
    Window,
    assert_fit_for_all,
)
from tests.support.client import event
from tests.support.site import NASTY
from tests.support.work import Work, without_refusals

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")

ACTIVITY: Final = "meet_decision_makers"
FORM: Final = ".recording"
"""Where forms differ from each other; the rest of a deal's page is looked at with one of them."""


async def test_forms_are_accessible_and_fit(work: Work) -> None:
    async with work.site.signed_in() as watched:
        said = {"commitment_id": "c", "what": NASTY * 20, "kind": "other", "level": 1}
        deal = await work.deal(watched, event("customer_commitment_recorded", **said))
        event_id = (await work.told(watched, deal))[0]["event_id"]
        for query in (
            "activity_ticked",
            f"activity_ticked&activity={ACTIVITY}",
            "gate_decided",
            f"event_amended&event={event_id}",
            "commitment_kept",
        ):
            page = await watched.open(f"{deal}?record={query}")
            await assert_fit_for_all(page, query, within=FORM)
        page = await watched.open(f"{deal}?record=deal_won&net.amount=1,000&closed_on=2026-01-31")
        await page.locator(".record-form [type=submit]").click()
        await expect(page.locator("#f-net-amount-error")).to_be_visible()
        await assert_fit_for_all(page, "a deal's page with a form that was refused")
        await assert_fit_for_all(await watched.open("/deals/new"), "/deals/new")
        assert without_refusals(watched) == []


async def test_in_forced_colours_a_form_shows_its_edges_and_what_is_wrong(work: Work) -> None:
    async with work.site.signed_in(Window(forced_colors=True)) as watched:
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
