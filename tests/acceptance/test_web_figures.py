"""The figures of every page are those that the API gives for the same instant and reader."""

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import httpx2
import pytest

from api import board
from api.page_reads import reviewing
from api.web import format as f
from api.web.quarter_parts import rate_text
from api.web.review_panel import FLAGS
from tests.support.asker import Asker, asking, at
from tests.support.client import TOKEN
from tests.support.postgres import PostgresServer
from tests.support.site import AUDITOR, MANAGER, OWNER, REP, TOLD_ON
from tests.support.titles import shown_titles

FIRST: Final = datetime(2025, 3, 1, tzinfo=UTC)
CHANCE: Final = random.Random(71)
INSTANTS: Final = [
    (FIRST + (TOLD_ON - FIRST) * CHANCE.random()).replace(microsecond=0) for _ in range(3)
] + [TOLD_ON]
HOLLOW: Final = ("asserted_only", "bare_tick")
SETTLED: Final = (*HOLLOW, "evidenced", "evidenced_late")


@pytest.fixture(scope="module")
def ask(postgres_server: PostgresServer) -> Iterator[Asker]:
    with asking(postgres_server) as asker:
        yield asker


def rate(told: dict[str, Any]) -> str:
    return f"{told['count']:,} of {told['n']:,}"


@pytest.mark.parametrize("instant", INSTANTS)
def test_the_board_counts_what_the_list_of_deals_lists(ask: Asker, instant: datetime) -> None:
    page, quarter = ask.page("/board", **at(instant)), ask.api("/v1/calendars", **at(instant))
    begins = quarter["current"]["start_instant"]
    deals = [
        one
        for one in ask.deals(**at(instant))
        if one["closed"] is None or f.instant(one["closed_at"]) >= f.instant(begins)
    ]
    ticks = Counter[str]()
    for one in deals:
        ticks.update(one["progress"]["counts"])
    hollow, settled = (sum(ticks[status] for status in kinds) for kinds in (HOLLOW, SETTLED))
    shaped, evaluable = (sum(one["verdicts"][n] for one in deals) for n in ("shaped", "evaluable"))

    assert settled
    assert evaluable
    assert page.pairs["Checkbox-only"] == f"{hollow:,} of {settled:,} activities"
    assert page.pairs["Pressure-shaped"] == f"{shaped:,} of {f.count(evaluable, 'event')}"
    assert page.pairs["Open"] == f.money_list(sums(one for one in deals if one["closed"] is None))
    assert page.text.count("discount offered") == min(
        40, sum(one["discount"] is not None for one in deals)
    )


def sums(deals: Any) -> list[dict[str, Any]]:
    found = Counter[str]()
    for one in deals:
        if one["amount"] is not None:
            found[one["amount"]["currency"]] += round(float(one["amount"]["amount"]) * 100)
    return [{"amount": f"{found[key] / 100:.2f}", "currency": key} for key in sorted(found)]


@pytest.mark.parametrize("instant", INSTANTS)
@pytest.mark.parametrize("who", [None, MANAGER])
def test_the_first_page_tells_the_changes_that_the_api_tells(
    ask: Asker, instant: datetime, who: str | None
) -> None:
    since = (instant - timedelta(days=9)).isoformat().replace("+00:00", "Z")
    page = ask.page("/", who, since=since, **at(instant))
    told = ask.api("/v1/overview", who, since=since, **at(instant))

    changes, hollow = told["changes"], told["hollow"]
    for kind, name in (
        ("wins", "Won"),
        ("losses", "Lost"),
        ("moves", "Stage moves"),
        ("pushes", "Pushed out"),
        ("pull_ins", "Pulled in"),
        ("discounts", "Discounts offered"),
        ("pressure_shaped", "Pressure-shaped"),
        ("broken_commitments", "Commitments broken"),
    ):
        assert page.pairs[name] == f"{len(changes[kind]):,}"
    linked = {link.partition("#e-")[2] for link in page.links if "#e-" in link}
    assert linked == {row["event_id"] for rows in changes.values() for row in rows[:40]}
    if hollow["settled"]:
        assert f"of {f.count(hollow['settled'], 'settled activity', 'settled activities')}" in (
            page.text
        )
        for stage in hollow["stages"]:
            assert page.row(stage["name"])[2] == f"{stage['hollow']:,} of {stage['settled']:,}"


