"""Whatever people, teams, accounts and stages are called shows as text on every page and fits."""

import re
from typing import Final
from urllib.parse import quote

import pytest
from playwright.async_api import expect

from tests.support.browser import CHROMIUM, WIDER
from tests.support.client import event
from tests.support.site import NASTY
from tests.support.work import Work

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")

ID: Final = re.sub(r"[\s/]", "", NASTY)[:100] + "x" * 100
"""As long as an id may be, without a place to break."""
NAME: Final = (NASTY + "x" * 500)[:500]
TEXT: Final = (NASTY + "x" * 10_000)[:10_000]


async def test_what_an_organisation_names_shows_as_text_on_every_page(work: Work) -> None:
    stage = {"id": "first", "name": NAME, "goal": TEXT}
    activity = {"id": "act", "name": NAME, "purpose": TEXT, "outcomes": [{"id": "o", "name": NAME}]}
    process = {
        "version": 1,
        "name": NAME,
        "stages": [stage | {"activities": [activity]}, {"id": "won", "name": "W", "goal": "g"}],
        "closing": {"won": "won", "lost": "lost"},
    }
    said = {"commitment_id": "c", "what": TEXT, "kind": "action", "level": 2, "due": "2025-07-01"}
    async with work.site.signed_in() as watched:
        await work.post(
            watched, "/v1/processes/nasty/events", event("process_published", **process)
        )
        joined = event("member_joined", rep=ID, team=ID, role="rep")
        await work.post(watched, "/v1/teams", joined)
        deal = await work.deal(
            watched,
            event("stage_entered", stage="first"),
            event("activity_ticked", activity="act"),
            event("discount_offered", percent="12", reason=TEXT),
            event("customer_commitment_recorded", by=NAME, **said),
            event("seller_promise_made", promise_id="p", what=TEXT, due="2025-07-01"),
            event("customer_goal_recorded", goal=TEXT, level=3),
            name=NAME,
            owner=ID,
            account={"id": "bad", "name": NAME},
            process={"id": "nasty", "version": 1},
        )
        rep, team = quote(f"rep:{ID}"), quote(f"team:{ID}")
        wide: dict[tuple[str, int], list[str]] = {}
        for path, named in (
            (f"/?since={quote('2025-01-01T00:00:00Z')}", True),
            (f"/today?rep={quote(ID)}", True),
            ("/board", True),
            (deal, True),
            (f"{deal}?record=activity_ticked", True),
            (f"{deal}?record=activity_ticked&activity=act", True),
            (f"{deal}?record=stage_entered", True),
            ("/review", True),
            ("/commitments", True),
            (f"/review?whose={team}", True),
            (f"/commitments?whose={rep}", True),
            ("/audit?by=rep&then=team", True),
            ("/settings", True),
            ("/replay", False),
            (f"/organisation?whose={team}", True),
            (f"/report?whose={rep}", True),
            ("/process?process=nasty", True),
            ("/process/publish?process=nasty", True),
            ("/imports", False),
        ):
            page = await watched.open(path)
            for width in (1440, 390):
                await page.set_viewport_size({"width": width, "height": 900})
                if wider := await page.evaluate(WIDER):
                    wide[path[-40:], width] = wider
            assert await page.title() != "taken", path
            await expect(page.locator("main script:not([type]), main img")).to_have_count(0)
            if named:
                assert "<script>" in (await page.locator("main").text_content() or ""), path
        assert list(wide.items()) == [], repr(wide)
        assert watched.faults == []
