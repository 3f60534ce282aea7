"""Everything that is told of one event of a deal, for who opens it on the deal's page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from api.web import format as f
from api.web.asof import AsOf, as_of_view
from api.web.deal_chart import Entry, entries_of
from api.web.findings import Outcome, Reason, activities_of, reasons_of
from api.web.ledger_rows import (
    LEDGER_ROWS,
    LedgerRow,
    Tip,
    ledger_of,
    numbers_of,
    row_of,
    tip_of,
    titles_of,
)
from api.web.reads import Answer

_WHY: Final = {
    "customer": "It tells what the customer did or said.",
    "seller": "An act of ours; no customer action is recorded that explains it.",
    "other": "It is an act of neither side.",
}
"""Why an event that nothing explains counts as driven by whom it does."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """What a later event did to this one, with the reason that was given."""

    how: str
    who: str
    at: Any
    reason: str
    event_id: str


@dataclass(frozen=True, slots=True)
class Inspected:
    """One event, ready for its template.

    `previous` and `following` are the ones beside it; `recent` is what a ledger shows at first.
    """

    deal: Mapping[str, Any]
    as_of: AsOf
    row: LedgerRow
    tip: Tip
    who: str
    why: str
    explained_by: tuple[str, ...]
    caused_by: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    reason: Reason | None
    corrected: tuple[Corrected, ...]
    previous: str
    following: str
    positions: Mapping[str, int]
    shown_ids: frozenset[str]
    recent: bool

    @property
    def event(self) -> Mapping[str, Any]:
        """What the history says of it."""
        return self.row.entry.event

    @property
    def judged_elsewhere(self) -> bool:
        """Whether it is judged by another instant than that of its happening."""
        return f.moment(self.row.entry.at) != f.moment(self.event["occurred_at"])


def inspected_of(
    answer: Answer, event_id: str, *, asked: tuple[str | None, str | None], everything: bool
) -> Inspected | None:
    """Give one event of a deal; None where it was not known at the moment.

    `everything` is whether all of the ledger stands on the page, which its links lead to.
    """
    entries = entries_of(answer)
    ids = [entry.event["event_id"] for entry in entries]
    if event_id not in ids:
        return None
    place, numbers = ids.index(event_id), numbers_of(entries)
    entry = entries[place]
    shown = ledger_of(answer, entries, numbers, everything=everything)
    explained, caused = (_named(entry, name) for name in ("explained_by", "caused_by"))
    return Inspected(
        deal=answer["deal"],
        as_of=as_of_view(answer, asked=asked),
        row=row_of(entry, numbers, answer),
        tip=tip_of(entry, numbers, answer),
        who=_who(entry.event),
        why=_why(entry.event),
        explained_by=explained,
        caused_by=tuple(one for one in caused if one not in explained),
        outcomes=_outcomes(answer, event_id),
        reason=_reason(answer, entries, event_id),
        corrected=_corrected(entry.event, answer["names"]),
        previous=ids[place - 1] if place else "",
        following=ids[place + 1] if place + 1 < len(ids) else "",
        positions={one.event["event_id"]: one.event["position"] for one in entries},
        shown_ids=frozenset(row.entry.event["event_id"] for row in shown),
        recent=place >= len(ids) - LEDGER_ROWS,
    )


def _named(entry: Entry, name: str) -> tuple[str, ...]:
    event_id = entry.event.get(name)
    return (str(event_id),) if event_id else ()


def _who(event: Mapping[str, Any]) -> str:
    """Whose act it is, and who recorded it where that is somebody else, of the same name too."""
    rep, recorder = str(event["rep"]), event["recorder"]
    return f"{rep}, recorded by {recorder}" if recorder else rep


def _why(event: Mapping[str, Any]) -> str:
    if not event.get("explained_by"):
        return _WHY[event["driver"]]
    if event["explained_by"] == event.get("caused_by"):
        return "It names the customer action that explains it:"
    return "A customer action before it explains it:"


def _outcomes(answer: Answer, event_id: str) -> tuple[Outcome, ...]:
    """What the activity that an event ticked was for, with the evidence there is."""
    ticked = [
        activity
        for activity in answer["progress"]["activities"]
        if activity.get("tick_event_id") == event_id
    ]
    stages = activities_of(ticked, answer["called"])
    return tuple(
        outcome
        for stage in stages
        for activity in stage.activities
        for outcome in activity.outcomes
    )


def _reason(answer: Answer, entries: Sequence[Entry], event_id: str) -> Reason | None:
    judged = reasons_of(answer, titles_of(entries), numbers_of(entries))
    return next((reason for reason in judged if reason.event_id == event_id), None)


def _corrected(event: Mapping[str, Any], names: Mapping[str, str]) -> tuple[Corrected, ...]:
    return tuple(
        Corrected(
            how=how.capitalize(),
            who=names.get(told["rep"], told["rep"]),
            at=told["recorded_at"],
            reason=told["reason"],
            event_id=str(told["event_id"]),
        )
        for how in ("amended", "retracted")
        if (told := event.get(how))
    )
