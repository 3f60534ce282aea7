"""Properties of the review sheet: looking back, and blanks first."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.calendars import CalendarHistory
from domain.commitments import commitments_of
from domain.policy import DEFAULT_POLICY
from domain.replay import Event, view
from projections.review.answer import answer
from projections.review.fold import fold
from projections.review.gates import gates_of
from projections.review.health import flags_of
from projections.spans.fold import fold as fold_state
from tests.support.histories import DISORDER, PROCESS, told

START = datetime(2025, 1, 8, 9, tzinfo=UTC)
INSTANTS = st.integers(0, 100).map(lambda hours: START + timedelta(hours=hours))


def sheet(seen: list[Event], at: datetime) -> dict[str, Any]:
    both = commitments_of(seen, CalendarHistory(), DEFAULT_POLICY)
    theirs = [one for one in both if one.side == "customer"]
    ours = [one for one in both if one.side == "seller"]
    state = fold_state(seen)
    flags = []
    if state is not None and state.open:
        flags = flags_of(
            seen,
            theirs,
            close_date=state.close_date,
            forecast=state.forecast_category,
            age=None,
            checkbox_only=None,
            today=at.date(),
            at=at,
        )
    return answer(fold(seen, ours), gates_of(seen, PROCESS), flags, both, at)


@given(DISORDER.map(told), INSTANTS, st.integers(0, 12))
def test_the_sheet_as_of_both_clocks_is_that_of_the_cut_view(
    events: list[Event], at: datetime, position: int
) -> None:
    cut = [e for e in events if e.position <= position and e.occurred_at <= at]

    assert sheet(view(events, as_of=position, effective_at=at), at) == sheet(view(cut), at)


@given(DISORDER.map(told), INSTANTS)
def test_blanks_come_first_and_every_question_once(events: list[Event], at: datetime) -> None:
    questions = sheet(view(events, effective_at=at), at)["questions"]

    order = ["blank", "partly", "answered"]
    places = [order.index(one["state"]) for one in questions]
    assert places == sorted(places)
    assert len({one["name"] for one in questions}) == 6
    assert all(not one["answers"] for one in questions if one["state"] == "blank")


@given(DISORDER.map(told), INSTANTS)
def test_the_colour_is_that_of_the_worst_flag(events: list[Event], at: datetime) -> None:
    health = sheet(view(events, effective_at=at), at)["health"]

    held = [one["colour"] for one in health["flags"] if one["holds"]]
    if not health["flags"]:
        assert health["colour"] is None
    elif "red" in held:
        assert health["colour"] == "red"
    else:
        assert health["colour"] == ("amber" if held else "green")
