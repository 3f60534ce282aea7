"""Deals are worked on in a real browser: by keyboard, without script, through what goes wrong."""

from typing import Final

import pytest
from playwright.async_api import Locator, Page, Route, expect

from api import clock
from domain.stamp import FUTURE_TOLERANCE
from tests.support.browser import (
    CHROMIUM,
    Window,
    assert_accessible,
)
from tests.support.client import TOKEN, event
from tests.support.work import Work, without_refusals

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")

ACTIVITY: Final = "meet_decision_makers"
MOST_TABS: Final = 90
WAY: Final = """(target) => {
  const kinds = "a[href], button, input:not([type=radio]), select, textarea, summary";
  const seen = (one) => one.checkVisibility({ visibilityProperty: true });
  const stops = [...document.querySelectorAll(kinds)].filter(
    (one) => one.tabIndex >= 0 && !one.disabled && seen(one));
  const { activeElement, body } = document;
  const begins = activeElement === body ? document.querySelector(":target") ?? body : activeElement;
  const isBefore = (one) => one.compareDocumentPosition(begins) & Node.DOCUMENT_POSITION_FOLLOWING;
  const before = stops.filter(isBefore).length;
  const from = stops[before] === activeElement ? before : before - 0.5;
  const way = stops.indexOf(target) - from;
  return Math.sign(way) * Math.ceil(Math.abs(way));
}"""
"""How often Tab is to be pressed at least until something has the focus; below 0 with Shift.

Where nothing has it, Tab begins at what the address names.
"""
STEPS: Final[list[tuple[str, dict[str, str]]]] = [
    ("Tick an activity", {"events_1_data_level": "3", "events_1_data_statement": "She wrote it"}),
    (
        "Customer commitment",
        {"what": "Sends the list", "kind": "Dat", "level": "2", "due": "12012027"},
    ),
    ("Move to a stage", {"stage": "Prop"}),
    ("Offer a discount", {"percent": "12.5"}),
]
"""The form, and what is typed into its fields by their ids; the first letters choose.

Each kind of field is in one of them: `test_web_record.py` fills in every form.
"""


