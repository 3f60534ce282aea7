"""Fetches what changed in Salesforce since the last time, as `dealtrail import` reads it.

    SF_USERNAME=... SF_PASSWORD=... SF_TOKEN=... python salesforce.py FOLDER STATE

Every opportunity that changed comes with its whole history, because rows are compared with each
other; what was imported before is known again. STATE is a file that remembers the last time.
"""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from simple_salesforce import Salesforce

OVERLAP = timedelta(minutes=10)
"""Fetched again each time: what was saved late, and clocks that differ."""
IDS_A_QUERY = 200
# Add your own fields; leave out those that your organisation does not have, such as
# CurrencyIsoCode where there is one currency.
OPPORTUNITY = (
    "Id, IsDeleted, AccountId, Name, StageName, Amount, CloseDate, OwnerId, CreatedDate, "
    "CreatedById, LastModifiedDate, LastModifiedById, SystemModstamp, FiscalQuarter, "
    "CurrencyIsoCode, SyncedQuoteId, PushCount"
)
OF_DEALS = {
    "OpportunityHistory": (
        "OpportunityId",
        "Id, OpportunityId, CreatedById, CreatedDate, StageName, Amount, CloseDate, "
        "ForecastCategory, CurrencyIsoCode, IsDeleted",
    ),
    "OpportunityFieldHistory": (
        "OpportunityId",
        "Id, OpportunityId, CreatedById, CreatedDate, Field, DataType, OldValue, NewValue, "
        "IsDeleted",
    ),
    "Quote": (
        "OpportunityId",
        "Id, OpportunityId, CreatedDate, CreatedById, OwnerId, CurrencyIsoCode, Discount, "
        "Subtotal, TotalPrice, ExpirationDate, IsDeleted",
    ),
    "QuoteLineItem": (
        "Quote.OpportunityId",
        "Id, QuoteId, Quantity, UnitPrice, ListPrice, Discount, Subtotal, TotalPrice, IsDeleted",
    ),
    "Task": (
        "WhatId",
        "Id, WhatId, Subject, IsClosed, CompletedDateTime, OwnerId, IsDeleted",
    ),
}
"""What belongs to opportunities: the field that says to which, and the fields to fetch."""
WHOLE = {
    "OpportunityStage": "Id, MasterLabel, ApiName, IsActive, SortOrder, IsClosed, IsWon, "
    "ForecastCategory",
    "User": "Id, Name, IsActive, TimeZoneSidKey",
    "Account": "Id, Name",
    "Period": "Id, Type, StartDate, EndDate, Number",
    "ForecastingQuota": "Id, QuotaOwnerId, QuotaAmount, StartDate, PeriodId, CurrencyIsoCode, "
    "CreatedDate",
}
"""What is fetched anew each time. Leave out what your organisation does not have."""


def fetch(salesforce: Salesforce, folder: Path, *, since: datetime) -> int:
    """Write the answers about everything that changed since then; give how many deals did."""
    time = since.strftime("%Y-%m-%dT%H:%M:%SZ")
    ids = {
        row["Id"]
        for row in rows(salesforce, f"SELECT Id FROM Opportunity WHERE SystemModstamp >= {time}")
    }
    tasks = f"SELECT WhatId FROM Task WHERE SystemModstamp >= {time} AND What.Type = 'Opportunity'"
    ids |= {row["WhatId"] for row in rows(salesforce, tasks)}
    # A quote that is not synced leaves its opportunity as it was.
    quotes = f"SELECT OpportunityId FROM Quote WHERE SystemModstamp >= {time}"
    ids |= {row["OpportunityId"] for row in rows(salesforce, quotes)}
    if not ids:
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    write(folder, "Opportunity", of(salesforce, "Opportunity", "Id", OPPORTUNITY, sorted(ids)))
    for name, (key, fields) in OF_DEALS.items():
        write(folder, name, of(salesforce, name, key, fields, sorted(ids)))
    for name, fields in WHOLE.items():
        write(folder, name, list(rows(salesforce, f"SELECT {fields} FROM {name}")))
    return len(ids)


def of(
    salesforce: Salesforce, name: str, key: str, fields: str, ids: Sequence[str]
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for start in range(0, len(ids), IDS_A_QUERY):
        some = ", ".join(f"'{one}'" for one in ids[start : start + IDS_A_QUERY])
        found += rows(salesforce, f"SELECT {fields} FROM {name} WHERE {key} IN ({some})")
    return found


def rows(salesforce: Salesforce, query: str) -> Iterator[dict[str, Any]]:
    """All pages of a query; what was deleted is told as well."""
    yield from salesforce.query_all_iter(query, include_deleted=True)


def write(folder: Path, name: str, records: list[dict[str, Any]]) -> None:
    told = {"totalSize": len(records), "done": True, "records": records}
    (folder / f"{name}.json").write_text(json.dumps(told), encoding="utf-8")


def main(folder: Path, state: Path) -> None:
    now = datetime.now(UTC)
    last = state.read_text(encoding="utf-8").strip() if state.exists() else "2000-01-01T00:00:00Z"
    salesforce = Salesforce(
        username=os.environ["SF_USERNAME"],
        password=os.environ["SF_PASSWORD"],
        security_token=os.environ["SF_TOKEN"],
    )
    deals = fetch(salesforce, folder, since=datetime.fromisoformat(last) - OVERLAP)
    print(f"{deals} opportunities changed")
    # Only once the import has gone through: `mv STATE.next STATE`.
    Path(f"{state}.next").write_text(now.isoformat(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
