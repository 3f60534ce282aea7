"""No reader crashes or hangs on files made wrong; `scripts/fuzz` looks for longer."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.fuzz import targets
from tests.support.fuzz.targets import TARGETS, Target, held, made_wrong, seeds_of

FILES = 12


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_no_file_breaks_a_reader(target: Target, shared_data: Path, tmp_path: Path) -> None:
    chance, seeds = random.Random(target.name), seeds_of(target, shared_data)

    outcomes = [held(target, made_wrong(seeds, chance), tmp_path) for _ in range(FILES)]

    assert set(outcomes) != {"refused"}


def test_an_encoding_that_xml_does_not_know_is_refused(tmp_path: Path) -> None:
    xes = next(one for one in TARGETS if one.format == "xes")
    for encoding in ("UPF-8", "utf-32", "big5"):
        text = f'<?xml version="1.0" encoding="{encoding}"?><log/>'.encode()
        assert held(xes, [("log.xes", text)], tmp_path) == "refused"


def test_a_table_of_objects_without_ids_is_refused(shared_data: Path, tmp_path: Path) -> None:
    target = next(one for one in TARGETS if one.path.endswith(".sqlite"))
    ((name, content),) = seeds_of(target, shared_data)
    with closing(sqlite3.connect(":memory:")) as database:
        database.deserialize(content)
        database.execute("ALTER TABLE object_Deal RENAME COLUMN ocel_id TO odd")
        database.commit()
        content = database.serialize()

    assert held(target, [(name, content)], tmp_path) == "refused"


@pytest.mark.parametrize("name", [b"intended_outcome", b"event_object"])
def test_a_database_that_calls_something_by_no_text_is_refused(
    name: bytes, shared_data: Path, tmp_path: Path
) -> None:
    target = next(one for one in TARGETS if one.path.endswith(".sqlite"))
    ((file, content),) = seeds_of(target, shared_data)

    assert held(target, [(file, content.replace(name, name[:-1] + b"\x81"))], tmp_path) == "refused"


def test_a_fault_is_found(
    monkeypatch: pytest.MonkeyPatch, shared_data: Path, tmp_path: Path
) -> None:
    def crash(*_: object, **__: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr(targets, "reader_for", crash)
    with pytest.raises(targets.FoundError, match="KeyError"):
        held(TARGETS[0], seeds_of(TARGETS[0], shared_data), tmp_path)
