"""Imports over HTTP: sent in, watched, refused, cancelled, and gone on with after a crash."""

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path
from threading import Event as Flag
from typing import Any
from uuid import UUID, uuid4

import pytest

from api import import_job
from api.exchange.importing import run_import
from api.import_runner import MAX_ATTEMPTS
from api.imports import MAX_WAITING
from api.storage.errors import LogUnavailableError
from tests.support.exports import PACK, weekly_export
from tests.support.ledgers import SCHEMA
from tests.support.postgres import PostgresServer
from tests.support.uploads import MOST, Importing, importing_on, zip_of


@pytest.fixture(scope="module")
def shared_door(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Importing]:
    with (
        postgres_server.ledger(SCHEMA) as database,
        importing_on(database, tmp_path_factory.mktemp("home")) as served,
    ):
        yield served


@pytest.fixture
def door(shared_door: Importing) -> Iterator[Importing]:
    """A server whose ledger other tests wrote to as well; it leaves nothing that waits."""
    next(TESTS)
    yield shared_door
    shared_door.run()


@pytest.fixture
def empty_door(database: str, tmp_path: Path) -> Iterator[Importing]:
    next(TESTS)
    with importing_on(database, tmp_path) as served:
        yield served


class Numbers:
    """The number of the test that runs, so that the deals of each are its own."""

    now = 0

    def __next__(self) -> int:
        self.now += 1
        return self.now


TESTS = Numbers()


def lines(*deals: str, bad: int = 0) -> bytes:
    """Lines that open deals, and some that cannot be read."""
    told = [
        {
            "stream": f"deal:{TESTS.now}-{deal}",
            "external_id": f"{TESTS.now}-{deal}:opened",
            "type": "deal_opened",
            "occurred_at": "2025-01-08T00:00:00Z",
            "actor": "ann",
            "data": {"name": deal, "account": {"id": "acme", "name": "Acme"}, "owner": "ann"},
        }
        for deal in deals
    ]
    texts = [json.dumps(one) for one in told] + ["{}"] * bad
    return "".join(text + "\n" for text in texts).encode()


def head(door: Importing) -> int:
    return door.ledger.store.head().position


def test_an_upload_waits_is_imported_and_leaves_no_file(door: Importing) -> None:
    before = head(door)
    answer = door.send(lines("a", "b"))

    assert answer.status_code == 202
    waiting = answer.json()
    assert answer.headers["location"] == f"/v1/imports/{waiting['import_id']}"
    assert (waiting["state"], waiting["report"], head(door)) == ("waiting", None, before)
    assert door.left() == [waiting["import_id"]]

    door.run()

    done = door.one(waiting["import_id"])
    assert (done["state"], done["problem"], done["attempts"]) == ("done", None, 1)
    assert {k: done["report"][k] for k in ("rows_read", "events_made", "deals", "rejects")} == {
        "rows_read": 2,
        "events_made": 2,
        "deals": 2,
        "rejects": [],
    }
    progress = done["progress"]
    assert progress["bytes_read"] == progress["bytes_to_read"] == len(lines("a", "b"))
    assert (progress["events_made"], progress["step"], done["position"]) == (2, None, before + 2)
    assert door.left() == []


def test_the_same_content_again_is_told_as_duplicates(door: Importing) -> None:
    before = head(door)
    door.imported(lines("a", "b"))

    again = door.imported(lines("a", "b", "c"))

    assert (again["report"]["events_made"], again["report"]["duplicates"]) == (1, 2)
    assert head(door) == before + 3


def test_a_key_names_one_upload(door: Importing) -> None:
    first = door.send(lines("a"), key="k")
    again = door.send(lines("a"), key="k")
    other = door.send(lines("b"), key="k")

    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert door.left() == [first.json()["import_id"]]


def test_a_dry_run_reports_and_records_nothing(door: Importing) -> None:
    before = head(door)
    told = door.imported(lines("a"), dry_run=True)

    assert (told["state"], told["report"]["events_made"], told["report"]["dry_run"]) == (
        "done",
        1,
        True,
    )
    assert head(door) == before


def test_an_export_of_several_files_comes_as_a_zip_and_founds_a_ledger(
    empty_door: Importing, shared_data: Path
) -> None:
    body = zip_of(weekly_export(shared_data))

    told = empty_door.imported(body, format="salesforce-csv", file="export.zip", founding=True)

    assert (told["problem"], told["report"]["events_made"], told["report"]["deals"]) == (
        None,
        132,
        15,
    )
    assert {e.clock for batch in empty_door.ledger.store.log() for e in batch} == {"source"}


