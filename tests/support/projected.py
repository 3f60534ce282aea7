"""What the projections hold, and lines that change what was said before."""

from typing import Any

from api.all_projections import projections
from api.bootstrap import Ledger
from tests.support.thirty import Line, usd

TABLES = [table for projection in projections() for table in projection.tables]


def late_lines() -> list[Line]:
    """Give lines that change what was said before: a late win, a quota revised, a calendar."""

    def line(stream: str, kind: str, when: str, data: dict[str, Any], **more: Any) -> Line:
        return {
            "stream": stream,
            "external_id": f"late/{kind}/{when}",
            "type": kind,
            "occurred_at": when,
            "actor": "ann",
            "data": data,
            **more,
        }

    return [
        line(
            "deal:B0",
            "deal_won",
            "2025-03-01T10:00:00Z",
            {"net": usd("90000"), "closed_on": "2025-03-01"},
        ),
        line(
            "quota:ann:FY2025Q1",
            "quota_revised",
            "2025-03-02T00:00:00Z",
            {"amount": usd("1200000")},
        ),
        line("deal:B1", "discount_offered", "2025-02-03T00:00:00Z", {"percent": "33"}),
        line("deal:D1", "win_reversed", "2025-04-20T00:00:00Z", {}),
        line(
            "deal:D1",
            "event_retracted",
            "2025-04-21T00:00:00Z",
            {"event_id": "deal:D1/85", "reason": "told twice"},
        ),
        line(
            "calendar",
            "calendar_adopted",
            "2025-01-01T00:00:00Z",
            {
                "zone": "America/New_York",
                "kind": "months",
                "parameters": {"start_month": 2},
                "effective_from": "2000-01-01",
            },
        ),
        line(
            "deal:B2",
            "deal_won",
            "2025-03-03T10:00:00Z",
            {"net": usd("10"), "closed_on": "2025-03-03"},
        ),
    ]


def snapshot(ledger: Ledger) -> dict[str, list[str]]:
    """Give everything the projections hold, without the numbers of rows."""
    with ledger.store.connection() as connection:
        return {
            table: sorted(
                row[0]
                for row in connection.execute(
                    f"SELECT (to_jsonb(t) - 'id')::text FROM {table} t".encode()
                )
            )
            for table in TABLES
        }


def forget(ledger: Ledger) -> None:
    """Take everything back that the projections hold."""
    with ledger.projecting.connection() as connection:
        connection.execute(f"TRUNCATE projections, parked, {', '.join(TABLES)}".encode())
