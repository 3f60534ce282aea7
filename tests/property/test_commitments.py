"""Properties of commitments: arrival order, and looking back."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.acts import seller_acts
from domain.calendars import CalendarHistory
from domain.commitments import Commitment, commitments_of, live_level
from domain.events.catalogue import DealEvent
from domain.policy import DEFAULT_POLICY
from domain.replay import Event, view
from projections.commitments.answer import answer
from projections.commitments.fold import Commitments, fold
from tests.support.histories import FACTS, told
from tests.support.promises import (
    breaks,
    breaks_promise,
    commits,
    keeps,
    keeps_promise,
    moves_to,
    promises,
    withdraws,
)

START = datetime(2025, 1, 8, 9, tzinfo=UTC)
NAMES = st.sampled_from(["k1", "k2"])
DUE = st.none() | st.dates(date(2025, 1, 1), date(2025, 1, 20)).map(date.isoformat)
SAID: st.SearchStrategy[DealEvent] = st.one_of(
    st.builds(
        lambda name, level, due: commits(name, level, due=due), NAMES, st.integers(0, 5), DUE
    ),
    st.builds(lambda name, due: promises(name, due=due), NAMES, DUE),
    st.builds(
        lambda name, due: moves_to(name, due.isoformat()),
        NAMES,
        st.dates(date(2025, 1, 1), date(2025, 1, 20)),
    ),
    *(NAMES.map(said) for said in (keeps, breaks, withdraws, keeps_promise, breaks_promise)),
)
HOURS = st.integers(0, 9).map(lambda number: number * 40)  # few, so that some are equal
DISORDER = st.lists(st.tuples(SAID, HOURS), max_size=10).map(told)
MIXED = st.lists(st.tuples(SAID | FACTS, HOURS), max_size=12).map(told)
QUARTERS_APART = st.lists(
    st.tuples(SAID | FACTS, HOURS.map(lambda hours: hours * 10)), max_size=12
).map(told)
INSTANTS = st.integers(0, 900).map(lambda hours: START + timedelta(hours=hours))


def own(events: list[Event], until: datetime | None = None) -> list[Commitment]:
    return commitments_of(events, CalendarHistory(), DEFAULT_POLICY, until=until)


def folded(events: list[Event]) -> Commitments:
    return fold(events, CalendarHistory(), DEFAULT_POLICY)


@given(DISORDER, INSTANTS, st.randoms(use_true_random=False))
def test_arrival_order_changes_nothing(
    events: list[Event], instant: datetime, random: Random
) -> None:
    positions = [event.position for event in events]
    random.shuffle(positions)
    shuffled = [
        replace(event, position=position, recorded_at=START + timedelta(days=30 + position))
        for event, position in zip(events, positions, strict=True)
    ]

    assert own(view(shuffled, effective_at=instant)) == own(view(events, effective_at=instant))


@given(DISORDER, INSTANTS)
def test_looking_back_equals_folding_the_cut_view(events: list[Event], instant: datetime) -> None:
    assert own(view(events), instant) == own(view(events, effective_at=instant))


@given(DISORDER, INSTANTS)
def test_time_alone_only_breaks_what_is_open(events: list[Event], instant: datetime) -> None:
    for one in own(view(events, effective_at=instant)):
        now, later = one.status(instant), one.status(instant + timedelta(days=30))
        assert later == now or (now in {"open", "renegotiated"} and later == "broken")


@given(DISORDER, INSTANTS)
def test_the_level_is_that_of_a_live_commitment(events: list[Event], instant: datetime) -> None:
    commitments = own(view(events, effective_at=instant))

    level = live_level(commitments, instant)

    live = [one.level for one in commitments if one.side == "customer" and one.live(instant)]
    assert level in live if live else level == 0
    assert all(level >= other for other in live if other is not None)


@given(MIXED, INSTANTS, st.integers(0, 12))
def test_the_answer_as_of_both_clocks_is_that_of_the_cut_view(
    events: list[Event], instant: datetime, position: int
) -> None:
    known = [event for event in events if event.position <= position]
    cut = [event for event in known if event.occurred_at <= instant]

    asked = answer(folded(view(events, as_of=position, effective_at=instant)), instant)

    assert asked == answer(folded(view(cut)), instant)


@given(MIXED, INSTANTS)
def test_no_rate_is_told_of_too_few(events: list[Event], instant: datetime) -> None:
    said: dict[str, Any] = answer(folded(view(events, effective_at=instant)), instant)

    for kept, name, fewest in (
        (said["customer"], "kept", 1),
        (said["seller"], "kept", 1),
        (said["customer_initiated"], "initiated", 5),
    ):
        if kept[f"{name}_n"] < fewest:
            assert (kept[f"{name}_ratio"], kept[f"{name}_ci"]) == (None, None)
        else:
            low, high = kept[f"{name}_ci"]
            assert 0 <= low <= kept[f"{name}_ratio"] <= high <= 1


@given(MIXED, INSTANTS)
def test_more_seller_acts_never_bring_the_customer_nearer(
    events: list[Event], instant: datetime
) -> None:
    alone = [event for event in events if event not in seller_acts(events)]
    said, without = (
        folded(view(some, effective_at=instant)).last_customer_act for some in (events, alone)
    )

    assert said == without


@given(QUARTERS_APART)
def test_the_quarters_add_up_to_the_whole(events: list[Event]) -> None:
    whole = folded(view(events))

    for side, acts in (
        ("customer", whole.customer_acts),
        ("initiated", whole.initiated),
        ("seller", whole.efforts),
    ):
        found = [act.event_id for one in whole.quarters for act in getattr(one, side)]
        assert sorted(found) == sorted(act.event_id for act in acts)
    if whole.quarters:
        assert whole.quarters[-1].last == whole.last_customer_act
        assert whole.quarters[-1].one_sided == whole.one_sided


@given(QUARTERS_APART)
def test_the_customers_last_act_at_a_quarters_end_is_what_was_true_then(
    events: list[Event],
) -> None:
    for one in folded(view(events)).quarters:
        then = folded(
            view(events, effective_at=one.quarter.end_instant - timedelta(microseconds=1))
        )
        assert one.last == then.last_customer_act
