"""What a manager asks of a past quarter over HTTP, and that it stays what it was."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from tests.support.client import client_on, event, post
from tests.support.ledgers import SCHEMA, filling, import_lines, ledger_on
from tests.support.postgres import PostgresServer
from tests.support.thirty import Line, thirty_lines, usd

QUARTER = "/v1/quarters/FY2025Q1"
ENDED = "2025-03-31T23:00:00Z"


def context_lines() -> list[Line]:
    """Give a company around the worked example: two teams, and a deal that stays open."""
    opened = {
        "name": "Open",
        "account": {"id": "acme", "name": "Acme"},
        "owner": "ann",
        "amount": usd("1000.00"),
        "close_date": "2025-03-15",
    }
    lines: list[Line] = [
        {
            "stream": "deal:H1",
            "external_id": "H1/opened",
            "type": "deal_opened",
            "occurred_at": "2025-01-10T00:00:00Z",
            "actor": "ann",
            "data": opened,
        }
    ]
    for number, (rep, team) in enumerate((("ann", "north"), ("ben", "south"))):
        data = {"rep": rep, "team": team, "role": "rep"}
        lines.append(
            {
                "stream": "organisation",
                "external_id": f"team/{number}",
                "type": "member_joined",
                "occurred_at": "2024-06-01T00:00:00Z",
                "recorded_at": "2024-06-01T00:00:00Z",
                "actor": "admin",
                "data": data,
            }
        )
    return lines


def told_at_once(lines: list[Line]) -> list[Line]:
    """Let the source have been told of everything when it happened."""
    return [{"recorded_at": line["occurred_at"], **line} for line in lines]


def company() -> list[Line]:
    return told_at_once([*context_lines(), *thirty_lines()])


founded = filling(company, founding=True)


@pytest.fixture
def client(postgres_server: PostgresServer) -> Iterator[TestClient]:
    with postgres_server.ledger(SCHEMA, filled_by=founded) as dsn, client_on(dsn) as served:
        yield served


def ask(client: TestClient, path: str, **parameters: Any) -> Any:
    answer = client.get(path, params=parameters or None)
    assert answer.status_code == 200, answer.text
    return answer


def deal_named(client: TestClient, name: str) -> str:
    found = ask(client, "/v1/deals", external_id=name).json()["deals"]
    deal_id: str = found[0]["deal_id"]
    return deal_id


def addresses(client: TestClient) -> list[str]:
    """Give everything that a manager may look at of a past quarter."""
    deal = f"/v1/deals/{deal_named(client, 'D1')}"
    return [
        QUARTER,
        f"{QUARTER}/frames",
        f"{QUARTER}/frames?team=north",
        f"{QUARTER}/waterfall",
        f"{QUARTER}/waterfall?rep=ann",
        f"{QUARTER}/waterfall?team=north",
        f"{QUARTER}/diff",
        f"{QUARTER}/movement",
        f"{QUARTER}/tape",
        f"{QUARTER}/waterfall?clock=as_happened",
        f"{QUARTER}/close-pattern",
        f"{QUARTER}/close-pattern?team=north",
        f"{QUARTER}/pressure",
        f"{QUARTER}/pressure?team=north",
        deal,
        *(
            f"{deal}/{view}"
            for view in (
                *("events", "history", "progress", "pressure", "movement"),
                *("commitments", "review"),
            )
        ),
        f"{deal}/conformance",
        "/v1/deals?limit=200",
        "/v1/deals?closed=open&sort=-amount",
        "/v1/events?limit=1000",
        "/v1/quotas",
        "/v1/quotas/ann/FY2025Q1",
        "/v1/teams",
        "/v1/processes",
        "/v1/processes/linear",
        "/v1/policies",
        "/v1/calendars",
        "/v1/rates",
    ]


def change_the_past(client: TestClient) -> None:
    """Tell late what happened then, correct it, and change everything around it."""
    deal = f"/v1/deals/{deal_named(client, 'D1')}/events"
    told = ask(client, deal).json()["events"]
    discount = next(e for e in told if e["type"] == "discount_offered")
    tick = next(e for e in told if e["type"] == "activity_ticked")
    first = told[0]
    amended, owned = {"percent": "40"}, {**first["data"], "owner": "ben"}
    for answer in (
        post(client, deal, event("note_added", "2025-02-10T00:00:00Z", text="They called")),
        post(
            client,
            deal,
            event("customer_request_received", "2025-02-11T00:00:00Z", topic="other", level=3),
        ),
        post(
            client,
            deal,
            event("event_amended", event_id=discount["event_id"], data=amended, reason="typo"),
            event("event_amended", event_id=first["event_id"], data=owned, reason="wrong owner"),
            event("event_retracted", event_id=tick["event_id"], reason="it was another deal"),
        ),
        post(
            client,
            "/v1/quotas/ann/FY2025Q1/events",
            event("quota_revised", "2025-02-01T00:00:00Z", amount=usd("9000000.00")),
        ),
        post(
            client,
            "/v1/teams",
            event("member_left", "2025-02-01T00:00:00Z", rep="ann"),
            event("member_joined", "2025-02-01T00:00:00Z", rep="ann", team="south", role="rep"),
        ),
        post(
            client,
            "/v1/policies",
            event("policy_published", version=7, numbers={"window_days": 30, "grace_days": 1}),
        ),
    ):
        assert answer.status_code == 201, answer.text


def test_a_closed_quarter_stays_what_its_managers_saw_whatever_is_told_later(
    client: TestClient,
) -> None:
    head = ask(client, "/v1/projections").json()["head"]
    moments = ({"as_of": f"position:{head}"}, {"as_of": ENDED}, {"as_of": "2025-02-15T12:00:00Z"})
    asked = [(path, {**at, "effective_at": ENDED}) for path in addresses(client) for at in moments]
    seen = {(path, at["as_of"]): ask_at(client, path, at).content for path, at in asked}

    change_the_past(client)

    for path, at in asked:
        assert ask_at(client, path, at).content == seen[path, at["as_of"]], (path, at)


def ask_at(client: TestClient, path: str, at: dict[str, str]) -> Any:
    join = "&" if "?" in path else "?"
    query = "&".join(f"{name}={quote(value)}" for name, value in at.items())
    return ask(client, f"{path}{join}{query}")


def test_restating_shows_what_differs_in_todays_context(client: TestClient) -> None:
    before = ask(client, QUARTER, as_of=ENDED, effective_at=ENDED).json()
    change_the_past(client)

    answer = ask(client, QUARTER, as_of=ENDED, effective_at=ENDED, restate="true").json()

    assert {name: answer[name] for name in before} == before
    differences = {one["at"]: (one["then"], one["now"]) for one in answer["difference"]}
    assert differences["reps[ann].quota.amount"] == ("1000000", "9000000.00")
    assert answer["restated"]["context"]["position"] > before["as_of"]["position"]
    assert "teams[south]" in differences
    deal = f"/v1/deals/{deal_named(client, 'D1')}"
    pressure = ask(client, f"{deal}/pressure", as_of=ENDED, effective_at=ENDED, restate="true")
    assert pressure.json()["restated"]["policy_version"] == 7
    moved = ask(client, f"{QUARTER}/waterfall", team="north", as_of=ENDED, restate="true").json()
    assert any(one["at"].startswith("hierarchy_out") for one in moved["difference"])


@pytest.mark.parametrize("restated", [False, True])
def test_the_figures_of_a_quarter_are_those_of_its_deals_restated_or_not(
    client: TestClient, *, restated: bool
) -> None:
    change_the_past(client)
    pending, shaped = 0, 0
    for instant in ("2025-02-05T12:00:00Z", "2025-03-29T12:00:00Z"):
        at = {"as_of": ENDED, "effective_at": instant}
        deals = ask(client, "/v1/deals", limit=200, **at).json()["deals"]
        counts: Counter[str] = Counter()
        verdicts: list[str] = []
        for deal in deals:
            path = f"/v1/deals/{deal['deal_id']}"
            if not deal["closed"]:
                counts.update(told(client, f"{path}/progress", at, restated=restated)["counts"])
            events = told(client, f"{path}/pressure", at, restated=restated)["events"]
            verdicts += [e["verdict"] for e in events if e["quarter"] == "FY2025Q1"]

        quarter = told(client, QUARTER, at, restated=restated)

        assert quarter["progress"]["counts"] == dict(counts)
        assert quarter["pressure"]["shaped"] == verdicts.count("pressure_shaped")
        assert quarter["pressure"]["consistent"] == verdicts.count("pressure_consistent")
        assert quarter["pressure"]["evaluable"] == len(verdicts) - verdicts.count("not_evaluable")
        shares = told(client, f"{QUARTER}/pressure", at, restated=restated)["shares"]
        assert shares["shaped"]["count"] == quarter["pressure"]["shaped"]
        assert shares["consistent"]["count"] == quarter["pressure"]["consistent"]
        assert shares["shaped"]["n"] == quarter["pressure"]["evaluable"]
        pending += counts["pending"]
        shaped += verdicts.count("pressure_shaped")
    assert (pending == 0) is restated
    assert shaped > 0


def test_every_block_of_a_past_quarter_says_at_which_instant_it_stands(
    client: TestClient,
) -> None:
    now = ask(client, QUARTER).json()
    until = now["replay"]["until"]
    at_its_end = ask(client, QUARTER, as_of=until).json()
    changed = ask(client, QUARTER, policy=0).json()

    for answer, after_end in ((now, True), (at_its_end, False), (changed, True)):
        blocks = [answer[name] for name in ("pipeline", "progress", "pressure", "off_fit_opened")]
        assert {one["stands_at"] for one in (answer, *blocks)} == {answer["effective_at"]}
        assert answer["after_end"] is after_end
    assert changed["difference"] == []
    assert at_its_end["stands_at"] == until < now["stands_at"]
    closing = "2025-03-31T23:59:59.999999Z"
    assert (until, at_its_end["replay"]["until"]) == (closing, closing)


def told(client: TestClient, path: str, at: dict[str, str], *, restated: bool) -> Any:
    """Give an answer, or what it is in today's context."""
    answer = ask(client, path, **at, restate=str(restated)).json()
    return answer["restated"] if restated else answer


