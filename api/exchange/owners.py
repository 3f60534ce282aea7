"""Who owned a deal: the changes of its owner, and a gap where they do not lead to the present."""

from datetime import datetime

from api.exchange.deal_lines import Deal, gap_key
from api.exchange.lines import JsonObject
from api.exchange.records import instant_of, text_of

NOBODY = "unassigned"
"""The owner of a deal that the source gives none."""


def keep_owner(deal: Deal, owner: str) -> None:
    """Let the deal have the owner that the ledger has of its opening.

    A gap where this export shows another before its first change than the ledger knows of then.
    """
    first, deal.owner = deal.owner, owner
    if not deal.owners or first in (NOBODY, deal.owners[0][0]):
        return
    row = deal.owners[0][1]
    begun = instant_of(row, "at")
    since, last = _known(deal, before=begun)[-1]
    if last != first:
        _gap(deal, row, start=since, end=begun)


def tell_owner_changes(deal: Deal) -> None:
    """Add each change to another owner, in order, and a gap where they do not lead to the present.

    What the ledger has from before the first of them counts, and so does what it has up to this
    export: sources keep changes for some time only.
    """
    given = [(instant_of(row, "at"), new) for new, row in deal.owners]
    owner = _known(deal, before=given[0][0])[-1][1] if given else deal.owner
    for new, row in deal.owners:
        if new != owner:
            deal.add(row, "owner_changed", {"owner": new})
            owner = new
    modified = instant_of(deal.record, "modified")
    upto = max([modified, *(at for at, _ in given)])
    opened, *known = _known(deal)
    changes = sorted([*known, *given], key=lambda change: change[0])
    since, owner = [opened, *(change for change in changes if change[0] <= upto)][-1]
    if owner != text_of(deal.record, "owner"):
        _gap(deal, deal.record, start=since, end=modified)


def _known(deal: Deal, *, before: datetime | None = None) -> list[tuple[datetime, str]]:
    """Since when the deal was whose, as the ledger has it; it begins with the opening."""
    opened = (instant_of(deal.record, "created"), deal.owner)
    told = deal.known.owners()
    return [opened, *(one for one in told if before is None or one[0] < before)]


def _gap(deal: Deal, row: JsonObject, *, start: datetime, end: datetime) -> None:
    """A gap, unless the ledger has it: as more was told since, it would begin at another time."""
    if not deal.told(f"{text_of(row, 'id')}:{gap_key(['owner'], max(start, end))}"):
        deal.gap(row, start=start, end=end, fields=["owner"])
