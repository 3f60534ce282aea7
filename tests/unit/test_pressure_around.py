"""What stands around a verdict: the manager's team, who asked, the usual pace, the exposure."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest

from domain.events.life import OwnerChanged
from domain.events.money import DiscountOffered
from domain.fiscal import FiscalQuarter
from domain.pace import Active
from domain.policy import DEFAULT_POLICY
from projections.pressure.answer import exposure_json, judged_json
from projections.pressure.around import Managed, Origin, explain, managed, origin, usual_pace
from projections.pressure.curve import Standing, standing
from projections.pressure.exposure import exposure
from projections.pressure.fold import fold
from projections.pressure.sentence import sentence
from projections.wording import Person, pieces_of
from tests.support.pressure import PlainContext, offers
from tests.support.told import DEAL, Teller, at, discount, moved, named, opened, process, won

QUARTER = PlainContext().calendar.quarter_of(at("2025-02-01"))
HALF = at("2025-02-15")
"""When half of the 90 days of 2025Q1 have passed."""


def now(context: PlainContext, quarter: FiscalQuarter = QUARTER) -> Standing:
    quota, _ = context.quota("ann", quarter.name, HALF)
    booked = context.booked("ann", quarter.name, "USD")
    return standing(quota, booked, Fraction(1, 2), HALF)


def test_the_managers_pressure_is_that_of_the_quotas_and_bookings_together() -> None:
    # Two reps with 1000 each and 100 booked each: (2000 / 2 - 200) / (2000 - 200).
    context = PlainContext(
        quota_amount="1000", bookings=[("2025-01-20", "100")], above=("mel", ("ann", "bob"))
    )

    above = managed(context, "ann", QUARTER, HALF)

    assert isinstance(above, Managed)
    assert (above.manager, above.reps, above.currency) == ("mel", ("ann", "bob"), "USD")
    assert above.standing.pressure == Fraction(800, 1800)
    assert above.standing.shortfall == Fraction(2, 5)
    assert set(above.evidence) == {named("quota"), named("win 2025-01-20")}


def test_without_a_manager_or_a_quota_of_the_team_there_is_no_such_pressure() -> None:
    nobody = PlainContext(quota_amount="1000")
    bare = PlainContext(quota_amount=None, above=("mel", ("ann",)))

    assert managed(nobody, "ann", QUARTER, HALF) is None
    assert managed(bare, "ann", QUARTER, HALF) is None


def test_a_discount_says_who_asked_for_it_else_the_role_of_its_actor_does() -> None:
    context = PlainContext(roles={"mel": "manager", "ann": "rep"})
    teller = Teller()
    asked = teller.tell(
        DiscountOffered.model_validate({"percent": "5", "requested_by": "policy"}), "2025-02-01"
    )
    by_manager = replace(teller.tell(discount("6"), "2025-02-02", actor="mel"), on_behalf_of="ann")
    by_stranger = teller.tell(discount("7"), "2025-02-03", actor="zoe")

    found = [origin(context, event, HALF) for event in (asked, by_manager, by_stranger)]

    assert found == [Origin("policy", "requested_by"), Origin("manager", "role"), None]


def test_the_sentence_names_who_asked_and_how_the_managers_team_stood() -> None:
    context = PlainContext(roles={"mel": "manager"}, above=("mel", ("ann",)), policy=DEFAULT_POLICY)
    teller = Teller()
    teller.tell(opened(amount="1000", close_date="2025-04-25"), "2025-01-02")
    teller.tell(moved("2025-03-31"), "2025-03-24", actor="mel")

    judged = fold(DEAL, teller.events, lambda _: process(("1", {})), context)
    text = sentence(explain(judged, context)[0], DEFAULT_POLICY)

    assert judged[0].verdict == "pressure_shaped"
    assert text.startswith("The close date was moved to 2025-03-31, by a manager: ")
    assert text.endswith("The team of their manager, mel, stood at a pressure of 0.91 then.")
    people = [one.id for one in pieces_of(text) if isinstance(one, Person)]
    assert people == [judged[0].event.rep, "mel"]


YEAR = [("2024-02-01", "10"), ("2024-03-25", "30"), ("2024-05-02", "10"), ("2024-06-28", "30")]
YEAR += [("2024-07-05", "5"), ("2024-09-27", "15"), ("2024-10-10", "20"), ("2024-12-20", "20")]


def test_the_usual_pace_is_what_was_booked_by_then_of_all_in_the_quarters_before() -> None:
    # By half of each quarter: 10 of 40, 10 of 40, 5 of 20 and 20 of 40; together 45 of 140.
    context = PlainContext(quota_amount="1000", bookings=YEAR)

    usual = usual_pace(context, "ann", QUARTER, now(context), HALF)

    assert usual is not None
    assert usual.own == usual.team == usual.share == Fraction(45, 140)
    assert (usual.deals, usual.weight) == (8, Fraction(8, 28))
    assert usual.quarters == ("FY2024Q4", "FY2024Q3", "FY2024Q2", "FY2024Q1")
    assert usual.pressure == Fraction(45, 140)


def test_of_fewer_than_four_quarters_there_is_no_usual_pace() -> None:
    three = PlainContext(quota_amount="1000", bookings=YEAR[2:])
    unknown = PlainContext(quota_amount=None, bookings=YEAR)

    assert usual_pace(three, "ann", QUARTER, now(three), HALF) is None
    assert usual_pace(unknown, "ann", QUARTER, now(unknown), HALF) is None


def open_deal() -> Teller:
    teller = Teller()
    teller.tell(opened(), "2025-01-01")
    return teller


def test_a_deal_is_exposed_from_when_its_owner_falls_behind() -> None:
    # Without bookings P = F, so theta = .25 is reached after 22.5 of 90 days.
    exposed = exposure(open_deal().events, PlainContext(quota_amount="1000"), HALF)

    assert exposed.behind == timedelta(days=22.5)
    assert exposed.share() == Fraction(1, 2)
    assert exposed.evidence == (named("quota"),)


def test_a_booking_ends_the_exposure_until_its_owner_is_behind_again() -> None:
    # 500 booked on day 30: (1000 F - 500) / 500 reaches .25 when F = .625, on day 56.25.
    context = PlainContext(quota_amount="1000", bookings=[("2025-01-31", "500")])

    exposed = exposure(open_deal().events, context, at("2025-04-01"))

    assert exposed.behind == timedelta(days=(30 - 22.5) + (90 - 56.25))
    assert set(exposed.evidence) == {named("quota"), named("win 2025-01-31")}


def test_exposure_counts_open_time_alone_and_says_how_much_of_it_is_known() -> None:
    teller = open_deal()
    teller.tell(OwnerChanged(owner="bob"), "2025-01-10")
    teller.tell(won("10"), "2025-01-24")

    known = exposure(teller.events, PlainContext(quota_amount="1000"), HALF)
    unknown = exposure(teller.events, PlainContext(quota_amount=None), HALF)

    assert (known.open, known.behind) == (timedelta(days=23), timedelta(days=0.5))
    assert (unknown.open, unknown.known, unknown.share()) == (
        timedelta(days=23),
        timedelta(0),
        None,
    )
    assert exposure_json(unknown)["share"] is None


def test_a_newcomer_is_behind_by_their_own_time_in_the_quarter() -> None:
    joined = Active(HALF, None, (named("joined"),))
    context = PlainContext(quota_amount="1000", active=[joined])

    exposed = exposure(open_deal().events, context, at("2025-04-01"))

    # A quarter of the 45 days that are left at the joining: from day 56.25 on.
    assert exposed.behind == timedelta(days=90 - 56.25)


@pytest.mark.parametrize("until", ["2025-01-01", "2024-12-01"])
def test_a_deal_that_was_not_open_yet_has_no_exposure(until: str) -> None:
    exposed = exposure(open_deal().events, PlainContext(), at(until))

    assert (exposed.open, exposed.share()) == (timedelta(0), None)


def test_a_finding_names_the_offer_and_the_one_before_or_what_set_the_date_before() -> None:
    teller = Teller()
    teller.tell(opened(close_date="2025-04-25"), "2025-01-01", name="opening")
    teller.tell(moved("2025-03-31"), "2025-03-20", name="first move")
    teller.tell(moved("2025-03-30"), "2025-03-21", name="second move")
    teller.tell(discount("5"), "2025-03-22", name="first offer")
    teller.tell(discount("9"), "2025-03-23", name="second offer")

    judged = fold(DEAL, teller.events, lambda _: process(("1", {})), PlainContext())
    found = [{f.rule: f.evidence for f in one.findings} for one in judged]

    assert found[0] == {"PS-4": (named("first move"), named("opening"))}
    assert found[1] == {"PS-4": (named("second move"), named("first move"))}
    assert found[2]["PS-1"] == found[2]["PS-3"] == (named("first offer"),)
    pair = (named("second offer"), named("first offer"))
    assert (found[3]["PS-1"], found[3]["PS-2"]) == (pair, pair)
    assert found[3]["PS-3"] == (named("second offer"),)


def test_the_base_rate_is_that_of_those_an_offer_is_compared_with() -> None:
    # Nine offers of the rep are enough for a baseline; of every three, one lacks a customer cause.
    context = PlainContext(offers=[*offers([0.1] * 9, rep="ann"), *offers([0.1] * 9, rep="bob")])
    teller = Teller()
    teller.tell(opened(), "2025-01-01")
    teller.tell(discount("30"), "2025-03-22")

    judged = fold(DEAL, teller.events, lambda _: process(("1", {})), context)
    (explained,) = explain(judged, context)
    shown = judged_json(explained, DEFAULT_POLICY)["facts"]

    assert isinstance(shown, list)
    assert shown[2]["base_rate"] == {
        "scope": "rep",
        "without_customer_action": 3,
        "of": 9,
        "share": 0.333333,
        "interval": [0.120584, 0.645798],
    }
    assert ", nor for 3 of 9 comparable events" in sentence(explained, DEFAULT_POLICY)
