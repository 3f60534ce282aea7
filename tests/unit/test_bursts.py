"""PS-6: which ticks make a run, and what a run reads as."""

from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest

from domain.calendars import CalendarHistory, calendar_from
from domain.events.people import ReviewHeld
from domain.events.progress import ActivityUnticked, EvidenceWithdrawn, OutcomeContradicted
from domain.policy import DEFAULT_POLICY, Policy
from domain.replay import Event, view
from projections.pressure.bursts import Burst, Ticked, burst_patterns, bursts
from projections.pressure.patterns import Pattern, patterns_json
from projections.pressure.rules import Truth
from projections.progress.claims import Claim, derive_claims
from tests.support.progress import KNOWN
from tests.support.told import DEAL, Teller, at, evidence, named, opened, tick
from tests.support.worked_examples import worked_example

QUARTER_END = "2025-04-01"


def ticks_of(example: str, shown: Sequence[Truth] = ()) -> list[Ticked]:
    ticks = worked_example(example)["input"]["ticks"]
    known = [*shown, *[False] * len(ticks)]
    return [
        Ticked(named(name), named(deal), "ann", at(when), of)
        for (name, when, deal), of in zip(ticks, known, strict=False)
    ]


def run(ticks: str, start: str = "2025-02-10T12:00:00", gap: int = 60) -> list[Ticked]:
    """Tick once a minute: + what was shown before, - what was not, ? what has no outcome."""
    shown: dict[str, Truth] = {"+": True, "-": False, "?": None}
    return [
        Ticked(named(f"t{n}"), DEAL, "ann", at(start) + timedelta(seconds=gap * n), shown[one])
        for n, one in enumerate(ticks)
    ]


def names(found: Sequence[Burst]) -> list[list[str]]:
    called = {named(name): name for name in "abcdef"}
    return [[called[t.event_id] for t in burst.ticks] for burst in found]


def pattern_of(
    ticks: Sequence[Ticked],
    events: Sequence[Event] = (),
    *,
    policy: Policy = DEFAULT_POLICY,
    calendar: CalendarHistory | None = None,
) -> Pattern:
    (found,) = burst_patterns(DEAL, ticks, events, policy, calendar or CalendarHistory())
    return found


def before_review(pattern: Pattern) -> Truth:
    return pattern.facts[2].holds


def test_a_run_ends_where_the_gap_is_longer_than_two_minutes() -> None:
    expected = worked_example("EX13")["expect"]

    assert names(bursts(ticks_of("EX13"), DEFAULT_POLICY)) == expected["bursts"]
    assert len(bursts(ticks_of("EX13")[:4], DEFAULT_POLICY)) == expected["four_ticks_only"]


@pytest.mark.parametrize(
    ("case", "shown"),
    [
        ("none_evidenced", 0),
        ("four_of_five_evidenced_before", 4),
        ("three_of_five", 3),
    ],
)
def test_what_was_shown_before_tells_a_backlog_from_a_bulk_tick(case: str, shown: int) -> None:
    kind, share = worked_example("EX13")["expect"][case]

    (burst,) = bursts(ticks_of("EX13", [True] * shown), DEFAULT_POLICY)

    assert burst.share is not None
    assert (burst.kind(DEFAULT_POLICY), float(burst.share)) == (kind, share)


def test_half_of_them_not_shown_is_a_bulk_tick() -> None:
    (burst,) = bursts(run("---+++"), DEFAULT_POLICY)

    assert burst.kind(DEFAULT_POLICY) == "bulk_tick"


def test_the_runs_of_two_reps_are_two() -> None:
    of_ann = run("-----")
    of_bob = [
        Ticked(named(f"b{n}"), DEAL, "bob", t.recorded_at, shown=True) for n, t in enumerate(of_ann)
    ]

    found = bursts([*of_ann, *of_bob], DEFAULT_POLICY)

    assert [(b.ticks[0].rep, b.kind(DEFAULT_POLICY)) for b in found] == [
        ("ann", "bulk_tick"),
        ("bob", "catch_up"),
    ]


def test_what_has_no_outcome_is_in_the_run_and_in_no_share() -> None:
    (burst,) = bursts(run("??-++"), DEFAULT_POLICY)
    (unknown,) = bursts(run("?????"), DEFAULT_POLICY)

    assert (burst.share, burst.kind(DEFAULT_POLICY)) == (Fraction(1, 3), "mixed")
    assert (unknown.share, unknown.kind(DEFAULT_POLICY)) == (None, None)
    assert pattern_of(unknown.ticks).holds is None


def test_a_burst_is_a_pattern_of_each_of_its_deals_and_of_no_other() -> None:
    ticks = [
        *run("----"),
        Ticked(named("elsewhere"), named("other"), "ann", at("2025-02-10T12:04:00"), shown=False),
    ]

    assert pattern_of(ticks).holds is True
    for deal in ("other", "third"):
        found = burst_patterns(named(deal), ticks, [], DEFAULT_POLICY, CalendarHistory())
        assert len(found) == (deal == "other")


@pytest.mark.parametrize(
    ("start", "holds"),
    [("2025-03-29T23:56:00", True), ("2025-03-29T23:55:00", False), ("2025-03-31T23:50:00", True)],
)
def test_a_burst_is_before_a_quarter_end_by_its_last_tick(start: str, *, holds: bool) -> None:
    assert before_review(pattern_of(run("-----", start=start))) is holds


