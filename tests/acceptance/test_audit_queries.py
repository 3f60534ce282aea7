"""What an auditor relies on who questions the log: queries, pages that stay, counts, refusals."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from api.bench.history import History
from api.bench.ledger import make_ledger
from tests.support.client import TOKEN, event
from tests.support.ledgers import SCHEMA
from tests.support.organisation import LATE, Company, company_on, serving_ledger


@pytest.fixture(scope="module")
def company(postgres_server: Any) -> Iterator[Company]:
    with postgres_server.ledger(SCHEMA) as database, company_on(database) as served:
        for deal, rep in ((served.ours, "ann"), (served.theirs, "cyd")):
            for percent in ("5", "12.5", "30"):
                offer = event("discount_offered", LATE, percent=percent) | {"on_behalf_of": rep}
                answer = served.post("token", f"/v1/deals/{deal}/events", offer)
                assert answer.status_code == 201
        served.caught_up()
        yield served


def asked(company: Company, who: str, path: str, **parameters: str) -> Any:
    answer = company.client.get(path, params=parameters, headers=company.as_(who))
    assert answer.status_code == 200, answer.text
    return answer.json()


def percents(answer: Any) -> list[str]:
    return [one["data"]["percent"] for one in answer["events"]]


def test_a_query_and_filters_are_one_question(company: Company) -> None:
    query = "type:discount_offered data.percent>=12.5"
    told = asked(company, "token", "/v1/events", q=query)
    assert percents(told) == ["12.5", "30", "12.5", "30"]
    assert told["query"] == query

    ours = asked(company, "token", "/v1/events", q=query, rep="ann", deal=company.ours)
    assert percents(ours) == ["12.5", "30"]
    assert ours["query"] == f"{query} deal:{company.ours} rep:ann"


def test_the_last_page_is_reached_by_links_in_the_order_of_occurrence(company: Company) -> None:
    path: str | None = (
        "/v1/events?q=type:discount_offered or type:deal_opened&sort=-occurred&limit=2"
    )
    found: list[Any] = []
    while path:
        answer = company.get("token", path)
        assert answer.status_code == 200, answer.text
        found += answer.json()["events"]
        path = answer.json()["next"]
        assert (path is not None) == ('rel="next"' in answer.headers.get("link", ""))

    keys = [(one["occurred_at"], one["position"]) for one in found]
    assert keys == sorted(keys, reverse=True)
    assert len(keys) == len(set(keys)) >= 8


def told_long_ago(database: str) -> None:
    """Fill a ledger with a history that ended long before anybody asks."""
    make_ledger(database, schema=SCHEMA, history=History(400, seed=4, pace=4_000))


def test_all_pages_of_a_query_about_verdicts_tell_them_for_one_instant(
    postgres_server: Any,
) -> None:
    with (
        postgres_server.ledger(SCHEMA, filled_by=told_long_ago) as database,
        serving_ledger(database) as (client, ledger),
    ):
        client.headers["Authorization"] = f"Bearer {TOKEN}"
        ledger.worker.catch_up()
        head = f"position:{ledger.store.head().position}"
        told = {
            at: walked(client, f"/v1/events?q=verdict:bare_tick,asserted_only{at}&limit=1000")
            for at in ("", f"&as_of={head}")
        }
        paged = {
            at: walked(client, f"/v1/events?q=verdict:bare_tick,asserted_only{at}&limit=7")
            for at in told
        }

        assert paged == told
        assert len(told[""]) > len(told[f"&as_of={head}"]) > 7  # what was pending then is not now


def walked(client: Any, path: str | None) -> list[int]:
    """Give the positions on all pages from a first one."""
    found: list[int] = []
    while path:
        answer = client.get(path)
        assert answer.status_code == 200, answer.text
        found += [one["position"] for one in answer.json()["events"]]
        path = answer.json()["next"]
    return found


def test_a_mistake_is_a_problem_that_says_where(company: Company) -> None:
    answer = company.get("token", "/v1/events?q=rep:ann type:discount_ofered")
    problem = answer.json()

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert (problem["code"], problem["field"], problem["column"]) == ("malformed", "q", 14)
    assert problem["meant"] == "discount_offered"
    assert problem["detail"].startswith("q, column 14: there is no type 'discount_ofered'")
    assert problem["errors"] == [{"field": "q", "detail": problem["detail"]}]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/events?q=" + "a" * 7000, "q"),
        ("/v1/events?q=" + "(" * 900, "q"),
        ("/v1/events?sort=occurred&order=desc", "order"),
        ("/v1/events?sort=occurred&after=999999", "after"),
        ("/v1/events?sort=-occurred&before=0", "before"),
        ("/v1/events/counts?by=colour", "by"),
        ("/v1/events/counts?q=quarter:FY0001Q1", "q"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_its_field(
    company: Company, path: str, field: str
) -> None:
    answer = company.get("token", path)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


@pytest.mark.parametrize(
    "text",
    ["'; DROP TABLE events; --", "%(upto)s", "{}", "\\", "ann' OR '1'='1", "%s%%", "$1", "\u202e"],
)
def test_what_looks_like_sql_is_a_value(company: Company, text: str) -> None:
    quoted = json.dumps(text, ensure_ascii=False)
    for name in ("rep", "stage", "deal", "account", "team", "data.reason", "data.shares.a"):
        told = asked(company, "token", "/v1/events", q=f"{name}:{quoted}")
        assert told["events"] == []
    assert asked(company, "token", "/v1/events")["events"]


def test_counts_go_by_what_is_asked_for(company: Company) -> None:
    query = "type:discount_offered"
    told = asked(company, "token", "/v1/events/counts", q=query, by="team,rep")
    assert told["total"] == 8
    assert told["by"] == ["rep", "team"]
    assert told["groups"] == [
        {"rep": "ann", "team": "north", "count": 4},
        {"rep": "cyd", "team": "south", "count": 4},
    ]
    by_quarter = asked(company, "token", "/v1/events/counts", q=query, by="quarter,week")
    assert by_quarter["groups"] == [{"quarter": "FY2025Q1", "week": "2025-W13", "count": 8}]
    assert asked(company, "token", "/v1/events/counts", q="rep:nobody")["total"] == 0


def test_everybody_asks_within_their_reach(company: Company) -> None:
    query = "type:discount_offered"
    counts = {
        who: asked(company, who, "/v1/events/counts", q=query)["total"]
        for who in ("aud", "mia", "sam", "ann", "cyd", "pat")
    }
    assert counts == {"aud": 8, "mia": 4, "sam": 4, "ann": 4, "cyd": 4, "pat": 8}


def test_a_verdict_is_told_to_who_may_see_the_pressure(company: Company) -> None:
    query = "verdict:* type:discount_offered"
    found = {
        who: len(asked(company, who, "/v1/events", q=query)["events"])
        for who in ("token", "aud", "mia", "ann", "ben", "pat", "adm")
    }
    assert found == {"token": 8, "aud": 8, "mia": 4, "ann": 4, "ben": 0, "pat": 0, "adm": 0}
    without = asked(company, "ben", "/v1/events", q=f"-({query}) type:discount_offered")
    assert len(without["events"]) == 4


def test_what_an_auditor_asks_is_kept(company: Company) -> None:
    path = "/v1/events/counts?q=rep:ann&by=type"
    assert company.get("aud", path).status_code == 200
    kept = company.get("token", "/v1/accesses?actor=aud&limit=1")
    assert kept.json()["accesses"][0]["request"] == f"GET {path}"
