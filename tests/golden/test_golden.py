"""Bytes once stored are read for ever, and written the same; names of classes play no part.

Holds `docs/guarantees.md`: old events stay readable.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from api.storage.upcasts import UPCASTS, is_known, read_payload
from domain.events.catalogue import EVENT_TYPES

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FILES = sorted(HERE.glob("*.json"))
READ_ALL = """
import sys
from pathlib import Path
from domain.events.catalogue import EVENT_TYPES

for path in sorted(Path(sys.argv[1]).glob("*.json")):
    topic = ".".join(path.name.split(".")[:3])
    assert EVENT_TYPES[topic].model_validate_json(path.read_bytes()).to_json() == path.read_bytes()
print(EVENT_TYPES["deal.discount_offered.v1"])
"""


def topic_of(path: Path) -> str:
    """A file is called by its topic; a second example has a word of its own after it."""
    return ".".join(path.name.split(".")[:3])


CURRENT = [path for path in FILES if topic_of(path) in EVENT_TYPES]


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_stored_bytes_of_every_version_are_read_as_an_event_of_today(path: Path) -> None:
    event = read_payload(topic_of(path), path.read_bytes())

    assert event.TOPIC in EVENT_TYPES


@pytest.mark.parametrize("path", CURRENT, ids=[path.stem for path in CURRENT])
def test_stored_bytes_are_written_again_unchanged(path: Path) -> None:
    stored = path.read_bytes()

    assert read_payload(topic_of(path), stored).to_json() == stored


def test_every_topic_has_its_stored_bytes_former_versions_too() -> None:
    assert {topic_of(path) for path in FILES} == {*EVENT_TYPES, *UPCASTS}


def test_a_former_topic_leads_to_one_of_today_and_is_none_itself() -> None:
    for topic, (following, _) in UPCASTS.items():
        assert topic not in EVENT_TYPES
        assert is_known(following)


@pytest.mark.parametrize("topic", sorted(EVENT_TYPES))
def test_the_examples_of_a_topic_use_each_of_its_fields(topic: str) -> None:
    event_type = EVENT_TYPES[topic]
    examples = [
        event_type.model_validate_json(path.read_bytes())
        for path in FILES
        if topic_of(path) == topic
    ]

    used = {name for example in examples for name in example.model_fields_set}

    assert used == set(event_type.model_fields)


def test_renaming_a_class_and_moving_its_file_changes_no_stored_byte(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "domain", tmp_path / "domain")
    (tmp_path / "domain/events/money.py").rename(tmp_path / "domain/events/prices.py")
    for file in (tmp_path / "domain").rglob("*.py"):
        text = re.sub(r"\bDiscountOffered\b", "PriceCutPut", file.read_text(encoding="utf-8"))
        text = re.sub(r"\bevents\.money\b", "events.prices", text)
        text = re.sub(r"\b(import [a-z, ]*)\bmoney\b", r"\1prices as money", text)
        file.write_text(text, encoding="utf-8")

    run = subprocess.run(
        [sys.executable, "-c", READ_ALL, str(HERE)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "<class 'domain.events.prices.PriceCutPut'>"
