"""A quarter's replay in a real browser: a pure function of the instant, with the API's figures."""

import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.async_api import Page, expect

from api.web import format as f
from tests.support.browser import CHROMIUM, Site, Watched, Window, Windows, assert_fit_for_all
from tests.support.client import TOKEN
from tests.support.ledgers import SCHEMA
from tests.support.postgres import PostgresServer
from tests.support.replay_pages import NEXT_FRAMES, drawn, shown, signed_in, texts
from tests.support.site import AUDITOR, MANAGER, OWNER, REP, fill, site_on

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")

QUARTER: Final = "FY2026Q2"
PATH: Final = f"/replay/{QUARTER}"
START: Final = datetime(2025, 5, 1, 4, tzinfo=UTC)
END: Final = datetime(2025, 8, 1, 4, tzinfo=UTC)
CHANCE: Final = Random(20)
INSTANTS: Final = [
    START + timedelta(seconds=int((END - START).total_seconds() * (1 - CHANCE.random() ** 2)) - 1)
    for _ in range(4)
]
LATEST: Final = max(INSTANTS)
SEEK: Final = """(second) => {
  const slider = document.getElementById("second");
  slider.value = second;
  for (const told of ["input", "change"]) slider.dispatchEvent(new Event(told, { bubbles: true }));
}"""
GLIDING: Final = """async () => {
  for (let frame = 0; frame < 600; frame += 1) {
    if (document.getAnimations().length) return true;
    await new Promise((done) => requestAnimationFrame(done));
  }
  return false;
}"""


@dataclass(frozen=True, slots=True)
class Served:
    """The site, a key for each of four people, and a window in which the operator is signed in."""

    site: Site
    secrets: Mapping[str, str]
    desk: Watched


@pytest.fixture(scope="module")
async def served(chromium: Windows, postgres_server: PostgresServer) -> AsyncIterator[Served]:
    with (
        postgres_server.ledger(SCHEMA, filled_by=fill) as database,
        site_on(database) as (base, _, secrets),
    ):
        async with Site(base, chromium).seen() as desk:
            await desk.open(f"/sign-in?{urlencode({'token': TOKEN, 'next': '/replay'})}")
            yield Served(Site(base, chromium), secrets, desk)


def text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def link(at: datetime, *, since: datetime | None = None, **more: str) -> str:
    asked = {"at": text(at), **({"from": text(since)} if since else {}), **more}
    return f"{PATH}?{urlencode(asked)}"


async def opened(watched: Watched, path: str) -> Page:
    page = await watched.open(path)
    await drawn(page)
    return page


async def seek(page: Page, at: datetime) -> None:
    await page.evaluate(SEEK, int((at - START).total_seconds()))
    await page.evaluate(NEXT_FRAMES)


async def told(page: Page, path: str, **query: str) -> Any:
    answer = await page.request.get(
        urlsplit(page.url)._replace(path=path, query=urlencode(query)).geturl(),
        headers={"Authorization": f"Bearer {TOKEN}"},
    )
    assert answer.ok, await answer.text()
    return await answer.json()


async def figures(page: Page) -> dict[str, str]:
    found: dict[str, str] = await page.eval_on_selector_all(
        "[data-figure]",
        "all => Object.fromEntries(all.map((one) =>"
        " [one.dataset.figure, one.firstElementChild.innerText]))",
    )
    return found


async def test_scrubbing_either_way_shows_the_same(served: Served) -> None:
    watched = served.desk
    page = await opened(watched, PATH)
    forth, back = [], []
    for at in sorted(INSTANTS):
        await seek(page, at)
        forth.append(await shown(page))
    for at in sorted(INSTANTS, reverse=True):
        await seek(page, at)
        back.append(await shown(page))

    assert forth == back[::-1]
    assert len({str(one) for one in forth}) == len(INSTANTS)
    assert watched.faults == []


@pytest.mark.parametrize("hindsight", ["0", "1"])
async def test_a_link_to_an_instant_shows_without_script_what_is_scrubbed(
    served: Served, hindsight: str
) -> None:
    asked: list[tuple[datetime, datetime | None, str]] = [
        (INSTANTS[0], None, "won"),
        (INSTANTS[1], INSTANTS[2], "pulled_in"),
        (INSTANTS[2], INSTANTS[1], "closing"),
    ]
    plain, scrubbed = [], []
    async with served.site.seen(Window(script=False)) as watched:
        await signed_in(watched, "/replay")
        for at, since, cell in asked:
            page = await watched.open(link(at, since=since, cell=cell, hindsight=hindsight))
            plain.append([re.sub(r"\s+", " ", one).strip() for one in await texts(page)])
    for at, since, cell in asked:
        page = await opened(served.desk, link(START, since=since, cell=cell, hindsight=hindsight))
        await seek(page, at)
        scrubbed.append(await shown(page))
    assert served.desk.faults == []

    assert plain == scrubbed


