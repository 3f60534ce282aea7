"""What an import tells does not depend on the order of rows, nor on how often one stands there."""

import json
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from api.exchange.context import NoContext
from api.exchange.importing import Format, LedgerContext, reader_for, run_import
from api.exchange.lines import Findings, Line
from api.exchange.profile import Profile, load_profile, profile_from
from api.storage import staging
from api.storage.event_store import EventStore
from api.storage.roles import Role
from domain.events.base import type_name
from tests.support import ledgers, messy
from tests.support.exports import MAVEN, PACK
from tests.support.fuzz.targets import TARGETS, ndjson_seed
from tests.support.ledgers import NOW
from tests.support.postgres import PostgresServer
from tests.support.projected import snapshot
from tests.support.reference import FISCAL, log_profile
from tests.support.roles import address

SCHEMA = "ledger"
CRM = profile_from({"calendar": FISCAL}, name="crm")


@dataclass(frozen=True)
class Case:
    """A format of the reference pack and how its rows are mixed."""

    format: Format
    path: str
    mess: messy.Mess
    profile: Profile | None = None

    @property
    def name(self) -> str:
        return f"{self.format}-{Path(self.path).suffix.lstrip('.') or 'folder'}"


CASES = [
    Case("salesforce-csv", "salesforce_weekly_export", messy.csv_files),
    Case("salesforce-rest", "salesforce_rest_query", messy.json_files("records")),
    Case("hubspot", "hubspot_v3", messy.json_files("results"), CRM),
    Case("pipedrive", "pipedrive", messy.json_files("data"), CRM),
    Case(
        "cloudevents",
        "cloudevents/batch.json",
        messy.json_list,
        log_profile(lambda kind: f"com.example.opportunity.{kind.replace('_', '-')}.v1"),
    ),
    Case("xes", "xes/deals.xes", messy.xes, log_profile(prefix="deal:", event_name="deal:kind")),
    Case("ocel2", "ocel2/deals.ocel2.json", messy.ocel, log_profile()),
    Case("ndjson", "lines.ndjson", messy.lines),
    Case("csv", "table", messy.csv_files, load_profile("maven")),
]


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> Case:
    given: Case = request.param
    return given


@pytest.fixture
def source(case: Case, shared_data: Path, tmp_path: Path) -> Path:
    """The files of a case; those that the pack lacks are made of its events, or of the table."""
    if case.format == "ndjson":
        ((_, content),) = ndjson_seed(TARGETS[-1], shared_data)
        path = tmp_path / case.path
        path.write_bytes(content)
        return path
    if case.format == "csv":
        folder = tmp_path / case.path
        folder.mkdir()
        rows = (shared_data / MAVEN).read_text(encoding="utf-8").splitlines()[:60]
        (folder / "sales.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
        return folder
    return shared_data / PACK / case.path


def mixed(case: Case, source: Path, tmp_path: Path, seed: int) -> Path:
    target = tmp_path / f"mixed-{seed}"
    target.mkdir()
    case.mess(source, target, random.Random(seed))
    return target if source.is_dir() else target / source.name


def files_of(case: Case, path: Path) -> list[Path]:
    return sorted(path.iterdir()) if case.format == "csv" else [path]


def told(case: Case, path: Path) -> tuple[list[Any], Findings]:
    findings = Findings()
    reader = reader_for(case.format, files_of(case, path), profile=case.profile, known=NoContext())
    return [canonical(line) for line in reader.lines(findings)], findings


def canonical(line: Line) -> Any:
    data = json.dumps(line.data, sort_keys=True)
    return (line.stream, line.occurred_at, line.external_id, line.type, line.recorded_at, data)


def by_stream(lines: list[Any]) -> dict[str, list[Any]]:
    """What each stream says in its order, of a line that stands twice the first."""
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for line in sorted(lines, key=lambda line: (line[0], line[1])):
        found[line[0]].setdefault(line[2], line)
    return {stream: list(told.values()) for stream, told in found.items()}


@pytest.mark.parametrize("seed", range(4))
def test_shuffled_and_doubled_rows_tell_the_same(
    seed: int, case: Case, source: Path, tmp_path: Path
) -> None:
    plain, before = told(case, source)

    messed, after = told(case, mixed(case, source, tmp_path, seed))

    assert by_stream(messed) == by_stream(plain)
    assert after.rejects == []
    assert after.rows_read > before.rows_read
    if case.format != "ndjson":  # whose doubles are known by the log, and not by the reader
        assert after.duplicates > before.duplicates


PROJECTED = [one for one in CASES if one.format in ("salesforce-csv", "hubspot", "ocel2")]


@pytest.mark.parametrize("case", PROJECTED, ids=lambda case: case.name, indirect=True)
def test_shuffled_and_doubled_rows_give_the_same_projections(
    case: Case, source: Path, tmp_path: Path, postgres_server: PostgresServer
) -> None:
    def projected(path: Path) -> dict[str, list[str]]:
        with postgres_server.ledger(ledgers.SCHEMA) as dsn, ledgers.ledger_on(dsn) as ledger:
            known = LedgerContext(ledger.store)
            reader = reader_for(case.format, [path], profile=case.profile, known=known)
            report = run_import(ledger.store, reader, now=NOW, founding=True)
            assert (report.rejects, report.deals) == ((), 15)
            ledger.worker.catch_up()
            return snapshot(ledger)

    plain = projected(source)

    assert projected(mixed(case, source, tmp_path, 5)) == plain
    for table in ("stays", "spans", "slabs", "ticks"):
        assert plain[table], table


@pytest.fixture
def store(postgres_server: PostgresServer) -> Iterator[EventStore]:
    with (
        postgres_server.ledger(SCHEMA) as dsn,
        EventStore(address(dsn, Role.APP), schema=SCHEMA) as store,
    ):
        yield store


class Killed(BaseException):
    """The end of a process that had no time for a word."""


def test_an_import_killed_half_way_and_run_again_is_the_import(
    case: Case,
    source: Path,
    store: EventStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain, _ = told(case, source)
    messed = mixed(case, source, tmp_path, 1)

    def run(kill_at: int | None = None) -> Any:
        done = 0

        def tell(step: str, count: int) -> None:
            nonlocal done
            done += count if step == "appended" else 0
            if kill_at is not None and done >= kill_at:
                raise Killed

        known = LedgerContext(store)
        reader = reader_for(case.format, files_of(case, messed), profile=case.profile, known=known)
        return run_import(store, reader, now=NOW, progress=tell)

    with monkeypatch.context() as patch:
        patch.setattr(staging, "_EVENTS_AT_ONCE", 4)
        with pytest.raises(Killed):
            run(kill_at=len(plain) // 3)
    stored = store.head().position
    assert 0 < stored < len(plain)

    report = run()

    assert (store.head().position, report.rejects) == (len(plain), ())
    assert report.events_made == len(plain) - stored
    assert logged(store) == {
        stream: [(line[2], line[1], line[3]) for line in lines]
        for stream, lines in by_stream(plain).items()
    }
    assert run().events_made == 0


def logged(store: EventStore) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for batch in store.log():
        for event in batch:
            assert event.source is not None
            stream = event.source.stream
            name = event.stream_id if stream is None else f"deal:{stream}"
            told = (event.source.external_id, event.occurred_at, type_name(type(event.data)))
            found[name].append(told)
    return found
