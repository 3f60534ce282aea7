"""Who owned a deal: the changes of its owner, and a gap where they do not lead to the present."""

from collections.abc import Iterable

from api.exchange.deal_lines import Deal
from api.exchange.lines import JsonObject
from api.exchange.records import instant_of, text_of

NOBODY = "unassigned"
"""The owner of a deal that the source gives none."""


def tell_owner_changes(deal: Deal, changes: Iterable[tuple[str, JsonObject]]) -> None:
    """Add each change to another owner, in order."""
    owner = deal.owner
    since = instant_of(deal.record, "created")
    for new, row in changes:
        since = instant_of(row, "at")
        if new != owner:
            deal.add(row, "owner_changed", {"owner": new})
            owner = new
    present = text_of(deal.record, "owner")
    if owner != present and not deal.was_given_to(present):
        end = instant_of(deal.record, "modified")
        deal.gap(deal.record, start=since, end=end, fields=["owner"])
