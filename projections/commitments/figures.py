"""The commitments, pushes and contacts of many deals at any moment, read from their facts."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.commitments import Word
from projections.commitments.projection import COMMITMENTS, SIGNS
from projections.facts import Rows

_WHERE: Final = "deal_id = ANY(%s) AND from_at <= %s AND (until_at IS NULL OR until_at > %s)"


@dataclass(frozen=True, slots=True)
class Backing:
    """What stands behind a deal: its customer's word, and how many pushes and contacts it has."""

    words: tuple[Word, ...] = ()
    pushes: int = 0
    contacts: int = 0


def backings_of(
    connection: Rows, deal_ids: Collection[UUID], *, as_of: int, cut: datetime | None
) -> dict[UUID, Backing]:
    """Give the backing of each of these deals, as known at a position.

    With a cut, what occurred later has not happened yet.
    """
    params = (list(deal_ids), *[cut or "infinity"] * 2)
    words: dict[UUID, list[Word]] = defaultdict(list)
    for deal_id, given in COMMITMENTS.known(connection, as_of=as_of, where=_WHERE, params=params):
        words[deal_id].append(given.word)
    counts: dict[UUID, dict[str, int]] = defaultdict(lambda: {"push": 0, "contact": 0})
    for deal_id, sign in SIGNS.known(connection, as_of=as_of, where=_WHERE, params=params):
        counts[deal_id][sign.kind] += 1
    return {
        deal_id: Backing(tuple(words[deal_id]), counts[deal_id]["push"], counts[deal_id]["contact"])
        for deal_id in deal_ids
    }
