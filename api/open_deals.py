"""The open deals that somebody may see, for answers about all of them."""

from uuid import UUID

from psycopg import sql

from api.identity.access import only_in_reach
from api.identity.reach import Reach
from api.places import Place
from projections.facts import Rows
from projections.spans import read
from projections.spans.fold import DealState


def open_deals(
    connection: Rows, place: Place, reach: Reach, *, owner: str | None = None
) -> dict[UUID, DealState]:
    """Give the deals open at a place that are in reach, or of these only one owner's."""
    table = sql.SQL("(SELECT * FROM {} o WHERE {})").format(place.open_deals, only_in_reach(reach))
    found = (
        read.stood(connection, table)
        if owner is None
        else read.stood(connection, table, where="owner = %s", params=(owner,))
    )
    return {one.deal_id: one.state for one in found}
