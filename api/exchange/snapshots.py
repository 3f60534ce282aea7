"""A deal told by snapshots of its state: they are compared, whatever one says has changed."""

from collections.abc import Collection, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from api.exchange.deal_lines import CLOSING, SAME_MOMENT, Deal, gap_key
from api.exchange.instants import won_at
from api.exchange.known_deals import CHANGES, LEAST
from api.exchange.lines import JsonObject
from api.exchange.openings import keep_opening, open_deal
from api.exchange.profile import PlainField
from api.exchange.records import instant_of, stamp, text_of

STATE: Final = ("stage", "amount", "close_date")
"""What a snapshot holds of a deal.

Beside it, where the source has them: `closes` and `closed_on` of a deal that is closed by its
status, `pipeline`, `set_by_source` (a value that nobody chose), `moved_why` and `loss_reason`.
"""
_KINDS: Final = {"close_date": "close_date_moved", "amount": "amount_changed"}
"""What says that a value of a snapshot is another."""

_CATEGORIES: Final = {
    "Pipeline": "pipeline",
    "BestCase": "best_case",
    "MostLikely": "most_likely",
    "Forecast": "commit",
    "Commit": "commit",
    "Closed": "closed",
    "Omitted": "omitted",
}


def tell_history(deal: Deal) -> None:
    """Add what the snapshots and the deal's own record say."""
    record = deal.record
    created, modified = instant_of(record, "created"), instant_of(record, "modified")
    known = _known_state(deal, modified + LEAST)
    entered = known["stage"] and not deal.told(f"{deal.id}:stage_entered")
    if not deal.snapshots and created == modified and not entered:
        # Nothing was changed since, so it still is as it was opened.
        deal.snapshots = [record | {"at": record["created"], "by": record["created_by"]}]
    if deal.snapshots:
        _tell_snapshots(deal)
    elif not deal.told(f"{deal.id}:{gap_key(STATE, modified)}") and keep_opening(deal):
        _tell_early(deal)
        _compare_with_now(deal, known)
    else:
        open_deal(deal, record, None)
        _tell_early(deal)
        _gap_to_now(deal, list(STATE), since=created)


def tell_holes(deal: Deal, unreadable: Iterable[JsonObject]) -> None:
    """Say where a snapshot is missing between two others: what it said is told by the later one."""
    for hole in unreadable:
        before = [row for row in deal.snapshots if text_of(row, "at") <= text_of(hole, "at")]
        after = deal.snapshots[len(before) :]
        if before and after:
            start, end = instant_of(before[-1], "at"), instant_of(after[0], "at")
            deal.gap(hole, start=start, end=end, fields=list(STATE))


def _tell_snapshots(deal: Deal) -> None:
    first, *later = deal.snapshots
    for snapshot in deal.snapshots:
        if deal.stage(snapshot) not in deal.context.closes:
            name, stages = text_of(snapshot, "stage"), deal.context.names.stages
            deal.findings.note(f"stage {name!r} is not in {stages}")
    _begin(deal, first)
    previous, unkept = first, {name for name in _KINDS if first[name] is None}
    for snapshot in later:
        begun = {name for name in unkept if snapshot[name] is not None}
        unkept -= begun
        _compare(deal, previous | _held(deal, begun, snapshot), snapshot)
        previous = snapshot
    _compare_with_now(deal, previous)


def _held(deal: Deal, begun: Collection[str], row: JsonObject) -> JsonObject:
    """What the ledger has from before a row of values whose history begins with it."""
    told = _as_told(deal, {}, row) if begun else {}
    with_currency = {*begun, "currency"} if "amount" in begun else begun
    return {name: value for name, value in told.items() if name in with_currency}


def _begin(deal: Deal, first: JsonObject) -> None:
    created = instant_of(deal.record, "created")
    at = instant_of(first, "at")
    if at - created <= SAME_MOMENT:
        open_deal(deal, deal.record, first)
        if first["id"] == deal.id or not deal.told(f"{deal.id}:stage_entered"):
            _enter(deal, first)
            _tell_end(deal, None, first)
        return
    # Rows are missing at the start: what the deal looked like when it was opened is not known.
    known = keep_opening(deal)
    if not known:
        open_deal(deal, deal.record, None)
    before = _tell_early(deal)
    told = _told_of(deal, first) if known else frozenset()
    if known and deal.context.whole_states:
        if not told or deal.told(f"{text_of(first, 'id')}:{gap_key(STATE, at)}"):
            _gap_before(deal, first)
        _compare(deal, _known_state(deal, at), first)
        return
    if told:
        _go_on(deal, first, told)
        return
    was = next((end for since, end in reversed(deal.known.closings()) if since < at), None)
    _reopen(deal, was, first)
    deal.gap(first, start=created, end=at, fields=list(STATE))
    _tell_values(deal, _as_told(deal, before, first), first)
    _enter(deal, first)
    _tell_end(deal, None, first)


def _gap_before(deal: Deal, first: JsonObject) -> None:
    """Say that nothing tells what happened between what the ledger has of a deal and a row."""
    at = instant_of(first, "at")
    known = [instant_of(deal.record, "created"), *deal.known.times(CHANGES)]
    start = max(one for one in known if one <= at)
    deal.gap(first, start=start, end=at, fields=list(STATE))


