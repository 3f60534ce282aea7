"""What was told between two positions that verdicts rest on, and the acts that it bears on."""

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple, Protocol, TypeAlias
from uuid import UUID

from psycopg import sql

from domain.events.context import (
    ForecastCalled,
    MemberJoined,
    MemberLeft,
    QuotaAssigned,
    QuotaRevised,
    QuotaWithdrawn,
)
from domain.known import Known
from projections.facts import Rows
from projections.pressure.acts import ActKind

Stage: TypeAlias = tuple[str, str]
"""A stage of a process, by their ids."""
ALWAYS: Final = datetime.min.replace(tzinfo=UTC)


class Compared(Protocol):
    """An act by what it is compared by; `left` has the stages that it left, as told so far."""

    @property
    def rep(self) -> str:
        """Whose it is."""
        ...

    @property
    def kind(self) -> ActKind:
        """Its type."""
        ...

    @property
    def left(self) -> Collection[Stage]:
        """The stages that a move forward left."""
        ...


class Fact(NamedTuple):
    """Something that acts are judged by: where it was told, of when, and what it bears on.

    None bears on acts of everybody, of every kind, whatever stage they left, in any quarter.
    """

    told: int
    of: datetime
    rep: str | None = None
    kind: ActKind | None = None
    left: Stage | None = None
    quarter: str | None = None

    @property
    def of_all(self) -> bool:
        """Whether it bears on every act."""
        return self.rep is None and self.kind is None and self.left is None

    def bears_on(self, act: Compared) -> bool:
        """Say whether an act of its quarter rests on it, if that comes after."""
        return (
            self.rep in (None, act.rep)
            and self.kind in (None, act.kind)
            and (self.left is None or self.left in act.left)
        )


def facts_of_context(known: Known, after: int, upto: int) -> Iterator[Fact]:
    """Give what the organisation was told after a position and up to one, at which it is `known`.

    That is everybody's but for quotas and teams, which are those of a rep.
    """
    reps = _quota_reps(known)
    for event in known.events:
        if not after < event.position <= upto:
            continue
        match event.data:
            case QuotaAssigned() | QuotaRevised() | QuotaWithdrawn():
                # No verdict rests on a team's quota.
                if (rep := reps.get(event.event_id)) is not None:
                    yield Fact(event.position, ALWAYS, rep)
            case MemberJoined(rep=rep) | MemberLeft(rep=rep):
                yield Fact(event.position, ALWAYS, rep)
            case ForecastCalled():
                pass  # no verdict rests on what somebody calls
            case _:
                yield Fact(event.position, ALWAYS)


def facts_of_deals(
    connection: Rows,
    after: int,
    upto: int,
    *,
    quarter: str | None = None,
    deals: Collection[UUID] | None = None,
) -> list[Fact]:
    """Give what was told after a position and up to one of deals that others are judged by.

    Of all deals or of some; of bookings those in any quarter or in one. A stay that went on and is
    over tells something of the instant when it ended.
    """
    whose = sql.SQL("true" if deals is None else "deal_id = ANY(%(deals)s)")
    booked = sql.SQL("true" if quarter is None else "quarter = %(quarter)s")
    rows = connection.execute(
        _OF_DEALS.format(whose=whose, booked=booked),
        {
            "after": after,
            "upto": upto,
            "quarter": quarter,
            "deals": None if deals is None else sorted(deals),
        },
    )
    return [
        Fact(at, of, rep, kind, (process, stage) if stage else None, booked_in)
        for at, of, rep, kind, process, stage, booked_in in rows.fetchall()
        if of is not None
    ]


_OF_DEALS: Final = sql.SQL(
    """
    SELECT at, occurred_at, rep, NULL, NULL, NULL, quarter FROM credits,
           unnest(ARRAY[from_position, until_position]) AS at
     WHERE {booked} AND {whose} AND kind = 'revenue' AND at > %(after)s AND at <= %(upto)s
    UNION ALL
    SELECT at, action_time, NULL, kind, NULL, NULL, NULL FROM acts,
           unnest(ARRAY[from_position, until_position]) AS at
     WHERE {whose} AND kind = 'discount_offered' AND interior
       AND at > %(after)s AND at <= %(upto)s
    UNION ALL
    SELECT at, CASE WHEN count(*) = 2 THEN min(left_at) ELSE entered_at END,
           NULL, NULL, process, stage, NULL
      FROM stays, unnest(ARRAY[from_position, until_position]) AS at
     WHERE {whose} AND at > %(after)s AND at <= %(upto)s
     GROUP BY at, deal_id, event_id, process, stage, entered_at
    """
)


def _quota_reps(known: Known) -> Mapping[UUID, str | None]:
    """Give of each event of a quota whose it is; None where a team's."""
    return {
        step.event_id: history.rep for history in known.quotas.values() for step in history.steps
    }
