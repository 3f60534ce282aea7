"""What a manager asks of a forecast over HTTP and at the command line, and what is called."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.support.client import client_on, event, post
from tests.support.ledgers import SCHEMA, filling, import_lines, ledger_on
from tests.support.postgres import PostgresServer
from tests.support.thirty import Line, thirty_lines, usd

FORECAST = "/v1/quarters/FY2025Q1/forecast"


def opened(number: int, **more: Any) -> list[Line]:
    """Give a deal that enters the only stage that is looked at, and its end if it has one."""
    stream, day = f"deal:F{number}", f"2024-10-{1 + number:02}T10:00:00Z"
    data = {
        "name": f"Deal {number}",
        "account": {"id": "acme", "name": "Acme"},
        "owner": "ann" if number % 2 else "ben",
        "amount": usd("1000.00"),
        "close_date": "2025-03-15",
    }
    ended = more.get("ended")
    told = [
        ("deal_opened", day, data),
        ("stage_entered", day, {"stage": "qualify"}),
        *([(ended, more["on"], more["data"])] if ended else []),
    ]
    return [
        {
            "stream": stream,
            "external_id": f"{stream}/{index}",
            "type": kind,
            "occurred_at": when,
            "recorded_at": when,
            "actor": data["owner"],
            "data": content,
        }
        for index, (kind, when, content) in enumerate(told)
    ]


def company() -> list[Line]:
    """Give 24 deals: eight won after two months, eight lost, eight open."""
    won = {"net": usd("900.00"), "closed_on": "2024-12-10"}
    lines = [
        *(
            line
            for number in range(8)
            for line in opened(number, ended="deal_won", on="2024-12-10T10:00:00Z", data=won)
        ),
        *(
            line
            for number in range(8, 16)
            for line in opened(number, ended="deal_lost", on="2024-12-12T10:00:00Z", data={})
        ),
        *(line for number in range(16, 24) for line in opened(number)),
    ]
    return sorted(lines, key=lambda line: str(line["recorded_at"]))


founded = filling(company, founding=True)


@pytest.fixture
def client(postgres_server: PostgresServer) -> Iterator[TestClient]:
    with postgres_server.ledger(SCHEMA, filled_by=founded) as dsn, client_on(dsn) as served:
        yield served


def ask(client: TestClient, path: str, **parameters: Any) -> Any:
    answer = client.get(path, params=parameters or None)
    assert answer.status_code == 200, answer.text
    return answer.json()


def call(client: TestClient, **more: Any) -> Any:
    data = {"rep": "ann", "quarter": "FY2025Q1", "commit": usd("500.00"), **more}
    return post(client, "/v1/forecasts", event("forecast_called", **data))


def test_open_deals_have_a_chance_and_the_quarter_an_expectation(client: TestClient) -> None:
    found = ask(client, FORECAST, as_of="2024-12-01T00:00:00Z")

    assert [one["chance"] for one in found["deals"]] == [None] * 24, "nothing has ended yet"

    found = ask(client, FORECAST, as_of="2024-12-31T00:00:00Z")
    assert len(found["deals"]) == 8
    assert {one["chance"] for one in found["deals"]} == {None}, "none was followed so long"
    (stage,) = found["stages"]
    assert (stage["n"], stage["won"], stage["lost"], stage["open"]) == (24, 8, 8, 8)


def test_the_forecast_of_a_rep_holds_their_deals(client: TestClient) -> None:
    found = ask(client, FORECAST, as_of="2025-01-31T00:00:00Z", rep="ann")

    assert {one["owner"] for one in found["deals"]} == {"ann"}
    assert found["slip"] == {
        "count": 4,
        "n": 4,
        "share": None,
        "interval": None,
        "conclusive": False,
    }
    assert ask(client, FORECAST, team="north")["deals"] == []
    both = client.get(FORECAST, params={"rep": "ann", "team": "north"})
    assert both.status_code == 422


def test_the_same_question_twice_gives_the_same_bytes(client: TestClient) -> None:
    asked = {"as_of": "2025-01-31T00:00:00Z"}
    first = client.get(FORECAST, params=asked).content

    assert call(client).status_code == 201
    assert client.get(FORECAST, params=asked).content == first


def test_a_page_of_deals_leads_to_the_next(client: TestClient) -> None:
    page = client.get(FORECAST, params={"as_of": "2025-01-31T00:00:00Z", "limit": 5})
    following = client.get(page.links["next"]["url"])

    ids = [one["deal_id"] for one in (*page.json()["deals"], *following.json()["deals"])]
    assert ids == sorted(ids)
    assert len(set(ids)) == 8
    assert following.json()["next"] is None


def test_a_call_keeps_what_could_be_known_then(client: TestClient) -> None:
    told = call(client, best_case=usd("900.00"), statement="Two will sign")
    assert told.status_code == 201, told.text
    assert told.headers["location"].endswith(FORECAST)

    calls = ask(client, "/v1/forecasts", rep="ann", quarter="FY2025Q1")["calls"]
    assert [(one["commit"]["amount"], one["best_case"]["amount"]) for one in calls] == [
        ("500.00", "900.00")
    ]
    assert ask(client, "/v1/forecasts", rep="ben")["calls"] == []


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"commit": {"amount": "x", "currency": "USD"}}, "commit.amount"),
        ({"best_case": usd("1.00")}, "best_case"),
        ({"quarter": "2025Q1"}, "quarter"),
    ],
)
def test_a_call_that_cannot_be_names_its_field(
    client: TestClient, data: dict[str, Any], field: str
) -> None:
    refused = call(client, **data)

    assert refused.status_code in (400, 409, 422), refused.text
    assert field in json.dumps(refused.json())


def test_calls_of_the_quarter_show_with_their_inputs(database: str, tmp_path: Path) -> None:
    lines = company()
    lines.append(
        {
            "stream": "forecast:ann:FY2025Q1",
            "external_id": "call/1",
            "type": "forecast_called",
            "occurred_at": "2025-01-20T00:00:00Z",
            "recorded_at": "2025-01-20T00:00:00Z",
            "actor": "ann",
            "data": {"rep": "ann", "quarter": "FY2025Q1", "commit": usd("2000.00")},
        }
    )
    with ledger_on(database) as ledger:
        import_lines(ledger, tmp_path, lines, founding=True)
    with client_on(database) as served:
        (one,) = ask(served, FORECAST)["calls"]
        assert one["closing_in_quarter"] == [
            {"category": None, "deals": 4, "amount": usd("4000.00")}
        ]
        assert one["booked"] == []


def test_past_quarters_tell_how_their_chances_came_out(database: str, tmp_path: Path) -> None:
    with ledger_on(database) as ledger:
        import_lines(ledger, tmp_path, [*thirty_lines(), *company()], founding=False)
    with client_on(database) as served:
        found = ask(served, "/v1/quarters/FY2025Q2/forecast", effective_at="2025-05-01T00:00:00Z")
        assert [one["quarter"] for one in found["past"]] == ["FY2025Q1"]
        (past,) = found["past"]
        assert past["deals"] >= 8
        assert found["replay"]["clock"] == "as_happened"
