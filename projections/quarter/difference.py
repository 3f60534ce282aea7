"""What is different, deal by deal, between two instants of the replay."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, TypeAlias, get_args
from uuid import UUID

from projections.quarter.steps import Standing, Worth, worth_of

What: TypeAlias = Literal[
    "opened",
    "won",
    "lost",
    "disqualified",
    "reopened",
    "deleted",
    "stage",
    "owner",
    "amount",
    "close_date",
    "category",
]
WHATS: Final[tuple[What, ...]] = get_args(What)
Value: TypeAlias = str | date | Worth | None

_ENDINGS: Final[dict[str, What]] = {"won": "won", "lost": "lost", "disqualified": "disqualified"}


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is different; where a deal came or went both values are None."""

    what: What
    before: Value = None
    after: Value = None


@dataclass(frozen=True, slots=True)
class Difference:
    """A deal that is different, as it was and as it is; a deleted one is gone."""

    deal_id: UUID
    before: Standing | None
    after: Standing | None
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Total:
    """How many deals changed in one way, and their minor units by currency.

    They are what the deals are worth after the change, of deleted ones what they were worth;
    changes of amount are summed as what they added.
    """

    deals: int
    amounts: Mapping[str, int]


def differences(
    before: Mapping[UUID, Standing | None], after: Mapping[UUID, Standing | None]
) -> list[Difference]:
    """Give the deals that differ, in the order of their ids; a missing deal is not there."""
    found: list[Difference] = []
    for deal_id in sorted({*before, *after}):
        was, stands = before.get(deal_id), after.get(deal_id)
        if was is not stands and (changes := _changes(was, stands)):
            found.append(Difference(deal_id, _shown(was), _shown(stands), changes))
    return found


def totals(found: Iterable[Difference]) -> dict[What, Total]:
    """Sum the differences by what changed; all of them, also those that did not happen."""
    deals = dict.fromkeys(WHATS, 0)
    amounts: dict[What, dict[str, int]] = {what: {} for what in WHATS}
    for difference in found:
        for change in difference.changes:
            deals[change.what] += 1
            for units, currency in _moved(difference, change.what):
                sums = amounts[change.what]
                sums[currency] = sums.get(currency, 0) + units
    return {what: Total(deals[what], dict(sorted(amounts[what].items()))) for what in WHATS}


def _shown(standing: Standing | None) -> Standing | None:
    return None if standing is None or standing.deleted else standing


def _changes(before: Standing | None, after: Standing | None) -> tuple[Change, ...]:
    was, stands = _shown(before), _shown(after)
    if stands is None:
        return (Change("deleted"),) if was is not None else ()
    if was is None:
        arrived: What = "opened" if before is None else "reopened"
        return (Change(arrived), *_turned(None, stands.closed))
    return (*_turned(was.closed, stands.closed), *_told(was, stands))


def _turned(before: str | None, after: str | None) -> tuple[Change, ...]:
    if before == after:
        return ()
    return (Change("reopened" if after is None else _ENDINGS[after], before, after),)


def _told(before: Standing, after: Standing) -> Iterable[Change]:
    pairs: tuple[tuple[What, Value, Value], ...] = (
        ("stage", before.stage, after.stage),
        ("owner", before.owner, after.owner),
        ("amount", worth_of(before), worth_of(after)),
        ("close_date", before.close_date, after.close_date),
        ("category", before.forecast_category, after.forecast_category),
    )
    return [Change(what, was, stands) for what, was, stands in pairs if was != stands]


def _moved(difference: Difference, what: What) -> list[Worth]:
    was = worth_of(difference.before) if difference.before else None
    stands = worth_of(difference.after) if difference.after else None
    if what == "amount":
        gone = [(-was[0], was[1])] if was else []
        return [*gone, *([stands] if stands else [])]
    worth = was if what == "deleted" else stands
    return [worth] if worth else []
