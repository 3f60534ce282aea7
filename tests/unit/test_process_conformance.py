"""Where a deal left the way of its process, and what was entered or ticked and never shown."""

from collections.abc import Iterable
from uuid import UUID

from domain.events.life import DealLost, DealMovedToProcess, ProcessRef, WinReversed
from domain.process import Process
from domain.replay import view
from projections.process.conformance import Deviation, Ticked, answer, conformance_of
from tests.support.told import Teller, named, opened, process, stage, won

LINEAR = process(
    ("qualify", {"meet": "criteria"}),
    ("discover", {"demo": "fit"}),
    ("propose", {"send": "acknowledged"}),
)


def deviations(
    teller: Teller, *, ticked: Iterable[Ticked] = (), shown: Iterable[str] = ("criteria", "fit")
) -> list[tuple[str, str | None, str | None, UUID]]:
    found = conformance_of(
        view(teller.events), lambda _: LINEAR, ticked=ticked, evidenced=set(shown)
    )
    return [(d.category, d.stage, d.activity, d.event_id) for d in found.deviations]


def told(*stages: str) -> Teller:
    teller = Teller()
    teller.tell(opened(), "2025-01-01")
    for day, name in enumerate(stages, start=2):
        teller.tell(stage(name), f"2025-01-{day:02}", name=f"{name} {day}")
    return teller


def test_a_deal_that_goes_the_whole_way_deviates_nowhere() -> None:
    teller = told("qualify", "discover", "propose")
    teller.tell(won("100"), "2025-02-01")

    assert deviations(teller, shown=["criteria", "fit", "acknowledged"]) == []


def test_a_stage_that_was_passed_over_is_skipped_by_the_step_that_went_past_it() -> None:
    teller = told("qualify", "propose")

    assert deviations(teller) == [("skipped", "discover", None, named("propose 3"))]


def test_a_win_out_of_a_stage_skips_those_that_were_to_come() -> None:
    teller = told("qualify", "discover")
    teller.tell(won("100"), "2025-02-01", name="win")

    assert deviations(teller) == [("skipped", "propose", None, named("win"))]


def test_a_stage_that_was_entered_later_after_all_is_backward_and_not_skipped() -> None:
    teller = told("qualify", "propose", "discover")

    assert deviations(teller) == [("backward", "discover", None, named("discover 4"))]


def test_a_stage_entered_again_is_repeated() -> None:
    teller = told("qualify", "discover", "qualify")

    assert deviations(teller) == [
        ("repeated", "qualify", None, named("qualify 4")),
        ("backward", "qualify", None, named("qualify 4")),
    ]


def test_a_stage_and_a_tick_that_the_process_lacks_are_unknown_steps() -> None:
    lunch = Ticked("lunch", None, "not_expressible", named("tick"))

    assert deviations(told("qualify", "nowhere"), ticked=[lunch]) == [
        ("unknown_step", "nowhere", None, named("nowhere 3")),
        ("unknown_step", None, "lunch", named("tick")),
    ]


def test_a_stage_left_behind_without_anything_shown_is_hollow() -> None:
    assert deviations(told("qualify", "discover"), shown=[]) == [
        ("hollow", "qualify", None, named("qualify 2"))
    ]


def test_the_stage_in_which_a_deal_was_given_up_is_not_hollow() -> None:
    teller = told("qualify", "lost")
    teller.tell(DealLost(), "2025-02-01")

    assert deviations(teller, shown=[]) == []


def test_ticks_never_shown_are_hollow_and_those_shown_late_are_said() -> None:
    ticked = [
        Ticked("meet", "qualify", "asserted_only", named("a")),
        Ticked("demo", "discover", "bare_tick", named("b")),
        Ticked("send", "propose", "evidenced_late", named("c")),
        Ticked("call", "propose", "pending", named("d")),
        Ticked("test", "propose", "evidenced", named("e")),
    ]

    assert deviations(told("qualify"), ticked=ticked) == [
        ("hollow", "qualify", "meet", named("a")),
        ("hollow", "discover", "demo", named("b")),
        ("retro_evidenced", "propose", "send", named("c")),
    ]


def test_stages_of_another_process_are_told_by_their_new_names() -> None:
    teller = told("first")
    reference = ProcessRef(id="linear", version=1)
    teller.tell(DealMovedToProcess(process=reference, mapping={"first": "qualify"}), "2025-01-05")
    teller.tell(stage("discover"), "2025-01-06")

    assert deviations(teller) == []


def test_a_win_that_was_taken_back_is_no_step() -> None:
    teller = told("qualify")
    teller.tell(won("100"), "2025-02-01")
    teller.tell(WinReversed(), "2025-02-02")

    assert deviations(teller) == []


def test_a_hollow_stage_is_shown_by_its_first_entry() -> None:
    teller = told("qualify", "discover", "qualify", "discover")

    hollow = [one for one in deviations(teller, shown=[]) if one[0] == "hollow"]
    assert hollow == [("hollow", "qualify", None, named("qualify 2"))]


def test_the_answer_counts_every_category() -> None:
    found = conformance_of(
        view(told("qualify", "propose").events), lambda _: LINEAR, ticked=(), evidenced={"criteria"}
    )

    said = answer(found)
    assert said["alignment"] == {"cost": 1, "fitness": 0.8}
    assert said["counts"] == {
        "skipped": 1,
        "repeated": 0,
        "backward": 0,
        "unknown_step": 0,
        "hollow": 0,
        "retro_evidenced": 0,
    }


def test_a_deal_that_entered_no_stage_has_no_fitness() -> None:
    found = conformance_of(view(told().events), lambda _: LINEAR, ticked=(), evidenced=set())

    assert answer(found)["alignment"] == {"cost": 0, "fitness": None}
    assert found.deviations == ()


def test_several_stages_of_won_deals_are_one_step() -> None:
    wins = Process(
        id="linear",
        version=1,
        name="Linear",
        stages=LINEAR.stages,
        closing=LINEAR.closing.model_copy(update={"won": ["signed", "ordered"]}),
    )
    teller = told("qualify", "discover", "propose", "signed")
    found = conformance_of(
        view(teller.events),
        lambda _: wins,
        ticked=(),
        evidenced={"criteria", "fit", "acknowledged"},
    )

    assert found.alignment.cost == 0
    assert found.deviations == ()


def test_what_is_told_of_the_future_changes_nothing_that_was_said_before() -> None:
    whole = told("qualify", "propose", "discover")
    before = [e for e in whole.events if e.position <= 3]
    cut = view(whole.events, effective_at=before[-1].occurred_at)

    now = conformance_of(cut, lambda _: LINEAR, ticked=(), evidenced={"criteria"})
    then = conformance_of(view(before), lambda _: LINEAR, ticked=(), evidenced={"criteria"})
    assert now == then
    assert now.deviations == (Deviation("skipped", "discover", None, named("propose 3")),)
