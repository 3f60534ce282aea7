"""Exports over HTTP and on the command line: whole, resumable, bounded, and kept."""

import csv
import io
import json
import time
from collections.abc import Iterator
from http.client import IncompleteRead
from pathlib import Path
from typing import Any

import pytest

from api.exchange.exporting import EXPORTS
from api.exports import BATCH, Exports
from api.http.limits import MAX_EXPORTS, Limits
from api.storage.errors import LogUnavailableError
from api.storage.event_store import EventStore
from api.storage.requests import AppendRequest, NewEvent, new_event_id
from domain.events.people import NoteAdded
from tests.support.commands import Run
from tests.support.ledgers import SCHEMA, ledger_on
from tests.support.log import NOON
from tests.support.organisation import Company, company_on
from tests.support.postgres import PostgresServer
from tests.support.raw_http import ask, begins, connected, get
from tests.support.round_trips import exported
from tests.support.served import served

QUICK = Limits(stall_seconds=0.5)
HEAVY = 1_200
"""Notes of 10,000 characters: more than the buffers of both sides of a connection hold."""
AUDITOR = "aud"


@pytest.fixture(scope="module")
def company(postgres_server: PostgresServer) -> Iterator[Company]:
    with postgres_server.ledger(SCHEMA) as database, company_on(database) as served_company:
        yield served_company


def asked(company: Company, query: str, *, who: str = AUDITOR, **headers: str) -> Any:
    return company.client.get(f"/v1/exports?{query}", headers=company.as_(who, **headers))


@pytest.mark.parametrize("name", EXPORTS)
def test_each_format_is_what_the_command_would_write(company: Company, name: str) -> None:
    answer = asked(company, f"format={name}")

    upto = company.ledger.store.head().position
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == EXPORTS[name].media_type
    assert answer.headers["x-position"] == str(upto)
    assert answer.headers["content-disposition"] == (
        f'attachment; filename="dealtrail-1-{upto}.{EXPORTS[name].suffix}"'
    )
    assert answer.content == exported(company.ledger, name)


@pytest.mark.parametrize("name", ["csv", "cloudevents", "parquet"])
def test_a_page_of_the_log_in_a_format_is_written_as_an_export_is(
    company: Company, name: str
) -> None:
    headers = company.as_(AUDITOR, Accept=EXPORTS[name].media_type)
    page = company.client.get("/v1/events?limit=5&after=2", headers=headers)

    assert page.content == exported(company.ledger, name, after=2, upto=7)


def test_an_export_that_broke_off_goes_on_where_it_was_while_others_append(
    company: Company,
) -> None:
    whole = asked(company, "format=ndjson")
    upto = whole.headers["x-position"]
    begun = whole.text.splitlines(keepends=True)[:9]
    last = json.loads(begun[-1])["position"]
    company.ledger.store.append_blocking(note_of(company, "one more"))

    rest = asked(company, f"format=ndjson&after={last}&upto={upto}")
    assert "".join(begun) + rest.text == whole.text
    table = asked(company, f"format=csv&after={last}&as_of=position:{upto}").text
    rows = list(csv.DictReader(io.StringIO(table, newline="")))
    assert [row["position"] for row in rows] == [
        str(json.loads(line)["position"]) for line in rest.text.splitlines()
    ]
    more = asked(company, f"format=ndjson&after={upto}")
    assert [json.loads(line)["data"] for line in more.text.splitlines()] == [{"text": "one more"}]


def note_of(company: Company, text: str) -> AppendRequest:
    said = NoteAdded(text=text)
    told = NewEvent(event_id=new_event_id(), data=said, occurred_at=NOON, actor="ann")
    return AppendRequest(stream_id=f"deal:{company.ours}", events=(told,), caller="tests")


def test_the_filters_are_those_of_the_log(company: Company) -> None:
    query = "type=quota_assigned,deal_opened&actor=admin"
    page = company.client.get(f"/v1/events?{query}", headers=company.as_(AUDITOR)).json()
    lines = asked(company, f"format=ndjson&{query}").text.splitlines()

    assert [json.loads(line)["position"] for line in lines] == [
        one["position"] for one in page["events"]
    ]
    assert lines
    owned = asked(company, "format=ndjson&owner=cyd").text.splitlines()
    assert {json.loads(line)["stream"] for line in owned} == {f"deal:{company.theirs}"}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("format=pdf", "format"),
        ("", "format"),
        ("format=csv&as_of=position:1&upto=1", "upto"),
        ("format=csv&type=nothing", "type"),
        ("format=csv&limit=5", "limit"),
        ("format=csv&as_of=2999-01-01T00:00:00Z", "as_of"),
        ("format=csv&after=-1", "after"),
    ],
)
def test_what_cannot_be_exported_is_refused_by_the_field_at_fault(
    company: Company, query: str, field: str
) -> None:
    answer = asked(company, query)

    assert answer.status_code == 422
    assert answer.json()["field"].endswith(field)