@pytest.mark.parametrize("instant", INSTANTS)
def test_the_changes_are_the_events_of_the_log(ask: Asker, instant: datetime) -> None:
    since = instant - timedelta(days=20)
    told = ask.api("/v1/overview", since=since.isoformat().replace("+00:00", "Z"), **at(instant))
    log = ask.api(
        "/v1/events",
        after=told["since_position"],
        upto=told["as_of"]["position"],
        limit=1000,
        type="deal_won,deal_lost,deal_disqualified,discount_offered,deal_opened,commitment_broken",
    )["events"]
    corrected = {
        event["data"]["event_id"]
        for event in ask.api("/v1/events", type="event_retracted,event_amended")["events"]
    }
    kinds = {
        "deal_won": "wins",
        "deal_lost": "losses",
        "deal_disqualified": "losses",
        "discount_offered": "discounts",
        "deal_opened": "opened",
    }
    for kind in set(kinds.values()):
        expected = {
            event["event_id"]
            for event in log
            if kinds.get(event["type"]) == kind and event["event_id"] not in corrected
        }
        found = {row["event_id"] for row in told["changes"][kind]} - corrected
        assert found == expected
    assert {row["event_id"] for row in told["changes"]["broken_commitments"]} >= {
        event["event_id"]
        for event in log
        if event["type"] == "commitment_broken" and event["event_id"] not in corrected
    }


@pytest.mark.parametrize("instant", INSTANTS)
def test_what_is_hollow_is_what_the_open_deals_list_as_checkbox_only(
    ask: Asker, instant: datetime
) -> None:
    told = ask.api("/v1/overview", **at(instant))["hollow"]
    counts = [one["progress"]["counts"] for one in ask.deals(closed="open", **at(instant))]

    assert told["hollow"] == sum(one[status] for one in counts for status in HOLLOW)
    assert told["settled"] == sum(one[status] for one in counts for status in SETTLED)
    assert told["deals_with"] == sum(any(one[status] for status in HOLLOW) for one in counts)
    for groups in (told["stages"], told["reps"]):
        assert sum(one["hollow"] for one in groups) == told["hollow"]


def test_a_manager_is_told_changes_and_hollow_progress_of_their_deals_only(ask: Asker) -> None:
    teams = ask.api("/v1/teams", **at(TOLD_ON))["teams"]
    own = {m["rep"] for team in teams if team["team"] == "north" for m in team["members"]}
    query = {"since": "2025-08-01T00:00:00Z", **at(TOLD_ON)}
    whole, told = ask.api("/v1/overview", **query), ask.api("/v1/overview", MANAGER, **query)

    for rows, others in (
        (told["hollow"]["deals"], whole["hollow"]["deals"]),
        (told["changes"]["moves"], whole["changes"]["moves"]),
    ):
        assert {row["owner"] for row in rows} <= own
        assert {row["owner"] for row in others} - own
    assert {row["rep"] for row in told["hollow"]["reps"]} <= own


def test_the_pages_of_a_column_hold_every_deal_of_it_once(
    ask: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board, "MAX_CARDS", 1)
    deals = ask.deals(closed="open", **at(TOLD_ON))
    ((stage, number),) = Counter(one["stage"] for one in deals).most_common(1)
    expected = sorted(one["deal_id"] for one in deals if one["stage"] == stage)
    found: list[str] = []
    path = f"/board?{urlencode(at(TOLD_ON))}"
    for _ in expected:
        links = ask.page(path).links
        column = links[links.index(shown_in(links, expected)) :]
        found.append(column[0].split("/")[2].partition("?")[0])
        path = next((link for link in column if f"column={stage}&skip={len(found)}" in link), "")

    assert number > 1
    assert (sorted(found), path) == (expected, "")


