"""What an export holds and somebody went on with by hand, in whatever order and parts it comes."""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest

from api.bootstrap import Ledger
from api.exchange.importing import LedgerContext, reader_for, run_import
from api.exchange.lines import ImportReport
from api.exchange.profile import Profile
from tests.support.ledgers import NOW, SCHEMA, ledger_on
from tests.support.postgres import PostgresServer
from tests.support.round_trips import brought, exported

Told: TypeAlias = Mapping[str, Any]

EARLIER: Final = NOW - timedelta(days=30)
"""When the ledger that the export is from was told: its ids begin with another time."""


def told(
    deal: str, told_as: str, kind: str, day: int, *, cause: str | None = None, **data: Any
) -> Told:
    line = {"stream": f"deal:{deal}", "external_id": told_as, "type": kind, "actor": "ann"}
    cause_of = {"caused_by": cause} if cause else {}
    return line | {"occurred_at": f"2025-01-{day:02}T09:00:00Z", "data": data} | cause_of


def opened(deal: str) -> Told:
    account = {"id": "a-1", "name": "Acme"}
    return told(deal, f"{deal}:o", "deal_opened", 5, name="Plant", account=account, owner="ann")


def amended(deal: str, name: str, event: str, *, cause: str | None = None) -> Told:
    said = {"event_id": event, "reason": "It was another", "data": {"stage": "scoping"}}
    return told(deal, name, "event_amended", 9, cause=cause, **said)


KEPT: Final = [
    opened("A"),
    told("A", "A:s", "stage_entered", 6, stage="discovery"),
    opened("B"),
    told("B", "B:s", "stage_entered", 7, stage="discovery"),
]
GOES_ON: Final = told("A", "A:more", "stage_entered", 8, cause="A:s", stage="proposal")
EARLY: Final = told("A", "A:early", "stage_entered", 2, stage="discovery")
NOWHERE: Final = told("C", "C:s", "stage_entered", 8, stage="discovery")


def take(
    ledger: Ledger,
    folder: Path,
    lines: Sequence[Told],
    *,
    now: datetime = NOW,
    source: str | None = None,
) -> ImportReport:
    path = folder / "lines.ndjson"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    known = LedgerContext(ledger.store)
    reader = reader_for("ndjson", [path], profile=Profile(source=source), known=known)
    return run_import(ledger.store, reader, now=now)


def rows(ledger: Ledger) -> list[dict[str, Any]]:
    return [json.loads(line) for line in exported(ledger, "ndjson").splitlines()]


def names(ledger: Ledger) -> list[str]:
    return sorted(row["external_id"] for row in rows(ledger))


def sources(ledger: Ledger) -> dict[str, Told]:
    return {row["event_id"]: row["source"] for row in rows(ledger)}


@pytest.fixture
def ledger(database: str) -> Iterator[Ledger]:
    with ledger_on(database) as opened_ledger:
        yield opened_ledger


@pytest.fixture
def export(postgres_server: PostgresServer, tmp_path: Path) -> list[Told]:
    """What another ledger exported."""
    with postgres_server.ledger(SCHEMA) as other, ledger_on(other) as origin:
        take(origin, tmp_path, KEPT, now=EARLIER)
        return list(rows(origin))


def found(kept: list[Told], known: str) -> list[Told]:
    """Of an export, what the ledger has already."""
    return {"nothing": [], "a part": kept[:3], "all": kept}[known]


@pytest.mark.parametrize("known", ["nothing", "a part", "all"])
@pytest.mark.parametrize("seed", range(3))
def test_what_was_written_after_an_export_is_read_as_if_it_stood_alone(
    *, known: str, seed: int, ledger: Ledger, export: list[Told], tmp_path: Path
) -> None:
    take(ledger, tmp_path, found(export, known))
    lines = [*export, GOES_ON, EARLY, NOWHERE]
    random.Random(seed).shuffle(lines)

    report = take(ledger, tmp_path, lines)

    assert {lines[one.row - 1]["external_id"]: one.reason for one in report.rejects} == {
        "A:early": "occurred_at: 2025-01-02T09:00:00Z lies before the deal was opened, on "
        "2025-01-05T09:00:00Z",
        "C:s": "the deal C is opened by no line of this import, nor in the log",
    }
    assert names(ledger) == ["A:more", "A:o", "A:s", "B:o", "B:s"]


