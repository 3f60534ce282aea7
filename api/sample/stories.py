"""Deals with a script: the two stories that the product is for, and their honest counterparts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final, TypeAlias

from api.sample import incidents
from api.sample.accounts import customer_named
from api.sample.brief import Brief
from api.sample.cast import COMPANY
from api.sample.endings import won_by_order
from api.sample.journal import Journal
from api.sample.market import Market
from api.sample.process import COMMIT, DISCOVER, PROPOSAL, SOLUTION
from api.sample.products import MAINTENANCE, QUALITY, SCHEDULING, TRACEABILITY, Product
from api.sample.pursuit import DAY, Pursuit
from api.sample.quarter_end import customers_year_end
from api.sample.script import (
    Scene,
    asked_and_offered,
    claimed,
    committed,
    concluded,
    enter,
    lost,
    noted,
    opened,
    reached,
    ticked,
    worked,
)
from api.sample.timeline import office_moment
from domain.fiscal import FiscalQuarter

Script: TypeAlias = Callable[[FiscalQuarter], Sequence[Scene]]


def handshake(quarter: FiscalQuarter) -> Sequence[Scene]:
    """Everybody's hand is shaken, the box is ticked, and nobody asks how they will decide."""
    start = quarter.start
    shaken = "Shook hands with all of them at the trade fair and introduced myself. Good people."
    return (
        (start + 6 * DAY, opened(1, quarter.end - 12 * DAY)),
        (start + 9 * DAY, reached("check-fit")),
        (start + 10 * DAY, ticked("ask-why-now")),
        (start + 15 * DAY, enter(DISCOVER)),
        (start + 18 * DAY, ticked("meet-decision-makers")),
        (start + 18 * DAY + timedelta(days=1), claimed("decision-roles-known", shaken)),
        (start + 22 * DAY, ticked("goal-workshop", "map-alternatives")),
        (start + 24 * DAY, incidents.step_questioned),
        (start + 28 * DAY, enter(SOLUTION)),
        (start + 34 * DAY, ticked("demonstrate-on-their-data", "reference-visit")),
        (start + 43 * DAY, enter(PROPOSAL)),
        (start + 45 * DAY, incidents.called_commit),
        (start + 47 * DAY, ticked("business-case", "send-proposal")),
        (start + 52 * DAY, asked_and_offered(8, level=1)),
        (start + 58 * DAY, enter(COMMIT)),
        (start + 65 * DAY, incidents.somebody_else_decides),
        (start + 71 * DAY, lost("The finance director decided by payback. Nobody had asked her.",
                                "ERP supplier")),
    )  # fmt: skip


def order_this_month(quarter: FiscalQuarter) -> Sequence[Scene]:
    """A discount for an order this month, because the seller's quarter ends."""
    end = quarter.end
    return (
        *worked(quarter.start + 21 * DAY, end + 26 * DAY, version=1),
        (end - 8 * DAY, incidents.order_wanted),
        (end - 6 * DAY, incidents.discount_for_the_month),
        (end - 3 * DAY, incidents.ticked_in_a_run),
        (end - 1 * DAY, noted("Third call this week. {sponsor} would rather wait for the test "
                              "results, {buyer} likes the price.")),
        (end, incidents.won_in_haste),
    )  # fmt: skip


def customers_budget(quarter: FiscalQuarter) -> Sequence[Scene]:
    """The same pull-in and the same price at a quarter's end, asked for by the customer."""
    return (
        *worked(quarter.start + 16 * DAY, quarter.end + 20 * DAY, version=2),
        *concluded(quarter.end - 15 * DAY),
        (quarter.end - 2 * DAY, won_by_order),
    )


def left_in_peace(quarter: FiscalQuarter) -> Sequence[Scene]:
    """The rep is far behind; the customer needs two more weeks and gets them."""
    end = quarter.end
    return (
        *worked(quarter.start + 26 * DAY, end + 18 * DAY, version=2),
        (end - 9 * DAY, noted("I am behind, but {sponsor} decides with the board after the "
                              "stocktaking. Date stays.")),
        (end - 8 * DAY, committed("decision_date", end + 12 * DAY)),
        *concluded(end + 1 * DAY),
        (end + 16 * DAY, won_by_order),
    )  # fmt: skip


def won_and_reversed(quarter: FiscalQuarter) -> Sequence[Scene]:
    """An order in the last days of a quarter that the customer takes back afterwards."""
    end = quarter.end
    return (
        *worked(quarter.start + 24 * DAY, end + 21 * DAY, version=1),
        (end - 7 * DAY, incidents.discount_for_the_month),
        (end - 4 * DAY, incidents.ticked_in_a_run),
        (end - 1 * DAY, incidents.won_in_haste),
        (end + 13 * DAY, incidents.reversed_by_customer),
        (end + 15 * DAY, enter(PROPOSAL)),
        (end + 40 * DAY, lost("Withdrew the order and stayed with what they have.")),
    )


