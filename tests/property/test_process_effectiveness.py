"""What holds of groups at landmarks, whatever deals did."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from projections.process.effectiveness import GROUPS, passages, worths
from projections.process.paths import Landmarks, Path, Tick
from tests.support.paths import LINEAR, day, stays, tick
from tests.support.told import named

DAYS = st.integers(0, 20)
TICKS = st.builds(
    lambda activity, on, shown, gone: tick(
        activity,
        on,
        shown=None if shown is None else on + shown,
        gone=None if gone is None else on + gone,
    ),
    st.sampled_from(["meet", "call", "demo", "lunch"]),
    DAYS,
    st.none() | st.integers(-3, 8),
    st.none() | st.integers(1, 8),
)


@st.composite
def paths(draw: st.DrawFn) -> Path:
    """Draw a deal that entered stages on days in order, and perhaps closed."""
    stages = draw(st.lists(st.sampled_from(["qualify", "discover", "won", "lost"]), max_size=4))
    days = sorted(draw(st.lists(DAYS, min_size=len(stages), max_size=len(stages))))
    won = draw(st.sampled_from([True, False, None]))
    entered = list(zip(stages, map(float, days), strict=True))
    until = None if won is None else 21.0
    ticks = draw(st.lists(TICKS, max_size=4))
    return Path(
        named(str(draw(st.integers(0, 999)))),
        won,
        stays(*entered, until=until) if entered else (),
        tuple(ticks),
    )


PATHS = st.lists(paths(), max_size=8)


@given(PATHS)
def test_every_deal_that_left_a_stage_is_in_one_group_of_its_activities(told: list[Path]) -> None:
    found = passages(told, LINEAR)

    for worth in worths(found, LINEAR):
        left = [path for path in told if worth.stage in Landmarks(LINEAR).of(path)]
        assert sum(worth.rates[group].n for group in GROUPS) + worth.open == len(left)
        assert sum(worth.rates[group].successes for group in GROUPS) == sum(
            path.won is True for path in left
        )


@given(paths(), st.sampled_from(["meet", "call"]), st.integers(1, 30))
def test_what_is_ticked_after_the_landmark_changes_nothing(
    path: Path, activity: str, later: int
) -> None:
    at = Landmarks(LINEAR).of(path).get("qualify")
    if at is None:
        return
    late = Tick(activity, at + (day(later) - day(0)), None, at)

    assert (
        passages([replace(path, ticks=(*path.ticks, late))], LINEAR)["meet"]
        == passages([path], LINEAR)["meet"]
    )


@given(paths())
def test_showing_an_outcome_never_takes_a_deal_out_of_the_evidenced(path: Path) -> None:
    def groups(of: Path) -> set[str]:
        return {
            activity
            for activity, own in passages([of], LINEAR).items()
            if any(passage.group == "evidenced" for passage in own)
        }

    shown = replace(path, ticks=tuple(one._replace(reached_at=day(0)) for one in path.ticks))

    assert groups(path) <= groups(shown)


@given(PATHS)
def test_the_order_of_deals_and_ticks_does_not_matter(told: list[Path]) -> None:
    turned = [replace(path, ticks=path.ticks[::-1]) for path in reversed(told)]

    assert worths(passages(turned, LINEAR), LINEAR) == worths(passages(told, LINEAR), LINEAR)
