"""What the XES reader makes of the reference pack, of a real log, of traps, and of attacks."""

import gzip
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from api.exchange import xml_stream
from api.exchange.context import NoContext
from api.exchange.lines import ExportRefusedError, Findings, Line
from api.exchange.profile import Profile, profile_from
from api.exchange.xes import XesReader
from domain.events.catalogue import TYPES_BY_NAME, parse
from tests.support.exports import PACK
from tests.support.reference import QUOTAS, expected_of, log_profile, told_of, wanted, without

PROFILE = log_profile(prefix="deal:", event_name="deal:kind", currency="USD")
OFFERS = ("SELECTED", "CREATED", "SENT", "SENT_BACK", "ACCEPTED", "DECLINED", "CANCELLED")
KEYS = {f"D{number:02}": f"D{number:02}" for number in range(1, 16)}


@pytest.fixture
def log(shared_data: Path) -> Path:
    return shared_data / PACK / "xes/deals.xes"


def read(path: Path, profile: Profile = PROFILE) -> tuple[list[Line], Findings]:
    findings = Findings()
    return list(XesReader([path], profile, NoContext()).lines(findings)), findings


def written(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "log.xes"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def told(lines: list[Line]) -> list[Any]:
    return [(line.external_id, line.occurred_at, line.actor, line.data) for line in lines]


NOTES = profile_from(
    {"events": {"said": {"type": "note_added", "fields": {"text": "what"}}}}, name="p"
)


def one_trace(*events: str, before: str = "", case: str = "D1") -> str:
    name = f'<string key="concept:name" value="{case}"/>' if case else ""
    return f"<log>{before}<trace>{name}{''.join(events)}</trace></log>"


def event(
    what: str, *, at: str = "2024-08-05T09:12:00.000-04:00", name: str = "said", more: str = ""
) -> str:
    return (
        f'<event><string key="concept:name" value="{name}"/>'
        f'<date key="time:timestamp" value="{at}"/>'
        f'<string key="what" value="{what}"/>{more}</event>'
    )


def texts(lines: list[Line]) -> list[object]:
    return [line.data["text"] for line in lines if line.type == "note_added"]


def test_the_facts_are_those_of_the_reference(log: Path, shared_data: Path) -> None:
    lines, findings = read(log)

    deals, facts = told_of(lines, people={n: n for n in ("ana", "ben", "chi")}, keys=KEYS)

    expected = expected_of(shared_data)
    for key, deal in expected["deals"].items():
        assert without(deals[key], QUOTAS) == wanted(deal, blind=QUOTAS), key
    won = {key: float(net) for key, net in facts.won_by_rep_quarter.items()}
    assert won == expected["won_by_rep_quarter"]
    assert Counter(line.type for line in lines)["outcome_evidenced"] == 2
    assert (findings.rejects, findings.rows_read) == ([], 98)
    for line in lines:
        parse(TYPES_BY_NAME[line.type], line.data)


def test_a_log_is_read_without_namespace_in_capitals_and_compressed(
    log: Path, tmp_path: Path
) -> None:
    text = log.read_text()
    bare = text.replace(' xmlns="http://www.xes-standard.org/"', "").replace(
        'value="complete"', 'value="COMPLETE"'
    )
    zipped = tmp_path / "log.xes.gz"
    zipped.write_bytes(gzip.compress(bare.encode()))

    assert told(read(zipped)[0]) == told(read(log)[0])


@pytest.mark.slow
def test_every_event_of_a_real_log_is_accounted_for(shared_data: Path) -> None:
    offers = shared_data / "data/bpic2012_offers/BPI_Challenge_2012_O.xes.gz"
    closes = {"ACCEPTED": "won", "DECLINED": "lost", "CANCELLED": "lost"}
    stages = [{"name": f"O_{one}", "closes": closes.get(one)} for one in OFFERS]
    entered = {"type": "stage_entered", "fields": {"stage": "concept:name"}}
    profile = profile_from(
        {
            "stages": stages,
            "events": {f"O_{one}": entered for one in OFFERS if one != "SELECTED"}
            | {"O_SELECTED": "ignored"},
        },
        name="test",
    )

    lines, findings = read(offers, profile)

    by_type = Counter(line.type for line in lines)
    assert findings.rows_read == 31_244
    assert findings.notes == ["events called 'O_SELECTED' were ignored, as declared (7030 times)"]
    assert by_type["stage_entered"] == 31_244 - 7_030
    assert by_type["deal_opened"] == 5_015
    assert findings.rejects == []
    assert len({line.external_id for line in lines}) == len(lines)


def test_events_of_one_moment_stay_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        one_trace(
            event("b", at="2024-08-05T13:12:00Z"),
            event("late", at="2024-08-06T00:00:00Z"),
            event("a", at="2024-08-05T15:12:00+02:00"),
            event("b", at="2024-08-05T13:12:00Z", more='<string key="why" value="again"/>'),
            event("b", at="2024-08-05T13:12:00Z"),
        ),
    )

    lines, findings = read(path, NOTES)

    assert texts(lines) == ["b", "a", "b", "late"]
    assert len({line.external_id for line in lines}) == len(lines)
    # What says the very same is the same event, told twice.
    assert (findings.duplicates, findings.rejects) == (1, [])


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ({}, ["deal_opened", "deal_won", "win_reversed", "deal_reopened", "deal_won"]),
        (
            {"undone": {"type": "win_reversed"}},
            ["deal_opened", "deal_won", "deal_reopened", "deal_won"],
        ),
    ],
)
def test_a_won_deal_that_is_reopened_has_its_win_reversed(
    declared: dict[str, Any], expected: list[str], tmp_path: Path
) -> None:
    said = {
        "won": {"type": "deal_won", "fields": {"net": "what", "currency": {"value": "USD"}}},
        "back": {"type": "deal_reopened"},
    }
    names = ("won", "back", "back", "won")
    days = [event("5", name=name, at=f"2024-08-0{n}T00:00:00Z") for n, name in enumerate(names, 1)]
    profile = profile_from({"events": said | declared}, name="p")

    lines, _ = read(written(tmp_path, one_trace(*days)), profile)

    # Of an open deal, a reopening reverses nothing.
    assert [line.type for line in lines] == [*expected[:-1], "deal_reopened", "deal_won"]


