"""What staging promises: an import is whole or resumable, once, and founded as it was recorded."""

import threading
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest

from api.storage.errors import LedgerNotEmptyError, LogUnavailableError
from api.storage.event_store import EventStore
from api.storage.staged_lines import StagedLine, deal_stream_of
from api.storage.staging import StagedReject, Staging, StagingReport, UnstorableLineError
from tests.support.log import NOON, appended, ask, assert_gapless, said, session
from tests.support.postgres import PostgresServer

TICK = said("activity_ticked", activity="demo")
STAGE = said("stage_entered", stage="discovery")
DAY = timedelta(days=1)
KILL_FOUNDING = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND query LIKE 'SELECT append_founding%'"
)


@pytest.fixture
def ledger_server(every_postgres_server: PostgresServer) -> PostgresServer:
    """Each: founding and appending an import are functions of the database."""
    return every_postgres_server


def line(
    external_id: str,
    *,
    stream: str = "deal:D01",
    occurred: datetime = NOON,
    recorded: datetime | None = None,
    caused_by: str | None = None,
    row: int = 1,
) -> StagedLine:
    return StagedLine(
        stream=stream,
        external_id=external_id,
        data=TICK,
        occurred_at=occurred,
        recorded_at=recorded,
        actor="ana",
        caused_by=caused_by,
        file="deals.ndjson",
        row=row,
        file_sha256="ab",
    )


class Loaded(NamedTuple):
    """What became of the lines of an import."""

    appended: int
    duplicates: int
    deals: int
    topics: Mapping[str, int]
    rejects: tuple[StagedReject, ...]

    @classmethod
    def of(cls, staging: Staging, report: StagingReport) -> "Loaded":
        rejects = tuple(staging.rejects())
        return cls(report.appended, report.duplicates, report.deals, report.topics, rejects)


def load(store: EventStore, lines: Iterable[StagedLine], *, founding: bool = False) -> Loaded:
    with store.staging(system="crm") as staging:
        for each in lines:
            staging.add(each)
        return Loaded.of(staging, staging.append(founding=founding))


def test_an_import_is_recorded_now_and_keeps_the_times_of_its_source(store: EventStore) -> None:
    report = load(store, [line("H1", recorded=NOON + DAY)])

    (event,) = store.stream(deal_stream_of("crm", "D01"))
    assert (report.appended, report.deals, report.rejects) == (1, 1, ())
    assert report.topics == {TICK.TOPIC: 1}
    assert (event.occurred_at, event.channel, event.clock) == (NOON, "import", "server")
    assert event.recorded_at == event.ingested_at > NOON + 100 * DAY
    assert event.source is not None
    assert (event.source.external_id, event.source.stream) == ("H1", "D01")
    assert (event.source.recorded_at, event.source.file_sha256) == (NOON + DAY, "ab")
    assert store.stream_ids_of("D01", system="crm") == [event.stream_id]


def test_a_stream_is_appended_in_the_order_in_which_it_happened(store: EventStore) -> None:
    load(store, [line("c", occurred=NOON + DAY), line("a"), line("b")])

    stored = store.stream(deal_stream_of("crm", "D01"))
    assert [e.source.external_id for e in stored if e.source] == ["a", "b", "c"]


def test_the_same_import_twice_changes_nothing(store: EventStore) -> None:
    lines = [line(f"H{n}", stream=f"deal:D{n % 3}", row=n) for n in range(30)]
    load(store, lines)

    again = load(store, lines)

    assert (again.appended, again.duplicates, again.deals, again.rejects) == (0, 30, 0, ())
    assert assert_gapless(store) == 30


def test_an_import_that_was_interrupted_goes_on_where_it_was(store: EventStore) -> None:
    lines = [line(f"H{n}") for n in range(10)]
    load(store, lines[:4])

    report = load(store, lines)

    assert (report.appended, report.duplicates) == (6, 4)


@pytest.mark.parametrize(
    "changed",
    [
        line("H1")._replace(data=STAGE),
        line("H1", occurred=NOON + DAY),
        line("H1", stream="deal:D02"),
    ],
)
def test_the_same_id_with_something_else_is_rejected(
    store: EventStore, changed: StagedLine
) -> None:
    load(store, [line("H1")])

    later = load(store, [changed])
    beside = load(store, [line("H2"), changed._replace(external_id="H2", row=2)])

    assert [reject.reason.split(":")[0] for reject in later.rejects] == ["changed"]
    assert [(r.row, r.reason.split(":")[0]) for r in beside.rejects] == [(2, "changed")]
    assert assert_gapless(store) == 2


def test_a_line_twice_in_one_import_is_stored_once(store: EventStore) -> None:
    report = load(store, [line("H1"), line("H1", row=2)])

    assert (report.appended, report.duplicates, report.rejects) == (1, 1, ())