def test_a_profile_comes_with_the_files_or_is_a_shipped_one(
    door: Importing, shared_data: Path, tmp_path: Path
) -> None:
    folder = shared_data / PACK / "hubspot_v3"
    profile = "calendar: {kind: months, zone: America/New_York, start_month: 1}\n"
    known = door.imported(zip_of(folder, profile=profile), format="hubspot", file="h.zip")
    both = door.imported(
        zip_of(folder, profile=profile), format="hubspot", file="h.zip", profile="maven"
    )
    broken = door.imported(zip_of(folder, profile="a: &a [*a]"), format="hubspot", file="h.zip")
    unknown = door.imported(lines("a"), profile="nobody")

    assert (known["report"]["events_made"], known["report"]["rejects"]) == (117, [])
    assert "two profiles" in both["problem"]
    assert "an alias, which is not read" in broken["problem"]
    assert unknown["state"] == "refused"
    assert "shipped ones are: maven" in unknown["problem"]
    assert str(tmp_path) not in broken["problem"]


def test_gzip_is_unpacked_and_a_bomb_is_refused(door: Importing) -> None:
    plain = door.imported(gzip.compress(lines("a")), file="lines.ndjson.gz")
    bomb = door.imported(gzip.compress(bytes(100 * MOST)), file="lines.ndjson.gz")

    assert plain["report"]["events_made"] == 1
    assert (bomb["state"], bomb["report"]) == ("refused", None)
    assert "more than is read" in bomb["problem"]
    assert door.left() == []


def test_what_is_refused_whole_says_why_and_names_no_folder(
    door: Importing, tmp_path: Path
) -> None:
    other = door.imported(b"<xml/>")
    folder = door.imported(b"a,b\n1,2\n", format="salesforce-csv", file="some.csv")

    assert (other["state"], "another format" in other["problem"]) == ("refused", True)
    assert folder["problem"].startswith("some.csv: not a Salesforce export")
    assert str(tmp_path) not in folder["problem"]


def test_rejects_are_listed_by_page(door: Importing) -> None:
    told = door.imported(lines("a", bad=120))
    first = door.client.get(f"/v1/imports/{told['import_id']}/rejects?limit=100").json()
    rest = door.client.get(f"/v1/imports/{told['import_id']}/rejects?after={first['next']}").json()

    report = told["report"]
    assert (len(report["rejects"]), report["rejects_total"]) == (100, 120)
    assert report["rejects"][0] == {
        "file": "lines.ndjson",
        "row": 2,
        "reason": first["rejects"][0]["reason"],
    }
    assert [one["row"] for one in first["rejects"] + rest["rejects"]] == list(range(2, 122))
    assert rest["next"] is None


def test_imports_are_listed_the_latest_first(door: Importing) -> None:
    sent = [door.send(lines(name)).json()["import_id"] for name in "abc"]
    first = door.client.get("/v1/imports?limit=2").json()
    rest = door.client.get(f"/v1/imports?before={first['next']}").json()

    listed = [one["import_id"] for one in first["imports"] + rest["imports"]]
    assert listed[:3] == sent[::-1]
    assert rest["next"] is None


@pytest.mark.parametrize(
    ("status", "change"),
    [
        (413, {"content": bytes(MOST + 1)}),
        (413, {"content": (bytes(1 << 16) for _ in range(17))}),
        (415, {"content_type": "multipart/form-data; boundary=x"}),
        (422, {"content": b""}),
        (422, {"file": "../x"}),
        (422, {"file": ".."}),
        (422, {"format": "docx"}),
        (422, {"profile": "../maven"}),
        (422, {"surprise": "1"}),
    ],
)
def test_a_bad_upload_is_refused_at_once(
    status: int, change: dict[str, Any], door: Importing
) -> None:
    body = change.pop("content", b"x")
    headers = {
        "Content-Type": change.pop("content_type", "application/octet-stream"),
        "Idempotency-Key": "k",
    }
    asked = {"format": "ndjson", "file": "a.ndjson"} | change

    before = door.client.get("/v1/imports").json()["imports"]
    answer = door.client.post("/v1/imports", params=asked, content=body, headers=headers)

    assert answer.status_code == status, answer.text
    assert not door.uploads.folder.exists() or door.left() == []
    assert door.client.get("/v1/imports").json()["imports"] == before


def test_so_many_wait_and_no_more(door: Importing) -> None:
    for number in range(MAX_WAITING):
        assert door.send(lines(f"d{number}")).status_code == 202
    refused = door.send(lines("x"))

    assert (refused.status_code, refused.json()["code"]) == (503, "too_many_at_once")


def test_a_waiting_import_is_cancelled_and_an_ended_one_stays(door: Importing) -> None:
    before = head(door)
    waiting = door.send(lines("a")).json()["import_id"]
    cancelled = door.client.post(f"/v1/imports/{waiting}/cancel").json()
    done = door.imported(lines("b"))
    again = door.client.post(f"/v1/imports/{done['import_id']}/cancel").json()

    assert cancelled["state"] == "cancelled"
    assert (again["state"], again["cancelling"]) == ("done", False)
    assert (head(door), door.left()) == (before + 1, [])
    for path in ("", "/rejects"):
        assert door.client.get(f"/v1/imports/{uuid4()}{path}").status_code == 404


class Passed:
    """A deadline that has passed, so that every beat tells."""

    @classmethod
    def after(cls, _: float) -> "Passed":
        return cls()

    def passed(self) -> bool:
        return True


