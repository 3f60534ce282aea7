"""Imports over HTTP: sent in, watched, listed, and refused."""

import gzip
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from api.imports import MAX_WAITING
from tests.support.exports import OPEN_DEALS, PACK, weekly_export
from tests.support.uploads import MOST, Importing, head, lines, zip_of


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
    assert (known["declared"], known["profile"]) == (profile, None)
    assert "two profiles" in both["problem"]
    assert "an alias, which is not read" in broken["problem"]
    assert unknown["state"] == "refused"
    assert "shipped ones are: maven" in unknown["problem"]
    assert (unknown["declared"], unknown["profile"]) == (None, "nobody")
    assert str(tmp_path) not in broken["problem"]


def test_open_deals_that_nothing_dates_are_there_before_the_import(
    door: Importing, tmp_path: Path
) -> None:
    (tmp_path / "deals.csv").write_text(OPEN_DEALS["deals.csv"])

    told = door.imported(
        zip_of(tmp_path, profile=OPEN_DEALS["profile.yaml"]), format="csv", file="d.zip"
    )

    assert (told["problem"], told["report"]["rejects"], told["report"]["deals"]) == (None, [], 2)


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
