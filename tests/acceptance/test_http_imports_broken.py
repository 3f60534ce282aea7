"""Imports over HTTP that are cancelled, stopped, killed or find a fault."""

import io
import json
import os
import zipfile
from threading import Event as Flag
from typing import Any
from uuid import UUID, uuid4

import pytest

from api import import_job
from api.exchange.importing import run_import
from api.import_runner import MAX_ATTEMPTS
from api.storage.errors import LogUnavailableError
from tests.support.uploads import Importing, head, lines


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
    body = lines(*(f"d{number}" for number in range(3000)))
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
    assert 0 < ended["progress"]["events_made"] == head(door) - before < 3000
    assert door.left() == []
    monkeypatch.undo()
    assert door.imported(body)["report"]["rejects"] == []
    assert head(door) == before + 3000


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


def kept(body: bytes) -> bytes:
    """The lines as a ledger exports them that had them from another system."""
    told = [json.loads(line) for line in body.splitlines()]
    for number, one in enumerate(told):
        one |= {
            "event_id": f"01900000-0000-7000-9000-{number:012}",
            "stream_id": f"deal:01900000-0000-7000-9001-{number:012}",
            "source": {"system": "crm"},
        }
    return "".join(json.dumps(one) + "\n" for one in told).encode()


@pytest.mark.parametrize("founding", [False, True])
def test_the_report_of_a_killed_import_counts_what_keeps_another_source(
    empty_door: Importing, monkeypatch: pytest.MonkeyPatch, *, founding: bool
) -> None:
    door = empty_door
    body = kept(lines(*(f"d{number}" for number in range(1200))))
    sent = door.send(body, founding=founding).json()["import_id"]
    with monkeypatch.context() as patch:
        kill_after(1, patch)
        with pytest.raises(Killed):
            door.run()

    door.run()

    done = door.one(sent)
    assert (done["state"], done["attempts"], done["problem"]) == ("done", 2, None)
    report = done["report"]
    assert (report["events_made"], report["deals"], report["duplicates"]) == (1200, 1200, 0)
    assert head(door) == 1200


def test_what_a_founding_rejects_it_rejects_as_well_once_it_goes_on(
    empty_door: Importing, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = empty_door
    first, second = lines("a", "b").splitlines(keepends=True)
    told_before = json.dumps(json.loads(second) | {"recorded_at": "2025-01-07T00:00:00Z"})
    sent = door.send(first + told_before.encode() + b"\n", founding=True).json()["import_id"]
    with monkeypatch.context() as patch:
        kill_after(1, patch)
        with pytest.raises(Killed):
            door.run()

    door.run()

    report = door.one(sent)["report"]
    assert (report["events_made"], report["rejects_total"], head(door)) == (1, 1, 1)


def test_an_import_that_was_killed_goes_on_with_the_profile_among_its_files(
    door: Importing, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, profile = io.BytesIO(), "source: theirs\n"
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("profile.yaml", profile)
        archive.writestr("lines.ndjson", lines("a", "b"))
    sent = door.send(held.getvalue(), file="x.zip").json()["import_id"]
    with monkeypatch.context() as patch:
        kill_after(0, patch)
        with pytest.raises(Killed):
            door.run()
    begun = door.one(sent)

    door.run()

    done = door.one(sent)
    assert (begun["declared"], done["declared"]) == (profile, profile)
    assert (done["state"], done["problem"], done["report"]["events_made"]) == ("done", None, 2)
    (listed, *_) = door.client.get("/v1/imports").json()["imports"]
    assert listed["import_id"] == sent
    assert "declared" not in listed


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
