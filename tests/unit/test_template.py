"""The built-in process keeps to what it asks of others."""

from domain.events.life import ProcessRef
from domain.known import Known
from domain.process import check_process
from domain.template import DEFAULT_PROCESS

STAGES = {stage.id: stage for stage in DEFAULT_PROCESS.working_stages}


def test_the_template_has_five_stages_and_the_closing_ones() -> None:
    check_process(DEFAULT_PROCESS.stages)

    assert len(STAGES) == 5
    assert DEFAULT_PROCESS.stage_ids - STAGES.keys() == {"won", "lost"}


def test_every_stage_asks_for_one_to_three_outcomes() -> None:
    asked = [len(DEFAULT_PROCESS.required_outcomes([name])) for name in STAGES]

    assert all(1 <= count <= 3 for count in asked), asked


def test_no_outcome_is_reached_by_the_sellers_word_alone() -> None:
    assert min(outcome.needed for outcome in DEFAULT_PROCESS.outcomes.values()) == 3


def test_qualification_finds_out_whether_the_opportunity_is_qualified() -> None:
    qualification = STAGES["qualification"]

    assert "qualified opportunity" in qualification.goal
    assert "no-go" in str(qualification.exit)


def test_discovery_understands_goals_alternatives_and_the_decision() -> None:
    goal = STAGES["discovery"].goal

    assert all(word in goal for word in ("wants to achieve", "alternatives", "decide"))


def test_decision_makers_are_met_to_learn_who_decides_and_how() -> None:
    stage, activity = DEFAULT_PROCESS.activities["meet_decision_makers"]

    assert stage.id == "discovery"
    assert all(word in activity.purpose for word in ("who takes part", "which part", "criteria"))


def test_a_deal_can_be_pinned_to_the_template() -> None:
    reference = ProcessRef(id=DEFAULT_PROCESS.id, version=DEFAULT_PROCESS.version)

    assert Known([]).processes([])(reference) == DEFAULT_PROCESS
