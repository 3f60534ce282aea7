"""The command line: what it prints, what it refuses, and with which exit."""

import json
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer

from api.cli import COMMANDS
from api.cli_serve import token_of
from api.settings import SettingsError
from tests.support.commands import Run, answered
from tests.support.exports import OPEN_DEALS
from tests.support.ledgers import import_lines, ledger_on
from tests.support.thirty import Lines, thirty_lines

LISTING = """
import sys
from api.cli import main
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""
"""Says on standard error what it has imported."""


def test_an_export_is_imported_and_shown(run: Run, shared_data: Path) -> None:
    export = shared_data / "data/crm_rosetta_small/salesforce_weekly_export"

    code, out, _ = run("import", "--format", "salesforce-csv", str(export), "--founding", "--json")
    assert code == 0
    assert answered(out)["deals"] == 15
    code, out, _ = run("deals", "--json")
    assert len(answered(out)["deals"]) == 15
    code, out, _ = run("show", "0065g0000000VMdAAM", "--json")
    assert answered(out)["progress"]["stage_path"] == ["Discovery", "Negotiation", "Closed Won"]
    assert answered(out)["commitments"]["customer"]["level"] == 0
    code, out, _ = run("show", "0065g0000000VMdAAM")
    assert "Borealis" in out
    assert "commitments: level 0, 0 live, kept 0 of 0; no customer act recorded" in out


def test_deals_are_listed_by_their_health(run: Run, database: str, tmp_path: Path) -> None:
    lines = Lines()
    lines.open("Overdue", "2025-01-08T00:00:00Z", close_date="2025-03-15")
    with ledger_on(database) as ledger:
        import_lines(ledger, tmp_path, [*thirty_lines(), *lines.all])

    _, worst, _ = run("deals", "--sort", "health", "--json")
    _, red, _ = run("deals", "--health", "red", "--json")
    _, true_then, _ = run(
        "deals", "--health", "red", "--effective-at", "2025-03-15T12:00:00Z", "--json"
    )
    code, table, _ = run("deals", "--health", "amber,none")

    colours = [one["health"] and one["health"]["colour"] for one in answered(worst)["deals"]]
    assert colours == ["red", *["amber"] * (len(colours) - 4), *[None] * 3]
    assert [one["name"] for one in answered(red)["deals"]] == ["Overdue"]
    assert answered(true_then)["deals"] == []
    assert (code, table.count("amber")) == (0, len(colours) - 4)
    code, _, err = run("deals", "--health", "green")
    assert (code, err) == (1, "dealtrail: health: 'green' is none of red, amber, none\n")


def test_a_deal_is_shown_with_the_work_of_each_quarter(
    run: Run, database: str, tmp_path: Path
) -> None:
    with ledger_on(database) as ledger:
        import_lines(ledger, tmp_path, thirty_lines())

    _, out, _ = run("show", "D1", "--effective-at", "2025-03-29T00:00:00Z")

    work = [line.split() for line in out.splitlines() if line.startswith("FY")]
    assert work == [["FY2025Q1", "2", "6", "2", "4"]]


def test_a_deal_that_was_not_opened_yet_is_one_sentence(
    run: Run, database: str, tmp_path: Path
) -> None:
    with ledger_on(database) as ledger:
        import_lines(ledger, tmp_path, thirty_lines())

    code, _, err = run("show", "D1", "--effective-at", "1970-01-01T00:00:00Z")

    assert code == 1
    assert err.endswith(" was not opened yet at the moment asked about\n")
    assert err.count("\n") == 1


def test_of_many_facts_that_no_activity_is_linked_to_the_first_are_shown(
    run: Run, database: str, tmp_path: Path
) -> None:
    lines = Lines()
    lines.open("D2", "2025-01-08T00:00:00Z")
    for number in range(7):
        said = {"criterion": f"Criterion {number}", "level": 3}
        lines.add("deal:D2", "decision_criterion_recorded", "2025-01-09T00:00:00Z", said)
    with ledger_on(database) as ledger:
        import_lines(ledger, tmp_path, [*thirty_lines(), *lines.all])

    _, out, _ = run("show", "D2")

    told = out.partition("learned, and linked to no activity:\n")[2].splitlines()[:6]
    assert told == [*(f"    criterion Criterion {n}" for n in range(5)), "    and 2 more"]


def test_a_deal_is_reviewed(run: Run, database: str, tmp_path: Path) -> None:
    with ledger_on(database) as ledger:
        import_lines(ledger, tmp_path, thirty_lines())

    code, out, _ = run("review", "D1", "--effective-at", "2025-03-29T00:00:00Z")
    _, as_json, _ = run("review", "D1", "--effective-at", "2025-03-29T00:00:00Z", "--json")

    assert code == 0
    assert out.startswith("What is the customer trying to achieve?\n    blank\n")
    assert "Customer request about discount (49 days ago, by the customer)\n" in out
    assert "health: amber" in out
    assert answered(as_json)["health"]["colour"] == "amber"


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
    assert re.search(r"^meet_dm +s1 +evidenced +none linked", plain, re.MULTILINE)
    assert (code, "beyond the head" in err) == (1, True)


def test_what_another_policy_would_say(run: Run, database: str, tmp_path: Path) -> None:
    with ledger_on(database) as ledger:
        import_lines(ledger, tmp_path, thirty_lines())
    file = tmp_path / "strict.yaml"
    file.write_text("version: 4\nnumbers: {theta: '1'}\n", encoding="utf-8")
    _, out, _ = run("replay", "FY2025Q1", "--json")
    shaped = answered(out)["pressure"]["shaped"]

    code, out, err = run("policy", "--what-if", str(file), "--quarter", "FY2025Q1", "--json")
    assert code == 0, err
    under = answered(out)["what_if"]
    assert (under["policy"]["version"], under["pressure"]["shaped"]) == (4, 0)
    assert len(under["verdict_changes"]) == shaped > 0
    assert {one["after"] for one in under["verdict_changes"]} == {"not_pressure_shaped"}
    assert (
        "policy 4 would change" in run("policy", "--what-if", str(file), "--quarter", "FY2025Q1")[1]
    )
    assert run("policy", "--what-if", str(file))[0] == 2

    run("policy", "--publish", str(file))
    _, out, _ = run("show", "D1", "--policy", "0", "--json")
    pressure = answered(out)["pressure"]
    assert pressure["shares"]["shaped"] == 0
    assert (
        len(pressure["what_if"]["verdict_changes"]) == pressure["what_if"]["shares"]["shaped"] > 0
    )
    assert "policy 0 would change" in run("show", "D1", "--policy", "0")[1]
    assert "policy 0 would change" in run("replay", "FY2025Q1", "--policy", "0")[1]
    assert run("replay", "FY2025Q1", "--policy", "0", "--restate")[0] == 2
    code, _, err = run("show", "D1", "--policy", "8")
    assert (code, "no policy of version 8" in err) == (1, True)


def test_show_tells_the_patterns_that_hold(run: Run, database: str, tmp_path: Path) -> None:
    lines = Lines()
    lines.add(
        "deal:D1", "forecast_category_changed", "2025-03-01T00:00:00Z", {"category": "commit"}
    )
    told = [{**line, "external_id": "called"} for line in lines.all]
    with ledger_on(database) as ledger:
        import_lines(ledger, tmp_path, [*thirty_lines(), *told])

    _, text, _ = run("show", "D1")
    _, full, _ = run("show", "D1", "--json")

    assert "PS-7: The forecast was raised to commit while no commitment" in text
    assert "PS-9:" not in text
    rules = [(p["rule"], p["holds"]) for p in answered(full)["pressure"]["patterns"]]
    assert rules == [("PS-8", None), ("PS-7", True), ("PS-8", None), ("PS-9", False)]


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


def test_a_past_quarter_says_that_its_figures_stand_after_its_end(
    run: Run, database: str, tmp_path: Path
) -> None:
    with ledger_on(database) as ledger:
        import_lines(ledger, tmp_path, thirty_lines())

    _, today, _ = run("replay", "FY2025Q1")
    _, then, _ = run("replay", "FY2025Q1", "--effective-at", "2025-03-31T12:00:00Z")

    after = ", after the quarter's end; --as-of shows an earlier moment\n"
    assert "figures as they stand at " in today
    assert after in today
    assert "figures as they stand at 2025-03-31 12:00:00+00:00\n" in then


def test_a_quarter_is_reported_on_one_page(run: Run, database: str, tmp_path: Path) -> None:
    with ledger_on(database) as ledger:
        import_lines(ledger, tmp_path, thirty_lines())

    code, out, err = run("report", "FY2025Q1", "--json")
    assert code == 0, err
    told = answered(out)
    for view, part in (("close-pattern", "close_pattern"), ("pressure", "pressure")):
        _, alone, _ = run("replay", "FY2025Q1", "--view", view, "--json")
        assert without_moment(answered(alone)) == without_moment(told[part])
        code, page, err = run("replay", "FY2025Q1", "--view", view)
        assert code == 0, err
        assert without_wraps(sentence_of(told[part])) in without_wraps(page)
    code, page, err = run("report", "FY2025Q1", "--as-of", "position:1", "--restate")
    assert code == 0, err
    assert [one in page for one in ("Figures", "Close pattern", "Pressure")] == [True] * 3
    assert run("report", "FY2025Q1", "--rep", "ann", "--team", "north")[0] == 2
    assert run("report", "FY25")[0] == 1


def without_moment(told: Any) -> Any:
    return {name: value for name, value in told.items() if name != "effective_at"}


def without_wraps(text: str) -> str:
    return " ".join(text.split())


def sentence_of(told: Any) -> str:
    sentence: str = told.get("sentence") or told["shares"]["sentence"]
    return sentence


def test_open_deals_that_nothing_dates_are_there_before_the_import(
    run: Run, tmp_path: Path
) -> None:
    for name, content in OPEN_DEALS.items():
        (tmp_path / name).write_text(content)
    table, profile = (str(tmp_path / name) for name in OPEN_DEALS)

    code, out, _ = run("import", "--format", "csv", table, "--profile", profile, "--json")

    report = answered(out)
    assert (code, report["rejects"], report["deals"]) == (0, [], 2)


def test_the_commands_are_listed_with_what_they_do_and_none_is_imported() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", LISTING, "--help"],
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=True,
    )

    told = " ".join(ran.stdout.split())
    assert "pydantic" not in ran.stderr.split()  # nor the models that take longer than the rest
    for name, where in COMMANDS.items():
        module, _, function = where.partition(":")
        assert module not in ran.stderr.split()
        command = getattr(import_module(module), function)
        says = str(command.info.help if isinstance(command, typer.Typer) else command.__doc__)
        assert f"{name} {' '.join(says.split())[:60]}" in told