@pytest.mark.parametrize("founding", [True, False])
def test_a_cause_is_found_in_this_import_and_in_earlier_ones(
    store: EventStore, *, founding: bool
) -> None:
    load(store, [line("H2", caused_by="H1", occurred=NOON - DAY), line("H1")], founding=founding)
    load(store, [line("H3", caused_by="H1")])

    found = store.by_external_ids("crm", ["H1", "H2", "H3"])
    assert found["H2"].caused_by == found["H3"].caused_by == found["H1"].event_id


@pytest.mark.parametrize("founding", [True, False])
def test_a_line_without_its_cause_is_rejected_with_all_that_follow(
    store: EventStore, *, founding: bool
) -> None:
    lines = [line("a", caused_by="gone"), line("b", caused_by="a"), line("c", caused_by="b")]

    report = load(store, [*lines, line("d", caused_by="d"), line("ok")], founding=founding)

    assert report.appended == 1
    assert [reject.reason.split()[1] for reject in report.rejects] == ["gone", "a", "b", "d"]


def test_a_text_that_cannot_be_stored_is_refused_and_no_other(store: EventStore) -> None:
    with store.staging(system="crm") as staging:
        staging.add(line("H1"))
        for bad in (line("H2\x00"), line("H3", stream="deal:\ud800")):
            with pytest.raises(UnstorableLineError, match="cannot be stored"):
                staging.add(bad)

        assert staging.append(founding=False).appended == 1


def test_a_check_tells_the_same_and_changes_nothing(store: EventStore) -> None:
    load(store, [line("H1")])
    lines = [line("H1"), line("H2"), line("H3", caused_by="gone")]

    with store.staging(system="crm") as staging:
        for each in lines:
            staging.add(each)
        checked = Loaded.of(staging, staging.check(founding=False))
    assert store.head().position == 1

    assert load(store, lines) == checked


def test_a_founding_import_is_recorded_as_its_source_recorded_it(store: EventStore) -> None:
    lines = [
        line("late", occurred=NOON - DAY, recorded=NOON + 2 * DAY),
        line("first", recorded=NOON),
        line("quota", stream="quota:ana:FY2025Q1", occurred=NOON + DAY),
        line("untimed", stream="deal:D02", occurred=NOON + DAY),
        line("member", stream="organisation", recorded=NOON + DAY),
    ]

    report = load(store, lines, founding=True)

    (events,) = store.log()
    order = [e.source.external_id for e in events if e.source]
    assert (report.appended, report.deals) == (5, 2)
    assert order == ["quota", "first", "member", "untimed", "late"]
    assert [e.recorded_at - NOON for e in events] == [0 * DAY, 0 * DAY, DAY, DAY, 2 * DAY]
    assert {e.clock for e in events} == {"source"}
    assert all(e.ingested_at > NOON + 100 * DAY for e in events)
    assert assert_gapless(store) == 5
    assert store.position_at(NOON + DAY) == 4
    assert store.head().recorded_at == NOON + 2 * DAY


def test_after_a_founding_the_log_goes_on_with_our_clock(store: EventStore) -> None:
    load(store, [line("H1", recorded=NOON)], founding=True)

    verdict = appended(store.append_blocking(ask(deal_stream_of("crm", "D01"), expected=1)))

    assert verdict.recorded_at > NOON + 100 * DAY
    assert assert_gapless(store) == 2


def test_a_ledger_with_deals_cannot_be_founded(store: EventStore) -> None:
    store.append_blocking(ask("deal:a"))

    with pytest.raises(LedgerNotEmptyError, match="has deals"):
        load(store, [line("H1", recorded=NOON)], founding=True)

    assert store.head().position == 1


@pytest.mark.parametrize("more", [(), (line("H3", caused_by="gone"),)])
def test_a_founding_that_the_log_has_already_may_be_told_again(
    store: EventStore, more: tuple[StagedLine, ...]
) -> None:
    """As of a command that was killed before it could say that all was in the log."""
    lines = [line("H1", recorded=NOON), line("H2", recorded=NOON)]
    load(store, lines, founding=True)

    again = load(store, [*lines, *more], founding=True)

    assert (again.appended, again.duplicates, len(again.rejects)) == (0, 2, len(more))
    assert store.head().position == 2
    with pytest.raises(LedgerNotEmptyError, match="has deals"):
        load(store, [*lines, line("H4", recorded=NOON)], founding=True)


def test_a_founding_cannot_come_before_what_the_log_was_told(store: EventStore) -> None:
    store.append_blocking(ask("calendar"))

    with pytest.raises(LedgerNotEmptyError, match="was told something"):
        load(store, [line("H1", recorded=NOON)], founding=True)

    assert store.head().position == 1


