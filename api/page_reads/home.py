"""Answers the first page, with people by their names."""

from typing import Any

from api.http.overview import since_of
from api.identity.permissions import Action, Identity
from api.overview import Overviews
from api.page_reads.deals import may_record
from api.page_reads.door import Door, refused_as_pages
from api.people import People


class HomeReads:
    """What the first page asks."""

    def __init__(self, door: Door, overviews: Overviews, people: People) -> None:
        self._door = door
        self._overviews = overviews
        self._people = people

    def overview(
        self,
        reader: Identity,
        *,
        as_of: str | None,
        effective_at: str | None,
        since: str | None,
    ) -> dict[str, Any]:
        """Give what changed and what is hollow as of a moment."""
        reach = self._door.enter(reader, Action.READ_DEALS, "/")
        moment = self._door.moment(as_of, effective_at)
        with refused_as_pages():
            answer = self._overviews.overview(moment, since_of(since, moment), reach)
        return answer | {"names": self._people.names()}

    def today(
        self, reader: Identity, *, as_of: str | None, effective_at: str | None, rep: str | None
    ) -> dict[str, Any]:
        """Give what a rep's open deals wait for as of a moment; without a rep the reader's own."""
        reach = self._door.enter(reader, Action.READ_DEALS, "/today")
        moment = self._door.moment(as_of, effective_at)
        with refused_as_pages():
            answer = self._overviews.today(moment, rep or reader.actor, reach)
        recorded = as_of is None and effective_at is None and may_record(reader)
        return answer | {"names": self._people.names(), "recorded": recorded}
