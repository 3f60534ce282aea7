"""What a ledger exports founds another one on the same facts, byte for byte, in every format."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from api.bootstrap import Ledger
from api.exchange.exporting import EXPORTS
from api.exchange.importing import LedgerContext, reader_for, run_import
from api.exchange.profile import Profile, profile_from
from api.moment import moment
from api.sample.company import lines as sample_lines
from api.storage.event_store import EventStore
from api.storage.requests import AppendRequest, NewEvent, new_event_id
from domain.events.base import DomainEvent
from domain.events.catalogue import TYPES_BY_NAME, parse
from domain.events.honesty import EventAmended, EventRetracted
from domain.events.progress import EvidenceWithdrawn
from domain.replay import Event
from tests.support.hostile_events import LINE, TEXT, payloads
from tests.support.ledgers import NOW, SCHEMA, filling, import_lines, ledger_on
from tests.support.postgres import PostgresServer
from tests.support.round_trips import brought, exported

ANN = "=Ann \u200f\U0001f469\u200d\U0001f680 <b>"
DEAL = UUID("01900000-0000-7000-9000-000000000001")


def some_of_the_sample() -> list[dict[str, object]]:
    """Give the context of the sample company and every 25th of its deals.

    They stand for all of it, which would be too slow.
    """
    lines = list(sample_lines(now=NOW))
    deals = [d for d in dict.fromkeys(str(one["stream"]) for one in lines) if d.startswith("deal:")]
    left_out = set(deals) - set(deals[::25])
    return [line for line in lines if line["stream"] not in left_out]


def fill(database: str) -> None:
    """Fill a ledger in every way there is: founded, told, corrected and imported."""
    filling(some_of_the_sample, founding=True)(database)
    with ledger_on(database) as ledger:
        tell_all(ledger.store)


def tell_all(store: EventStore) -> None:
    """Tell a deal everything, in hostile words, with causes and corrections."""
    said = [
        one
        for one in payloads([TEXT[:10_000], LINE[:500], LINE[:200].strip()])
        if one.TOPIC.startswith("deal.")
        and not isinstance(one, EventAmended | EventRetracted | EvidenceWithdrawn)
    ]
    note, evidence = (
        new("note_added", text=TEXT[:10_000]),
        new("outcome_evidenced", outcome=LINE[:200].strip(), level=3),
    )
    cause = new_event(note)
    proof = new_event(evidence)
    told = [
        cause,
        proof,
        *(new_event(one, by=cause if index % 3 else None) for index, one in enumerate(said)),
    ]
    corrections = [
        new("event_amended", event_id=str(cause.event_id), reason=LINE, data={"text": LINE}),
        new("event_retracted", event_id=str(told[9].event_id), reason=TEXT[:10_000]),
        new("evidence_withdrawn", event_id=str(proof.event_id)),
    ]
    told += [new_event(one, by=cause if place else None) for place, one in enumerate(corrections)]
    told += [new_event(new("note_added", text="after what corrects"))]
    append(store, f"deal:{DEAL}", told[:20])
    append(store, f"deal:{DEAL}", told[20:])


def new(name: str, **data: Any) -> DomainEvent:
    return parse(TYPES_BY_NAME[name], data)


def new_event(data: DomainEvent, *, by: NewEvent | None = None) -> NewEvent:
    return NewEvent(
        event_id=new_event_id(),
        data=data,
        occurred_at=datetime(2026, 10, 1, tzinfo=UTC),
        actor=ANN,
        on_behalf_of="@bob" if by else None,
        channel="ui" if by else "api",
        correlation_id="trace",
        caused_by=by.event_id if by else None,
    )


def append(store: EventStore, stream_id: str, events: list[NewEvent]) -> None:
    store.append_blocking(AppendRequest(stream_id=stream_id, events=tuple(events), caller="tests"))


@pytest.fixture(scope="module")
def company(postgres_server: PostgresServer) -> Iterator[Ledger]:
    with postgres_server.ledger(SCHEMA, filled_by=fill) as dsn, ledger_on(dsn) as ledger:
        yield ledger


def all_of(ledger: Ledger) -> list[Event]:
    return [event for batch in ledger.store.log() for event in batch]


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_founds_the_same_ledger(
    company: Ledger, database: str, tmp_path: Path, name: str
) -> None:
    with ledger_on(database) as other:
        report = brought(other, tmp_path, exported(company, name), name)

        assert (report.rejects, report.duplicates) == ((), 0)
        assert exported(other, "ndjson") == exported(company, "ndjson")
        ours, theirs = all_of(company), all_of(other)
    same = ("event_id", "stream_id", "version", "position", "occurred_at", "recorded_at", "actor")
    for each in (*same, "on_behalf_of", "caused_by", "data", "told_at", "bookkeeping_time"):
        assert [getattr(e, each) for e in theirs] == [getattr(e, each) for e in ours], each
    assert {e.channel for e in theirs} == {"import"}
    assert {e.clock for e in theirs} == {"source"}


def answers(ledger: Ledger) -> list[dict[str, object]]:
    """Give what is told of every deal, but for the day on which this is asked."""
    ledger.worker.catch_up()
    at = moment(ledger.store, as_of=None, effective_at="2026-11-26T00:00:00Z", now=NOW)
    found: list[dict[str, object]] = []
    for deal in sorted({e.stream_id for e in all_of(ledger) if e.stream_id.startswith("deal:")}):
        seen = ledger.questions.seen(UUID(deal.removeprefix("deal:")), at)
        found += [ledger.questions.progress(seen), ledger.questions.pressure(seen)]
    return found


def test_the_founded_ledger_judges_every_deal_as_the_first_one(
    company: Ledger, database: str, tmp_path: Path
) -> None:
    with ledger_on(database) as other:
        brought(other, tmp_path, exported(company, "parquet"), "parquet")

        ours, theirs = answers(company), answers(other)
    assert len(ours) > 10
    assert sum(bool(one.get("events")) for one in ours) > 5
    assert theirs == ours


def test_it_comes_back_to_its_own_ledger_as_what_that_knows(
    company: Ledger, tmp_path: Path
) -> None:
    count = company.store.head().position

    report = brought(company, tmp_path, exported(company, "ndjson"), "ndjson", founding=False)

    assert (report.rejects, report.events_made, report.duplicates) == ((), 0, count)
    assert company.store.head().position == count


def test_the_next_export_brings_what_is_new_to_the_same_deals(
    company: Ledger, database: str, tmp_path: Path
) -> None:
    upto = company.store.head().position
    with ledger_on(database) as other:
        brought(other, tmp_path, exported(company, "xes", upto=upto - 30), "xes")
        report = brought(
            other, tmp_path, exported(company, "csv", after=upto - 40), "csv", founding=False
        )

        assert (report.rejects, report.events_made, report.duplicates) == ((), 30, 10)
        ours = {event.event_id: event for event in all_of(company)}
        theirs = all_of(other)
        assert {e.event_id for e in theirs} == set(ours)
        assert {e.stream_id for e in theirs} == {e.stream_id for e in ours.values()}
        assert all(e.told_at == ours[e.event_id].told_at for e in theirs)


def crm_lines(*, recorded: bool = True) -> list[dict[str, object]]:
    at = datetime(2025, 1, 7, 9, tzinfo=UTC)
    data = {"name": "Fleet", "account": {"id": "acme", "name": "Acme"}, "owner": "ann"}
    told: list[dict[str, object]] = []
    for day, (kind, said) in enumerate(
        [("deal_opened", data), ("stage_entered", {"stage": "qualify"}), ("deal_lost", {})]
    ):
        moment = (at + timedelta(days=day)).isoformat().replace("+00:00", "Z")
        told.append(
            {
                "stream": "deal:006A",
                "external_id": f"h{day}",
                "type": kind,
                "occurred_at": moment,
                "actor": "ann",
                "data": said,
            }
            | ({"recorded_at": moment} if recorded else {})
        )
    return told


def crm_import(
    ledger: Ledger, folder: Path, *, founding: bool, source: str = "crm", now: datetime = NOW
) -> None:
    file = folder / "crm.ndjson"
    file.write_text("".join(json.dumps(line) + "\n" for line in crm_lines()))
    reader = reader_for(
        "ndjson", [file], profile=Profile(source=source), known=LedgerContext(ledger.store)
    )
    run_import(ledger.store, reader, now=now, founding=founding)


@pytest.mark.parametrize(
    ("name", "founding"), [("ndjson", True), *((name, False) for name in EXPORTS)]
)
def test_what_was_imported_keeps_its_source_so_that_its_next_import_adds_only_what_is_new(
    postgres_server: PostgresServer, database: str, tmp_path: Path, name: str, *, founding: bool
) -> None:
    with (
        postgres_server.ledger(SCHEMA) as dsn,
        ledger_on(dsn) as ours,
        ledger_on(database) as other,
    ):
        crm_import(ours, tmp_path, founding=founding)
        (deal,) = ours.store.stream_ids_of("006A", system="crm")
        append(ours.store, deal, [new_event(new("note_added", text="called back"))])

        report = brought(other, tmp_path, exported(ours, name), name)
        assert report.rejects == ()
        lines = exported(other, "ndjson")
        assert lines == exported(ours, "ndjson")
        assert {json.loads(line)["stream"] for line in lines.splitlines()} == {"deal:006A"}
        assert other.store.stream_ids_of("006A", system="crm") == [deal]
        assert [e.told_at for e in all_of(other)] == [e.told_at for e in all_of(ours)]

        before = other.store.head().position
        crm_import(other, tmp_path, founding=False)
        assert other.store.head().position == before


@pytest.mark.parametrize("name", EXPORTS)
def test_what_a_profile_declared_of_another_system_is_of_no_file(
    postgres_server: PostgresServer, database: str, tmp_path: Path, name: str
) -> None:
    log = tmp_path / "log.xes"
    log.write_text(
        '<log><trace><string key="concept:name" value="A"/><event><string key="concept:name" '
        'value="note_added"/><date key="time:timestamp" value="2026-01-05T10:00:00Z"/>'
        '<string key="text" value="met"/></event></trace></log>'
    )
    declared = {"source": "crm", "calendar": {"kind": "months", "zone": "UTC", "start_month": 2}}
    with (
        postgres_server.ledger(SCHEMA) as dsn,
        ledger_on(dsn) as ours,
        ledger_on(database) as other,
    ):
        known = LedgerContext(ours.store)
        profile = profile_from(declared, name="p")
        reader = reader_for("xes", [log], profile=profile, known=known)
        run_import(ours.store, reader, now=NOW, founding=True)

        brought(other, tmp_path, exported(ours, name), name)

        assert exported(other, "ndjson") == exported(ours, "ndjson")
        assert b'"source":{"system":"crm"}' in exported(other, "ndjson")


def test_what_both_ledgers_imported_from_one_source_is_known_by_its_external_id(
    postgres_server: PostgresServer, database: str, tmp_path: Path
) -> None:
    with (
        postgres_server.ledger(SCHEMA) as dsn,
        ledger_on(dsn) as ours,
        ledger_on(database) as other,
    ):
        crm_import(ours, tmp_path, founding=False)
        crm_import(other, tmp_path, founding=False, now=NOW + timedelta(hours=1))
        (deal,) = ours.store.stream_ids_of("006A", system="crm")
        append(ours.store, deal, [new_event(new("note_added", text="called back"))])

        report = brought(other, tmp_path, exported(ours, "csv"), "csv", founding=False)

        assert (report.rejects, report.events_made, report.duplicates) == ((), 1, 3)
        assert {e.stream_id for e in all_of(other)} == {deal}


def test_the_same_id_in_two_sources_is_two_deals(
    postgres_server: PostgresServer, database: str, tmp_path: Path
) -> None:
    with (
        postgres_server.ledger(SCHEMA) as dsn,
        ledger_on(dsn) as ours,
        ledger_on(database) as other,
    ):
        crm_import(ours, tmp_path, founding=False, source="one")
        crm_import(ours, tmp_path, founding=False, source="two")

        report = brought(other, tmp_path, exported(ours, "ndjson"), "ndjson")

        assert (report.rejects, report.events_made, report.deals) == ((), 6, 2)
        assert {e.stream_id for e in all_of(other)} == {e.stream_id for e in all_of(ours)}


def test_a_part_without_what_it_refers_to_is_rejected_line_by_line(
    company: Ledger, database: str, tmp_path: Path
) -> None:
    part = exported(company, "ndjson", f"deal:{DEAL} type:event_amended")
    with ledger_on(database) as other:
        report = brought(other, tmp_path, part, "ndjson")

        assert report.events_made == 0
        assert len(report.rejects) == 1
        assert report.rejects[0].reason.startswith("data.event_id: ")
        assert "neither a line of this import" in report.rejects[0].reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"data": {"text": "other"}}, "changed: the log has something else under this event_id"),
        ({"stream_id": "deal:x"}, "stream_id: expected a UUID"),
        ({"stream_id": "calendar"}, 'stream_id: expected "deal:<uuid>"'),
        ({"event_id": "x"}, "event_id: expected a UUID"),
        ({"event_id": None}, "stream_id: stands only beside an event_id"),
        ({"source": {"system": "crm", "more": 1}}, "source: expected an object with system"),
        ({"source": "crm"}, "source: expected an object with system"),
        ({"caused_by": str(UUID(int=7))}, "caused_by 00000000-0000-0000-0000-000000000007 is n"),
    ],
)
def test_a_line_that_was_changed_by_hand_is_rejected_with_its_reason(
    database: str, tmp_path: Path, change: dict[str, object], reason: str
) -> None:
    with ledger_on(database) as ledger:
        deal = f"deal:{DEAL}"
        append(ledger.store, deal, [new_event(new("note_added", text="as it was"))])
        line = json.loads(exported(ledger, "ndjson"))
        known = "changed" in reason
        identity = {} if known else {"external_id": "2", "event_id": str(UUID(int=2))}

        report = import_lines(ledger, tmp_path, [line | identity | change])

        assert [reject.reason[: len(reason)] for reject in report.rejects] == [reason]


def test_two_lines_with_one_event_id_are_one_event(database: str, tmp_path: Path) -> None:
    with ledger_on(database) as ledger:
        append(ledger.store, f"deal:{DEAL}", [new_event(new("note_added", text="as it was"))])
        line = json.loads(exported(ledger, "ndjson")) | {"event_id": str(UUID(int=2))}

        report = import_lines(
            ledger, tmp_path, [line | {"external_id": "a"}, line | {"external_id": "b"}]
        )

        assert report.events_made == 1
        assert [one.reason for one in report.rejects] == [
            "event_id: lines.ndjson, row 1, has it under another external id"
        ]
