"""`dealtrail events`: the log asked in every form, and beyond a page."""

import csv
import io
import json
from pathlib import Path

import pytest

from tests.support.commands import Run, answered
from tests.support.ledgers import import_lines, ledger_on
from tests.support.queries import imported_lines


def test_more_events_than_a_page_are_shown_as_they_are_read(
    run: Run, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.cli_events.MAX_LIMIT", 4)
    with ledger_on(database) as ledger:
        import_lines(ledger, tmp_path, imported_lines())
    head = len(answered(run("events", "--format", "json", "--limit", "100000")[1])["events"])
    assert head > 8

    for form in ("json", "ndjson", "csv", "table"):
        shown = run("events", "--format", form, "--limit", "9", "--sort", "-position")
        assert positions(form, shown[1]) == list(range(head, head - 9, -1))
        hint = shown[2]
        assert (f"more follow: --from {head - 8} " in hint) == (form != "json")
    assert answered(run("events", "--format", "json", "--limit", "9")[1])["next"] == 9
    code, out, err = run("events", "--limit", "100000", "--format", "csv")
    assert (code, err) == (0, "")
    assert positions("csv", out) == list(range(1, head + 1))
    assert run("events", "rep:nobody")[1] == "none\n"


def positions(form: str, out: str) -> list[int]:
    """Give the positions of the events that were shown."""
    match form:
        case "json":
            return [one["position"] for one in answered(out)["events"]]
        case "ndjson":
            return [json.loads(line)["position"] for line in out.splitlines()]
        case "csv":
            return [int(row["position"]) for row in csv.DictReader(io.StringIO(out))]
        case _:
            words = [line.split()[:1] for line in out.splitlines()]
            return [int(word) for line in words for word in line if word.isdigit()]


def test_the_log_is_asked_in_every_form(run: Run, database: str, tmp_path: Path) -> None:
    with ledger_on(database) as ledger:
        import_lines(ledger, tmp_path, imported_lines())
    query = "type:stage_entered,discount_offered data.percent:*"

    code, out, _ = run("events", query, "--format", "json", "--limit", "2", "--sort", "-occurred")
    told = answered(out)
    assert (code, told["query"], len(told["events"])) == (0, query, 2)
    again = run("events", query, "--sort", "-occurred", "--from", str(told["next"]))
    assert f" {told['events'][-1]['position']} " not in again[1]
    code, out, err = run("events", query, "--format", "ndjson", "--limit", "1")
    assert [json.loads(line)["type"] for line in out.splitlines()] == ["discount_offered"]
    assert "more follow: --from " in err
    code, out, _ = run("events", query, "--by", "type,rep", "--format", "json")
    assert sum(group["count"] for group in answered(out)["groups"]) == answered(out)["total"] > 2
    code, out, _ = run("events", query, "--by", "quarter")
    assert "events" in out.splitlines()[-1]
    code, _, err = run("events", "repp:ann")
    assert (code, err) == (
        1,
        "dealtrail: q, column 1: there is no field 'repp'; did you mean rep?\n",
    )
