"""The page that publishes a process says first what is found of a version, and publishes once."""

import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
import yaml

from tests.support.client import event
from tests.support.forms import HERE, FormRead, Visitor, visitor
from tests.support.ledgers import SCHEMA
from tests.support.organisation import Company, company_on
from tests.support.postgres import PostgresServer
from tests.support.site import NASTY

PATH: Final = "/process/publish"
FOUND: Final = 'class="found"'


@pytest.fixture(scope="module")
def company(postgres_server: PostgresServer) -> Iterator[Company]:
    with postgres_server.ledger(SCHEMA) as database, company_on(database) as served:
        yield served


@pytest.fixture(scope="module")
def owner(company: Company) -> Visitor:
    return visitor(company.client, company.secrets["pat"])


def stage(name: str, *, outcomes: int = 1) -> dict[str, Any]:
    told = [{"id": f"{name}-{n}", "name": f"Shown {n}"} for n in range(outcomes)]
    activity = {"id": f"{name}-do", "name": "Do it", "purpose": "To know", "outcomes": told}
    return {"id": name, "name": name.title(), "goal": "Know it", "activities": [activity]}


def version(number: int, *stages: dict[str, Any], name: str = "Ours") -> dict[str, Any]:
    told = list(stages) or [stage("meet"), stage("show")]
    return {
        "version": number,
        "name": name,
        "stages": told,
        "closing": {"won": "won", "lost": "lost"},
    }


def begun(company: Company, process: str) -> None:
    """Publish the first version of a process by the API."""
    told = event("process_published", **version(1))
    assert company.post("pat", f"/v1/processes/{process}/events", told).is_success


def published(company: Company, process: str) -> list[dict[str, Any]]:
    answer = company.get("pat", f"/v1/processes/{process}").json()
    return [one for one in answer.get("versions", ()) if one["event_id"]]


def filled(owner: Visitor, process: str, told: Any) -> tuple[FormRead, dict[str, str]]:
    form = owner.form(f"{PATH}?process={process}")
    text = told if isinstance(told, str) else yaml.safe_dump(told, sort_keys=False)
    return form, form.values | {"text": text}


def test_it_begins_with_the_latest_version_which_differs_by_its_number_only(
    company: Company, owner: Visitor
) -> None:
    begun(company, "begun")
    form = owner.form(f"{PATH}?process=begun")
    assert yaml.safe_load(form.values["text"]) == version(2)

    shown = owner.send(PATH, form.values)

    assert (shown.status_code, FOUND in shown.text) == (200, True)
    assert "It does not differ from version 1" in shown.text
    assert len(published(company, "begun")) == 1


def test_what_is_found_is_what_the_api_says_and_stands_before_it_is_published(
    company: Company, owner: Visitor
) -> None:
    begun(company, "found")
    told = version(2, stage("meet", outcomes=5), stage("ask"))
    form, values = filled(owner, "found", told)

    checked = owner.send(PATH, values)

    assert checked.status_code == 200
    assert len(published(company, "found")) == 1
    assert "Too many outcomes" in checked.text
    assert re.findall(r'class="panel stage (\w+)"', checked.text) == ["removed", "added"]
    assert '<p class="sum">4 added</p>' in checked.text
    again = FormRead(checked.text)
    assert (again.values["key"], again.values["text"]) == (form.values["key"], values["text"])
    sent = owner.send(PATH, again.values)
    assert sent.headers["location"] == "/process?process=found&version=2&published=2"
    assert "Version 2 is published." in owner.get(sent.headers["location"]).text
    lint = company.get("pat", "/v1/processes/found/lint").json()
    assert lint["warnings"]
    assert all(one["detail"] in checked.text for one in lint["warnings"])
    one = published(company, "found")[-1]
    (recorded,) = (
        e
        for e in company.ledger.store.events_at(1, company.ledger.store.head().position)
        if str(e.event_id) == one["event_id"]
    )
    assert (recorded.actor, recorded.channel) == ("pat", "ui")
    assert {k: one[k] for k in told} == told


def test_what_is_sent_twice_is_published_once(company: Company, owner: Visitor) -> None:
    _, values = filled(owner, "once", version(1))
    checked = FormRead(owner.send(PATH, values).text).values

    first, second = owner.send(PATH, checked), owner.send(PATH, checked)

    assert (first.status_code, first.headers["location"]) == (303, second.headers["location"])
    assert len(published(company, "once")) == 1
    elsewhere = owner.send(PATH, checked | {"process": "elsewhere"})
    assert FOUND in elsewhere.text
    other = owner.send(PATH, FormRead(elsewhere.text).values)
    assert other.status_code == 422
    assert "was sent before" in FormRead(other.text).problem
    assert published(company, "elsewhere") == []


def test_a_text_that_was_changed_after_the_check_is_checked_again(
    company: Company, owner: Visitor
) -> None:
    _, values = filled(owner, "changed", version(1))
    checked = FormRead(owner.send(PATH, values).text).values
    other = yaml.safe_dump(version(1, stage("meet", outcomes=4)))

    again = owner.send(PATH, checked | {"text": other})

    assert (again.status_code, "Too many outcomes" in again.text) == (200, True)
    assert published(company, "changed") == []
    assert owner.send(PATH, FormRead(again.text).values).status_code == 303