def shown_in(links: list[str], deals: list[str]) -> str:
    """Give the first of some links that leads to one of some deals."""
    return next(link for link in links if any(f"/deals/{deal}" in link for deal in deals))


@pytest.mark.parametrize("instant", INSTANTS[-2:])
def test_a_rep_sees_the_day_that_the_api_tells_and_no_quota(ask: Asker, instant: datetime) -> None:
    page, told = ask.page("/", REP, **at(instant)), ask.api("/v1/today", REP, **at(instant))

    deals = told["deals"]
    waiting = [one for deal in deals for one in deal["commitments"]]
    assert page.pairs["Open deals"] == str(len(deals))
    assert page.pairs["Without a next step"] == str(sum(not one["next_step"] for one in deals))
    assert page.pairs["Past their day"] == str(sum(one["status"] == "broken" for one in waiting))
    assert all(one["what"] in page.text for one in waiting)
    assert all(one["outcome"] in page.text for deal in deals for one in deal["next_outcomes"][:3])
    assert all(one["owner"] == REP for one in deals)
    assert "quota" not in page.text.lower()
    assert "attainment" not in page.text.lower()


@pytest.mark.parametrize("instant", INSTANTS)
@pytest.mark.parametrize("who", [None, MANAGER, REP])
def test_the_commitments_are_those_that_the_api_lists(
    ask: Asker, instant: datetime, who: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviewing, "COMMITMENTS", 2)
    told = ask.api("/v1/commitments", who, limit=200, **at(instant))
    first = ask.page("/commitments", who, **at(instant))
    shown = [first]
    while len(shown) * 2 < told["total"]:
        shown.append(
            ask.page(next(link for link in shown[-1].links[::-1] if "cursor=" in link), who)
        )

    counts = told["counts"]
    assert first.pairs["Customers are late"] == str(counts["customer"]["broken"])
    assert first.pairs["We are late"] == str(counts["seller"]["broken"])
    for pair, side in (("Customers will", "customer"), ("We will", "seller")):
        assert first.pairs[pair] == str(counts[side]["open"] + counts[side]["renegotiated"])
    ids = [link.partition("#e-")[2] for one in shown for link in one.links if "#e-" in link]
    assert ids == [one["event_id"] for one in told["commitments"]]
    text = " ".join(one.text for one in shown)
    assert all(" ".join(one["what"].split()) in text for one in told["commitments"])


@pytest.mark.parametrize("instant", INSTANTS)
def test_the_sheets_of_a_review_are_those_of_its_deals(
    ask: Asker, instant: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviewing, "SHEETS", 3)
    asked = {"closed": "open", "health": "red,amber", "sort": "close_date"}
    told = ask.api("/v1/deals", MANAGER, limit=6, **asked, **at(instant))
    page = ask.page("/review", MANAGER, health="red,amber", sort="close_date", **at(instant))

    pages = [page]
    if told["total"] > 3:
        pages.append(ask.page(next(one for one in page.links[::-1] if "cursor=" in one), MANAGER))
    assert page.pairs["Deals"] == str(told["total"])
    deals = [one["deal_id"] for one in told["deals"]]
    paths = [urlsplit(link).path for one in pages for link in one.links]
    shown = [path.removeprefix("/deals/") for path in paths if path.startswith("/deals/")]
    assert list(dict.fromkeys(shown)) == deals
    text = " ".join(one.text for one in pages)
    unanswered = 0
    for deal in deals:
        sheet = ask.api(f"/v1/deals/{deal}/review", MANAGER, **at(instant))
        titles = shown_titles(ask.api(f"/v1/deals/{deal}/history", MANAGER, **at(instant)))
        unanswered += sum(one["state"] != "answered" for one in sheet["questions"])
        answers = [one["answers"][0] for one in sheet["questions"] if one["answers"]]
        assert all(titles[one["event_id"]] in text for one in answers)
        for flag in sheet["health"]["flags"]:
            assert not flag["holds"] or FLAGS[flag["flag"]] in text
    assert sum(int(one.pairs["Unanswered on this page"]) for one in pages) == unanswered


