"""How much of a rep's own time in a quarter has passed, and the pressure that follows."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendars import CalendarHistory
from domain.events.base import DomainEvent
from domain.events.context import MemberJoined, MemberLeft
from domain.known import Known
from domain.pace import Active, first_instant, pace
from domain.replay import Event
from tests.support.told import Teller, at, named

QUARTER = CalendarHistory().quarter_of(at("2025-02-01"))
"""2025Q1, of 90 days in UTC: 31 January, 28 February, 31 March."""


def joined(
    rep: str, *, team: str = "north", manager: str | None = "mel", role: str = "rep"
) -> MemberJoined:
    return MemberJoined.model_validate({"rep": rep, "team": team, "manager": manager, "role": role})


def known(*told: tuple[DomainEvent, str]) -> Known:
    teller = Teller()
    events: list[Event] = [teller.tell(data, when) for data, when in told]
    return Known(events)


def test_who_starts_in_mid_quarter_has_the_rest_of_it() -> None:
    # Joined after 45 of 90 days: 9 of the 45 days that are left have passed on 24 February.
    org = known((joined("ann"), "2025-02-15"))

    assert org.pace("ann", QUARTER, at("2025-02-24")).elapsed == Fraction(9, 45)
    assert org.pace("ann", QUARTER, at("2025-02-10")).elapsed == 0
    assert org.pace("ann", QUARTER, at("2025-04-01")).elapsed == 1
    assert org.pace("ann", QUARTER, at("2025-02-24")).events == (org.memberships[0].events)


def test_who_leaves_in_mid_quarter_has_had_it_all_by_then() -> None:
    org = known((joined("ann"), "2024-05-01"), (MemberLeft(rep="ann"), "2025-02-15"))

    assert org.pace("ann", QUARTER, at("2025-01-10")).elapsed == Fraction(9, 45)
    assert org.pace("ann", QUARTER, at("2025-02-15")).elapsed == 1
    assert len(org.pace("ann", QUARTER, at("2025-02-15")).events) == 2


def test_who_left_and_came_back_has_the_sum_of_both_times() -> None:
    away = known(
        (joined("ann"), "2024-05-01"),
        (MemberLeft(rep="ann"), "2025-01-10"),
        (joined("ann", team="south"), "2025-03-23"),
    )

    assert away.pace("ann", QUARTER, at("2025-02-01")).elapsed == Fraction(9, 18)
    assert away.pace("ann", QUARTER, at("2025-03-26")).elapsed == Fraction(12, 18)


@pytest.mark.parametrize(
    "told",
    [
        [],
        [(joined("ann"), "2024-05-01")],
        [(joined("ann"), "2025-05-01")],
        [(joined("ann"), "2024-05-01"), (MemberLeft(rep="ann"), "2024-06-01")],
        [(joined("bob"), "2025-02-15")],
    ],
)
def test_everybody_else_has_the_whole_quarter(told: list[tuple[DomainEvent, str]]) -> None:
    found = known(*told).pace("ann", QUARTER, at("2025-01-19"))

    assert (found.elapsed, found.events) == (Fraction(18, 90), ())


SPANS = st.tuples(st.integers(0, 100), st.integers(1, 100)).map(
    lambda days: Active(
        at("2024-12-25") + days[0] * (at("2025-01-02") - at("2025-01-01")),
        at("2024-12-25") + sum(days) * (at("2025-01-02") - at("2025-01-01")),
        (named("joined"),),
    )
)


@given(active=st.none() | SPANS)
def test_the_pace_goes_from_0_to_1_and_never_back(active: Active | None) -> None:
    day = at("2025-01-02") - at("2025-01-01")
    line = [
        pace(QUARTER, QUARTER.start_instant + day * n, [active] if active else []).elapsed
        for n in range(91)
    ]

    assert line == sorted(line)
    assert line[0] == 0
    assert line[-1] == 1


def test_a_manager_has_all_who_report_to_them_at_any_depth() -> None:
    org = known(
        (joined("ann"), "2025-01-01"),
        (joined("bob"), "2025-01-01"),
        (joined("cy", manager="bob"), "2025-01-01"),
        (joined("dee", manager="max"), "2025-01-01"),
        (joined("eve", role="manager"), "2025-01-01"),
        (joined("fay", manager="eve"), "2025-01-01"),
        (MemberLeft(rep="bob"), "2025-03-01"),
    )

    assert org.managed("ann", at("2025-02-01")) == ("mel", ("ann", "bob", "cy", "fay"))
    assert org.managed("ann", at("2025-03-01")) == ("mel", ("ann", "fay"))
    assert org.managed("bob", at("2025-03-01")) is None
    assert org.managed("mel", at("2025-02-01")) is None


def test_who_is_named_as_a_manager_and_is_in_no_team_is_one() -> None:
    org = known((joined("ann"), "2025-01-01"))

    assert org.role("ann", at("2025-01-02")) == "rep"
    assert org.role("mel", at("2025-01-02")) == "manager"
    assert org.role("zoe", at("2025-01-02")) is None


def test_an_instant_is_found_to_the_microsecond() -> None:
    turn = at("2025-02-03T04:05:06.789012+00:00")

    assert first_instant(lambda t: t >= turn, at("2025-01-01"), at("2025-04-01")) == turn
    assert first_instant(lambda _: True, at("2025-01-01"), turn) == at("2025-01-01")
    assert first_instant(lambda _: False, at("2025-01-01"), turn) == turn
