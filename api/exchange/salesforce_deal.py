"""One Salesforce opportunity as a deal: snapshots compared, never what a snapshot says changed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from api.exchange.context import ProcessInUse
from api.exchange.instants import won_at
from api.exchange.lines import Findings, JsonObject, Line
from api.exchange.profile import PlainField, Profile
from api.exchange.salesforce_rows import instant_of, one_line, place_of, stamp, text_of

SAME_MOMENT: Final = timedelta(minutes=1)
"""Rows that one save writes may carry times this far apart."""
STATE: Final = ("stage", "amount", "close_date")
"""What a history row snapshots."""

_CATEGORIES: Final = {
    "Pipeline": "pipeline",
    "BestCase": "best_case",
    "MostLikely": "most_likely",
    "Forecast": "commit",
    "Commit": "commit",
    "Closed": "closed",
    "Omitted": "omitted",
}
_RANKS: Final = {
    name: rank
    for rank, name in enumerate(
        (
            "deal_opened",
            "owner_changed",
            "activity_ticked",
            "activity_unticked",
            "outcome_evidenced",
            "customer_goal_recorded",
            "customer_commitment_recorded",
            "note_added",
            "discount_offered",
            "win_reversed",
            "deal_reopened",
            "close_date_moved",
            "amount_changed",
            "forecast_category_changed",
            "stage_entered",
            "deal_won",
            "deal_lost",
            "event_amended",
            "history_gap",
            "deal_deleted",
        )
    )
}
"""The order of events that one moment recorded: a deal is reopened before it moves on."""


@dataclass(frozen=True, slots=True)
class SourceContext:
    """What all deals of an export share."""

    profile: Profile
    process: ProcessInUse
    zone: str
    stages: Mapping[str, str]
    """The id of a stage by each name that rows use for it."""
    closes: Mapping[str, str | None]
    """How a deal ends in a stage, by the stage's id."""
    categories: Mapping[str, str]
    """The forecast category that Salesforce sets by itself, by the stage's id."""
    users: Mapping[str, str]
    """The name of a user by id."""
    checkboxes: frozenset[str]
    """The custom fields that are checkboxes."""


@dataclass(slots=True)
class Deal:
    """The rows of one opportunity, each kind in its order, and the lines made of them so far."""

    context: SourceContext
    findings: Findings
    opportunity: JsonObject
    snapshots: Sequence[JsonObject]
    synced: JsonObject | None = None
    """The quote that the opportunity takes its prices from."""
    lines: list[Line] = field(default_factory=list)
    owner: str = ""

    @property
    def id(self) -> str:
        return text_of(self.opportunity, "id")

    def add(
        self,
        row: JsonObject,
        kind: str,
        data: JsonObject,
        *,
        key: str | None = None,
        told_at: datetime | None = None,
        occurred_at: datetime | None = None,
        actor: str | None = None,
        corrects: str | None = None,
    ) -> None:
        """Make a line of what a row says; its times and its author are those of the row."""
        file, number = place_of(row)
        recorded_at = told_at or instant_of(row, "at")
        self.lines.append(
            Line(
                stream=f"deal:{self.id}",
                external_id=f"{text_of(row, 'id')}:{key or kind}",
                type=kind,
                occurred_at=occurred_at or recorded_at,
                recorded_at=recorded_at,
                actor=actor or text_of(row, "by") or self.owner,
                data=data,
                file=file,
                row=number,
                corrects=corrects,
            )
        )

    def gap(self, row: JsonObject, *, start: datetime, end: datetime, fields: list[str]) -> None:
        """Say that the source does not tell what happened to these fields in between."""
        data: JsonObject = {"from": stamp(start), "to": stamp(max(start, end)), "fields": fields}
        key = "gap:" + ",".join(fields) + f":{stamp(end)}"
        self.add(row, "history_gap", data, key=key, told_at=max(start, end), actor=self.owner)

    def reject(self, row: JsonObject, reason: str) -> None:
        self.findings.reject(*place_of(row), reason)

    def money(self, row: JsonObject, amount: object) -> JsonObject:
        currency = (
            text_of(row, "currency")
            or text_of(self.opportunity, "currency")
            or self.context.profile.currency
        )
        return {"amount": amount, "currency": currency}

    def stage(self, row: Mapping[str, object]) -> str:
        name = text_of(row, "stage")
        return self.context.stages.get(name, name)

    def closes(self, row: Mapping[str, object]) -> str | None:
        return self.context.closes.get(self.stage(row))

    def in_order(self) -> Iterator[Line]:
        """The lines as they were recorded, those of one moment in the order of a sale."""
        return iter(
            sorted(
                self.lines,
                key=lambda line: (line.recorded_at or line.occurred_at, _RANKS[line.type]),
            )
        )


