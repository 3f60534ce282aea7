"""Hostile names of people, teams, accounts and stages on the replay of a quarter."""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlencode

import pytest
from playwright.async_api import expect

from api.people import People
from tests.support.browser import CHROMIUM, WIDER, Site, Window, Windows
from tests.support.ledgers import SCHEMA, filling, ledger_on
from tests.support.postgres import PostgresServer
from tests.support.replay_pages import NEXT_FRAMES, drawn, shown, signed_in, texts
from tests.support.site import NASTY, site_on

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")

CUT_OFF: Final = """() => ["changes", "waterfall"].filter((id) => {
  const list = document.getElementById(id);
  return list.scrollWidth > list.clientWidth;
})"""
"""Names the lists whose text one would have to scroll sideways to read."""
HOSTILE: Final = f"{NASTY} \N{RIGHT-TO-LEFT OVERRIDE}turned {'x' * 500}"[:500]


def fill_hostile(database: str) -> None:
    """Fill a ledger with a deal whose every name is hostile, and which such people pass on."""
    told: list[tuple[str, str, str, dict[str, object]]] = [
        (f"2025-05-{day:02}T12:00:00Z", stream, kind, data)
        for day, (stream, kind, data) in enumerate(hostile_deal(), start=10)
    ]
    lines = [
        {
            "stream": stream,
            "external_id": f"{stream}/{at}",
            "type": kind,
            "occurred_at": at,
            "recorded_at": at,
            "actor": "ann",
            "data": data,
        }
        for at, stream, kind, data in told
    ]
    filling(lambda: lines, founding=True)(database)
    with ledger_on(database) as ledger:
        People(ledger.store).remember({"ann": HOSTILE, "bob": f"\a\x1b[31m{HOSTILE}"[:500]})


def hostile_deal() -> Iterator[tuple[str, str, dict[str, object]]]:
    """What is told of it: a process, teams, openings, a stage, another owner."""
    stage = {"id": "first", "name": HOSTILE, "goal": HOSTILE}
    yield (
        "process:hostile",
        "process_published",
        {
            "version": 1,
            "name": HOSTILE,
            "stages": [stage, {"id": "won", "name": HOSTILE, "goal": "Signed"}],
            "closing": {"won": "won", "lost": "lost"},
        },
    )
    for rep in ("ann", "bob"):
        yield "organisation", "member_joined", {"rep": rep, "team": HOSTILE[:200], "role": "rep"}
    for number in range(2):
        deal = f"deal:{number}"
        yield (
            deal,
            "deal_opened",
            {
                "name": HOSTILE,
                "account": {"id": "bad", "name": HOSTILE},
                "owner": "ann",
                "amount": {"amount": "1000.00", "currency": "USD"},
                "close_date": "2025-06-20",
                "process": {"id": "hostile", "version": 1},
            },
        )
        yield deal, "stage_entered", {"stage": "first"}
        yield deal, "owner_changed", {"owner": "bob"}


async def test_hostile_names_of_people_teams_accounts_and_stages_show_as_text_and_fit(
    chromium: Windows, postgres_server: PostgresServer
) -> None:
    asked = {"from": "2025-05-14T00:00:00Z", "cell": "closing", "hindsight": "0"}
    with (
        postgres_server.ledger(SCHEMA, filled_by=fill_hostile) as database,
        site_on(database) as (base, _, _),
    ):
        site, path = Site(base, chromium), f"/replay/FY2025Q2?{urlencode(asked)}"
        async with site.seen(Window(script=False)) as watched:
            plain = await texts(await signed_in(watched, path))
        async with site.seen() as watched:
            page = await signed_in(watched, path)
            await drawn(page)
            said = await shown(page)
            assert [re.sub(r"\s+", " ", one).strip() for one in plain] == said
            for width in (1440, 390):
                await page.set_viewport_size({"width": width, "height": 900})
                assert await page.evaluate(WIDER) == [], width
                assert await page.evaluate(CUT_OFF) == [], width
            await page.set_viewport_size({"width": 1440, "height": 900})
            assert await page.title() != "taken"
            assert await page.locator("main script:not([type]), main img").count() == 0
            for place in ("#board .card a", "#board h2 b", "#changes a", "#changes p", ".parts a"):
                assert HOSTILE[:40] in "".join(await page.locator(place).all_inner_texts()), place
            await page.locator("body").press("Home")
            await expect(page.locator("#clock")).to_contain_text("1 Apr 2025")
            await page.keyboard.press("End")
            await expect(page.locator("#clock")).to_contain_text("30 Jun 2025")
            await page.evaluate(NEXT_FRAMES)
            assert await shown(page) == said
            assert await page.title() != "taken"
            assert watched.faults == []
