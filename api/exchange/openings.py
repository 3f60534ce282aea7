"""How a deal was opened and whether it was deleted, beside what the ledger has of both already."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from api.exchange.context import ProcessInUse
from api.exchange.deal_lines import Deal
from api.exchange.known_deals import CHANGES, ToldDeletion
from api.exchange.lines import JsonObject, Line
from api.exchange.owners import NOBODY, keep_owner
from api.exchange.records import instant_of, one_line, stamp, text_of

_DELETION: Final = "deal_deleted"
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
    keep_owner(deal, str(stored["owner"]))
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
    owner = str(stored.get("owner", ""))
    if stored and (owner == deal.owner or _is_told_better(deal, owner)):
        keep_owner(deal, owner)
        data |= {"owner": owner}
    kept = {key: stored[key] for key in ("name", "account") if key in stored}
    if any(data[key] != value for key, value in kept.items()):
        deal.findings.note("a deal that has another name or account now keeps its first")
    stated |= {key: stored[key] for key in _STATED if key in stored and key not in stated}
    return data | kept | {"process": stored.get("process") or process.ref}


def _is_told_better(deal: Deal, owner: str) -> bool:
    """Whether the ledger knows better than this export who owned a deal when it was opened.

    The export has no history of owners, or one that begins after a change that the ledger has, or
    that lacks how the deal came to the owner of then: sources keep changes for some time only.
    """
    given = [(new, row) for new, row in deal.owners if new != deal.owner]
    lost = owner != NOBODY and owner not in [new for new, _ in given]
    if not given or deal.owner == NOBODY or lost:
        return True
    begun = instant_of(given[0][1], "at")
    return any(at < begun for at, _ in deal.known.owners())


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
    at, first = instant_of(deal.record, "modified"), f"{deal.id}:{_DELETION}"
    told = [one for one in deal.known.deletions() if one.external_id.startswith(first)]
    if deal.record["deleted"]:
        _tell_deleted(deal, at, told)
        return
    for one in told:
        if one.restored_at is None and one.at < at:
            _restore(deal, one, at)


def _tell_deleted(deal: Deal, at: datetime, told: Sequence[ToldDeletion]) -> None:
    """Add a deletion; one that the ledger does not hold only where the deal does not live on.

    An id is of one deletion: a deal that was restored may be deleted a second time, and it was
    restored if its history goes on.
    """
    key = next((one.external_id.removeprefix(f"{deal.id}:") for one in told if one.at == at), "")
    if not key:
        changes = [_told_at(line) for line in deal.lines if line.type in CHANGES]
        if _lives_on(deal, max([at, *changes]), told):
            return
        since = {one: [change for change in changes if change > one.at] for one in told}
        for one, later in since.items():
            if one.restored_at is None and later:
                _restore(deal, one, min(later))
        again = bool(told) and all(one.restored_at or later for one, later in since.items())
        key = f"{_DELETION}:{stamp(at)}" if again else _DELETION
    by = text_of(deal.record, "modified_by")
    deal.add(deal.record, _DELETION, {}, key=key, told_at=at, actor=by or None)


def _lives_on(deal: Deal, upto: datetime, told: Sequence[ToldDeletion]) -> bool:
    """Whether the ledger has the deal restored or changed after all that this export tells."""
    if any(one.restored_at is not None and one.restored_at > upto for one in told):
        deal.findings.note("a deal that was restored since is not deleted by an older export")
        return True
    changed = deal.known.changed
    if changed is None or changed <= upto:
        return False
    deal.findings.note("a deal that a later export tells changes of is not deleted by an older one")
    return True


def _restore(deal: Deal, deletion: ToldDeletion, at: datetime) -> None:
    reason = f"Restored in {deal.context.names.system}."
    data: JsonObject = {"event_id": deletion.external_id, "reason": reason}
    key = f"restored:{stamp(deletion.at)}"
    deal.add(deal.record, "event_retracted", data, key=key, told_at=at, corrects=_DELETION)


def _told_at(line: Line) -> datetime:
    return line.recorded_at or line.occurred_at
