"""What forms record is what the API records, with its permissions, and once."""

import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlencode
from uuid import uuid4

import pytest

from api.people import People
from api.web.record_words import FORMS
from tests.support.client import TOKEN, event, opened
from tests.support.form_steps import (
    CURRENCIES,
    NEW_ID,
    OTHER,
    STEPS,
    TOLD_APART,
    USD,
    filled_in,
    states,
)
from tests.support.forms import DATA, FormRead, Visitor, named, visitor
from tests.support.ledgers import SCHEMA
from tests.support.organisation import OURS, Company, company_on
from tests.support.postgres import PostgresServer

LATER: Final = "2025-06-02T09:00:00Z"


@pytest.fixture(scope="module")
def company(postgres_server: PostgresServer) -> Iterator[Company]:
    with postgres_server.ledger(SCHEMA) as database, company_on(database) as served:
        other = event("process_published", **OTHER)
        assert served.post("token", "/v1/processes/other/events", other).is_success
        yield served


@pytest.fixture(scope="module")
def manager(company: Company) -> Visitor:
    return visitor(company.client, company.secrets["mia"])


def new_deal(company: Company) -> str:
    told = opened(LATER, owner="ann", process={"id": "default", "version": 1})
    answer = company.post("token", "/v1/deals", told)
    deal: str = answer.json()["deal_id"]
    return deal


def page(deal: str, record: str, **query: str) -> str:
    return f"/deals/{deal}?{urlencode({'record': record, **query})}"


def told(company: Company, deal: str) -> list[tuple[Any, ...]]:
    """Give what a deal's events say, but for their ids and when they were told."""
    events = company.get("token", f"/v1/deals/{deal}/events").json()["events"]
    return [(one["type"], one["data"], one["caused_by"]) for one in events]


def test_every_form_records_what_the_api_records(company: Company, manager: Visitor) -> None:
    by_form, by_api = new_deal(company), new_deal(company)
    name = ""
    assert {kind for kind, _, _ in STEPS} | TOLD_APART == FORMS.keys()

    for kind, filled, events in STEPS:
        name = uuid4().hex if any(map(states, events)) else name
        new = {one: name for one in NEW_ID if {one: "{id}"}.items() <= events[0]["data"].items()}
        sent = manager.send(
            f"/deals/{by_form}/record",
            {
                "form": kind,
                "key": uuid4().hex,
                "seen": str(company.ledger.store.head().position),
                "events[0].type": kind,
                **named({**CURRENCIES, **new, **filled_in(filled, name)}),
            },
        )
        assert sent.status_code == 303, (kind, FormRead(sent.text).problem)
        path = f"/v1/deals/{by_api}/events"
        assert company.post("mia", path, *filled_in(events, name)).is_success

    assert told(company, by_form) == told(company, by_api)


def test_a_tick_and_its_evidence_are_recorded_together(company: Company, manager: Visitor) -> None:
    deal = new_deal(company)
    chooser = manager.get(page(deal, "activity_ticked")).text
    assert "Who decides, in which role and by which criteria" in chooser

    form = manager.form(page(deal, "activity_ticked", activity="meet_decision_makers"))
    beside = {"events[1].data.level": "4", "occurred_at": "2025-06-03T10:30"}
    sent = manager.send(form.action, form.values | beside)

    ids = re.findall("recorded=([0-9a-f-]+)", sent.headers["location"])
    assert len(ids) == 2
    assert sent.headers["location"].endswith(f"#e-{ids[0]}")
    shown = manager.get(sent.headers["location"].partition("#")[0]).text
    assert f'<tr id="e-{ids[0]}" class="new"' in shown
    behind = manager.get(f"/deals/{deal}?recorded={uuid4()}").text
    assert "does not show the newest event yet" in behind
    events = company.get("token", f"/v1/deals/{deal}/events").json()["events"][1:]
    assert [(one["channel"], one["actor"]) for one in events] == [("ui", "mia")] * 2
    assert {one["occurred_at"] for one in events} == {"2025-06-03T10:30:00Z"}
    assert events[1]["data"] == {"outcome": "decision_understood", "level": 4}

    withdrawn = {"event_id": ids[1]}
    assert manager.record(page(deal, "evidence_withdrawn"), withdrawn).status_code == 303
    back = {"activity": "meet_decision_makers", "reason": "Too early"}
    assert manager.record(page(deal, "activity_unticked"), back).status_code == 303
    assert told(company, deal)[3:] == [
        ("evidence_withdrawn", {"event_id": ids[1]}, None),
        ("activity_unticked", back, None),
    ]


