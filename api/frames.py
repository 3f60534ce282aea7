"""The days of a quarter's replay: what was open at the end of each, and what was booked by then."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Final, TypeAlias

from api.replays import Replay, ReplayReader
from domain.fiscal import local_day
from domain.values import money_json
from projections.facts import Rows
from projections.quarter.answer import frames_json
from projections.quarter.frames import Slice, frames
from projections.quarter.steps import Scope, Standing, TeamChange, live
from projections.quarter.teams import Teams
from projections.spans import read
from projections.spans.clocks import KNOWN
from projections.spans.days import Days, coordinates, days_between

Delta: TypeAlias = tuple[date, Slice]
_BEFORE: Final = timedelta(microseconds=1)
_KINDS: Final[tuple[read.Kind, ...]] = ("stage", "forecast_category", "currency")
EVERYBODY: Final = ""
"""The owner of slices that are of all owners together."""


@dataclass(frozen=True, slots=True)
class _Day:
    """A local day of the replay: its last instant, and the last position told by then."""

    day: date
    last: datetime
    position: int


class FrameReader:
    """Answers with the frames of a replay."""

    def __init__(self, reader: ReplayReader) -> None:
        self._reader = reader

    def frames(self, connection: Rows, replay: Replay, scope: Scope) -> list[dict[str, object]]:
        """Give a frame for each day that the replay has reached, of the deals in scope.

        Frames of a rep or a team are by owner as well. A team's deals of a day are those of the
        people who were in it at the end of the day.
        """
        if replay.until < replay.quarter.start_instant:
            return []
        calendar = replay.known.calendar
        span = days_between(calendar, replay.quarter.start_instant, replay.until)
        days = self._days(connection, replay, span)
        teams, changes = self._reader.teams(replay)
        owners = _owners(scope, teams, changes)
        opening, deltas = self._told(connection, replay, owners, span)
        if scope.team is not None:
            members = _members(scope.team, teams, changes, replay, [one.day for one in days])
            opening, deltas = _of_members(opening, deltas, members)
        found = frames_json(frames(opening, deltas, quarter=replay.quarter, until=days[-1].day))
        booked = self._booked(connection, replay, scope, days)
        return [
            _frame(frame, day, replay, sums)
            for frame, day, sums in zip(found, days, booked, strict=True)
        ]

    def _days(self, connection: Rows, replay: Replay, span: Days) -> list[_Day]:
        ends = [*(start - _BEFORE for start in span.starts[1:]), replay.until]
        starts = coordinates(connection, KNOWN, span.starts)
        last = min(replay.moment.position, self._reader.store.position_at(replay.until))
        positions = [*(min(start - 1, last) for start in starts[1:]), last]
        return [
            _Day(day, end, position)
            for (day, _), end, position in zip(span.days, ends, positions, strict=True)
        ]

    def _told(
        self, connection: Rows, replay: Replay, owners: Sequence[str] | None, days: Days
    ) -> tuple[list[Slice], list[Delta]]:
        """Give what was open at the start, and what each day changed."""
        if self._reader.told_again(connection, replay):
            return self._from_steps(connection, replay, owners)
        kinds = _KINDS if owners is None else read.KINDS
        opening = read.totals(connection, replay.start, by=kinds, owners=owners)
        told = read.day_deltas(connection, replay.end, days, owners=owners)
        return [_slice(one) for one in opening], [(one.day, _slice(one)) for one in told]

    def _from_steps(
        self, connection: Rows, replay: Replay, owners: Sequence[str] | None
    ) -> tuple[list[Slice], list[Delta]]:
        """Add up what changed deal by deal, where no sums are kept for these days."""
        steps = self._reader.steps(connection, replay)
        opening = [one for s in steps.opening for one in _of(s.after, owners, 1)]
        zone = replay.quarter.zone
        deltas: list[Delta] = []
        for step in steps.changes:
            day = local_day(step.instant, zone)
            deltas += [(day, one) for one in _of(step.before, owners, -1)]
            deltas += [(day, one) for one in _of(step.after, owners, 1)]
        return opening, deltas

    def _booked(
        self, connection: Rows, replay: Replay, scope: Scope, days: Sequence[_Day]
    ) -> Iterator[list[dict[str, str]]]:
        """Give what was credited in the quarter by the end of each day, by currency."""
        rows = connection.execute(
            "SELECT from_position, until_position, occurred_at, rep, currency, amount FROM credits"
            " WHERE quarter = %s AND kind = 'revenue' AND from_position <= %s",
            (replay.quarter.name, replay.moment.position),
        ).fetchall()
        for day in days:
            at = day.position if replay.clock == "as_known" else replay.moment.position
            sums: dict[str, Decimal] = defaultdict(Decimal)
            for since, until, occurred, rep, currency, amount in rows:
                stands = since <= at and (until is None or until > at)
                if stands and occurred <= day.last and _credited(replay, scope, rep, occurred):
                    sums[currency] += amount
            yield [money_json(amount, currency) for currency, amount in sorted(sums.items())]


def _credited(replay: Replay, scope: Scope, rep: str, at: datetime) -> bool:
    if scope.team is not None:
        membership = replay.known.member(rep, at)
        return membership is not None and membership.team == scope.team
    return scope.rep in (None, rep)


def _frame(
    frame: dict[str, object], day: _Day, replay: Replay, booked: list[dict[str, str]]
) -> dict[str, object]:
    by_owner = frame.pop("by_owner")
    whole = {**frame, "booked": booked, "at": day.last}
    if replay.clock == "as_known":
        whole["position"] = day.position
    owned = by_owner if isinstance(by_owner, list) else []
    if any(one.get("owner") != EVERYBODY for one in owned):
        whole["by_owner"] = owned
    return whole


def _owners(scope: Scope, teams: Teams, changes: Iterable[TeamChange]) -> list[str] | None:
    """Give whose deals may count; None for everybody's."""
    if scope.rep is not None:
        return [scope.rep]
    if scope.team is None:
        return None
    begun = {rep for rep, team in teams.items() if team == scope.team}
    joined = {change.rep for change in changes if change.team == scope.team}
    return sorted(begun | joined)


