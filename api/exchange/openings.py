"""How a deal was opened and whether it was deleted, beside what the ledger has of both already."""

from datetime import datetime
from typing import Final

from api.exchange.context import CHANGES, ProcessInUse
from api.exchange.deal_lines import Deal
from api.exchange.lines import JsonObject
from api.exchange.owners import NOBODY
from api.exchange.records import instant_of, one_line, stamp, text_of

_STATED: Final = ("amount", "close_date")
"""What an opening may say, and does not where the source no longer has so old a history."""


def open_deal(deal: Deal, row: JsonObject, first: JsonObject | None) -> None:
    """Add the opening, as the deal stood in its first snapshot if the source has that."""
    process = deal.process(first or row)
    data: JsonObject = {
        "name": _name(deal, row),
        "account": _account(deal),
        "owner": deal.owner,
    }
    stated: JsonObject = {}
    if first is not None and first["amount"] is not None:
        stated["amount"] = deal.money(first, first["amount"])
    if first is not None and first["close_date"] is not None:
        stated["close_date"] = first["close_date"]
    if process is not None:
        data = _as_opened(deal, process, data, stated)
    at = instant_of(row, "created") if first is None else instant_of(first, "at")
    by = text_of(row if first is None else first, "by") or text_of(row, "created_by")
    deal.add(row, "deal_opened", data | stated, told_at=at, actor=by or None)


def keep_opening(deal: Deal) -> bool:
    """Let a deal of which the source no longer tells the opening keep that of the ledger, if any.

    What it said of its owner counts then: a history that begins later knows only later ones.
    """
    stored = deal.stored(f"{deal.id}:deal_opened")
    if not stored:
        return False
    deal.owner = str(stored["owner"])
    deal.findings.duplicates += 1
    deal.findings.note("a deal whose history begins later than it was opened keeps its opening")
    return True


def _name(deal: Deal, row: JsonObject) -> str:
    name = one_line(text_of(row, "name"))
    if name != text_of(row, "name"):
        deal.findings.note("a name was put on one line, without control characters")
    return name or deal.id


def _as_opened(
    deal: Deal, process: ProcessInUse, data: JsonObject, stated: JsonObject
) -> JsonObject:
    """A deal that is known keeps the name, account and process that it was opened with.

    Also its owner, unless a fuller history of owners tells it better, and an amount and a close
    date of which the history no longer goes back so far.
    """
    stored = deal.stored(f"{deal.id}:deal_opened")
    if stored.get("owner", deal.owner) != deal.owner and _is_told_better(deal):
        deal.owner = str(stored["owner"])
        data |= {"owner": deal.owner}
    kept = {key: stored[key] for key in ("name", "account") if key in stored}
    if any(data[key] != value for key, value in kept.items()):
        deal.findings.note("a deal that has another name or account now keeps its first")
    stated |= {key: stored[key] for key in _STATED if key in stored and key not in stated}
    return data | kept | {"process": stored.get("process") or process.ref}


def _is_told_better(deal: Deal) -> bool:
    """Whether the ledger knows better than this export who owned a deal when it was opened.

    The export has no history of owners, or one that begins with an owner whom the ledger has
    seen the deal given to: sources keep changes for some time only.
    """
    known = deal.owner not in (text_of(deal.record, "owner"), NOBODY)
    return not known or deal.was_given_to(deal.owner)


def _account(deal: Deal) -> JsonObject:
    account = text_of(deal.record, "account")
    if not account:
        # One placeholder for each deal: a shared one would read as a customer that comes back.
        deal.findings.lacks("account: the deal names none")
        return {"id": f"unknown:{deal.id}", "name": "Unknown account"}
    name = text_of(deal.record, "account_name")
    if not name:
        deal.findings.note("an account is shown by its id: the export does not name it")
    return {"id": account, "name": name or account}


def tell_deletion(deal: Deal) -> None:
    """Add that the deal was deleted, or that it was restored since the ledger was told so."""
    ledger, at = deal.context.ledger, instant_of(deal.record, "modified")
    first = f"{deal.id}:deal_deleted"
    is_known = deal.told(f"{deal.id}:deal_opened") and deal.told(first)
    known = ledger.known.deletions(ledger.system, deal.id) if ledger and is_known else ()
    if deal.record["deleted"]:
        restored = [one.restored_at for one in known if one.restored_at]
        # An id is of one deletion: a deal that was restored may be deleted a second time.
        held = at in [one.at for one in known]
        again = bool(restored) and not held
        if again and at < max(restored):
            deal.findings.note("a deal that was restored since is not deleted by an older export")
            return
        if not held and _lived_on(deal, at):
            deal.findings.note(
                "a deal that a later export tells changes of is not deleted by an older one"
            )
            return
        by = text_of(deal.record, "modified_by")
        key = f"deal_deleted:{stamp(at)}" if again else None
        deal.add(deal.record, "deal_deleted", {}, key=key, told_at=at, actor=by or None)
        return
    for one in known:
        if one.restored_at is None and one.at < at:
            reason = f"Restored in {deal.context.names.system}."
            data: JsonObject = {"event_id": one.external_id, "reason": reason}
            key = f"restored:{stamp(one.at)}"
            deal.add(
                deal.record, "event_retracted", data, key=key, told_at=at, corrects="deal_deleted"
            )


def _lived_on(deal: Deal, at: datetime) -> bool:
    """Whether the ledger has a later change of the deal than a deletion, and than this export."""
    ledger = deal.context.ledger
    changed = ledger.known.changed(ledger.system, deal.id) if ledger else None
    own = (line.recorded_at or line.occurred_at for line in deal.lines if line.type in CHANGES)
    return changed is not None and changed > max([at, *own])