@pytest.mark.parametrize("clock", ["as_known", "as_happened"])
async def test_the_figures_at_an_instant_are_those_of_the_api(served: Served, clock: str) -> None:
    watched = served.desk
    page = await opened(watched, f"{PATH}?hindsight={int(clock == 'as_happened')}")
    for at in INSTANTS:
        await seek(page, at)
        asked = {"as_of" if clock == "as_known" else "effective_at": text(at), "clock": clock}
        answer = await told(page, f"/v1/quarters/{QUARTER}", **asked)
        quotas = [line for line in answer["reps"] if line["quota"]]
        quota = sum(float(line["quota"]["amount"]) for line in quotas)
        attained = sum(float(line["attained"]["amount"]) for line in quotas)
        counts = answer["progress"]["counts"]

        found = await figures(page)

        assert found["attainment"] == f"{100 * attained / quota:.0f}%"
        amounts = answer["pipeline"]["open"]["amounts"]
        assert found["open"] == f.money_list(amounts)
        hollow = counts["asserted_only"] + counts["bare_tick"]
        assert found["hollow"] == str(hollow)
        assert found["shaped"] == str(answer["pressure"]["shaped"])


async def test_the_waterfall_is_the_apis_and_opens_to_its_events(served: Served) -> None:
    watched = served.desk
    page = await opened(watched, PATH)
    await seek(page, LATEST)
    await page.wait_for_url(f"**at={urlencode({'': text(LATEST)})[1:]}**")
    answer = await told(
        page, f"/v1/quarters/{QUARTER}/waterfall", as_of=text(LATEST), clock="as_known"
    )
    cells = await page.eval_on_selector_all(
        "#waterfall > li", "all => all.map((one) => [one.dataset.cell, one.innerText])"
    )
    assert [name for name, _ in cells][:: len(cells) - 1] == ["opening", "closing"]
    for name, said in cells:
        cell = answer[name]
        assert said.split("\n")[1:] == [
            str(cell["deals"]),
            f.money_list(cell["amounts"]) if cell["amounts"] else "none",
        ], name
    for name in cells:
        await page.locator(f"#cell-{name[0]} > a").click()
        parts = page.locator(f"#cell-{name[0]} .parts li")
        await expect(parts).to_have_count(len(answer[name[0]]["entries"]))
    won = answer["won"]["entries"][0]
    await page.locator("#cell-won > a").click()
    await page.locator("#cell-won .parts a").first.click()
    await page.wait_for_url(f"**/deals/{won['deal_id']}?all=1#e-{won['event_id']}")
    assert await page.locator(f"[id='e-{won['event_id']}']").is_visible()
    assert watched.faults == []


def led_on(url: str) -> bool:
    """Say whether an address compares with the instant that the page began with."""
    asked = parse_qs(urlsplit(url).query)
    return asked.get("from") == [text(INSTANTS[2])] != asked.get("at")


async def test_two_instants_are_compared_and_the_address_keeps_both(served: Served) -> None:
    watched = served.desk
    page = await opened(watched, link(INSTANTS[2]))
    before = await figures(page)
    await page.locator("body").press("c")
    await page.keyboard.press("End")
    await expect(page.locator("#clock")).to_contain_text("1 Aug")
    await page.wait_for_url(led_on)
    await page.evaluate(NEXT_FRAMES)

    after = await figures(page)
    said = await page.locator("[data-figure=won] small").inner_text()
    more = int(after["won"].split()[0]) - int(before["won"].split()[0])
    assert said == f"{f'+{more}' if more else '±0'} since A"
    marked = await page.locator("#board .card[data-mark]").count()
    rows = int((await page.locator("#changes-head").inner_text()).split()[0])
    assert 0 < marked <= rows
    kept = parse_qs(urlsplit(page.url).query)
    assert kept["from"] == [text(INSTANTS[2])]
    comparing = await shown(page)
    await page.reload()
    await drawn(page)
    assert await shown(page) == comparing
    await page.get_by_role("link", name="Stop comparing").click()
    await expect(page.locator("#board .card[data-mark]")).to_have_count(0)
    assert watched.faults == []


async def test_the_keyboard_plays_steps_and_goes_to_both_ends(served: Served) -> None:
    watched = served.desk
    page = await opened(watched, PATH)
    clock = page.locator("#clock")
    await page.locator("#second").focus()
    await page.keyboard.press("Home")
    await expect(clock).to_contain_text("1 May")
    first = await clock.inner_text()
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("ArrowRight")
    await expect(clock).not_to_have_text(first)
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press("ArrowLeft")
    await expect(clock).to_have_text(first)

    await page.keyboard.press("Space")
    await page.get_by_role("button", name="Pause").wait_for()
    await expect(clock).not_to_have_text(first)
    moving = await page.evaluate("document.getAnimations().length")
    await page.keyboard.press("Space")
    await page.get_by_role("button", name="Play").wait_for()
    await page.evaluate(NEXT_FRAMES)
    stopped = await clock.inner_text()
    await page.evaluate(NEXT_FRAMES)
    assert await clock.inner_text() == stopped
    assert moving == 0, "reduced motion is asked for"
    await page.keyboard.press("End")
    await expect(clock).to_contain_text("1 Aug")
    assert watched.faults == []