def test_what_was_told_late_is_listed_with_the_answer_it_changes(client: TestClient) -> None:
    change_the_past(client)
    deal = f"/v1/deals/{deal_named(client, 'D1')}"

    then = ask(client, deal, as_of=ENDED, effective_at=ENDED).json()
    now = ask(client, deal, effective_at=ENDED).json()
    quarter = ask(client, QUARTER, effective_at=ENDED).json()

    assert then["late"] == []
    assert then["owner"] == "ann"
    assert now["owner"] == "ben"
    because = {one["type"]: one["because"] for one in now["late"]}
    assert because["deal_opened"] == ["amended"]
    assert because["customer_request_received"] == [
        "recorded_after",
        "late_recorded",
        "backdated_across_boundary",
    ]
    assert because["discount_offered"] == ["amended"]
    assert because["activity_ticked"] == ["retracted"]
    assert {one["event_id"] for one in now["late"]} <= {
        one["event_id"] for one in quarter["late"]["events"]
    }


def test_an_imported_quarter_is_replayed_as_it_happened_and_says_so(
    database: str, tmp_path: Path
) -> None:
    with ledger_on(database) as ledger:
        import_lines(ledger, tmp_path, thirty_lines())
    with client_on(database) as client:
        found = ask(client, f"{QUARTER}/frames").json()

        assert found["replay"]["clock"] == "as_happened"
        assert datetime.fromisoformat(found["replay"]["known_since"]) > datetime(
            2026, 1, 1, tzinfo=UTC
        )
        assert len(found["frames"]) == 90
        assert found["frames"][30]["total"]["deals"] > 0
        known = ask(client, f"{QUARTER}/frames", clock="as_known").json()
        assert known["replay"]["clock"] == "as_known"
        assert all(frame["total"]["deals"] == 0 for frame in known["frames"])


