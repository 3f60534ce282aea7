"""A client of a real server of the API, in this process, on a ledger of the test's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, Final

from fastapi.testclient import TestClient

from api.bootstrap_server import build_app
from tests.support.ledgers import SCHEMA
from tests.support.roles import under_one_login, under_roles
from tests.support.working import in_thread

TOKEN: Final = "token-of-the-tests-0123456789abcdef"
_KEYS = count(1)


@contextmanager
def client_on(database: str, *, apart: bool = True) -> Iterator[TestClient]:
    """Serve a ledger, with its worker, to a client that is signed in.

    Its roles are apart, or one login plays all.
    """
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with (
        (under_roles if apart else under_one_login)(database, schema=SCHEMA) as ledger,
        TestClient(
            build_app(ledger, token=TOKEN), base_url="http://localhost", headers=headers
        ) as client,
        in_thread(ledger.worker),
    ):
        yield client


def post(
    client: TestClient, path: str, *events: Any, key: str | None = None, **headers: str
) -> Any:
    """Post events under a key of their own, or the one given."""
    named = {"Idempotency-Key": key or f"key-{next(_KEYS)}", **headers}
    return client.post(path, json={"events": list(events)}, headers=named)


def event(type_: str, occurred_at: str | None = None, /, **data: Any) -> dict[str, Any]:
    told: dict[str, Any] = {"type": type_, "data": data}
    return told | ({"occurred_at": occurred_at} if occurred_at else {})


def opened(occurred_at: str | None = None, **more: Any) -> dict[str, Any]:
    data = {"name": "Fleet renewal", "account": {"id": "acme", "name": "Acme"}, "owner": "ann"}
    return event("deal_opened", occurred_at, **(data | more))


def open_deal(client: TestClient, *events: Any, occurred_at: str | None = None) -> str:
    """Open a deal and give its id."""
    answer = post(client, "/v1/deals", opened(occurred_at), *events)
    assert answer.status_code == 201, answer.text
    deal_id: str = answer.json()["deal_id"]
    return deal_id
