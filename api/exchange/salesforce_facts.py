"""What Salesforce says of a deal beside its snapshots: owners, checkboxes, texts, tasks, quotes."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby, pairwise, zip_longest
from typing import Final

from api.exchange.custom_fields import tell_custom
from api.exchange.deal_lines import SAME_MOMENT, Deal
from api.exchange.lines import JsonObject
from api.exchange.records import instant_of, stamp, text_of
from api.exchange.salesforce_ids import full_id
from api.exchange.salesforce_rows import CUSTOM, FOR_EVER
from api.exchange.snapshots import STATE

_OWNER: Final = ("Owner", "OwnerId")
_USER_ID: Final = re.compile(r"005[0-9A-Za-z]{12}(?:[0-9A-Za-z]{3})?")
_SNAPSHOT: Final = {
    "StageName": ("stage_entered", "stage"),
    "Amount": ("amount_changed", "amount"),
    "CloseDate": ("close_date_moved", "close_date"),
}
"""Fields that OpportunityHistory tells as well, the event in which it does, and what they are."""
_COUNT_DIGITS: Final = 9
"""Digits of a count that can be one."""
_SILENT: Final = frozenset(
    {"created", "Probability", "ExpectedRevenue", "ForecastCategory", "ForecastCategoryName"}
)
"""Rows that say nothing that the snapshots do not."""


def first_owner(changes: Iterable[JsonObject], deal: Deal) -> str:
    """Who owned the deal when it was opened: whom the first change took it from."""
    for old, _, _ in _owner_changes(changes, deal):
        if old:
            return old
    return text_of(deal.record, "owner")


def owners(deal: Deal, changes: list[JsonObject]) -> Iterator[tuple[str, JsonObject]]:
    """To whom the deal was given, in order, each with its row; a reject for nobody known."""
    for _, new, row in _owner_changes(changes, deal):
        if new:
            yield new, row
        else:
            deal.reject(row, "NewValue: not the id, nor the name, of one user")


def _owner_changes(
    changes: Iterable[JsonObject], deal: Deal
) -> Iterator[tuple[str, str, JsonObject]]:
    """Old and new owner of each change; Salesforce writes one row of names and one of ids."""
    owners = (row for row in changes if row["field"] in _OWNER)
    for _, group in groupby(owners, key=lambda row: row["at"]):
        rows = list(group)
        by_id = [row for row in rows if _USER_ID.fullmatch(text_of(row, "new"))]
        for row in by_id or rows:
            yield _user(deal, text_of(row, "old")), _user(deal, text_of(row, "new")), row


def _user(deal: Deal, text: str) -> str:
    """The id that a text is, or that the one user of that name has; else empty."""
    if _USER_ID.fullmatch(text):
        return full_id(text)
    named = [user for user, name in deal.context.users.items() if name == text]
    return named[0] if len(named) == 1 else ""


def state_loss_reasons(deal: Deal, changes: Iterable[JsonObject]) -> list[JsonObject]:
    """Put the reason that the declared field held with a loss beside its snapshot.

    It was given with the loss, or is what the next change took it from while the deal was lost.
    Gives the changes that say it of a loss afterwards.
    """
    declared = deal.context.profile.custom_fields
    reasons = {name for name, mapping in declared.items() if mapping.event == "deal_lost"}
    said = [row for row in changes if row["field"] in reasons and row["new"]]
    after: list[JsonObject] = []
    for since, upto, lost in _losses(deal) if said else ():
        latest = since + SAME_MOMENT
        within = [(instant_of(row, "at"), row) for row in said]
        near = [row["new"] for at, row in within if since - SAME_MOMENT <= at <= latest]
        later = [row for at, row in within if latest < at and (upto is None or at < upto)]
        if near or later:
            lost["loss_reason"] = near[-1] if near else later[0]["old"]
        after += later
    return after


def _losses(deal: Deal) -> Iterator[tuple[datetime, datetime | None, JsonObject]]:
    """Since when, and until when, the deal was lost, with the snapshot that says so first."""
    spells = [list(rows) for _, rows in groupby(deal.snapshots, key=deal.closes)]
    for spell, following in zip_longest(spells, spells[1:]):
        if deal.closes(spell[0]) == "lost":
            upto = instant_of(following[0], "at") if following else None
            yield instant_of(spell[0], "at"), upto, spell[0]


def tell_fields(deal: Deal, changes: list[JsonObject]) -> None:
    """Add what changes of other fields say, and look for those that the snapshots lack."""
    custom: list[JsonObject] = []
    for row in changes:
        name = text_of(row, "field")
        if name in deal.context.checkboxes or (name.endswith(CUSTOM) and name not in _SNAPSHOT):
            custom.append(row)
        elif name in _SNAPSHOT:
            _confirm(deal, row, name)
        elif name not in _SILENT and name not in _OWNER:
            deal.findings.lacks(f"changes of the field {name}")
    tell_custom(deal, custom)


def tell_missing(deal: Deal, unreadable: Iterable[JsonObject]) -> None:
    """Add a gap where a snapshot is missing between two others, as what stands in them proves.

    The one ended before the other began, or the other took over from a value that none before it
    had or named. That a snapshot names the value before it proves no move: it may name any earlier
    one. Those before the first, and `unreadable` ones, have their gaps already.
    """
    told = [instant_of(hole, "at") for hole in unreadable]
    shown: dict[str, set[object]] = {name: {None} for name in STATE}
    for before, row in pairwise(deal.snapshots):
        for name in STATE:
            shown[name] |= {before[name], before.get(f"{name}_before")}
        since, at = instant_of(before, "at"), instant_of(row, "at")
        fields = [name for name in STATE if row.get(f"{name}_before") not in shown[name]]
        if _ended_before(before, at):
            fields = list(STATE)
        if fields and not any(since <= one < at for one in told):
            deal.gap(row, start=since, end=at, fields=fields)


def _ended_before(snapshot: JsonObject, at: datetime) -> bool:
    until = text_of(snapshot, "until")
    return until not in ("", FOR_EVER) and at - datetime.fromisoformat(until) > SAME_MOMENT


def check_pushes(deal: Deal) -> None:
    """Where the deal was pushed more often than its history shows, a gap: moves are missing.

    Salesforce counts a push where the close date moves into a later calendar month; within a
    month it counts none, and a pull-in takes none back. It began to count in 2021, so that
    fewer pushes than the history has prove nothing.
    """
    counted = text_of(deal.record, "pushes").partition(".")[0]
    begun = instant_of(deal.snapshots[0], "at") if deal.snapshots else None
    days = [text_of(told, "close_date") for at, told in deal.known.values if begun and at < begun]
    days += [text_of(row, "close_date") for row in deal.snapshots]
    months = [day[:7] for day in days if day]
    shown = sum(1 for before, after in pairwise(months) if after > before)
    more = counted.isdecimal() and len(counted) <= _COUNT_DIGITS and int(counted) > shown
    if more and not deal.known.lacks("close_date") and not any(_gaps_of(deal, "close_date")):
        start, end = instant_of(deal.record, "created"), instant_of(deal.record, "modified")
        deal.findings.note("a deal was pushed more often than its history shows")
        deal.gap(deal.record, start=start, end=end, fields=["close_date"])


def _gaps_of(deal: Deal, name: str) -> Iterator[tuple[str, str]]:
    """From when until when the source does not tell what happened to a field."""
    for line in deal.lines:
        fields = line.data.get("fields")
        if line.type == "history_gap" and isinstance(fields, list) and name in fields:
            yield str(line.data["from"]), str(line.data["to"])


def _confirm(deal: Deal, row: JsonObject, name: str) -> None:
    kind, told_as = _SNAPSHOT[name]
    at = instant_of(row, "at")
    kinds = (kind, "deal_opened")
    told = [one.recorded_at or one.occurred_at for one in deal.lines if one.type in kinds]
    if any(abs(one - at) <= SAME_MOMENT for one in (*told, *deal.known.times(kinds))):
        return
    if text_of(row, "new"):
        deal.reject(row, f"{name}: OpportunityHistory has no such change at {row['at']}")
        _tell_unconfirmed(deal, row, told_as)


def _tell_unconfirmed(deal: Deal, row: JsonObject, name: str) -> None:
    """Add a gap between the snapshots around a change that none of them holds."""
    at = instant_of(row, "at")
    before = [instant_of(one, "at") for one in deal.snapshots if instant_of(one, "at") <= at]
    after = [instant_of(one, "at") for one in deal.snapshots[len(before) :]]
    start, end = (before or [at])[-1], (after or [at])[0]
    around = (
        since <= stamp(start) and stamp(end) <= until for since, until in _gaps_of(deal, name)
    )
    if not any(around):
        deal.gap(row, start=start, end=end, fields=[name])
