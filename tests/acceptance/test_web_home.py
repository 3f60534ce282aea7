"""The first page says at once what changed, and people stand on every page by their names."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import pytest

from api.web.home_page import MAX_OPEN
from tests.support.asker import Asker, asking, at
from tests.support.postgres import PostgresServer
from tests.support.site import MANAGER, REP, TOLD_ON

QUIET: Final = TOLD_ON + timedelta(days=3)
"""Nothing was told for days, and much in the week before."""
KIND: Final = re.compile(
    r'<section class="panel changes" aria-labelledby="h-(\w+)">\s*<details( open)?>'
)


@pytest.fixture(scope="module")
def ask(postgres_server: PostgresServer) -> Iterator[Asker]:
    with asking(postgres_server) as asker:
        yield asker


def text_of(instant: Any) -> str:
    return str(instant.isoformat().replace("+00:00", "Z"))


def test_after_a_quiet_day_the_first_page_tells_of_the_week(ask: Asker) -> None:
    moment = {"as_of": text_of(TOLD_ON), "effective_at": text_of(QUIET)}
    day, week = ask.page("/", **moment), text_of(QUIET - timedelta(days=7))
    told = ask.api("/v1/overview", since=week, **moment)["changes"]

    assert ask.api("/v1/overview", **moment)["changes"]["moves"] == []
    assert "Nothing has changed since 3 Oct 2025, 12:00 UTC. This is the last week." in day.text
    assert day.pairs["Stage moves"] == str(len(told["moves"])) != "0"
    asked = ask.page("/", since=text_of(QUIET - timedelta(days=1)), **moment)
    assert asked.pairs["Stage moves"] == "0"
    assert "Nothing changed" in asked.text


def test_what_is_rare_is_open_and_what_is_much_is_folded_to_its_number(ask: Asker) -> None:
    moment = {"since": text_of(TOLD_ON - timedelta(days=60)), **at(TOLD_ON)}
    told = ask.api("/v1/overview", **moment)["changes"]
    html = ask.get("/", **moment).text

    opened = {kind: bool(is_open) for kind, is_open in KIND.findall(html)}
    assert set(opened) == {kind for kind, rows in told.items() if rows}
    seen, folded = ([len(told[k]) for k in opened if opened[k] is one] for one in (True, False))
    assert folded
    assert 0 < sum(seen) <= MAX_OPEN < sum(seen) + min(folded)
    assert max(seen) <= min(folded)


def test_people_stand_by_name_in_the_corner_and_in_what_is_refused(ask: Asker) -> None:
    own = ask.get("/organisation", REP).text
    refused = ask.get("/organisation", REP, whose=f"rep:{MANAGER}")

    assert "<span>Amara Osei</span>" in own
    assert refused.status_code == 403
    assert "You may not see the figures of Helen Marchetti" in refused.text
    assert MANAGER not in refused.text.partition("<main")[2]
    assert "The role of rep does not allow it: read imports." in ask.get("/imports", REP).text