def test_bad_questions_are_refused_with_the_field_at_fault(client: TestClient) -> None:
    for query, field in (
        ("waterfall?rep=ann&team=north", "team"),
        ("diff?a=yesterday", "a"),
        ("frames?clock=sundial", "clock"),
        ("tape?cursor=1", "cursor"),
        ("tape?limit=100000", "limit"),
        ("waterfall?as_of=position:999999", "as_of"),
    ):
        answer = client.get(f"{QUARTER}/{query}")
        assert answer.status_code == 422, query
        assert answer.json()["field"] == field, answer.text
    assert client.get("/v1/quarters/FY1066Q1/frames").status_code in (200, 404)
    assert client.get("/v1/quarters/1066Q1/frames").status_code == 422


def test_the_pages_of_a_tape_are_one_tape(client: TestClient) -> None:
    whole = ask(client, f"{QUARTER}/tape").json()
    pages: list[Any] = []
    path: str | None = f"{QUARTER}/tape?limit=7"
    while path:
        answer = ask(client, path)
        pages += answer.json()["tape"]["deals"]
        path = answer.links.get("next", {}).get("url")

    assert [one["deal_id"] for one in pages] == [one["deal_id"] for one in whole["tape"]["deals"]]
    assert whole["total"] == len(pages)


def test_a_list_answers_as_of_any_moment_with_progress_and_verdicts(client: TestClient) -> None:
    deal = deal_named(client, "D1")
    for at in ("2025-02-15T12:00:00Z", ENDED):
        row = next(
            one
            for one in ask(client, "/v1/deals", limit=200, as_of=at, effective_at=at).json()[
                "deals"
            ]
            if one["deal_id"] == deal
        )
        progress = ask(client, f"/v1/deals/{deal}/progress", as_of=at, effective_at=at).json()
        shares = ask(client, f"/v1/deals/{deal}/pressure", as_of=at, effective_at=at).json()[
            "shares"
        ]
        assert row["progress"] == {name: progress[name] for name in row["progress"]}
        assert {name: row["verdicts"][name] for name in shares} == shares
