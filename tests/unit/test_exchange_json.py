"""JSON files are read record by record, whatever their size, and refused where they are broken."""

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.exchange import json_stream
from api.exchange.json_stream import ELEMENT, JsonStream, Place
from api.exchange.lines import ExportRefusedError

RECORDS: tuple[Place, ...] = (("records", ELEMENT), (ELEMENT, "records", ELEMENT))


def stream(path: Path, **more: Any) -> JsonStream:
    return JsonStream(path, **{"places": RECORDS, "expected": "records"} | more)


def read(tmp_path: Path, content: str | bytes, **more: Any) -> list[object]:
    path = tmp_path / "file.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return [found.value for found in stream(path, **more)]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc"), inner, max_size=4),
    max_leaves=12,
)


@given(records=st.lists(JSON, max_size=6), chunk=st.integers(1, 40), indent=st.none() | st.just(1))
def test_records_are_those_of_the_file_wherever_it_is_cut_into_chunks(
    records: list[object],
    chunk: int,
    indent: int | None,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    text = json.dumps({"before": [1, {"x": []}], "records": records, "after": {}}, indent=indent)
    path = tmp_path_factory.mktemp("json") / "file.json"
    path.write_text(text)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_stream, "_CHUNK", chunk)
        found = list(stream(path))

    as_text = json.loads(text, parse_int=str, parse_float=str)["records"]
    assert [one.value for one in found] == as_text
    assert [one.row for one in found] == list(range(1, len(records) + 1))


def test_pages_may_stand_in_an_array_or_one_after_the_other(tmp_path: Path) -> None:
    page, other = '{"records": ["a"], "done": false}', '{"records": ["b"], "done": true}'

    assert read(tmp_path, f"[{page}, {other}]") == ["a", "b"]
    assert read(tmp_path, f"{page}\n{other}\n") == ["a", "b"]


def test_numbers_keep_every_digit(tmp_path: Path) -> None:
    huge = "9" * 6000

    assert read(tmp_path, f'{{"records": [45900.45, 1e999, {huge}]}}') == [
        "45900.45",
        "1e999",
        huge,
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "another format"),
        (b"id,name\n1,2\n", "another format"),
        (b'{"data": []}', "another format"),
        (b'{"records": {"a": 1}}', "another format"),
        (b"\x1f\x8b\x08", "gzip"),
        (b'{"records": [{"a": 1}, {"a": ', "row 2: cut short"),
        (b'{"records": [{"a": 1}, {"a": "x', "row 2: cut short"),
        (b'{"records": [{"a": 1}', "row 2: cut short"),
        (b'{"records": [{"a": 1}]', "row 2: cut short"),
        (b'{"records": [{"a" 1}, {"a": "much more text than the margin"}]}', "row 1: not JSON"),
        (b'{"records": [{"a": 1, "a": 2}]}', "row 1: the key 'a' is given twice"),
        (b'{"records": [NaN]}', "row 1: NaN is not JSON"),
        (b'{"records": ["\\ud800"]}', "row 1: holds half a character"),
        (b'{"records": ["\xe9"]}', "row 1: not text in utf-8"),
        (b'{"records": [1] "more": 2}', "not JSON"),
        (b'{"records": [1]} more', "row 2: cut short, or not JSON"),
        (b"{records: [1]}", "not JSON"),
        (b'{"records": [' + b"[" * 200_000, "row 1: nested too deeply"),
    ],
)
def test_a_broken_file_is_refused(content: bytes, reason: str, tmp_path: Path) -> None:
    with pytest.raises(ExportRefusedError, match=reason):
        read(tmp_path, content)


def test_another_encoding_is_read_where_it_is_declared(tmp_path: Path) -> None:
    assert read(tmp_path, b'{"records": ["\xe9"]}', encoding="cp1252") == ["é"]
    assert read(tmp_path, '\ufeff{"records": ["é"]}') == ["é"]


def test_a_record_without_end_is_refused_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_stream, "MAX_RECORD", 1000)
    monkeypatch.setattr(json_stream, "_CHUNK", 100)

    with pytest.raises(ExportRefusedError, match="a record of more than 1000 characters"):
        read(tmp_path, '{"records": ["' + "x" * 100_000)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    record = json.dumps({"text": "x" * 1000})

    def peak(records: int) -> int:
        path = tmp_path / f"{records}.json"
        path.write_text('{"records": [' + ",".join([record] * records) + "]}")
        tracemalloc.start()
        assert sum(1 for _ in stream(path)) == records
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(4000) < 2 * peak(400)
