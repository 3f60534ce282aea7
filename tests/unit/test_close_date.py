from datetime import UTC, date, datetime, time

import pytest

from domain.close_date import (
    days_moved,
    is_month_push,
    lands_in_opening_days,
    month_pushes,
    move_kind,
)
from domain.fiscal import MonthsCalendar, days_left
from tests.support.worked_examples import worked_example

CALENDAR = MonthsCalendar(zone="UTC", start_month=1)


def test_moves_are_read_against_the_quarter_of_the_action() -> None:
    for described, expected in worked_example("EX12")["expect"].items():
        moved, acted = described.split(" @")
        old, new = (date.fromisoformat(day) for day in moved.split("->"))
        action = date.fromisoformat(acted)
        quarter = CALENDAR.quarter_on(action)
        assert {
            "kind": move_kind(old, new, quarter=quarter),
            "days": days_moved(old, new),
            "dte": days_left(quarter, datetime.combine(action, time(12), UTC)),
            "hold_back_shape": lands_in_opening_days(old, new, quarter=quarter),
        } == expected


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("2025-03-31", "2025-03-31", "within"),
        ("2025-04-01", "2025-03-31", "pull_in"),
        ("2025-03-31", "2025-04-01", "push_out"),
        ("2025-09-30", "2025-05-01", "within"),
        ("2025-05-01", "2025-12-31", "within"),
        ("2024-12-31", "2025-03-31", "within"),
    ],
)
def test_only_a_move_over_the_end_of_the_quarter_is_a_pull_or_a_push(
    old: str, new: str, kind: str
) -> None:
    quarter = CALENDAR.quarter_named("FY2025Q1")

    assert move_kind(date.fromisoformat(old), date.fromisoformat(new), quarter=quarter) == kind


def test_the_opening_of_a_quarter_is_its_first_five_days() -> None:
    quarter = CALENDAR.quarter_named("FY2025Q1")
    expected_in_time, expected_later = date(2025, 3, 31), date(2025, 4, 1)
    fifth, sixth = date(2025, 4, 5), date(2025, 4, 6)

    assert lands_in_opening_days(expected_in_time, fifth, quarter=quarter)
    assert not lands_in_opening_days(expected_in_time, sixth, quarter=quarter)
    assert not lands_in_opening_days(expected_later, fifth, quarter=quarter)
    assert not lands_in_opening_days(expected_in_time, expected_in_time, quarter=quarter)


def test_a_push_over_months_counts_once_and_a_pull_never_subtracts() -> None:
    dates = ["2025-04-01", "2025-04-30", "2025-05-01", "2025-08-01", "2025-01-01", "2024-12-31"]

    assert month_pushes(date.fromisoformat(day) for day in dates) == 2
    assert month_pushes([]) == month_pushes([date(2025, 1, 1)]) == 0
    assert is_month_push(date(2024, 12, 31), date(2025, 1, 1))
    assert not is_month_push(date(2025, 12, 1), date(2025, 1, 31))
