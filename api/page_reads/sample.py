"""Answers whether the ledger holds the sample company, on which the pages are shown around."""

from typing import Final
from uuid import UUID

from api.errors import UnknownDealError
from api.exchange.own_lines import SYSTEM
from api.identity.access import Access
from api.identity.permissions import Identity
from api.storage.log_reader import LogReader

STORY: Final = "order-this-month"
"""The deal that the tour opens: see docs/sample-company.md."""


class SampleReads:
    """What the tour asks. A ledger that holds the sample company holds it for good."""

    def __init__(self, store: LogReader, access: Access) -> None:
        self._store = store
        self._access = access
        self._story: UUID | None = None

    def is_loaded(self) -> bool:
        """Say whether it is there."""
        if self._story is None:
            found = self._store.stream_ids_of(STORY, system=SYSTEM)
            self._story = UUID(found[0].partition(":")[2]) if found else None
        return self._story is not None

    def story(self, reader: Identity) -> str | None:
        """Give the deal that the tour opens; None where the reader may not see it."""
        if self._story is None:
            return None
        try:
            self._access.ensure_deal(self._access.reach(reader), self._story)
        except UnknownDealError:
            return None
        return str(self._story)
