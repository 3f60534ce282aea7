"""The pages of a real ledger in a real browser: complete, accessible, unharmed by what is in it."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import pytest
from playwright.async_api import expect

from api.imports import Uploads
from tests.support.browser import CHROMIUM, Site, Watched, Window, Windows, unfit
from tests.support.ledgers import SCHEMA
from tests.support.postgres import PostgresServer
from tests.support.site import LONG, NASTY, STORY, fill, site_on

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")

AT: Final = "as_of=2025-10-01T08:00:00Z"
PATHS: Final = (
    f"/?{AT}&since=2025-09-01T00:00:00Z",
    f"/today?rep=nasty&{AT}",
    f"/board?{AT}",
    f"/process?process=standard&{AT}",
    f"/organisation?{AT}",
    f"/report?{AT}",
    f"/settings?{AT}",
    "/replay",
    f"/audit?{AT}&q=rep:nasty&by=type&then=rep",
    "/imports",
    f"/review?{AT}&sort=close_date",
    f"/commitments?{AT}&side=customer",
    "/process/publish?process=standard",
)
NASTY_DEAL: Final = "the deal of endless texts"
OF_NOW: Final = ("/imports", "/process/publish?process=standard")
"""A list of work and a form: neither is shown as of a moment of the past."""
STRAY: Final = "main script:not([type]), main img"
"""What markup that somebody typed would become, were it not shown as text."""


CUT_OFF: Final = """() => [...document.querySelectorAll("[popover]")].filter((one) => {
  one.showPopover();
  const cut = one.scrollWidth > one.clientWidth + 1;
  one.hidePopover();
  return cut;
}).map((one) => one.id)"""
"""The sheets of a page whose text is wider than they are."""


@dataclass(frozen=True, slots=True)
class Served:
    """The site, and the deals that people made nasty."""

    site: Site
    nasty: tuple[str, str]
    story: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What is seen of a page, loaded once with script: its text, and what is wrong in it."""

    text: str
    title: str
    stray: int
    unhelped: list[str]
    cut_off: list[str]
    unfit: list[str]
    faults: list[str]

    @classmethod
    async def of(cls, watched: Watched, path: str) -> "Seen":
        page = await watched.open(path)
        seen = cls(
            await page.locator("main").inner_text(),
            await page.title(),
            await page.locator(STRAY).count(),
            await page.evaluate(FIGURES),
            await page.evaluate(CUT_OFF),
            await unfit(page),
            list(watched.faults),
        )
        watched.faults.clear()
        return seen


@pytest.fixture(scope="module")
async def served(
    chromium: Windows, postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Served]:
    uploads = Uploads(tmp_path_factory.mktemp("home"), most=1 << 20)
    with (
        postgres_server.ledger(SCHEMA, filled_by=fill) as database,
        site_on(database, uploads=uploads) as (base, ledger, _),
    ):
        names = ("nasty-0", "nasty-1", STORY)
        streams = [ledger.store.stream_ids_of(name)[0] for name in names]
        first, second, story = (stream.partition(":")[2] for stream in streams)
        yield Served(Site(base, chromium), (first, second), story)


@pytest.fixture(scope="module")
async def shared_desk(served: Served) -> AsyncIterator[Watched]:
    async with served.site.signed_in() as watched:
        yield watched


@pytest.fixture
async def desk(shared_desk: Watched) -> Watched:
    """A window in which the operator is signed in."""
    return await shared_desk.as_at_first()


class Pages:
    """The pages, each loaded once with script and light and wide, when it is first asked for."""

    def __init__(self, served: Served, desk: Watched) -> None:
        self._served = served
        self._desk = desk
        self._seen: dict[str, Seen] = {}

    async def seen(self, path: str) -> Seen:
        if path not in self._seen:
            await self._desk.as_at_first()
            address = path.replace(NASTY_DEAL, f"/deals/{self._served.nasty[1]}?{AT}")
            self._seen[path] = await Seen.of(self._desk, address)
        return self._seen[path]


@pytest.fixture(scope="module")
def pages(served: Served, shared_desk: Watched) -> Pages:
    return Pages(served, shared_desk)


@pytest.mark.parametrize("path", [*PATHS, NASTY_DEAL])
async def test_every_page_is_accessible_fits_and_asks_nobody_else(pages: Pages, path: str) -> None:
    page = await pages.seen(path)

    assert page.unfit == []
    assert page.faults == []


@pytest.mark.parametrize("path", [*PATHS, NASTY_DEAL])
async def test_every_figure_of_a_page_says_how_it_is_computed_with_its_number(
    pages: Pages, path: str
) -> None:
    assert (await pages.seen(path)).unhelped == []


