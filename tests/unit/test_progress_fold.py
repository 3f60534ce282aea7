"""What was ticked and what was shown, by the worked examples and at the edges."""

from domain.events.life import DealReopened
from domain.events.progress import ActivityUnticked, EvidenceWithdrawn, OutcomeContradicted
from domain.policy import DEFAULT_POLICY
from domain.process import Process
from domain.replay import Event, view
from projections.progress.answer import answer
from projections.progress.fold import Progress, fold
from tests.support.told import (
    Teller,
    at,
    evidence,
    named,
    opened,
    process,
    stage,
    tick,
    won,
)
from tests.support.worked_examples import worked_example

MEETING = process(("qualify", {"meet_dm": "dm_criteria", "demo": "fit"}), ("discover", {}))


def folded(events: list[Event], of: Process = MEETING) -> Progress:
    return fold(view(events), lambda _: of, DEFAULT_POLICY)


def status(teller: Teller, when: str, *, known: str | None = None) -> str:
    told = [event for event in teller.events if event.recorded_at <= at(known or when)]
    seen = view(told, effective_at=at(when))
    activity = fold(seen, lambda _: MEETING, DEFAULT_POLICY).activities[0]
    return activity.status(at(when))


def test_the_same_question_with_two_knowledge_dates_gives_two_answers() -> None:
    expected = worked_example("EX07")["expect"]
    teller = Teller()
    teller.tell(opened(), "2025-02-01")
    teller.tell(stage("qualify"), "2025-02-01")
    teller.tell(tick("meet_dm"), "2025-03-01T10:00:00+00:00")
    teller.tell(evidence("dm_criteria", level=1), "2025-03-01T10:01:00+00:00")
    teller.tell(evidence("dm_criteria"), "2025-03-10", recorded="2025-03-20")

    assert status(teller, "2025-03-01T09:00:00+00:00") == expected["T=K=2025-03-01T09:00Z"]
    assert status(teller, "2025-03-12") == expected["T=K=2025-03-12"]
    assert status(teller, "2025-03-16") == expected["T=K=2025-03-16"]
    assert status(teller, "2025-03-16", known="2025-03-31") == expected["T=2025-03-16,K=2025-03-31"]
    assert status(teller, "2025-03-31") == expected["T=K=2025-03-31"]


def test_evidence_after_the_grace_is_late_and_a_win_settles_at_once() -> None:
    expected = worked_example("EX07b")["expect"]
    late, closed = Teller(), Teller()
    for teller in (late, closed):
        teller.tell(opened(), "2025-02-01")
        teller.tell(tick("meet_dm"), "2025-03-01T10:00:00+00:00")
    late.tell(evidence("dm_criteria"), "2025-03-20")
    closed.tell(won("100"), "2025-03-05")

    assert status(late, "2025-03-31") == expected["late"]
    assert status(closed, "2025-03-05") == expected["won_on_5_mar"]


def test_the_share_is_of_what_has_settled_and_unknown_before() -> None:
    teller = Teller()
    teller.tell(opened(), "2025-02-01")
    teller.tell(tick("meet_dm"), "2025-03-01")
    teller.tell(tick("demo"), "2025-03-01")
    teller.tell(evidence("fit"), "2025-03-02")

    progress = folded(teller.events)

    assert answer(progress, at("2025-04-01"))["checkbox_only"] == 0.5
    assert answer(folded(teller.events[:2]), at("2025-03-02"))["checkbox_only"] is None


def test_leaving_the_stage_cuts_the_grace_short() -> None:
    teller = Teller()
    teller.tell(opened(), "2025-02-01")
    teller.tell(stage("qualify"), "2025-02-01")
    teller.tell(tick("meet_dm"), "2025-03-01")
    assert status(teller, "2025-03-02") == "pending"

    teller.tell(stage("discover"), "2025-03-02")

    assert status(teller, "2025-03-02") == "bare_tick"
    teller.tell(evidence("dm_criteria"), "2025-03-03")
    assert status(teller, "2025-03-03") == "evidenced_late"


