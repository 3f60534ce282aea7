"""Undoing an event puts every figure back to what it was, and leaves both events to be seen."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any, Final
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.client import client_on, event, open_deal, post
from tests.support.ledgers import SCHEMA
from tests.support.postgres import PostgresServer

USD: Final = {"amount": "900.00", "currency": "USD"}
COMMITTED: Final[dict[str, Any]] = {
    "commitment_id": "k",
    "what": "Sign",
    "kind": "order",
    "level": 3,
}
REASON: Final = "Entered for the wrong deal"
LATER: Final = "2026-06-01T00:00:00Z"
"""After everything that is told here."""
MENU: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("stage_entered", {"stage": "qualification"}),
    ("stage_entered", {"stage": "discovery"}),
    ("stage_entered", {"stage": "proposal"}),
    ("activity_ticked", {"activity": "check_fit"}),
    ("activity_unticked", {"activity": "check_fit"}),
    ("outcome_evidenced", {"outcome": "problem_is_ours_to_solve", "level": 3}),
    ("discount_offered", {"percent": "10"}),
    ("discount_offered", {"percent": "25"}),
    ("discount_withdrawn", {}),
    ("close_date_moved", {"to": "2026-03-31"}),
    ("close_date_moved", {"to": "2026-04-15"}),
    ("amount_changed", {"amount": USD}),
    ("owner_changed", {"owner": "bob"}),
    ("customer_request_received", {"topic": "discount", "level": 3}),
    ("customer_commitment_recorded", COMMITTED),
    ("commitment_kept", {"commitment_id": "k"}),
    ("deal_won", {"net": USD, "closed_on": "2026-03-20"}),
    ("win_reversed", {}),
    ("deal_lost", {}),
    ("deal_reopened", {}),
)  # fmt: skip
QUESTIONS: Final = ("", "/progress", "/commitments", "/review", "/conformance", "/pressure")


@pytest.fixture(scope="module")
def client(postgres_server: PostgresServer) -> Iterator[TestClient]:
    with postgres_server.ledger(SCHEMA) as database, client_on(database) as served:
        yield served


def undo(client: TestClient, deal: str, event_id: str, **more: Any) -> Any:
    path = f"/v1/deals/{deal}/events/{event_id}/undo"
    headers = {"Idempotency-Key": str(uuid4()), **more}
    return client.post(path, json={"reason": REASON}, headers=headers)


def said(client: TestClient, deal: str, kind: str, data: dict[str, Any], hour: int = 9) -> Any:
    """Tell something of a deal, hours after its opening; give the id of the event, or None."""
    at = f"2026-03-20T{hour:02}:00:00Z"
    answer = post(client, f"/v1/deals/{deal}/events", event(kind, at, **data))
    return answer.json()["events"][0]["event_id"] if answer.status_code == 201 else None


def figures(client: TestClient, deal: str) -> dict[str, Any]:
    """Give all answers about a deal, but for what names the state of the log or its history."""
    head = client.get("/v1/events?limit=1").json()["upto"]
    asked = {"effective_at": LATER, "min_position": head}
    found = {}
    for question in QUESTIONS:
        answer = client.get(f"/v1/deals/{deal}{question}", params=asked).json()
        for name in ("as_of", "version", "late"):
            answer.pop(name, None)
        found[question] = answer
    found["visits"] = client.get(f"/v1/deals/{deal}/movement", params=asked).json()["visits"]
    return found


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    told=st.lists(st.sampled_from(MENU), max_size=7),
    last=st.sampled_from(MENU),
)
def test_undoing_the_last_event_restores_every_figure(
    client: TestClient, told: list[Any], last: Any
) -> None:
    deal = open_deal(client, occurred_at="2026-03-20T08:00:00Z")
    for number, (kind, data) in enumerate(told):
        said(client, deal, kind, data, hour=9 + number)
    before = figures(client, deal)
    kind, data = last
    event_id = said(client, deal, kind, data, hour=9 + len(told))
    if event_id is None:
        return

    undone = undo(client, deal, event_id)

    assert undone.status_code == 201, undone.text
    assert undone.json()["events"][0]["type"] == "event_retracted"
    assert figures(client, deal) == before


def test_both_events_stay_to_be_seen_and_every_answer_names_the_correction(
    client: TestClient,
) -> None:
    deal = open_deal(client, occurred_at="2026-03-20T08:00:00Z")
    offer = said(client, deal, "discount_offered", {"percent": "25"})
    assert offer is not None

    by = undo(client, deal, offer).json()["events"][0]["event_id"]

    raw = client.get(f"/v1/deals/{deal}/events").json()["events"]
    assert [one["event_id"] for one in raw][1:] == [offer, by]
    assert raw[1]["data"]["percent"] == "25"
    (entry,) = (
        one
        for one in client.get(f"/v1/deals/{deal}/history").json()["events"]
        if one["event_id"] == offer
    )
    assert entry["retracted"]["event_id"] == by
    assert (entry["retracted"]["reason"], entry["retracted"]["rep"]) == (REASON, raw[2]["actor"])
    for question in QUESTIONS:
        late = client.get(f"/v1/deals/{deal}{question}").json()["late"]
        (named,) = (one for one in late if one["event_id"] == offer)
        assert "retracted" in named["because"]
        assert named["corrected_by"] == by
        assert named["correction"]["reason"] == REASON
        assert named["correction"]["rep"] == entry["retracted"]["rep"]


def test_every_event_says_what_corrects_it_as_known_then(client: TestClient) -> None:
    deal = open_deal(client, occurred_at="2026-03-20T08:00:00Z")
    offer = said(client, deal, "discount_offered", {"percent": "25"})
    assert offer is not None
    amended = correction(client, deal, "event_amended", offer, data={"percent": "20"})
    retracted = correction(client, deal, "event_retracted", offer)
    again = correction(client, deal, "event_retracted", retracted["event_id"])

    for question in (f"/v1/events?deal={deal}", f"/v1/deals/{deal}/events?"):
        known = {
            position: corrected(client, f"{question}&as_of=position:{position}")
            for position in (offered_at(client, deal), *at(amended, retracted, again))
        }
        by_amendment = {"how": "amended", **named(amended), "data": {"percent": "20"}}
        taken_back = {"how": "retracted", "data": None}
        assert list(known.values()) == [
            {},
            {offer: by_amendment},
            {offer: {**taken_back, **named(retracted)}},
            {offer: by_amendment, retracted["event_id"]: {**taken_back, **named(again)}},
        ]
    alone = corrected(client, f"/v1/events?deal={deal}&type=discount_offered")
    assert alone == {offer: by_amendment}


def correction(client: TestClient, deal: str, kind: str, event_id: str, **more: Any) -> Any:
    told = event(kind, "2026-03-20T10:00:00Z", event_id=event_id, reason=REASON, **more)
    answer = post(client, f"/v1/deals/{deal}/events", told)
    assert answer.status_code == 201, answer.text
    return answer.json()["events"][0]


def named(correction: Any) -> dict[str, Any]:
    return {name: correction[name] for name in ("event_id", "position")}


def at(*events: Any) -> list[int]:
    return [one["position"] for one in events]


def offered_at(client: TestClient, deal: str) -> int:
    position: int = client.get(f"/v1/deals/{deal}/events").json()["events"][1]["position"]
    return position


def corrected(client: TestClient, question: str) -> dict[str, Any]:
    """Give what corrects the events of an answer, by their ids."""
    answer = client.get(question)
    assert answer.status_code == 200, answer.text
    events = answer.json()["events"]
    assert events
    return {one["event_id"]: one["corrected_by"] for one in events if one["corrected_by"]}


@pytest.mark.parametrize(
    ("kind", "how", "more", "reads"),
    [
        ("event_retracted", "retracted", {}, ""),
        ("event_amended", "amended", {"data": {"percent": "20"}}, '{"percent":"20"}'),
    ],
)
def test_tables_and_events_name_the_correction_beside_what_was_told(
    client: TestClient, kind: str, how: str, more: dict[str, Any], reads: str
) -> None:
    deal = open_deal(client, occurred_at="2026-03-20T08:00:00Z")
    offer = said(client, deal, "discount_offered", {"percent": "25"})
    assert offer is not None
    by = correction(client, deal, kind, offer, **more)

    for path in (f"/v1/events?deal={deal}", f"/v1/exports?format=csv&deal={deal}"):
        rows = list(csv.DictReader(io.StringIO(written(client, path, "text/csv").text)))
        assert [[value for name, value in row.items() if "corrected" in name] for row in rows] == [
            [""] * 4,
            [by["event_id"], how, str(by["position"]), reads],
            [""] * 4,
        ]
        assert rows[1]["data"] == '{"percent":"25"}'
    batch = "application/cloudevents-batch+json"
    for path in (f"/v1/events?deal={deal}", f"/v1/exports?format=cloudevents&deal={deal}"):
        told = written(client, path, batch).json()
        assert [(one.get("correctedby"), one.get("correctedhow")) for one in told] == [
            (None, None),
            (by["event_id"], how),
            (None, None),
        ]
    page = written(client, f"/v1/events?deal={deal}", "application/x-ndjson").text
    lines = [json.loads(line)["corrected_by"] for line in page.splitlines()]
    assert [one and one["how"] for one in lines] == [None, how, None]


def written(client: TestClient, path: str, media_type: str) -> Any:
    answer = client.get(path, headers={"Accept": media_type})
    assert answer.status_code == 200, answer.text
    return answer


def test_an_undo_is_undone_like_any_event(client: TestClient) -> None:
    deal = open_deal(client, occurred_at="2026-03-20T08:00:00Z")
    offer = said(client, deal, "discount_offered", {"percent": "25"})
    before = figures(client, deal)
    by = undo(client, deal, offer).json()["events"][0]["event_id"]

    assert undo(client, deal, by).status_code == 201
    assert figures(client, deal) == before


@pytest.mark.parametrize(
    ("told", "later", "named"),
    [
        (MENU[14], MENU[15], "commitment_kept"),
        (MENU[16], MENU[17], "win_reversed"),
        (MENU[18], MENU[19], "deal_reopened"),
    ],
)
def test_what_a_later_event_rests_on_is_not_undone_before_it(
    client: TestClient, told: Any, later: Any, named: str
) -> None:
    deal = open_deal(client, occurred_at="2026-03-20T08:00:00Z")
    first, second = (
        said(client, deal, kind, data, hour=hour) for hour, (kind, data) in ((9, told), (10, later))
    )

    refused = undo(client, deal, first)

    assert refused.status_code == 409
    assert refused.json()["code"] == "still_needed"
    assert refused.json()["detail"].startswith(f"the {named} of 2026-03-20T10:00")
    assert second in refused.json()["detail"]
    assert undo(client, deal, second).status_code == 201
    assert undo(client, deal, first).status_code == 201


def test_what_cannot_be_undone_says_why(client: TestClient) -> None:
    deal = open_deal(client, occurred_at="2026-03-20T08:00:00Z")
    opening = client.get(f"/v1/deals/{deal}/events").json()["events"][0]["event_id"]
    note = said(client, deal, "note_added", {"text": "They called"})
    undo(client, deal, note)
    version = client.get(f"/v1/deals/{deal}").headers["etag"]

    answers = [
        undo(client, deal, note),
        undo(client, deal, opening),
        undo(client, deal, str(uuid4())),
        undo(client, str(uuid4()), note),
        undo(client, deal, note, **{"If-Match": '"1"'}),
        undo(client, deal, "none"),
    ]

    assert [one.status_code for one in answers] == [409, 409, 409, 404, 412, 422]
    assert [one.json()["code"] for one in answers[:3]] == [
        *("already_so", "contradiction", "unknown_reference")
    ]
    assert client.get(f"/v1/deals/{deal}").headers["etag"] == version


def test_the_same_undo_sent_again_is_answered_as_before(client: TestClient) -> None:
    deal = open_deal(client)
    path = f"/v1/deals/{deal}/events"
    note = post(client, path, event("note_added", text="x")).json()["events"][0]["event_id"]
    key = {"Idempotency-Key": str(uuid4())}

    first = undo(client, deal, note, **key)
    again = undo(client, deal, note, **key)

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content


def test_an_undo_without_a_reason_is_refused(client: TestClient) -> None:
    deal = open_deal(client)
    opening = client.get(f"/v1/deals/{deal}/events").json()["events"][0]["event_id"]
    headers = {"Idempotency-Key": str(uuid4())}

    refused = client.post(f"/v1/deals/{deal}/events/{opening}/undo", json={}, headers=headers)

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "reason"
