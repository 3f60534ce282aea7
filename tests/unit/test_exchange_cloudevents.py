"""What the reader of CloudEvents makes of the reference pack, of its traps, and of broken files."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from api.exchange.cloudevents import CloudEventsReader
from api.exchange.context import NoContext
from api.exchange.lines import ExportRefusedError, Findings, Line
from api.exchange.profile import Profile, ProfileRefusedError, profile_from
from domain.events.catalogue import TYPES_BY_NAME, parse
from tests.support.exports import PACK
from tests.support.reference import QUOTAS, expected_of, log_profile, told_of, wanted, without

AT = "2024-12-30T12:00:00Z"
PEOPLE = {name: name for name in ("ana", "ben", "chi")}
KEYS = {f"D{number:02}": f"D{number:02}" for number in range(1, 16)}


def named(kind: str) -> str:
    return f"com.example.opportunity.{kind.replace('_', '-')}.v1"


PROFILE = log_profile(named, currency="USD")


@pytest.fixture
def batch(shared_data: Path) -> Path:
    return shared_data / PACK / "cloudevents/batch.json"


def read(path: Path, profile: Profile = PROFILE) -> tuple[list[Line], Findings]:
    findings = Findings()
    return list(CloudEventsReader([path], profile, NoContext()).lines(findings)), findings


def events(batch: Path) -> list[Any]:
    content: list[Any] = json.loads(batch.read_text())
    return content


def written(target: Path, content: list[Any]) -> Path:
    target.write_text(json.dumps(content))
    return target


def told(lines: list[Line]) -> list[Any]:
    return [(line.external_id, line.occurred_at, line.recorded_at, line.data) for line in lines]


def test_the_facts_are_those_of_the_reference(batch: Path, shared_data: Path) -> None:
    lines, findings = read(batch)

    deals, facts = told_of(lines, people=PEOPLE, keys=KEYS)

    expected = expected_of(shared_data)
    for key, deal in expected["deals"].items():
        assert without(deals[key], QUOTAS) == wanted(deal, blind=QUOTAS), key
        assert [o["outcome"] for o in deal["outcomes"]] == said(lines, key, "outcome_evidenced")
        recorded = said(lines, key, "customer_commitment_recorded")
        assert [one["what"] for one in deal["commitments"]] == recorded
    won = {key: float(net) for key, net in facts.won_by_rep_quarter.items()}
    assert won == expected["won_by_rep_quarter"]
    assert (findings.rejects, findings.rows_read) == ([], 98)
    for line in lines:
        parse(TYPES_BY_NAME[line.type], line.data)


def said(lines: list[Line], deal: str, kind: str) -> list[object]:
    key = "outcome" if kind == "outcome_evidenced" else "what"
    return [line.data[key] for line in lines if line.type == kind and line.stream == f"deal:{deal}"]


def test_occurred_and_recorded_are_kept_apart(batch: Path) -> None:
    lines, _ = read(batch)

    first = next(line for line in lines if line.stream == "deal:D03")
    assert first.occurred_at.isoformat() == "2024-07-15T14:00:00+00:00"
    assert first.recorded_at is not None
    assert first.recorded_at.isoformat() == "2024-07-15T14:00:02+00:00"
    assert first.external_id == "/crm/acme D03-001:deal_opened"


def test_one_event_a_line_is_told_like_a_batch_in_any_order(batch: Path, tmp_path: Path) -> None:
    lines = tmp_path / "events.ndjson"
    lines.write_text("\n".join(json.dumps(event) for event in reversed(events(batch))))

    assert told(read(lines)[0]) == told(read(batch)[0])


def test_events_of_one_moment_stand_by_sequence_and_then_as_in_the_file(
    batch: Path, tmp_path: Path
) -> None:
    at = {"time": "2024-12-30T12:00:00Z", "recordedtime": "2024-12-30T12:00:00Z"}
    given = next(one for one in events(batch) if one["type"] == named("stage_entered"))

    def stage(number: str, name: str, sequence: str) -> Any:
        more = {"id": number, "sequence": sequence, "subject": "deal/D12"} | at
        return given | more | {"data": {"new": name}}

    extra = [
        stage("x1", "Negotiation", "0000000300"),
        stage("x2", "Discovery", "0000000200"),
        stage("x3", "Proposal", "0000000200"),
    ]

    lines, _ = read(written(tmp_path / "batch.json", events(batch) + extra))

    path = [
        line.data["stage"] for line in lines if line.stream == "deal:D12" and "stage" in line.data
    ]
    assert path == ["Prospecting", "Discovery", "Proposal", "Negotiation"]


def test_source_and_id_tell_a_repeated_event(batch: Path, tmp_path: Path) -> None:
    first, second, *_ = events(batch)
    other = second | {"data": second["data"] | {"new": "Proposal"}}
    path = written(tmp_path / "batch.json", [*events(batch), first, other])

    lines, findings = read(path)

    assert findings.duplicates == 1
    (reject,) = findings.rejects
    assert (reject.row, reject.reason) == (100, "id: another row has this id")
    assert told(lines) == told(read(batch)[0])


def test_a_deal_whose_opening_is_missing_is_opened_by_its_first_event(
    batch: Path, tmp_path: Path
) -> None:
    kept = [one for one in events(batch) if one["type"] != named("deal_created")]

    lines, findings = read(written(tmp_path / "batch.json", kept))

    first = next(line for line in lines if line.stream == "deal:D01")
    assert (first.type, first.occurred_at.isoformat()) == (
        "deal_opened",
        "2024-08-20T15:00:00+00:00",
    )
    assert "account: the log names none (14 times)" in findings.not_expressible
    assert findings.rejects == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": ""}, "id: missing"),
        ({"source": None}, "source: missing"),
        ({"specversion": "0.3"}, "specversion: expected 1.0, not '0.3'"),
        ({"subject": None}, "subject: missing"),
        ({"time": "yesterday"}, "time: expected an instant"),
        ({"recordedtime": 7}, "recordedtime: expected an instant"),
        ({"data": {"amount": "1e9999", "owner": "ana"}}, "amount: expected a number"),
        ({"data": {"close_date": "soon", "owner": "ana"}}, "close_date: expected a date"),
        ({"data": '{"owner": "ana"}'}, "data: expected an object"),
        ({"data_base64": "bm8="}, "data: expected an object with 'name'"),
        ({"data_base64": 7}, "data_base64: expected base64"),
    ],
)
def test_a_bad_event_is_rejected_alone(
    change: dict[str, Any], reason: str, batch: Path, tmp_path: Path
) -> None:
    bad = events(batch)[0] | {"id": "new", "subject": "deal/X"} | change
    path = written(tmp_path / "batch.json", [*events(batch), bad])

    lines, findings = read(path)

    (reject,) = findings.rejects
    assert (reject.file, reject.row) == ("batch.json", 99)
    assert reason in reject.reason
    assert told(lines) == told(read(batch)[0])


def test_data_in_base64_is_data(batch: Path, tmp_path: Path) -> None:
    def encoded(event: Any) -> Any:
        said = b64encode(json.dumps(event.pop("data")).encode()).decode()
        return event | {"data_base64": said}

    lines, findings = read(written(tmp_path / "d.json", [encoded(one) for one in events(batch)]))

    assert findings.rejects == []
    assert told(lines) == told(read(batch)[0])


def test_data_beside_an_empty_base64_is_data(batch: Path, tmp_path: Path) -> None:
    both = [one | {"data_base64": None} for one in events(batch)]

    lines, findings = read(written(tmp_path / "d.json", both))

    assert findings.rejects == []
    assert told(lines) == told(read(batch)[0])


@pytest.mark.parametrize(
    "said",
    [
        *({"data": data} for data in ("gone", 7, True, ["gone"], None)),
        *({"data_base64": b64encode(data).decode()} for data in (b"\xff\x00", b"7", b"gone")),
        {},
    ],
)
def test_an_event_that_needs_no_attributes_may_hold_any_data(said: Any, tmp_path: Path) -> None:
    event = {"id": "1", "source": "crm", "specversion": "1.0", "type": "deal_disqualified"}
    path = written(tmp_path / "b.json", [event | {"subject": "deal/A", "time": AT} | said])

    lines, findings = read(path, Profile())

    assert findings.rejects == []
    assert [line.type for line in lines] == ["deal_opened", "deal_disqualified"]
    note = "the data of an event that is no object was not read"
    assert (note in findings.notes) == (said not in ({}, {"data": None}))


def test_an_event_without_attributes_that_names_its_deal_by_one_is_a_reject(
    tmp_path: Path,
) -> None:
    event = {"id": "1", "source": "crm", "specversion": "1.0", "type": "deal_disqualified"}
    path = written(tmp_path / "b.json", [event | {"time": AT, "data": "gone"}])

    _, findings = read(path, profile_from({"case": "deal"}, name="p"))

    assert [one.reason for one in findings.rejects] == ["deal: missing"]


def test_a_batch_of_bad_events_is_a_list_of_rejects(batch: Path, tmp_path: Path) -> None:
    untimed = [one | {"time": "soon"} for one in events(batch)]

    lines, findings = read(written(tmp_path / "batch.json", untimed))

    assert (lines, len(findings.rejects)) == ([], 98)
    assert {one.reason.partition(",")[0] for one in findings.rejects} == {
        'time: expected an instant such as "2024-12-31 23:59:59"'
    }


@pytest.mark.parametrize(
    ("time", "instant"),
    [("2024-07-15t14:00:00z", "14:00"), ("2024-07-15T14:00:00", "12:00")],
)
def test_a_time_is_read_as_its_standard_and_the_profile_have_it(
    time: str, instant: str, batch: Path, tmp_path: Path
) -> None:
    path = written(tmp_path / "batch.json", [events(batch)[0] | {"time": time}])

    lines, _ = read(path, PROFILE.model_copy(update={"zone": "Europe/Berlin"}))

    opened = next(line for line in lines if line.type == "deal_opened")
    assert f"{opened.occurred_at:%H:%M}" == instant


def test_what_the_profile_does_not_say_is_refused_or_counted(batch: Path) -> None:
    with pytest.raises(ExportRefusedError, match=r"maps none of the events, .*deal-created\.v1"):
        read(batch, Profile())

    some = profile_from(
        {
            "currency": "USD",
            "events": {
                named("deal_created"): {"type": "deal_opened"},
                named("lost"): "ignored",
            },
        },
        name="test",
    )
    lines, findings = read(batch, some)

    assert {line.type for line in lines} == {"deal_opened"}
    counted = [what for what in (*findings.not_expressible, *findings.notes) if "events" in what]
    assert f"events called {named('lost')!r} were ignored, as declared (3 times)" in counted
    assert sum(times(what) for what in counted) == 98 - 15


def times(what: str) -> int:
    return int(what.rpartition("(")[2].removesuffix(" times)")) if what.endswith("times)") else 1


def test_our_own_types_need_no_declaration(batch: Path, tmp_path: Path) -> None:
    event = events(batch)[0] | {"type": "note_added", "data": {"text": "Said so."}}

    lines, _ = read(written(tmp_path / "batch.json", [event]), Profile())

    assert [line.type for line in lines] == ["deal_opened", "note_added"]
    assert lines[1].data == {"text": "Said so."}


def test_an_amount_of_another_shape_is_left_to_the_check_of_its_payload(
    batch: Path, tmp_path: Path
) -> None:
    def odd(event: Any) -> Any:
        return event | {"data": {"new": {"id": None}}} if "amount" in event["type"] else event

    lines, findings = read(written(tmp_path / "b.json", [odd(one) for one in events(batch)]))

    assert findings.rejects == []
    changed = [line.data for line in lines if line.type == "amount_changed"]
    assert changed == [{"amount": {"id": None}}] * 6


def test_another_format_is_refused(shared_data: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportRefusedError, match="another format: expected CloudEvents"):
        read(shared_data / PACK / "xes/deals.xes")
    with pytest.raises(ExportRefusedError, match="row 2: cut short"):
        read(written_text(tmp_path, '[{"id": "1"}, {"id": '))


def written_text(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "batch.json"
    path.write_text(text)
    return path


def test_a_mapping_that_cannot_be_names_its_key() -> None:
    with pytest.raises(ProfileRefusedError, match=r"events\.a\[0\]\.type: no event of a deal"):
        profile_from({"events": {"a": {"type": "quota_assigned"}}}, name="p")
    with pytest.raises(ProfileRefusedError, match=r"fields\.stag: stage_entered has no such"):
        profile_from(
            {"events": {"a": {"type": "stage_entered", "fields": {"stag": "x"}}}}, name="p"
        )