def lost_and_back(quarter: FiscalQuarter) -> Sequence[Scene]:
    """Closed as lost just before the quarter ends, open again just after."""
    end = quarter.end
    return (
        *worked(quarter.start + 20 * DAY, end + 10 * DAY, version=1),
        (end - 4 * DAY, lost("No order in this quarter.")),
        (end + 5 * DAY, incidents.reopened),
        (end + 6 * DAY, enter(PROPOSAL)),
        *concluded(end + 15 * DAY),
        (end + 33 * DAY, won_by_order),
    )


def booked_late(quarter: FiscalQuarter) -> Sequence[Scene]:
    """A win said to be of the quarter's last day, recorded when the next one had begun."""
    end = quarter.end
    return (
        *worked(quarter.start + 14 * DAY, end - 4 * DAY, version=1),
        *concluded(end - 25 * DAY),
        (end, incidents.won_recorded_late),
    )


def corrected(quarter: FiscalQuarter) -> Sequence[Scene]:
    """A discount typed wrongly, a note on the wrong deal: both corrected, both still visible."""
    start = quarter.start
    return (
        *worked(start + 2 * DAY, start + 70 * DAY, version=1),
        (start + 50 * DAY, incidents.mistyped),
        *concluded(start + 54 * DAY),
        (start + 69 * DAY, won_by_order),
    )


def entered_twice(quarter: FiscalQuarter) -> Sequence[Scene]:
    """The same deal entered by two people; one entry is deleted."""
    start = quarter.start
    return (
        (start + 12 * DAY, opened(2, start + 80 * DAY)),
        (start + 15 * DAY, incidents.deleted),
    )


def binding_but_broken(quarter: FiscalQuarter) -> Sequence[Scene]:
    """A promised purchase order that does not come, then comes later than agreed."""
    end = quarter.end
    return (
        *worked(quarter.start + 10 * DAY, end - 6 * DAY, version=2),
        *concluded(end - 30 * DAY),
        (end - 12 * DAY, committed("order", end - 6 * DAY, kept=False)),
        (end + 2 * DAY, incidents.pushed_by_a_month),
        (end + 24 * DAY, won_by_order),
    )


@dataclass(frozen=True, slots=True)
class Story:
    """A script with its people, its quarter and a name that it is found by."""

    key: str
    script: Script
    index: int
    rep: str
    customer: str
    product: Product
    scope: str
    price: int


STORIES: Final[Sequence[Story]] = (
    Story("handshake", handshake, 0, "tomas-lindqvist", "Stavell Precision", SCHEDULING,
          "scheduling for 4 lines", 74_000),
    Story("order-this-month", order_this_month, 1, "victor-hale", "Nordhaven Hydraulics",
          MAINTENANCE, "planned maintenance", 88_000),
    Story("customers-budget", customers_budget, 2, "mei-tanaka", "Saint Orla Medical Center",
          QUALITY, "inspection and release", 82_000),
    Story("left-in-peace", left_in_peace, 1, "ruth-mensah", "Oatridge Bakeries", TRACEABILITY,
          "batch traceability", 67_000),
    Story("won-and-reversed", won_and_reversed, 0, "priya-raman", "Pellingham Confectionery",
          QUALITY, "deviation handling", 59_000),
    Story("lost-and-back", lost_and_back, 1, "priya-raman", "Tarnbrook Valves", SCHEDULING,
          "plant scheduling, phase 1", 71_500),
    Story("booked-late", booked_late, 1, "tomas-lindqvist", "Basalt Point Chemicals",
          MAINTENANCE, "spare parts and work orders", 46_000),
    Story("corrected", corrected, 1, "amara-osei", "Hollins Vale Beverages", TRACEABILITY,
          "recall readiness", 52_000),
    Story("entered-twice", entered_twice, 2, "nadia-petrov", "Aldersgate Springs", SCHEDULING,
          "weekly and daily planning", 38_000),
    Story("binding-but-broken", binding_but_broken, 1, "luis-herrera", "Calloway Ridge Health",
          QUALITY, "quality control for 3 laboratories", 63_000),
)  # fmt: skip
_PAUSE: Final = timedelta(minutes=45)
_BUDGETS: Final = frozenset({"customers-budget"})
"""Stories in which the customer's budget year ends with the quarter."""


def stories(*, market: Market, journal: Journal, seed: int) -> list[Pursuit]:
    """Give every scripted deal, ready to run."""
    return [_told(story, market=market, journal=journal, seed=seed) for story in STORIES]


def _told(story: Story, *, market: Market, journal: Journal, seed: int) -> Pursuit:
    brief = Brief(
        key=story.key,
        rep=COMPANY.rep_named(story.rep),
        customer=customer_named(story.customer),
        product=story.product,
        price=Decimal(story.price),
        scope=story.scope,
        figures=(52, 4),
    )
    pursuit = Pursuit(brief, market=market, journal=journal, seed=seed)
    quarter = market.timeline.quarter(story.index)
    at = market.timeline.quarter(-1).start_instant
    for day, act in story.script(quarter):
        # Two scenes may fall on one Friday, the later day being a Sunday; they keep their order.
        at = max(office_moment(day, pursuit.chance), at + _PAUSE)
        pursuit.plan(at, act, course=True)
    if story.key in _BUDGETS:
        customers_year_end(pursuit, quarter)
    return pursuit
