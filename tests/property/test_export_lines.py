"""What is exported reads back as the same lines, whatever people wrote."""

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.exchange.context import NoContext
from api.exchange.exporting import EXPORTS
from api.exchange.importing import FORMATS, reader_for
from api.exchange.lines import Findings, Line
from api.exchange.own_lines import content_of, line_of
from api.exchange.told import Told, line_bytes
from domain.events.catalogue import EVENT_TYPES, TYPES_BY_NAME, parse
from domain.replay import Event
from tests.support.hostile_events import LINE, TEXT, events_of, payloads

NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40).filter(
    lambda text: bool(text.strip()) and text == text.strip()
)
TEXTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t=+-@'\"<&\\"),
    min_size=1,
    max_size=60,
).filter(lambda text: bool(text.strip()))


def told(events: Sequence[Event]) -> list[Told]:
    return [Told(event, event.stream_id) for event in events]


def read_back(name: str, content: bytes) -> tuple[list[Line], Findings]:
    findings = Findings()
    (chosen,) = (one for one in FORMATS if one == name)
    with TemporaryDirectory() as folder:
        file = Path(folder) / f"export.{EXPORTS[name].suffix}"
        file.write_bytes(content)
        reader = reader_for(chosen, [file], profile=None, known=NoContext())
        return [line._replace(file="", row=0) for line in reader.lines(findings)], findings


def assert_same(name: str, events: Sequence[Event], *, at_once: int = 7) -> None:
    exported = told(events)
    batches = [exported[i : i + at_once] for i in range(0, len(exported), at_once)]
    content = b"".join(EXPORTS[name].write(iter(batches)))

    lines, findings = read_back(name, content)

    assert findings.rejects == []
    assert findings.rows_read >= len(events)  # the objects of OCEL are read, too
    assert lines == [line_of(content_of(line_bytes(e).decode()), file="", row=0) for e in exported]
    for event, line in zip(events, lines, strict=True):
        again = parse(TYPES_BY_NAME[line.type], line.data)
        assert again.to_json() == event.data.to_json()
        assert (line.occurred_at, line.recorded_at) == (event.occurred_at, event.recorded_at)
        assert (line.actor, line.on_behalf_of) == (event.actor, event.on_behalf_of)
        assert line.caused_by == (str(event.caused_by) if event.caused_by else None)
        assert line.kept is not None
        assert (line.kept.event_id, line.kept.stream_id) == (event.event_id, event.stream_id)


def test_the_examples_hold_every_type_and_hostile_text_in_each_that_takes_text() -> None:
    examples = payloads([TEXT[:10_000], LINE[:500], LINE[:200].strip()])

    assert {one.TOPIC for one in examples} == set(EVENT_TYPES)
    assert sum(len(one.to_json()) > 10_000 for one in examples) > 30
    assert sum("cmd|" in one.to_json().decode() for one in examples) > len(examples) - 12


@pytest.mark.parametrize("who", [LINE[:200].strip(), "'=quoted", "\ufeffmarked", "-"])
@pytest.mark.parametrize("name", EXPORTS)
def test_hostile_text_in_every_field_reads_back(name: str, who: str) -> None:
    said = payloads([TEXT[:10_000], LINE[:500], LINE[:200].strip()])

    assert_same(name, events_of(said, who))


@pytest.mark.parametrize("name", EXPORTS)
@given(name_of=NAMES, text=TEXTS)
@settings(max_examples=5, deadline=None)
def test_any_text_reads_back(name: str, name_of: str, text: str) -> None:
    assert_same(name, events_of(payloads([text, name_of]), name_of))


@pytest.mark.parametrize("name", [name for name in EXPORTS if name not in ("xes", "ocel2")])
def test_an_export_of_nothing_reads_as_nothing(name: str) -> None:
    content = b"".join(EXPORTS[name].write(iter([])))

    if name != "cloudevents":
        assert read_back(name, content)[0] == []
    else:
        assert json.loads(content) == []