def test_lists_of_foreign_people_are_empty(ask: Asker) -> None:
    for path, figure in (("/commitments", "Customers will"), ("/review", "Deals")):
        assert ask.page(path, REP, whose="rep:victor-hale").pairs[figure] == "0"
        assert ask.get(path, REP, cursor="x").status_code == 422
        assert ask.get(path, REP, as_of="2999-01-01T00:00:00Z").status_code == 422
        assert ask.get(path, REP, side="x", status="x", health="x", sort="x").status_code == 200
    assert ask.get("/commitments", REP, due_to="2025-02-30").status_code == 422


def test_the_days_of_foreign_reps_are_not_there(ask: Asker) -> None:
    assert ask.get("/today", REP, rep="victor-hale").status_code == 404
    assert ask.get("/v1/today", REP, rep="victor-hale").status_code == 404
    assert ask.get("/today", MANAGER, rep=REP).status_code == 200


@pytest.mark.parametrize("instant", INSTANTS[-2:])
def test_the_process_page_tells_what_the_api_tells(ask: Asker, instant: datetime) -> None:
    page = ask.page("/process", OWNER, process="standard", **at(instant))
    worth = ask.api("/v1/processes/standard/effectiveness", OWNER, **at(instant))
    lint = ask.api("/v1/processes/standard/lint", OWNER, **at(instant))

    version = ask.api("/v1/processes/standard", **at(instant))["versions"][-1]
    names = {a["id"]: a["name"] for stage in version["stages"] for a in stage["activities"]}
    for one in worth["activities"]:
        row = page.row(names[one["activity"]])
        assert row[1:4] == [rate(one[k]) for k in ("evidenced", "ticked_only", "not_ticked")]
    assert page.text.count("rests on") == len(lint["warnings"])
    assert "rests on" not in ask.page("/process", REP, process="standard", **at(instant)).text


@pytest.mark.parametrize("instant", INSTANTS[1:])
def test_the_organisation_page_tells_what_the_api_tells(ask: Asker, instant: datetime) -> None:
    page = ask.page("/organisation", AUDITOR, **at(instant))
    quarter = page.text.split("How quarters close")[0].rsplit("FY", 1)[1][:6]
    pattern, pressure = (
        ask.api(f"/v1/quarters/FY{quarter}/{name}", AUDITOR, **at(instant))
        for name in ("close-pattern", "pressure")
    )

    shares = pattern["pattern"]
    assert page.pairs["Won"] == f"{pattern['wins']:,}"
    assert page.pairs["In the last days"].startswith(rate_text(shares["window"]))
    assert page.pairs["On the last business day"].startswith(rate_text(shares["last_business_day"]))
    assert page.pairs["Pressure-shaped events"].startswith(rate_text(pressure["shares"]["shaped"]))
    assert f.sentence(pattern["sentence"]) in page.text
    for name in ("pull_ins", "excess_and_trough", "cost", "discounts_by_days_left"):
        assert f.sentence(pressure[name]["sentence"]) in page.text
    for rep in pressure["shares"]["reps"]:
        if any(row["rep"] == rep["rep"] for row in pattern["reps"]):
            assert rate_text(rep["shaped"]) in page.text


@pytest.mark.parametrize("instant", INSTANTS[1:])
def test_the_report_tells_what_the_api_tells(ask: Asker, instant: datetime) -> None:
    page = ask.page("/report", AUDITOR, **at(instant))
    quarter = "FY" + page.text.split(", the organisation")[0].rsplit("FY", 1)[1]
    told = ask.api(f"/v1/quarters/{quarter}", AUDITOR, **at(instant))

    assert page.pairs["Booked"] == f.money_list(told["booked"], "nothing was booked")
    for team in told["teams"]:
        row = page.row(f.words_of(team["team"]))
        assert row[1] == (f.short_money(team["quota"]) if team["quota"] else "no quota")
        if team["attainment"] is not None:
            assert row[3] == f"{team['attainment'] * 100:.0f}%"
        assert row[5] == str(team["wins"])
    counts = told["progress"]["counts"]
    hollow, settled = (sum(counts[s] for s in kinds) for kinds in (HOLLOW, SETTLED))
    if settled:
        assert page.pairs["Checkbox-only"].startswith(f"{hollow:,} of {settled:,}")


