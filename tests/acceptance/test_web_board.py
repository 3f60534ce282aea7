"""A column of more deals than a page shows is read to its end, with whatever filter and moment."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from playwright.async_api import Page, expect

from api import board
from api.web import board_page
from tests.support.browser import CHROMIUM, Site, Window, Windows
from tests.support.client import TOKEN, event
from tests.support.ledgers import SCHEMA
from tests.support.postgres import PostgresServer
from tests.support.site import fill, site_on

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")

CARDS: Final = 2
OWNER: Final = "pager"
ACCOUNTS: Final = ("Ash", "Birch", "Cedar", "Dogwood", "Elm")
COLUMN: Final = "[data-part='stage qualify']"


@dataclass(frozen=True, slots=True)
class Crowded:
    """A site with five deals in one stage, and the position at which the fifth was told."""

    site: Site
    position: int


@pytest.fixture(scope="module")
def crowded(chromium: Windows, postgres_server: PostgresServer) -> Iterator[Crowded]:
    with (
        postgres_server.ledger(SCHEMA, filled_by=fill) as database,
        site_on(database) as (base, _, _),
        httpx2.Client(base_url=base, headers={"Authorization": f"Bearer {TOKEN}"}) as client,
    ):
        positions = [open_deal(client, name) for name in ACCOUNTS]
        open_deal(client, "Fir", owner="somebody")
        yield Crowded(Site(base, chromium), positions[-1])


def open_deal(client: httpx2.Client, account: str, *, owner: str = OWNER) -> int:
    deal = {"name": account, "account": {"id": account, "name": account}, "owner": owner}
    events = [event("deal_opened", **deal), event("stage_entered", stage="qualify")]
    headers = {"Idempotency-Key": f"crowd-{account}"}
    answer = client.post("/v1/deals", json={"events": events}, headers=headers)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["position"])


async def followed(page: Page, words: str) -> None:
    """Follow a link of the column by keyboard."""
    link = page.locator(COLUMN).get_by_role("link", name=words, exact=True)
    target = await link.get_attribute("href") or ""
    await link.focus()
    await page.keyboard.press("Enter")
    await page.wait_for_url(lambda url: url.endswith(target))


async def accounts(page: Page) -> list[str]:
    return await page.locator(f"{COLUMN} .card > a").all_inner_texts()


@pytest.mark.parametrize(("script", "past"), [(True, False), (False, True)])
async def test_the_rest_of_a_column_is_read_by_keyboard_under_the_same_filter(
    crowded: Crowded, monkeypatch: pytest.MonkeyPatch, *, script: bool, past: bool
) -> None:
    for module in (board, board_page):
        monkeypatch.setattr(module, "MAX_CARDS", CARDS)
    asked = {"owner": [OWNER], "show": ["open"]}
    if past:
        asked["as_of"] = [f"position:{crowded.position}"]
    query = "&".join(f"{name}={value}" for name, (value,) in asked.items())
    async with crowded.site.signed_in(Window(script=script)) as watched:
        page = await watched.open(f"/board?{query}")
        read = await accounts(page)
        for words in ("and 3 more", "and 1 more"):
            await followed(page, words)
            read += await accounts(page)
            assert asked.items() <= parse_qs(urlsplit(page.url).query).items()
            await expect(page.locator("#owner")).to_have_value(OWNER)
            await expect(page.locator(f"{COLUMN} h2")).to_contain_text("5")

        assert read == list(ACCOUNTS)
        await followed(page, "4 before these")
        assert await accounts(page) == ["Cedar", "Dogwood"]
        await followed(page, "2 before these")
        assert await accounts(page) == ["Ash", "Birch"]
        assert watched.faults == []
