"""Lines of our own by which a deal would stand somewhere before it was opened."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

import pytest

from api.exchange.lines import ImportReport
from api.storage.event_store import EventStore
from domain.events.base import type_name
from tests.support.newer import imported

Told: TypeAlias = tuple[str, str, Mapping[str, object]]

OPENED: Final = "2025-01-05T09:00:00Z"
EARLY: Final = "2025-01-03T09:00:00Z"
ACCOUNT: Final = {"id": "a-1", "name": "Acme"}
OPENING: Final[Told] = (
    "deal_opened",
    OPENED,
    {"name": "Plant", "account": ACCOUNT, "owner": "ann"},
)
NET: Final = {"amount": "5", "currency": "EUR"}
STANDINGS: Final[list[Told]] = [
    ("stage_entered", EARLY, {"stage": "discovery"}),
    ("deal_won", EARLY, {"net": NET, "closed_on": "2025-01-03"}),
    ("deal_lost", EARLY, {}),
    ("deal_disqualified", EARLY, {"reason": "no need"}),
]
NOTE: Final[Told] = ("note_added", EARLY, {"text": "met at the fair"})
LATER: Final[Told] = ("stage_entered", "2025-01-06T09:00:00Z", {"stage": "discovery"})


def take(
    store: EventStore,
    folder: Path,
    events: Sequence[Told],
    **more: object,
) -> ImportReport:
    lines = [
        {"stream": "deal:d-1", "external_id": f"{kind}:{at}", "type": kind, "actor": "ann"}
        | {"occurred_at": at, "data": data}
        | more
        for kind, at, data in events
    ]
    path = folder / "lines.ndjson"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return imported(store, "ndjson", path)


def kinds(store: EventStore) -> list[str]:
    (stream,) = store.stream_ids_of("d-1")
    return sorted(type_name(type(event.data)) for event in store.stream(stream))


@pytest.mark.parametrize("early", STANDINGS, ids=[kind for kind, _, _ in STANDINGS])
@pytest.mark.parametrize("known", [False, True])
def test_a_deal_stands_nowhere_before_it_was_opened(
    *, early: Told, known: bool, store: EventStore, tmp_path: Path
) -> None:
    """As the API refuses it, whether an earlier import opened the deal or a line after it."""
    if known:
        take(store, tmp_path, [OPENING])

    report = take(store, tmp_path, [early, NOTE, LATER, *([] if known else [OPENING])])

    reason = (
        "occurred_at: 2025-01-03T09:00:00Z lies before the deal was opened, on 2025-01-05T09:00:00Z"
    )
    assert [(one.row, one.reason) for one in report.rejects] == [(1, reason)]
    assert kinds(store) == ["deal_opened", "note_added", "stage_entered"]


def test_moments_of_one_second_are_told_apart(store: EventStore, tmp_path: Path) -> None:
    kind, _, data = STANDINGS[0]
    take(store, tmp_path, [OPENING])

    report = take(store, tmp_path, [(kind, "2025-01-05T08:59:59.25Z", data)])

    (reject,) = report.rejects
    assert reject.reason.startswith("occurred_at: 2025-01-05T08:59:59.250000Z lies before the deal")


def test_what_a_ledger_exported_is_taken_as_it_stands(store: EventStore, tmp_path: Path) -> None:
    stream = "deal:01900000-0000-7000-9000-000000000001"
    for number, event in enumerate([OPENING, *STANDINGS[:2]]):
        kept = {"event_id": f"01900000-0000-7000-9000-00000000000{number}", "stream_id": stream}

        assert take(store, tmp_path, [event], **kept).rejects == ()

    assert len(store.stream(stream)) == 3
