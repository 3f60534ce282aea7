"""Which events are consistent with quota pressure, by the worked examples and at the edges."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from domain.calendars import CalendarHistory, calendar_from
from domain.policy import DEFAULT_POLICY, policy_from
from domain.replay import view
from projections.pressure import rules
from projections.pressure.acts import Act, Stay
from projections.pressure.around import explain
from projections.pressure.baseline import Comparables, Dwell, Peers
from projections.pressure.fold import Judged, Judgement, fold
from projections.pressure.money import cost, counterfactual, price_of
from projections.pressure.recording import Coverage
from projections.pressure.sentence import sentence
from tests.support.pressure import PlainContext, answered, offers
from tests.support.told import (
    DEAL,
    Teller,
    at,
    commitment,
    discount,
    evidence,
    moved,
    named,
    opened,
    process,
    request,
    stage,
    tick,
    won,
)
from tests.support.worked_examples import worked_example

LINEAR = process(
    ("1", {"meet_dm": "dm_criteria"}),
    ("2", {"demo": "fit_confirmed"}),
    ("3", {"security_review": "security_passed"}),
    ("4", {"send_proposal": "proposal_ack"}),
    ("5", {}),
    ("6", {}),
    closing="6",
)
GATED = policy_from(1, {"coverage_gate": "0.5"})
BEHIND = [("2025-01-20T15:00:00+00:00", "200000"), ("2025-02-15T15:00:00+00:00", "150000")]


def baselines(example: str = "EX09") -> list[tuple[UUID, Act]]:
    given = worked_example(example)["input"]
    levels = offers(given["level_baseline"], rep="ann")
    return [*levels, *offers(given["step_baseline"], rep="bob", steps=True)]


def judge(teller: Teller, context: PlainContext) -> list[Judged]:
    return fold(DEAL, view(teller.events), lambda _: LINEAR, context)


def offered(*percents: str, when: str = "2025-03-24T12:00:00+00:00") -> Teller:
    teller = Teller()
    teller.tell(opened(amount="200000", process=True), "2025-01-02")
    for day, percent in enumerate(percents[:-1], start=10):
        teller.tell(discount(percent, list_price="200000"), f"2025-01-{day}")
    teller.tell(discount(percents[-1], list_price="200000"), when, name="last")
    return teller


def figures(judged: Judged, rule: str) -> Any:
    return next((f.value["p"] for f in judged.findings if f.rule == rule), None)


def test_a_deep_step_late_in_the_quarter_is_flagged_with_its_figures() -> None:
    expected = worked_example("EX09")["expect"]
    teller = offered("10", "25")

    judged = judge(teller, PlainContext(bookings=BEHIND, offers=baselines()))[-1]

    assert judged.verdict == expected["verdict"]
    assert judged.window is expected["facts"]["window"]
    assert judged.behind is expected["facts"]["behind"]
    assert figures(judged, "PS-1") == expected["facts"]["p_level"]
    assert figures(judged, "PS-2") == expected["facts"]["p_step"]
    assert judged.levels is not None
    assert judged.levels.scope == expected["facts"]["scope"]
    assert len(judged.levels.values) == expected["facts"]["n_level"]
    assert float(judged.levels.median) / 100 == expected["facts"]["median"]
    assert judged.rules == ("PS-1", "PS-2")


def test_the_money_of_a_flagged_step_won_or_lost() -> None:
    expected = worked_example("EX09")["expect"]
    teller = offered("10", "25")
    context = PlainContext(bookings=BEHIND, offers=baselines())
    judged = judge(teller, context)
    lost = cost(judged, price_of(teller.events), won=False)
    teller.tell(won("150000", list_price="200000"), "2025-03-31T20:00:01+00:00")

    spent = cost(judged, price_of(teller.events), won=True)

    assert (
        amounts(spent.offered, spent.realised, spent.floor)
        == expected["money_offered_realised_floor"]
    )
    assert amounts(lost.offered, lost.realised, lost.floor) == expected["if_lost"]


def amounts(*money: Any) -> list[str]:
    return [str(one.amount) for one in money]


CASES: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "15% from 10% (step .05 ties the two largest of 20: p=3/21)": (("10", "15"), {}),
    "18% from 10%: level p=.2, step p=1/21": (("10", "18"), {}),
    "first offer 25%: only the level test applies": (("25",), {}),
    "dte 20": (("10", "25"), {"when": "2025-03-11T12:00:00+00:00"}),
    "on pace (P=.1)": (("10", "25"), {"bookings": [("2025-01-20", "905000")]}),
    "above quota": (("10", "25"), {"bookings": [("2025-01-20", "1000000")]}),
    "quota unknown": (("10", "25"), {"quota": None}),
    "quota unknown and outside window": (
        ("10", "25"),
        {"quota": None, "when": "2025-03-11T12:00:00+00:00"},
    ),
    "no baselines at all": (("10", "25"), {"keep": ()}),
    "customer asked for it": (("10", "25"), {"asked": None}),
    "explained late": (("10", "25"), {"asked": "2025-03-30"}),
}


@pytest.mark.parametrize("case", CASES)
def test_the_lattice_of_verdicts(case: str) -> None:
    verdict, p_level, p_step = worked_example("EX10")["expect"][case]
    percents, given = CASES[case]
    teller = offered(*percents, when=given.get("when", "2025-03-24T12:00:00+00:00"))
    if "asked" in given:
        teller.tell(request("discount"), "2025-03-22", recorded=given["asked"])
    levels = offers(worked_example("EX10")["input"]["level_baseline"], rep="ann")
    # Another rep's steps are depths as well: the organisation's levels stay below its threshold.
    steps = offers(worked_example("EX10")["input"]["step_baseline"], rep="bob", steps=True)
    kept = given.get("keep", ("level", "step"))
    context = PlainContext(
        quota_amount=given.get("quota", "1000000"),
        bookings=given.get("bookings", BEHIND),
        offers=[*(levels if "level" in kept else []), *(steps if "step" in kept else [])],
    )

    judged = judge(teller, context)[-1]

    assert judged.verdict == verdict
    if p_level is not None:
        assert figures(judged, "PS-1") == p_level
    assert figures(judged, "PS-2") == p_step


@pytest.mark.parametrize(
    ("case", "percent", "abnormal"),
    [
        ("no level baseline, step test fires", "18", True),
        ("no level baseline, step test does not fire", "12", None),
    ],
)
def test_an_unknown_level_leaves_the_step_to_decide(
    case: str, percent: str, *, abnormal: bool | None
) -> None:
    verdict, _, p_step = worked_example("EX10")["expect"][case]
    steps = tuple(
        Decimal(str(size)) * 100 for size in worked_example("EX10")["input"]["step_baseline"]
    )
    peers = Peers("organisation", steps, Decimal("1.5"))

    level = rules.level(Decimal(percent), Decimal(10), None, DEFAULT_POLICY)
    step = rules.step(Decimal(percent), Decimal(10), peers, DEFAULT_POLICY)

    assert step is not None
    assert step.value["p"] == p_step
    assert rules.any_of([level.holds, step.holds]) is abnormal
    assert (verdict == "not_evaluable") is (abnormal is None)


def test_a_ladder_of_discounts_is_never_counted_twice() -> None:
    example = worked_example("EX11")
    teller = Teller()
    teller.tell(opened(amount="100000"), "2025-01-02")
    teller.tell(discount("10", list_price="100000"), "2025-01-10")
    teller.tell(discount("20", list_price="100000"), "2025-03-20")
    teller.tell(discount("15", list_price="100000"), "2025-03-21")
    teller.tell(discount("30", list_price="100000"), "2025-03-22")
    teller.tell(won("72000", list_price="100000"), "2025-03-25")
    # A median of 12 among nine, all below 20: the second and the fourth step are flagged.
    levels = offers([0.11, 0.11, 0.11, 0.11, 0.12, 0.12, 0.12, 0.12, 0.12], rep="ann")
    context = PlainContext(bookings=BEHIND, offers=levels)

    judged = judge(teller, context)
    spent = cost(judged, price_of(teller.events), won=True)

    flagged = [j.verdict == "pressure_shaped" for j in judged]
    assert flagged == [step[2] for step in example["input"]["steps"]]
    assert (
        amounts(spent.offered, spent.realised, spent.floor)
        == example["expect"]["offered_realised_floor"]
    )


def thirty() -> Teller:
    teller = Teller()
    teller.tell(opened(amount="200000", close_date="2025-04-25"), "2025-01-08")
    teller.tell(stage("1"), "2025-01-08", name="e01")
    teller.tell(evidence("dm_criteria"), "2025-01-15", name="e02")
    teller.tell(tick("meet_dm"), "2025-01-16", name="e03")
    teller.tell(stage("2"), "2025-01-17", name="e04")
    teller.tell(tick("demo"), "2025-02-03", name="e05")
    teller.tell(request("discount"), "2025-02-08", name="e06")
    teller.tell(discount("10"), "2025-02-10", name="e07")
    teller.tell(stage("3"), "2025-02-20", name="e08")
    teller.tell(moved("2025-03-31"), "2025-03-20", name="e09")
    teller.tell(discount("25"), "2025-03-24T12:00:00+00:00", name="e10")
    teller.tell(tick("security_review"), "2025-03-28T17:00:00+00:00", name="e11")
    teller.tell(tick("send_proposal"), "2025-03-28T17:01:00+00:00", name="e12")
    teller.tell(stage("5"), "2025-03-28T17:05:00+00:00", name="e13")
    teller.tell(commitment(5, kind="signature"), "2025-03-31T18:00:00+00:00", name="e14")
    teller.tell(stage("6"), "2025-03-31T20:00:00+00:00", name="e15")
    teller.tell(won("150000", list_price="200000"), "2025-03-31T20:00:01+00:00", name="e16")
    return teller


def test_one_deal_end_to_end() -> None:
    expected = worked_example("EX30")["expect"]
    teller = thirty()
    context = PlainContext(bookings=BEHIND, offers=baselines())

    judged = judge(teller, context)
    shown = answered(teller.events, judged, context, Coverage(0, 0))

    for event, row in zip(
        shown["events"], expected["rows_id_type_dte_attained_P_cause_verdict"], strict=True
    ):
        name, _, left, attained, pressed, cause, verdict = row
        assert event["event_id"] == str(named(name))
        assert event["days_left"] == left
        assert float(event["attained"]["amount"]) == float(attained)
        assert event["pressure"] == pressed
        assert event["cause"] == cause
        assert event["verdict"] == verdict
        assert event["sentence"].endswith(".")
    assert (
        f"{shown['shares']['shaped']}/{shown['shares']['evaluable']}" == expected["pressure_shaped"]
    )
    assert [shown["money"][k]["amount"] for k in ("offered", "realised", "floor")] == expected[
        "money_offered_realised_floor"
    ]
    before = counterfactual(teller.events, judged, price_of(teller.events))
    assert before.net is not None
    assert str(before.net.amount) == expected["counterfactual"]["net_at_previous_offer"]
    assert str(before.close_date) == expected["counterfactual"]["close_date_before_pull_in"]


def test_an_event_outside_every_quarter_of_the_calendar_cannot_be_judged() -> None:
    listed = calendar_from(
        kind="explicit",
        zone="UTC",
        parameters={"periods": [{"name": "FY2030Q1", "start": "2030-01-01", "end": "2030-03-31"}]},
    )
    history = CalendarHistory().with_adopted(listed, effective_from=at("2020-01-01").date())

    judged = judge(thirty(), PlainContext(calendar=history))

    # What no rule can find abnormal needs no quarter to be called ordinary.
    assert {j.verdict for j in judged} <= {"not_evaluable", "not_pressure_shaped"}
    assert next(j for j in judged if j.event.event_id == named("e09")).verdict == "not_evaluable"
    assert next(j for j in judged if j.event.event_id == named("e10")).verdict == "not_evaluable"


def test_without_outcomes_in_the_process_a_skip_is_not_evaluable() -> None:
    plain = process(*((str(rank), {}) for rank in range(1, 7)))
    teller = Teller()
    teller.tell(opened(), "2025-01-08")
    teller.tell(stage("1"), "2025-01-08")
    teller.tell(stage("4"), "2025-03-28", name="skip")

    judged = fold(DEAL, teller.events, lambda _: plain, PlainContext(bookings=BEHIND))

    assert judged[-1].verdict == "not_evaluable"


def left_after_two_days(*, stays: int) -> Judged:
    """Judge a stage left early, when so many others lasted 10 days, 11 days, and so on."""
    teller = Teller()
    teller.tell(opened(), "2025-01-08")
    teller.tell(stage("1"), "2025-03-24")
    teller.tell(stage("2"), "2025-03-26")
    others = [
        Stay(named(f"stay {n}"), "linear", "1", at("2025-01-01"), at(f"2025-01-{11 + n}"))
        for n in range(stays)
    ]
    of_others = [(named(f"other deal {n}"), stay) for n, stay in enumerate(others)]
    return judge(teller, PlainContext(bookings=BEHIND, stays=of_others))[-1]


def test_a_stage_left_sooner_than_others_with_outcomes_missing_is_a_rush() -> None:
    judged = left_after_two_days(stays=20)

    # 10 % of 20 are two: the second shortest lasted 11 days.
    dwell = {"n": 20, "days": 2.0, "shortest_normal_days": 11.0}
    assert judged.verdict == "pressure_shaped"
    assert judged.rules == ("PS-5",)
    assert judged.findings[0].value["dwell"] == dwell
    assert judged.findings[0].value["missing_outcomes"] == ["dm_criteria"]


def test_too_few_stays_leave_it_open_what_a_rush_is() -> None:
    assert left_after_two_days(stays=19).verdict == "not_evaluable"


class Unread(PlainContext):
    """A context in which what others did cannot be read."""

    @property
    def comparables(self) -> Comparables:
        raise AssertionError

    def dwell(self, process: str, stage: str, deal_id: UUID, before: datetime) -> Dwell | None:
        raise AssertionError


@pytest.mark.parametrize(
    ("when", "bookings"),
    [("2025-03-11", BEHIND), ("2025-03-24", [("2025-01-20", "1000000")])],
)
def test_outside_the_window_or_not_behind_nobody_else_is_looked_at(
    when: str, bookings: list[tuple[str, str]]
) -> None:
    act = Act(
        event_id=named("offer"),
        kind="discount_offered",
        rep="ann",
        segment=None,
        occurred_at=at(when),
        action_time=at(when),
        quarter="FY2025Q1",
        outside=when < "2025-03-18",
        interior=True,
        cause="seller_only",
        depth=Decimal(40),
    )

    judgement = Judgement(DEAL, act, Unread(bookings=bookings))

    assert judgement.verdict == "not_pressure_shaped"


@pytest.mark.parametrize(
    ("gate", "recorded", "verdict"),
    [
        (None, Coverage(0, 40), "pressure_shaped"),
        ("0.5", Coverage(19, 40), "pressure_consistent"),
        ("0.5", Coverage(20, 40), "pressure_shaped"),
        ("0.5", Coverage(0, 0), "pressure_consistent"),
    ],
)
def test_where_too_little_is_recorded_nothing_is_called_pressure_shaped(
    gate: str | None, recorded: Coverage, verdict: str
) -> None:
    policy = policy_from(1, {} if gate is None else {"coverage_gate": gate})
    context = PlainContext(bookings=BEHIND, offers=baselines(), policy=policy, recorded=recorded)
    teller = offered("10", "25")

    judged = judge(teller, context)
    shown = answered(teller.events, judged, context, recorded)

    assert judged[-1].verdict == verdict
    assert shown["shares"]["shaped"] == (verdict == "pressure_shaped")
    customer = shown["events"][-1]["facts"][2]
    assert customer["holds"] is True
    assert (customer["coverage"] is None) is (gate is None)


def test_a_capped_verdict_says_how_seldom_customers_are_recorded() -> None:
    seldom = Coverage(10, 40)
    context = PlainContext(bookings=BEHIND, offers=baselines(), policy=GATED, recorded=seldom)
    text = sentence(explain(judge(offered("10", "25"), context), context)[-1], GATED)

    assert "no customer action was recorded in the 7 days before" in text
    assert "the team records customer actions at 25% of comparable events, 50% are asked" in text
    assert text.endswith("so is a customer's own wish that nobody recorded.")


def test_what_a_customer_explains_or_nobody_finds_abnormal_is_not_capped() -> None:
    context = PlainContext(bookings=BEHIND, offers=baselines(), policy=GATED)
    asked, shallow = offered("10", "25"), offered("10", "11")
    asked.tell(request("discount"), "2025-03-22")

    verdicts = [judge(teller, context)[-1].verdict for teller in (asked, shallow)]
    text = sentence(explain(judge(asked, context), context)[-1], GATED)

    assert verdicts == ["pressure_consistent", "not_pressure_shaped"]
    assert "that nobody recorded" not in text
