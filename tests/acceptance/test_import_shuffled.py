"""Lines in any order, some twice: a deal is opened before all else of its moment."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from api.exchange.context import NoContext
from api.exchange.importing import reader_for, run_import
from api.storage.event_store import EventStore
from domain.deal import replay
from domain.events.base import type_name

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
AT = "2025-03-01T09:00:00Z"


def line(deal: str, number: int, kind: str, data: dict[str, Any]) -> dict[str, Any]:
    names = {"stream": f"deal:{deal}", "external_id": f"{deal}/{9 - number}", "type": kind}
    return names | {"occurred_at": AT, "recorded_at": AT, "actor": "ann", "data": data}


def opened(deal: str) -> dict[str, Any]:
    account = {"id": "acme", "name": "Acme"}
    return line(deal, 0, "deal_opened", {"name": deal, "account": account, "owner": "ann"})


def stage(deal: str, number: int, name: str) -> dict[str, Any]:
    return line(deal, number, "stage_entered", {"stage": name})


def imported(store: EventStore, path: Path, lines: list[Any], *, founding: bool) -> None:
    path.write_text("".join(json.dumps(one) + "\n" for one in lines))
    reader = reader_for("ndjson", [path], profile=None, known=NoContext())
    report = run_import(store, reader, now=NOW, founding=founding)
    assert report.rejects == []


def told(store: EventStore) -> dict[str, list[tuple[str, str]]]:
    """What happened to each deal, in the order of its stream."""
    found: dict[str, list[tuple[str, str]]] = {}
    for batch in store.log():
        for event in batch:
            said = (type_name(type(event.data)), event.data.to_json().decode())
            found.setdefault(event.stream_id, []).append(said)
    return found


@pytest.mark.parametrize("founding", [True, False])
def test_a_deal_is_opened_before_what_shares_its_moment(
    *, founding: bool, store: EventStore, tmp_path: Path
) -> None:
    lines = [stage("A", 1, "Discovery"), opened("A"), opened("A")]

    imported(store, tmp_path / "lines.ndjson", lines, founding=founding)

    (stream,) = told(store)
    assert [kind for kind, _ in told(store)[stream]] == ["deal_opened", "stage_entered"]
    deal = replay(store.stream(stream))
    assert deal is not None
    assert deal.stage == "Discovery"
