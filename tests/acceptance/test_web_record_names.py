"""Forms and lists take names for ids, and never one person or customer for another."""

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from api.people import People
from tests.support.client import event, opened
from tests.support.forms import DATA, FormRead, Visitor, named, visitor
from tests.support.ledgers import SCHEMA, import_lines
from tests.support.organisation import SINCE, THEIR_ACCOUNT, Company, company_on
from tests.support.postgres import PostgresServer

TWO: Final = "Several people are called Jan Novak; say which one: admin, ann."


@pytest.fixture(scope="module")
def company(postgres_server: PostgresServer) -> Iterator[Company]:
    with postgres_server.ledger(SCHEMA) as database, company_on(database) as served:
        people = {"ann": "Jan Novak", "admin": "Jan Novak", "cleo": "Cleo Roe"}
        People(served.ledger.store).remember(people)
        yield served


@pytest.fixture(scope="module")
def manager(company: Company) -> Visitor:
    return visitor(company.client, company.secrets["mia"])


def account_of(company: Company, opener: Visitor, name: str, account_id: str = "") -> Any:
    form = opener.form("/deals/new")
    filled = {"name": "New", "account.name": name, "account.id": account_id, "owner": "ann"}
    sent = opener.send("/deals/new", form.values | named(filled))
    assert sent.is_redirect, FormRead(sent.text).problem
    deal = sent.headers["location"].removeprefix("/deals/")[:36]
    events = company.get("token", f"/v1/deals/{deal}/events").json()["events"]
    return events[0]["data"]["account"]


def total_of(text: str) -> str:
    """Give how many events a page of the explorer counts."""
    return html.unescape(re.findall(r'<p role="status"><b>(.*?)</b>', text)[-1])


def credited(company: Company, manager: Visitor, shares: str) -> Any:
    """Give who is credited, or what is wrong with the shares."""
    told = opened(owner="ann", process={"id": "default", "version": 1})
    deal = company.post("token", "/v1/deals", told).json()["deal_id"]
    sent = manager.record(f"/deals/{deal}?record=credit_split_set", {"shares": shares})
    if not sent.is_redirect:
        return FormRead(sent.text).errors["f-shares"]
    events = company.get("token", f"/v1/deals/{deal}/events").json()["events"]
    return events[-1]["data"]["shares"]


def test_a_new_customer_never_comes_under_the_id_of_another(
    company: Company, manager: Visitor
) -> None:
    assert account_of(company, manager, "Bolt", "Nova")["id"] == "Nova"

    new = account_of(company, manager, "Nova")

    assert new["name"] == "Nova"
    assert new["id"] not in {"Nova", ""}
    assert account_of(company, manager, "Nova") == new
    assert account_of(company, manager, "Bolt")["id"] == "Nova"


def test_an_account_out_of_reach_is_neither_told_nor_joined(company: Company) -> None:
    ben, sam = (visitor(company.client, company.secrets[who]) for who in ("ben", "sam"))
    theirs = {"id": THEIR_ACCOUNT, "name": THEIR_ACCOUNT.title()}
    position = company.ledger.store.head().position
    for moment in ("", f"&as_of=position:{position}"):
        found, nothing = (
            total_of(ben.get(f"/audit?deal={name}{moment}").text)
            for name in (THEIR_ACCOUNT, "nothing-like-it")
        )
        assert found == nothing == "0 events"
    assert total_of(sam.get(f"/audit?deal={THEIR_ACCOUNT}").text) != "0 events"

    assert account_of(company, ben, theirs["name"])["id"] == theirs["name"]


def test_a_source_id_of_a_deal_out_of_reach_hides_no_deal_of_that_name(
    company: Company, tmp_path: Path
) -> None:
    ben = visitor(company.client, company.secrets["ben"])
    before = total_of(ben.get("/audit?deal=acme").text)
    data = opened(owner="cyd", account={"id": "x", "name": "Elsewhere"})["data"]
    line = {"stream": "deal:acme", "external_id": "acme/0", "type": "deal_opened", "data": data}
    when = {"occurred_at": SINCE, "actor": "cyd"}
    assert import_lines(company.ledger, tmp_path, [line | when]).events_made == 1

    assert total_of(ben.get("/audit?deal=acme").text) == before != "0 events"


def test_a_name_that_no_account_can_have_is_refused(company: Company, manager: Visitor) -> None:
    form = manager.form("/deals/new")
    filled = {"name": "New", "account.name": "No\0va", "owner": "ann"}

    sent = manager.send("/deals/new", form.values | named(filled))

    assert (sent.status_code, "f-account-name" in FormRead(sent.text).errors) == (422, True)


def test_credit_goes_to_nobody_whom_a_name_does_not_tell(
    company: Company, manager: Visitor
) -> None:
    assert credited(company, manager, "Jan Novak: 1") == TWO
    assert credited(company, manager, "ann: 0.5\nBEN: 0.5") == {"ann": "0.5", "BEN": "0.5"}
    twice = credited(company, manager, "Cleo Roe: 1\ncleo: 1")
    assert twice == "Named more than once: cleo."
    assert credited(company, manager, "cleo roe: 0.5\nann: 0.5") == {"cleo": "0.5", "ann": "0.5"}


def test_a_split_is_amended_by_names_too(company: Company, manager: Visitor) -> None:
    told = opened(owner="ann", process={"id": "default", "version": 1})
    deal = company.post("token", "/v1/deals", told).json()["deal_id"]
    manager.record(f"/deals/{deal}?record=credit_split_set", {"shares": "ann: 1"})
    split = company.get("token", f"/v1/deals/{deal}/events").json()["events"][-1]["event_id"]
    amending = f"/deals/{deal}?record=event_amended&event={split}"

    two = manager.record(amending, {"data.shares": "Jan Novak: 1", "reason": "Wrong"})
    one = manager.record(amending, {"data.shares": "Cleo Roe: 1", "reason": "Wrong"})

    assert (two.status_code, one.status_code) == (422, 303)
    events = company.get("token", f"/v1/deals/{deal}/events").json()["events"]
    assert events[-1]["data"]["data"]["shares"] == {"cleo": "1"}


def test_who_shares_a_name_is_asked_for_by_id(company: Company, manager: Visitor) -> None:
    form = manager.form("/deals/new")
    assert form.values[DATA + "owner"] == "mia"

    page = manager.get("/audit").text
    assert '<option value="ann">Jan Novak</option>' in page

    both = total_of(manager.get("/audit?rep=Jan+Novak").text)
    assert both == total_of(manager.get("/audit?q=rep:admin,ann").text) != "0 events"


def test_who_recorded_an_event_is_told_where_two_share_a_name(
    company: Company, manager: Visitor
) -> None:
    note = event("note_added", text="For Ann") | {"on_behalf_of": "ann"}
    made = company.post("token", f"/v1/deals/{company.ours}/events", note)
    assert made.is_success, made.text
    noted = company.get("token", f"/v1/deals/{company.ours}/events").json()["events"][-1]

    told = manager.get(f"/deals/{company.ours}/events/{noted['event_id']}").text

    assert "<dd>Jan Novak, recorded by Jan Novak</dd>" in told


def test_no_key_is_made_for_a_name_of_several(company: Company) -> None:
    admin = visitor(company.client, company.secrets["adm"])
    asked = {"member": "Jan Novak", "role": "rep", "name": "x", "days": "90"}

    sent = admin.send("/settings/keys", asked)

    assert sent.status_code == 422
    assert "admin, ann" in sent.text
