"""Imports from files to the log: whole, twice, dry, founding, and broken."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from api.exchange.importing import Format, LedgerContext, reader_for, run_import
from api.exchange.lines import ExportRefusedError, ImportReport
from api.exchange.profile import Profile
from api.storage.errors import LedgerNotEmptyError
from api.storage.event_store import EventStore
from domain.deal import replay
from domain.events.base import type_name
from domain.events.honesty import EventAmended
from domain.events.life import DealWon
from domain.replay import view
from tests.support.exports import Rows, rewritten, weekly_export

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


def imported(
    store: EventStore,
    name: Format,
    path: Path,
    *,
    profile: Profile | None = None,
    founding: bool = False,
    dry_run: bool = False,
) -> ImportReport:
    reader = reader_for(name, [path], profile=profile, known=LedgerContext(store))
    return run_import(store, reader, now=NOW, founding=founding, dry_run=dry_run)


def log_of(store: EventStore) -> list[Any]:
    return [event for batch in store.log() for event in batch]


def told(store: EventStore) -> Counter[str]:
    return Counter(type_name(type(event.data)) for event in log_of(store))


@pytest.mark.parametrize("founding", [True, False])
def test_an_export_imported_twice_changes_nothing(
    *, founding: bool, store: EventStore, shared_data: Path
) -> None:
    export = weekly_export(shared_data)
    first = imported(store, "salesforce-csv", export, founding=founding)
    before = log_of(store)

    second = imported(store, "salesforce-csv", export)

    assert (first.rows_read, first.events_made, first.deals, first.rejects) == (218, 132, 15, ())
    assert (second.events_made, second.duplicates, second.rejects) == (0, 132, ())
    assert log_of(store) == before
    assert {event.clock for event in before} == {"source" if founding else "server"}
    assert {event.channel for event in before} == {"import"}


def test_a_founding_import_keeps_the_recording_times_of_the_source(
    store: EventStore, shared_data: Path
) -> None:
    imported(store, "salesforce-csv", weekly_export(shared_data), founding=True)

    events = log_of(store)
    assert [event.recorded_at for event in events] == sorted(e.recorded_at for e in events)
    assert [event.position for event in events] == list(range(1, 133))
    (win,) = [
        e
        for e in events
        if isinstance(e.data, DealWon)
        and e.data.closed_on.month == 12
        and e.data.closed_on.day == 31
    ]
    assert win.occurred_at == win.recorded_at == datetime(2025, 1, 1, 0, 40, tzinfo=UTC)


def test_every_imported_deal_replays_to_its_last_state(
    store: EventStore, shared_data: Path
) -> None:
    imported(store, "salesforce-csv", weekly_export(shared_data), founding=True)

    streams = {event.stream_id for event in log_of(store) if event.stream_id.startswith("deal:")}
    ended = Counter(deal.closed for stream in streams if (deal := replay(store.stream(stream))))
    assert ended == {"won": 10, "lost": 2, None: 3}


def test_a_dry_run_reports_the_same_and_writes_nothing(
    store: EventStore, shared_data: Path
) -> None:
    export = weekly_export(shared_data)

    dry = imported(store, "salesforce-csv", export, dry_run=True)
    assert store.head().position == 0
    real = imported(store, "salesforce-csv", export)

    assert dry.to_json() | {"dry_run": False} == real.to_json()


def test_a_later_export_adds_what_is_new(
    store: EventStore, shared_data: Path, tmp_path: Path
) -> None:
    def earlier(name: str, rows: Rows) -> Rows:
        """The export as it was before the win of 31 December was recorded."""
        if name in ("OpportunityHistory", "OpportunityFieldHistory"):
            return [row for row in rows if row["CreatedDate"] < "2025-01-01"]
        return rows

    imported(
        store, "salesforce-csv", rewritten(weekly_export(shared_data), tmp_path / "early", earlier)
    )
    assert told(store)["deal_won"] == 8

    report = imported(store, "salesforce-csv", weekly_export(shared_data))

    assert report.rejects == ()
    assert told(store)["deal_won"] == 10


def test_a_changed_quota_is_revised_and_a_changed_process_is_another_version(
    store: EventStore, shared_data: Path, tmp_path: Path
) -> None:
    def changed(name: str, rows: Rows) -> Rows:
        if name == "ForecastingQuota":
            rows[1] = rows[1] | {"QuotaAmount": "310000"}
        if name == "OpportunityStage":
            rows[2] = rows[2] | {"MasterLabel": "Fit check"}
        return rows

    export = weekly_export(shared_data)
    imported(store, "salesforce-csv", export)

    report = imported(store, "salesforce-csv", rewritten(export, tmp_path / "changed", changed))

    assert (report.events_made, report.rejects) == (2, ())
    quota = store.stream("quota:0055g0000000TIuAAM:FY2024Q4")
    assert [type_name(type(event.data)) for event in quota] == ["quota_assigned", "quota_revised"]
    versions = [event.data.version for event in store.stream("process:salesforce")]  # type: ignore[attr-defined]  # process_published
    assert versions == [1, 2]


def test_a_win_that_was_changed_is_amended_in_the_log(
    store: EventStore, shared_data: Path, tmp_path: Path
) -> None:
    def cheaper(name: str, rows: Rows) -> Rows:
        if name != "OpportunityHistory":
            return rows
        last = next(row for row in rows if row["Id"] == "0085g0000000dbXAAQ")
        extra = {"Id": "0085g0000009999AAA", "CreatedDate": "2024-11-20 10:00:00"}
        return [*rows, last | extra | {"Amount": "55000"}]

    export = rewritten(weekly_export(shared_data), tmp_path / "d", cheaper)
    imported(store, "salesforce-csv", export, founding=True)
    again = imported(store, "salesforce-csv", export)

    (amendment,) = [e for e in log_of(store) if isinstance(e.data, EventAmended)]
    seen = view(store.stream(amendment.stream_id))
    (win,) = [event.data for event in seen if isinstance(event.data, DealWon)]
    assert str(win.net.amount) == "55000"
    assert (again.events_made, again.rejects) == (0, ())


def test_a_founding_import_needs_an_empty_ledger(store: EventStore, shared_data: Path) -> None:
    export = weekly_export(shared_data)
    imported(store, "salesforce-csv", export)

    with pytest.raises(LedgerNotEmptyError):
        imported(store, "salesforce-csv", export, founding=True)


def lines(tmp_path: Path, *given: dict[str, Any]) -> Path:
    path = tmp_path / "lines.ndjson"
    path.write_text("".join(json.dumps(one) + "\n" for one in given))
    return path


def line(external_id: str, kind: str, data: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "stream": "deal:D1",
        "external_id": external_id,
        "type": kind,
        "occurred_at": "2025-01-08T00:00:00Z",
        "actor": "ana",
        "data": data,
    } | more


OPENED = line(
    "o", "deal_opened", {"name": "N", "account": {"id": "a", "name": "A"}, "owner": "ana"}
)


def test_bad_lines_are_rejected_with_their_field_and_the_rest_is_kept(
    store: EventStore, tmp_path: Path
) -> None:
    path = lines(
        tmp_path,
        OPENED,
        line("m", "stage_entered", {}),
        line("t", "activity_ticked", {"activity": 7}),
        line("x", "discount_offered", {"percent": "10", "because": "x"}),
        line("f", "note_added", {"text": "later"}, occurred_at="2031-01-01T00:00:00Z"),
        line("c", "note_added", {"text": "why"}, caused_by="nobody"),
        line("r", "event_retracted", {"event_id": "nobody", "reason": "wrong"}),
        line("n", "note_added", {"text": "kept"}, caused_by="o"),
    )

    report = imported(store, "ndjson", path)

    reasons = {one.row: one.reason for one in report.rejects}
    assert reasons.keys() == {2, 3, 4, 5, 6, 7}
    assert reasons[2].startswith("data.stage: Field required")
    assert reasons[3].startswith("data.activity: ")
    assert reasons[4].startswith("data.because: ")
    assert "future" in reasons[5]
    assert "nobody" in reasons[6]
    assert "nobody" in reasons[7]
    opened, note = log_of(store)
    assert note.caused_by == opened.event_id


@pytest.mark.parametrize("founding", [True, False])
def test_nothing_is_told_of_a_deal_whose_opening_is_a_reject(
    *, founding: bool, store: EventStore, tmp_path: Path
) -> None:
    unnamed = OPENED | {"data": {"account": {"id": "a", "name": "A"}, "owner": "ana"}}
    note = line("n", "note_added", {"text": "one"}, occurred_at="2025-01-09T00:00:00Z")
    other = OPENED | {"external_id": "p", "stream": "deal:D2"}

    bad = imported(store, "ndjson", lines(tmp_path, unnamed, note, other), founding=founding)
    mended = imported(store, "ndjson", lines(tmp_path, OPENED, note, other))
    later = imported(store, "ndjson", lines(tmp_path, note | {"external_id": "m"}))

    assert (bad.events_made, bad.deals) == (1, 1)
    assert [(one.row, one.reason) for one in bad.rejects] == [
        (1, "data.name: Field required"),
        (2, "the deal D1 is opened by no line of this import, nor in the log"),
    ]
    assert (mended.events_made, mended.rejects) == (2, ())
    assert (later.events_made, later.rejects) == (1, ())


def test_nothing_is_told_of_a_deal_whose_opening_has_an_unknown_cause(
    store: EventStore, tmp_path: Path
) -> None:
    caused, note = OPENED | {"caused_by": "nobody"}, line("n", "note_added", {"text": "one"})
    other = OPENED | {"external_id": "p", "stream": "deal:D2"}
    since = note | {"external_id": "m", "stream": "deal:D2", "caused_by": "n"}
    report = imported(store, "ndjson", lines(tmp_path, caused, caused, note, other, since))
    assert (report.events_made, [one.row for one in report.rejects]) == (1, [1, 3, 5])


def test_a_line_that_says_something_else_now_is_a_changed_reject(
    store: EventStore, tmp_path: Path
) -> None:
    imported(store, "ndjson", lines(tmp_path, OPENED, line("n", "note_added", {"text": "one"})))

    report = imported(
        store, "ndjson", lines(tmp_path, OPENED, line("n", "note_added", {"text": "two"}))
    )

    assert report.duplicates == 1
    assert "changed" in report.rejects[0].reason


def test_a_correction_names_its_event_by_the_id_of_the_source(
    store: EventStore, tmp_path: Path
) -> None:
    path = lines(
        tmp_path,
        line(
            "r",
            "event_retracted",
            {"event_id": "n", "reason": "not said"},
            occurred_at="2025-01-09T00:00:00Z",
        ),
        OPENED,
        line("n", "note_added", {"text": "wrong"}),
    )

    first = imported(store, "ndjson", path)
    again = imported(store, "ndjson", path)

    assert (first.events_made, first.rejects) == (3, ())
    assert (again.events_made, again.duplicates) == (0, 3)
    stream = store.stream(log_of(store)[0].stream_id)
    assert [type_name(type(event.data)) for event in view(stream)] == ["deal_opened"]


@pytest.mark.parametrize("founding", [True, False])
def test_a_refused_file_leaves_nothing(
    *, founding: bool, store: EventStore, tmp_path: Path
) -> None:
    path = lines(tmp_path, OPENED)
    path.write_text(path.read_text() + '{"stream": "deal:D2", "ty')

    with pytest.raises(ExportRefusedError, match="row 2: cut short"):
        imported(store, "ndjson", path, founding=founding)

    assert store.head().position == 0


def test_context_by_which_nothing_could_be_computed_is_rejected(
    store: EventStore, tmp_path: Path
) -> None:
    calendar = {"zone": "Mars/North", "kind": "months", "parameters": {"start_month": 1}}
    months = calendar | {"zone": "UTC", "parameters": {"first": 1}}
    since = {"effective_from": "2025-01-01"}
    process = {
        "version": 1,
        "name": "Ours",
        "stages": [
            {"id": name, "name": name, "goal": "g", "activities": []} for name in ("a", "w", "l")
        ],
        "closing": {"won": "w", "lost": "l"},
    }
    path = lines(
        tmp_path,
        line("c1", "calendar_adopted", calendar | since, stream="calendar"),
        line("c2", "calendar_adopted", months | since, stream="calendar"),
        line("p1", "process_published", process, stream="process:ours"),
        line("p2", "process_published", process | {"name": "Theirs"}, stream="process:ours"),
        line("n1", "policy_published", {"version": 2, "numbers": {"luck": 7}}, stream="policy"),
    )

    report = imported(store, "ndjson", path)
    again = imported(store, "ndjson", path)

    reasons = {one.row: one.reason for one in report.rejects}
    assert reasons.keys() == {1, 2, 4, 5}
    assert reasons[1].startswith("data.zone: ")
    assert reasons[2].startswith("data.parameters.")
    assert reasons[4].startswith("data.version: 1 is published already")
    assert "luck" in reasons[5]
    assert report.events_made == 1
    assert (again.events_made, again.duplicates) == (0, 1)


def test_an_amendment_holds_a_payload_of_the_event_that_it_amends(
    store: EventStore, tmp_path: Path
) -> None:
    def amended(external_id: str, text: object) -> dict[str, Any]:
        data = {"event_id": "n", "data": {"text": text}, "reason": "said otherwise"}
        return line(external_id, "event_amended", data)

    path = lines(
        tmp_path,
        amended("a", 7),
        amended("b", "two"),
        OPENED,
        line("n", "note_added", {"text": "one"}),
    )

    report = imported(store, "ndjson", path)

    (reject,) = report.rejects
    assert (reject.row, reject.reason[:15]) == (1, "data.data.text:")
    assert report.events_made == 3


def test_an_opening_cannot_be_retracted_nor_a_correction_amended(
    store: EventStore, tmp_path: Path
) -> None:
    gone = {"event_id": "o", "reason": "gone"}
    other = {"event_id": "x", "data": {}, "reason": "other"}
    path = lines(
        tmp_path,
        line("r", "event_retracted", gone),
        OPENED,
        line("n", "note_added", {"text": "one"}),
        line("x", "event_retracted", {"event_id": "n", "reason": "not so"}),
        line("y", "event_amended", other),
    )

    report = imported(store, "ndjson", path)

    reasons = {one.row: one.reason for one in report.rejects}
    assert reasons == {
        1: "data.event_id: deal_opened cannot be retracted",
        5: "data.event_id: event_retracted cannot be amended; retract it",
    }
