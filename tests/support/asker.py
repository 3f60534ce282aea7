"""Asks pages and the API alike, so that what they say can be compared."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx2

from tests.support.client import TOKEN
from tests.support.ledgers import SCHEMA
from tests.support.postgres import PostgresServer
from tests.support.site import Read, fill, site_on


class Asker:
    """Asks pages and the API with the key of somebody."""

    def __init__(self, base: str, secrets: Mapping[str, str]) -> None:
        self.client = httpx2.Client(base_url=base, timeout=60)
        self.secrets = secrets
        self._told: dict[object, Any] = {}

    def get(self, path: str, who: str | None = None, **query: Any) -> httpx2.Response:
        secret = self.secrets[who] if who else TOKEN
        given = {name: value for name, value in query.items() if value is not None}
        headers = {"Authorization": f"Bearer {secret}"}
        return self.client.get(path, params=given or None, headers=headers)

    def page(self, path: str, who: str | None = None, **query: Any) -> Read:
        answer = self.get(path, who, **query)
        assert answer.status_code == 200, answer.text[:2000]
        return Read(answer.text)

    def api(self, path: str, who: str | None = None, **query: Any) -> Any:
        """Give the API's answer; as of a moment it stays what it was, and is asked for once."""
        asked = (path, who, *sorted((name, str(value)) for name, value in query.items()))
        if "as_of" not in query or asked not in self._told:
            answer = self.get(path, who, **query)
            assert answer.status_code == 200, answer.text
            self._told[asked] = answer.json()
        return self._told[asked]

    def append(self, deal_id: str, *events: Any) -> list[Any]:
        """Append events to a deal, as the operator, and give what was recorded."""
        headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": str(uuid4())}
        path = f"/v1/deals/{deal_id}/events"
        answer = self.client.post(path, json={"events": events}, headers=headers)
        assert answer.status_code == 201, answer.text
        told: list[Any] = answer.json()["events"]
        return told

    def deals(self, **query: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        cursor = None
        while True:
            page = self.api("/v1/deals", limit=200, cursor=cursor, **query)
            found += page["deals"]
            cursor = page["next"]
            if cursor is None:
                return found


@contextmanager
def asking(postgres_server: PostgresServer) -> Iterator[Asker]:
    """Serve the sample company to who asks."""
    with (
        postgres_server.ledger(SCHEMA, filled_by=fill) as database,
        site_on(database) as (base, _, secrets),
    ):
        asker = Asker(base, secrets)
        yield asker
        asker.client.close()


def at(instant: datetime) -> dict[str, str]:
    return {"as_of": instant.isoformat().replace("+00:00", "Z")}
