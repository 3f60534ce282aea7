"""Nobody sees or does what they may not: every route, every role, both teams."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

import pytest
from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute

from api.http.guard import DECLARED, GuardedRoute, does
from api.identity.permissions import FREE, ROLES, TABLE, Action
from tests.support.client import event
from tests.support.ledgers import SCHEMA
from tests.support.organisation import (
    OURS,
    QUARTER,
    THEIR_ACCOUNT,
    THEIRS,
    WHO,
    Company,
    alike,
    company_on,
)

METHODS = {"get", "post", "put", "patch", "delete"}
ONE_OF_EACH = {"rep": "ann", "manager": "mia", "process_owner": "pat", "auditor": "aud"} | {
    "admin": "adm"
}
SELLERS = {"rep", "manager"}
EXPECTED: Mapping[Action, set[str]] = {
    Action.READ_DEALS: set(ROLES),
    Action.READ_LOG: set(ROLES),
    Action.READ_CONTEXT: set(ROLES),
    Action.READ_PRESSURE: SELLERS | {"auditor"},
    Action.READ_FIGURES: SELLERS | {"auditor"},
    Action.READ_QUOTAS: SELLERS | {"auditor", "admin"},
    Action.READ_PROCESS_WORTH: {"process_owner", "auditor"},
    Action.READ_EFFECTS: {"auditor"},
    Action.SEE_OPERATIONS: {"auditor", "admin"},
    Action.APPEND_DEALS: SELLERS | {"admin"},
    Action.CALL_FORECAST: SELLERS,
    Action.SET_QUOTA: {"admin"},
    Action.PUBLISH_PROCESS: {"process_owner", "admin"},
    Action.PUBLISH_POLICY: {"process_owner", "admin"},
    Action.ADOPT_CALENDAR: {"admin"},
    Action.CHANGE_TEAMS: {"admin"},
    Action.SET_RATES: {"admin"},
    Action.EXPORT: {"auditor"},
    Action.READ_ACCESSES: {"auditor", "admin"},
    Action.MANAGE_KEYS: {"admin"},
    Action.READ_OWN_SESSIONS: set(ROLES),
    Action.END_OWN_SESSIONS: set(ROLES),
    Action.IMPORT: {"admin"},
    Action.READ_IMPORTS: {"auditor", "admin"},
}
"""Told a second time, so that a slip in the table is one here too, or a failure."""


@pytest.fixture(scope="module")
def company(postgres_server: Any) -> Iterator[Company]:
    with postgres_server.ledger(SCHEMA) as database, company_on(database) as served:
        yield served


def operations(app: Any) -> list[tuple[str, str, dict[str, Any]]]:
    """Give method, path and description of every operation that the contract has."""
    paths = app.openapi()["paths"]
    return [
        (method, path, told)
        for path, methods in paths.items()
        for method, told in methods.items()
        if method in METHODS
    ]


def undeclared(app: Any) -> list[str]:
    known = set(Action)
    return [f"{m} {p}" for m, p, told in operations(app) if told.get(DECLARED) not in known]


def address(company: Company, path: str, deal: str) -> str:
    """Give an address of a path, about a deal and what there is of the rest."""
    values = {
        "deal_id": deal,
        "quarter": QUARTER,
        "who": "ann",
        "account": "acme",
        "process": "default",
        "activity": "none",
        "event_id": "00000000-0000-7000-8000-000000000000",
        "position": "1",
        "key_id": "aaaaaaaa",
        "session_id": "0" * 16,
        "import_id": "018bdee0-36f0-701d-8000-000000000000",
    }
    url = path.format(**values)
    return f"{url}?at=2026-01-01T00:00:00Z" if path.endswith("/calendars/quarter") else url


def ask(company: Company, who: str, method: str, url: str) -> Any:
    headers = company.as_(who, **{"Idempotency-Key": str(uuid4())})
    body: dict[str, Any] | None = None if method == "get" else {}
    return company.client.request(method, url, headers=headers, json=body)


def test_the_table_says_what_it_is_meant_to() -> None:
    assert {a: {r for r in ROLES if a in TABLE[r]} for a in Action if a not in FREE} == EXPECTED


def test_every_route_declares_what_it_does(company: Company) -> None:
    assert undeclared(company.client.app) == []
    assert len(operations(company.client.app)) > 50


def test_a_route_without_a_declaration_does_not_start_and_would_be_found() -> None:
    async def forgotten() -> dict[str, str]:
        return {}

    with pytest.raises(TypeError, match="does not declare"):
        APIRouter(route_class=GuardedRoute).get("/v1/forgotten")(forgotten)

    planted = FastAPI()
    planted.router.routes.append(APIRoute("/v1/forgotten", forgotten, methods=["GET"]))
    assert undeclared(planted) == ["get /v1/forgotten"]


def test_a_route_keeps_what_its_router_asks_for_besides() -> None:
    @does(Action.ANSWER_ANYBODY)
    async def answered() -> None:
        return None

    router = APIRouter(route_class=GuardedRoute, dependencies=[Depends(answered)])
    router.get("/v1/answered")(answered)

    (route,) = router.routes
    assert isinstance(route, GuardedRoute)
    assert [dependency.call for dependency in route.dependant.dependencies] == [answered]


@pytest.mark.parametrize("role", ROLES)
def test_a_role_gets_where_the_table_lets_it_and_nowhere_else(company: Company, role: str) -> None:
    faults = []
    for method, path, told in operations(company.client.app):
        action = Action(told[DECLARED])
        if path.endswith("/stream"):
            continue
        url = address(company, path, company.ours)
        status = ask(company, ONE_OF_EACH[role], method, url).status_code
        allowed = action in FREE or role in EXPECTED[action]
        if (status == 403) == allowed or status in {401, 500}:
            faults.append((method, path, status))
    assert faults == []


def test_the_operator_gets_everywhere(company: Company) -> None:
    for method, path, _ in operations(company.client.app):
        if not path.endswith("/stream"):
            answer = ask(company, "token", method, address(company, path, company.ours))
            assert answer.status_code not in {401, 403, 500}, (method, path, answer.text)


@pytest.mark.parametrize("who", sorted(WHO))
def test_a_foreign_deal_and_one_that_is_not_there_answer_alike(company: Company, who: str) -> None:
    foreign = {"north": company.theirs, "south": company.ours}.get(WHO[who][1])
    for method, path, told in operations(company.client.app):
        if "{deal_id}" not in path:
            continue
        allowed = WHO[who][0] in EXPECTED[Action(told[DECLARED])]
        if foreign is None or not allowed:
            continue
        unknown = ask_about(company, who, method, path, str(uuid4()))
        assert alike(ask_about(company, who, method, path, foreign)) == alike(unknown)
        assert unknown.status_code == 404, (method, path)


def ask_about(company: Company, who: str, method: str, path: str, deal: str) -> Any:
    url = address(company, path, deal)
    if method == "get":
        return company.get(who, url)
    if path.endswith("/undo"):
        headers = company.as_(who, **{"Idempotency-Key": f"about-{deal}"})
        return company.client.post(url, json={"reason": "Told by mistake"}, headers=headers)
    return company.post(who, url, event("note_added", text="hello"), key=f"about-{deal}")


@pytest.mark.parametrize("if_match", ['"1"', '"2"', '"99"', "*"])
def test_a_version_tells_nothing_of_a_foreign_deal(company: Company, if_match: str) -> None:
    def append(deal: str) -> Any:
        headers = company.as_("ann", **{"Idempotency-Key": str(uuid4()), "If-Match": if_match})
        body = {"events": [event("note_added", text="hello")]}
        return company.client.post(f"/v1/deals/{deal}/events", json=body, headers=headers)

    assert alike(append(company.theirs)) == alike(append(str(uuid4())))


@pytest.mark.parametrize("who", ["ann", "ben", "mia"])
def test_no_answer_holds_anything_of_a_foreign_deal(company: Company, who: str) -> None:
    marks = (company.theirs, THEIRS, THEIR_ACCOUNT)
    for method, path, _ in operations(company.client.app):
        if method == "get" and not path.endswith("/stream"):
            text = company.get(who, address(company, path, company.ours)).text
            assert not [mark for mark in marks if mark in text], path
    assert all(mark in company.get("aud", "/v1/deals").text for mark in marks)


def test_filters_find_nothing_that_is_foreign(company: Company) -> None:
    for query in (f"deal={company.theirs}", "owner=cyd", f"account={THEIR_ACCOUNT}"):
        assert company.get("ann", f"/v1/events?{query}").json()["events"] == []
    for query in ("owner=cyd", "team=south", "q=cross", f"account={THEIR_ACCOUNT}", "process=x"):
        assert company.get("ann", f"/v1/deals?{query}").json()["total"] == 0
    foreign = company.get("ann", f"/v1/customers/{THEIR_ACCOUNT}")
    assert foreign.status_code == 404
    unknown = company.get("ann", "/v1/customers/nobody0")
    assert (
        foreign.text.replace(THEIR_ACCOUNT, "x")[:200] == unknown.text.replace("nobody0", "x")[:200]
    )


def test_a_rep_sees_own_figures_and_a_manager_those_of_their_people(company: Company) -> None:
    def reps(who: str) -> list[str]:
        told = company.get(who, f"/v1/quarters/{QUARTER}").json()
        assert {row["rep"] for row in told["pressure"]["reps"]} <= {r["rep"] for r in told["reps"]}
        return [row["rep"] for row in told["reps"]]

    assert reps("ann") == ["ann"]
    assert reps("mia") == ["ann", "ben"]
    assert reps("aud") == ["ann", "ben", "cyd"]
    for path in (f"/v1/quarters/{QUARTER}/frames", f"/v1/quarters/{QUARTER}"):
        assert company.get("ann", f"{path}?rep=ben").status_code == 403
        assert alike_but(company.get("ann", f"{path}?rep=cyd"), "cyd") == alike_but(
            company.get("ann", f"{path}?rep=nobody"), "nobody"
        )
        assert company.get("ann", f"{path}?team=north").status_code == 403
        assert company.get("mia", f"{path}?team=north").status_code == 200
        assert company.get("mia", f"{path}?team=south").status_code == 403


def alike_but(answer: Any, word: str) -> tuple[int, str]:
    body = {k: v for k, v in answer.json().items() if k != "request_id"}
    return answer.status_code, json.dumps(body).replace(word, "X")


def test_quotas_and_forecasts_are_those_of_the_readers_people(company: Company) -> None:
    def quotas(who: str) -> list[str]:
        return [q["rep"] for q in company.get(who, "/v1/quotas").json()["quotas"]]

    assert (quotas("ann"), quotas("mia")) == (["ann"], ["ann", "ben"])
    foreign = company.get("ann", f"/v1/quotas/cyd/{QUARTER}")
    unknown = company.get("ann", f"/v1/quotas/nobody/{QUARTER}")
    assert alike_but(foreign, "cyd") == alike_but(unknown, "nobody")
    of_admin = company.get("adm", f"/v1/quotas/cyd/{QUARTER}").json()
    assert of_admin["quota"] is not None
    assert (of_admin["pressure"], of_admin["shortfall"]) == (None, None)
    of_auditor = company.get("aud", f"/v1/quotas/cyd/{QUARTER}").json()
    assert of_auditor["pressure"] is not None


def test_a_forecast_is_called_for_oneself_or_ones_people(company: Company) -> None:
    def call(who: str, **whose: str) -> int:
        money = {"amount": "10.00", "currency": "USD"}
        told = event("forecast_called", quarter=QUARTER, commit=money, **whose)
        return int(company.post(who, "/v1/forecasts", told).status_code)

    assert (call("ann", rep="ann"), call("ann", rep="ben"), call("ann", team="north")) == (
        201,
        403,
        403,
    )
    assert (call("mia", rep="ben"), call("mia", team="north"), call("mia", rep="cyd")) == (
        201,
        201,
        403,
    )


def test_pressure_is_shown_to_the_person_their_manager_and_auditors(company: Company) -> None:
    path = f"/v1/deals/{company.ours}/pressure"
    statuses = {who: company.get(who, path).status_code for who in WHO}
    assert statuses == {
        "ann": 200,
        "mia": 200,
        "aud": 200,
        "ben": 403,
        "pat": 403,
        "adm": 403,
        "sam": 404,
        "cyd": 404,
    }

    def judged(who: str) -> list[bool]:
        (row,) = [
            row for row in company.get(who, "/v1/deals").json()["deals"] if row["name"] == OURS
        ]
        history = company.get(who, f"/v1/deals/{company.ours}/history").json()["events"]
        movement = company.get(who, f"/v1/deals/{company.ours}/movement").json()["close_date"]
        return [
            row["verdicts"] is not None,
            any(one["pressure"] for one in history),
            any(one["quota_gap"] for one in movement["moves"]),
        ]

    assert judged("ann")[:2] == judged("mia")[:2] == judged("aud")[:2] == [True, True]
    assert judged("ben") == judged("pat") == judged("adm") == [False, False, False]


def test_a_draft_of_a_policy_tells_no_more_than_its_questions(company: Company) -> None:
    def tried(who: str, **about: str) -> Any:
        body = {"numbers": {"theta": "1"}, **about}
        return company.client.post("/v1/policies/what-if", json=body, headers=company.as_(who))

    unknown = tried("ann", deal_id=str(uuid4()))
    assert unknown.status_code == 404
    assert alike(tried("ann", deal_id=company.theirs)) == alike(unknown)
    assert tried("ann", deal_id=company.ours).status_code == 200
    assert tried("ben", deal_id=company.ours).status_code == 403
    assert [tried(who, quarter=QUARTER).status_code for who in ("mia", "aud", "pat")] == [
        403,
        200,
        403,
    ]