def test_a_deal_of_a_log_is_won_again_on_its_close_date(tmp_path: Path) -> None:
    win = {"net": "what", "currency": {"value": "USD"}, "closed_on": "on"}
    said = {"won": {"type": "deal_won", "fields": win}, "back": {"type": "deal_reopened"}}
    day = '<string key="on" value="2024-07-30"/>'
    days = [
        event("5", name="won", at="2024-08-01T00:00:00Z", more=day),
        event("5", name="back", at="2024-08-02T00:00:00Z"),
        event("5", name="won", at="2024-08-03T00:00:00Z", more=day),
    ]

    lines, _ = read(written(tmp_path, one_trace(*days)), profile_from({"events": said}, name="p"))

    names = {line.external_id: line.type for line in lines}
    assert [
        (line.type, line.occurred_at.day, names.get(str(line.data.get("event_id"))))
        for line in lines
    ] == [
        ("deal_opened", 30, None),
        ("deal_won", 30, None),
        ("win_reversed", 2, None),
        ("deal_reopened", 2, None),
        ("win_reversed", 30, None),
        ("deal_reopened", 30, None),
        ("event_retracted", 3, "win_reversed"),
        ("event_retracted", 3, "deal_reopened"),
        ("deal_won", 30, None),
    ]


def test_a_deal_is_opened_by_its_opening_at_its_first_event(tmp_path: Path) -> None:
    opening = [
        {"type": "deal_opened", "fields": {"name": "what", "owner": "who", "amount": "worth"}},
        {"type": "stage_entered", "fields": {"stage": {"value": "New"}}},
    ]
    said = {"open": opening, "said": {"type": "note_added", "fields": {"text": "what"}}}
    more = '<string key="who" value="ann"/><string key="worth" value="{}"/>'
    opened = event("Retrofit", name="open", at="2024-08-02T00:00:00Z", more=more.format(7))
    before = event("as we met", at="2024-08-01T00:00:00Z")
    profile = profile_from({"events": said, "currency": "USD"}, name="p")

    lines, findings = read(written(tmp_path, one_trace(opened, before)), profile)
    bad = opened.replace('value="7"', 'value="many"')
    stub, rejected = read(written(tmp_path, one_trace(bad, before)), profile)

    told = [(line.type, line.occurred_at.day, line.row) for line in lines]
    assert told == [("deal_opened", 1, 1), ("note_added", 1, 2), ("stage_entered", 2, 1)]
    assert (lines[0].data["name"], lines[0].data["owner"]) == ("Retrofit", "ann")
    assert findings.rejects == []
    assert [line.type for line in stub] == ["deal_opened", "note_added"]
    assert [one.row for one in rejected.rejects] == [1]


