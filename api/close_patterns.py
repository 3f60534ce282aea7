"""When in a quarter its deals are won and lost, as of any moment."""

from typing import TypeAlias

from api.closings import closings
from api.moment import Moment
from api.replays import ReplayReader
from domain.known import Known
from projections.quarter.closings import Parts
from projections.quarter.pattern_answer import pattern_json
from projections.quarter.steps import Scope

Answer: TypeAlias = dict[str, object]


class ClosePatterns:
    """Answers about close patterns; the views must have reached the moment."""

    def __init__(self, replays: ReplayReader) -> None:
        self._replays = replays

    def pattern(self, moment: Moment, name: str, known: Known, scope: Scope) -> Answer:
        """Give the close pattern of a quarter at a moment, in a context.

        Raises:
            UnknownThingError: the fiscal calendar has no such quarter.
        """
        replay = self._replays.replay(name, moment, known=known)
        quarter, policy = replay.quarter, known.policy
        parts = Parts.of(quarter, window_days=policy.window_days, opening_days=policy.opening_days)
        with self._replays.store.connection() as connection:
            found = closings(
                connection, self._replays.places, replay, scope, until=quarter.end_instant
            )
            return {
                **moment.answer(),
                "quarter": quarter.name,
                "start": quarter.start,
                "end": quarter.end,
                "scope": {"rep": scope.rep, "team": scope.team},
                "over": moment.effective_at >= quarter.end_instant,
                **pattern_json(
                    found,
                    quarter,
                    window=parts.window,
                    months=known.calendar.months_of(quarter),
                    over=moment.effective_at >= quarter.end_instant,
                ),
                "late": self._replays.late(connection, replay),
            }
