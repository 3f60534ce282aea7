"""A deal won again on a day before it was reopened: the reopening is told anew, at the win."""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from api.exchange.lines import Findings, JsonObject, Line

CLOSINGS: Final = frozenset({"deal_won", "deal_lost", "deal_disqualified"})
_REOPENINGS: Final = ("win_reversed", "deal_reopened")
_TURNS: Final = CLOSINGS.union(_REOPENINGS)
_DIGITS: Final = 16
"""Of a digest that names a line among those of one deal."""


def reopened_in_time(lines: Sequence[Line], findings: Findings) -> list[Line]:
    """Give the lines of one deal so that each of its wins stands from its close date on.

    A win may be dated before the reopening that came before it: such a source told last that the
    deal was won by then, and so open again before. Folded as they occurred, the reopening would
    take back that win. So with the win, what was told of closing and reopening since its date is
    retracted, and the reopening told anew at the moment of the win. The lines stay in the order
    given, and what is added stands before the win.
    """
    course = _Course()
    for line in sorted((one for one in lines if one.type in _TURNS), key=_told_at):
        course.take(line)
    if course.retracted:
        findings.note(
            "a deal was won again on a close date before it was reopened: the reopening was "
            "retracted, and told anew at the win"
        )
    return list(course.told_anew(lines))


@dataclass(slots=True)
class _Course:
    """The turns of a deal in the order in which they were told."""

    standing: list[Line] = field(default_factory=list)
    """Those that were not taken back."""
    retracted: list[Line] = field(default_factory=list)
    moved: set[str] = field(default_factory=set)
    """Turns of the very row that tells a win: they are told at the win and not retracted."""
    before: dict[str, list[Line]] = field(default_factory=dict)
    """What is told before a win, by the win's external id."""

    def take(self, line: Line) -> None:
        if line.type == "deal_won":
            self._win(line)
        self.standing.append(line)

    def _win(self, win: Line) -> None:
        since = list(_contradicting(win, self.standing))
        if not since:
            return
        own = [one for one in since if one.type in _REOPENINGS and _row(one) == _row(win)]
        taken_back = [one for one in since if one not in own]
        self.moved |= {one.external_id for one in own}
        self.retracted += taken_back
        self.standing = [one for one in self.standing if one not in since]
        anew = list(_anew(win, self.standing, {one.type for one in since}))
        self.standing += anew
        self.before[win.external_id] = anew + [_retraction(win, one) for one in taken_back]

    def told_anew(self, lines: Sequence[Line]) -> Iterator[Line]:
        for line in lines:
            yield from self.before.get(line.external_id, ())
            if line.external_id not in self.moved:
                yield line


def _contradicting(win: Line, told: Sequence[Line]) -> Iterator[Line]:
    """What was told before a win, occurred after it, and would leave the deal in another state.

    Of wins those that were reversed: one that was not counts beside the other, as it was told.
    """
    later = [one for one in told if one.occurred_at > win.occurred_at]
    for index, one in enumerate(later):
        reversed_since = any(other.type == "win_reversed" for other in later[index:])
        if one.type != "deal_won" or reversed_since:
            yield one


def _anew(win: Line, told: Sequence[Line], kinds: Collection[str]) -> Iterator[Line]:
    """The reopening of a deal that was closed at the moment of the win, of the kinds it had."""
    closed: str | None = None
    win_stands = False
    for line in sorted(told, key=lambda line: (line.occurred_at, _told_at(line))):
        if line.occurred_at > win.occurred_at:
            continue
        if line.type in CLOSINGS:
            closed, win_stands = line.type, win_stands or line.type == "deal_won"
        elif line.type == "deal_reopened":
            closed = None
        else:
            closed, win_stands = None if closed == "deal_won" else closed, False
    for kind, needed in zip(_REOPENINGS, (win_stands, closed is not None), strict=True):
        if kind in kinds and needed:
            yield win._replace(external_id=_row(win) + kind, type=kind, data={})


def _retraction(win: Line, line: Line) -> Line:
    digest = hashlib.sha256(line.external_id.encode()).hexdigest()[:_DIGITS]
    reason = f"Told since: the deal was won on {win.data['closed_on']}, before this."
    data: JsonObject = {"event_id": line.external_id, "reason": reason}
    return win._replace(
        external_id=f"{_row(win)}event_retracted:{digest}",
        type="event_retracted",
        occurred_at=_told_at(win),
        data=data,
        corrects=line.type,
        stated_at=None,
    )


def _told_at(line: Line) -> datetime:
    return line.recorded_at or line.occurred_at


def _row(line: Line) -> str:
    """What names the row that a line was read from: its external id without its type."""
    return line.external_id.removesuffix(line.type)
