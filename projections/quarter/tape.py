"""The tape that a page scrubs: what every deal was, version by version, and when.

A tape is JSON as it stands, and any instant of it is a search, so that scrubbing either way is a
pure function of the instant:

    {"start", "end":            the instants it spans, RFC 3339 in UTC, both included
     "stages", "owners", "categories", "close_dates", "outcomes": [text, ...]
     "currencies":              [[code, digits of the minor unit], ...]
     "deals": [{"deal_id", "versions": [
         [t, stage, owner, category, amount, currency, close_date, closed], ...]}, ...]}

* `t` counts microseconds since `start` and grows along the versions; a version holds until the next
  one. A deal has none before its first, and what it was before `start` it is at 0.
* stage, owner, category, currency, close_date and closed are places in the lists of texts, or null;
  closed is null while the deal is open, and "deleted" ends a deal that is shown no longer.
* amount counts minor units; beyond 2^53 it is a text of digits, which no reader rounds.
* Lists and deals are sorted, so that the same history gives the same bytes.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, TypeAlias, TypedDict
from uuid import UUID

from domain.values import Money, minor_digits
from projections.quarter.steps import Standing, Step, Worth, worth_of

OUTCOMES: Final = ["won", "lost", "disqualified", "deleted"]
_DELETED: Final = OUTCOMES.index("deleted")
_EXACT_IN_JSON: Final = 2**53 - 1
_MICROSECOND: Final = timedelta(microseconds=1)

Index: TypeAlias = int | None
Version: TypeAlias = tuple[int, Index, Index, Index, int | str | None, Index, Index, Index]


class TapedDeal(TypedDict):
    """One deal of a tape."""

    deal_id: str
    versions: list[Version]


class Tape(TypedDict):
    """A tape, as the page reads it."""

    start: str
    end: str
    stages: list[str]
    owners: list[str]
    categories: list[str]
    close_dates: list[str]
    outcomes: list[str]
    currencies: list[tuple[str, int]]
    deals: list[TapedDeal]


@dataclass(frozen=True, slots=True)
class Shown:
    """A deal as a tape shows it."""

    stage: str | None
    owner: str
    forecast_category: str | None
    worth: Worth | None
    close_date: date | None
    closed: str | None

    @property
    def money(self) -> Money | None:
        """Give the amount as money; None if it is unknown."""
        return Money.of_minor_units(*self.worth) if self.worth else None


def shown(standing: Standing | None) -> Shown | None:
    """Give what a tape shows of a state; None where there is no deal, or a deleted one."""
    if standing is None or standing.deleted:
        return None
    return Shown(
        stage=standing.stage,
        owner=standing.owner,
        forecast_category=standing.forecast_category,
        worth=worth_of(standing),
        close_date=standing.close_date,
        closed=standing.closed,
    )


def tape(opening: Iterable[Step], steps: Iterable[Step], *, start: datetime, end: datetime) -> Tape:
    """Record the steps between two instants; `opening` holds each deal's last step before."""
    deals: dict[UUID, list[tuple[int, Shown | None]]] = {}
    for step in (*opening, *steps):
        since = max(0, (step.instant - start) // _MICROSECOND)
        _record(deals.setdefault(step.deal_id, []), since, shown(step.after))
    kept = [(deal_id, versions) for deal_id, versions in sorted(deals.items()) if versions]
    return _encoded(kept, start=start, end=end)


def at(tape: Tape, instant: datetime) -> dict[UUID, Shown]:
    """Give the deals as they were at an instant of the tape.

    Raises:
        ValueError: the instant lies outside the tape.
    """
    start, end = (datetime.fromisoformat(tape[name]) for name in ("start", "end"))
    if not start <= instant <= end:
        message = f"{instant.isoformat()} lies outside the tape, {start} to {end}"
        raise ValueError(message)
    now = (instant - start) // _MICROSECOND
    board: dict[UUID, Shown] = {}
    for deal in tape["deals"]:
        found = bisect_right(deal["versions"], now, key=lambda version: version[0])
        if found and (state := _decoded(tape, deal["versions"][found - 1])) is not None:
            board[UUID(deal["deal_id"])] = state
    return board


def _record(versions: list[tuple[int, Shown | None]], since: int, state: Shown | None) -> None:
    if versions and versions[-1][0] == since:
        versions.pop()
    if state != (versions[-1][1] if versions else None):
        versions.append((since, state))


def _encoded(
    deals: list[tuple[UUID, list[tuple[int, Shown | None]]]], *, start: datetime, end: datetime
) -> Tape:
    states = [state for _, versions in deals for _, state in versions if state]
    tape = Tape(
        start=_instant(start),
        end=_instant(end),
        stages=sorted({state.stage for state in states if state.stage is not None}),
        owners=sorted({state.owner for state in states}),
        categories=sorted({s.forecast_category for s in states if s.forecast_category is not None}),
        close_dates=sorted({s.close_date.isoformat() for s in states if s.close_date is not None}),
        outcomes=list(OUTCOMES),
        currencies=[
            (code, minor_digits(code)) for code in sorted({s.worth[1] for s in states if s.worth})
        ],
        deals=[],
    )
    encode = _Encoder(tape)
    for deal_id, versions in deals:
        encoded = [encode.version(since, state) for since, state in versions]
        tape["deals"].append({"deal_id": str(deal_id), "versions": encoded})
    return tape


class _Encoder:
    """Gives the place of a text in its list."""

    def __init__(self, tape: Tape) -> None:
        self._stages = _places(tape["stages"])
        self._owners = _places(tape["owners"])
        self._categories = _places(tape["categories"])
        self._currencies = _places(code for code, _ in tape["currencies"])
        self._close_dates = _places(tape["close_dates"])
        self._outcomes = _places(tape["outcomes"])

    def version(self, since: int, state: Shown | None) -> Version:
        if state is None:
            return (since, None, None, None, None, None, None, _DELETED)
        units, currency = state.worth or (None, None)
        day = state.close_date.isoformat() if state.close_date else None
        return (
            since,
            self._stages[state.stage],
            self._owners[state.owner],
            self._categories[state.forecast_category],
            str(units) if units is not None and abs(units) > _EXACT_IN_JSON else units,
            self._currencies[currency],
            self._close_dates[day],
            self._outcomes[state.closed],
        )


def _places(texts: Iterable[str]) -> dict[str | None, Index]:
    places: dict[str | None, Index] = {text: place for place, text in enumerate(texts)}
    places[None] = None
    return places


def _decoded(tape: Tape, version: Version) -> Shown | None:
    _, stage, owner, category, units, currency, day, closed = version
    if owner is None:  # only of a deal that is shown no longer
        return None
    worth = None
    if units is not None and currency is not None:
        worth = (int(units), tape["currencies"][currency][0])
    return Shown(
        stage=_text(tape["stages"], stage),
        owner=tape["owners"][owner],
        forecast_category=_text(tape["categories"], category),
        worth=worth,
        close_date=None if day is None else date.fromisoformat(tape["close_dates"][day]),
        closed=_text(tape["outcomes"], closed),
    )


def _text(texts: list[str], place: Index) -> str | None:
    return None if place is None else texts[place]


def _instant(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