def _known_state(deal: Deal, before: datetime) -> JsonObject:
    """The state in which the ledger has the deal before a moment, as a snapshot would have it."""
    state: JsonObject = dict.fromkeys(STATE)
    for at, told in deal.known.values:
        state |= told if at < before else {}
    since = [at for at in deal.known.times(CHANGES) if at < before]
    at = max(since, default=instant_of(deal.record, "created"))
    closes = deal.known.closed(before)
    return state | {"stage": deal.known.stage(before), "closes": closes, "at": stamp(at)}


def _reopen(deal: Deal, was: str | None, row: JsonObject) -> None:
    """Add that a deal which had ended otherwise goes on."""
    now = deal.closes(row)
    if was == "won" and now != "won":
        deal.add(row, "win_reversed", {})
    if was is not None and now != was:
        deal.add(row, "deal_reopened", {})


def _tell_early(deal: Deal) -> JsonObject:
    """Add the amounts and days from before the first stage that is kept, but for the opening's.

    Gives the last of these moments; an empty row if there is none.
    """
    opening = deal.stored(f"{deal.id}:deal_opened")
    opened = instant_of(deal.record, "created") + SAME_MOMENT
    ended = deal.known.ended
    before: JsonObject = {}
    for row in deal.early:
        at = instant_of(row, "at")
        if at <= opened:
            before = row | {name: before.get(name) for name in STATE if name not in opening}
        by_source = any(abs(at - one) <= CLOSING for one in ended)
        known = _as_told(deal, before, row)
        _tell_values(deal, known, row | ({"set_by_source": "close_date"} if by_source else {}))
        before = row
    return before


def _as_told(deal: Deal, before: JsonObject, row: JsonObject) -> JsonObject:
    """The moment before a row, with what the ledger has from between the two.

    And from before both, of what that moment does not state: its history may begin later.
    """
    upto, since = instant_of(row, "at"), instant_of(before, "at") if before else None
    known = before
    for at, told in deal.known.values:
        if at < upto:
            later = since is None or at >= since
            known = known | {name: told[name] for name in told if later or not before.get(name)}
    return known


def _told_of(deal: Deal, first: JsonObject) -> frozenset[str]:
    """What an earlier export told of a row, if it told how the row differs from the one before."""
    row = text_of(first, "id")
    kinds = ("stage_entered", *_KINDS.values(), f"deal_{deal.closes(first)}")
    return frozenset(kind for kind in kinds if deal.told(f"{row}:{kind}"))


def _go_on(deal: Deal, first: JsonObject, told: frozenset[str]) -> None:
    """Go on from a row of which an earlier export told more: say the same of it again."""
    same = {name: value for name, value in first.items() if _KINDS.get(name) not in told}
    _tell_values(deal, same, first)
    if "stage_entered" in told:
        _enter(deal, first)
    if f"deal_{deal.closes(first)}" in told:
        _tell_end(deal, None, first)


def _compare(deal: Deal, previous: JsonObject, row: JsonObject) -> None:
    was, now = deal.closes(previous), deal.closes(row)
    _reopen(deal, was, row)
    _tell_values(deal, previous, row)
    if was == now == "won" and (
        _changed(deal, previous, row, "amount") or _closed_on(previous) != _closed_on(row)
    ):
        _amend_win(deal, row)
    if was == now == "lost" and text_of(row, "loss_reason"):
        amend_loss(deal, row, text_of(row, "loss_reason"))
    _tell_category(deal, previous, row)
    _tell_process(deal, previous, row)
    if deal.stage(row) != deal.stage(previous):
        _enter(deal, row)
    _tell_end(deal, was, row)


def _tell_process(deal: Deal, previous: JsonObject, row: JsonObject) -> None:
    process = deal.process(row)
    if process is not None and text_of(row, "pipeline") != text_of(previous, "pipeline"):
        deal.add(row, "deal_moved_to_process", {"process": process.ref})


def _tell_values(deal: Deal, previous: JsonObject, row: JsonObject) -> None:
    for name, kind in _KINDS.items():
        if not _changed(deal, previous, row, name) or name == row.get("set_by_source"):
            continue
        value = row[name]
        if value is None:
            deal.findings.lacks(f"{name}: taken back without another value")
        else:
            reason = {"reason": row["moved_why"]} if row.get("moved_why") else {}
            data: JsonObject = {"to": value} | reason if name == "close_date" else {}
            deal.add(row, kind, data or {"amount": deal.money(row, value)})


def _changed(deal: Deal, one: JsonObject, other: JsonObject, name: str) -> bool:
    if name != "amount":
        return one.get(name) != other.get(name)
    before, now = _price(deal, one), _price(deal, other)
    if before and not text_of(one, "currency") and not text_of(other, "currency"):
        # When the currency became another, which neither row says, the ledger may have.
        before = before[0], deal.currency_by(other) or before[1]
    return before != now


