"""A company of two teams behind a real server, with a key for everybody in it."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import uuid4

from fastapi.testclient import TestClient
from httpx2 import Response

from api.bootstrap import Ledger
from api.bootstrap_server import build_app
from api.http.limits import Limits
from api.identity.issuer import Issuer
from tests.support.client import TOKEN, event, opened, post
from tests.support.ledgers import SCHEMA
from tests.support.roles import under_roles
from tests.support.working import in_thread

WHO: Final[Mapping[str, tuple[str, str, str | None]]] = {
    "mia": ("manager", "north", None),
    "ann": ("rep", "north", "mia"),
    "ben": ("rep", "north", "mia"),
    "sam": ("manager", "south", None),
    "cyd": ("rep", "south", "sam"),
    "pat": ("process_owner", "ops", None),
    "aud": ("auditor", "ops", None),
    "adm": ("admin", "ops", None),
}
"""Role, team and manager of everybody."""
SINCE: Final = "2025-01-10T09:00:00Z"
LATE: Final = "2025-03-27T09:00:00Z"
"""In the last days of the quarter."""
QUARTER: Final = "FY2025Q1"
OURS: Final = "Northern lights"
THEIRS: Final = "Southern cross"
THEIR_ACCOUNT: Final = "contoso"


@dataclass(frozen=True, slots=True)
class Company:
    """The server, everybody's key, and a deal of each team."""

    client: TestClient
    ledger: Ledger
    secrets: Mapping[str, str]
    ours: str
    theirs: str

    def as_(self, who: str, **more: str) -> dict[str, str]:
        """Give the headers of somebody's request."""
        secret = TOKEN if who == "token" else self.secrets[who]
        return {"Authorization": f"Bearer {secret}", **more}

    def get(self, who: str, path: str, **headers: str) -> Response:
        return self.client.get(path, headers=self.as_(who, **headers))

    def post(self, who: str, path: str, *events: object, key: str | None = None) -> Response:
        headers = self.as_(who, **{"Idempotency-Key": key or str(uuid4())})
        return self.client.post(path, json={"events": list(events)}, headers=headers)

    def caught_up(self) -> None:
        self.ledger.worker.catch_up()


@contextmanager
def serving_ledger(
    database: str, *, issuer: Issuer | None = None, limits: Limits | None = None
) -> Iterator[tuple[TestClient, Ledger]]:
    """Serve a ledger to a client without a credential."""
    with (
        under_roles(database, schema=SCHEMA) as ledger,
        TestClient(
            build_app(ledger, token=TOKEN, issuer=issuer, limits=limits),
            base_url="http://localhost",
            follow_redirects=False,
        ) as client,
        in_thread(ledger.worker),
    ):
        yield client, ledger


@contextmanager
def company_on(database: str) -> Iterator[Company]:
    """Serve the company's ledger."""
    with serving_ledger(database) as (client, ledger):
        client.headers["Authorization"] = f"Bearer {TOKEN}"
        for who, (role, team, manager) in WHO.items():
            told = {"rep": who, "role": role, "team": team}
            told |= {"manager": manager} if manager else {}
            assert post(client, "/v1/teams", event("member_joined", SINCE, **told)).is_success
        for who in ("ann", "ben", "cyd"):
            amount = {"amount": "100000.00", "currency": "USD"}
            quota = event("quota_assigned", SINCE, rep=who, quarter=QUARTER, amount=amount)
            assert post(client, "/v1/quotas", quota).is_success
        ours = _deal(client, OURS, "ann", "acme")
        theirs = _deal(client, THEIRS, "cyd", THEIR_ACCOUNT)
        secrets = {
            who: ledger.keys.create(
                member=who, role=role, scopes=None, name="test", lifetime=timedelta(days=1), by="t"
            ).secret
            for who, (role, _, _) in WHO.items()
        }
        del client.headers["Authorization"]
        ledger.worker.catch_up()
        yield Company(client, ledger, secrets, ours, theirs)


def _deal(client: TestClient, name: str, owner: str, account: str) -> str:
    made = opened(
        SINCE,
        name=name,
        owner=owner,
        account={"id": account, "name": account.title()},
        amount={"amount": "1234.00", "currency": "USD"},
        close_date="2025-04-20",
    )
    offered = event("discount_offered", LATE, percent="10") | {"on_behalf_of": owner}
    moved = event("close_date_moved", LATE, to="2025-03-30") | {"on_behalf_of": owner}
    answer = post(client, "/v1/deals", made, offered, moved)
    assert answer.is_success, answer.text
    deal_id: str = answer.json()["deal_id"]
    return deal_id


def alike(answer: Response) -> tuple[int, str, dict[str, str]]:
    """Give an answer but for the deal's id that was asked for and the id of the request."""
    ids = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
    headers = {k: v for k, v in answer.headers.items() if k not in {"x-request-id", "date"}}
    return answer.status_code, ids.sub("ID", answer.text), headers
