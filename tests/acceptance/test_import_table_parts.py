"""Tables that come again and again: with the rows of since the last time, or a little longer."""

from pathlib import Path
from typing import Final

import pytest

from api.exchange.importing import LedgerContext, reader_for, run_import
from api.exchange.lines import ImportReport
from api.exchange.profile import Profile, profile_from
from api.storage.event_store import EventStore
from domain.events.base import type_name
from domain.replay import Event
from tests.support.newer import NOW

STAGES: Final = [
    "New",
    "Offer",
    {"name": "Won", "closes": "won"},
    {"name": "Lost", "closes": "lost"},
]
COLUMNS: Final = {"id": "id", "owner": "by", "stage": "stage", "amount": "amount"}
TABLE: Final = profile_from({"columns": COLUMNS, "currency": "USD", "stages": STAGES}, name="table")
STATES: Final = TABLE.model_copy(
    update={"columns": COLUMNS | {"recorded_on": "since", "close_date": "due"}}
)
LAST_STATES: Final = TABLE.model_copy(
    update={"columns": COLUMNS | {"opened_on": "opened", "closed_on": "closed"}}
)
FIRST: Final = ["A,ann,New,5,2025-01-01,2025-06-30", "A,ann,Offer,5,2025-01-03,2025-06-30"]
SECOND: Final = ["A,ann,Offer,7,2025-01-05,2025-06-30"]
THIRD: Final = ["A,bob,Won,7,2025-01-09,2025-01-09"]


class Tables:
    """Tables imported into one ledger, one after the other."""

    def __init__(self, store: EventStore, folder: Path) -> None:
        self._store = store
        self._path = folder / "deals.csv"

    def states(self, rows: list[str], *, founding: bool = False) -> ImportReport:
        return self._take("id,by,stage,amount,since,due", rows, STATES, founding=founding)

    def last_states(self, *rows: str) -> ImportReport:
        return self._take("id,by,stage,amount,opened,closed", list(rows), LAST_STATES)

    def _take(
        self, header: str, rows: list[str], profile: Profile, *, founding: bool = False
    ) -> ImportReport:
        self._path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
        known = LedgerContext(self._store)
        reader = reader_for("csv", [self._path], profile=profile, known=known, now=NOW)
        return run_import(self._store, reader, now=NOW, founding=founding)

    def told(self, deal: str) -> list[Event]:
        (stream,) = self._store.stream_ids_of(deal, system="csv")
        return sorted(self._store.stream(stream), key=lambda event: event.order)


@pytest.fixture
def tables(store: EventStore, tmp_path: Path) -> Tables:
    return Tables(store, tmp_path)


@pytest.mark.parametrize("founding", [False, True])
def test_states_of_since_the_last_time_go_on_from_there(*, founding: bool, tables: Tables) -> None:
    tables.states(FIRST, founding=founding)

    reports = [tables.states(rows) for rows in (SECOND, THIRD, THIRD, FIRST + SECOND + THIRD)]

    assert [one.rejects for one in reports] == [()] * 4
    assert [one.events_made for one in reports[2:]] == [0, 0]
    kinds = [type_name(type(event.data)) for event in tables.told("A")]
    assert (kinds.count("deal_opened"), kinds.count("event_amended")) == (1, 0)
    assert [kinds.count(kind) for kind in ("owner_changed", "deal_won")] == [1, 1]
    assert tables.told("A")[0].data.model_dump(mode="json")["amount"]["amount"] == "5"


def test_states_of_a_deal_that_was_opened_by_its_close_date_are_told_once(tables: Tables) -> None:
    """Its opening lies before its first row, which is no part of a longer history."""
    rows = ["A,ann,Won,5,2025-01-03,2024-12-20"]
    tables.states(rows)

    again = tables.states(rows)

    assert (again.events_made, again.rejects) == (0, ())


def test_a_row_that_says_not_when_says_the_same_in_a_longer_table(tables: Tables) -> None:
    undated = "B,ann,New,,,"
    tables.last_states("A,ann,New,5,2025-01-01,", undated)

    reports = [
        tables.last_states("A,ann,New,5,2025-01-01,", *rows)
        for rows in (
            [undated, "C,ann,New,5,2025-02-01,"],
            ["B,ann,Offer,,,", "D,ann,New,5,2025-03-01,"],
            ["B,ann,Offer,,,", "E,ann,New,5,2025-04-01,"],
            ["B,ann,Lost,,,2025-05-01"],
        )
    ]

    assert [one.rejects for one in reports] == [()] * 4
    told = [
        (type_name(type(event.data)), event.occurred_at.date().isoformat())
        for event in tables.told("B")
    ]
    assert told == [
        ("deal_opened", "2025-01-01"),
        ("history_gap", "2025-01-01"),
        ("stage_entered", "2025-01-01"),
        ("stage_entered", "2025-03-01"),
        ("stage_entered", "2025-05-01"),
        ("deal_lost", "2025-05-01"),
    ]