async def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until something has the focus, or Shift and Tab where it lies before."""
    element = await target.element_handle()
    pressed = 0
    while way := await element.evaluate(WAY):
        for _ in range(abs(way)):
            await page.keyboard.press("Tab" if way > 0 else "Shift+Tab")
        pressed += abs(way)
        assert pressed < MOST_TABS, f"{target} is not reached by Tab"


async def typed(page: Page, **fields: str) -> None:
    """Fill in fields by their ids, one after the other, by keyboard."""
    for name, text in fields.items():
        field = page.locator(f"#f-{name.replace('_', '-')}")
        await tab_to(page, field)
        await page.keyboard.type(text)


async def sent(page: Page) -> None:
    """Send the form that is open by keyboard, and come to the event that it records."""
    await tab_to(page, page.locator(".record-form [type=submit]"))
    await page.keyboard.press("Enter")
    await page.wait_for_url("**recorded=**")
    await expect(page.locator("tr.new").first).to_be_visible()
    await expect(page.locator(".told")).to_contain_text("Recorded")


async def entered(page: Page, link: Locator, target: str) -> None:
    """Follow a link by keyboard."""
    await tab_to(page, link)
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**{target}")


async def chosen(page: Page, name: str) -> None:
    """Open a form from the page of a deal by keyboard."""
    link = page.get_by_role("navigation", name="What to record").get_by_role("link", name=name)
    if not await link.count():
        await tab_to(page, page.get_by_role("button", name="More", exact=True))
        await page.keyboard.press("Enter")
        link = page.locator("#kinds").get_by_role("link", name=name, exact=True)
    await entered(page, link, "#record")


async def test_a_deal_is_worked_on_by_keyboard_without_script(work: Work) -> None:
    async with work.site.signed_in(Window(script=False)) as watched:
        page = await watched.open("/board")
        await entered(page, page.get_by_role("link", name="Open a deal"), "/deals/new")
        await typed(page, name="Renewal", account_id="acme", account_name="Acme", owner="ann")
        await typed(page, amount_amount="900.00", amount_currency="USD", close_date="09302027")
        await sent(page)
        deal = page.url[len(work.site.base) :].partition("?")[0]
        for form, fields in STEPS:
            await chosen(page, form)
            if form == "Tick an activity":
                activity = page.get_by_role("link", name="Meet with decision makers")
                await entered(page, activity, f"{ACTIVITY}#record")
            await typed(page, **fields)
            await sent(page)

        amend = page.locator("tr.new").get_by_role("link", name="Amend")
        await entered(page, amend, "record=event_amended**")
        await tab_to(page, page.locator("#f-data-percent"))
        await page.keyboard.press("Control+a")
        await page.keyboard.type("10")
        await typed(page, reason="Typed wrongly")
        await sent(page)
        undo = page.locator("tr.new").get_by_role("link", name="Undo")
        await entered(page, undo, "record=undo**")
        await typed(page, reason="It was right")
        await sent(page)

        told = await work.told(watched, deal)
        assert watched.faults == []
    assert [(one["type"], one["data"]) for one in told] == [
        ("activity_ticked", {"activity": ACTIVITY}),
        (
            "outcome_evidenced",
            {"outcome": "decision_understood", "level": 3, "statement": "She wrote it"},
        ),
        (
            "customer_commitment_recorded",
            {
                "commitment_id": told[2]["data"]["commitment_id"],
                "what": "Sends the list",
                "kind": "data",
                "level": 2,
                "due": "2027-12-01",
            },
        ),
        ("stage_entered", {"stage": "proposal"}),
        ("discount_offered", {"percent": "12.5"}),
        (
            "event_amended",
            {
                "event_id": told[4]["event_id"],
                "data": {"percent": "10"},
                "reason": "Typed wrongly",
            },
        ),
        ("event_retracted", {"event_id": told[5]["event_id"], "reason": "It was right"}),
    ]


@pytest.mark.parametrize("script", [False, True])
async def test_somebody_was_first(work: Work, *, script: bool) -> None:
    async with work.site.signed_in(Window(script=script)) as watched:
        deal = await work.deal(watched)
        page = await watched.open(f"{deal}?record=discount_offered#record")
        await page.fill("#f-percent", "7,5")
        await work.post(watched, f"/v1{deal}/events", event("note_added", text="I was first"))
        button = page.locator(".record-form [type=submit]")
        await button.press("Enter")
        error = page.locator("#f-percent-error")
        await expect(error).to_contain_text("Expected a number")
        field = page.locator("#f-percent")
        assert "f-percent-error" in str(await field.get_attribute("aria-describedby"))
        assert await field.get_attribute("aria-invalid") == "true"
        await expect(page.locator(".problem")).to_be_focused()

        await field.fill("7.5")
        await button.press("Enter")
        await expect(page.locator(".problem")).to_contain_text("Somebody was first")
        await page.locator(".problem").get_by_role("link", name="Note").click()
        await expect(page.locator("tr:target")).to_contain_text("I was first")
        await expect(field).to_have_value("7.5")
        assert len(await work.told(watched, deal)) == 1
        await button.press("Enter")
        await page.wait_for_url("**recorded=**")

        told = await work.told(watched, deal)
        assert [one["data"] for one in told] == [{"text": "I was first"}, {"percent": "7.5"}]
        assert without_refusals(watched) == []


async def test_nothing_is_lost_or_doubled_when_the_connection_drops(work: Work) -> None:
    async with work.site.signed_in() as watched:
        deal = await work.deal(watched)
        page = await watched.open(f"{deal}?record=note_added#record")
        await page.fill("#f-text", "Typed on a train")
        await watched.context.set_offline(True)
        await page.get_by_role("button", name="Keep the note").click()
        await expect(page.locator(".problem")).to_contain_text("cannot be reached")
        await expect(page.locator("#f-text")).to_have_value("Typed on a train")
        await watched.context.set_offline(False)

        async def lose(route: Route) -> None:
            await route.fetch(max_redirects=0)
            await route.abort()

        await page.route("**/record", lose)
        await page.get_by_role("button", name="Send it again").click()
        await expect(page.locator(".sending")).to_have_text("")
        await expect(page.get_by_role("button", name="Send it again")).to_be_enabled()
        assert len(await work.told(watched, deal)) == 1
        await page.unroute("**/record")

        await page.reload()
        await expect(page.locator(".draft")).to_contain_text("may have arrived")
        await expect(page.locator("#f-text")).to_have_value("Typed on a train")
        await page.get_by_role("button", name="Keep the note").click()
        await page.wait_for_url("**recorded=**")

        assert [one["data"] for one in await work.told(watched, deal)] == [
            {"text": "Typed on a train"}
        ]
        page = await watched.open(f"{deal}?record=note_added#record")
        await expect(page.locator("#f-text")).to_have_value("")
        assert await page.locator(".draft").count() == 0


async def test_what_was_typed_outlives_a_reload_until_it_is_discarded(work: Work) -> None:
    async with work.site.signed_in() as watched:
        deal = await work.deal(watched)
        page = await watched.open(f"{deal}?record=gate_decided#record")
        await page.fill("#f-reason", "Half a thou")
        await page.get_by_label("The customer has confirmed what the change is worth").check()
        await page.reload()
        await expect(page.locator("#f-reason")).to_have_value("Half a thou")
        await expect(
            page.get_by_label("The customer has confirmed what the change is worth")
        ).to_be_checked()

        await page.get_by_role("button", name="Discard it").click()
        await expect(page.locator("#f-reason")).to_have_value("")
        assert watched.faults == []


async def test_who_is_signed_out_meanwhile_keeps_what_they_typed(work: Work) -> None:
    async with work.site.signed_in() as watched:
        deal = await work.deal(watched)
        page = await watched.open(f"{deal}?record=note_added#record")
        await page.fill("#f-text", "Before lunch")
        await watched.context.clear_cookies()
        await page.get_by_role("button", name="Keep the note").click()
        await expect(page.locator(".problem")).to_contain_text("You are signed out")
        other = await watched.context.new_page()
        await other.goto(f"{work.site.base}/sign-in?token={TOKEN}")
        await page.get_by_role("button", name="Send it again").click()
        await page.wait_for_url("**recorded=**")

        assert [one["data"] for one in await work.told(watched, deal)] == [{"text": "Before lunch"}]


@pytest.mark.parametrize("script", [False, True])
async def test_a_process_is_published_by_keyboard_once_its_findings_are_seen(
    work: Work, *, script: bool
) -> None:
    process = f"by-keyboard-{script}"
    async with work.site.signed_in(Window(script=script)) as watched:
        page = await watched.open("/process?process=default")
        await entered(page, page.get_by_role("link", name="Publish a version"), "process=default")
        await tab_to(page, page.locator("#f-process"))
        await page.keyboard.press("Control+a")
        await page.keyboard.type(process)
        text = page.locator("#f-text")
        await tab_to(page, text)
        await page.keyboard.press("Control+Home")
        await page.keyboard.type("nam: Wrong\n")
        button = page.locator(".record-form [type=submit]")
        await tab_to(page, button)
        await page.keyboard.press("Enter")
        await expect(page.locator("#f-text-error")).to_contain_text("Line 1, nam: not a field")
        await expect(page.locator(".problem")).to_be_focused()

        await tab_to(page, text)
        await page.keyboard.press("Control+Home")
        await page.keyboard.press("Shift+ArrowDown")
        await page.keyboard.press("Delete")
        await tab_to(page, button)
        await page.keyboard.press("Enter")
        found = page.locator(".found")
        await expect(found).to_be_focused()
        await expect(found).to_contain_text("It is the first version of this process")
        if script:
            await assert_accessible(page, "/process")
        await tab_to(page, page.get_by_role("button", name="Publish version 2"))
        await page.keyboard.press("Enter")
        await page.wait_for_url("**published=2")

        await expect(page.get_by_role("status")).to_contain_text("Version 2 is published.")
        assert without_refusals(watched) == []


async def test_a_card_waits_while_the_server_cannot_be_reached(work: Work) -> None:
    async with work.site.signed_in() as watched:
        deal = await work.deal(watched, event("stage_entered", stage="discovery"))
        page = await watched.open("/board?show=open")
        card = page.locator(f"#card-{deal.removeprefix('/deals/')}")
        await card.locator("summary").click()
        await card.locator("select").select_option("solution")
        await watched.context.set_offline(True)
        await card.get_by_role("button", name="Move").click()
        await expect(card.get_by_role("alert")).to_contain_text("cannot be reached")
        await expect(card.locator("select")).to_have_value("solution")

        await watched.context.set_offline(False)
        await card.get_by_role("button", name="Move").click()
        await page.wait_for_url("**moved=**")
        assert len(await work.told(watched, deal)) == 2


@pytest.mark.parametrize("script", [False, True])
async def test_a_card_is_moved_on_the_board(work: Work, *, script: bool) -> None:
    async with work.site.signed_in(Window(script=script)) as watched:
        owner = f"mover-{script}"  # whose only card it is, so that nothing scrolls
        deal = await work.deal(watched, event("stage_entered", stage="discovery"), owner=owner)
        page = await watched.open(f"/board?show=open&owner={owner}")
        card = page.locator(f"#card-{deal.removeprefix('/deals/')}")
        if script:
            await card.drag_to(page.locator(".column[data-stage=solution]"))
        else:
            await card.locator("summary").press("Enter")
            await tab_to(page, card.locator("select"))
            await page.keyboard.type("Sol")
            await tab_to(page, card.get_by_role("button"))
            await page.keyboard.press("Enter")
        await page.wait_for_url("**moved=**")

        await expect(page.locator(".then")).to_contain_text("Acme is in Solution now")
        assert "show=open" in page.url
        await expect(page.locator(".column[data-stage=solution]").locator(card)).to_be_visible()
        assert (await work.told(watched, deal))[1]["data"] == {"stage": "solution"}
        if script:
            await card.drag_to(page.locator(".column[data-closed=won]"))
            await page.wait_for_url("**record=deal_won#record")
        assert watched.faults == []


async def test_what_is_dated_a_little_ahead_is_told_of_in_the_chart_too(work: Work) -> None:
    async with work.site.signed_in() as watched:
        soon = (clock.now() + FUTURE_TOLERANCE / 2).isoformat()
        deal = await work.deal(watched, event("note_added", soon, text="They sign in a minute"))
        page = await watched.open(deal)
        (ahead,) = await work.told(watched, deal)
        await page.locator(f"#m-{ahead['event_id']}").focus()
        await page.keyboard.press("Enter")

        await expect(page.locator("#tip")).to_contain_text("Note", use_inner_text=True)
        await expect(page.locator("#inspected")).to_contain_text("They sign in a minute")
        assert watched.faults == []
