"""The command line: what it prints, what it refuses, and with which exit."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from psycopg.conninfo import conninfo_to_dict

from api.cli import main
from api.cli_serve import token_of
from api.settings import SettingsError
from tests.support.ledgers import import_lines, ledger_on
from tests.support.thirty import thirty_lines

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Run a command on a ledger of the test's own; give exit, output and errors."""
    parts = conninfo_to_dict(database)
    query = f"host={quote(str(parts['host']), safe='')}&user={parts['user']}"
    monkeypatch.setenv("DEALTRAIL_DATABASE_URL", f"postgresql:///{parts['dbname']}?{query}")
    monkeypatch.setenv("DEALTRAIL_HOME", str(tmp_path / "home"))

    def run_command(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["dealtrail", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
        printed = capsys.readouterr()
        return int(stopped.value.code or 0), printed.out, printed.err

    return run_command


def answered(out: str) -> Any:
    return json.loads(out)


def test_an_export_is_imported_and_shown(run: Run, shared_data: Path) -> None:
    export = shared_data / "data/crm_rosetta_small/salesforce_weekly_export"

    code, out, _ = run("import", "--format", "salesforce-csv", str(export), "--founding", "--json")
    assert code == 0
    assert answered(out)["deals"] == 15
    code, out, _ = run("deals", "--json")
    assert len(answered(out)["deals"]) == 15
    code, out, _ = run("show", "0065g0000000VMdAAM", "--json")
    assert answered(out)["progress"]["stage_path"] == ["Discovery", "Negotiation", "Closed Won"]
    code, out, _ = run("show", "0065g0000000VMdAAM")
    assert "Borealis" in out


def test_a_missing_history_is_refused_and_nothing_written(
    run: Run, shared_data: Path, tmp_path: Path
) -> None:
    export = shared_data / "data/crm_rosetta_small/salesforce_weekly_export"
    for file in export.glob("*.csv"):
        if file.name != "OpportunityHistory.csv":
            (tmp_path / file.name).write_bytes(file.read_bytes())

    code, _, err = run("import", "--format", "salesforce-csv", str(tmp_path))

    assert code == 1
    assert "OpportunityHistory" in err
    assert err.count("\n") == 1
    _, out, _ = run("deals", "--json")
    assert answered(out)["deals"] == []


def test_bad_usage_is_exit_two(run: Run) -> None:
    assert run("import", "--format", "nonsense", "file")[0] == 2
    assert run("no-such-command")[0] == 2


def test_an_unknown_deal_is_one_sentence(run: Run) -> None:
    code, _, err = run("show", "nothing")

    assert (code, err) == (1, "dealtrail: there is no deal nothing\n")


def test_a_setting_that_cannot_be_used_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEALTRAIL_HOST", "0.0.0.0")

    code, _, err = run("deals")

    assert code == 1
    assert "DEALTRAIL_HOST" in err


def test_context_is_set_and_shown(run: Run) -> None:
    code, out, err = run("calendar", "--zone", "America/New_York", "--start-month", "2", "--json")
    assert code == 0, err
    assert answered(out)["calendars"][0]["zone"] == "America/New_York"
    run("quota", "ann", "FY2026Q3", "--amount", "1000.00")
    code, out, err = run("quota", "ann", "FY2026Q3", "--amount", "2000.00", "--json")
    assert code == 0, err
    assert [q["amount"] for q in answered(out)["quotas"]] == ["1000.00", "2000.00"]
    run("member", "ann", "--team", "north")
    _, out, _ = run("member", "--json")
    assert answered(out)["members"][0]["team"] == "north"
    _, out, _ = run("policy", "--json")
    assert answered(out)["policy"]["window_days"] == 14
    _, out, _ = run("process", "--json")
    assert answered(out)["processes"][0]["id"] == "default"
    assert run("quota", "ann", "FY26", "--amount", "1")[0] == 1


def test_a_deal_as_of_an_earlier_position(run: Run, database: str, tmp_path: Path) -> None:
    with ledger_on(database) as ledger:
        import_lines(ledger, tmp_path, thirty_lines())
        opened = ledger.store.stream(ledger.store.stream_ids_of("D1")[0])[2].position

    _, then, _ = run("show", "D1", "--as-of", f"position:{opened}", "--json")
    _, plain, _ = run("show", "D1")
    code, _, err = run("show", "D1", "--as-of", "position:99999")

    assert answered(then)["deal"]["version"] == 3
    assert answered(then)["conformance"]["trace"] == ["s1"]
    assert "fitness: 0.909091 (1 skipped" in plain
    assert re.search(r"^meet_dm +s1 +evidenced +nothing", plain, re.MULTILINE)
    assert (code, "beyond the head" in err) == (1, True)


def test_a_process_is_published_with_its_warnings_and_shown_with_its_worth(
    run: Run, database: str, tmp_path: Path
) -> None:
    with ledger_on(database) as ledger:
        import_lines(ledger, tmp_path, thirty_lines())
    file = tmp_path / "process.yaml"
    stages = [{"id": f"s{n}", "name": f"S{n}", "goal": "Know"} for n in range(6)]
    closing = {"won": "won", "lost": "lost"}
    file.write_text(
        json.dumps({"version": 1, "name": "Long", "stages": stages, "closing": closing}), "utf-8"
    )

    code, out, err = run("process", "long", "--publish", str(file), "--json")
    assert code == 0, err
    assert answered(out)["processes"][0]["stages"] == 6
    assert answered(out)["warnings"][0]["rule"] == "too_many_stages"
    _, out, _ = run("process", "long", "--lint")
    assert "long, version 1: 7 warnings" in out
    assert "too many stages, process: 6 stages" in out
    _, out, _ = run("process", "linear", "--effectiveness")
    assert re.search(r"^meet_dm +1/1 +0/0 +0/0 +-", out, re.MULTILINE)
    assert "not cause" in out
    _, out, _ = run("process", "linear", "--effectiveness", "--json")
    assert answered(out)["deals"]["won"] == 3
    assert answered(out)["comparison"] is None
    assert run("process", "--lint")[0] == 2
    assert run("process", "nothing", "--lint")[0] == 1


def test_the_token_file_is_made_closed_and_refused_open(tmp_path: Path) -> None:
    token = token_of(tmp_path)
    file = tmp_path / "token"

    assert len(token) > 40
    assert file.stat().st_mode & 0o777 == 0o600
    assert token_of(tmp_path) == token
    file.chmod(0o644)
    with pytest.raises(SettingsError):
        token_of(tmp_path)
