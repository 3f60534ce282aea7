"""What the page of commitments shows: what both sides said and nobody has settled, by its day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from api.web import format as f
from api.web.asof import AsOf, as_of_view
from api.web.quarter_parts import chosen_whose, whose_options, whose_value
from api.web.reads import Answer
from api.web.today_page import records_of
from api.web.workings import Workings, of_commitments
from projections.words import COMMITMENT_LEVELS

SIDES: Final = {"customer": "The customer", "seller": "We"}
STATUSES: Final = {
    "broken": "past its day",
    "renegotiated": "another day was agreed",
    "open": "",
}
SHOWN: Final = {"": "Everything that waits", "broken": "Past its day", "open,renegotiated": "Open"}
"""What may be asked for, by what the API takes as `status`."""


@dataclass(frozen=True, slots=True)
class CommitmentLine:
    """One commitment of a customer, or one promise of ours; `late` once it counts as broken."""

    deal_id: str
    event_id: str
    account: str
    deal: str
    owner: str
    side: str
    ours: bool
    what: str
    by: str
    firmness: str
    due: str
    when: str
    late: bool
    words: str
    records: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CommitmentsPage:
    """The page, ready for its template; `older` and `beginning` are queries of other pages."""

    as_of: AsOf
    kept: Mapping[str, str]
    filters: Mapping[str, str]
    whose: tuple[tuple[str, str, bool], ...]
    whose_text: str
    total: int
    figures: tuple[tuple[str, str, str], ...]
    lines: tuple[CommitmentLine, ...]
    following: Mapping[str, str] | None
    beginning: Mapping[str, str] | None
    records: bool
    workings: Workings


def commitments_page(
    answer: Answer, *, asked: tuple[str | None, str | None], filters: Mapping[str, str], cursor: str
) -> CommitmentsPage:
    """The page for an answer, `filters` as its address names them."""
    as_of, counts = as_of_view(answer, asked=asked), answer["counts"]
    options = whose_options(answer)
    filters = {**filters, "whose": whose_value(answer)}
    stands = {**filters, **as_of.pages}
    return CommitmentsPage(
        as_of=as_of,
        kept={**filters, "cursor": cursor},
        filters=filters,
        whose=options,
        whose_text=chosen_whose(options),
        total=answer["total"],
        figures=(
            ("customers_late", "Customers are late", f"{counts['customer']['broken']:,}"),
            ("we_late", "We are late", f"{counts['seller']['broken']:,}"),
            ("customers_open", "Customers will", f"{_open(counts['customer']):,}"),
            ("we_open", "We will", f"{_open(counts['seller']):,}"),
        ),
        lines=tuple(_line(one, answer) for one in answer["commitments"]),
        following={**stands, "cursor": answer["next"]} if answer["next"] else None,
        beginning={**filters, **as_of.settled} if cursor else None,
        records=answer["recorded"],
        workings=of_commitments(counts),
    )


def _open(counts: Mapping[str, int]) -> int:
    return counts["open"] + counts["renegotiated"]


def _line(one: Mapping[str, Any], answer: Answer) -> CommitmentLine:
    names = answer["names"]
    return CommitmentLine(
        deal_id=one["deal_id"],
        event_id=str(one["event_id"]),
        account=one["account"],
        deal=f.short_name(one["deal"], one["account"]),
        owner=names.get(one["owner"], one["owner"]),
        side=SIDES[one["side"]],
        ours=one["side"] == "seller",
        what=one["what"],
        by=by_whom(one),
        firmness="" if one["level"] is None else COMMITMENT_LEVELS[one["level"]],
        due=f.day(one["due"]) if one["due"] else "no day",
        when=_when(one["due"], answer["today"]),
        late=one["status"] == "broken",
        words=STATUSES[one["status"]],
        records=records_of(one),
    )


def by_whom(one: Mapping[str, Any]) -> str:
    """Who at the customer said it, where what they said does not begin with it."""
    by: str = one["by"] or ""
    return "" if one["what"].startswith(by) else by


def _when(due: date | None, today: date) -> str:
    """How far off a day is, in words."""
    if due is None:
        return ""
    days = (due - today).days
    match days:
        case 0:
            return "today"
        case 1:
            return "tomorrow"
        case -1:
            return "yesterday"
        case _:
            return f"in {days:,} days" if days > 0 else f"{-days:,} days ago"
