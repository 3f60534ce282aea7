"""The patterns of a deal: found across deals, as of any moment, by HTTP and in the sample."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from api.bootstrap import Ledger
from api.moment import moment
from tests.support.client import client_on, event, open_deal, opened, post
from tests.support.ledgers import NOW, import_lines, ledger_on
from tests.support.thirty import Line, Lines, process_data, thirty_lines, usd
from tests.support.worked_examples import worked_example


@pytest.fixture
def client(database: str) -> Iterator[TestClient]:
    with client_on(database) as served:
        yield served


def told_by_the_source(lines: list[Line]) -> list[Line]:
    """Give lines as the source recorded them, at once and in that order."""
    ordered = sorted(lines, key=lambda line: str(line["occurred_at"]))
    return [{**line, "recorded_at": line["occurred_at"]} for line in ordered]


def thirty_with_its_burst() -> list[Line]:
    """The example's lines with the ticks of its other deals that belong to the burst."""
    lines = Lines()
    for name, _, when, deal, data in worked_example("EX30")["input"]["events"]:
        if name.startswith("t"):
            if not any(line["stream"] == f"deal:{deal}" for line in lines.all):
                lines.open(deal, "2025-01-02T00:00:00Z")
            lines.add(f"deal:{deal}", "activity_ticked", when.replace("+00:00", "Z"), data)
    return [*thirty_lines(), *lines.all]


def deal_of(ledger: Ledger, name: str) -> UUID:
    return UUID(ledger.store.stream_ids_of(name)[0].partition(":")[2])


def patterns_of(
    ledger: Ledger, name: str, rule: str, effective_at: str | None = None, as_of: str | None = None
) -> Any:
    when = moment(ledger.store, as_of=as_of, effective_at=effective_at, now=NOW)
    pressure: Any = ledger.questions.pressure(ledger.questions.seen(deal_of(ledger, name), when))
    return [pattern for pattern in pressure["patterns"] if pattern["rule"] == rule]


def test_a_founding_import_shows_the_examples_burst_and_an_ordinary_one_none(
    database: str, tmp_path: Path
) -> None:
    expected = worked_example("EX30")["expect"]
    lines = told_by_the_source(thirty_with_its_burst())
    with ledger_on(database) as ledger:
        assert import_lines(ledger, tmp_path, lines, founding=True).rejects == ()
        (burst,) = patterns_of(ledger, "D1", "PS-6")
        (elsewhere,) = patterns_of(ledger, "X4", "PS-6")
        before = patterns_of(ledger, "D1", "PS-6", "2025-03-28T17:02:30Z")

    kind, share = expected["burst_kind"]
    run, shown, review = burst["facts"]
    assert (shown["value"]["kind"], shown["value"]["share"]) == (kind, share)
    assert run["value"]["ticks"] == len(expected["burst"][0])
    assert run["value"]["deals"] == 3
    # The last of its ticks comes 78.9 hours before the quarter's end.
    assert (burst["holds"], review["holds"]) == (True, False)
    assert elsewhere["evidence"] == burst["evidence"]
    assert before == []


def test_the_runs_of_an_ordinary_import_are_no_bursts(database: str, tmp_path: Path) -> None:
    with ledger_on(database) as ledger:
        import_lines(ledger, tmp_path, thirty_with_its_burst())
        assert patterns_of(ledger, "D1", "PS-6") == []


def burst_of(client: TestClient, deal: str, **asked: Any) -> list[Any]:
    answer = client.get(f"/v1/deals/{deal}/pressure", params=asked)
    assert answer.status_code == 200, answer.text
    return [p for p in answer.json()["patterns"] if p["rule"] == "PS-6"]


