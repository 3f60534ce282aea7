"""PS-9: a win taken back, and a deal lost at a quarter's end that comes back after it."""

import pytest

from domain.calendars import CalendarHistory, calendar_from
from domain.events.life import DealLost, DealReopened, WinReversed
from domain.policy import DEFAULT_POLICY, Policy
from projections.pressure.patterns import Pattern
from projections.pressure.reversals import reversal_patterns
from projections.pressure.rules import Truth
from tests.support.told import Teller, at, named, opened, won

LATER = "2026-01-01"


def deal(*told: tuple[str, str]) -> Teller:
    kinds = {
        "won": won("1000"),
        "reversed": WinReversed(),
        "lost": DealLost(),
        "reopened": DealReopened(),
    }
    teller = Teller()
    teller.tell(opened(), "2025-01-02")
    for index, (kind, when) in enumerate(told):
        teller.tell(kinds[kind], when, name=f"{kind} {index}")
    return teller


def patterns_of(
    *told: tuple[str, str],
    until: str = LATER,
    policy: Policy = DEFAULT_POLICY,
    calendar: CalendarHistory | None = None,
) -> list[Pattern]:
    events = deal(*told).events
    return reversal_patterns(events, policy, calendar or CalendarHistory(), at(until))


def holds(*told: tuple[str, str], until: str = LATER) -> Truth:
    (found,) = patterns_of(*told, until=until)
    return found.holds


@pytest.mark.parametrize(
    ("reversed_at", "expected"),
    [("2025-04-30T12:00:00", True), ("2025-04-30T12:00:01", False)],
)
def test_a_win_taken_back_within_thirty_days(reversed_at: str, *, expected: bool) -> None:
    told = [("won", "2025-03-31T12:00:00"), ("reversed", reversed_at)]

    (found,) = patterns_of(*told)

    assert (found.rule, found.name, found.holds) == ("PS-9", "win_reversed", expected)
    assert found.evidence == (named("won 0"), named("reversed 1"))
    assert ("consistent with" in found.sentence) is expected


def test_a_win_that_stands_is_known_to_stand_only_when_the_days_are_over() -> None:
    told = ("won", "2025-03-31T12:00:00")

    assert holds(told, until="2025-04-30T12:00:00") is None
    assert holds(told, until="2025-04-30T12:00:01") is False


def test_each_win_has_its_own_reversal() -> None:
    first, second = patterns_of(
        ("won", "2025-02-01"), ("reversed", "2025-05-01"), ("won", "2025-06-01"), until="2025-06-15"
    )

    assert (first.holds, second.holds) == (False, None)
    assert second.evidence == (named("won 2"),)


@pytest.mark.parametrize(
    ("reopened_at", "expected"),
    [
        ("2025-03-31T23:00:00", False),
        ("2025-04-01T00:00:00", True),
        ("2025-04-10T23:59:59", True),
        ("2025-04-11T00:00:00", False),
    ],
)
def test_a_deal_lost_in_the_window_and_reopened_just_after_the_end(
    reopened_at: str, *, expected: bool
) -> None:
    (found,) = patterns_of(("lost", "2025-03-18"), ("reopened", reopened_at))

    assert (found.name, found.holds) == ("lost_and_reopened", expected)
    assert found.evidence == (named("lost 0"), named("reopened 1"))
    assert ("consistent with" in found.sentence) is expected


def test_a_loss_outside_the_window_is_none_of_these() -> None:
    assert patterns_of(("lost", "2025-03-17"), ("reopened", "2025-04-02")) == []


def test_a_lost_deal_may_come_back_until_the_days_are_over() -> None:
    told = ("lost", "2025-03-31")

    assert holds(told, until="2025-04-10T23:00:00") is None
    assert holds(told, until="2025-04-11") is False


def test_outside_every_quarter_nobody_can_say() -> None:
    listed = calendar_from(
        kind="explicit",
        zone="UTC",
        parameters={"periods": [{"name": "FY2030Q1", "start": "2030-01-01", "end": "2030-03-31"}]},
    )
    history = CalendarHistory().with_adopted(listed, effective_from=at("2020-01-01").date())

    (found,) = patterns_of(("lost", "2025-03-31"), ("reopened", "2025-04-02"), calendar=history)

    assert found.holds is None
    assert [fact.holds for fact in found.facts] == [None, None]


def test_the_days_are_those_of_the_policy() -> None:
    strict = Policy(reversal_days=5, reopening_days=1)

    found = patterns_of(
        ("won", "2025-02-01"),
        ("reversed", "2025-02-07"),
        ("lost", "2025-03-31"),
        ("reopened", "2025-04-02"),
        policy=strict,
    )

    assert [one.holds for one in found] == [False, False]
