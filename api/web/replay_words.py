"""The words of a replay: figures, their change, and what happened to a deal between two instants.

`static/tape.js` says the same in the browser; a test holds the two equal.
"""

import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from api.web import format as f
from projections.quarter.board_scene import Film, Scene, Seen

MAX_DOTS: Final = 12
"""As many as one line of the narrowest card holds, with the number of the rest."""
NO_CHANGE: Final = "\N{PLUS-MINUS SIGN}0"
_DIRECTING: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Marks that turn the direction of what follows them."""
_DOT_LABELS: Final = ("evidenced", "checkbox-only", "still due")


def money(film: Film, currency: int, units: int) -> str:
    """Give minor units of one of the tape's currencies, short."""
    code, digits = film.tape["currencies"][currency]
    return f.short_money({"amount": Decimal(units).scaleb(-digits), "currency": code})


def amount(film: Film, seen: Seen) -> str:
    """Give what a deal is worth."""
    if seen.amount is None or seen.currency is None:
        return "no amount"
    return money(film, seen.currency, int(seen.amount))


def sums(film: Film, units: Sequence[tuple[int, int]]) -> str:
    """Give amounts of several currencies, each for itself."""
    return " + ".join(money(film, currency, one) for currency, one in units) or "none"


def change(film: Film, units: Sequence[tuple[int, int]]) -> str:
    """Give what was added, each currency with its sign."""
    told = [(currency, one) for currency, one in units if one]
    return " ".join(_signed(one, money(film, c, abs(one))) for c, one in told) or NO_CHANGE


def signed(number: int) -> str:
    """Give a change of a count with its sign."""
    return _signed(number, f"{abs(number):,}") if number else NO_CHANGE


def _signed(number: int, text: str) -> str:
    return f"{'+' if number > 0 else f.MINUS}{text}"


def share(part: int, whole: int) -> int:
    """Give part of whole in per cent, rounded half to even."""
    return int(f"{Decimal(part) * 100 / Decimal(whole):.0f}")


def clock(at: datetime) -> str:
    """`Thu 24 Sep 2026, 13:25 UTC`."""
    return f"{f.instant(at):%a} {f.moment(at)}"


def dots(seen: Seen) -> tuple[tuple[int, int, int], int, str]:
    """Give how many beads of each fill fit, how many do not, and what they say."""
    counts = (seen.evidenced, seen.checkbox_only, seen.due)
    room, shown = MAX_DOTS, []
    for count in counts:
        shown.append(min(count, room))
        room -= shown[-1]
    said = ", ".join(f"{n} {label}" for n, label in zip(counts, _DOT_LABELS, strict=True) if n)
    filled, hollow, due = shown
    return (filled, hollow, due), sum(counts) - sum(shown), said or "nothing ticked"


def shaped(count: int) -> str:
    """Give how many events of a deal are pressure-shaped."""
    return f"{count} pressure-shaped" if count else ""


def changed(film: Film, before: Seen | None, after: Seen | None) -> tuple[str, bool]:
    """Say what is different of a deal, and whether more of it is pressure-shaped."""
    if after is None:
        return ("" if before is None else "no longer on the board"), False
    if before is None:
        return "came to the board: " + _column(film, after), after.shaped > 0
    bits = [*_moved(film, before, after), *_worked(before, after)]
    more = after.shaped - before.shaped
    if more:
        bits.append(f"{signed(more)} pressure-shaped")
    return "; ".join(bits), more > 0


def _moved(film: Film, before: Seen, after: Seen) -> list[str]:
    bits: list[str] = []
    if before.column != after.column:
        bits.append(f"{_column(film, before)} to {_column(film, after)}")
    if (before.amount, before.currency) != (after.amount, after.currency):
        bits.append(f"{amount(film, before)} to {amount(film, after)}")
    if before.close_date != after.close_date:
        bits.append(f"close {_days(film, before.close_date, after.close_date)}")
    if before.owner != after.owner:
        owners = film.tape["owners"]
        bits.append(f"{_apart(owners[before.owner])} to {_apart(owners[after.owner])}")
    if before.discount != after.discount:
        bits.append(f"discount {_offer(film, before)} to {_offer(film, after)}")
    return bits


def _worked(before: Seen, after: Seen) -> list[str]:
    ticked = sum(after[8:11]) - sum(before[8:11])
    pairs = (
        (ticked, "ticked"),
        (after.evidenced - before.evidenced, "evidenced"),
        (after.checkbox_only - before.checkbox_only, "checkbox-only"),
    )
    return [f"{signed(number)} {word}" for number, word in pairs if number]


def _column(film: Film, seen: Seen) -> str:
    return _apart(str(film.tape["columns"][seen.column][1]))


def _apart(name: str) -> str:
    """Give a name in a sentence, of which it must not turn the rest: who it went from, and to."""
    isolated = f"\N{FIRST STRONG ISOLATE}{name}\N{POP DIRECTIONAL ISOLATE}"
    return isolated if _DIRECTING.search(name) else name


def _offer(film: Film, seen: Seen) -> str:
    return "none" if seen.discount is None else f"{film.tape['discounts'][seen.discount]}%"


def _days(film: Film, before: int | None, after: int | None) -> str:
    """`15 Sep to 6 Oct 2026`; the first with its year where that is another."""
    told = film.tape["days"]
    was, stands = (
        None if day is None else date.fromisoformat(told[day]) for day in (before, after)
    )
    first = "unknown" if was is None else f.day(was)
    if was and stands and was.year == stands.year:
        first = f"{was.day} {was:%b}"
    return f"{first} to {'unknown' if stands is None else f.day(stands)}"


def rows_between(film: Film, a: Scene, b: Scene) -> list[tuple[int, str, bool, int]]:
    """Give the deals that differ between two scenes, the last to change first.

    Each with its place on the tape, what changed, whether that is pressure-shaped, and since when.
    """
    found = []
    for deal, (before, after) in enumerate(zip(a.deals, b.deals, strict=True)):
        if before is not after and before != after:
            text, hot = changed(film, before, after)
            if text:
                found.append((deal, text, hot, film.since(deal, b.place)))
    return sorted(found, key=lambda row: (-row[3], row[0]))


def latest_rows(film: Film, place: int, limit: int) -> list[tuple[int, str, bool, int]]:
    """Give the last changes by a place in the same form, the newest first."""
    found: list[tuple[int, str, bool, int]] = []
    for since, deal, before, after in film.steps_before(place):
        text, hot = changed(film, before, after)
        if text:
            found.append((deal, text, hot, since))
            if len(found) == limit:
                break
    return found
