"""The acts of all deals as one question reads them: under its policy, as true at its instant."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import starmap
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID

from psycopg import sql

from domain.events.base import DomainEvent
from domain.events.customer import CustomerCommitmentRecorded, CustomerRequestReceived
from domain.events.progress import OutcomeEvidenced
from domain.known import Known
from domain.replay import Event, view
from projections.batch import DEAL_PREFIX
from projections.facts import Rows
from projections.pressure.acts import Act, ActKind
from projections.pressure.base_rate import Deed
from projections.pressure.baseline import Offer
from projections.pressure.derive import derive_acts, placing
from projections.pressure.kept_stays import ReadStays, read_stays
from projections.pressure.recording import Coverage

Streams: TypeAlias = Callable[[Sequence[UUID], int], Mapping[UUID, Sequence[Event]]]
"""Gives the raw streams of deals as known at a position."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a question reads the facts of all deals: what occurred after a `cut` is hidden.

    `streams` is asked for the few deals of which stored facts say something else than it sees.
    `stays` reads those of all deals: whoever is asked often has them kept.
    """

    streams: Streams
    cut: datetime | None = None
    stays: ReadStays = read_stays


def _none(deal_ids: Sequence[UUID], position: int) -> Mapping[UUID, Sequence[Event]]:
    if deal_ids:
        message = f"{len(deal_ids)} deals read otherwise at {position}, and no streams are given"
        raise ValueError(message)
    return {}


AS_STORED: Final = Reading(_none)
"""For questions that hide nothing, in the context that the stored facts rest on."""
_Part: TypeAlias = Literal["outside", "interior"]
_OFFER: Final = ("rep", "segment", "action_time", "depth", "previous")
_DEED: Final = ("kind", "segment", "action_time", "cause")
_RELEVANT: Final[dict[ActKind, tuple[type[DomainEvent], ...]]] = {
    "stage_entered": (OutcomeEvidenced, CustomerCommitmentRecorded),
    "discount_offered": (CustomerRequestReceived, CustomerCommitmentRecorded),
    "close_date_moved": (CustomerRequestReceived, CustomerCommitmentRecorded),
}
"""What of customers may explain an act of each kind (METRICS section 3)."""
_PAIRS: Final = {
    "kinds": [kind for kind, types in _RELEVANT.items() for _ in types],
    "topics": [event_type.TOPIC for types in _RELEVANT.values() for event_type in types],
}
_STANDS: Final = sql.SQL(
    "from_position <= %(as_of)s AND (until_position IS NULL OR until_position > %(as_of)s)"
)
_WANTED: Final = sql.SQL(
    "{} AND (%(reps)s::text[] IS NULL OR rep = ANY(%(reps)s))"
    " AND occurred_at <= %(cut)s AND action_time <= %(until)s"
).format(_STANDS)
_TOLD_OTHERWISE: Final = sql.SQL(
    "SELECT DISTINCT deal_id FROM acts WHERE {wanted} AND {of_kind} AND unsettled_until > %(cut)s"
)
# Only what occurred between the two look-backs before an act is looked at by one policy and not
# by the other; and what explains one act of a deal may leave another of its kind without a cause.
_CAUSED_OTHERWISE: Final = sql.SQL(
    "SELECT DISTINCT a.deal_id FROM acts a WHERE {stands}"
    " AND {of_kind}"
    " AND a.deal_id IN (SELECT deal_id FROM acts WHERE {wanted} AND {of_kind})"
    " AND EXISTS (SELECT FROM events e WHERE e.stream_id = %(prefix)s || a.deal_id::text"
    " AND (a.kind, e.topic) IN (SELECT * FROM unnest(%(kinds)s::text[], %(topics)s::text[]))"
    " AND e.position <= %(as_of)s"
    " AND e.occurred_at >= a.action_time - %(longer)s::interval"
    " AND e.occurred_at < a.action_time - %(shorter)s::interval)"
)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which acts are read: of a kind, of some reps (None: of any), done by an instant."""

    part: _Part
    kind: ActKind | None
    reps: Collection[str] | None
    until: datetime | None

    @property
    def of_kind(self) -> sql.Composable:
        """The kind as a condition; in words that an index has."""
        if self.kind is None:
            return sql.SQL("true")
        return sql.SQL("kind = {}").format(sql.Literal(self.kind))

    def holds(self, act: Act) -> bool:
        return (
            (act.outside if self.part == "outside" else act.interior) is True
            and self.kind in (None, act.kind)
            and (self.reps is None or act.rep in self.reps)
            and (self.until is None or act.action_time <= self.until)
        )


