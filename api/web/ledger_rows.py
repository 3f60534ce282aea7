"""What is told of each event of a deal: its row in the ledger, and what its mark says in short."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from api.web import format as f
from api.web.deal_chart import Entry, entries_of
from api.web.findings import sentence_of
from api.web.reads import Answer
from api.web.record_form import corrections_of
from api.web.vocabulary import DRIVERS

LEDGER_ROWS: Final = 25
SAME_TIME: Final = timedelta(minutes=1)
"""Recorded so soon after it happened that saying it twice would be noise."""


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One event of the ledger, with both clocks where they differ.

    `new` is what a form has just recorded; `corrections` are the forms that correct the event.
    """

    entry: Entry
    number: int | None
    driver: str
    recorded: str | None
    notes: tuple[str, ...]
    new: bool = False
    corrections: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tip:
    """What the chart tells of one mark when it is opened."""

    title: str
    when: str
    lines: tuple[str, ...]
    why: tuple[str, ...]
    foot: str


def tips_of(answer: Answer) -> dict[str, Tip]:
    """Give what the chart tells of every event by its id, for who points at a mark."""
    entries = entries_of(answer)
    numbers = numbers_of(entries)
    return {entry.event["event_id"]: tip_of(entry, numbers, answer) for entry in entries}


def ledger_of(
    answer: Answer,
    entries: Sequence[Entry],
    numbers: Mapping[str, int],
    *,
    everything: bool,
    recorded: Sequence[str] = (),
) -> tuple[LedgerRow, ...]:
    """Give the rows, the newest first: the last ones, or all of them if they are asked for."""
    new = frozenset(recorded)
    rows = tuple(row_of(one, numbers, answer, new) for one in reversed(entries))
    return rows if everything else rows[: _enough(rows)]


def _enough(rows: Sequence[LedgerRow]) -> int:
    """Give how many rows are shown at first: all where a new one is further down."""
    return len(rows) if any(row.new for row in rows[LEDGER_ROWS:]) else LEDGER_ROWS


def titles_of(entries: Sequence[Entry]) -> dict[str, str]:
    """Give what every event is called."""
    return {entry.event["event_id"]: str(entry.event["title"]) for entry in entries}


def numbers_of(entries: Sequence[Entry]) -> dict[str, int]:
    """Give the numbers of the pins, by the events that carry them."""
    ids = [entry.event["event_id"] for entry in entries if entry.pressure_shaped]
    return {event_id: number for number, event_id in enumerate(ids, start=1)}


def row_of(
    entry: Entry,
    numbers: Mapping[str, int],
    answer: Answer,
    recorded: frozenset[str] = frozenset(),
) -> LedgerRow:
    """Give the row of one event."""
    event = entry.event
    apart = f.instant(event["recorded_at"]) - f.instant(event["occurred_at"])
    return LedgerRow(
        entry=entry,
        number=numbers.get(event["event_id"]),
        driver=DRIVERS.get(event["driver"], event["driver"]),
        recorded=f.moment(event["recorded_at"]) if abs(apart) > SAME_TIME else None,
        notes=tuple(word for word in ("late", "amended", "retracted") if event.get(word)),
        new=event["event_id"] in recorded,
        corrections=corrections_of(event) if answer.get("offers") else (),
    )


def tip_of(entry: Entry, numbers: Mapping[str, int], answer: Answer) -> Tip:
    """Give what is told of one event in short."""
    event, judged = entry.event, entry.judged
    lines = [event.get("detail")]
    if event["type"] == "activity_ticked":
        lines.append(entry.sign.words)
    lines.append(entry.verdict_words)
    number = numbers.get(event["event_id"])
    why = ""
    if judged and number:
        why = sentence_of(judged, people=answer["names"], called=answer["called"])
    foot = [f"Event {event['version']}", f"position {event['position']:,}"]
    if judged and judged["pressure"] is not None:
        foot.append(f"pressure {f.ratio(judged['pressure'])}")
    return Tip(
        title=f"{number}. {event['title']}" if number else event["title"],
        when=f"{f.moment(entry.at)}, {DRIVERS.get(event['driver'], event['driver']).lower()}",
        lines=tuple(str(line) for line in lines if line),
        why=(why,) if why else (),
        foot=", ".join(foot),
    )