def test_ticks_of_two_deals_told_at_once_are_one_burst_until_one_is_retracted(
    client: TestClient,
) -> None:
    activities = ["talk_about_not_changing", "check_fit"]
    ticked = [event("activity_ticked", activity=activity) for activity in activities]
    first, second, third = (open_deal(client, *ticked) for _ in range(3))

    (burst,) = burst_of(client, first)
    head = client.get("/v1/projections").json()["head"]
    tick = client.get(f"/v1/deals/{third}/events").json()["events"][1]["event_id"]
    for name in ("one", "two"):
        post(client, f"/v1/deals/{third}/events", event("note_added", text=name))
    retracted = event("event_retracted", event_id=tick, reason="Wrong deal")
    assert post(client, f"/v1/deals/{third}/events", retracted).status_code == 201

    assert burst["facts"][0]["value"]["ticks"] == 6
    assert burst_of(client, second)[0]["facts"][0]["value"]["ticks"] == 5
    assert burst_of(client, second, as_of=f"position:{head}") == [burst]
    restated = client.get(
        f"/v1/deals/{second}/pressure", params={"as_of": f"position:{head}", "restate": "true"}
    ).json()
    assert restated["patterns"] == [burst]
    assert restated["difference"] == []


def held_back() -> list[Line]:
    """A rep far from the quota moves a close date to just after the quarter's end."""
    lines = Lines()
    quota = {"rep": "ann", "quarter": "FY2025Q1", "amount": usd("1000000")}
    lines.add("quota:ann:FY2025Q1", "quota_assigned", "2025-01-01T00:00:00Z", quota)
    lines.add("process:linear", "process_published", "2024-12-01T00:00:00Z", process_data())
    opened = "2025-01-08T00:00:00Z"
    lines.open("H", opened, amount=usd("50000"), close_date="2025-03-28")
    lines.open("O", opened, amount=usd("300000"))
    lines.open("B", opened, actor="bob", amount=usd("5000000"))
    lines.add("deal:H", "close_date_moved", "2025-03-20T10:00:00Z", {"to": "2025-04-03"})
    return lines.all


def told_afterwards() -> list[Line]:
    """What the rep had open as well, and what was lost after the date was moved."""
    lines = Lines()
    lines.open("P", "2025-03-01T00:00:00Z", amount=usd("900000"))
    lines.add("deal:O", "deal_lost", "2025-03-25T00:00:00Z", {})
    return [{**line, "external_id": f"later/{line['external_id']}"} for line in lines.all]


def test_a_close_held_back_is_judged_by_the_pipeline_as_known_then(
    database: str, tmp_path: Path
) -> None:
    with ledger_on(database) as ledger:
        import_lines(ledger, tmp_path, held_back())
        then = f"position:{ledger.store.head().position}"
        (first,) = patterns_of(ledger, "H", "HB-1")
        report = import_lines(ledger, tmp_path, told_afterwards())
        (known_then,) = patterns_of(ledger, "H", "HB-1", as_of=then)
        (known_now,) = patterns_of(ledger, "H", "HB-1")
        before = patterns_of(ledger, "H", "HB-1", "2025-03-20T09:00:00Z")

    assert report.rejects == ()
    assert first["holds"] is True
    assert first["facts"][3]["value"]["open_pipeline"]["amount"] == "350000.00"
    assert known_then == first
    assert known_now["holds"] is False
    assert known_now["facts"][3]["value"]["open_pipeline"]["amount"] == "1250000.00"
    assert before == []


def small_discounts() -> list[Line]:
    """Three deals of one customer and one of another get small discounts from one rep."""
    lines = Lines()
    numbers = {"version": 1, "numbers": {"approval_thresholds": ["10"]}}
    lines.add("policy", "policy_published", "2024-12-01T00:00:00Z", numbers)
    lines.add("process:linear", "process_published", "2024-12-01T00:00:00Z", process_data())
    acme = {"id": "acme", "name": "Acme"}
    for number, deal in enumerate(("P", "Q", "R", "S"), start=1):
        account = {"id": "other", "name": "Other"} if deal == "S" else acme
        lines.open(deal, "2025-01-08T00:00:00Z", account=account)
        when = f"2025-02-0{number}T10:00:00Z"
        lines.add(f"deal:{deal}", "discount_offered", when, {"percent": f"{number + 3}"})
    return lines.all


