"""Days of tables: each is a day of the fiscal zone, wherever the clock of the files hangs."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from api.exchange.context import NoContext
from api.exchange.csv_events import CsvEventsReader
from api.exchange.csv_table import CsvTableReader
from api.exchange.lines import Findings, Line
from api.exchange.profile import profile_from

STAGES: list[Any] = ["New", {"name": "Won", "closes": "won"}, {"name": "Lost", "closes": "lost"}]
COLUMNS = {"id": "id", "owner": "by", "stage": "stage", "opened_on": "begun", "amount": "worth"}
ZONES = ["Asia/Tokyo", "America/New_York", "UTC"]


def read(path: Path, kind: Any, fiscal: str, **declared: Any) -> list[Line]:
    calendar = {"kind": "months", "zone": fiscal, "start_month": 1}
    profile = profile_from({"calendar": calendar, "currency": "USD"} | declared, name="p")
    return list(kind([path], profile, NoContext()).lines(Findings()))


def local(lines: Sequence[Line], zone: str) -> dict[str, datetime]:
    """When each kind of event of deals occurred, by the clock of a zone."""
    deals = (line for line in lines if line.stream.startswith("deal:"))
    return {line.type: line.occurred_at.astimezone(ZoneInfo(zone)) for line in deals}


@pytest.mark.parametrize("zone", ZONES)
def test_a_last_state_is_won_on_its_day_of_the_fiscal_zone(zone: str, tmp_path: Path) -> None:
    path = tmp_path / "deals.csv"
    path.write_text("id,by,stage,begun,closed,worth\nA,ann,Won,2024-12-30,2024-12-31,5\n")

    lines = read(
        path, CsvTableReader, zone, stages=STAGES, columns=COLUMNS | {"closed_on": "closed"}
    )

    won, opened = (local(lines, zone)[kind] for kind in ("deal_won", "deal_opened"))
    assert won.isoformat()[:19] == "2024-12-31T23:59:59"
    assert opened.isoformat()[:19] == "2024-12-30T00:00:00"


def test_a_time_is_of_the_declared_zone_and_wins_on_its_fiscal_day(tmp_path: Path) -> None:
    path = tmp_path / "deals.csv"
    path.write_text("id,by,stage,begun,closed,worth\nA,ann,Won,2024-12-30,2024-12-31 20:00:00,5\n")

    lines = read(
        path,
        CsvTableReader,
        "Asia/Tokyo",
        zone="Europe/London",
        stages=STAGES,
        columns=COLUMNS | {"closed_on": "closed"},
    )

    assert local(lines, "Europe/London")["deal_won"].isoformat()[:19] == "2024-12-31T20:00:00"
    (closed_on,) = [line.data["closed_on"] for line in lines if line.type == "deal_won"]
    assert closed_on == "2025-01-01"


@pytest.mark.parametrize("zone", ZONES)
def test_a_row_for_each_state_holds_from_its_day_of_the_fiscal_zone(
    zone: str, tmp_path: Path
) -> None:
    path = tmp_path / "deals.csv"
    rows = ["A,ann,New,,,5,2024-12-30", "A,ann,Won,,2025-01-01,5,2025-01-01"]
    path.write_text("\n".join(["id,by,stage,begun,closed,worth,since", *rows]) + "\n")

    lines = read(
        path,
        CsvTableReader,
        zone,
        stages=STAGES,
        columns=COLUMNS | {"close_date": "closed", "recorded_on": "since"},
    )

    assert local(lines, zone)["deal_won"].isoformat()[:19] == "2025-01-01T00:00:00"


@pytest.mark.parametrize("zone", ZONES)
def test_an_event_of_a_day_is_of_the_fiscal_day(zone: str, tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text("deal,day\nA,2025-01-01\n")

    lines = read(
        path,
        CsvEventsReader,
        zone,
        case="deal",
        columns={"happened_on": "day"},
        stages=STAGES,
        events={"events": {"type": "deal_opened", "fields": {"name": "deal"}}},
    )

    assert local(lines, zone)["deal_opened"].isoformat()[:19] == "2025-01-01T00:00:00"
