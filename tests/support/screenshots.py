"""Makes the pictures of the documentation: `python -m tests.support.screenshots FOLDER`."""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from api import clock
from api.bootstrap import open_ledger
from api.bootstrap_server import build_app
from api.cli_exchange import load_sample
from api.settings import Settings
from tests.support.browser import launched, serving
from tests.support.working import in_thread

TOKEN: Final = "token-of-the-pictures-0123456789"
STORY: Final = "order-this-month"
"""The deal that the README shows: see docs/sample-company.md."""
PAGES: Final = {
    "overview": "/?since={month}",
    "today": "/today?rep=nadia-petrov",
    "board": "/board",
    "deal": "/deals/{deal}",
    "process": "/process?process=standard",
    "organisation": "/organisation",
    "report": "/report",
    "settings": "/settings",
}
A_MONTH: Final = timedelta(days=30)


async def picture(base: str, deal: str, folder: Path) -> None:
    """Take a picture of each page, in light."""
    month = (clock.now() - A_MONTH).isoformat().replace("+00:00", "Z")
    async with launched() as browser:
        context = await browser.new_context(
            viewport={"width": 1440, "height": 900}, color_scheme="light"
        )
        page = await context.new_page()
        await page.goto(f"{base}/sign-in?token={TOKEN}")
        for name, path in PAGES.items():
            await page.goto(base + path.format(deal=deal, month=month))
            await page.screenshot(path=folder / f"{name}.png")


def main(folder: Path) -> None:
    """Load the sample company into a ledger of its own and take the pictures."""
    with TemporaryDirectory(prefix="dealtrail-pictures-") as home:
        Path(home).chmod(0o711)
        with open_ledger(Settings(home=Path(home))) as ledger:
            ledger.store.start()
            load_sample(ledger)
            deal = ledger.store.stream_ids_of(STORY)[0].partition(":")[2]
        with (
            open_ledger(Settings(home=Path(home))) as ledger,
            serving(build_app(ledger, token=TOKEN)) as base,
            in_thread(ledger.worker),
        ):
            asyncio.run(picture(base, deal, folder))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
