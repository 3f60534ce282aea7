"""Logs that come in parts, as a sync sends them: each goes on where the ledger stands."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeAlias

import pytest

from api.exchange.importing import Format
from api.exchange.lines import ImportReport
from api.exchange.profile import profile_from
from api.storage.event_store import EventStore
from domain.events.base import type_name
from domain.replay import Event
from tests.support.newer import imported

Row: TypeAlias = tuple[str, str, dict[str, str]]
"""The day of January, the name of what happened then, and what it says."""

SYSTEM: Final = "log"
DECLARED: Final = {
    "source": SYSTEM,
    "currency": "EUR",
    "stages": [
        "New",
        "Offer",
        {"name": "Won", "closes": "won"},
        {"name": "Lost", "closes": "lost"},
    ],
    "events": {
        "created": {"type": "deal_opened", "fields": {"name": "title", "amount": "value"}},
        "moved": {"type": "stage_entered", "fields": {"stage": "to"}},
        "valued": {"type": "amount_changed", "fields": {"amount": "value"}},
        "won": {"type": "deal_won", "fields": {"closed_on": "day"}},
        "reopened": {"type": "deal_reopened"},
    },
}
TABLE: Final = {"case": "deal", "columns": {"happened_on": "at"}, "event_name": "name"}
CREATED: Final[Row] = ("02", "created", {"title": "Plant", "value": "500"})
BEGUN: Final[list[Row]] = [CREATED, ("03", "moved", {"to": "New"})]
WON: Final[list[Row]] = [("05", "won", {}), ("06", "moved", {"to": "Won"})]
REOPENED: Final[list[Row]] = [("08", "reopened", {}), ("09", "moved", {"to": "Offer"})]
SAID: Final = ("title", "value", "to", "day")


def batch(rows: Sequence[Row]) -> str:
    return json.dumps(
        [
            {
                "specversion": "1.0",
                "source": "crm",
                "id": f"{day}-{name}",
                "type": name,
                "subject": "d/1",
            }
            | {"time": f"2025-01-{day}T09:00:00Z", "data": said}
            for day, name, said in rows
        ]
    )


def trace(rows: Sequence[Row]) -> str:
    events = [
        f'<event><string key="concept:name" value="{name}"/>'
        f'<date key="time:timestamp" value="2025-01-{day}T09:00:00Z"/>'
        + "".join(f'<string key="{key}" value="{value}"/>' for key, value in said.items())
        + "</event>"
        for day, name, said in rows
    ]
    return f'<log><trace><string key="concept:name" value="1"/>{"".join(events)}</trace></log>'


def table(rows: Sequence[Row]) -> str:
    lines = [
        ",".join(["1", f"2025-01-{day}T09:00:00Z", name, *(said.get(key, "") for key in SAID)])
        for day, name, said in rows
    ]
    return "\n".join(["deal,at,name," + ",".join(SAID), *lines, ""])


WRITTEN: Final[list[tuple[Format, Callable[[Sequence[Row]], str]]]] = [
    ("cloudevents", batch),
    ("xes", trace),
    ("csv", table),
]


class Parts:
    """Parts of a log, imported into one ledger."""

    def __init__(
        self, store: EventStore, folder: Path, name: Format, write: Callable[[Sequence[Row]], str]
    ) -> None:
        self.store = store
        self._path = folder / "part"
        self._name: Format = name
        self._write = write
        self._profile = profile_from(DECLARED | (TABLE if name == "csv" else {}), name="log")

    def take(self, rows: Sequence[Row]) -> ImportReport:
        self._path.write_text(self._write(rows), encoding="utf-8")
        return imported(self.store, self._name, self._path, self._profile)

    @property
    def told(self) -> list[Event]:
        (stream,) = self.store.stream_ids_of("1", system=SYSTEM)
        return sorted(self.store.stream(stream), key=lambda event: event.order)

    @property
    def kinds(self) -> list[str]:
        return [type_name(type(event.data)) for event in self.told]


@pytest.fixture(params=WRITTEN, ids=[name for name, _ in WRITTEN])
def parts(request: pytest.FixtureRequest, store: EventStore, tmp_path: Path) -> Parts:
    return Parts(store, tmp_path, *request.param)


def test_a_deal_that_the_ledger_has_is_not_opened_again_by_a_later_part(parts: Parts) -> None:
    parts.take(BEGUN)

    reports = [parts.take(rows) for rows in (WON, BEGUN, WON, BEGUN + WON)]

    assert [(one.events_made, one.rejects) for one in reports] == [(2, ())] + [(0, ())] * 3
    assert parts.kinds == ["deal_opened", "stage_entered", "deal_won", "stage_entered"]
    won = parts.told[2].data.model_dump(mode="json")
    assert (won["net"], won["closed_on"]) == ({"amount": "500", "currency": "EUR"}, "2025-01-05")


def test_a_reopening_in_a_later_part_takes_back_the_win_of_an_earlier_one(parts: Parts) -> None:
    parts.take(BEGUN + WON)

    reports = [parts.take(rows) for rows in (REOPENED, REOPENED, BEGUN + WON + REOPENED)]

    assert [(one.events_made, one.rejects) for one in reports] == [(3, ()), (0, ()), (0, ())]
    assert parts.kinds[-3:] == ["win_reversed", "deal_reopened", "stage_entered"]


def test_an_opening_of_a_deal_that_was_opened_otherwise_is_a_reject(parts: Parts) -> None:
    """The sync began in the middle: what it sent first opened the deal, or was a reject."""
    begun = parts.take(WON)
    report = parts.take([CREATED])

    assert ["opened by another event" in one.reason for one in report.rejects] == (
        [True] * begun.deals
    )
    assert parts.kinds.count("deal_opened") == 1


def test_a_win_from_before_the_opening_of_the_ledger_is_told_at_it(parts: Parts) -> None:
    parts.take(BEGUN)

    report = parts.take([("05", "won", {"day": "2024-12-20"})])

    won = parts.told[parts.kinds.index("deal_won")]
    assert won.occurred_at == parts.told[0].occurred_at
    assert won.data.model_dump(mode="json")["closed_on"] == "2024-12-20"
    assert "a deal was closed as of a day before it was opened: it was closed then" in report.notes


def test_a_part_says_the_same_again_whatever_came_since(parts: Parts) -> None:
    """A win without an amount is for the last one told, which another part may bring later."""
    for rows in (BEGUN, WON, [("04", "valued", {"value": "700"})]):
        parts.take(rows)

    again = parts.take(WON)

    assert (again.events_made, again.rejects) == (0, ())


def test_a_log_whose_first_event_cannot_be_read_says_the_same_again(
    store: EventStore, tmp_path: Path
) -> None:
    """Then another event opened the deal, with the amount that its win is for."""
    parts = Parts(store, tmp_path, "cloudevents", batch)
    opening: Row = ("03", "moved", {"to": "New", "amount": "500"})
    rows = [("02", "valued", {"value": "five"}), opening, *WON]
    first = parts.take(rows)

    again = parts.take(rows)

    assert (again.events_made, len(first.rejects), again.rejects) == (0, 1, first.rejects)


def test_a_stage_from_before_the_opening_of_the_ledger_is_not_the_last_one(parts: Parts) -> None:
    parts.take([("05", *CREATED[1:]), ("05", "moved", {"to": "Offer"})])

    report = parts.take([("03", "moved", {"to": "New"})])

    (reject,) = report.rejects
    assert "lies before the deal was opened, on 2025-01-05T09:00:00Z" in reject.reason
    assert parts.kinds == ["deal_opened", "stage_entered"]