def test_only_auditors_and_the_operator_export(company: Company) -> None:
    for who in ("ann", "mia", "pat", "adm"):
        assert asked(company, "format=csv", who=who).status_code == 403


def test_what_was_exported_is_kept_before_and_after(company: Company) -> None:
    headers = {"X-Request-ID": "export-1"}
    answer = asked(company, "format=csv&type=deal_opened&after=1", **headers)
    upto = int(answer.headers["x-position"])
    position = company.ledger.store.head().position

    rows = company.ledger.accesses.page(before=None, actor=AUDITOR, limit=3)
    kept = [
        {key: row[key] for key in ("kind", "format", "after", "upto", "events", "request_id")}
        for row in rows
    ]
    asked_for = {"format": "csv", "after": 1, "request_id": "export-1"}
    last = max(
        e.position
        for e in company.ledger.store.events_at(1, upto)
        if e.data.TOPIC == "deal.deal_opened.v1"
    )
    assert kept[:2] == [
        asked_for | {"kind": "exported", "upto": last, "events": 2},
        asked_for | {"kind": "export", "upto": upto, "events": None},
    ]
    assert rows[0]["request"] == "GET /v1/exports?format=csv&type=deal_opened&after=1"
    assert company.ledger.store.head().position == position
    page = company.client.get("/v1/events?limit=2", headers=company.as_("aud", Accept="text/csv"))
    assert page.is_success
    (row, *_) = company.ledger.accesses.page(before=None, actor=AUDITOR, limit=1)
    assert (row["kind"], row["format"], row["events"]) == ("export", "csv", 2)


def fill(database: str) -> None:
    """Fill a ledger with more than a connection holds."""
    with ledger_on(database) as ledger:
        said = NoteAdded(text="x" * 10_000)
        for _ in range(HEAVY // 200):
            told = tuple(
                NewEvent(event_id=new_event_id(), data=said, occurred_at=NOON, actor="ann")
                for _ in range(200)
            )
            stream = "deal:01900000-0000-7000-9000-000000000001"
            ledger.store.append_blocking(
                AppendRequest(stream_id=stream, events=told, caller="tests")
            )


@pytest.fixture
def heavy(postgres_server: PostgresServer) -> Iterator[str]:
    with postgres_server.ledger(SCHEMA, filled_by=fill) as dsn, served(dsn, limits=QUICK) as at:
        yield at


def ends_of(url: str) -> list[dict[str, Any]]:
    kept = ask(url, get(b"/v1/accesses?limit=1000")).told["accesses"]
    return [one for one in kept if one["kind"] == "exported"]


def wait_for_ends(url: str, count: int) -> list[dict[str, Any]]:
    """Wait until so many exports have ended; the time limit of tests ends the loop."""
    while len(ends := ends_of(url)) < count:
        time.sleep(0.05)
    return ends


@pytest.mark.parametrize("leaving", [True, False])
def test_who_goes_away_or_takes_nothing_gives_the_place_to_others(
    heavy: str, *, leaving: bool
) -> None:
    clients = [connected(heavy) for _ in range(MAX_EXPORTS)]
    connections = [client.__enter__() for client in clients]
    for connection in connections:
        connection.sendall(get(b"/v1/exports?format=ndjson"))
        assert begins(connection, b"HTTP/1.1 200")
    refused = ask(heavy, get(b"/v1/exports?format=csv"))
    assert (refused.status, refused.told["code"]) == (503, "too_many_at_once")
    if leaving:
        for client in clients:
            client.__exit__(None, None, None)

    ends = wait_for_ends(heavy, MAX_EXPORTS)

    assert all(0 < one["events"] < HEAVY and one["upto"] == one["events"] for one in ends)
    assert all(one["events"] % BATCH == 0 for one in ends)
    whole = ask(heavy, get(b"/v1/exports?format=csv"))
    assert (whole.status, whole.body.count(b"\r\n")) == (200, HEAVY + 1)
    if not leaving:
        for client in clients:
            client.__exit__(None, None, None)


def test_an_export_that_the_server_cannot_end_does_not_look_whole(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = iter(range(10))
    events_of_page = EventStore.rows

    def broken(store: Any, statement: Any, parameters: Any) -> Any:
        if "external_stream IS NOT NULL" in statement and next(pages) > 0:
            message = "the log is away"
            raise LogUnavailableError(message)
        return events_of_page(store, statement, parameters)

    with postgres_server.ledger(SCHEMA, filled_by=fill) as dsn, served(dsn) as at:
        monkeypatch.setattr(EventStore, "rows", broken)
        with pytest.raises(IncompleteRead):
            ask(at, get(b"/v1/exports?format=ndjson"))
        monkeypatch.undo()
        (end,) = wait_for_ends(at, 1)
        assert end["events"] == BATCH


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip;q=0.0", False),
        ("br", False),
        ("", False),
    ],
)
def test_an_export_is_packed_for_who_takes_it_so(
    company: Company, accepted: str, *, packed: bool
) -> None:
    answer = asked(company, "format=ndjson", **{"Accept-Encoding": accepted})

    assert answer.headers.get("content-encoding") == ("gzip" if packed else None)
    assert answer.content == exported(company.ledger, "ndjson")
    parquet = asked(company, "format=parquet", **{"Accept-Encoding": accepted})
    assert "content-encoding" not in parquet.headers