def test_a_running_import_tells_how_far_it_is_and_can_be_cancelled(
    door: Importing, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = head(door)
    monkeypatch.setattr(import_job, "Deadline", Passed)
    body = lines(*(f"d{number}" for number in range(2000)))
    sent = door.send(body).json()["import_id"]
    seen: list[Any] = []
    told = import_job.ImportJob._take

    def watched(job: Any, step: Any, count: int) -> None:
        told(job, step, count)
        seen.append(door.one(sent)["progress"])
        if step == "appended":
            door.client.post(f"/v1/imports/{sent}/cancel")

    monkeypatch.setattr(import_job.ImportJob, "_take", watched)
    door.run()

    ended = door.one(sent)
    assert [one["rows_read"] for one in seen] == sorted(one["rows_read"] for one in seen)
    assert {one["step"] for one in seen} == {"reading", "appending"}
    assert 0 < seen[0]["bytes_read"] <= seen[0]["bytes_to_read"] == len(body)
    assert (ended["state"], ended["report"]) == ("cancelled", None)
    assert 0 < ended["progress"]["events_made"] == head(door) - before < 2000
    assert door.left() == []
    monkeypatch.undo()
    assert door.imported(body)["report"]["rejects"] == []
    assert head(door) == before + 2000


class Killed(BaseException):
    """The end of a process that had no time for a word."""


def kill_after(appended: int, monkeypatch: pytest.MonkeyPatch) -> None:
    told = import_job.ImportJob._take

    def killed(job: Any, step: Any, count: int) -> None:
        told(job, step, count)
        if job._appended >= appended:
            raise Killed

    monkeypatch.setattr(import_job.ImportJob, "_take", killed)


@pytest.mark.parametrize("founding", [False, True])
def test_an_import_that_was_killed_goes_on_and_its_report_is_of_all_of_it(
    empty_door: Importing, monkeypatch: pytest.MonkeyPatch, *, founding: bool
) -> None:
    door = empty_door
    body = lines(*(f"d{number}" for number in range(2000)), bad=1)
    sent = door.send(body, founding=founding).json()["import_id"]
    with monkeypatch.context() as patch:
        kill_after(1, patch)
        with pytest.raises(Killed):
            door.run()
    made = head(door)
    assert made == 2000 if founding else 0 < made < 2000
    assert door.one(sent)["state"] == "running"

    door.run()

    done = door.one(sent)
    assert (done["state"], done["attempts"], done["problem"]) == ("done", 2, None)
    report = done["report"]
    assert (report["events_made"], report["deals"], report["duplicates"]) == (2000, 2000, 0)
    assert (report["rejects_total"], head(door)) == (1, 2000)
    assert door.left() == []


def test_an_import_that_always_ends_without_a_word_is_given_up(
    door: Importing, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = door.send(lines("a")).json()["import_id"]
    kill_after(0, monkeypatch)
    for _ in range(MAX_ATTEMPTS):
        with pytest.raises(Killed):
            door.run()
    door.run()

    assert door.one(sent)["state"] == "failed"
    assert door.left() == []


def test_an_import_that_is_stopped_waits_and_has_not_been_tried(door: Importing) -> None:
    sent = door.send(lines("a")).json()["import_id"]

    class Stopping(Flag):
        """Set from the second time on that anybody looks."""

        def is_set(self) -> bool:
            before = super().is_set()
            self.set()
            return before

    with pytest.raises(import_job.ImportStoppedError):
        door.runner()._run(UUID(sent), counts=True, stop=Stopping())

    waiting = door.one(sent)
    assert (waiting["state"], waiting["attempts"]) == ("waiting", 0)
    door.run()
    assert door.one(sent)["report"]["events_made"] == 1


def test_a_database_that_is_away_is_waited_for_and_is_no_attempt(
    door: Importing, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = door.send(lines("a")).json()["import_id"]
    away = iter([True, True, False])
    run = run_import

    def lost(*args: Any, **more: Any) -> Any:
        if next(away):
            raise LogUnavailableError("away")
        return run(*args, **more)

    monkeypatch.setattr(import_job, "run_import", lost)
    monkeypatch.setattr("api.import_runner._RETRY_SECONDS", 0)
    door.run()

    done = door.one(sent)
    assert (done["state"], done["attempts"], done["report"]["events_made"]) == ("done", 1, 1)


def test_a_fault_of_ours_ends_one_import_and_no_other(
    door: Importing, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = [door.send(lines(name)).json()["import_id"] for name in "ab"]
    faults = iter([True, False])
    run = run_import

    def faulty(*args: Any, **more: Any) -> Any:
        if next(faults):
            raise ZeroDivisionError
        return run(*args, **more)

    monkeypatch.setattr(import_job, "run_import", faulty)
    door.run()

    assert [door.one(one)["state"] for one in sent] == ["failed", "done"]


def test_an_upload_that_broke_off_is_swept_away_later(door: Importing) -> None:
    door.imported(lines("a"))
    young, old = (door.uploads.folder / str(uuid4()) for _ in range(2))
    for path in (young, old):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))

    door.run()

    assert door.left() == [young.name]