class OtherActs:
    """What a question compares a deal with, of all deals, as known at one position.

    The stored acts are those of everything known then, under the policy published then. Where a
    question hides what occurred after its instant (`cut`), or supposes another policy, those that
    would read otherwise are derived anew from their deals' streams, so that each answer is what a
    ledger would give that held no more, or had that policy in force.
    """

    def __init__(
        self,
        connection: Rows,
        *,
        known: Known,
        as_of: int,
        reading: Reading,
    ) -> None:
        self.connection = connection
        self._known = known
        self._as_of = as_of
        self._cut = reading.cut
        self._streams = reading.streams
        self._anew: dict[UUID, list[Act]] = {}
        now, then = known.policy, known.published_policy
        self._placed_anew = (now.window_days, now.opening_days) != (
            then.window_days,
            then.opening_days,
        )
        self._lookbacks = sorted({now.lookback_days, then.lookback_days})

    def offers(self, reps: Collection[str] | None) -> Iterable[Offer]:
        """Give the discounts of some reps, or of all, outside the last and the first days."""
        wanted = _Wanted("interior", "discount_offered", reps, self._cut)
        return starmap(Offer, self._read(_OFFER, wanted, self._told_otherwise(wanted)))

    def deeds(self, rep: str | None) -> dict[ActKind, list[Deed]]:
        """Give the acts of a rep or of all, outside the last days of their quarter, by kind."""
        wanted = _Wanted("outside", None, None if rep is None else [rep], self._cut)
        found: dict[ActKind, list[Deed]] = {}
        for deal_id, kind, segment, at, cause in self._read(
            _DEED, wanted, self._caused_otherwise(wanted)
        ):
            deed = Deed(deal_id, segment, at, cause == "seller_only")
            found.setdefault(kind, []).append(deed)
        return found

    def coverage(self, team: Collection[str] | None, at: datetime) -> Coverage:
        """Count the acts of a team, or of all, outside the last days by an instant, by cause."""
        wanted = _Wanted("outside", None, team, at if self._cut is None else min(at, self._cut))
        anew = self._caused_otherwise(wanted)
        if not self._placed_anew and not anew:
            counts = "count(*) FILTER (WHERE cause <> 'seller_only'), count(*)"
            ((explained, of),) = self._stored(sql.SQL(counts), wanted)
            return Coverage(explained, of)
        causes = [cause for _, cause in self._read(("cause",), wanted, anew)]
        return Coverage(sum(cause != "seller_only" for cause in causes), len(causes))

    def _read(
        self, columns: Sequence[str], wanted: _Wanted, anew: Collection[UUID]
    ) -> Iterator[tuple[Any, ...]]:
        """Give the deal and some fields of each act that is wanted; of some deals derived anew."""
        named = sql.SQL(", ").join(map(sql.Identifier, ("deal_id", "action_time", *columns)))
        for deal_id, at, *values in self._stored(named, wanted, without=anew):
            if not self._placed_anew or self._lies(at, wanted.part):
                yield deal_id, *values
        for deal_id in anew:
            for act in filter(wanted.holds, self._anew[deal_id]):
                yield deal_id, *(getattr(act, column) for column in columns)

    def _stored(
        self, columns: sql.Composable, wanted: _Wanted, *, without: Collection[UUID] = ()
    ) -> list[tuple[Any, ...]]:
        """Read columns of the stored acts; where they lie is found anew under another policy."""
        part = sql.SQL("true") if self._placed_anew else sql.Identifier(wanted.part)
        query = sql.SQL(
            "SELECT {} FROM acts WHERE {} AND {} AND {} AND deal_id <> ALL(%(without)s)"
        ).format(columns, part, wanted.of_kind, _WANTED)
        values = {**self._params(wanted), "without": list(without)}
        return self.connection.execute(query, values).fetchall()

    def _lies(self, at: datetime, part: _Part) -> bool:
        outside, interior = placing(self._known.calendar.quarter_at(at), at, self._known.policy)
        return (outside if part == "outside" else interior) is True

    def _told_otherwise(self, wanted: _Wanted) -> list[UUID]:
        """Give the deals of acts that what occurred after the cut bears on, derived anew."""
        return [] if self._cut is None else self._derived(_TOLD_OTHERWISE, wanted, {})

    def _caused_otherwise(self, wanted: _Wanted) -> list[UUID]:
        """Give those deals and the ones of acts that the other policy may find other causes of."""
        found = self._told_otherwise(wanted)
        if len(self._lookbacks) == 1:
            return found
        shorter, longer = (timedelta(days=days) for days in self._lookbacks)
        between = {"prefix": DEAL_PREFIX, "shorter": shorter, "longer": longer}
        return sorted({*found, *self._derived(_CAUSED_OTHERWISE, wanted, {**_PAIRS, **between})})

    def _derived(self, query: sql.SQL, wanted: _Wanted, params: Mapping[str, object]) -> list[UUID]:
        """Derive the acts of the deals that a query gives, of each once."""
        statement = query.format(stands=_STANDS, wanted=_WANTED, of_kind=wanted.of_kind)
        rows = self.connection.execute(statement, {**self._params(wanted), **params}).fetchall()
        deal_ids = [row[0] for row in rows]
        missing = [deal_id for deal_id in deal_ids if deal_id not in self._anew]
        for deal_id, stream in self._streams(missing, self._as_of).items():
            self._anew[deal_id] = derive_acts(view(stream, effective_at=self._cut), self._known)
        return deal_ids

    def _params(self, wanted: _Wanted) -> dict[str, object]:
        return {
            "as_of": self._as_of,
            "reps": None if wanted.reps is None else sorted(wanted.reps),
            "cut": _ALWAYS if self._cut is None else self._cut,
            "until": _ALWAYS if wanted.until is None else wanted.until,
        }


_ALWAYS: Final = "infinity"