def test_the_head_of_an_export_is_told_without_it(company: Company) -> None:
    headers = company.as_(AUDITOR)
    answer = company.client.head("/v1/exports?format=xes", headers=headers)

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["x-position"] == str(company.ledger.store.head().position)


def told_in(database: str) -> Any:
    with ledger_on(database) as ledger:
        told = [
            NewEvent(
                event_id=new_event_id(), data=NoteAdded(text=f"n{n}"), occurred_at=NOON, actor=a
            )
            for n, a in enumerate(("ann", "bob", "ann"))
        ]
        stream = "deal:01900000-0000-7000-9000-000000000001"
        ledger.store.append_blocking(
            AppendRequest(stream_id=stream, events=tuple(told), caller="tests")
        )
        return {name: exported(ledger, name) for name in EXPORTS}


@pytest.mark.parametrize("name", EXPORTS)
def test_the_command_writes_a_file_or_to_the_next_program(
    run: Run, database: str, tmp_path: Path, name: str
) -> None:
    content = told_in(database)[name]
    out = tmp_path / "out"

    code, said, _ = run("export", "--format", name, "--out", str(out), "--json")
    assert (code, out.read_bytes()) == (0, content)
    assert json.loads(said) == {
        "file": str(out),
        "format": name,
        "after": 0,
        "position": 3,
        "events": 3,
    }
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    if name != "parquet":
        code, said, _ = run("export", "--format", name)
        assert (code, said) == (0, content.decode())


def test_a_file_that_cannot_be_finished_is_not_there(
    run: Run, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Iterator[bytes]:
        yield b"half"
        message = "the log is away"
        raise LogUnavailableError(message)

    told_in(database)
    monkeypatch.setattr(Exports, "written", broken)

    code, _, said = run("export", "--format", "csv", "--out", str(tmp_path / "out"))

    assert (code, said) == (1, "dealtrail: the log is away\n")
    assert [path.name for path in tmp_path.iterdir() if "out" in path.name] == []


def test_the_command_takes_filters_and_positions_and_is_kept(run: Run, database: str) -> None:
    told_in(database)

    code, out, _ = run("export", "--format", "ndjson", "actor:ann", "--after", "1")

    assert [json.loads(line)["data"] for line in out.splitlines()] == [{"text": "n2"}]
    assert code == 0
    code, out, _ = run("export", "--format", "ndjson", "--as-of", "position:1")
    assert (code, len(out.splitlines())) == (0, 1)
    with ledger_on(database) as ledger:
        rows = ledger.accesses.page(before=None, actor=None, limit=10)
    assert [(row["kind"], row["after"], row["upto"], row["events"]) for row in rows] == [
        ("exported", 0, 1, 1),
        ("export", 0, 1, None),
        ("exported", 1, 3, 1),
        ("export", 1, 3, None),
    ]
    assert rows[2]["request"] == "dealtrail export --format ndjson actor:ann --after 1"
    assert str(rows[0]["credential"]).startswith("account ")


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (("--format", "pdf"), 2, "not one of ndjson"),
        (("--format", "csv", "colour:red"), 1, "colour"),
        (("--format", "csv", "actor:"), 1, "column"),
        (("--format", "csv", "type:nothing"), 1, "nothing"),
        (("--format", "csv", "--as-of", "position:9"), 1, "beyond the head"),
        (("--format", "csv", "--out", "/nowhere/at/all"), 1, "cannot be written"),
    ],
)
def test_what_the_command_cannot_do_it_says(
    run: Run, arguments: tuple[str, ...], code: int, reason: str
) -> None:
    found, _, told = run("export", *arguments)

    assert found == code
    assert reason in " ".join(told.replace("│", " ").split())