def tell_history(deal: Deal) -> None:
    """Add what the snapshots and the opportunity itself say."""
    if not deal.snapshots:
        _open(deal, deal.opportunity, None)
        if deal.opportunity["created"] != deal.opportunity["modified"]:
            _gap_to_now(deal, list(STATE), since=instant_of(deal.opportunity, "created"))
    else:
        _tell_snapshots(deal)
    if deal.opportunity["deleted"]:
        _delete(deal)


def _tell_snapshots(deal: Deal) -> None:
    first, *later = deal.snapshots
    for snapshot in deal.snapshots:
        if deal.stage(snapshot) not in deal.context.closes:
            deal.findings.note(f"stage {text_of(snapshot, 'stage')!r} is not in OpportunityStage")
    _begin(deal, first)
    previous = first
    for snapshot in later:
        _compare(deal, previous, snapshot)
        previous = snapshot
    _compare_with_now(deal, previous)


def _begin(deal: Deal, first: JsonObject) -> None:
    created = instant_of(deal.opportunity, "created")
    at = instant_of(first, "at")
    if at - created <= SAME_MOMENT:
        _open(deal, deal.opportunity, first)
    else:
        # Rows are missing at the start: what the deal looked like when it was opened is not known.
        _open(deal, deal.opportunity, None)
        deal.gap(first, start=created, end=at, fields=list(STATE))
        _tell_values(deal, {}, first)
    _enter(deal, None, first)


def _open(deal: Deal, row: JsonObject, first: JsonObject | None) -> None:
    name = one_line(text_of(row, "name"))
    if name != text_of(row, "name"):
        deal.findings.note("a name of several lines was put on one line")
    data: JsonObject = {
        "name": name or deal.id,
        "account": _account(deal),
        "owner": deal.owner,
        "process": deal.context.process.of(f"{deal.id}:deal_opened"),
    }
    if first is not None and first["amount"] is not None:
        data["amount"] = deal.money(first, first["amount"])
    if first is not None and first["close_date"] is not None:
        data["close_date"] = first["close_date"]
    at = instant_of(row, "created") if first is None else instant_of(first, "at")
    by = text_of(row if first is None else first, "by") or text_of(row, "created_by")
    deal.add(row, "deal_opened", data, told_at=at, actor=by or None)


def _account(deal: Deal) -> JsonObject:
    account = text_of(deal.opportunity, "account")
    if not account:
        # One placeholder for each deal: a shared one would read as a customer that comes back.
        deal.findings.lacks("account: the opportunity names none")
        return {"id": f"unknown:{deal.id}", "name": "Unknown account"}
    name = text_of(deal.opportunity, "account_name")
    if not name:
        deal.findings.note("an account is shown by its id: the export does not name it")
    return {"id": account, "name": name or account}


def _compare(deal: Deal, previous: JsonObject, row: JsonObject) -> None:
    was, now = deal.closes(previous), deal.closes(row)
    if was == "won" and now != "won":
        deal.add(row, "win_reversed", {})
    if was is not None and now != was:
        deal.add(row, "deal_reopened", {})
    _tell_values(deal, previous, row)
    if was == now == "won" and _changed(previous, row, STATE[1:]):
        _amend_win(deal, row)
    _tell_category(deal, previous, row)
    if deal.stage(row) != deal.stage(previous):
        _enter(deal, was, row)


def _tell_values(deal: Deal, previous: JsonObject, row: JsonObject) -> None:
    for name, kind in (("close_date", "close_date_moved"), ("amount", "amount_changed")):
        if not _changed(previous, row, (name,)):
            continue
        value = row[name]
        if value is None:
            deal.findings.lacks(f"{name}: taken back without another value")
        else:
            data: JsonObject = {"to": value} if name == "close_date" else {}
            deal.add(row, kind, data or {"amount": deal.money(row, value)})


