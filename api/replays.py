"""The replay of a quarter: what moved in it, day by day and deal by deal, on either clock."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias
from uuid import UUID

from api.context import ContextReader
from api.errors import UnknownThingError
from api.late import late_events
from api.moment import Moment
from api.places import Places, state_by
from api.storage.log_reader import LogReader
from api.storage.rows import Row
from domain.events.base import type_name
from domain.events.catalogue import EVENT_TYPES
from domain.fiscal import FiscalQuarter, OutsideCalendarError
from domain.known import Known
from domain.replay import Event
from projections.facts import Rows
from projections.quarter.steps import Standing, Step, TeamChange, live
from projections.quarter.teams import Teams, teams_as_happened, teams_as_known
from projections.spans import read
from projections.spans.clocks import instant_of, micros
from projections.spans.course import course
from projections.spans.fold import TOPICS, DealState
from projections.spans.read import At

ClockName: TypeAlias = Literal["as_known", "as_happened"]
Wanted: TypeAlias = Callable[[DealState | None, DealState | None], bool]
"""Says of a change, from what to what, whether a replay needs it."""
_BEFORE: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Replay:
    """A quarter, and the part of it that is replayed on one of the clocks.

    `as_known` goes from position to position, each as it was told; `as_happened` from event to
    event, as all that was known at the moment has it. `known_since` is when the ledger was first
    told of a deal: before that nothing can be replayed as known. `restated` says that `known` is
    not the context of the moment, `reframed` that even the calendar, the policy or the processes
    are others, which the stored facts of then rest on.
    """

    quarter: FiscalQuarter
    moment: Moment
    known: Known
    clock: ClockName
    known_since: datetime | None
    start: At
    end: At
    until: datetime
    restated: bool
    reframed: bool

    @property
    def anew(self) -> bool:
        """Whether facts of its deals must be found anew: the stored ones rest on another frame."""
        return self.reframed or self.known.supposed

    @property
    def last_position(self) -> int:
        """The last position that the replay rests on."""
        return self.end.coordinate if self.clock == "as_known" else self.moment.position

    @property
    def starts_at(self) -> datetime:
        """When it starts: with the quarter, or where it ends if the quarter begins after that."""
        return min(self.quarter.start_instant, self.until)

    def answer(self) -> dict[str, object]:
        """Give the fields that every answer of a replay carries."""
        return {
            **self.moment.answer(),
            "quarter": self.quarter.name,
            "start": self.quarter.start,
            "end": self.quarter.end,
            "replay": {
                "clock": self.clock,
                "known_since": self.known_since,
                "from": self.quarter.start_instant,
                "until": self.until,
            },
        }


@dataclass(frozen=True, slots=True)
class Steps:
    """What stood open when a replay begins, and what changed since, in order.

    Each step names the event that brought its state, those of the opening too.
    """

    opening: Sequence[Step]
    changes: Sequence[Step]


class ReplayReader:
    """Reads what replays are made from; the views must have reached the moment."""

    def __init__(
        self, store: LogReader, context: ContextReader, places: Places, views: Callable[[], int]
    ) -> None:
        self.store = store
        self.places = places
        self._context = context
        self._views = views

    def replay(
        self,
        name: str,
        moment: Moment,
        clock: ClockName | None = None,
        *,
        known: Known | None = None,
    ) -> Replay:
        """Give the replay of a quarter up to a moment.

        Without a clock it is the one of what was known, if anything was in the quarter; an
        imported one that was told afterwards is replayed as it happened.

        Raises:
            UnknownThingError: the fiscal calendar has no such quarter.
        """
        then = self._context.known(moment.position)
        known = known or then
        try:
            quarter = known.calendar.quarter_named(name)
        except OutsideCalendarError as error:
            raise UnknownThingError(str(error)) from error
        since = self._known_since(moment.position)
        if clock is None:
            told = since is not None and since < quarter.end_instant
            clock = "as_known" if told or since is None else "as_happened"
        place = self._as_known if clock == "as_known" else self._as_happened
        start, end, until = place(quarter, moment)
        restated = len(known.events) != len(then.events)
        reframed = restated and bool(self._context.between(moment.position, self._views()))
        return Replay(quarter, moment, known, clock, since, start, end, until, restated, reframed)

    def _as_known(self, quarter: FiscalQuarter, moment: Moment) -> tuple[At, At, datetime]:
        last = quarter.end_instant - _BEFORE
        until = min(last, moment.effective_at)
        end = min(moment.position, self.store.position_at(until))
        start = min(end, self.store.position_at(quarter.start_instant - _BEFORE))
        return read.known_at(start), read.known_at(end), until

    def _as_happened(self, quarter: FiscalQuarter, moment: Moment) -> tuple[At, At, datetime]:
        until = min(quarter.end_instant - _BEFORE, moment.effective_at)
        first = min(until, quarter.start_instant - _BEFORE)
        views = self._views()
        with self.store.connection() as connection:
            start, end = (read.happened_by(connection, at, views=views) for at in (first, until))
        return start, end, until

    def _known_since(self, position: int) -> datetime | None:
        """Give when the ledger was first told of a deal."""
        row = self.store.rows(
            "SELECT recorded_at FROM events WHERE topic = 'deal.deal_opened.v1'"
            " AND position <= %(position)s ORDER BY position LIMIT 1",
            {"position": position},
        )
        return row[0][0] if row else None

    def steps(
        self, connection: Rows, replay: Replay, wanted: Wanted = lambda before, after: True
    ) -> Steps:
        """Give the deals that were open at the start, and the changes since that are wanted."""
        again = self.told_again(connection, replay)
        stood = [
            (one.deal_id, one.since_position, one.state)
            for one in read.stood(connection, read.open_deals(replay.start))
            if one.deal_id not in again
        ]
        clock, after, upto = replay.start.clock, replay.start.coordinate, replay.end.coordinate
        raw = [
            step
            for step in read.steps(connection, clock, after=after, upto=upto)
            if step.deal_id not in again and wanted(step.before, step.after)
        ]
        for deal_id, stream in again.items():
            opening, changes = _refolded(deal_id, stream, after, upto)
            stood += opening
            raw += [step for step in changes if wanted(step.before, step.after)]
        if again:
            raw.sort(key=lambda step: (step.coordinate, step.position))
        opened = [
            read.Step(deal_id, after, position, None, state)
            for deal_id, position, state in stood
            if wanted(None, state)
        ]
        start = replay.quarter.start_instant
        return Steps(
            [replace(step, instant=start) for step in self._told(opened, replay.clock)],
            self._told(raw, replay.clock),
        )

    def end(self, replay: Replay, moment: Moment | None, default: At) -> At:
        """Give one end of a comparison: a moment on the clock of the replay, or a default."""
        if moment is None:
            return default
        if replay.clock == "as_known":
            return read.known_at(moment.position)
        with self.store.connection() as connection:
            return read.happened_by(connection, moment.effective_at, views=self._views())

    def end_json(self, replay: Replay, end: At) -> dict[str, object]:
        """Say where an end lies."""
        if replay.clock == "as_known":
            recorded_at = self.store.recorded_at_of(end.coordinate)
            return {"position": end.coordinate, "instant": recorded_at}
        return {"position": replay.moment.position, "instant": instant_of(end.coordinate)}

    def apart(
        self, connection: Rows, replay: Replay, a: At, b: At
    ) -> tuple[dict[UUID, Standing | None], dict[UUID, Standing | None]]:
        """Give the deals that differ between two ends, as they were at each of them."""
        turned = a.coordinate > b.coordinate
        found = read.differences(connection, *((b, a) if turned else (a, b)))
        before: dict[UUID, Standing | None] = {one.deal_id: one.before for one in found}
        after: dict[UUID, Standing | None] = {one.deal_id: one.after for one in found}
        if turned:
            before, after = after, before
        for deal_id, stream in self.told_again(connection, replay).items():
            for states, end in ((before, a), (after, b)):
                one = state_by(deal_id, stream, instant_of(end.coordinate))
                states[deal_id] = one.state if one else None
        return before, after

    def teams(self, replay: Replay) -> tuple[Teams, list[TeamChange]]:
        """Give who is in which team at the start, and how that changed since.

        Restated, people are in the teams that they are now known to have been in.
        """
        events = replay.known.events
        if replay.clock == "as_known" and not replay.restated:
            return teams_as_known(events, replay.start.coordinate, replay.end.coordinate)
        first = min(replay.until, replay.quarter.start_instant - _BEFORE)
        return teams_as_happened(events, first, replay.until)

    def late(self, connection: Rows, replay: Replay) -> dict[str, object]:
        """Give what of the quarter was told late, or told otherwise before."""
        return late_events(
            connection,
            replay.quarter,
            as_of=replay.moment.position,
            at=replay.until,
            late_hours=replay.known.policy.late_hours,
        ).answer()

    def told_again(self, connection: Rows, replay: Replay) -> Mapping[UUID, Sequence[Event]]:
        """Give the deals whose past was told otherwise after the moment, as it was known then."""
        if replay.clock == "as_known" or replay.moment.position >= self._views():
            return {}
        ids = self.places.told_since(connection, replay.moment.position)
        return self.places.streams(ids, replay.moment.position)

    def _told(self, raw: Sequence[read.Step], clock: ClockName) -> list[Step]:
        """Put the event to each change: its id, its type and when it was recorded or occurred."""
        rows = self.store.rows(
            "SELECT position, event_id, topic, recorded_at, occurred_at FROM events"
            " WHERE position = ANY(%(positions)s)",
            {"positions": list({step.position for step in raw})},
        )
        events = {row[0]: row for row in rows}
        return [_step(one, events[one.position], clock) for one in raw]


def _step(raw: read.Step, event: Row, clock: ClockName) -> Step:
    _, event_id, topic, recorded_at, occurred_at = event
    kind = EVENT_TYPES.get(topic)
    return Step(
        deal_id=raw.deal_id,
        position=raw.position,
        event_id=event_id,
        instant=recorded_at if clock == "as_known" else occurred_at,
        before=raw.before,
        after=raw.after,
        kind=type_name(kind) if kind else topic,
    )


def _refolded(
    deal_id: UUID, stream: Sequence[Event], after: int, upto: int
) -> tuple[list[tuple[UUID, int, DealState]], list[read.Step]]:
    """Fold a deal as it happened: what stood at one instant, and its changes up to another."""
    state: DealState | None = None
    stood: list[tuple[UUID, int, DealState]] = []
    changes: list[read.Step] = []
    for change in course([e for e in stream if e.data.TOPIC in TOPICS]).hindsight:
        at = micros(change.occurred_at)
        if at <= after:
            stood = [] if change.state is None else [(deal_id, change.position, change.state)]
        elif at <= upto and change.state is not None:
            changes.append(read.Step(deal_id, at, change.position, state, change.state))
        state = change.state
    return [one for one in stood if live(one[2])], changes
