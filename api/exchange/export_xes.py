"""The log as XES (IEEE 1849): each deal a trace, and everything else attributes of the log."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Final
from xml.sax.saxutils import quoteattr

from api.exchange.export_plain import (
    ENDS,
    LINE,
    SUBJECT_FIELDS,
    fields_of,
    line_text,
    payload_of,
    shown,
)
from api.exchange.lines import JsonObject
from api.exchange.records import stamp
from api.exchange.spool import Record, Spool
from api.exchange.told import Batches, Told, instant_text

OWN: Final = "dealtrail:"
"""What the names of our own attributes begin with."""
OWN_LINE: Final = OWN + LINE
"""The attribute of an event that holds its line."""
CONTEXT: Final = OWN + "context"
"""The attribute of the log that lists the events of no deal."""
_TOGETHER: Final = 200
_HEAD: Final = """\
<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1.0" xes.features="nested-attributes" xmlns="http://www.xes-standard.org/">
<extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
<extension name="Lifecycle" prefix="lifecycle" uri="http://www.xes-standard.org/lifecycle.xesext"/>
<extension name="Organizational" prefix="org" uri="http://www.xes-standard.org/org.xesext"/>
<extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
<extension name="Identity" prefix="identity" uri="http://www.xes-standard.org/identity.xesext"/>
<global scope="trace">
<string key="concept:name" value="deal"/>
</global>
<global scope="event">
<string key="concept:name" value="event"/>
<string key="lifecycle:transition" value="complete"/>
<string key="org:resource" value="nobody"/>
<date key="time:timestamp" value="1970-01-01T00:00:00Z"/>
</global>
<classifier name="Event type" keys="concept:name"/>
<classifier name="Event type and subject" keys="concept:name dealtrail:subject"/>
<classifier name="Resource" keys="org:resource"/>
<string key="concept:name" value="dealtrail"/>
"""


def xes(batches: Batches) -> Iterator[bytes]:
    """Write a log; its events are sorted by deal on disk first."""
    with Spool() as events:
        for batch in batches:
            for told in batch:
                events.add(*_record(told))
            # Whoever waits for the first bytes may have gone.
            yield b""
        yield _HEAD.encode()
        for stream_id, group in events.groups():
            records = (row for _, row in group)
            yield from _trace(stream_id, list(records)) if stream_id else _context(records)
        yield b"</log>\n"


def _record(told: Told) -> Record:
    event = told.event
    stream_id = event.stream_id if event.stream_id.startswith("deal:") else ""
    record: JsonObject = {
        "type": told.type,
        "stream": told.name,
        "id": str(event.event_id),
        "rep": event.rep,
        "at": instant_text(event.occurred_at),
        "data": payload_of(told) if stream_id else {},
        LINE: line_text(told),
    }
    return [stream_id, stamp(event.occurred_at), event.position], record


def _context(records: Iterable[JsonObject]) -> Iterator[bytes]:
    """Write the events of no deal: calendar, processes, quotas, the organisation."""
    yield f"<list key={quoteattr(CONTEXT)}>\n<values>\n".encode()
    rest = iter(records)
    while some := list(islice(rest, _TOGETHER)):
        lines = (_attribute(OWN_LINE, str(one[LINE])) for one in some)
        yield "".join(lines).encode()
    yield b"</values>\n</list>\n"


def _trace(stream_id: str, records: list[JsonObject]) -> Iterator[bytes]:
    yield ("<trace>\n" + "".join(_attributes_of(stream_id, records))).encode()
    rest = iter(records)
    while some := list(islice(rest, _TOGETHER)):
        yield "".join(map(_event, some)).encode()
    yield b"</trace>\n"


def _attributes_of(stream_id: str, records: list[JsonObject]) -> Iterator[str]:
    """Write what a deal is: as it was opened, and how it stands."""
    yield _attribute("concept:name", stream_id.removeprefix("deal:"))
    yield _attribute(OWN + "stream", str(records[0]["stream"]))
    opened = next((one for one in records if one["type"] == "deal_opened"), None)
    if opened is not None:
        yield from _fields(_data(opened))
    ends = [ENDS[str(one["type"])] for one in records if one["type"] in ENDS]
    yield _attribute(OWN + "status", ends[-1] if ends else "open")


def _event(record: JsonObject) -> str:
    data = _data(record)
    subject = " ".join(str(data[name]) for name in SUBJECT_FIELDS if name in data)
    return "".join(
        (
            "<event>\n",
            _attribute("concept:name", str(record["type"])),
            _attribute("lifecycle:transition", "complete"),
            _attribute("org:resource", str(record["rep"])),
            _tag("date", "time:timestamp", str(record["at"])),
            _tag("id", "identity:id", str(record["id"])),
            _attribute(OWN + "subject", subject),
            *_fields(data),
            _attribute(OWN_LINE, str(record[LINE])),
            "</event>\n",
        )
    )


def _data(record: JsonObject) -> Mapping[str, object]:
    data = record["data"]
    return data if isinstance(data, dict) else {}


def _fields(data: Mapping[str, object]) -> Iterator[str]:
    for one in fields_of(data):
        yield _tag(one.kind, OWN + one.name, shown(one.text))


def _attribute(key: str, value: str) -> str:
    return _tag("string", key, shown(value))


def _tag(kind: str, key: str, value: str) -> str:
    # quoteattr escapes tabs and the ends of lines, which a reader would take for blanks.
    return f"<{kind} key={quoteattr(key)} value={quoteattr(value)}/>\n"
