"""Fetches what changed in HubSpot since the last time, as `dealtrail import` reads it.

    HUBSPOT_TOKEN=... python hubspot_deals.py FOLDER STATE

Every deal that changed comes with the whole history of its properties; what was imported before is
known again. STATE is a file that remembers the last time.
"""

import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hubspot import HubSpot

OVERLAP = timedelta(minutes=10)
"""Fetched again each time: HubSpot's search finds a change some seconds after it was made."""
A_SEARCH = 100
A_READ = 50
"""Deals of one answer with histories, as HubSpot limits them."""
HISTORY = [
    *("dealstage", "pipeline", "amount", "closedate", "hubspot_owner_id", "dealname"),
    "closed_lost_reason",  # and your own properties
]
PROPERTIES = [*HISTORY, "createdate", "deal_currency_code", "hs_merged_object_ids"]


def fetch(client: HubSpot, folder: Path, *, since: datetime) -> int:
    """Write the answers about every deal that changed since then; give how many did."""
    ids = sorted(changed(client, since))
    if not ids:
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    for number, start in enumerate(range(0, len(ids), A_READ), start=1):
        asked = {
            "inputs": [{"id": one} for one in ids[start : start + A_READ]],
            "properties": PROPERTIES,
            "propertiesWithHistory": HISTORY,
        }
        answer = client.crm.deals.batch_api.read(
            batch_read_input_simple_public_object_id=asked, _preload_content=False
        )
        (folder / f"deals-{number}.json").write_bytes(answer.data)
    pipelines = client.crm.pipelines.pipelines_api.get_all("deals", _preload_content=False)
    (folder / "pipelines.json").write_bytes(pipelines.data)
    for number, page in enumerate(owners(client), start=1):
        (folder / f"owners-{number}.json").write_bytes(page)
    return len(ids)


def owners(client: HubSpot) -> Iterator[bytes]:
    """The pages of the people who own deals."""
    after: str | None = ""
    while after is not None:
        following = {"after": after} if after else {}
        page = client.crm.owners.owners_api.get_page(
            limit=500, **following, _preload_content=False
        ).data
        yield page
        after = json.loads(page).get("paging", {}).get("next", {}).get("after")


def changed(client: HubSpot, since: datetime) -> Iterator[str]:
    """The ids of deals that changed, in the order in which they did.

    A search gives 10,000 at the most: it begins anew at the last change that it gave.
    """
    after, last = None, int(since.timestamp() * 1000)
    seen: set[str] = set()
    while True:
        condition = {
            "propertyName": "hs_lastmodifieddate",
            "operator": "GTE",
            "value": str(last),
        }
        page = search(client, condition, after)
        new = [one for one in page["results"] if one["id"] not in seen]
        seen |= {one["id"] for one in new}
        yield from (one["id"] for one in new)
        after = page.get("paging", {}).get("next", {}).get("after")
        if after is None:
            return
        if int(after) + A_SEARCH > 10_000:
            time = page["results"][-1]["properties"]["hs_lastmodifieddate"]
            after, last = None, int(datetime.fromisoformat(time).timestamp() * 1000)


def search(client: HubSpot, condition: dict[str, str], after: str | None) -> Any:
    asked = {
        "filterGroups": [{"filters": [condition]}],
        "sorts": [{"propertyName": "hs_lastmodifieddate", "direction": "ASCENDING"}],
        "properties": ["hs_lastmodifieddate"],
        "limit": A_SEARCH,
    } | ({"after": after} if after else {})
    answer = client.crm.deals.search_api.do_search(
        public_object_search_request=asked, _preload_content=False
    )
    return json.loads(answer.data)


def main(folder: Path, state: Path) -> None:
    now = datetime.now(UTC)
    last = state.read_text(encoding="utf-8").strip() if state.exists() else "2000-01-01T00:00:00Z"
    client = HubSpot(access_token=os.environ["HUBSPOT_TOKEN"])
    deals = fetch(client, folder, since=datetime.fromisoformat(last) - OVERLAP)
    print(f"{deals} deals changed")
    # Only once the import has gone through: `mv STATE.next STATE`.
    Path(f"{state}.next").write_text(now.isoformat(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