@pytest.mark.parametrize("checked_before", [False, True])
def test_who_was_not_first_is_shown_what_is_new(
    company: Company, owner: Visitor, *, checked_before: bool
) -> None:
    process = f"raced-{checked_before}"
    begun(company, process)
    _, values = filled(owner, process, version(2, stage("meet"), name="Mine"))
    if checked_before:
        values = FormRead(owner.send(PATH, values).text).values
    first = event("process_published", **version(2, name="I was first"))
    assert company.post("adm", f"/v1/processes/{process}/events", first).is_success

    refused = owner.send(PATH, values)

    shown = FormRead(refused.text)
    assert refused.status_code == 412
    assert "Somebody was first" in shown.problem
    assert "Version 2: I was first" in shown.problem
    assert f'href="/process?process={process}&amp;version=2"' in refused.text
    assert shown.values["text"] == values["text"]
    taken = owner.send(PATH, shown.values)
    assert taken.status_code == 409
    assert "version 2 is there already" in FormRead(taken.text).errors["f-text"]
    mine = shown.values | {"text": values["text"].replace("version: 2", "version: 3")}
    checked = owner.send(PATH, mine)
    assert "Against version 2" in checked.text
    assert "<dt>Name</dt><dd>Mine</dd>" in checked.text
    assert owner.send(PATH, FormRead(checked.text).values).status_code == 303
    assert [one["name"] for one in published(company, process)] == ["Ours", "I was first", "Mine"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("version: 1\nname: [\n", "Line 3: "),
        ("version: 1\nversion: 2\n", "the key 'version' is given twice"),
        ("a: &a [1]\nb: *a\n", "an alias, which is not read"),
        ("just words", "Fields are expected"),
        ("x" * 140_000, "At most 131,072 characters are read."),
        (
            "version: 1\nname: Ours\nstages: []\nclosing: {won: w}\n",
            "Line 4, closing.lost: missing",
        ),
        ("version: !!binary aGk=\n", "It holds what no request can"),
        ("[" * 5000, "nested"),
    ],
)
def test_what_is_wrong_stands_at_its_line_beside_the_text(
    company: Company, owner: Visitor, text: str, said: str
) -> None:
    _, values = filled(owner, "wrong", text)

    refused = owner.send(PATH, values)

    shown = FormRead(refused.text)
    assert refused.status_code == 422
    assert said in shown.errors["f-text"]
    assert shown.values["text"].rstrip("\n") == text.rstrip("\n")
    assert published(company, "wrong") == []


def test_every_fault_that_the_api_finds_has_its_line(company: Company, owner: Visitor) -> None:
    told = version(1)
    del told["stages"][1]["goal"]
    told["stages"][0]["activities"][0]["outcomes"] = []
    _, values = filled(owner, "faults", told)

    faults = FormRead(owner.send(PATH, values).text).errors["f-text"].split("\n")

    path = "/v1/processes/faults/events"
    errors = company.post("pat", path, event("process_published", **told)).json()["errors"]
    lines = values["text"].splitlines()
    assert len(faults) == len(errors) == 2
    for fault, error in zip(faults, errors, strict=True):
        assert error["field"].removeprefix("events[0].data.") in fault
        assert error["detail"].rstrip(".") in fault
        number = int(re.findall(r"Line ([0-9]+),", fault)[0])
        assert lines[number - 1].lstrip(" -").split(":")[0] in {"outcomes", "id"}
    told = version(1) | {"closing": {"won": "won", "lost": "won"}}
    refused = owner.send(PATH, filled(owner, "faults", told)[1])
    assert refused.status_code == 409
    assert "cannot be both won and lost" in FormRead(refused.text).errors["f-text"]


def test_it_has_the_permissions_of_the_api(company: Company, owner: Visitor) -> None:
    _, values = filled(owner, "mine", version(1))
    for who in ("ann", "mia", "aud"):
        reader = visitor(company.client, company.secrets[who])
        assert PATH not in reader.get("/process?process=default").text
        assert reader.get(PATH).status_code == 403
        assert reader.send(PATH, values).status_code == 403
        sent = {"file": ("a.yaml", b"version: 1")}
        headers = reader.headers | HERE
        loaded = company.client.post(f"{PATH}/file", files=sent, headers=headers)
        assert loaded.status_code == 403
    admin = visitor(company.client, company.secrets["adm"])
    assert f'href="{PATH}?process=default"' in admin.get("/process?process=default").text
    assert PATH not in admin.get("/process?process=default&as_of=position:3").text
    nobody = company.client.post(PATH, data=values, headers=HERE)
    assert nobody.headers["location"].startswith("/sign-in?next=")
    assert published(company, "mine") == []


def test_a_file_takes_the_place_of_the_text(company: Company, owner: Visitor) -> None:
    def loaded(body: bytes) -> Any:
        files = {"file": ("a.yaml", body)}
        headers = owner.headers | HERE
        data = {"process": "default"}
        return company.client.post(f"{PATH}/file", data=data, files=files, headers=headers)

    form = FormRead(loaded(b"version: 7\r\nname: '\xc3\x89t\xc3\xa9'\r\n").text)
    assert form.values["text"] == "version: 7\nname: 'Été'\n"
    assert form.values["process"] == "default"
    for body, said in ((b"\xff\xfe", "not text in UTF-8"), (b"", "that is not empty")):
        refused = loaded(body)
        assert (refused.status_code, said in refused.text) == (422, True)
        assert 'id="file-error"' in refused.text
    assert loaded(b"x" * (1 << 20)).status_code == 413


def test_hostile_text_shows_as_text(company: Company, owner: Visitor) -> None:
    told = version(1, stage("meet", outcomes=5) | {"name": NASTY[:190]})
    _, values = filled(owner, "hostile", told)
    checked = owner.send(PATH, values)
    assert FOUND in checked.text
    assert "<img src=x" not in checked.text
    bad = owner.send(PATH, values | {"process": "\x00"})
    assert bad.status_code == 422
    assert FormRead(bad.text).errors["f-process"]
    assert owner.send(PATH, {"text": "version: 1"}).status_code == 422
    assert published(company, "hostile") == []