def test_an_event_is_amended_undone_and_retracted(company: Company, manager: Visitor) -> None:
    deal = new_deal(company)
    offered = manager.record(page(deal, "discount_offered"), {"percent": "10"})
    (first,) = re.findall("recorded=([0-9a-f-]+)", offered.headers["location"])

    right = {"data.percent": "12", "reason": "Typed wrongly"}
    amended = manager.record(page(deal, "event_amended", event=first), right)
    (amendment,) = re.findall("recorded=([0-9a-f-]+)", amended.headers["location"])
    undoing = manager.form(page(deal, "undo", event=amendment))
    assert manager.send(undoing.action, undoing.values | {"reason": "It was 10"}).is_redirect
    no = {"reason": "Never said"}
    assert manager.record(page(deal, "event_retracted", event=first), no).is_redirect

    assert told(company, deal)[2:] == [
        (
            "event_amended",
            {"event_id": first, "data": {"percent": "12"}, "reason": "Typed wrongly"},
            None,
        ),
        ("event_retracted", {"event_id": amendment, "reason": "It was 10"}, None),
        ("event_retracted", {"event_id": first, "reason": "Never said"}, None),
    ]


def test_a_deal_is_opened_in_the_stage_it_begins_in(company: Company, manager: Visitor) -> None:
    form = manager.form("/deals/new")
    filled = {"name": "New", "account.id": "acme", "account.name": "Acme", "owner": "ann"}
    filled |= {"amount.amount": "900.00", "process": "default 1"}
    begins = {"events[1].data.stage": "qualification"}

    sent = manager.send("/deals/new", form.values | named(filled) | begins)

    deal = sent.headers["location"].removeprefix("/deals/")[:36]
    opening, stage = told(company, deal)
    assert opening[1]["account"] == {"id": "acme", "name": "Acme"}
    assert (opening[1]["amount"], opening[1]["owner"]) == (USD, "ann")
    assert stage[:2] == ("stage_entered", {"stage": "qualification"})


def test_who_knows_an_account_by_name_need_not_know_its_id(
    company: Company, manager: Visitor
) -> None:
    def opened(name: str, account_id: str = "") -> Any:
        form = manager.form("/deals/new")
        filled = {"name": "New", "account.name": name, "account.id": account_id, "owner": "ann"}
        sent = manager.send("/deals/new", form.values | named(filled))
        if not sent.is_redirect:
            return FormRead(sent.text).errors["f-account-id"]
        deal = sent.headers["location"].removeprefix("/deals/")[:36]
        return told(company, deal)[0][1]["account"]

    assert opened("Bolt", "b-1") == {"id": "b-1", "name": "Bolt"}
    assert opened("Bolt") == {"id": "b-1", "name": "Bolt"}
    assert opened("Nova & Sons") == {"id": "Nova & Sons", "name": "Nova & Sons"}
    assert opened("Bolt", "b-2") == {"id": "b-2", "name": "Bolt"}
    assert opened("Bolt").endswith("say which one: b-1, b-2.")


def test_credit_is_split_between_people_by_their_names(company: Company, manager: Visitor) -> None:
    deal = new_deal(company)
    People(company.ledger.store).remember({"ann": "Ann Lee", "ben": "Ben Roe"})
    form = manager.form(page(deal, "credit_split_set"))
    assert form.values[DATA + "shares"] == "Ann Lee: 1"

    manager.record(page(deal, "credit_split_set"), {"shares": "ann lee: 0.6\r\nben: 0.4"})

    assert told(company, deal)[-1][1]["shares"] == {"ann": "0.6", "ben": "0.4"}


def test_what_is_sent_twice_is_recorded_once(company: Company, manager: Visitor) -> None:
    deal = new_deal(company)
    form = manager.form(page(deal, "note_added"))
    values = form.values | named({"text": "Once"})

    first, second = manager.send(form.action, values), manager.send(form.action, values)
    assert first.headers["location"] == second.headers["location"]
    other = manager.send(form.action, values | named({"text": "Something else"}))

    assert other.status_code == 422
    shown = FormRead(other.text)
    assert "was sent before" in shown.problem
    assert shown.values[DATA + "text"] == "Something else"
    assert (
        manager.send(form.action, shown.values | {"seen": form.values["seen"]}).status_code == 412
    )
    assert [data["text"] for _, data, _ in told(company, deal)[1:]] == ["Once"]


def test_who_was_not_first_is_shown_what_is_new(company: Company, manager: Visitor) -> None:
    deal = new_deal(company)
    form = manager.form(page(deal, "close_date_moved"))
    values = form.values | named({"to": "2025-08-01", "reason": "Their summer"})
    company.post("ann", f"/v1/deals/{deal}/events", event("note_added", text="I was first"))

    refused = manager.send(form.action, values)

    assert refused.status_code == 412
    shown = FormRead(refused.text)
    assert "Somebody was first" in shown.problem
    assert "1 event was recorded" in shown.problem
    (new,) = re.findall('<div class="problem".*?#e-([0-9a-f-]+)', refused.text, re.DOTALL)
    assert f'<tr id="e-{new}"' in refused.text
    assert shown.values | values == shown.values | {"seen": values["seen"]}
    assert manager.send(shown.action, shown.values).status_code == 303
    assert [kind for kind, _, _ in told(company, deal)] == [
        "deal_opened",
        "note_added",
        "close_date_moved",
    ]