def _slice(one: read.Total | read.DayDelta) -> Slice:
    return Slice(
        stage=one.stage,
        owner=one.owner or EVERYBODY,
        category=one.forecast_category,
        currency=one.currency,
        deals=one.deals,
        amount=one.amount,
    )


def _of(standing: Standing | None, owners: Sequence[str] | None, sign: int) -> list[Slice]:
    """Give what an open deal adds to the slices, or takes from them."""
    state = live(standing)
    if state is None or (owners is not None and state.owner not in owners):
        return []
    owner = EVERYBODY if owners is None else state.owner
    amount = sign * (state.amount or Decimal(0))
    return [Slice(state.stage, owner, state.forecast_category, state.currency, sign, amount)]


def _less(whole: Iterable[Slice], parts: Iterable[Slice]) -> list[Slice]:
    """Give what is left of some slices after others are taken from them."""
    sums: dict[tuple[str | None, ...], list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 2)
    for sign, slices in ((1, whole), (-1, parts)):
        for one in slices:
            both = sums[one.stage, one.owner, one.category, one.currency]
            both[0] += sign * one.deals
            both[1] += sign * one.amount
    return [
        Slice(stage, owner or EVERYBODY, category, currency, int(deals), amount)
        for (stage, owner, category, currency), (deals, amount) in sums.items()
        if deals or amount
    ]


def _members(
    team: str,
    teams: Teams,
    changes: Sequence[TeamChange],
    replay: Replay,
    days: Sequence[date],
) -> list[tuple[date | None, frozenset[str]]]:
    """Give who is in the team when the replay begins (None), and at the end of each day."""
    current = dict(teams)
    found: list[tuple[date | None, frozenset[str]]] = []
    waiting = list(changes)
    for day in (None, *days):
        while waiting and day and local_day(waiting[0].instant, replay.quarter.zone) <= day:
            change = waiting.pop(0)
            current[change.rep] = change.team
        found.append((day, frozenset(rep for rep, its in current.items() if its == team)))
    return found


def _of_members(
    opening: Sequence[Slice],
    deltas: Iterable[Delta],
    members: Sequence[tuple[date | None, frozenset[str]]],
) -> tuple[list[Slice], list[Delta]]:
    """Keep the slices of members; who joins brings their deals, and who leaves takes them."""
    by_day: dict[date, list[Slice]] = defaultdict(list)
    for at, one in deltas:
        by_day[at].append(one)
    held: list[Slice] = list(opening)
    found: list[Delta] = []
    for (_, before), (day, now) in pairwise(members):
        if day is not None:
            was = [one for one in held if one.owner in before]
            held = _less([*held, *by_day[day]], [])
            stands = [one for one in held if one.owner in now]
            found += [(day, one) for one in _less(stands, was)]
    first = members[0][1]
    return [one for one in opening if one.owner in first], found
