"""What a manager is told of when deals close and under what pressure, and what is not claimed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.support.client import client_on, event, post
from tests.support.ledgers import SCHEMA, filling, import_lines, ledger_on
from tests.support.postgres import PostgresServer
from tests.support.thirty import Lines, thirty_lines, usd

Q1 = "/v1/quarters/FY2025Q1"
LATER = "2025-09-30T00:00:00Z"


def ask(client: TestClient, path: str, **parameters: Any) -> Any:
    answer = client.get(path, params=parameters or None)
    assert answer.status_code == 200, answer.text
    return answer.json()


def join(lines: Lines, rep: str, team: str) -> None:
    data = {"rep": rep, "team": team, "role": "rep"}
    lines.add("organisation", "member_joined", "2024-06-01T00:00:00Z", data, actor="admin")


def win(lines: Lines, deal: str, day: str, *, rep: str = "ann", opened: str = "2025-01-02") -> None:
    lines.open(deal, f"{opened}T09:00:00Z", actor=rep)
    data = {"net": usd("1000"), "list": usd("1000"), "closed_on": day}
    lines.add(f"deal:{deal}", "deal_won", f"{day}T15:00:00Z", data, actor=rep)


def company() -> list[dict[str, object]]:
    """Give a quarter of which most is won on its last day, half by ann and half by ben."""
    lines = Lines()
    join(lines, "ann", "north")
    join(lines, "ben", "south")
    for number in range(24):
        win(lines, f"last{number}", "2025-03-31", rep=("ann", "ben")[number % 2])
    for number in range(6):
        win(lines, f"mid{number}", f"2025-02-{10 + number}")
    lines.open("lost", "2025-01-05T00:00:00Z", actor="ben")
    lines.add("deal:lost", "deal_lost", "2025-01-20T00:00:00Z", {}, actor="ben")
    split = {"shares": {"ann": "0.5", "ben": "0.5"}, "overlays": {"cyd": "1"}}
    lines.open("both", "2025-01-05T00:00:00Z")
    lines.add("deal:both", "credit_split_set", "2025-01-06T00:00:00Z", split)
    won = {"net": usd("10"), "closed_on": "2025-03-03"}
    lines.add("deal:both", "deal_won", "2025-03-03T12:00:00Z", won)
    return [{"recorded_at": line["occurred_at"], **line} for line in lines.all]


founded = filling(company, founding=True)


@pytest.fixture
def client(postgres_server: PostgresServer) -> Iterator[TestClient]:
    with postgres_server.ledger(SCHEMA, filled_by=founded) as dsn, client_on(dsn) as served:
        yield served


def test_the_close_pattern_is_told_with_intervals_and_opens_to_its_events(
    client: TestClient,
) -> None:
    found = ask(client, f"{Q1}/close-pattern")

    last = found["pattern"]["last_business_day"]
    assert (found["wins"], found["over"]) == (31, True)
    assert (last["from"], last["count"], last["n"]) == ("2025-03-31", 24, 31)
    assert last["interval"][0] < last["share"] == round(24 / 31, 6) < last["interval"][1]
    # One of the other seven was won on a Saturday, so that 63 other business days have six.
    assert found["pattern"]["spike_ratio"] == 24 * 63 / 6
    assert "consistent with" in found["sentence"]
    day = found["days"][-1]
    assert (day["day"], day["won"], len(set(day["won_by"]))) == ("2025-03-31", 24, 24)
    told = {one["event_id"]: one for one in ask(client, "/v1/events", limit=1000)["events"]}
    assert {told[event_id]["type"] for event_id in day["won_by"]} == {"deal_won"}
    assert found["days"][0]["lost"] == len(found["days"][0]["lost_by"]) == 1


def test_a_split_win_counts_for_both_reps_and_once_for_everybody(client: TestClient) -> None:
    found = ask(client, f"{Q1}/close-pattern")

    assert [(one["rep"], one["wins"]) for one in found["reps"]] == [("ann", 19), ("ben", 13)]
    assert [(one["team"], one["wins"]) for one in found["teams"]] == [("north", 19), ("south", 13)]
    assert found["reps"][1]["pattern"]["last_business_day"]["conclusive"] is False
    assert "none is drawn" in found["reps"][1]["sentence"]
    for scope, wins in (({"rep": "ben"}, 13), ({"team": "north"}, 19), ({"rep": "nobody"}, 0)):
        assert ask(client, f"{Q1}/close-pattern", **scope)["wins"] == wins
    both = client.get(f"{Q1}/close-pattern", params={"rep": "ann", "team": "north"})
    assert both.status_code == 422


def test_a_quarter_that_is_not_over_has_no_pattern_yet(client: TestClient) -> None:
    found = ask(client, f"{Q1}/close-pattern", as_of="2025-02-12T18:00:00Z")

    assert (found["wins"], found["pattern"], found["over"]) == (3, None, False)


def test_a_pattern_stays_what_it_was_and_a_reversal_counts_from_when_it_was_told(
    client: TestClient,
) -> None:
    then = {"as_of": LATER, "effective_at": LATER}
    before = ask(client, f"{Q1}/close-pattern", **then)
    (deal,) = ask(client, "/v1/deals", external_id="last0")["deals"]
    path = f"/v1/deals/{deal['deal_id']}/events"

    assert post(client, path, event("win_reversed", "2025-05-01T00:00:00Z")).status_code == 201

    assert ask(client, f"{Q1}/close-pattern", **then) == before
    assert ask(client, f"{Q1}/close-pattern", effective_at=LATER)["wins"] == 30
    assert ask(client, f"{Q1}/close-pattern", effective_at="2025-04-30T00:00:00Z")["wins"] == 31
    restated = ask(client, f"{Q1}/close-pattern", **then, restate="true")
    assert restated["restated"]["wins"] == 31


def hurried() -> list[dict[str, object]]:
    """Give 20 reps who discount 10 % in February and 25 % in the last days of March."""
    lines = Lines()
    for number in range(20):
        rep, deal = f"rep{number:02}", f"D{number}"
        join(lines, rep, ("north", "south")[number % 2])
        lines.open(deal, "2025-01-08T00:00:00Z", actor=rep, close_date="2025-05-05")
        for kind, when, data in (
            ("discount_offered", f"2025-02-{number % 20 + 1:02}T12:00:00Z", {"percent": "10"}),
            ("discount_offered", "2025-03-25T12:00:00Z", {"percent": str(25 + number % 3)}),
            ("close_date_moved", "2025-03-20T12:00:00Z", {"to": "2025-03-31"}),
        ):
            lines.add(f"deal:{deal}", kind, when, data, actor=rep)
        day, opened = f"2025-03-{20 + number % 8}", ("2025-01-09", "2025-03-19")[number % 2]
        win(lines, f"W{number}", day, rep=rep, opened=opened)
    win(lines, "backdated", "2025-03-28", rep="rep00", opened="2025-01-15")
    lines.all[-2]["recorded_at"] = "2025-03-27T00:00:00Z"
    return [{"recorded_at": line["occurred_at"], **line} for line in lines.all]


def test_a_win_that_is_retracted_and_told_again_has_another_event_from_then_on(
    client: TestClient,
) -> None:
    then = {"as_of": LATER, "effective_at": LATER}
    before = ask(client, f"{Q1}/close-pattern", **then)
    (deal,) = ask(client, "/v1/deals", external_id="last0")["deals"]
    path = f"/v1/deals/{deal['deal_id']}/events"
    (won,) = [one for one in ask(client, path)["events"] if one["type"] == "deal_won"]

    retracted = event("event_retracted", event_id=won["event_id"], reason="wrong amount")
    again = event("deal_won", won["occurred_at"], net=usd("900"), closed_on="2025-03-31")
    assert post(client, path, retracted).status_code == 201
    assert post(client, path, again).status_code == 201

    now = ask(client, f"{Q1}/close-pattern")
    assert ask(client, f"{Q1}/close-pattern", **then) == before
    assert now["wins"] == before["wins"]
    assert won["event_id"] in before["days"][-1]["won_by"]
    assert won["event_id"] not in now["days"][-1]["won_by"]


@pytest.fixture
def pressed(database: str, tmp_path: Path) -> Iterator[TestClient]:
    with ledger_on(database) as ledger:
        import_lines(ledger, tmp_path, hurried(), founding=True)
    with client_on(database) as served:
        yield served


def test_reps_who_discount_deeper_late_are_told_with_a_test_its_placebo_and_the_events(
    pressed: TestClient,
) -> None:
    found = ask(pressed, f"{Q1}/pressure")

    main = found["window_effect"]
    assert (main["n"], main["finding"], main["p"]) == (20, "deeper", 0.0001)
    assert main["interval"][0] < main["mean"] == 15.95 < main["interval"][1]
    assert "consistent with quota pressure" in main["sentence"]
    assert [rep["rep"] for rep in main["reps"]] == sorted(rep["rep"] for rep in main["reps"])
    told = {one["event_id"]: one for one in ask(pressed, "/v1/events", limit=1000)["events"]}
    for rep in main["reps"]:
        (late,), (early,) = rep["inside_events"], rep["outside_events"]
        assert told[late]["occurred_at"] > told[early]["occurred_at"]
        assert told[late]["actor"] == told[early]["actor"] == rep["rep"]
    shifted, calendar = main["placebos"]
    assert shifted["days"] == {"from": "2025-02-01", "to": "2025-02-14"}
    assert (shifted["effect"]["n"], calendar["effect"]) == (0, None)
    trend = found["discounts_by_days_left"]
    assert (trend["n"], trend["finding"]) == (40, "deeper")
    assert trend["interval"][1] < 0
    assert [len(one["event_ids"]) for one in trend["bins"]] == [one["n"] for one in trend["bins"]]


def test_pull_ins_and_deals_that_no_pipeline_showed_are_counted_and_named(
    pressed: TestClient,
) -> None:
    found = ask(pressed, f"{Q1}/pressure")

    assert (found["pull_ins"]["count"], found["pull_ins"]["n"]) == (20, 20)
    assert len(set(found["pull_ins"]["event_ids"])) == 20
    new = found["new_and_won_late"]
    assert (new["count"], new["n"], new["conclusive"]) == (11, 21, True)
    (backdated,) = ask(pressed, "/v1/deals", external_id="backdated")["deals"]
    assert backdated["deal_id"] in {one["deal_id"] for one in new["deals"]}
    excess = found["excess_and_trough"]
    assert (excess["in_window"], excess["in_trough"], excess["payback"]) == (21, 0, 0)
    assert excess["finding"] == "not_paid_back"
    for name in ("pull_ins", "excess_and_trough", "new_and_won_late"):
        assert "consistent with" in found[name]["sentence"]
        assert "caused" not in found[name]["sentence"]


def test_a_team_is_too_small_for_a_verdict(pressed: TestClient) -> None:
    found = ask(pressed, f"{Q1}/pressure", team="south")

    main = found["window_effect"]
    assert (main["n"], main["finding"]) == (10, None)
    assert main["p"] is not None
    assert "none is drawn" in main["sentence"]
    assert ask(pressed, f"{Q1}/pressure", rep="rep00")["window_effect"]["p"] is None


def test_before_the_quarter_is_over_nothing_is_concluded(pressed: TestClient) -> None:
    found = ask(pressed, f"{Q1}/pressure", as_of="2025-03-28T12:00:00Z")
    soon = ask(pressed, f"{Q1}/pressure", effective_at="2025-06-16T12:00:00Z")
    later = ask(pressed, f"{Q1}/pressure", effective_at="2025-06-17T12:00:00Z")

    main = found["window_effect"]
    assert (found["over"], main["n"], main["finding"], main["conclusive"]) == (
        False,
        20,
        None,
        False,
    )
    assert all("not over" in found[name]["sentence"] for name in found if name in SECTIONS)
    assert soon["excess_and_trough"]["excess"] is None
    assert "not evaluable" in soon["excess_and_trough"]["sentence"]
    assert later["excess_and_trough"]["excess"] > 20


SECTIONS = {
    "discounts_by_days_left", "window_effect", "pull_ins", "excess_and_trough", "cost",
    "new_and_won_late", "shares",
}  # fmt: skip


def test_the_cost_of_a_quarter_is_that_of_its_deals(database: str, tmp_path: Path) -> None:
    with ledger_on(database) as ledger:
        lines = [{"recorded_at": line["occurred_at"], **line} for line in thirty_lines()]
        import_lines(ledger, tmp_path, lines, founding=True)
    with client_on(database) as client:
        (deal,) = ask(client, "/v1/deals", external_id="D1")["deals"]
        own = ask(client, f"/v1/deals/{deal['deal_id']}/pressure")

        found = ask(client, f"{Q1}/pressure")

    cost = found["cost"]
    assert (cost["excess"], cost["net"]) == (own["money"]["floor"], usd("500000.00"))
    assert found["shares"]["not_evaluable"] == {"count": 0, "event_ids": []}
    (flagged,) = cost["flagged"]
    assert flagged["deal_id"] == deal["deal_id"]
    shaped = [e["event_id"] for e in own["events"] if e["verdict"] == "pressure_shaped"]
    assert set(flagged["event_ids"]) < set(shaped)
    assert set(found["shares"]["shaped"]["event_ids"]) == set(shaped)
    assert (cost["wins"], cost["unknown"], cost["share"]) == (3, 0, None)


def test_the_cost_of_a_quarter_is_of_its_own_discounts(database: str, tmp_path: Path) -> None:
    """The deal of the worked example goes on into the next quarter, and is cut further there."""
    lines = Lines()
    lines.all = [one for one in thirty_lines() if one["type"] != "deal_won" or not of_d1(one)]
    quota = {"rep": "ann", "quarter": "FY2025Q2", "amount": usd("1000000.00")}
    lines.add("quota:ann:FY2025Q2", "quota_assigned", "2025-04-01T00:00:00Z", quota)
    offered = {"percent": "35"}
    lines.add("deal:D1", "discount_offered", "2025-06-25T12:00:00Z", offered)
    won = {"net": usd("130000"), "list": usd("200000"), "closed_on": "2025-06-26"}
    lines.add("deal:D1", "deal_won", "2025-06-26T12:00:00Z", won)
    with ledger_on(database) as ledger:
        import_lines(ledger, tmp_path, lines.all)
    with client_on(database) as client:
        found = ask(client, "/v1/quarters/FY2025Q2/pressure")
        before = ask(client, f"{Q1}/pressure")

    assert (found["cost"]["excess"], found["cost"]["net"]) == (usd("20000.00"), usd("130000.00"))
    assert before["cost"]["excess"] == usd("0.00")
    assert before["shares"]["shaped"]["count"] == 3


def of_d1(line: dict[str, object]) -> bool:
    return line["stream"] == "deal:D1"


def test_a_discount_that_cannot_be_judged_makes_the_cost_unknown(
    database: str, tmp_path: Path
) -> None:
    lines = Lines()
    for number in range(20):
        win(lines, f"W{number}", "2025-02-10")
    lines.open("late", "2025-01-08T00:00:00Z")
    lines.add("deal:late", "discount_offered", "2025-03-25T12:00:00Z", {"percent": "30"})
    won = {"net": usd("70"), "list": usd("100"), "closed_on": "2025-03-26"}
    lines.add("deal:late", "deal_won", "2025-03-26T12:00:00Z", won)
    with ledger_on(database) as ledger:
        import_lines(ledger, tmp_path, lines.all)
    with client_on(database) as client:
        found = ask(client, f"{Q1}/pressure")

    cost = found["cost"]
    assert (cost["wins"], cost["unknown"], cost["share"]) == (21, 1, None)
    assert "not evaluable" in cost["sentence"]
    assert found["shares"]["not_evaluable"]["count"] == 1
