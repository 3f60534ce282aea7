"""What an import asks of the database does not grow with every row that it reads."""

from pathlib import Path
from typing import Final

import pytest

from api.exchange.importing import Format
from api.exchange.profile import Profile, profile_from
from api.storage.event_store import EventStore
from api.storage.log_reader import Parameters
from api.storage.roles import Role
from api.storage.rows import Row
from tests.support.ledgers import SCHEMA
from tests.support.newer import imported
from tests.support.roles import address

DEALS: Final = 200
ASKED: Final = 20
"""More than an import of so many deals needs, however often it was made."""
STAGES: Final = ["New", {"name": "Won", "closes": "won"}, {"name": "Lost", "closes": "lost"}]
COLUMNS: Final = {"id": "id", "owner": "by", "stage": "stage", "opened_on": "day"}
TABLE: Final = profile_from({"columns": COLUMNS, "currency": "USD", "stages": STAGES}, name="table")
STATES: Final = TABLE.model_copy(update={"columns": COLUMNS | {"recorded_on": "day"}})
LOG: Final = profile_from(
    {"stages": STAGES, "events": {"moved": {"type": "stage_entered"}}}, name="log"
)
EVENTS: Final = (
    '{"specversion":"1.0","source":"crm","id":"%s","type":"moved","subject":"%s",'
    '"time":"2025-01-02T00:00:00Z","data":{"stage":"New"}}'
)


class CountingStore(EventStore):
    """A log that counts what it is asked."""

    asked = 0

    def rows(self, statement: str, parameters: Parameters) -> list[Row]:
        self.asked += 1
        return super().rows(statement, parameters)


@pytest.mark.parametrize(
    ("name", "profile"), [("csv", TABLE), ("csv", STATES), ("cloudevents", LOG)]
)
def test_a_ledger_is_asked_of_many_deals_at_once(
    name: Format, profile: Profile, database: str, tmp_path: Path
) -> None:
    path = tmp_path / "deals"
    rows = ["id,by,stage,day", *(f"{n},ann,New,2025-01-02" for n in range(DEALS))]
    if name == "cloudevents":
        rows = [EVENTS % (n, n) for n in range(DEALS)]
    path.write_text("\n".join([*rows, ""]), encoding="utf-8")

    with CountingStore(address(database, Role.APP), schema=SCHEMA) as store:
        for again in (False, True):
            store.asked = 0
            report = imported(store, name, path, profile)

            assert (report.deals, report.events_made > DEALS) == (DEALS * (not again), not again)
            assert store.asked < ASKED