def test_entering_the_stage_of_an_early_tick_does_not_leave_it_and_passing_it_does() -> None:
    entered, passed = Teller(), Teller()
    for teller in (entered, passed):
        teller.tell(opened(), "2025-02-01")
        teller.tell(tick("meet_dm"), "2025-03-01")
    entered.tell(stage("qualify"), "2025-03-02")
    passed.tell(stage("discover"), "2025-03-02")
    for teller in (entered, passed):
        teller.tell(evidence("dm_criteria"), "2025-03-03")

    assert status(entered, "2025-03-31") == "evidenced"
    assert status(passed, "2025-03-31") == "evidenced_late"


def test_an_untick_takes_the_claim_back() -> None:
    teller = Teller()
    teller.tell(opened(), "2025-02-01")
    teller.tell(tick("meet_dm"), "2025-03-01")
    teller.tell(ActivityUnticked(activity="meet_dm"), "2025-03-02")

    assert status(teller, "2025-04-01") == "not_ticked"


def test_evidence_that_was_withdrawn_or_contradicted_shows_nothing() -> None:
    withdrawn, contradicted = Teller(), Teller()
    for teller in (withdrawn, contradicted):
        teller.tell(opened(), "2025-02-01")
        teller.tell(tick("meet_dm"), "2025-03-01")
        teller.tell(evidence("dm_criteria"), "2025-03-02", name="e")
    withdrawn.tell(EvidenceWithdrawn(event_id=named("e")), "2025-03-03")
    contradicted.tell(OutcomeContradicted(outcome="dm_criteria"), "2025-03-03")

    assert status(withdrawn, "2025-04-01") == "bare_tick"
    assert status(contradicted, "2025-04-01") == "bare_tick"


def test_a_contradiction_takes_nothing_back_of_what_stood_at_an_advance() -> None:
    teller = Teller()
    teller.tell(opened(), "2025-02-01")
    teller.tell(stage("qualify"), "2025-02-01")
    teller.tell(evidence("dm_criteria"), "2025-02-02")
    teller.tell(evidence("fit"), "2025-02-02")
    teller.tell(OutcomeContradicted(outcome="fit"), "2025-02-03")
    teller.tell(stage("discover"), "2025-02-10")
    teller.tell(OutcomeContradicted(outcome="dm_criteria"), "2025-02-11")

    (advance,) = folded(teller.events).advances

    assert (advance.required, advance.evidenced) == (2, 1)


def test_progress_counts_above_the_high_water_mark() -> None:
    expected = worked_example("EX15")["expect"]
    linear = process(*((str(rank), {}) for rank in range(5)))
    teller = Teller()
    teller.tell(opened(), "2025-01-01")
    for day, target in enumerate(("0", "1", "3", "2", "4"), start=1):
        teller.tell(stage(target), f"2025-01-0{day}")

    progress = folded(teller.events, linear)

    assert sum(advance.steps for advance in progress.advances) == expected["progress"]
    assert len(progress.regressions) == expected["regressions"]
    skipped = [stage for skip in progress.skips for stage in skip.never_entered]
    assert skipped == ["2"]
    assert len(skipped) == expected["skipped"]


def test_a_reopened_deal_begins_a_new_episode_without_a_skip() -> None:
    linear = process(*((str(rank), {}) for rank in range(5)))
    teller = Teller()
    teller.tell(opened(), "2025-01-01")
    teller.tell(stage("0"), "2025-01-01")
    teller.tell(stage("1"), "2025-01-02")
    teller.tell(DealReopened(), "2025-02-01")
    teller.tell(stage("4"), "2025-02-02")

    progress = folded(teller.events, linear)

    assert progress.skips == ()
    assert sum(advance.steps for advance in progress.advances) == 1


def test_a_tick_that_the_process_does_not_know_is_outside_every_share() -> None:
    teller = Teller()
    teller.tell(opened(), "2025-02-01")
    teller.tell(tick("Discovery call"), "2025-03-01")

    shown = answer(folded(teller.events), at("2025-04-01"))

    assert shown["counts"]["not_expressible"] == 1  # type: ignore[index]  # a mapping
    assert shown["checkbox_only"] is None
