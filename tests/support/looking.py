"""A page that follows the log, with what it asked for, and a site on which somebody appends."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

import httpx2
from playwright.async_api import Locator

from api.bootstrap import Ledger
from tests.support.browser import Site, Watched, Window, Windows
from tests.support.client import TOKEN, event
from tests.support.ledgers import SCHEMA
from tests.support.postgres import PostgresServer
from tests.support.site import fill, site_on

STREAM: Final = "/v1/events/stream"
NUMBERS: Final = count(1)
SAID: Final = """() => {
  window.said = [];
  const note = document.querySelector(".live-note p");
  new MutationObserver(() => note.textContent && window.said.push(note.textContent))
    .observe(note, { childList: true, characterData: true, subtree: true });
}"""


class Looker:
    """A page, with what it shows of the news and what it asks for."""

    def __init__(self, watched: Watched) -> None:
        self.watched = watched
        self.page = watched.page

    def looks(self) -> list[str]:
        """What was fetched since the page was opened, and is no file and no stream."""
        return [path for path in self.watched.asked if not path.startswith(("/static", STREAM))][1:]

    def card(self, account: str, stage: str = "") -> Locator:
        column = f"[data-part='stage {stage}'] " if stage else ""
        return self.page.locator(f"{column}.card", has_text=account)

    async def said(self) -> list[str]:
        return list(await self.page.evaluate("window.said"))


@dataclass(frozen=True, slots=True)
class Served:
    """The site, its ledger, a key for each of four people, and who appends while others look."""

    site: Site
    ledger: Ledger
    secrets: Mapping[str, str]
    client: httpx2.Client

    def append(self, deal: str, *events: Any) -> int:
        """Append to a deal as the operator; give the position of the last event."""
        answer = self.client.post(
            f"/v1/deals/{deal}/events",
            json={"events": list(events)},
            headers={"Idempotency-Key": f"live-{next(NUMBERS)}"},
        )
        assert answer.status_code == 201, answer.text
        return int(answer.json()["position"])

    def open_deal(self, account: str, owner: str = "helga") -> str:
        """Open a deal that has entered its first stage; its card is the only one of its name."""
        deal = {"name": "Live", "account": {"id": account, "name": account}, "owner": owner}
        answer = self.client.post(
            "/v1/deals",
            json={
                "events": [
                    event("deal_opened", **deal, close_date="2020-01-01"),
                    event("stage_entered", stage="qualify"),
                ]
            },
            headers={"Idempotency-Key": f"live-{next(NUMBERS)}"},
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["deal_id"])

    @asynccontextmanager
    async def looking(self, path: str, window: Window | None = None) -> AsyncIterator[Looker]:
        """A page that follows the log."""
        async with self.site.signed_in(window) as watched:
            looker = Looker(watched)
            async with watched.page.expect_response(lambda told: STREAM in told.url):
                await watched.open(path)
            await watched.page.evaluate(SAID)
            yield looker
            assert watched.faults == []


@contextmanager
def served_on(chromium: Windows, postgres_server: PostgresServer) -> Iterator[Served]:
    """The pages over a part of the sample company."""
    with (
        postgres_server.ledger(SCHEMA, filled_by=fill) as database,
        site_on(database) as (base, ledger, secrets),
        httpx2.Client(base_url=base, headers={"Authorization": f"Bearer {TOKEN}"}) as client,
    ):
        yield Served(Site(base, chromium), ledger, secrets, client)
