"""What the reader of Dealtrail's own lines takes, rejects and refuses."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from api.exchange.lines import ExportRefusedError, Findings, Line
from api.exchange.ndjson import NdjsonReader
from api.exchange.salesforce_ids import full_id
from api.exchange.spool import GROUPS_AHEAD, MAX_HELD, Spool

GOOD: dict[str, Any] = {
    "stream": "deal:D1",
    "external_id": "e1",
    "type": "stage_entered",
    "occurred_at": "2025-01-08T00:00:00Z",
    "actor": "ana",
    "data": {"stage": "discovery"},
}


def read(path: Path) -> tuple[list[Line], Findings]:
    findings = Findings()
    return list(NdjsonReader([path]).lines(findings)), findings


def written(tmp_path: Path, *lines: str, end: str = "\n") -> Path:
    path = tmp_path / "lines.ndjson"
    path.write_bytes(end.join([*lines, ""]).encode())
    return path


def line(**changes: object) -> str:
    return json.dumps({**GOOD, **changes})


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
def test_line_ends_and_blank_lines_do_not_matter(end: str, tmp_path: Path) -> None:
    told, findings = read(written(tmp_path, line(), line(external_id="e2"), end=end))

    assert [one.external_id for one in told] == ["e1", "e2"]
    assert findings.rejects == []
    assert findings.rows_read == 2


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("{nope}", "not JSON"),
        ("[1]", "expected a JSON object"),
        (line(type="deal_teleported"), "type: no event type is called 'deal_teleported'"),
        (json.dumps({k: v for k, v in GOOD.items() if k != "actor"}), "actor: missing"),
        (line(occurred_at=None), "occurred_at: missing"),
        (line(occurred_at="2025-01-08"), "occurred_at: expected an instant"),
        (line(occurred_at="2025-01-08T00:00:00"), "occurred_at: expected an instant"),
        (line(recorded_at=7), "recorded_at: expected an instant"),
        (line(stream="quota:ana:FY2025Q1"), "stream: stage_entered belongs to"),
        (line(stream="deal:"), "stream: expected"),
        (line(data=[]), "data: expected an object"),
        (line(extra=1), "extra: not a key"),
        (line(external_id=""), "external_id: expected a text"),
        ('{"stream": "deal:D1", "stream": "deal:D2"}', "stream: given twice"),
        (f'{{"stream": "deal:D1", "position": {"1" * 5000}}}', "a number of too many digits"),
        (
            line(
                type="quota_assigned",
                stream="quota:ana:FY2025Q1",
                data={"rep": "ben", "quarter": "FY2025Q1"},
            ),
            "data.rep",
        ),
        (
            line(
                type="quota_assigned",
                stream="quota:ana:FY2025Q1",
                data={"rep": "ana", "quarter": "FY2025Q2"},
            ),
            "data.quarter",
        ),
        (line(type="calendar_adopted", stream="calendar:x"), 'stream: expected "calendar"'),
    ],
)
def test_a_bad_line_is_rejected_with_its_field(bad: str, reason: str, tmp_path: Path) -> None:
    told, findings = read(written(tmp_path, line(), bad, line(external_id="e3")))

    (reject,) = findings.rejects
    assert (reject.file, reject.row) == ("lines.ndjson", 2)
    assert reason in reject.reason
    assert [one.external_id for one in told] == ["e1", "e3"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (line().encode() + b"\n" + line().encode()[:-9], "row 2: cut short"),
        (line().encode() + b'\n{"actor": "Ren\xe9"}\n', "row 2: not text"),
        (b"a,b,c\n1,2,3\n", "another format"),
        (b"<log/>\n", "another format"),
        (b'[{"stream": "deal:D1"}]\n', "another format"),
        (b'{"deal": "D01", "seq": 1}\n', "another format"),
        (b'{\n "stream": "deal:D1"\n}\n', "another format"),
        (b"PK\x03\x04", "zip"),
    ],
)
def test_a_wrong_structure_is_refused_whole(content: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "lines.ndjson"
    path.write_bytes(content)

    with pytest.raises(ExportRefusedError, match=reason):
        read(path)


def test_a_last_line_without_its_end_is_taken_if_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "lines.ndjson"
    path.write_text(line())

    assert len(read(path)[0]) == 1


def test_context_without_a_time_takes_the_earliest_of_the_source(tmp_path: Path) -> None:
    context = {
        key: value
        for key, value in json.loads(
            line(type="plan_rate_set", stream="rates", external_id="r", data={})
        ).items()
        if key != "occurred_at"
    }
    earlier = line(occurred_at="2024-05-01T00:00:00Z", external_id="e0")

    told, findings = read(written(tmp_path, json.dumps(context), line(), earlier))

    assert findings.rejects == []
    assert told[0].occurred_at.isoformat() == "2024-05-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("position", "read_as"),
    [
        ("0" * 5000 + "1", 1),
        ("0" * 5000, 0),
        (7, 7),
        ("9" * 18, 10**18 - 1),
        ("9" * 19, None),
        ("9" * 5000, None),
        ("", None),
        ("-1", None),
    ],
)
def test_a_position_is_a_number_that_a_log_can_have(
    position: object, read_as: int | None, tmp_path: Path
) -> None:
    kept = {"event_id": str(UUID(int=1)), "stream_id": f"deal:{UUID(int=2)}"}

    told, findings = read(written(tmp_path, line(position=position, **kept)))

    assert findings.rejects == []
    assert [one.kept and one.kept.position for one in told] == [read_as]


def test_a_spool_gives_all_rows_by_key_and_keeps_the_order_of_equals() -> None:
    numbers = [7, 3, 9, 3, 1, 8, 2, 3]

    with Spool(run=3) as spool:
        for place, number in enumerate(numbers):
            spool.add([f"{number}"], {"place": place})
        told = [(key, [row["place"] for _, row in rows]) for key, rows in spool.groups()]

    assert told == [("1", [4]), ("2", [6]), ("3", [1, 3, 7]), ("7", [0]), ("8", [5]), ("9", [2])]


@pytest.mark.parametrize(("size", "most"), [(10, GROUPS_AHEAD), (MAX_HELD // 4, 2), (MAX_HELD, 1)])
def test_a_spool_gives_fewer_groups_at_once_if_they_are_large(size: int, most: int) -> None:
    """Here of two rows each."""
    with Spool() as spool:
        for number in range(3 * most):
            spool.add([f"{number:09}", 0], {"text": "x" * size})
            spool.add([f"{number:09}", 1], {})
        batches = [[name for name, _ in batch] for batch in spool.batches()]

    assert {len(batch) for batch in batches} == {most}
    assert [name for batch in batches for name in batch] == [f"{n:09}" for n in range(3 * most)]


@pytest.mark.parametrize(
    "known",
    ["0065g0000000w94AAA", "0055g0000000XQMAA2", "0Q05g0000000XQMCA2", "01J5g0000000dbXEAQ"],
)
def test_a_short_id_is_completed_by_its_case(known: str) -> None:
    assert full_id(known[:15]) == known
    assert full_id(known) == known
    assert full_id("D01") == "D01"