def test_a_review_of_the_deal_counts_and_one_held_before_does_not() -> None:
    ticks = run("-----")
    teller = Teller()
    teller.tell(ReviewHeld(), "2025-02-10T11:00:00", name="earlier")
    assert before_review(pattern_of(ticks, teller.events)) is False

    teller.tell(ReviewHeld(), "2025-02-12T12:04:00", name="review")

    found = pattern_of(ticks, teller.events)
    assert before_review(found) is True
    assert named("review") in found.evidence
    assert "shortly before a review" in found.sentence


def test_outside_every_quarter_a_review_alone_can_tell() -> None:
    listed = calendar_from(
        kind="explicit",
        zone="UTC",
        parameters={"periods": [{"name": "FY2030Q1", "start": "2030-01-01", "end": "2030-03-31"}]},
    )
    history = CalendarHistory().with_adopted(listed, effective_from=at("2020-01-01").date())
    teller = Teller()
    teller.tell(ReviewHeld(), "2025-02-11T12:00:00")

    assert before_review(pattern_of(run("-----"), calendar=history)) is None
    assert before_review(pattern_of(run("-----"), teller.events, calendar=history)) is True


def test_the_policy_says_what_a_burst_is() -> None:
    strict = Policy(burst_ticks=3, burst_gap_seconds=600, bulk_share="0.3")

    (burst,) = bursts(run("-++", gap=600), strict)

    assert burst.kind(strict) == "bulk_tick"


def test_a_pattern_is_told_with_facts_evidence_and_a_sentence() -> None:
    shown: Any = patterns_json([pattern_of(run("---++"))], DEFAULT_POLICY)

    (pattern,) = shown
    assert pattern["pattern_id"] == f"tick_burst:{named('t0')}"
    assert (pattern["rule"], pattern["holds"], pattern["rep"]) == ("PS-6", True, "ann")
    ran, told, review = pattern["facts"]
    assert ran["value"]["ticks"] == 5
    assert ran["evidence"] == [str(named(f"t{n}")) for n in range(5)]
    assert told["value"] == {"kind": "bulk_tick", "share": 0.6, "not_evidenced": 3, "of": 5}
    assert told["evidence"] == [str(named(f"t{n}")) for n in range(3)]
    assert review["value"]["hours_to_review"] is None
    assert set(pattern["evidence"]) == set(ran["evidence"])
    assert pattern["sentence"] == (
        "5 activities of 1 deal were ticked within 4 minutes; for 3 of 5 the outcome was not yet"
        " evidenced. This is consistent with ticking in bulk what was not yet done."
    )


# The process of KNOWN asks for `criteria` from `meet`, and for `goal` at level 4 and `cost` from
# `call`; `lunch` it does not know.


def claims_of(teller: Teller, cut: str | None = None) -> list[Claim]:
    seen = view(teller.events, effective_at=at(cut) if cut else None)
    return [claim for claim in derive_claims(seen, KNOWN) if claim.until_at is None]


def shown(teller: Teller, cut: str | None = None) -> list[Truth]:
    return [claim.shown() for claim in claims_of(teller, cut)]


def deal() -> Teller:
    teller = Teller()
    teller.tell(opened(), "2025-01-01")
    return teller


def test_an_outcome_counts_that_was_shown_by_the_time_the_tick_was_recorded() -> None:
    teller = deal()
    teller.tell(tick("meet"), "2025-01-02", recorded="2025-01-05")
    assert shown(teller) == [False]

    teller.tell(evidence("criteria"), "2025-01-05", recorded="2025-01-09")

    assert shown(teller) == [True]
    assert shown(teller, cut="2025-01-04") == [False]


def test_weaker_later_contradicted_and_withdrawn_evidence_shows_nothing() -> None:
    teller = deal()
    teller.tell(evidence("criteria", level=2), "2025-01-02")
    teller.tell(evidence("criteria"), "2025-01-03", name="withdrawn")
    teller.tell(EvidenceWithdrawn(event_id=named("withdrawn")), "2025-01-09")
    teller.tell(evidence("criteria"), "2025-01-04")
    teller.tell(OutcomeContradicted(outcome="criteria"), "2025-01-05")
    teller.tell(tick("meet"), "2025-01-06")
    teller.tell(evidence("criteria"), "2025-01-07")

    assert shown(teller) == [False]


def test_evidence_counts_in_what_had_happened_before_it_was_withdrawn() -> None:
    teller = deal()
    teller.tell(evidence("criteria"), "2025-01-02", name="shown")
    teller.tell(tick("meet"), "2025-01-03")
    teller.tell(EvidenceWithdrawn(event_id=named("shown")), "2025-01-09")

    before, after = derive_claims(view(teller.events), KNOWN)

    assert (before.until_at, before.shown()) == (at("2025-01-09"), True)
    assert (after.until_at, after.shown()) == (None, False)


def test_all_outcomes_of_an_activity_must_be_shown() -> None:
    teller = deal()
    teller.tell(evidence("goal", level=4), "2025-01-02")
    teller.tell(tick("call"), "2025-01-03")
    teller.tell(evidence("cost"), "2025-01-04")
    teller.tell(tick("call"), "2025-01-05")
    teller.tell(tick("lunch"), "2025-01-06")

    assert shown(teller) == [False, True, None]


def test_a_tick_that_is_taken_back_was_made_all_the_same() -> None:
    teller = deal()
    teller.tell(tick("meet"), "2025-01-02", name="tick")
    teller.tell(ActivityUnticked(activity="meet"), "2025-01-03")

    assert [claim.event_id for claim in claims_of(teller)] == [named("tick")]
