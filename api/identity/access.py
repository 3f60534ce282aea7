"""Answers what somebody may see, from the organisation and the deals as the log has them now."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final, LiteralString
from uuid import UUID

from psycopg import sql

from api.context import ContextReader
from api.errors import NotPermittedError, UnknownDealError
from api.identity.permissions import ROLES, Identity, Role
from api.identity.reach import (
    ACT_TOPICS,
    OWNERSHIP_TOPICS,
    WHOLE,
    Reach,
    owner_of,
    pressured_in,
    reach_of,
    sees_context,
)
from api.storage.log_reader import LogReader
from api.storage.rows import SELECT, read_events
from domain.known import Known
from domain.replay import Event
from projections.batch import deal_of

_PRESSURE_TOPICS: Final = (*OWNERSHIP_TOPICS, *ACT_TOPICS)
_SAID: Final[LiteralString] = (
    SELECT + " WHERE stream_id = ANY(%(streams)s) AND topic = ANY(%(topics)s) ORDER BY position"
)
IN_REACH: Final[LiteralString] = (
    "(%(deals_of)s::text[] IS NULL OR deal_id IN (SELECT deal_id FROM spans"
    " WHERE until_position IS NULL AND owner = ANY(%(deals_of)s)))"
)
"""Of a table with `deal_id`: the deals whose owner of today is in reach, whatever is asked about.

As far as the views have got; `deals_of` is what `people` makes of a reach.
"""


class Access:
    """The reach of identities, and what of the log lies in it."""

    def __init__(
        self, store: LogReader, context: ContextReader, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._context = context
        self._clock = clock

    def reach(self, identity: Identity, known: Known | None = None) -> Reach:
        """Give what somebody may see now; `known` is the context of now where it was read already.

        Raises:
            NotPermittedError: the organisation has them in another role by now, or not any more.
        """
        if identity.operator:
            return WHOLE
        return reach_of(identity, known or self._known(), self._clock())

    def role(self, member: str) -> Role | None:
        """Give the role of a member now; None if the organisation knows of none."""
        role = self._known().role(member, self._clock())
        return next((one for one in ROLES if one == role), None)

    def _known(self) -> Known:
        return self._context.known(self._store.head().position)

    def ensure_deal(self, reach: Reach, deal_id: UUID) -> None:
        """Refuse a deal that is out of reach just as one that is not there.

        Raises:
            UnknownDealError: there is no such deal for them.
        """
        if reach.deals_of is None:
            return
        if not reach.has_deal_of(
            owner_of(self._said([deal_id], OWNERSHIP_TOPICS).get(deal_id, ()))
        ):
            raise UnknownDealError(f"there is no deal {deal_id}")

    def ensure_shown(self, identity: Identity, events: Sequence[Event]) -> None:
        """Refuse events of one stream that are out of reach by now.

        Raises:
            UnknownDealError: they are, and so their deal is none for them.
        """
        if not self.shown(self.reach(identity), events):
            raise UnknownDealError(f"there is no deal {events[0].stream_id.partition(':')[2]}")

    def ensure_pressure(self, reach: Reach, deal_id: UUID) -> None:
        """Refuse to tell the pressure on people to others than they and their managers.

        Raises:
            NotPermittedError: the deal tells of the pressure on somebody who is not theirs.
        """
        if not self.pressure_shown(reach, [deal_id]):
            message = "the pressure on a person is shown to them, their managers and auditors"
            raise NotPermittedError(message)

    def pressure_shown(self, reach: Reach, deal_ids: Iterable[UUID]) -> frozenset[UUID]:
        """Give those of some deals whose pressure may be told: that on everybody it tells of."""
        ids = list(deal_ids)
        if reach.pressure_of is None:
            return frozenset(ids)
        known, found = self._known(), self._said(ids, _PRESSURE_TOPICS)
        return frozenset(
            deal_id
            for deal_id, events in found.items()
            if reach.has_pressure_of(pressured_in(events, known))
        )

    def in_reach(self, reach: Reach, deal_ids: Iterable[UUID]) -> frozenset[UUID]:
        """Give those of some deals that are in reach."""
        ids = list(deal_ids)
        if reach.deals_of is None:
            return frozenset(ids)
        found = self._said(ids, OWNERSHIP_TOPICS)
        return frozenset(i for i, events in found.items() if reach.has_deal_of(owner_of(events)))

    def shown(self, reach: Reach, events: Sequence[Event]) -> list[Event]:
        """Give those of some events that are in reach."""
        if reach.whole:
            return list(events)
        deals = self.in_reach(reach, {i for e in events if (i := deal_of(e.stream_id))})
        return [
            event
            for event in events
            if deal_of(event.stream_id) in deals
            or (deal_of(event.stream_id) is None and sees_context(reach, event.stream_id))
        ]

    def _said(self, deal_ids: Sequence[UUID], topics: Sequence[str]) -> dict[UUID, list[Event]]:
        """Give what was said of some deals under some topics, in the log and not behind it."""
        values = {"streams": [f"deal:{i}" for i in deal_ids], "topics": list(topics)}
        found: dict[UUID, list[Event]] = {}
        for event in read_events(self._store.rows(_SAID, values)):
            if (deal_id := deal_of(event.stream_id)) is not None:
                found.setdefault(deal_id, []).append(event)
        return found


def people(some: frozenset[str] | None) -> list[str] | None:
    """Give some people as a parameter of a statement; None is everybody."""
    return None if some is None else sorted(some)


def only_in_reach(reach: Reach) -> sql.Composed:
    """Give the same condition as `IN_REACH` with its values in it, for composed statements."""
    return sql.SQL(IN_REACH.replace("%(deals_of)s", "{deals_of}")).format(
        deals_of=sql.Literal(people(reach.deals_of))
    )
