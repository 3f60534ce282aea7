"""The audit explorer and the imports in a real browser: keys, downloads, a file on its way."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Flag

import pytest
from playwright.async_api import FilePayload, Page, expect

from api import clock
from api.bootstrap import Ledger
from api.import_runner import ImportRunner
from api.imports import Uploads
from tests.support.browser import (
    CHROMIUM,
    WIDER,
    Site,
    Watched,
    Window,
    Windows,
    assert_fit_for_all,
)
from tests.support.client import TOKEN
from tests.support.ledgers import SCHEMA
from tests.support.postgres import PostgresServer
from tests.support.site import NASTY, fill, site_on

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")

MOST = 1 << 16
TABLE = b"dealid,account,owner,stage,created\n1,Acme,Ann,Won,2024-01-31\n"


@dataclass(frozen=True, slots=True)
class Served:
    """The site with its ledger, whose imports run when a test lets them."""

    site: Site
    ledger: Ledger
    uploads: Uploads

    async def run(self) -> None:
        folder = self.uploads.folder
        runner = ImportRunner(self.ledger.store, folder, clock=clock.now, most_unpacked=8 * MOST)
        await asyncio.to_thread(runner.run_waiting, Flag())


@pytest.fixture(scope="module")
async def served(
    chromium: Windows, postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Served]:
    uploads = Uploads(tmp_path_factory.mktemp("home"), most=MOST)
    with (
        postgres_server.ledger(SCHEMA, filled_by=fill) as database,
        site_on(database, uploads=uploads) as (base, ledger, _),
    ):
        yield Served(Site(base, chromium), ledger, uploads)


@pytest.fixture(scope="module")
async def shared_desk(served: Served) -> AsyncIterator[Watched]:
    async with served.site.signed_in() as watched:
        yield watched


@pytest.fixture
async def desk(shared_desk: Watched) -> Watched:
    """A window in which the operator is signed in."""
    return await shared_desk.as_at_first()


def line(deal: str, **more: object) -> bytes:
    told: dict[str, object] = {
        "stream": f"deal:{deal}",
        "external_id": f"{deal}:opened",
        "type": "deal_opened",
        "occurred_at": "2025-01-08T00:00:00Z",
        "actor": "ann",
        "data": {"name": deal, "account": {"id": "acme", "name": "Acme"}, "owner": "ann"},
    }
    return json.dumps(told | more).encode() + b"\n"


def file(content: bytes, name: str) -> FilePayload:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


async def chosen(page: Page, content: bytes, *, format: str = "ndjson") -> None:
    await page.locator("#format").select_option(format)
    await page.locator("#file").set_input_files(file(content, "export.ndjson"))


async def test_an_event_is_read_and_all_are_exported_with_a_session(served: Served) -> None:
    async with served.site.signed_in(Window(script=False)) as watched:
        page = await watched.open("/audit")
        await page.locator("#q").focus()
        await page.keyboard.type("type:discount_offered rep:nasty")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("2 events for")).to_be_visible()

        await page.get_by_role("button", name="JSON of the event").first.press("Enter")
        sheet = page.locator(".json-sheet:popover-open")
        assert json.loads(await sheet.locator("pre").inner_text())["type"] == "discount_offered"
        await page.keyboard.press("Escape")
        await expect(sheet).to_have_count(0)

        await page.locator("#format").select_option("csv")
        async with page.expect_download() as download:
            await page.get_by_role("button", name="Export").press("Enter")
        sent = await download.value
        given = await asyncio.to_thread(Path(await sent.path()).read_text)
        assert sent.suggested_filename.endswith(".csv")
        assert [row.count("discount_offered") for row in given.splitlines()[1:]].count(1) == 2
        assert watched.faults == []


async def test_the_caret_stands_under_the_character(desk: Watched) -> None:
    await desk.page.set_viewport_size({"width": 390, "height": 900})
    page = await desk.open("/audit?q=漢字:x+rep:ben")
    mark = page.locator(".caret mark")
    assert await mark.inner_text() == "漢"
    page = await desk.open(f"/audit?q={'rep:ben+' * 30}kind:x")
    box, caret = await mark.bounding_box(), await page.locator(".caret").bounding_box()
    assert box is not None
    assert caret is not None
    assert caret["x"] <= box["x"] < caret["x"] + caret["width"]
    assert await page.evaluate(WIDER) == []


@pytest.mark.parametrize("window", [Window(), Window(script=False)])
async def test_a_file_is_sent_by_keyboard_and_its_report_comes(
    served: Served, window: Window
) -> None:
    async with served.site.signed_in(window) as watched:
        page = await watched.open("/imports")
        await chosen(page, line(f"by-keyboard-{window.script}") + b"{}\n")
        await page.locator("#profile").focus()
        for _ in range(5):
            await page.keyboard.press("Tab")
            if await page.evaluate("document.activeElement.value") == "import":
                break
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="It waits for its turn")).to_be_visible()
        await expect(page.get_by_role("button", name="End it")).to_be_visible()

        await served.run()

        done = page.get_by_role("heading", name="1 event of 1 deal were added")
        await expect(done).to_be_visible()
        await expect(
            page.get_by_role("row", name="export.ndjson 2 stream: missing")
        ).to_be_visible()
        assert watched.faults == []


async def test_a_file_that_is_too_large_is_not_sent(desk: Watched) -> None:
    page = await desk.open("/imports")
    await chosen(page, b"x" * (MOST + 1))
    await page.get_by_role("button", name="Import").click()

    error = page.get_by_text("export.ndjson has more than the 64 KiB that are taken.")
    await expect(error).to_be_visible()
    await expect(page.locator("#file")).to_be_focused()
    await expect(page.locator("#file")).to_have_attribute("aria-invalid", "true")
    assert desk.faults == []


async def test_a_file_that_breaks_off_leaves_nothing(served: Served) -> None:
    def lying() -> list[Path]:
        return sorted(served.uploads.folder.glob("*"))

    host, _, port = served.site.base.removeprefix("http://").partition(":")
    before = lying()
    head = (
        f"POST /imports HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {TOKEN}\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 30000\r\n\r\n"
        '--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    )
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(head.encode() + b"x" * 9000)
    await asyncio.to_thread(until, lambda: lying() != before)
    writer.close()
    await asyncio.to_thread(until, lambda: lying() == before)


def until(holds: Callable[[], bool]) -> None:
    """Wait for what the server does by itself."""
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


async def test_a_proposal_is_checked_and_what_is_wrong_is_focused(desk: Watched) -> None:
    page = await desk.open("/imports")
    await chosen(page, TABLE, format="csv")
    await page.get_by_role("button", name="Propose a profile").click()
    await expect(page.get_by_role("heading", name="Check what is proposed")).to_be_visible()
    declared = page.locator("#declared")
    await expect(declared).to_be_focused()
    assert "opened_on: created" in await declared.input_value()

    await declared.fill("zones: UTC")
    await page.get_by_role("button", name="Dry run").click()
    await expect(page.locator("#declared-error")).to_be_visible()
    await expect(declared).to_be_focused()
    assert await declared.input_value() == "zones: UTC"
    await expect(page.get_by_text("is here and need not be sent again")).to_be_visible()
    await declared.fill("zone: UTC\ncolumns: {id: dealid, account: account}\ncurrency: USD\n")
    await page.get_by_role("button", name="Dry run").click()
    await expect(page.get_by_role("heading", name="It waits for its turn")).to_be_visible()


async def test_the_report_of_an_import_is_accessible_and_fits(
    served: Served, desk: Watched
) -> None:
    page = await desk.open("/imports")
    await chosen(page, line(NASTY, caused_by=NASTY * 9, actor="x" * 900) + b"{}\n" * 3)
    await page.locator("#declared").evaluate("one => one.closest('details').open = true")
    await page.get_by_role("button", name="Import").click()
    await expect(page.get_by_role("heading", name="It waits for its turn")).to_be_visible()
    await served.run()
    await expect(page.locator("#rejects")).to_be_visible()
    await assert_fit_for_all(page, "the report of an import")
    assert await page.title() != "taken"
    assert desk.faults == []
