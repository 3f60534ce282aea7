"""HB-1: a close date moved just over the quarter's end by a rep whom the deal would not help."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from domain.policy import DEFAULT_POLICY, Policy
from domain.values import Money
from projections.pressure.fold import fold
from projections.pressure.holdback import OpenDeal, hold_back_patterns
from projections.pressure.patterns import Pattern, patterns_json
from projections.pressure.rules import NOT_CONSULTED, Truth
from tests.support.pressure import PlainContext
from tests.support.told import DEAL, Teller, at, moved, named, opened, process, request, usd

REACHED = [("2025-02-10", "1000000")]
BEHIND = [("2025-02-10", "400000")]


def told(
    to: str = "2025-04-03", *, close_date: str | None = "2025-03-28", asked: bool = False
) -> Teller:
    teller = Teller()
    teller.tell(opened(close_date=close_date, amount="50000"), "2025-01-08")
    if asked:
        teller.tell(request("date"), "2025-03-18", name="asked")
    teller.tell(moved(to), "2025-03-20T10:00:00", name="moved")
    return teller


class Pipeline:
    """Open deals of these amounts; remembers who was asked about, and when."""

    def __init__(self, *amounts: str | None) -> None:
        self.asked: list[tuple[str, datetime]] = []
        self._deals = [
            OpenDeal(named(f"open {n}"), Money.of(a, "USD") if a else None)
            for n, a in enumerate(amounts)
        ]

    def __call__(self, rep: str, at: datetime) -> Sequence[OpenDeal]:
        self.asked.append((rep, at))
        return self._deals


def patterns_of(teller: Teller, context: PlainContext, pipeline: Pipeline) -> list[Pattern]:
    judged = fold(DEAL, teller.events, lambda _: process(), context)
    return hold_back_patterns(teller.events, judged, context.policy, context.convert, pipeline)


def pattern_of(
    teller: Teller,
    bookings: Sequence[tuple[str, str]] = REACHED,
    *open_deals: str | None,
    quota: str | None = "1000000",
    policy: Policy = DEFAULT_POLICY,
) -> Pattern:
    context = PlainContext(quota_amount=quota, bookings=bookings, policy=policy)
    (found,) = patterns_of(teller, context, Pipeline(*open_deals))
    return found


def facts(pattern: Pattern) -> list[Truth]:
    return [fact.holds for fact in pattern.facts]


def test_a_close_moved_just_over_the_end_by_a_rep_who_has_reached_the_quota() -> None:
    found = pattern_of(told())

    assert (found.rule, found.holds, found.event_id) == ("HB-1", True, named("moved"))
    assert facts(found) == [True, True, True, None]
    assert found.facts[3].value == NOT_CONSULTED
    assert set(found.evidence) == {named("moved"), named("quota"), named("win 2025-02-10")}
    assert found.sentence == (
        "The close date was moved from 2025-03-28 to 2025-04-03, 3 days after the end of FY2025Q1;"
        " no customer action was recorded that explains it, and the quota had been reached. This is"
        " consistent with a close held back for the next quarter."
    )


@pytest.mark.parametrize(
    ("to", "expected"), [("2025-04-01", True), ("2025-04-05", True), ("2025-04-06", False)]
)
def test_it_lands_in_the_first_five_days_of_the_next_quarter(to: str, *, expected: bool) -> None:
    assert pattern_of(told(to)).holds is expected


def test_the_opening_days_are_those_of_the_policy() -> None:
    assert pattern_of(told("2025-04-03"), policy=Policy(opening_days=2)).holds is False


@pytest.mark.parametrize(
    ("close_date", "to"),
    [("2025-03-28", "2025-03-31"), ("2025-04-02", "2025-04-03"), (None, "2025-04-03")],
)
def test_a_date_that_does_not_cross_the_end_is_not_looked_at(
    close_date: str | None, to: str
) -> None:
    teller = told(to, close_date=close_date)

    assert patterns_of(teller, PlainContext(bookings=REACHED), Pipeline()) == []


def test_what_the_customer_asked_for_is_not_held_back() -> None:
    found = pattern_of(told(asked=True))

    assert (found.holds, facts(found)) == (False, [True, False, True, None])
    assert named("asked") in found.evidence


@pytest.mark.parametrize(
    ("pipeline", "expected"),
    [
        (["599999.99"], True),
        (["300000", "300000"], False),
        (["300000", None], None),
        (["700000", None], False),
        ([], True),
    ],
)
def test_or_by_one_whose_quota_is_out_of_reach(pipeline: list[str | None], expected: Truth) -> None:
    found = pattern_of(told(), BEHIND, *pipeline)

    assert (found.holds, facts(found)[2:]) == (expected, [False, expected])


def test_an_amount_that_no_rate_converts_can_only_add_to_the_pipeline() -> None:
    pipeline = Pipeline("300000")
    pipeline._deals.append(OpenDeal(named("abroad"), Money.of("1", "EUR")))

    (found,) = patterns_of(told(), PlainContext(bookings=BEHIND), pipeline)

    assert found.holds is None
    assert found.facts[3].value == {
        "gap": usd("600000.00"),
        "open_pipeline": usd("300000.00"),
        "without_amount": 1,
        "deals": [named("open 0"), named("abroad")],
    }


def test_the_pipeline_is_that_of_the_rep_at_the_time_the_move_was_recorded() -> None:
    pipeline = Pipeline("300000")
    teller = Teller()
    teller.tell(opened(close_date="2025-03-28"), "2025-01-08")
    teller.tell(moved("2025-04-03"), "2025-03-20", recorded="2025-03-25T09:00:00", actor="bob")

    patterns_of(teller, PlainContext(bookings=BEHIND), pipeline)

    assert pipeline.asked == [("bob", at("2025-03-25T09:00:00"))]


def test_the_pipeline_is_not_looked_up_where_nothing_depends_on_it() -> None:
    pipeline = Pipeline()
    for teller, bookings in ((told("2025-05-01"), BEHIND), (told(asked=True), BEHIND)):
        patterns_of(teller, PlainContext(bookings=bookings), pipeline)
    patterns_of(told(), PlainContext(bookings=REACHED), pipeline)

    assert pipeline.asked == []


def test_without_a_quota_nobody_can_say_but_false_beats_unknown() -> None:
    assert pattern_of(told(), quota=None).holds is None
    assert pattern_of(told("2025-05-01"), quota=None).holds is False


def test_money_is_told_as_the_api_does() -> None:
    shown: Any = patterns_json([pattern_of(told(), BEHIND, "1")], DEFAULT_POLICY)

    value = shown[0]["facts"][3]["value"]
    assert value["gap"] == {"amount": "600000.00", "currency": "USD"}
    assert value["deals"] == [str(named("open 0"))]
    assert Decimal(value["open_pipeline"]["amount"]) == 1