def test_nested_attributes_and_defaults_are_read_but_no_time_is_invented(tmp_path: Path) -> None:
    before = (
        '<global scope="event"><date key="time:timestamp" value="1970-01-01T00:00:00Z"/>'
        '<string key="org:resource" value="system"/>'
        '<string key="kind" value="__INVALID__"/></global>'
    )
    nested = '<container key="who"><string key="name" value="Ana"/></container>'
    untimed = '<event><string key="concept:name" value="said"/></event>'
    path = written(tmp_path, one_trace(event("x", more=nested), untimed, before=before))
    profile = profile_from(
        {"events": {"said": {"type": "note_added", "fields": {"text": "who/name"}}}}, name="p"
    )

    lines, findings = read(path, profile)

    assert texts(lines) == ["Ana"]
    assert lines[0].actor == "system"
    (reject,) = findings.rejects
    assert (reject.row, reject.reason.partition(":")[0]) == (2, "time")


def test_what_is_begun_and_not_complete_is_counted(tmp_path: Path) -> None:
    begun = '<string key="lifecycle:transition" value="START"/>'
    path = written(tmp_path, one_trace(event("x", more=begun), event("y")))

    lines, findings = read(path, NOTES)

    assert texts(lines) == ["y"]
    assert findings.notes[0] == "events of which only the 'start' is told were left out"


def test_events_of_a_trace_without_a_name_are_rejects(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        one_trace(event("x"), case="").replace(
            "</log>", one_trace(event("y")).removeprefix("<log>")
        ),
    )

    lines, findings = read(path, NOTES)

    assert texts(lines) == ["y"]
    assert [(one.row, one.reason) for one in findings.rejects] == [
        (1, "concept:name: the trace of this event has none")
    ]


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE log [<!ENTITY a0 "ha">'
    + "".join(
        f'<!ENTITY a{n} "{"&a" + str(n - 1) + ";" if n > 1 else "&a;"}">' for n in range(1, 20)
    )
    + ']><log><trace><string key="concept:name" value="&a29;"/></trace></log>'
)
OUTSIDE = '<!DOCTYPE log SYSTEM "file:///etc/hostname"><log/>'


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (BOMB, "row 1: a document type declaration, which is not read"),
        (OUTSIDE, "a document type declaration, which is not read"),
        ("", "cut short"),
        ("id,name\n1,2\n", "not XML"),
        ('{"records": []}', "not XML"),
        ("<html></html>", "another format: expected <log>"),
        ("<log><trace></log>", "not XML: mismatched tag"),
        ("<log><trace>", "cut short"),
        ('<log><trace><string key="concept:name" val', "cut short"),
        (b"<log>\n\xe9</log>", "row 2: not XML"),
        ("<log>" * 100, "nested more than 64 levels deep"),
        (gzip.compress(b"<log></log>" * 9, mtime=0)[:-12], "cut short, or not gzip"),
        (b"\x1f\x8bnot", "cut short, or not gzip"),
        ("<log>&hidden;</log>", "not XML: undefined entity"),
    ],
)
def test_broken_and_hostile_files_are_refused(
    content: str | bytes, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(ExportRefusedError, match=reason):
        read(written(tmp_path, content))


def test_a_value_or_an_event_without_end_is_refused_while_it_is_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xml_stream, "MAX_TOKEN", 1 << 17)
    endless = '<log><trace><string key="concept:name" value="' + "x" * (1 << 20)
    crowded = one_trace(event("x", more='<int key="a" value="1"/>' * 3)).replace(
        "</event>",
        "".join(f'<int key="a{number}" value="1"/>' for number in range(10_001)) + "</event>",
    )

    with pytest.raises(ExportRefusedError, match="bytes without a tag"):
        read(written(tmp_path, endless))
    with pytest.raises(ExportRefusedError, match="more than 10000 attributes"):
        read(written(tmp_path, crowded), NOTES)


def test_another_encoding_is_read_where_it_is_declared(tmp_path: Path) -> None:
    latin = one_trace(event("é")).encode("cp1252")
    declared = b'<?xml version="1.0" encoding="ISO-8859-1"?>' + latin
    profile = NOTES.model_copy(update={"encoding": "cp1252"})

    assert texts(read(written(tmp_path, declared), NOTES)[0]) == ["é"]
    assert texts(read(written(tmp_path, latin), profile)[0]) == ["é"]


def test_huge_numbers_are_rejects(tmp_path: Path) -> None:
    huge = f'<int key="amount" value="{"9" * 5000}"/>'
    path = written(tmp_path, one_trace(event("x", name="amount_changed", more=huge), event("y")))

    lines, findings = read(path, NOTES)

    assert texts(lines) == ["y"]
    (reject,) = findings.rejects
    assert "amount: expected a number of at most" in reject.reason
