"""What a manager is shown of a replayed quarter is what the API answers the same manager."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any, Final

import pytest
from fastapi.testclient import TestClient

from api.identity.permissions import Role
from projections.quarter.board_scene import Film
from projections.quarter.board_tape import instant_text
from tests.support.films import assert_figures, instants
from tests.support.ledgers import SCHEMA
from tests.support.organisation import serving_ledger
from tests.support.postgres import PostgresServer
from tests.support.site import AUDITOR, MANAGER, REP, fill

QUARTER: Final = "FY2026Q2"
TAPE: Final = re.compile(r'id="tape">(.*?)</script>', re.DOTALL)
INSTANTS: Final = 6


@dataclass(frozen=True, slots=True)
class Readers:
    """The server, and a key for each who reads."""

    client: TestClient
    secrets: Mapping[str, str]

    def get(self, who: str, path: str, **query: str) -> Any:
        headers = {"Authorization": f"Bearer {self.secrets[who]}"}
        answer = self.client.get(path, params=query, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer

    def film(self, who: str, clock: str) -> Film:
        page = self.get(who, f"/replay/{QUARTER}", hindsight=str(int(clock == "as_happened")))
        told = TAPE.search(page.text)
        assert told is not None
        return Film(json.loads(told[1])["tape"])


@pytest.fixture(scope="module")
def readers(postgres_server: PostgresServer) -> Iterator[Readers]:
    with (
        postgres_server.ledger(SCHEMA, filled_by=fill) as database,
        serving_ledger(database) as (client, ledger),
    ):
        day = timedelta(days=1)
        roles: dict[str, Role] = {REP: "rep", MANAGER: "manager", AUDITOR: "auditor"}
        secrets = {
            who: ledger.keys.create(
                member=who, role=role, scopes=None, name="test", lifetime=day, by="t"
            ).secret
            for who, role in roles.items()
        }
        yield Readers(client, secrets)


@pytest.mark.parametrize("clock", ["as_known", "as_happened"])
@pytest.mark.parametrize("who", [MANAGER, AUDITOR])
def test_the_figures_are_those_of_the_api_for_the_same_reader(
    readers: Readers, who: str, clock: str
) -> None:
    film = readers.film(who, clock)

    for at in instants(film, Random(clock), INSTANTS):
        asked = {"as_of" if clock == "as_known" else "effective_at": instant_text(at)}
        answer = readers.get(who, f"/v1/quarters/{QUARTER}", clock=clock, **asked)
        assert_figures(film, at, answer.json())


def test_the_deals_are_those_that_the_reader_may_see(readers: Readers) -> None:
    seen = {
        who: {deal for deal, _ in readers.film(who, "as_known").tape["deals"]}
        for who in readers.secrets
    }

    assert seen[REP] <= seen[MANAGER] < seen[AUDITOR]
    for who, deals in seen.items():
        headers = {"Authorization": f"Bearer {readers.secrets[who]}"}
        for deal in sorted(seen[AUDITOR]):
            answer = readers.client.get(f"/v1/deals/{deal}", headers=headers)
            assert (answer.status_code == 200) is (deal in deals), (who, deal)
