"""What a deal's own history corrects: why it was lost, in every CRM that says so afterwards."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from api.exchange.context import NoContext
from api.exchange.importing import Format, reader_for
from api.exchange.lines import Findings, Line
from api.exchange.profile import Profile, profile_from
from tests.support.exports import PACK, Rows, rewritten, rewritten_json, weekly_export
from tests.support.hubspot import deal_in, version

REASON = "LossReason__c"
PROFILE = profile_from({"custom_fields": {REASON: {"event": "deal_lost"}}}, name="test")
Change = tuple[str, str, str]
"""When the reason was changed, from what and to what."""


def lines_of(name: Format, folder: Path, profile: Profile | None = None) -> list[Line]:
    reader = reader_for(name, [folder], profile=profile, known=NoContext())
    return list(reader.lines(Findings()))


def reasons(lines: Iterable[Line], deal: str) -> list[tuple[str, Any, str]]:
    """What a deal was lost for, first and corrected, and when that was said."""
    found = []
    for line in lines:
        if line.stream == f"deal:{deal}" and line.type in ("deal_lost", "event_amended"):
            data: Any = line.data.get("data", line.data)
            found.append((line.type, data.get("reason"), f"{line.occurred_at:%m-%d}"))
    return found


def hubspot(shared: Path, target: Path, *changes: Change) -> list[Line]:
    def change(name: str, content: Any) -> Any:
        if name == "deals":
            histories = deal_in(content, "90000003")["propertiesWithHistory"]
            reasons = [version(new, at) for at, _, new in reversed(changes)]
            histories["closed_lost_reason"][:0] = reasons
            histories["amount"][:0] = [version("44000", "2025-02-15T10:00:00Z")]
        return content

    folder = rewritten_json(shared / PACK / "hubspot_v3", target, change)
    return lines_of("hubspot", folder)


def pipedrive(shared: Path, target: Path, *changes: Change) -> list[Line]:
    def change(name: str, content: Any) -> Any:
        if name == "deal_flow_v1":
            content["1003"][0]["data"][:0] = [
                {
                    "object": "dealChange",
                    "timestamp": at,
                    "data": {
                        "field_key": "lost_reason",
                        "old_value": old,
                        "new_value": new,
                        "log_time": at,
                        "user_id": 11000,
                    },
                }
                for at, old, new in reversed(changes)
            ]
        return content

    return lines_of("pipedrive", rewritten_json(shared / PACK / "pipedrive", target, change))


def salesforce(shared: Path, target: Path, *changes: Change) -> list[Line]:
    def change(name: str, rows: Rows) -> Rows:
        if name == "OpportunityFieldHistory":
            deal = next(row for row in rows if row["OpportunityId"] == "0065g0000000XQMAA2")
            for n, (at, old, new) in enumerate(changes):
                when = {"Id": f"0175g000000999{n}AAA", "CreatedDate": f"{at[:10]} 10:00:00"}
                rows.append(deal | when | {"Field": REASON, "OldValue": old, "NewValue": new})
        return rows

    return lines_of("salesforce-csv", rewritten(weekly_export(shared), target, change), PROFILE)


SOURCES = pytest.mark.parametrize(
    ("source", "deal"),
    [(hubspot, "90000003"), (pipedrive, "1003"), (salesforce, "0065g0000000XQMAA2")],
)


@SOURCES
def test_a_reason_that_was_changed_afterwards_corrects_the_loss(
    source: Any, deal: str, shared_data: Path, tmp_path: Path
) -> None:
    found = source(
        shared_data,
        tmp_path / "d",
        ("2025-02-10T10:00:00Z", "No decision", "Price"),
        ("2025-02-20T10:00:00Z", "Price", "Timing"),
    )

    assert reasons(found, deal) == [
        ("deal_lost", "No decision", "01-29"),
        ("event_amended", "Price", "02-10"),
        ("event_amended", "Timing", "02-20"),
    ]
    names = [line.external_id for line in found]
    assert len(set(names)) == len(names)


@SOURCES
def test_a_reason_from_before_the_loss_corrects_nothing(
    source: Any, deal: str, shared_data: Path, tmp_path: Path
) -> None:
    found = source(shared_data, tmp_path / "d", ("2024-12-10T10:00:00Z", "", "Price"))

    assert reasons(found, deal) == [("deal_lost", "No decision", "01-29")]


def test_what_a_change_took_a_reason_from_was_the_reason_before(
    shared_data: Path, tmp_path: Path
) -> None:
    def change(name: str, content: Any) -> Any:
        if name == "deal_flow_v1":
            reason = next(
                one["data"]
                for one in content["1003"][0]["data"]
                if one["data"].get("field_key") == "lost_reason"
            )
            reason |= {"old_value": "Budget", "new_value": "Price"}
            reason |= {"log_time": "2025-02-10 10:00:00"}
        return content

    folder = rewritten_json(shared_data / PACK / "pipedrive", tmp_path / "d", change)

    assert reasons(lines_of("pipedrive", folder), "1003") == [
        ("deal_lost", "Budget", "01-29"),
        ("event_amended", "Price", "02-10"),
    ]


def test_a_reason_that_comes_after_the_loss_is_told_when_it_came(
    shared_data: Path, tmp_path: Path
) -> None:
    def change(name: str, content: Any) -> Any:
        if name == "deals":
            deal = deal_in(content, "90000003")
            said = {"Price": "2025-02-10T10:00:00Z", "Of an earlier loss": "2024-10-01T10:00:00Z"}
            versions = [version(reason, at) for reason, at in said.items()]
            deal["propertiesWithHistory"]["closed_lost_reason"] = versions
        return content

    folder = rewritten_json(shared_data / PACK / "hubspot_v3", tmp_path / "d", change)

    assert reasons(lines_of("hubspot", folder), "90000003") == [
        ("deal_lost", None, "01-29"),
        ("event_amended", "Price", "02-10"),
    ]
