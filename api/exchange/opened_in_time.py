"""A deal that was closed as of a day before its source had it: it was opened by then."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from api.exchange.lines import Findings, Line

_OPENING: Final = "deal_opened"
_STANDINGS: Final = frozenset({"stage_entered", "deal_won", "deal_lost", "deal_disqualified"})
"""What says how a deal stands, and is said of a deal that was opened."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""What a zero date says to have happened before is a reject, and moves nothing."""


def opened_in_time(
    lines: Sequence[Line], *, stored_at: datetime | None, findings: Findings
) -> list[Line]:
    """Give the lines of one deal so that it is opened before it stands anywhere.

    A source that is told of a deal after it was won dates the win before its own first row. Folded
    as they occurred, the opening would come after the win and leave an open deal. So a deal is
    opened by its first closing; when that was recorded stays. The opening of the ledger, of
    `stored_at`, does not move: what lies before it is told at its moment, whether or not the
    source still tells the opening.
    """
    opening = next((line for line in lines if line.type == _OPENING), None)
    at = stored_at if opening is None else opening.occurred_at
    if at is None:
        return list(lines)
    early = [line for line in lines if line.type in _STANDINGS and _EPOCH < line.occurred_at < at]
    first = min((line.occurred_at for line in early), default=at)
    opened_at = first if stored_at is None else min(at, stored_at)
    if first < opened_at:
        findings.note("a deal was closed as of a day before it was opened: it was closed then")
    elif early and stored_at is None:
        findings.note("a deal was closed as of a day before its source had it: it was opened then")
    return [
        _opened(line, opened_at, early)
        if line is opening
        else _not_before(opened_at, line)
        if line in early
        else line
        for line in lines
    ]


def _opened(opening: Line, at: datetime, early: Sequence[Line]) -> Line:
    # A source without recording times counts what happened as recorded then.
    told_at = max(at, min(_told_at(line) for line in (opening, *early)))
    recorded_at = None if opening.recorded_at is None else told_at
    return opening._replace(occurred_at=at, recorded_at=recorded_at)


def _not_before(opened_at: datetime, line: Line) -> Line:
    return line._replace(occurred_at=max(line.occurred_at, opened_at))


def _told_at(line: Line) -> datetime:
    return line.recorded_at or line.occurred_at
