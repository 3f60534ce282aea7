"""What the page of a review shows: open deals one after the other, each with its sheet."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from api.web import format as f
from api.web.asof import AsOf, as_of_view
from api.web.quarter_parts import chosen_whose, whose_options, whose_value
from api.web.reads import Answer
from api.web.review_panel import ReviewPanel, ago, review_panel
from api.web.workings import Workings, of_review

ORDERS: Final = {
    "health": "Worst health first",
    "close_date": "Next to close first",
    "-amount": "Largest first",
}
HEALTHS: Final = {"": "Any health", "red": "Red", "red,amber": "Red or amber", "none": "No flag"}


@dataclass(frozen=True, slots=True)
class DealSheet:
    """One deal: what it is, what its review still asks, and what gives cause for worry."""

    deal_id: str
    account: str
    name: str
    owner: str
    stage: str
    amount: str
    close_date: str
    colour: str
    reviewed: str
    unanswered: int
    positions: Mapping[str, int]
    review: ReviewPanel


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """The page, ready for its template; `following` and `beginning` are queries of other pages."""

    as_of: AsOf
    kept: Mapping[str, str]
    filters: Mapping[str, str]
    whose: tuple[tuple[str, str, bool], ...]
    whose_text: str
    total: int
    sheets: tuple[DealSheet, ...]
    following: Mapping[str, str] | None
    beginning: Mapping[str, str] | None
    workings: Workings

    @property
    def unanswered(self) -> int:
        """How many questions of the deals on this page are blank or partly blank."""
        return sum(one.unanswered for one in self.sheets)


def review_page(
    answer: Answer, *, asked: tuple[str | None, str | None], filters: Mapping[str, str], cursor: str
) -> ReviewPage:
    """The page for an answer, `filters` as its address names them."""
    as_of, options = as_of_view(answer, asked=asked), whose_options(answer)
    filters = {**filters, "whose": whose_value(answer)}
    stands = {**filters, **as_of.pages}
    return ReviewPage(
        as_of=as_of,
        kept={**filters, "cursor": cursor},
        filters=filters,
        whose=options,
        whose_text=chosen_whose(options),
        total=answer["total"],
        sheets=tuple(_sheet(one, answer) for one in answer["deals"]),
        following={**stands, "cursor": answer["next"]} if answer["next"] else None,
        beginning={**filters, **as_of.settled} if cursor else None,
        workings=of_review(answer),
    )


def _sheet(deal: Mapping[str, Any], answer: Answer) -> DealSheet:
    review, names = deal["review"], answer["names"]
    account, last = f.name_of(deal["account"]), review["last_review"]
    return DealSheet(
        deal_id=deal["deal_id"],
        account=account,
        name=f.short_name(deal["name"], account),
        owner=names.get(deal["owner"], deal["owner"]),
        stage=answer["stages"].get(deal["stage"], deal["stage"]) or "no stage yet",
        amount=f.money(deal["amount"], "no amount recorded"),
        close_date=f.day(deal["close_date"]) if deal["close_date"] else "no close date",
        colour=review["health"]["colour"] or "",
        reviewed=f"reviewed {ago(last['age_days'])}" if last else "not reviewed yet",
        unanswered=sum(one["state"] != "answered" for one in review["questions"]),
        positions=deal["positions"],
        review=review_panel(review, names, deal["called"]),
    )
