"""A deal won, reopened and won again on an earlier day: what every figure says of it, and when."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.exchange.importing import LedgerContext, reader_for, run_import
from api.exchange.profile import profile_from
from tests.support.client import client_on
from tests.support.ledgers import NOW, SCHEMA, ledger_on
from tests.support.postgres import PostgresServer

PROFILE = profile_from(
    {
        "source": "crm",
        "currency": "USD",
        "calendar": {"kind": "months", "zone": "UTC", "start_month": 1},
        "stages": ["Qualify", {"name": "Won", "closes": "won"}, {"name": "Lost", "closes": "lost"}],
        "columns": {
            "id": "id",
            "stage": "stage",
            "owner": "owner",
            "amount": "amount",
            "close_date": "due",
            "recorded_on": "at",
        },
    },
    name="crm",
)
STATES = """id,stage,owner,amount,due,at
A,Qualify,ann,1000,2025-03-20,2025-01-10 09:00:00
A,Won,ann,1000,2025-03-10,2025-03-10 09:00:00
A,Qualify,ann,1000,2025-04-30,2025-04-05 09:00:00
"""
AGAIN = "A,Won,ann,1200,2025-03-28,2025-04-20 09:00:00\n"
WON_AT = "2025-03-28T23:59:59Z"
BEFORE, AFTER = "2025-04-10T00:00:00Z", "2025-04-25T00:00:00Z"


def imported(dsn: str, tmp_path: Path, states: str, *, founding: bool) -> Any:
    path = tmp_path / "states.csv"
    path.write_text(states, encoding="utf-8")
    with ledger_on(dsn) as ledger:
        known = LedgerContext(ledger.store)
        reader = reader_for("csv", [path], profile=PROFILE, known=known)
        report = run_import(ledger.store, reader, now=NOW, founding=founding)
        ledger.worker.catch_up()
    return report


@pytest.fixture(params=["founded", "imported", "by and by"])
def client(
    request: pytest.FixtureRequest, postgres_server: PostgresServer, tmp_path: Path
) -> Iterator[TestClient]:
    with postgres_server.ledger(SCHEMA) as dsn:
        if request.param == "by and by":
            assert imported(dsn, tmp_path, STATES, founding=False).rejects == ()
        founding = request.param == "founded"
        report = imported(dsn, tmp_path, STATES + AGAIN, founding=founding)
        assert report.rejects == ()
        assert imported(dsn, tmp_path, STATES + AGAIN, founding=False).events_made == 0
        with client_on(dsn) as served:
            served.headers["x-way"] = request.param
            yield served


def ask(client: TestClient, path: str, **parameters: str) -> Any:
    answer = client.get(f"/v1/{path}", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def figures(client: TestClient, **when: str) -> dict[str, Any]:
    """What each way of looking says of the deal, which is the only one."""
    (deal,) = ask(client, "deals", **when)["deals"]
    found: dict[str, Any] = {"closed": deal["closed"], "closed_at": deal["closed_at"]}
    for quarter in ("FY2025Q1", "FY2025Q2"):
        answer = ask(client, f"quarters/{quarter}", **when)
        found[quarter] = {
            "answer": answer,
            "pattern": ask(client, f"quarters/{quarter}/close-pattern", **when),
            "waterfall": ask(client, f"quarters/{quarter}/waterfall", **when),
        }
    return found


def test_explore(client: TestClient) -> None:
    import json
    way = client.headers["x-way"]
    Path(f"/tmp/rewon-{way.split()[0]}.json").write_text(json.dumps({
        "deals": ask(client, "deals"),
        "after": figures(client, as_of=AFTER) if way == "founded" else None,
        "before": figures(client, as_of=BEFORE) if way == "founded" else None,
        "now": figures(client)}, indent=1))
