"""A generated history is one that could have happened, and the same every time."""

from collections import Counter
from itertools import islice, pairwise

import pytest

from api.bench.history import COLUMNS, History
from api.storage.upcasts import read_payload
from domain.events.catalogue import EVENT_TYPES


def rows_of(history: History) -> list[dict[str, str]]:
    return [
        dict(zip(COLUMNS, line.rstrip("\n").split("\t"), strict=True)) for line in history.lines()
    ]


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    return rows_of(History(20_000))


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not() -> None:
    first, again, other = (
        list(islice(History(1000, seed=seed).lines(), 1000)) for seed in (7, 7, 8)
    )

    assert first == again
    assert first != other


def test_a_shorter_history_of_one_pace_is_the_beginning_of_a_longer_one() -> None:
    shorter = list(History(500, pace=3000).lines())

    assert shorter == list(islice(History(3000).lines(), 500))


@pytest.mark.parametrize("events", [1, 40, 999, 2000])
def test_a_history_has_exactly_as_many_events_as_are_asked_for(events: int) -> None:
    assert len(list(History(events).lines())) == events


def test_positions_have_no_gap_and_the_log_never_goes_back(rows: list[dict[str, str]]) -> None:
    assert [int(row["position"]) for row in rows] == list(range(1, len(rows) + 1))
    assert all(a["recorded_at"] <= b["recorded_at"] for a, b in pairwise(rows))
    assert all(row["occurred_at"] <= row["recorded_at"] <= row["ingested_at"] for row in rows)


def test_every_stream_has_its_versions_in_order_and_every_event_its_own_id(
    rows: list[dict[str, str]],
) -> None:
    versions: Counter[str] = Counter()
    for row in rows:
        versions[row["stream_id"]] += 1
        assert int(row["version"]) == versions[row["stream_id"]]
    assert len({row["event_id"] for row in rows}) == len(rows)


def test_payloads_are_the_very_bytes_that_the_domain_writes(rows: list[dict[str, str]]) -> None:
    for row in rows:
        payload = row["data"].replace("\\\\", "\\")
        assert read_payload(row["topic"], payload).to_json().decode() == payload


def test_a_history_has_of_everything_that_makes_a_quarter_hard_to_replay(
    rows: list[dict[str, str]],
) -> None:
    topics = Counter(row["topic"].split(".")[1] for row in rows)
    late = sum(row["occurred_at"][:10] < row["recorded_at"][:10] for row in rows)

    assert EVENT_TYPES.keys() >= {row["topic"] for row in rows}
    assert 0.01 < late / len(rows) < 0.02
    assert 0.001 < (topics["event_amended"] + topics["event_retracted"]) / len(rows) < 0.005
    assert 35 < len(rows) / topics["deal_opened"] < 45
    for rare in ("deal_reopened", "win_reversed", "owner_changed", "quota_revised", "member_left"):
        assert topics[rare] > 0, rare
