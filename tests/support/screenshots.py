"""Makes the pictures of the documentation: `python -m tests.support.screenshots FOLDER`."""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from api import clock
from api.bootstrap import Ledger, open_ledger
from api.bootstrap_server import build_app
from api.cli_exchange import load_sample
from api.imports import Uploads
from api.page_reads.sample import STORY
from api.settings import Settings
from api.web.tour import COOKIE, DONE
from domain.events.money import DiscountOffered
from domain.fiscal import FiscalQuarter
from projections.quarter.board_tape import instant_text
from tests.support.browser import launched, serving
from tests.support.working import in_thread

TOKEN: Final = "token-of-the-pictures-0123456789"
PAGES: Final = {
    "overview": "/?since={month}",
    "today": "/today?rep=nadia-petrov",
    "board": "/board",
    "deal": "/deals/{deal}",
    "event": "/deals/{deal}?all=1#e-{discount}",
    "tick": "/deals/{open}?record=activity_ticked&activity=demonstrate-on-their-data",
    "new_deal": "/deals/new",
    "review": "/review",
    "commitments": "/commitments",
    "replay": "/replay/{quarter}?at={near_its_end}&from={before}",
    "process": "/process?process=standard",
    "publish": "/process/publish?process=standard",
    "organisation": "/organisation",
    "report": "/report",
    "audit": "/audit?q=type:discount_offered+verdict:pressure_shaped&by=rep",
    "imports": "/imports",
    "settings": "/settings",
}
A_MONTH: Final = timedelta(days=30)
A_FEW_DAYS: Final = timedelta(days=4)


async def picture(base: str, folder: Path, **words: str) -> None:
    """Take a picture of each page, in light; `words` are what their addresses name."""
    async with launched() as browser:
        context = await browser.new_context(
            viewport={"width": 1440, "height": 900}, color_scheme="light"
        )
        await context.add_cookies([{"name": COOKIE, "value": DONE, "url": base}])  # no tour
        page = await context.new_page()
        await page.goto(f"{base}/sign-in?token={TOKEN}")
        for name, path in PAGES.items():
            await page.goto(base + path.format(**words))
            if "#e-" in path:
                await page.locator(".inspected").wait_for()
            await page.screenshot(path=folder / f"{name}.png")


def last_closed(ledger: Ledger) -> FiscalQuarter:
    """Give the last quarter that is over."""
    calendar = ledger.context.known(ledger.store.head().position).calendar
    running = calendar.quarter_at(clock.now())
    assert running is not None
    closed = calendar.quarter_at(running.start_instant - timedelta(microseconds=1))
    assert closed is not None
    return closed


def an_open_deal(ledger: Ledger) -> str:
    """Give a deal that is worked on; the views must know it."""
    query = (
        "SELECT deal_id FROM spans WHERE until_position IS NULL AND closed IS NULL"
        " AND stage = 'discover' ORDER BY opened_at DESC, deal_id LIMIT 1"
    )
    return str(ledger.store.rows(query, {})[0][0])


def the_discount(ledger: Ledger, deal: str) -> str:
    """Give the last discount that was offered in a deal."""
    events = ledger.store.stream(f"deal:{deal}")
    offers = [event for event in events if isinstance(event.data, DiscountOffered)]
    return str(offers[-1].event_id)


def main(folder: Path) -> None:
    """Load the sample company into a ledger of its own and take the pictures."""
    with TemporaryDirectory(prefix="dealtrail-pictures-") as home:
        Path(home).chmod(0o711)
        with open_ledger(Settings(home=Path(home))) as ledger:
            ledger.store.start()
            load_sample(ledger)
            deal = ledger.store.stream_ids_of(STORY)[0].partition(":")[2]
            closed = last_closed(ledger)
        uploads = Uploads(Path(home))
        with (
            open_ledger(Settings(home=Path(home))) as ledger,
            serving(build_app(ledger, token=TOKEN, uploads=uploads)) as base,
            in_thread(ledger.worker),
        ):
            ledger.worker.catch_up()
            words = {
                "deal": deal,
                "discount": the_discount(ledger, deal),
                "open": an_open_deal(ledger),
                "month": instant_text(clock.now() - A_MONTH),
                "quarter": closed.name,
                "near_its_end": instant_text(closed.end_instant - A_FEW_DAYS),
                "before": instant_text(closed.end_instant - A_MONTH),
            }
            asyncio.run(picture(base, folder, **words))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