def test_a_discount_split_over_deals_is_seen_from_each_once_the_last_is_offered(
    database: str, tmp_path: Path
) -> None:
    with ledger_on(database) as ledger:
        assert import_lines(ledger, tmp_path, small_discounts()).rejects == ()
        found = {deal: split_of(ledger, deal) for deal in ("P", "Q", "R", "S")}
        before = split_of(ledger, "P", effective_at="2025-02-03T09:00:00Z")

    assert found["S"] == before == []
    (seen,) = found["P"]
    assert (seen["holds"], seen["facts"][0]["value"]["sum"]) == (True, "15")
    shown = {deal: found[deal][0]["facts"][0]["evidence"] for deal in ("P", "Q", "R")}
    assert len(shown["P"]) == 3
    assert sorted(shown["P"]) == sorted(shown["Q"]) == sorted(shown["R"])


def split_of(ledger: Ledger, deal: str, effective_at: str | None = None) -> list[Any]:
    found = patterns_of(ledger, deal, "PS-8", effective_at)
    return [pattern for pattern in found if pattern["name"] == "approval_splitting"]


def test_the_quarter_tells_how_many_deals_opened_while_behind_do_not_fit(
    client: TestClient,
) -> None:
    quota = event(
        "quota_assigned",
        "2025-01-01T00:00:00Z",
        rep="ann",
        quarter="FY2025Q1",
        amount=usd("1000000"),
    )
    assert post(client, "/v1/quotas/ann/FY2025Q1/events", quota).status_code == 201
    off = [
        event("fit_assessed", f"2025-0{month}-20T00:00:00Z", verdict=verdict)
        for month, verdict in ((2, "out"), (3, "in"))
    ]

    def open_for_ann(when: str, *events: Any) -> str:
        answer = post(client, "/v1/deals", {**opened(when), "on_behalf_of": "ann"}, *events)
        assert answer.status_code == 201, answer.text
        deal_id: str = answer.json()["deal_id"]
        return deal_id

    behind = open_for_ann("2025-02-15T00:00:00Z", *off)
    open_for_ann("2025-01-05T00:00:00Z", off[0])
    open_for_ann("2025-04-02T00:00:00Z")
    open_deal(client, off[0], occurred_at="2025-02-15T00:00:00Z")

    def rates(effective_at: str) -> Any:
        answer = client.get("/v1/quarters/FY2025Q1", params={"effective_at": effective_at})
        assert answer.status_code == 200, answer.text
        return answer.json()["off_fit_opened"]

    then, later = rates("2025-02-25T00:00:00Z"), rates("2025-04-10T00:00:00Z")

    assert [then["behind"][name] for name in ("off_fit", "assessed", "opened")] == [1, 1, 1]
    assert [then["not_behind"][name] for name in ("off_fit", "assessed")] == [1, 1]
    assert [later["behind"][name] for name in ("off_fit", "assessed", "opened")] == [0, 1, 1]
    opening = client.get(f"/v1/deals/{behind}/events").json()["events"][0]["event_id"]
    assert then["behind"]["evidence"][0] == opening
    assert then["pressure_unknown"] == 1
    assert [one["rep"] for one in then["reps"]] == ["admin", "ann"]


def test_an_answer_of_then_is_restated_with_the_thresholds_published_since(
    database: str, tmp_path: Path
) -> None:
    published, *others = small_discounts()
    with ledger_on(database) as ledger:
        import_lines(ledger, tmp_path, others)
        when = moment(ledger.store, as_of=None, effective_at=None, now=NOW)
        seen = ledger.questions.seen(deal_of(ledger, "P"), when)
        then: Any = ledger.questions.pressure(seen)
        import_lines(ledger, tmp_path, [published])
        now = ledger.store.head().position
        again: Any = ledger.questions.pressure(seen)
        restated: Any = ledger.questions.pressure(ledger.questions.restated(seen, now))

    def holds(answer: Any) -> dict[str, Any]:
        return {pattern["name"]: pattern["holds"] for pattern in answer["patterns"]}

    assert holds(then) == {"approval_hugging": None, "approval_splitting": None}
    assert again == then
    assert holds(restated) == {"approval_hugging": False, "approval_splitting": True}
    assert {pattern["policy_version"] for pattern in restated["patterns"]} == {1}