def test_a_manager_sees_the_figures_of_their_team_only(ask: Asker) -> None:
    page = ask.page("/organisation", MANAGER, **at(TOLD_ON))
    report = ask.page("/report", MANAGER, **at(TOLD_ON))

    for seen in (page, report):
        assert not any(row and row[0] in {"South", "West"} for row in seen.rows)
        assert "Victor Hale" not in seen.text
    assert ask.get("/organisation", MANAGER, whose="team:south").status_code == 403
    assert ask.get("/organisation", OWNER).status_code == 403


def test_the_settings_show_to_each_role_what_the_api_would(ask: Asker) -> None:
    for who, keys, health in ((REP, False, False), (AUDITOR, False, True), (None, True, True)):
        text = ask.page("/settings", who).text
        assert ("Make a key" in text) is keys
        assert ("Takes appends" in text) is health
    quarter = ask.api("/v1/calendars", **at(TOLD_ON))["current"]["quarter"]
    quotas = ask.api("/v1/quotas", MANAGER, quarter=quarter, **at(TOLD_ON))["quotas"]
    page = ask.page("/settings", MANAGER, **at(TOLD_ON))
    shown = page.text.split("Quotas of this quarter")[1].split("Fiscal calendar")[0]
    assert quotas
    assert shown.count(quarter) == len(quotas)
    assert all(f.money(one["quota"]) in shown for one in quotas)


def test_the_navigation_has_only_what_a_role_may_open(ask: Asker) -> None:
    for who in (None, REP, MANAGER, AUDITOR, OWNER):
        page = ask.page("/board", who)
        tabs = {link for link in page.links if link.count("/") == 1 and "?" not in link}
        assert {"/", "/board", "/process", "/settings"} <= tabs
        assert ("/organisation" in tabs) is (who != OWNER)
        for tab in tabs:
            assert ask.get(tab, who).status_code == 200, (who, tab)


def test_a_key_is_made_rotated_and_revoked_on_the_settings(ask: Asker) -> None:
    client, headers = ask.client, {"Authorization": f"Bearer {TOKEN}"}

    def send(path: str, **form: str) -> httpx2.Response:
        return client.post(path, content=urlencode(form), headers=headers)

    wrong = send("/settings/keys", member=REP, role="manager", name="mail", days="30")
    assert (wrong.status_code, "is rep in the organisation" in wrong.text) == (422, True)
    assert 'value="mail"' in wrong.text
    made = send("/settings/keys", member="amara osei", role="", name="mail", days="30")
    secret = made.text.split("<code>")[1].split("<")[0]
    asked = {"Authorization": f"Bearer {secret}"}
    assert client.get("/v1/today", headers=asked).status_code == 200
    key_id = secret.split("_")[1]
    rotated = send(f"/settings/keys/{key_id}/rotate", grace_hours="0")
    newer = {"Authorization": f"Bearer {rotated.text.split('<code>')[1].split('<')[0]}"}
    assert client.get("/v1/today", headers=asked).status_code == 401
    assert client.get("/v1/today", headers=newer).status_code == 200
    assert "revoked" in send(f"/settings/keys/{key_id}/revoke").text
    assert client.get("/v1/today", headers=newer).status_code == 401
    refused = client.post(
        "/settings/keys",
        content=urlencode({"member": REP, "name": "x"}),
        headers={"Authorization": f"Bearer {ask.secrets[AUDITOR]}"},
    )
    assert refused.status_code == 403
    assert "dtk_" not in ask.get("/settings").text
