"""The replay of a quarter in a browser: what it shows, and when it has drawn it."""

from typing import Final
from urllib.parse import urlencode

from playwright.async_api import Page

from tests.support.browser import Watched
from tests.support.client import TOKEN

SHOWN: Final = """() => ["clock", "figures", "board", "changes-head", "changes", "waterfall-span",
  "waterfall"].map((id) => document.getElementById(id).innerText.replace(/\\s+/g, " ").trim())"""
NEXT_FRAMES: Final = """() => new Promise(
  (done) => requestAnimationFrame(() => requestAnimationFrame(done)))"""


async def signed_in(watched: Watched, path: str) -> Page:
    return await watched.open(f"/sign-in?{urlencode({'token': TOKEN, 'next': path})}")


async def drawn(page: Page) -> None:
    """Wait until a replay has come and shows its instant, which it draws in the next frame."""
    await page.wait_for_selector("#replay[data-ready]")
    await page.evaluate(NEXT_FRAMES)


async def shown(page: Page) -> list[str]:
    found: list[str] = await page.evaluate(SHOWN)
    return found


async def texts(page: Page) -> list[str]:
    """What `SHOWN` gives, of a page without script."""
    ids = ("clock", "figures", "board", "changes-head", "changes", "waterfall-span", "waterfall")
    return [await page.locator(f"#{one}").inner_text() for one in ids]
