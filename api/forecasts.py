"""What a quarter will probably bring, how such chances came out before, and what was called."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple, TypeAlias
from uuid import UUID

from psycopg import sql

from api.places import Place
from api.replays import Replay, ReplayReader
from domain.comparisons import Rate
from domain.events.context import ForecastCalled
from domain.known import Known
from domain.replay import Event
from domain.values import money_json
from projections.facts import Rows
from projections.quarter.crossing import lies_in
from projections.quarter.forecast import (
    Ending,
    Expected,
    Odds,
    OpenDeal,
    StageOf,
    calibration,
    expectations,
    slip,
)
from projections.quarter.forecast_answer import (
    calibration_json,
    deal_json,
    expected_json,
    stage_json,
)
from projections.quarter.steps import Scope
from projections.rates import rate_json
from projections.spans import read

Answer: TypeAlias = dict[str, object]
Call: TypeAlias = tuple[Event, ForecastCalled]
"""The event of a call, and what it says."""
MAX_DEALS: Final = 1_000
"""Deals on one page of a forecast."""
PAST_QUARTERS: Final = 4
"""Quarters that the chances are held against: a year."""
_BEFORE: Final = timedelta(microseconds=1)
_DAY: Final = timedelta(days=1)
_OMITTED: Final = "omitted"


@dataclass(frozen=True, slots=True)
class _There:
    """Where a forecast is made: the states of the deals, what was known, and the instant."""

    place: Place
    position: int
    at: datetime


class _Standing(NamedTuple):
    """An open deal, and when and how surely its owner says that it will close."""

    deal: OpenDeal
    close_date: date | None
    category: str | None


class Forecasts:
    """Answers what a quarter will bring; the views must have reached the moment."""

    def __init__(self, reader: ReplayReader) -> None:
        self._reader = reader

    def forecast(
        self, replay: Replay, scope: Scope, *, after: UUID | None = None, limit: int = MAX_DEALS
    ) -> Answer:
        """Give what the open deals will probably bring by the end of the quarter.

        Chances rest on what was known where the replay has got to. The quarters before are looked
        at from their own starts: what was promised then, and what came.
        """
        with self._reader.store.connection() as connection:
            there = self._end(connection, replay)
            odds = _odds(connection, there)
            within = _days(replay.quarter.end_instant - there.at)
            standing = _open_deals(connection, there, _context(replay, there), scope)
            told = [
                (one.deal, odds.chance(one.deal.stage, one.deal.age_days, within))
                for one in standing
            ]
            page = [pair for pair in told if after is None or pair[0].deal_id > after]
            here = {deal.stage for deal, _ in told}
            return {
                **replay.answer(),
                "scope": {"rep": scope.rep, "team": scope.team},
                "expected": [expected_json(one) for one in expectations(told)],
                "deals": [deal_json(deal, chance) for deal, chance in page[:limit]],
                "next": str(page[limit - 1][0].deal_id) if len(page) > limit else None,
                "stages": [stage_json(s, odds, within) for s in odds.stages() if s in here],
                "slip": self._slip(connection, replay, scope),
                "past": self._past_quarters(connection, replay, scope),
                "calls": [
                    self._call(connection, replay, call)
                    for call in calls_of(
                        replay.known, rep=scope.rep, team=scope.team, quarter=replay.quarter.name
                    )
                    if call[0].occurred_at <= replay.until
                    and call[0].position <= replay.last_position
                ],
            }

    def _start(self, connection: Rows, replay: Replay) -> _There:
        at = min(replay.until, replay.quarter.start_instant - _BEFORE)
        return self._there(connection, replay, at, replay.start.coordinate)

    def _end(self, connection: Rows, replay: Replay) -> _There:
        return self._there(connection, replay, replay.until, replay.end.coordinate)

    def _there(self, connection: Rows, replay: Replay, at: datetime, coordinate: int) -> _There:
        """Give a place on the clock of a replay; `coordinate` is that of what was known."""
        if replay.clock == "as_known":
            return _There(Place(read.known_at(coordinate), {}), coordinate, at)
        position = replay.moment.position
        return _There(self._reader.places.happened(connection, at, position), position, at)

    def _slip(self, connection: Rows, replay: Replay, scope: Scope) -> Answer:
        """Give the slip rate; only counts before the quarter is over, none before it has begun."""
        if replay.until < replay.quarter.start_instant:
            return rate_json(Rate(0, 0))
        over = replay.until >= replay.quarter.end_instant - _BEFORE
        return rate_json(self._slipped(connection, replay, scope), over=over)

    def _slipped(self, connection: Rows, replay: Replay, scope: Scope) -> Rate:
        """Give how many of the deals that should close in the quarter, at its start, were not won.

        Those that were forecast have a close date in the quarter and are not left out of the
        forecast. Before the quarter is over more may still be won.
        """
        there = self._start(connection, replay)
        standing = _open_deals(connection, there, _context(replay, there), scope)
        forecast = [
            one.deal.deal_id
            for one in standing
            if lies_in(one.close_date, replay.quarter) and one.category != _OMITTED
        ]
        return slip(forecast, self._won(connection, replay))

    def _won(self, connection: Rows, replay: Replay) -> set[UUID]:
        """Give the deals that were won in the quarter, as far as the replay has got."""
        there = self._end(connection, replay)
        query = sql.SQL(
            "SELECT deal_id FROM {} d WHERE closed = 'won' AND NOT deleted AND closed_at <= %s"
        ).format(there.place.deals_out(closed_since=replay.quarter.start_instant))
        return {row[0] for row in connection.execute(query, (there.at,)).fetchall()}

    def _past_quarters(self, connection: Rows, replay: Replay, scope: Scope) -> list[Answer]:
        """Give how chances came out in the quarters before, the latest first."""
        found: list[Answer] = []
        quarter = replay.quarter
        for _ in range(PAST_QUARTERS):
            earlier = replay.known.calendar.quarter_at(quarter.start_instant - _BEFORE)
            if earlier is None:
                break
            past = self._reader.replay(
                earlier.name, replay.moment, replay.clock, known=replay.known
            )
            if told := self._past(connection, past, scope):
                found.append(told)
            quarter = earlier
        return found

    def _past(self, connection: Rows, replay: Replay, scope: Scope) -> Answer | None:
        """Give what was promised at the start of a quarter and what came; None without deals."""
        there = self._start(connection, replay)
        standing = _open_deals(connection, there, _context(replay, there), scope)
        if not standing:
            return None
        odds, won = _odds(connection, there), self._won(connection, replay)
        within = _days(replay.quarter.end_instant - replay.quarter.start_instant)
        told = [
            (one.deal, odds.chance(one.deal.stage, one.deal.age_days, within)) for one in standing
        ]
        came: dict[str | None, Decimal] = defaultdict(Decimal)
        for deal, chance in told:
            if deal.deal_id in won and chance.p is not None:
                came[deal.currency] += deal.amount

        def with_what_came(one: Expected) -> Answer:
            return {**expected_json(one), "won": money_json(came[one.currency], one.currency)}

        came_out = calibration((chance, deal.deal_id in won) for deal, chance in told)
        return {
            "quarter": replay.quarter.name,
            **calibration_json(came_out),
            "expected": [with_what_came(one) for one in expectations(told)],
            "slip": self._slip(connection, replay, scope),
        }

    def _call(self, connection: Rows, replay: Replay, call: Call) -> Answer:
        """Give a call with what whoever called could know: the deals of then, and the bookings.

        These are read from the log as it stood at the call, and so never change.
        """
        event, data = call
        scope = Scope(data.rep, data.team)
        there = self._there(connection, replay, event.occurred_at, event.position)
        closing: dict[tuple[str | None, str | None], list[Decimal]] = defaultdict(list)
        for one in _open_deals(connection, there, _context(replay, there), scope):
            if lies_in(one.close_date, replay.quarter):
                closing[one.category, one.deal.currency].append(one.deal.amount)
        return {
            **called(call),
            "booked": _booked(connection, there, replay, scope),
            "closing_in_quarter": [
                {
                    "category": category,
                    "deals": len(amounts),
                    "amount": currency and money_json(sum(amounts, Decimal(0)), currency),
                }
                for (category, currency), amounts in sorted(closing.items(), key=str)
            ],
        }


def _context(replay: Replay, there: _There) -> Known:
    """Give the context that a place is seen in: as known there, or that of the replay."""
    if replay.clock == "as_happened" or replay.restated:
        return replay.known
    return Known(event for event in replay.known.events if event.position <= there.position)


def _open_deals(connection: Rows, there: _There, known: Known, scope: Scope) -> list[_Standing]:
    """Give the open deals of some people in the order of their ids, each where it stands.

    A team's deals are those of the people who are in it then.
    """
    owners = None if scope == Scope(None, None) else [scope.rep or ""]
    if scope.team is not None:
        owners = list(known.team(scope.team, there.at))
    query = sql.SQL(
        "SELECT d.deal_id, d.owner, d.amount, d.currency, d.close_date, d.forecast_category,"
        " s.process, s.stage, s.entered_at FROM {} d"
        " LEFT JOIN stays s ON s.deal_id = d.deal_id AND s.from_position <= %(known)s"
        " AND (s.until_position IS NULL OR s.until_position > %(known)s)"
        " AND s.entered_at <= %(at)s AND (s.left_at IS NULL OR s.left_at > %(at)s)"
        " WHERE %(owners)s::text[] IS NULL OR d.owner = ANY(%(owners)s) ORDER BY d.deal_id"
    ).format(there.place.open_deals)
    values = {"known": there.position, "at": there.at, "owners": owners}
    found: list[_Standing] = []
    for (
        deal_id,
        owner,
        amount,
        currency,
        close_date,
        category,
        process,
        stage,
        entered,
    ) in connection.execute(query, values).fetchall():
        deal = OpenDeal(
            deal_id=deal_id,
            owner=owner,
            stage=(process, stage) if stage else None,
            age_days=_days(there.at - entered) if entered else Decimal(0),
            amount=amount or Decimal(0),
            currency=currency,
        )
        found.append(_Standing(deal, close_date, category))
    return found


def _odds(connection: Rows, there: _There) -> Odds:
    """Give how deals have ended after entering each stage, in whole days, as known there."""
    query = sql.SQL(
        "SELECT s.process, s.stage, greatest(0, floor(extract(epoch FROM"
        " coalesce(d.closed_at, %(at)s) - s.entered_at) / 86400))::int AS days,"
        " CASE WHEN d.closed = 'won' THEN 'won' WHEN d.closed IS NOT NULL THEN 'lost' END, count(*)"
        " FROM stays s JOIN {} d USING (deal_id) WHERE NOT d.deleted"
        " AND s.from_position <= %(known)s"
        " AND (s.until_position IS NULL OR s.until_position > %(known)s)"
        " AND s.entered_at <= %(at)s GROUP BY 1, 2, 3, 4"
    ).format(there.place.all_deals)
    seen: dict[StageOf, dict[tuple[Decimal, Ending | None], int]] = defaultdict(dict)
    rows = connection.execute(query, {"known": there.position, "at": there.at}).fetchall()
    for process, stage, days, ending, count in rows:
        seen[process, stage][Decimal(days), ending] = count
    return Odds(seen)


def _booked(connection: Rows, there: _There, replay: Replay, scope: Scope) -> list[dict[str, str]]:
    """Give what was credited in the quarter by then, by currency."""
    rows = connection.execute(
        "SELECT rep, currency, amount, occurred_at FROM credits"
        " WHERE quarter = %s AND kind = 'revenue' AND occurred_at <= %s"
        " AND from_position <= %s AND (until_position IS NULL OR until_position > %s)",
        (replay.quarter.name, there.at, there.position, there.position),
    ).fetchall()
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for rep, currency, amount, occurred in rows:
        membership = replay.known.member(rep, occurred) if scope.team is not None else None
        own = rep == scope.rep if scope.team is None else membership is not None
        if own and (membership is None or membership.team == scope.team):
            sums[currency] += amount
    return [money_json(sums[currency], currency) for currency in sorted(sums)]


def calls_of(
    known: Known, *, rep: str | None = None, team: str | None = None, quarter: str | None = None
) -> list[Call]:
    """Give what was called, by anybody or by one rep or team, in the order in which it was."""
    calls = [
        (event, event.data)
        for event in known.events
        if isinstance(event.data, ForecastCalled)
        and rep in (None, event.data.rep)
        and team in (None, event.data.team)
        and quarter in (None, event.data.quarter)
    ]
    return sorted(calls, key=lambda call: call[0].order)


def called(call: Call) -> Answer:
    """Give what was called, by whom and when."""
    event, data = call
    best = data.best_case
    return {
        "event_id": str(event.event_id),
        "position": event.position,
        "called_at": event.occurred_at,
        "actor": event.actor,
        "rep": data.rep,
        "team": data.team,
        "commit": money_json(data.commit.amount, data.commit.currency),
        "best_case": None if best is None else money_json(best.amount, best.currency),
        "statement": data.statement,
    }


def _days(span: timedelta) -> Decimal:
    """Give a length in whole days, none below 0."""
    return Decimal(max(0, span // _DAY))
