"""A question about the log: which events, as known and true when, in which order, for whom."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from api.identity.reach import WHOLE, Reach
from api.moment import Moment
from api.query.conditions import JUDGED_FIELDS, VIEWED_FIELDS
from api.query.tree import EVERYTHING, Query, fields_of

Sort: TypeAlias = Literal["position", "recorded", "occurred", "-position", "-recorded", "-occurred"]
SORTS: Final[tuple[Sort, ...]] = get_args(Sort)
"""The orders that events may have; a minus sign turns one round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuestion:
    """Which events of the log are asked for, as known and as true at a moment, and in which order.

    Whatever is appended meanwhile, all pages and batches of one moment are of the same events.
    """

    query: Query = EVERYTHING
    moment: Moment
    sort: Sort = "position"
    reach: Reach = WHOLE

    @property
    def backwards(self) -> bool:
        """Whether the last events come first."""
        return self.sort.startswith("-")

    @property
    def by_occurrence(self) -> bool:
        """Whether they come as they happened; the time of recording only grows with positions."""
        return self.sort.endswith("occurred")

    @property
    def judged(self) -> bool:
        """Whether events must be judged to answer it."""
        return bool(fields_of(self.query) & JUDGED_FIELDS)


def needs_views(query: Query) -> bool:
    """Say whether what events a query holds for depends on what projections know."""
    return bool(fields_of(query) & VIEWED_FIELDS)