def test_a_recording_time_in_the_future_is_rejected(store: EventStore) -> None:
    ahead = datetime(2999, 1, 1, tzinfo=UTC)

    report = load(store, [line("H1", recorded=ahead), line("H2", recorded=NOON)], founding=True)

    assert report.appended == 1
    assert "future" in report.rejects[0].reason


def test_a_killed_founding_leaves_nothing(store: EventStore, ledger_dsn: str) -> None:
    lines = [line(f"H{n}", stream=f"deal:D{n}", recorded=NOON) for n in range(3000)]
    # Somebody holds the head, so that the founding is killed when everything is decided.
    with session(ledger_dsn) as other, other.transaction(), store.staging(system="crm") as staging:
        other.execute("SELECT FROM log_head FOR UPDATE")
        for each in lines:
            staging.add(each)
        kill = threading.Timer(1.0, other.execute, [KILL_FOUNDING])
        kill.start()
        with pytest.raises(LogUnavailableError):
            staging.append(founding=True)
        kill.join()

    assert store.head().position == 0
    assert list(store.log()) == []
    assert load(store, lines, founding=True).appended == 3000


def test_two_imports_of_the_same_lines_at_once_store_each_once(store: EventStore) -> None:
    lines = [line(f"H{n}", stream=f"deal:D{n % 50}", row=n) for n in range(2000)]
    reports: list[Loaded] = []
    importers = [
        threading.Thread(target=lambda: reports.append(load(store, lines))) for _ in range(2)
    ]

    for importer in importers:
        importer.start()
    for importer in importers:
        importer.join()

    assert sum(report.appended for report in reports) == 2000
    assert sum(report.duplicates for report in reports) == 2000
    assert [report.rejects for report in reports] == [(), ()]
    assert assert_gapless(store) == 2000


def test_what_another_import_stores_between_two_windows_is_a_duplicate(store: EventStore) -> None:
    lines = [line(f"H{n}", stream=f"deal:D{n % 50}", row=n) for n in range(1500)]
    others: list[Loaded] = []

    def overtake(_: int) -> None:
        if not others:
            others.append(load(store, lines))

    with store.staging(system="crm") as staging:
        for each in lines:
            staging.add(each)
        report = Loaded.of(staging, staging.append(founding=False, progress=overtake))

    assert (report.appended, report.duplicates, report.rejects) == (990, 510, ())
    assert (others[0].appended, others[0].duplicates) == (510, 990)
    assert assert_gapless(store) == 1500


def windows(store: EventStore, lines: Iterable[StagedLine]) -> list[list[str]]:
    """The deals of every window; of a deal in several windows its name stands in each."""
    sizes: list[int] = []
    with store.staging(system="crm") as staging:
        for each in lines:
            staging.add(each)
        staging.append(founding=False, progress=sizes.append)
    events = iter([event for batch in store.log() for event in batch])
    return [sorted({next(events).stream_id for _ in range(size)}) for size in sizes]


def test_an_import_goes_in_windows_of_whole_deals(store: EventStore) -> None:
    lines = [line(f"H{n}", stream=f"deal:D{n % 7}", row=n) for n in range(2_100)]

    found = windows(store, lines)

    assert [len(deals) for deals in found] == [3, 3, 1]
    assert len({deal for deals in found for deal in deals}) == 7


def test_a_deal_too_long_for_a_window_goes_in_whole_moments(store: EventStore) -> None:
    moments = [NOON + n // 400 * DAY for n in range(2_000)]
    lines = [line(f"H{n}", occurred=at, row=n) for n, at in enumerate(moments)]
    at_once = [line(f"M{n}", stream="deal:D02", row=n) for n in range(1_500)]

    found = windows(store, [*lines, *at_once])

    long, short = (deal_stream_of("crm", deal) for deal in ("D01", "D02"))
    assert sorted(found) == sorted([[long], [long], [long], [short]])


def test_a_refused_line_takes_no_other_with_it(store: EventStore, ledger_dsn: str) -> None:
    with session(ledger_dsn) as connection:
        connection.execute("ALTER TABLE events ADD CHECK (actor <> 'forbidden')")
    bad = line("H3", row=3)._replace(actor="forbidden")

    report = load(store, [line("H1"), line("H2"), bad, line("H4")])

    assert report.appended == 3
    assert [(r.file, r.row) for r in report.rejects] == [("deals.ndjson", 3)]
    assert isinstance(report.rejects[0], StagedReject)


def test_progress_counts_every_line(store: EventStore) -> None:
    done: list[int] = []
    with store.staging(system="crm") as staging:
        for n in range(1200):
            staging.add(line(f"H{n}", stream=f"deal:D{n}"))
        staging.append(founding=False, progress=done.append)

    assert sum(done) == 1200
    assert len(done) > 1
