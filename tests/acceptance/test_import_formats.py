"""Every format from its files to the log: twice, dry, founding, a newer export, and cut short."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from api.exchange.importing import Format, LedgerContext, reader_for, run_import
from api.exchange.lines import ExportRefusedError, ImportReport
from api.exchange.profile import Profile, profile_from
from api.storage.event_store import EventStore
from domain.deal import replay
from domain.events.base import type_name
from tests.support.exports import PACK, rewritten_json
from tests.support.reference import FISCAL, log_profile

PROFILE = profile_from({"calendar": FISCAL}, name="test")
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    """One format of the reference pack and what its import comes to."""

    format: Format
    path: str
    rows: int
    events: int
    profile: Profile | None = None
    earlier: Callable[[str, Any], Any] | None = None
    """What a file of a folder held before the wins of 2025, and under another name of a deal."""
    cut: str | None = None
    """The file of a folder that is cut short."""


def _before(records: Any, key: str) -> list[Any]:
    return [one for one in records if one[key] < "2025"]


def earlier_results(name: str, content: Any) -> Any:
    if name in ("OpportunityHistory", "OpportunityFieldHistory"):
        records = _before(content["records"], "CreatedDate")
        return content | {"records": records, "totalSize": len(records)}
    if name == "Opportunity":
        content["records"][0]["Name"] = "As it was called"
    return content


def earlier_deals(name: str, content: Any) -> Any:
    for deal in content["results"] if name == "deals" else ():
        histories = deal["propertiesWithHistory"]
        for key, versions in histories.items():
            histories[key] = _before(versions, "timestamp")
            if histories[key]:
                deal["properties"][key] = histories[key][0]["value"]
    return content


def earlier_flow(name: str, content: Any) -> Any:
    if name == "deal_flow_v1":
        for pages in content.values():
            pages[0]["data"] = _before(pages[0]["data"], "timestamp")
    for deal in content["data"] if name == "deals_v2" else ():
        if (deal["won_time"] or "") >= "2025":
            deal |= {"won_time": None, "status": "open", "title": "As it was called"}
    return content


CASES = [
    Case(
        "salesforce-rest",
        "salesforce_rest_query",
        218,
        132,
        earlier=earlier_results,
        cut="OpportunityHistory.json",
    ),
    Case(
        "hubspot",
        "hubspot_v3",
        rows=25,
        events=117,
        profile=PROFILE,
        earlier=earlier_deals,
        cut="deals.json",
    ),
    Case(
        "pipedrive",
        "pipedrive",
        rows=124,
        events=112,
        profile=PROFILE,
        earlier=earlier_flow,
        cut="deal_flow_v1.json",
    ),
    Case(
        "cloudevents",
        "cloudevents/batch.json",
        rows=98,
        events=129,
        profile=log_profile(lambda kind: f"com.example.opportunity.{kind.replace('_', '-')}.v1"),
    ),
    Case(
        "xes",
        "xes/deals.xes",
        rows=98,
        events=129,
        profile=log_profile(prefix="deal:", event_name="deal:kind"),
    ),
    Case("ocel2", "ocel2/deals.ocel2.json", rows=122, events=129, profile=log_profile()),
    Case("ocel2", "ocel2/deals.ocel2.sqlite", rows=122, events=129, profile=log_profile()),
]


def named(case: Case) -> str:
    return f"{case.format}-{Path(case.path).suffix.lstrip('.') or 'folder'}"


@pytest.fixture(params=CASES, ids=named)
def case(request: pytest.FixtureRequest) -> Case:
    given: Case = request.param
    return given


def imported(
    store: EventStore, case: Case, path: Path, *, founding: bool = False, dry_run: bool = False
) -> ImportReport:
    known = LedgerContext(store)
    reader = reader_for(case.format, [path], profile=case.profile, known=known)
    return run_import(store, reader, now=NOW, founding=founding, dry_run=dry_run)


def log_of(store: EventStore) -> list[Any]:
    return [event for batch in store.log() for event in batch]


@pytest.mark.parametrize("founding", [True, False])
def test_an_import_counts_every_row_and_again_changes_nothing(
    *, founding: bool, case: Case, store: EventStore, shared_data: Path
) -> None:
    path = shared_data / PACK / case.path
    dry = imported(store, case, path, founding=founding, dry_run=True)
    assert store.head().position == 0

    first = imported(store, case, path, founding=founding)
    before = log_of(store)
    again = imported(store, case, path)

    assert (first.rows_read, first.events_made, first.rejects) == (case.rows, case.events, ())
    assert dry.to_json() | {"dry_run": False} == first.to_json()
    assert (again.events_made, again.duplicates, again.rejects) == (0, case.events, ())
    assert log_of(store) == before
    assert {event.clock for event in before} == {"source" if founding else "server"}
    streams = {event.stream_id for event in before if event.stream_id.startswith("deal:")}
    assert len([stream for stream in streams if replay(store.stream(stream))]) == 15


@pytest.mark.parametrize("case", [one for one in CASES if one.earlier], ids=named, indirect=True)
def test_a_newer_export_adds_what_is_new(
    case: Case, store: EventStore, shared_data: Path, tmp_path: Path
) -> None:
    whole = shared_data / PACK / case.path
    assert case.earlier is not None
    imported(store, case, rewritten_json(whole, tmp_path / "earlier", case.earlier))
    before = told(store)

    report = imported(store, case, whole)

    after = told(store)
    assert report.rejects == ()
    assert (before["deal_won"], after["deal_won"]) == (8, 10)
    assert after["deal_opened"] == 15
    # An export that ends before the deal's own record does has a gap there.
    assert sum((after - before).values()) + before.total() == case.events + before["history_gap"]


def told(store: EventStore) -> Counter[str]:
    return Counter(type_name(type(event.data)) for event in log_of(store))


def test_a_file_cut_short_leaves_nothing(
    case: Case, store: EventStore, shared_data: Path, tmp_path: Path
) -> None:
    source = shared_data / PACK / case.path
    files = sorted(source.iterdir()) if case.cut else [source]
    for file in files:
        content = file.read_bytes()
        cut = case.cut in (None, file.name)
        (tmp_path / file.name).write_bytes(content[: len(content) * 2 // 3] if cut else content)
    path = tmp_path if case.cut else tmp_path / source.name

    with pytest.raises(ExportRefusedError, match="cut short"):
        imported(store, case, path)

    assert store.head().position == 0


@pytest.mark.parametrize("subject", ["deal/a\u0000b", "deal/" + "x" * 600, "deal/a\u2028b"])
def test_an_id_that_no_name_can_be_is_a_reject_or_one_line(
    subject: str, store: EventStore, tmp_path: Path
) -> None:
    event = {"specversion": "1.0", "source": "/crm", "type": "note_added", "data": {"text": "x"}}
    times = {"time": "2025-01-01T00:00:00Z"}
    path = tmp_path / "batch.json"
    path.write_text(
        json.dumps(
            [
                event | times | {"id": "1", "subject": subject, "source": "/crm\u0000"},
                event | times | {"id": "2", "subject": "deal/D1"},
            ]
        )
    )
    case = Case("cloudevents", "", rows=2, events=2)

    report = imported(store, case, path)

    long = len(subject) > 500
    assert report.events_made == (2 if long else 4)
    assert {one.reason for one in report.rejects} == (
        {"stream: expected one line of at most 500 characters"} if long else set()
    )


@pytest.mark.parametrize("kind", ["event_amended", "event_retracted", "evidence_withdrawn"])
@pytest.mark.parametrize("named", ["a\u0000b", "a\ud800b"])
def test_an_event_that_no_name_can_be_of_makes_its_correction_a_reject(
    named: str, kind: str, store: EventStore, tmp_path: Path
) -> None:
    line = {"stream": "deal:D1", "external_id": "1", "type": kind, "actor": "ann"}
    data = {"event_id": named, "reason": "no such event"}
    path = tmp_path / "lines.ndjson"
    path.write_text(json.dumps(line | {"occurred_at": "2025-01-01T00:00:00Z", "data": data}) + "\n")

    report = imported(store, Case("ndjson", "", rows=1, events=0), path)

    assert [(one.row, one.reason.split(":")[0]) for one in report.rejects] == [(1, "data.event_id")]
