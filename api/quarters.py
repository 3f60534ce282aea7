"""What is asked about a quarter's replay: frames, waterfall, differences, movement and the tape."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from heapq import merge
from typing import Final, TypeAlias
from uuid import UUID

from api.frames import FrameReader
from api.moment import Moment
from api.replays import Replay, ReplayReader
from projections.facts import Rows
from projections.quarter.answer import (
    counters_json,
    difference_json,
    move_json,
    waterfall_json,
)
from projections.quarter.crossing import lies_in
from projections.quarter.difference import differences
from projections.quarter.movement import Move, counters, moves_of
from projections.quarter.steps import Change, Scope, Standing, Step, live
from projections.quarter.tape import tape
from projections.quarter.waterfall import waterfall
from projections.spans.fold import DealState

Answer: TypeAlias = dict[str, object]
Shown: TypeAlias = Callable[[Iterable[UUID]], frozenset[UUID]]
"""Gives those of some deals that are to be told of."""
MAX_TAPED: Final = 1_000
"""Deals on one page of a tape."""


class Quarters:
    """Answers about the replay of a quarter; the views must have reached its moment."""

    def __init__(self, reader: ReplayReader) -> None:
        self._reader = reader
        self._frames = FrameReader(reader)

    def frames(self, replay: Replay, scope: Scope) -> Answer:
        """Give the pipeline at the end of each local day that the replay has reached."""
        with self._connection() as connection:
            return {
                **replay.answer(),
                "scope": _scope(scope),
                "frames": self._frames.frames(connection, replay, scope),
                "late": self._reader.late(connection, replay),
            }

    def waterfall(self, replay: Replay, scope: Scope, category: str | None) -> Answer:
        """Give what moved the quarter's pipeline, exact, each cell with its events."""

        def wanted(before: DealState | None, after: DealState | None) -> bool:
            return _counts(before, replay) or _counts(after, replay)

        with self._connection() as connection:
            steps = self._reader.steps(connection, replay, wanted)
            teams, changes = self._reader.teams(replay)
            found = waterfall(
                steps.opening,
                _in_order(replay, steps.changes, changes),
                quarter=replay.quarter,
                scope=scope,
                category=category,
                teams=teams,
            )
            return {
                **replay.answer(),
                "scope": {**_scope(scope), "category": category},
                **waterfall_json(found),
                "late": self._reader.late(connection, replay),
            }

    def difference(
        self, replay: Replay, a: Moment | None, b: Moment | None, *, shown: Shown = frozenset
    ) -> Answer:
        """Give the deals that differ between two moments, on the clock of the replay.

        Without `a` they are compared with the start of the quarter, without `b` with where the
        replay has got to.
        """
        ends = (self._reader.end(replay, a, replay.start), self._reader.end(replay, b, replay.end))
        with self._connection() as connection:
            before, after = self._reader.apart(connection, replay, *ends)
            found = differences(before, after)
        kept = shown([one.deal_id for one in found])
        found = [one for one in found if one.deal_id in kept]
        return {
            **replay.answer(),
            "a": self._reader.end_json(replay, ends[0]),
            "b": self._reader.end_json(replay, ends[1]),
            **difference_json(found),
            "in_quarter": [
                str(one.deal_id)
                for one in found
                if _counts(one.before, replay) or _counts(one.after, replay)
            ],
        }

    def movement(self, replay: Replay, scope: Scope) -> Answer:
        """Give the moves of close dates into, out of and within the quarter, by cause and rep."""

        def moved(before: DealState | None, after: DealState | None) -> bool:
            dates = (before.close_date if before else None, after.close_date if after else None)
            return dates[0] != dates[1] and any(lies_in(day, replay.quarter) for day in dates)

        with self._connection() as connection:
            steps = self._reader.steps(connection, replay, moved)
            moves = self._moves(replay, sorted({step.deal_id for step in steps.changes}))
            kept = [move for move in moves if scope.holds(move.by, replay.known, move.at)]
            reps = sorted({move.by for move in kept})
            return {
                **replay.answer(),
                "scope": _scope(scope),
                "moves": [move_json(move) for move in kept],
                "counters": counters_json(counters(kept, quarter=replay.quarter)),
                "reps": [
                    {
                        "rep": rep,
                        "counters": counters_json(
                            counters((m for m in kept if m.by == rep), quarter=replay.quarter)
                        ),
                    }
                    for rep in reps
                ],
                "late": self._reader.late(connection, replay),
            }

    def tape(
        self, replay: Replay, *, after: UUID | None, limit: int, shown: Shown = frozenset
    ) -> Answer:
        """Give what a page needs to scrub the quarter, deal by deal in the order of ids."""
        with self._connection() as connection:
            steps = self._reader.steps(connection, replay)
        ids = sorted(shown({step.deal_id for step in (*steps.opening, *steps.changes)}))
        page = [deal_id for deal_id in ids if after is None or deal_id > after][: limit + 1]
        kept = set(page[:limit])
        start = min(replay.quarter.start_instant, replay.until)
        made = tape(
            [step for step in steps.opening if step.deal_id in kept],
            [step for step in steps.changes if step.deal_id in kept],
            start=start,
            end=replay.until,
        )
        more = str(page[limit - 1]) if len(page) > limit else None
        return {**replay.answer(), "total": len(ids), "tape": made, "next": more}

    def _connection(self) -> AbstractContextManager[Rows]:
        return self._reader.store.connection()

    def _moves(self, replay: Replay, deal_ids: Sequence[UUID]) -> list[Move]:
        streams = self._reader.places.streams(deal_ids, replay.last_position)
        cut = replay.until if replay.clock == "as_happened" else None
        return [
            move
            for deal_id, stream in streams.items()
            for move in moves_of(deal_id, stream, calendar=replay.known.calendar, effective_at=cut)
            if replay.quarter.start_instant <= move.at <= replay.until
        ]


def _scope(scope: Scope) -> Answer:
    return {"rep": scope.rep, "team": scope.team}


def _counts(state: Standing | None, replay: Replay) -> bool:
    """Say whether a state stands in the pipeline of the quarter, whoever owns it."""
    return (
        live(state) is not None and state is not None and lies_in(state.close_date, replay.quarter)
    )


def _in_order(replay: Replay, steps: Sequence[Step], teams: Sequence[Change]) -> Iterable[Change]:
    """Put the changes of deals and of teams in one order, that of the replay's clock."""
    if replay.clock == "as_known" and not replay.restated:
        return merge(steps, teams, key=lambda change: change.position)
    return merge(steps, teams, key=lambda change: (change.instant, change.position))