def _changed(one: Mapping[str, object], other: Mapping[str, object], names: Iterable[str]) -> bool:
    return any(_comparable(one, name) != _comparable(other, name) for name in names)


def _comparable(row: Mapping[str, object], name: str) -> object:
    value = row.get(name)
    return Decimal(value) if name == "amount" and isinstance(value, str) else value


def _tell_category(deal: Deal, previous: JsonObject, row: JsonObject) -> None:
    """A category is somebody's judgement only where it is not the one that the stage sets."""
    category = text_of(row, "category")
    if category in (
        "",
        text_of(previous, "category"),
        deal.context.categories.get(deal.stage(row)),
    ):
        return
    if category in _CATEGORIES:
        deal.add(row, "forecast_category_changed", {"category": _CATEGORIES[category]})
    else:
        deal.findings.lacks(f"forecast category {category!r}")


def _enter(deal: Deal, was: str | None, row: JsonObject) -> None:
    deal.add(row, "stage_entered", {"stage": deal.stage(row)})
    now = deal.closes(row)
    if now is None or now == was:
        return
    if now == "lost":
        deal.add(row, "deal_lost", _loss_reason(deal, row))
    elif row["amount"] is None or row["close_date"] is None:
        deal.reject(row, "Amount, CloseDate: won without them, so the win cannot be counted")
    else:
        closed_on = date.fromisoformat(text_of(row, "close_date"))
        told_at = instant_of(row, "at")
        deal.add(
            row,
            "deal_won",
            {"net": deal.money(row, row["amount"])}
            | _list_price(deal, row)
            | {"closed_on": text_of(row, "close_date")},
            occurred_at=won_at(closed_on=closed_on, told_at=told_at, zone=deal.context.zone),
        )


def _list_price(deal: Deal, row: JsonObject) -> JsonObject:
    """What the deal was listed at, if the quote that it follows says so and came before."""
    quote = deal.synced
    if quote is None or quote["list"] is None or text_of(quote, "at") > text_of(row, "at"):
        return {}
    listed = deal.money(quote, quote["list"])
    if listed["currency"] != deal.money(row, row["amount"])["currency"]:
        return {}
    return {"list": listed}


def _loss_reason(deal: Deal, row: JsonObject) -> JsonObject:
    """The reason, if a declared field holds one; it is that of the latest loss."""
    if row is not deal.snapshots[-1]:
        return {}
    custom = deal.opportunity["custom"]
    for name, mapping in deal.context.profile.custom_fields.items():
        value = custom.get(name) if isinstance(custom, dict) else None
        if isinstance(mapping, PlainField) and mapping.event == "deal_lost" and value:
            return {"reason": value}
    return {}


def _amend_win(deal: Deal, row: JsonObject) -> None:
    """A won deal that is changed was booked wrongly: the win itself is corrected."""
    wins = [line for line in deal.lines if line.type == "deal_won"]
    if not wins or row["amount"] is None or row["close_date"] is None:
        deal.reject(row, "Amount, CloseDate: emptied on a won deal; the win stands as it was")
        return
    net: JsonObject = {
        "net": deal.money(row, row["amount"]),
        "closed_on": text_of(row, "close_date"),
    }
    reason = "Changed in Salesforce after the deal was won."
    data: JsonObject = {"event_id": wins[-1].external_id, "data": net, "reason": reason}
    deal.add(row, "event_amended", data, corrects="deal_won")


def _compare_with_now(deal: Deal, last: JsonObject) -> None:
    now = deal.opportunity
    fields = [name for name in STATE[1:] if _changed(last, now, (name,))]
    if deal.stage(last) != deal.stage(now):
        fields.insert(0, "stage")
    if fields:
        _gap_to_now(deal, fields, since=instant_of(last, "at"))


def _gap_to_now(deal: Deal, fields: list[str], *, since: datetime) -> None:
    modified = instant_of(deal.opportunity, "modified")
    deal.gap(deal.opportunity, start=since, end=modified, fields=fields)


def _delete(deal: Deal) -> None:
    at = instant_of(deal.opportunity, "modified")
    by = text_of(deal.opportunity, "modified_by")
    deal.add(deal.opportunity, "deal_deleted", {}, told_at=at, actor=by or None)