def test_what_is_wrong_stands_beside_its_field(company: Company, manager: Visitor) -> None:
    deal = new_deal(company)
    wrong = {"net.amount": "1,000", "closed_on": ""}

    refused = manager.record(page(deal, "deal_won"), wrong)

    assert refused.status_code == 422
    shown = FormRead(refused.text)
    assert shown.errors["f-closed-on"] == "This is needed."
    assert shown.errors["f-net-amount"].startswith("Expected a number such as")
    assert shown.values[DATA + "net.amount"] == "1,000"
    late = manager.record(page(deal, "deal_won"), {"net.amount": "1", "closed_on": "2999-01-01"})
    assert late.status_code == 409
    assert "lies in the future" in FormRead(late.text).errors["f-closed-on"]
    assert len(told(company, deal)) == 1


def test_forms_have_the_permissions_of_the_api(company: Company) -> None:
    ann, sent = visitor(company.client, company.secrets["ann"]), named({"text": "No"})
    form = ann.form(page(company.ours, "note_added"))
    for who in ("aud", "pat"):
        reader = visitor(company.client, company.secrets[who])
        shown = reader.get(page(company.ours, "note_added"))
        assert shown.status_code == 200
        assert "record-form" not in shown.text
        assert "Open a deal" not in reader.get("/board").text
        assert reader.get("/deals/new").status_code == 403
        for action in (form.action, "/deals/new"):
            assert reader.send(action, form.values | sent).status_code == 403
    cyd = visitor(company.client, company.secrets["cyd"])
    hidden = cyd.send(form.action, form.values | sent)
    unknown = cyd.send(f"/deals/{uuid4()}/record", form.values | sent)
    assert (hidden.status_code, unknown.status_code) == (404, 404)
    given = ann.record(page(company.ours, "owner_changed"), {"owner": "cyd"})
    assert given.status_code == 403
    assert "may not give a deal to “cyd”" in FormRead(given.text).errors["f-owner"]
    assert OURS in ann.get(f"/deals/{company.ours}").text


def test_a_form_is_taken_from_a_page_of_ours_only(company: Company, manager: Visitor) -> None:
    form = manager.form(page(company.ours, "note_added"))
    values = form.values | named({"text": "From elsewhere"})

    other = manager.send(form.action, values, **{"Sec-Fetch-Site": "cross-site"})
    nobody = company.client.post(
        form.action, data=values, headers={"Sec-Fetch-Site": "same-origin"}
    )
    torn = manager.send(form.action, {"form": "note_added"})

    assert other.status_code == 403
    assert nobody.headers["location"].startswith("/sign-in?next=")
    assert torn.status_code == 422
    assert not any(
        data.get("text") == "From elsewhere" for _, data, _ in told(company, company.ours)
    )


def test_a_past_moment_offers_no_form(company: Company, manager: Visitor) -> None:
    asked = page(company.ours, "note_added", as_of="position:9000")
    head = company.ledger.store.head().position

    shown = manager.get(asked.replace("9000", str(head)))

    assert shown.status_code == 200
    assert "record-form" not in shown.text
    assert "Correct " not in shown.text
    board = manager.get(f"/board?as_of=position:{head}").text
    assert 'class="move"' not in board


def test_a_card_is_moved_by_the_event_that_the_api_records(
    company: Company, manager: Visitor
) -> None:
    deal = new_deal(company)
    board = manager.get("/board?show=open").text
    card = board[board.index(f'id="card-{deal}"') :]
    inputs = dict(re.findall('name="([^"]+)" value="([^"]*)"', card[: card.index("</form>")]))
    back = inputs["back"].replace("&amp;", "&")

    moved = manager.send(
        f"/deals/{deal}/record", inputs | named({"stage": "proposal"}) | {"back": back}
    )

    assert moved.headers["location"] == f"/board?show=open&moved={deal}#card-{deal}"
    assert told(company, deal)[1:] == [("stage_entered", {"stage": "proposal"}, None)]
    assert "is in Proposal now" in manager.get(f"/board?show=open&moved={deal}").text


def test_the_operator_signed_in_by_the_token_records_too(company: Company) -> None:
    operator = visitor(company.client, TOKEN)
    deal = new_deal(company)
    first = company.get("token", f"/v1/deals/{deal}/events").json()["events"][0]["event_id"]

    asked = operator.record(
        page(deal, "customer_request_received"), {"topic": "date", "level": "3"}
    )
    (request,) = re.findall("recorded=([0-9a-f-]+)", asked.headers["location"])
    form = operator.form(page(deal, "close_date_moved"))
    because = named({"to": "2025-08-01"}) | {"caused_by": request}

    assert operator.send(form.action, form.values | because).status_code == 303
    assert told(company, deal)[-1] == ("close_date_moved", {"to": "2025-08-01"}, request)
    assert first != request