async def test_cards_glide_only_where_motion_is_wanted(served: Served) -> None:
    watched = served.desk
    page = await opened(watched, f"{PATH}?at={text(START)}")
    await page.emulate_media(reduced_motion="no-preference")
    await page.select_option("#speed", "20")
    await page.get_by_role("button", name="Play").click()
    gliding = await page.evaluate(GLIDING)
    await page.get_by_role("button", name="Pause").click()
    await page.emulate_media(reduced_motion="reduce")

    assert gliding
    assert watched.faults == []


async def test_without_script_the_scrubber_is_a_form_and_all_else_a_link(served: Served) -> None:
    async with served.site.seen(Window(script=False)) as watched:
        page = await signed_in(watched, "/replay")
        await page.get_by_role("link", name=QUARTER, exact=True).click()
        clock = page.locator("#clock")
        await expect(clock).to_contain_text("1 Aug 2025, 03:59 UTC", use_inner_text=True)
        await expect(page.locator("#play")).to_be_hidden()

        await page.locator("#second").focus()
        await page.keyboard.press("Home")
        await page.get_by_role("button", name="Show this instant").click()
        await expect(clock).to_contain_text("1 May 2025, 04:00 UTC", use_inner_text=True)
        await page.locator("#after").click()
        await expect(clock).not_to_contain_text("1 May 2025, 04:00 UTC", use_inner_text=True)
        after = await clock.inner_text()
        await page.locator("#pin").click()
        await page.wait_for_url("**from=**")
        await page.locator("#after").click()
        await expect(clock).not_to_have_text(after, use_inner_text=True)
        await expect(page.locator("#changes-head")).to_contain_text("changed since A")
        await page.get_by_role("link", name="As known now").first.click()
        await expect(page.locator("[data-hindsight='1'][aria-current]")).to_have_count(1)
        assert watched.faults == []


async def test_the_replay_is_accessible_while_it_compares(served: Served) -> None:
    watched = served.desk
    path = link(END - timedelta(days=2), since=INSTANTS[2], cell="won")

    await assert_fit_for_all(await opened(watched, path), path)

    assert watched.faults == []


async def test_a_tape_in_parts_shows_the_same(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = served.desk
    whole = await shown(await opened(watched, link(INSTANTS[0])))
    for bound in ("MAX_TAPED", "MAX_PART"):
        monkeypatch.setattr(f"api.page_reads.replays.{bound}", 4)
    watched.asked.clear()

    assert await shown(await opened(watched, link(INSTANTS[0]))) == whole
    assert len([path for path in watched.asked if "/tape?" in path]) > 1
    assert watched.faults == []


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?at=yesterday", 422),
        ("?at=2025-05-10", 422),
        (f"?at={text(END)}", 422),
        ("?from=2024-01-01T00:00:00Z", 422),
        ("?second=many", 422),
        ("?hindsight=perhaps&cell=none", 200),
        ("?second=99999999", 200),
    ],
)
async def test_an_address_changed_by_hand_is_answered_or_says_what_is_wrong(
    served: Served, query: str, status: int
) -> None:
    answer = await served.desk.page.request.get(served.site.base + PATH + query)

    assert answer.status == status
    if status != 200:
        assert "cannot be answered" in await answer.text()


async def test_each_reader_sees_the_deals_and_the_pressure_that_are_theirs(served: Served) -> None:
    async with served.site.seen() as watched:

        async def get(path: str, who: str | None = None) -> tuple[int, str]:
            secret = served.secrets[who] if who else TOKEN
            answer = await watched.context.request.get(
                served.site.base + path, headers={"Authorization": f"Bearer {secret}"}
            )
            return answer.status, await answer.text()

        everybody = (await get(PATH))[1]
        assert (await get(PATH, AUDITOR))[1].count("data-mark") == everybody.count("data-mark")
        assert (await get(PATH, OWNER))[0] == 403
        status, own = await get(PATH, REP)
        assert status == 200
        assert "unknown: no quota" in own
        told = re.search(r'id="tape">(.*?)</script>', own, re.S)
        assert told is not None
        tape = json.loads(told[1])["tape"]
        assert {name: tape["figures"][name] for name in ("quota", "attained")} == {
            "quota": [[0, None]],
            "attained": [[0, None]],
        }
        assert 'class="curve" d=""' in own
        status, teams = await get(PATH, MANAGER)
        assert status == 200
        cards = re.compile(r'<li class="card">')
        assert 0 < len(cards.findall(own)) < len(cards.findall(everybody))
        assert 0 < len(cards.findall(teams)) < len(cards.findall(everybody))
        assert (await get("/replay/events/999999999"))[0] == 404
        assert (await get("/replay/events/1"))[0] == 404
