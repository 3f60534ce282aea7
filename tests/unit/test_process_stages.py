"""What the columns of two versions of a process say: both of them whole, and what differs."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.web.process_stages import Difference, Otherwise, Stage, Was, stages_of, whole_of
from api.web.vocabulary import EVIDENCE_LEVELS

Part = dict[str, Any]


def outcome(key: str, /, *, level: int | None = None) -> Part:
    return {"id": key, "name": f"{key} is shown"} | ({"required_level": level} if level else {})


def activity(key: str, /, *outcomes: Part, **more: Any) -> Part:
    told = {"id": key, "name": f"Do {key}", "purpose": "To know", "outcomes": list(outcomes)}
    return told | more


def stage(key: str, /, *activities: Part, **more: Any) -> Part:
    told = {"id": key, "name": key.title(), "goal": f"Be at {key}"}
    return told | {"activities": list(activities)} | more


def version(*stages: Part, name: str = "Ours", won: Any = "won", lost: Any = "lost") -> Part:
    return {"name": name, "stages": list(stages), "closing": {"won": won, "lost": lost}}


MEET = stage("meet", activity("call", outcome("pain")), activity("ask", outcome("reason")))
SHOW = stage("show", activity("demo", outcome("fit")))
SIGN = stage("sign", activity("terms", outcome("agreed")))
OURS = version(MEET, SHOW, SIGN)


def shown(now: Part, was: Part = OURS) -> dict[str, Stage]:
    return {one.name: one for one in stages_of(now, was)}


def test_without_another_version_nothing_differs() -> None:
    for stages in (stages_of(OURS), stages_of(OURS, OURS)):
        assert [one.name for one in stages] == ["Meet", "Show", "Sign"]
        assert not any(one.is_changed for one in stages)
    assert whole_of(OURS, OURS) == ()


def test_what_is_gone_stands_where_it_was() -> None:
    stages = stages_of(version(MEET, SIGN, stage("start")), OURS)

    assert [(one.name, one.differs.mark) for one in stages] == [
        ("Meet", ""),
        ("Show", "removed"),
        ("Sign", ""),
        ("Start", "added"),
    ]
    assert [(a.name, a.differs.mark) for a in stages[1].activities] == [("Do demo", "removed")]


def test_what_is_told_otherwise_says_what_it_was() -> None:
    call = activity("call", outcome("pain", level=5), name="Visit them", weight="2.0")
    meet = stage("meet", call, goal="Know the pain", exit=["They agree", "We agree"])
    found = shown(version(meet, SHOW, SIGN))["Meet"]

    assert found.differs == Difference("changed", (Was("Goal", "Be at meet"), Was("Exit", "")))
    assert (found.goal, found.exits) == ("Know the pain", ("They agree", "We agree"))
    first, second = found.activities
    assert (first.name, first.weight) == ("Visit them", "2")
    assert first.differs == Difference("changed", (Was("Name", "Do call"), Was("Weight", "1")))
    assert first.outcomes[0].differs.was == (Was("Shown by", EVIDENCE_LEVELS[3]),)
    assert (second.name, second.differs.mark) == ("Do ask", "removed")
    assert found.changes == "2 removed, 2 changed"


def test_what_moved_to_another_stage_is_told_in_both() -> None:
    call, ask = MEET["activities"]
    stages = shown(version(stage("meet", call), stage("show", ask, *SHOW["activities"]), SIGN))

    left = stages["Meet"].activities[1]
    assert (left.name, left.differs, left.outcomes) == (
        "Do ask",
        Difference("moved", to="Show"),
        (),
    )
    came = stages["Show"].activities[0]
    assert came.differs == Difference("changed", (Was("Place", "in Meet"),))
    assert [one.differs.mark for one in came.outcomes] == [""]
    assert (stages["Meet"].changes, stages["Show"].changes) == ("1 moved", "1 changed")


def test_an_outcome_that_moved_to_another_activity_is_told_in_both() -> None:
    call = activity("call", outcome("pain"), outcome("reason"))
    first, second = shown(version(stage("meet", call, activity("ask")), SHOW, SIGN))[
        "Meet"
    ].activities

    assert first.outcomes[1].differs == Difference("changed", (Was("Place", "in Do ask"),))
    assert second.outcomes[0].differs == Difference("moved", to="Do call")


def test_another_order_is_a_difference() -> None:
    stages = stages_of(version(SHOW, MEET, SIGN), OURS)
    assert [one.name for one in stages] == ["Show", "Meet", "Sign"]
    assert sum(one.differs.mark == "changed" for one in stages) == 1
    turned = stage("meet", *reversed(MEET["activities"]))
    (place,) = (
        one
        for activity in shown(version(turned, SHOW, SIGN))["Meet"].activities
        for one in activity.differs.was
    )
    assert place in (Was("Place", "first"), Was("Place", "after Do call"))


@pytest.mark.parametrize(
    "same",
    [
        {"exit": "Go"},
        {"activities": [activity("call", outcome("pain", level=3), weight="1.00")]},
    ],
)
def test_what_means_the_same_is_no_difference(same: Part) -> None:
    before = stage("meet", activity("call", outcome("pain")), exit=["Go"])
    assert not any(one.is_changed for one in stages_of(version(before | same), version(before)))


def test_stages_that_close_a_deal_are_shown_where_they_differ() -> None:
    won, lost = stage("won"), stage("lost")
    before = version(MEET, won, lost)

    assert [one.name for one in stages_of(before)] == ["Meet"]
    assert [one.name for one in stages_of(version(MEET, won, lost, stage("end")), before)] == [
        "Meet",
        "End",
    ]
    meet, signed = stages_of(version(MEET, won | {"name": "Signed"}, lost), before)
    assert (meet.is_changed, signed.differs) == (
        False,
        Difference("changed", (Was("Name", "Won"),)),
    )
    assert signed.closes == "Deals are won in it"
    closes = version(MEET, won, lost, won=["won", "meet"])
    assert stages_of(closes, before)[0].differs.was == (Was("Closing", ""),)
    assert whole_of(closes, before) == (Otherwise("Won in", "Won; Meet", "Won"),)


def test_the_name_of_the_whole_is_told() -> None:
    told = whole_of(version(MEET, name="Theirs", lost="gone"), version(MEET))
    assert told == (Otherwise("Name", "Theirs", "Ours"), Otherwise("Lost in", "gone", "lost"))


WORDS = st.sampled_from(["a", "b", "c"])


@st.composite
def versions(draw: st.DrawFn) -> Part:
    """Draw a version whose stages, activities and outcomes are some of few, in any place."""
    steps = draw(st.permutations(range(4)))
    aims = draw(st.permutations(range(5)))
    stages: list[Part] = []
    for one in draw(st.permutations(range(3)))[: draw(st.integers(1, 3))]:
        told = stage(f"s{one}", name=f"s{one} {draw(WORDS)}", goal=draw(WORDS))
        if draw(st.booleans()):
            told["exit"] = draw(st.lists(WORDS, min_size=1, max_size=2))
        for _ in range(draw(st.integers(0, 2))):
            if not steps:
                break
            step = steps.pop()
            own = [aims.pop() for _ in range(draw(st.integers(0, 2))) if aims]
            outcomes = [
                outcome(f"o{aim}", level=draw(st.none() | st.integers(1, 5)))
                | {"name": f"o{aim} {draw(WORDS)}"}
                for aim in own
            ]
            texts = {"name": f"a{step} {draw(WORDS)}", "purpose": draw(WORDS)}
            weight = draw(st.sampled_from([None, "1", "2.5"]))
            told["activities"].append(
                activity(f"a{step}", *outcomes, **texts, **({"weight": weight} if weight else {}))
            )
        stages.append(told)
    return version(*stages)


def texts_of(told: Part) -> Counter[tuple[str, ...]]:
    """Everything that a version says, each part with what it stands in."""
    return Counter(
        line
        for one in stages_of(told)
        for line in [
            ("stage", one.name, one.goal, "; ".join(one.exits)),
            *(("step", one.name, a.name, a.purpose, a.weight) for a in one.activities),
            *(("aim", a.name, o.name, o.wanted) for a in one.activities for o in a.outcomes),
        ]
    )


def before(differs: Difference, **now: str) -> dict[str, str]:
    """What a part said, with the name of what it stood in under `Home`."""
    was = now | {one.what: one.text for one in differs.was}
    place = was.pop("Place", "")
    return was | ({"Home": place.removeprefix("in ")} if place.startswith("in ") else {})


def told_before(stages: tuple[Stage, ...]) -> Counter[tuple[str, ...]]:
    """Everything that the other version said, from what the columns say of it."""
    found: list[tuple[str, ...]] = []
    for one in stages:
        home = one.name
        if one.differs.mark != "added":
            own = before(one.differs, Name=one.name, Goal=one.goal, Exit="; ".join(one.exits))
            found.append(("stage", own["Name"], own["Goal"], own["Exit"]))
            home = own["Name"]
        for step in one.activities:
            own = before(
                step.differs, Name=step.name, Purpose=step.purpose, Weight=step.weight, Home=home
            )
            if step.differs.mark not in ("added", "moved"):
                found.append(("step", own["Home"], own["Name"], own["Purpose"], own["Weight"]))
            for aim in step.outcomes:
                if aim.differs.mark in ("added", "moved"):
                    continue
                told = before(
                    aim.differs, Name=aim.name, **{"Shown by": aim.wanted}, Home=own["Name"]
                )
                found.append(("aim", told["Home"], told["Name"], told["Shown by"]))
    return Counter(found)


@given(versions(), versions())
def test_columns_tell_both_versions_whole(now: Part, was: Part) -> None:
    stages = stages_of(now, was)

    assert told_before(stages) == texts_of(was)
    kept = [one for one in stages if one.differs.mark != "removed"]
    for one, told in zip(kept, stages_of(now), strict=True):
        assert (one.name, one.goal, one.exits) == (told.name, told.goal, told.exits)
        steps = [a for a in one.activities if a.differs.mark not in ("removed", "moved")]
        for step, alone in zip(steps, told.activities, strict=True):
            assert (step.name, step.purpose, step.weight) == (
                alone.name,
                alone.purpose,
                alone.weight,
            )
            aims = [o for o in step.outcomes if o.differs.mark not in ("removed", "moved")]
            assert [(o.name, o.wanted) for o in aims] == [
                (o.name, o.wanted) for o in alone.outcomes
            ]


@given(versions(), versions())
def test_versions_that_differ_are_never_shown_alike(now: Part, was: Part) -> None:
    alike = stages_of(now) == stages_of(was)
    assert alike is not any(one.is_changed for one in stages_of(now, was))
