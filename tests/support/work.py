"""Deals that a test works on in a real browser, and the API beside it."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tests.support.browser import Site, Watched
from tests.support.client import TOKEN, opened


@dataclass(frozen=True, slots=True)
class Work:
    """The pages, and the API beside them."""

    site: Site

    async def post(self, watched: Watched, path: str, *events: Any) -> Any:
        headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": uuid4().hex}
        answer = await watched.context.request.post(
            self.site.base + path, headers=headers, data={"events": list(events)}
        )
        assert answer.status == 201, await answer.text()
        return await answer.json()

    async def deal(self, watched: Watched, *events: Any, **more: Any) -> str:
        """Open a deal and give the path of its page."""
        amount = {"amount": "1234.00", "currency": "USD"}
        told = opened("2025-06-02T09:00:00Z", amount=amount, close_date="2025-09-30", **more)
        made = await self.post(watched, "/v1/deals", told, *events)
        return f"/deals/{made['deal_id']}"

    async def told(self, watched: Watched, deal: str) -> list[dict[str, Any]]:
        """Give a deal's events as the API has them, without the one that opened it."""
        answer = await watched.context.request.get(
            f"{self.site.base}/v1{deal}/events", headers={"Authorization": f"Bearer {TOKEN}"}
        )
        events: list[dict[str, Any]] = (await answer.json())["events"]
        return events[1:]


def without_refusals(watched: Watched) -> list[str]:
    """Give what went wrong but that a form was refused, which a browser notes by its status."""
    return [fault for fault in watched.faults if "server responded with a status of 4" not in fault]
