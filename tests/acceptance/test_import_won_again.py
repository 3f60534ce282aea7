"""A deal won, reopened and won again on an earlier day: what every figure says of it, and when."""

from collections.abc import Iterator, Mapping
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
BEFORE = "2025-04-10T00:00:00Z"
FIRST, SECOND = "FY2025Q1", "FY2025Q2"


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
    """The deal in a ledger: with the times of its source, at once, and by two exports."""
    with postgres_server.ledger(SCHEMA) as dsn:
        if request.param == "by and by":
            assert imported(dsn, tmp_path, STATES, founding=False).rejects == ()
        report = imported(dsn, tmp_path, STATES + AGAIN, founding=request.param == "founded")
        again = imported(dsn, tmp_path, STATES + AGAIN, founding=False)
        assert (report.rejects, again.rejects, again.events_made) == ((), (), 0)
        with client_on(dsn) as served:
            yield served


def ask(client: TestClient, path: str, when: Mapping[str, str]) -> Any:
    answer = client.get(f"/v1/{path}", params=when)
    assert answer.status_code == 200, answer.text
    return answer.json()


def booked(client: TestClient, quarter: str, when: Mapping[str, str]) -> list[str]:
    """What is booked in a quarter, by rep, of whom there is one."""
    reps = ask(client, f"quarters/{quarter}", when)["reps"]
    return [money["amount"] for rep in reps for money in rep["booked"]]


def closed_on(client: TestClient, quarter: str, when: Mapping[str, str]) -> list[str]:
    days = ask(client, f"quarters/{quarter}/close-pattern", when)["days"]
    return [day["day"] for day in days if day["won"]]


def left_in(client: TestClient, quarter: str, when: Mapping[str, str]) -> int:
    """How many deals are open in a quarter at the end of its waterfall."""
    found: int = ask(client, f"quarters/{quarter}/waterfall", when)["closing"]["deals"]
    return found


def test_a_deal_won_again_counts_on_its_close_date_in_every_figure(client: TestClient) -> None:
    now: dict[str, str] = {}

    (deal,) = ask(client, "deals", now)["deals"]

    assert (deal["closed"], deal["closed_at"]) == ("won", WON_AT)
    assert booked(client, FIRST, now) == ["1200.00"]
    assert booked(client, SECOND, now) == []
    assert closed_on(client, FIRST, now) == ["2025-03-28"]
    assert closed_on(client, SECOND, now) == []
    assert [left_in(client, quarter, now) for quarter in (FIRST, SECOND)] == [0, 0]
    history = ask(client, f"deals/{deal['deal_id']}/events", now)["events"]
    reasons = {one["data"]["reason"] for one in history if one["type"] == "event_retracted"}
    assert reasons == {"Told since: the deal was won on 2025-03-28, before this."}

    for instant, closed in (
        ("2025-03-09T00:00:00Z", None),
        ("2025-03-20T00:00:00Z", "won"),
        (WON_AT, "won"),
        (BEFORE, "won"),
    ):
        (then,) = ask(client, "deals", {"effective_at": instant})["deals"]
        assert then["closed"] == closed, instant


@pytest.mark.parametrize("client", ["founded"], indirect=True)
def test_what_was_known_before_is_that_the_deal_stood_open(client: TestClient) -> None:
    then = {"as_of": BEFORE}

    (deal,) = ask(client, "deals", then)["deals"]

    assert (deal["closed"], deal["stage"]) == (None, "Qualify")
    assert booked(client, FIRST, then) == ["1000.00"]
    assert booked(client, SECOND, then) == ["-1000.00"]
    assert closed_on(client, FIRST, then) == []
    assert left_in(client, SECOND, then) == 1
