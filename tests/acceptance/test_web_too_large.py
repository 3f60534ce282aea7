"""A file far over the limit, sent without script: the browser shows the page that says so."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import expect

from api.imports import Uploads
from tests.support.browser import CHROMIUM, Site, Window, Windows
from tests.support.ledgers import SCHEMA
from tests.support.postgres import PostgresServer
from tests.support.replay_pages import signed_in
from tests.support.site import site_on

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")

MIB: Final = 1 << 20


@pytest.fixture(scope="module")
def site(
    chromium: Windows, postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    uploads = Uploads(tmp_path_factory.mktemp("home"), most=MIB)
    with (
        postgres_server.ledger(SCHEMA) as database,
        site_on(database, uploads=uploads) as (base, _, _),
    ):
        yield Site(base, chromium)


@pytest.mark.parametrize(("path", "sent"), [("/imports", 400), ("/process/publish", 80)])
async def test_the_page_that_says_so_is_shown(
    site: Site, tmp_path: Path, path: str, sent: int
) -> None:
    file = tmp_path / "large.csv"
    with file.open("wb") as made:
        made.truncate(sent * MIB)  # without a block on the disk
    async with site.seen(Window(script=False)) as watched:
        page = await signed_in(watched, path)
        await page.set_input_files("input[type=file]", file)
        form = page.locator("form:has(input[type=file])")
        await form.locator("[type=submit]").first.click()

        await expect(page.locator("h1")).to_have_text("This is too large")