def _price(deal: Deal, row: JsonObject) -> tuple[Decimal, object] | None:
    """The amount with its currency: the same number of another one is another amount."""
    amount = row.get("amount")
    if not isinstance(amount, str):
        return None
    return Decimal(amount), deal.money(row, amount)["currency"]


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


def _enter(deal: Deal, row: JsonObject) -> None:
    deal.add(row, "stage_entered", {"stage": deal.stage(row)})


def _tell_end(deal: Deal, was: str | None, row: JsonObject) -> None:
    now = deal.closes(row)
    if now is None or now == was:
        return
    if now == "lost":
        deal.add(row, "deal_lost", _loss_reason(deal, row))
    elif row["amount"] is None or not _closed_on(row):
        deal.reject(row, f"{_priced(deal)}: won without them, so the win cannot be counted")
    else:
        _win(deal, row)


def _closed_on(row: JsonObject) -> str:
    """The day of the win: as the source states it, else the close date."""
    return text_of(row, "closed_on") or text_of(row, "close_date")


def _priced(deal: Deal) -> str:
    return f"{deal.context.names.amount}, {deal.context.names.close_date}"


def _win(deal: Deal, row: JsonObject) -> None:
    net: JsonObject = {"net": deal.money(row, row["amount"])}
    listed = _list_price(deal, row) or _told_before(deal, row, "deal_won", "list")
    data = net | listed | {"closed_on": _closed_on(row)}
    at = won_at(
        closed_on=date.fromisoformat(_closed_on(row)),
        told_at=instant_of(row, "at"),
        zone=deal.context.zone,
    )
    deal.add(row, "deal_won", data, occurred_at=at)


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
    """The reason stated with the loss, else what a declared field holds, of the latest loss.

    Where the source has none any more, the reason that it told before.
    """
    if text_of(row, "loss_reason"):
        return {"reason": text_of(row, "loss_reason")}
    if row is not _latest_loss(deal):
        return _told_before(deal, row, "deal_lost", "reason")
    custom = deal.record["custom"]
    for name, mapping in deal.context.profile.custom_fields.items():
        value = custom.get(name) if isinstance(custom, dict) else None
        if isinstance(mapping, PlainField) and mapping.event == "deal_lost" and value:
            return {"reason": value}
    return _told_before(deal, row, "deal_lost", "reason")


def _told_before(deal: Deal, row: JsonObject, kind: str, name: str) -> JsonObject:
    """What an earlier export told of a row under a name, if it told it."""
    stored = deal.stored(f"{text_of(row, 'id')}:{kind}")
    return {name: stored[name]} if name in stored else {}


def _latest_loss(deal: Deal) -> JsonObject | None:
    """The snapshot with which the deal was lost the last time."""
    found, was = None, None
    for row in deal.snapshots:
        now = deal.closes(row)
        if now == "lost" != was:
            found = row
        was = now
    return found


def _amend_win(deal: Deal, row: JsonObject) -> None:
    """A won deal that is changed was booked wrongly: the win itself is corrected."""
    wins = [line.external_id for line in deal.lines if line.type == "deal_won"]
    win = wins[-1] if wins else deal.known.end("deal_won", instant_of(row, "at"))
    if not win or row["amount"] is None or not _closed_on(row):
        deal.reject(row, f"{_priced(deal)}: emptied on a won deal; the win stands as it was")
        return
    net: JsonObject = {"net": deal.money(row, row["amount"])}
    net |= _list_price(deal, row) | {"closed_on": _closed_on(row)}
    reason = f"Changed in {deal.context.names.system} after the deal was won."
    data: JsonObject = {"event_id": win, "data": net, "reason": reason}
    deal.add(row, "event_amended", data, corrects="deal_won")


def amend_loss(deal: Deal, row: JsonObject, reason: str) -> None:
    """Correct why the deal was lost, as it is stated from a row on, if it says something else."""
    told = [
        one for one in deal.lines if (one.recorded_at or one.occurred_at) <= instant_of(row, "at")
    ]
    losses = [one for one in told if one.type == "deal_lost"]
    if not losses:
        return
    loss = losses[-1]
    amended = [one.data["data"] for one in told if one.data.get("event_id") == loss.external_id]
    data: JsonObject = {"reason": reason}
    if data != (amended[-1] if amended else loss.data):
        why = f"Changed in {deal.context.names.system} after the deal was lost."
        correction: JsonObject = {"event_id": loss.external_id, "data": data, "reason": why}
        deal.add(row, "event_amended", correction, corrects="deal_lost")


def _compare_with_now(deal: Deal, last: JsonObject) -> None:
    now = deal.record
    fields = [name for name in STATE[1:] if _changed(deal, last, now, name)]
    if deal.stage(last) != deal.stage(now):
        fields.insert(0, "stage")
    if "closes" in now and deal.closes(last) != deal.closes(now):
        fields.append("status")
    if fields:
        _gap_to_now(deal, fields, since=instant_of(last, "at"))


def _gap_to_now(deal: Deal, fields: list[str], *, since: datetime) -> None:
    modified = instant_of(deal.record, "modified")
    deal.gap(deal.record, start=since, end=modified, fields=fields)
