"""The recipes of the documentation run, against servers that answer as the real ones do."""

import importlib.util
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from fastapi.testclient import TestClient
from httpx2 import Client
from hubspot import HubSpot  # type: ignore[import-untyped]  # it has no types
from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce  # type: ignore[attr-defined]  # not said to be exported

from api.exchange.importing import Format, LedgerContext, reader_for, run_import
from api.exchange.lines import ImportReport
from api.exchange.profile import profile_from
from api.storage.event_store import EventStore
from tests.support import fake_crm
from tests.support.client import TOKEN, open_deal
from tests.support.exports import PACK, rewritten_json
from tests.support.ledgers import NOW
from tests.support.reference import FISCAL
from tests.support.served import served

RECIPES = Path(__file__).parents[2] / "docs" / "recipes"
PROFILE = profile_from({"calendar": FISCAL}, name="test")
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
TURN = datetime(2025, 1, 1, tzinfo=UTC)
"""Between the export that is fetched first and what changed since."""


def recipe(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, RECIPES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def imported(
    store: EventStore, name: Format, path: Path, *, founding: bool = False
) -> ImportReport:
    reader = reader_for(name, [path], profile=PROFILE, known=LedgerContext(store))
    return run_import(store, reader, now=NOW, founding=founding)


class Here(HTTPAdapter):
    """Takes what is meant for Salesforce to a server on this machine."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def send(self, request: PreparedRequest, *arguments: Any, **more: Any) -> Response:
        request.url = str(request.url).replace("https://fake.salesforce.invalid", self._url)
        return super().send(request, *arguments, **more)


def salesforce_at(url: str) -> Salesforce:
    session = Session()
    session.mount("https://fake.salesforce.invalid", Here(url))
    return Salesforce(instance="fake.salesforce.invalid", session_id="x", session=session)


def hubspot_at(url: str) -> HubSpot:
    return HubSpot(access_token="x", host=url)


def earlier_salesforce(name: str, content: Any) -> Any:
    """The objects as they were at the turn, of deals as they were last changed before it."""
    if name in ("OpportunityHistory", "OpportunityFieldHistory"):
        content["records"] = [r for r in content["records"] if r["CreatedDate"] < "2025"]
    for row in content["records"] if name == "Opportunity" else ():
        row["LastModifiedDate"] = min(row["LastModifiedDate"], "2024-12-30T00:00:00.000+0000")
        row["SystemModstamp"] = row["LastModifiedDate"]
    return content


def earlier_hubspot(name: str, content: Any) -> Any:
    for deal in content["results"] if name == "deals" else ():
        for key, versions in deal["propertiesWithHistory"].items():
            told = [one for one in versions if one["timestamp"] < "2025"]
            deal["propertiesWithHistory"][key] = told
            if told:
                deal["properties"][key] = told[0]["value"]
        deal["updatedAt"] = min(deal["updatedAt"], "2024-12-30T00:00:00.000Z")
    return content


@dataclass(frozen=True)
class System:
    """A system that is kept up with: its recipe, its fake, and the pack as it was at the turn."""

    format: Format
    recipe: str
    pack: str
    fake: Callable[[Path], fake_crm.Answer]
    client: Callable[[str], Any]
    earlier: Callable[[str, Any], Any]


SYSTEMS = [
    System(
        "salesforce-rest",
        "salesforce",
        "salesforce_rest_query",
        fake_crm.salesforce,
        salesforce_at,
        earlier_salesforce,
    ),
    System("hubspot", "hubspot_deals", "hubspot_v3", fake_crm.hubspot, hubspot_at, earlier_hubspot),
]


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.format)
def test_keeping_up_leads_to_what_one_import_of_all_does(
    system: System, store: EventStore, shared_data: Path, tmp_path: Path
) -> None:
    whole = shared_data / PACK / system.pack
    before = rewritten_json(whole, tmp_path / "earlier", system.earlier)
    fetch = recipe(system.recipe).fetch

    with fake_crm.answering(system.fake(before)) as url:
        assert fetch(system.client(url), tmp_path / "first", since=BEGINNING) == 15
    first = imported(store, system.format, tmp_path / "first", founding=True)
    with fake_crm.answering(system.fake(whole)) as url:
        changed = fetch(system.client(url), tmp_path / "second", since=TURN)
        assert fetch(system.client(url), tmp_path / "third", since=NOW) == 0
    second = imported(store, system.format, tmp_path / "second")

    assert (first.rejects, second.rejects) == ((), ())
    assert 0 < changed < 15
    assert second.events_made > 0
    again = imported(store, system.format, tmp_path / "second")
    assert (again.events_made, again.rejects) == (0, ())
    wins = [e for batch in store.log() for e in batch if e.data.TOPIC == "deal.deal_won.v1"]
    assert len(wins) == 10
    assert not (tmp_path / "third").exists()


@pytest.mark.parametrize("name", ["Task", "Quote"])
def test_a_deal_is_fetched_of_which_only_a_task_or_a_quote_changed(
    name: str, shared_data: Path, tmp_path: Path
) -> None:
    def later(table: str, content: Any) -> Any:
        if table == name:
            content["records"][0]["SystemModstamp"] = "2025-06-01T00:00:00.000+0000"
        return content

    whole = shared_data / PACK / "salesforce_rest_query"
    fetch = recipe("salesforce").fetch
    with fake_crm.answering(
        fake_crm.salesforce(rewritten_json(whole, tmp_path / "pack", later))
    ) as url:
        since = datetime(2025, 5, 1, tzinfo=UTC)
        assert fetch(salesforce_at(url), tmp_path / "changed", since=since) == 1


class EnoughError(Exception):
    """The follower has been given what it was to be given."""


@pytest.mark.parametrize("paged", [True, False])
def test_following_gives_every_event_once_also_after_a_break(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, paged: bool
) -> None:
    module, cursor = recipe("follow"), tmp_path / "cursor"
    if not paged:  # so that all of them come over the stream
        monkeypatch.setattr(module, "asked", lambda *_: {"events": []})
    given: list[int] = []

    def until(position: int) -> Callable[[dict[str, Any]], None]:
        def take(event: dict[str, Any]) -> None:
            if event["position"] > position:
                raise EnoughError
            given.append(event["position"])

        return take

    with (
        served(database) as url,
        Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}) as client,
    ):
        for _ in range(6):
            open_deal(cast("TestClient", client))
        for position in (2, 5):
            with pytest.raises(EnoughError):
                module.follow(url, TOKEN, cursor, until(position))

    assert given == [1, 2, 3, 4, 5]
    assert cursor.read_text() == "5"


def test_the_recipes_are_those_that_the_page_names() -> None:
    page = (RECIPES.parent / "recipes.md").read_text(encoding="utf-8")

    named = set(re.findall(r"\(recipes/(\w+\.py)\)", page))
    assert named == {path.name for path in RECIPES.glob("*.py")}
