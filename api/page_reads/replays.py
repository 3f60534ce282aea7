"""Answers the pages that replay quarters, with people by their names."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from api.board_tapes import BoardTape, BoardTapes
from api.context import ContextReader
from api.errors import MalformedRequestError, UnknownDealError
from api.identity.permissions import Action, Identity
from api.moment import Moment, instant
from api.page_reads.door import Door, refused_as_pages
from api.people import People
from api.quarters import MAX_TAPED
from api.replays import ClockName, Replay, ReplayReader
from api.web import format as f
from api.web.reads import NoSuchPageError
from domain.calendars import CalendarHistory
from domain.fiscal import FiscalQuarter
from domain.values import Money
from projections.batch import deal_of
from projections.facts import Rows
from projections.quarter.board_tape import instant_text

MAX_PART: Final = 10_000
"""Deals of a part after those of the page: each part is recorded anew, so that few are better."""
MAX_QUARTERS: Final = 40
"""Quarters that are listed: ten years."""
_BEFORE: Final = timedelta(microseconds=1)


class ReplayReads:
    """What the replay of a quarter asks, and the list of quarters."""

    def __init__(
        self,
        door: Door,
        *,
        replays: ReplayReader,
        tapes: BoardTapes,
        context: ContextReader,
        people: People,
    ) -> None:
        self._door = door
        self._context = context
        self._replays = replays
        self._tapes = tapes
        self._people = people

    def replay(
        self,
        reader: Identity,
        quarter: str,
        *,
        as_of: str | None,
        until: str | None,
        hindsight: bool | None,
    ) -> dict[str, Any]:
        """Give the tape of a quarter's board, of the first deals, and what stands around it.

        `as_of` is where the log is cut, and `until` where the replay ends at the latest: as they
        are when nobody names them.
        """
        reach = self._door.enter(reader, Action.READ_FIGURES, f"/replay/{quarter}")
        moment = self._moment(as_of, until)
        with refused_as_pages():
            replay = self._replays.replay(quarter, moment, _CLOCKS[hindsight])
            board = self._tapes.tape(replay, reach, self._people.names())
        return _answer(board)

    def part(
        self,
        reader: Identity,
        quarter: str,
        *,
        as_of: str,
        until: str,
        hindsight: bool,
        skip: int,
    ) -> dict[str, Any]:
        """Give more deals of a tape, in its order, and where those after them begin."""
        answer = self.replay(reader, quarter, as_of=as_of, until=until, hindsight=hindsight)
        every = answer["tape"]["deals"]
        after = skip + MAX_PART
        return {"deals": every[skip:after], "next": after if after < len(every) else None}

    def event(self, reader: Identity, position: int) -> tuple[UUID, UUID]:
        """Give the deal and the id of the event at a position.

        Raises:
            NoSuchPageError: there is none, or none that the reader may see.
        """
        reach = self._door.enter(reader, Action.READ_DEALS, f"/replay/events/{position}")
        rows = self._replays.store.rows(
            "SELECT stream_id, event_id FROM events WHERE position = %(at)s", {"at": position}
        )
        deal_id = deal_of(rows[0][0]) if rows else None
        message = f"There is no event of a deal at position {position}."
        if deal_id is None:
            raise NoSuchPageError(message)
        try:
            self._door.access.ensure_deal(reach, deal_id)
        except UnknownDealError as error:
            raise NoSuchPageError(message) from error
        return deal_id, rows[0][1]

    def quarters(
        self, reader: Identity, *, as_of: str | None, effective_at: str | None
    ) -> dict[str, Any]:
        """Give the quarters that have deals, the newest first, with how they ended."""
        reach = self._door.enter(reader, Action.READ_FIGURES, "/replay")
        moment = self._door.moment(as_of, effective_at)
        with self._replays.store.connection() as connection:
            first = _first(connection)
        known = self._context.known(moment.position)
        found = []
        for quarter in _quarters(known.calendar, first, moment.effective_at):
            ends = {}
            for name in ("as_known", "as_happened"):
                replay = self._replays.replay(quarter.name, moment, name)
                ends[name] = _share(*self._tapes.ended(replay, reach))
                told = replay.known_since is not None and replay.known_since < quarter.end_instant
            found.append({"quarter": quarter, "told": told, **ends})
        return {**moment.answer(), "quarters": found}

    def _moment(self, as_of: str | None, until: str | None) -> Moment:
        found = self._door.moment(as_of, None)
        if until is None:
            return found
        with refused_as_pages():
            ends = instant(until, field="until")
            if ends > max(found.effective_at, self._door.moment(None, None).effective_at):
                message = f"until: {until} lies in the future"
                raise MalformedRequestError(message, field="until")
        return Moment(found.position, found.recorded_at, ends, None)


_CLOCKS: Final[Mapping[bool | None, ClockName | None]] = {
    None: None,
    False: "as_known",
    True: "as_happened",
}


def _answer(board: BoardTape) -> dict[str, Any]:
    replay, every = board.replay, board.tape["deals"]
    codes = [code for code, _ in board.tape["currencies"]]
    quota = codes.index(board.quota_currency) if board.quota_currency in codes else None
    rest = None
    if len(every) > MAX_TAPED:
        rest = {
            "as_of": f"position:{replay.moment.position}",
            "until": instant_text(replay.until),
            "skip": MAX_TAPED,
        }
    return {
        **replay.answer(),
        "start": replay.quarter.start,
        "start_at": replay.starts_at,
        "begun": replay.quarter.start_instant <= replay.until,
        "end_at": replay.quarter.end_instant,
        "until": replay.until,
        "clock": replay.clock,
        "known_since": replay.known_since,
        "tape": board.tape,
        "rest": rest,
        "types": [f.words_of(one) for one in board.tape["types"]],
        "main": 0 if quota is None else quota,
        "quota_currency": quota,
        "quota": _quota(board),
        "events_by_day": board.events_by_day,
        "pressure": board.pressure,
        "neighbours": _neighbours(replay),
    }


def _quota(board: BoardTape) -> Mapping[str, str] | None:
    """Give the quota where the replay ends."""
    series = board.tape["figures"]["quota"]
    units = series[-1][1] if series else None
    if units is None or board.quota_currency is None:
        return None
    money = Money.of_minor_units(int(units), board.quota_currency)
    return {"amount": str(money.amount), "currency": money.currency}


def _neighbours(replay: Replay) -> tuple[str | None, str | None]:
    """Give the quarters before and after; none that has not begun."""
    calendar, quarter = replay.known.calendar, replay.quarter
    before = calendar.quarter_at(quarter.start_instant - _BEFORE)
    after = calendar.quarter_at(quarter.end_instant)
    begun = after is not None and after.start_instant <= replay.moment.effective_at
    return (before.name if before else None), (after.name if after and begun else None)


def _first(connection: Rows) -> datetime | None:
    row = connection.execute(
        "SELECT min(opened_at) FROM spans WHERE until_position IS NULL"
    ).fetchone()
    return row[0] if row else None


def _quarters(
    calendar: CalendarHistory, first: datetime | None, now: datetime
) -> list[FiscalQuarter]:
    found: list[FiscalQuarter] = []
    quarter = calendar.quarter_at(now)
    while first and quarter and quarter.end_instant > first and len(found) < MAX_QUARTERS:
        found.append(quarter)
        quarter = calendar.quarter_at(quarter.start_instant - _BEFORE)
    return found


def _share(quota: Money | None, attained: Money | None) -> dict[str, Any]:
    """Give what of a quota was attained, each as the API gives money."""
    if quota is None or attained is None or not quota.amount:
        return {"share": None, "quota": None, "attained": None}
    as_json = [{"amount": str(m.amount), "currency": m.currency} for m in (quota, attained)]
    return {"share": attained.amount / quota.amount, "quota": as_json[0], "attained": as_json[1]}