@pytest.mark.parametrize("path", [*PATHS, NASTY_DEAL])
async def test_what_opens_over_a_page_is_read_without_moving_it_sideways(
    pages: Pages, path: str
) -> None:
    assert (await pages.seen(path)).cut_off == []


@pytest.mark.parametrize("path", [*PATHS, NASTY_DEAL])
async def test_nothing_that_people_typed_is_markup(pages: Pages, path: str) -> None:
    page = await pages.seen(path)

    assert page.title != "taken"
    assert page.stray == 0


async def test_what_people_typed_shows_as_text(served: Served, pages: Pages, desk: Watched) -> None:
    assert LONG[:1500] in (await pages.seen(PATHS[1])).text
    for path in (PATHS[0], PATHS[8]):
        assert NASTY[:40] in (await pages.seen(path)).text, path
    lists = (f"/review?{AT}&whose=rep:nasty", f"/commitments?{AT}&whose=rep:nasty")
    for path in (f"/board?{AT}&owner=nasty", f"/deals/{served.nasty[0]}?{AT}", *lists):
        page = await desk.open(path)
        assert await page.title() != "taken"
        assert await page.locator(STRAY).count() == 0
        assert NASTY[:40] in await page.locator("main").inner_text()
    assert desk.faults == []


async def test_without_script_every_page_says_the_same(served: Served, pages: Pages) -> None:
    async with served.site.signed_in(Window(script=False)) as watched:
        for path in PATHS:
            page = await watched.open(path)
            plain = await page.locator("main").inner_text()
            said = (await pages.seen(path)).text.replace("Print\n", "")
            assert re.sub(r"\s+", " ", plain) == re.sub(r"\s+", " ", said), path
        page = await watched.open(PATHS[2])
        await page.get_by_role("button", name="How is this computed").first.click()
        await expect(page.locator("#how-attainment")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.locator("#how-attainment")).to_be_hidden()
        assert watched.faults == []


async def test_a_count_opens_the_changes_that_are_folded_to_it(desk: Watched) -> None:
    page = await desk.open(f"/?{AT}&since=2025-07-01T00:00:00Z")
    changes = page.locator("#c-moves")
    await expect(changes).to_be_hidden()

    await page.locator(".figures a[href='#c-moves']").press("Enter")

    await expect(changes).to_be_visible()
    assert desk.faults == []


async def test_beads_and_names_of_a_card_stay_on_one_line(desk: Watched) -> None:
    await desk.page.set_viewport_size({"width": 1024, "height": 900})
    page = await desk.open(f"/board?{AT}")
    heights = await page.eval_on_selector_all(
        ".card .beads, .card .line, .card .pair", "all => all.map((one) => one.offsetHeight)"
    )

    assert heights
    assert max(heights) <= 20


async def test_the_report_prints_on_sheets_without_the_frame_of_the_site(desk: Watched) -> None:
    page = await desk.open(PATHS[5])
    sheets = await page.pdf(prefer_css_page_size=True)
    sizes = set(re.findall(rb"/MediaBox \[0 0 ([0-9.]+) ([0-9.]+)\]", sheets))
    assert {(round(float(w)), round(float(h))) for w, h in sizes} == {(595, 842)}

    await page.emulate_media(media="print")
    for hidden in (".bar", ".choices", "#print", ".how", ".copy-link"):
        assert await page.locator(hidden).first.is_hidden(), hidden
    filled = page.locator(".discounts .dot, .meter i, .key.won")
    kept = await filled.evaluate_all(
        "all => all.map((one) => getComputedStyle(one).printColorAdjust)"
    )
    assert set(kept) == {"exact"}
    assert await page.locator("h1").is_visible()


@pytest.mark.parametrize("path", [PATHS[2], PATHS[3], PATHS[5]])
async def test_on_paper_a_mark_keeps_the_fill_that_it_is_told_by(desk: Watched, path: str) -> None:
    page = await desk.open(path)
    await page.emulate_media(media="print")
    left_out = await page.eval_on_selector_all(
        "main i",
        "all => all.map((one) => [getComputedStyle(one), one.className]).filter(([style]) =>"
        " style.backgroundColor !== 'rgba(0, 0, 0, 0)' && style.printColorAdjust !== 'exact')"
        ".map(([, name]) => name)",
    )

    assert await page.locator("main i").count() > 0
    assert left_out == []


async def test_a_link_to_the_moment_is_copied_and_leads_to_the_same_page(desk: Watched) -> None:
    await desk.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = await desk.open("/board?show=open")
    figures = await page.locator("dl.facts").inner_text()
    await page.get_by_role("link", name="Link to this page at this moment").click()
    await expect(page.locator(".copy-link")).to_have_attribute("aria-label", "Copied")
    link = await page.evaluate("navigator.clipboard.readText()")

    assert "as_of=position%3A" in link
    await page.goto(link)
    assert await page.locator("dl.facts").inner_text() == figures
    assert await page.get_by_text("As of position").is_visible()
    assert desk.faults == []