def test_a_part_of_a_log_is_gone_on_with_as_that_part(
    ledger: Ledger, export: list[Told], tmp_path: Path
) -> None:
    part = [line for line in export if line["external_id"] == "A:s"]

    report = take(ledger, tmp_path, [*part, GOES_ON, NOWHERE])

    assert [one.row for one in report.rejects] == [3]
    assert names(ledger) == ["A:more", "A:s"]


@pytest.mark.parametrize("known", ["nothing", "a part", "all"])
def test_a_correction_written_by_hand_finds_what_a_ledger_exported(
    known: str, ledger: Ledger, export: list[Told], tmp_path: Path
) -> None:
    """The event has the id that it had there, and says itself what it corrects, and no cause."""
    take(ledger, tmp_path, found(export, known))

    report = take(ledger, tmp_path, [amended("A", "A:amended", "A:s"), *export])

    assert report.rejects == ()
    ids = {row["external_id"]: row["event_id"] for row in rows(ledger)}
    (correction,) = [row for row in rows(ledger) if row["type"] == "event_amended"]
    assert correction["data"]["event_id"] == ids["A:s"]
    assert "caused_by" not in correction


WRONG: Final[dict[str, Told]] = {
    "nothing, with a cause": amended("A", "x", "gone", cause="A:s"),
    "nothing": amended("A", "x", "gone"),
    "an event of another deal": amended("A", "x", "B:s"),
    "a line that is a reject": amended("A", "x", "A:early"),
    "no evidence": told("A", "x", "evidence_withdrawn", 9, cause="A:s", event_id="gone"),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=list(WRONG))
@pytest.mark.parametrize("known", [True, False])
def test_a_line_about_no_event_of_its_deal_is_a_reject(
    *, wrong: Told, known: bool, ledger: Ledger, tmp_path: Path
) -> None:
    if known:
        take(ledger, tmp_path, KEPT)

    report = take(ledger, tmp_path, [wrong, EARLY, *KEPT])

    assert [one.row for one in report.rejects] == [1, 2]
    assert report.rejects[0].reason.startswith("data.event_id: ")
    assert "neither a line of this import nor" in report.rejects[0].reason
    assert names(ledger) == ["A:o", "A:s", "B:o", "B:s"]


def test_deals_of_another_source_are_gone_on_with_under_its_name(
    ledger: Ledger, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    with postgres_server.ledger(SCHEMA) as other, ledger_on(other) as origin:
        take(origin, tmp_path, KEPT, now=EARLIER, source="crm")
        kept = rows(origin)

    report = take(ledger, tmp_path, [GOES_ON, *kept], source="crm")

    assert report.rejects == ()
    (more,) = [row for row in rows(ledger) if row["external_id"] == "A:more"]
    (stage,) = [row for row in rows(ledger) if row["external_id"] == "A:s"]
    assert (more["stream_id"], more["caused_by"]) == (stage["stream_id"], stage["event_id"])
    assert stage["source"] == kept[0]["source"] != more["source"]


def test_an_export_that_is_read_under_its_own_source_keeps_the_file_that_told_it(
    ledger: Ledger, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    with postgres_server.ledger(SCHEMA) as other, ledger_on(other) as origin:
        take(origin, tmp_path, KEPT, source="cloudevents")
        content, told_there = exported(origin, "cloudevents"), sources(origin)

    brought(ledger, tmp_path, content, "cloudevents")

    assert sources(ledger) == told_there
