"""What a tick is worth at an instant (METRICS section 5), once in Python and once in SQL."""

from datetime import datetime
from typing import Final, Literal, TypeAlias

Status: TypeAlias = Literal[
    "evidenced",
    "evidenced_late",
    "asserted_only",
    "bare_tick",
    "pending",
    "not_ticked",
    "not_expressible",
]
STATUSES: Final[tuple[Status, ...]] = (
    "evidenced",
    "evidenced_late",
    "asserted_only",
    "bare_tick",
    "pending",
    "not_ticked",
    "not_expressible",
)
SETTLED: Final[frozenset[Status]] = frozenset(
    {"evidenced", "evidenced_late", "asserted_only", "bare_tick"}
)
BARE: Final[frozenset[Status]] = frozenset({"bare_tick"})
HOLLOW: Final[frozenset[Status]] = frozenset({"asserted_only", "bare_tick"})
"""What counts as checkbox-only; the lenient form counts bare ticks alone."""


def status_of(
    *,
    expressible: bool,
    settles_at: datetime,
    reached_at: datetime | None,
    asserted_at: datetime | None,
    at: datetime,
    cut: datetime | None = None,
) -> Status:
    """Give the status of a tick at an instant; what lies after a cut has not happened yet.

    `reached_at` is when the last of its outcomes was reached, None while one is not;
    `asserted_at` is when the first evidence for any of them was given, of whatever level.
    """
    if not expressible:
        return "not_expressible"
    reached = _by(reached_at, cut)
    if reached is not None:
        return "evidenced" if reached <= settles_at else "evidenced_late"
    if at < settles_at:
        return "pending"
    return "bare_tick" if _by(asserted_at, cut) is None else "asserted_only"


def _by(instant: datetime | None, cut: datetime | None) -> datetime | None:
    return None if instant is not None and cut is not None and instant > cut else instant


STATUS_SQL: Final = """
    CASE WHEN NOT expressible THEN 'not_expressible'
         WHEN reached_at <= %(progress_cut)s
         THEN CASE WHEN reached_at <= settles_at THEN 'evidenced' ELSE 'evidenced_late' END
         WHEN settles_at > %(progress_at)s THEN 'pending'
         WHEN asserted_at <= %(progress_cut)s THEN 'asserted_only'
         ELSE 'bare_tick'
    END"""
"""`status_of` over the columns of a tick; the cut is `infinity` where nothing is hidden."""