async def test_the_keys_of_a_page_reach_a_new_key_and_its_end(served: Served) -> None:
    async with served.site.signed_in(Window(script=False)) as watched:
        page = await watched.open("/settings")
        await page.locator("#name").focus()
        await page.keyboard.type("By keyboard")
        await page.keyboard.press("Tab")
        await page.keyboard.type("amara-osei")
        await page.keyboard.press("Enter")
        await expect(page.locator(".secret code")).to_have_text(re.compile("^dtk_"))

        row = page.get_by_role("row", name="By keyboard")
        await row.locator("summary").press("Enter")
        await row.get_by_role("button", name="Revoke it").press("Enter")
        await expect(row).to_contain_text("revoked", use_inner_text=True)
        assert watched.faults == []


SAID: Final = """async (path) => {
  const answer = await fetch(path);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const main = page.getElementById("main");
  const link = page.querySelector(".copy-link")?.getAttribute("href");
  const ofNow = "[data-moment], .then, .steps, .health, script";
  const forms = [".recording", ".correct", ".ledger th:nth-child(6)", ".move", ".open-deal",
    "[href*='record=']", "[href^='/process/publish']"];
  for (const one of main.querySelectorAll([ofNow, ...forms].join())) {
    one.remove();
  }
  return [main.textContent.replace(/\\s+/g, " ").trim(), link];
}"""
"""What a page says, and the link to its moment.

It says that apart from the moment, and from the server and the forms, which are of now.
"""
REPLAY: Final = "/replay/FY2026Q2"


async def test_the_link_of_every_page_leads_to_the_same_page_for_ever(
    served: Served, desk: Watched
) -> None:
    deal = f"/deals/{served.nasty[0]}"
    paths = (
        *("/?since=2025-09-20T00:00:00Z", "/today?rep=nasty", "/board?show=open", deal),
        *(path.partition("?")[0] for path in PATHS[3:] if path not in OF_NOW),
        *(f"{deal}?as_of=2025-09-30T12:10:00Z&zoom=2", REPLAY, f"{REPLAY}?hindsight=1"),
    )
    page = await desk.open(OF_NOW[0])
    for path in paths:
        said, link = await page.evaluate(SAID, path)
        assert "as_of=" in link, path
        assert await page.evaluate(SAID, link) == [said, link], path
    assert desk.faults == []


FIGURES: Final = """() => {
  const text = (one) => one.textContent.replace(/\\s+/g, " ").trim();
  const kinds = ["dl.facts > div", "dl.figures > div", ".finding", ".finding li", ".hollow-total",
    ".sums dl > div"].join();
  const wrong = [];
  for (const figure of document.querySelectorAll(kinds)) {
    const helps = [...figure.querySelectorAll(".how")];
    const own = helps.find((how) => figure.matches("li") || !how.closest("li"));
    const name = text(figure.querySelector("dt, h2, p") ?? figure).slice(0, 60);
    if (/^(Owner|Stage)|is not shown here/.test(name)) continue;
    const sheet = own && document.getElementById(own.getAttribute("popovertarget"));
    const shown = sheet?.querySelector("dd.comes-to");
    const copy = figure.cloneNode(true);
    for (const one of copy.querySelectorAll(".how-sheet, strong[aria-hidden]")) one.remove();
    if (!shown || sheet.querySelectorAll("dt").length < 1 || !text(copy).includes(text(shown))) {
      wrong.push(`${name}: ${shown ? text(shown) : "no help"}`);
    }
  }
  for (const panel of document.querySelectorAll(".panel:has(td.number)")) {
    const helped = panel.matches(".ledger") || panel.querySelector(".how");
    if (!helped) wrong.push(text(panel).slice(0, 60));
  }
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  return [...wrong, ...ids.filter((id, place) => ids.indexOf(id) !== place)];
}"""
"""Names each figure whose help is missing or tells of another one, and each id that is twice."""


async def test_every_figure_of_a_deal_and_of_a_replay_says_how_it_is_computed_too(
    served: Served, desk: Watched
) -> None:
    for path in (f"/deals/{served.story}", REPLAY):
        page = await desk.open(path)
        assert await page.evaluate(FIGURES) == [], path
    await page.locator("#replay[data-ready]").wait_for()
    before = await page.locator("[data-figure=open] span").inner_text()
    await page.get_by_role("link", name="Beginning of the quarter").click()
    await expect(page.locator("[data-figure=open] span")).not_to_have_text(before)
    assert await page.evaluate(FIGURES) == []
    assert desk.faults == []
