"""Daily frames: what stands at the end of each day of a quarter."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from projections.quarter.frames import Row, Slice, frames
from tests.support.quarters import QUARTER

FIRST, SECOND = date(2025, 4, 1), date(2025, 4, 2)


def piece(
    deals: int,
    amount: int,
    *,
    stage: str | None = "qualify",
    owner: str = "ann",
    category: str | None = "commit",
    currency: str | None = "USD",
) -> Slice:
    return Slice(stage, owner, category, currency, deals, Decimal(amount))


def test_there_is_a_frame_for_every_day_of_the_quarter() -> None:
    days = [frame.day for frame in frames([], [], quarter=QUARTER)]

    assert days == [FIRST + timedelta(days=count) for count in range(91)]


def test_a_quarter_that_is_not_over_ends_with_the_day_asked_for() -> None:
    assert [f.day for f in frames([], [], quarter=QUARTER, until=SECOND)] == [FIRST, SECOND]
    assert len(frames([], [], quarter=QUARTER, until=date(2026, 1, 1))) == 91
    assert frames([], [], quarter=QUARTER, until=date(2025, 3, 31)) == []


def test_a_day_shows_what_stands_at_its_end() -> None:
    first, second, third = frames(
        [piece(2, 300)],
        [(FIRST, piece(1, 50)), (date(2025, 4, 3), piece(-2, -300))],
        quarter=QUARTER,
        until=date(2025, 4, 3),
    )

    assert first.total == second.total == (Row(None, "USD", 3, Decimal(350)),)
    assert third.total == (Row(None, "USD", 1, Decimal(50)),)


def test_rows_are_grouped_by_stage_owner_and_category_with_the_nameless_last() -> None:
    (frame,) = frames(
        [
            piece(1, 10, stage=None, category=None),
            piece(1, 20, owner="bob"),
            piece(1, 30, stage="propose", currency="EUR"),
            piece(1, 0, currency=None),
        ],
        [],
        quarter=QUARTER,
        until=FIRST,
    )

    assert frame.total == (
        Row(None, "EUR", 1, Decimal(30)),
        Row(None, "USD", 2, Decimal(30)),
        Row(None, None, 1, Decimal(0)),
    )
    assert frame.by_stage == (
        Row("propose", "EUR", 1, Decimal(30)),
        Row("qualify", "USD", 1, Decimal(20)),
        Row("qualify", None, 1, Decimal(0)),
        Row(None, "USD", 1, Decimal(10)),
    )
    assert [(row.key, row.deals) for row in frame.by_owner] == [
        ("ann", 1),
        ("ann", 1),
        ("ann", 1),
        ("bob", 1),
    ]
    assert [(row.key, row.currency) for row in frame.by_category] == [
        ("commit", "EUR"),
        ("commit", "USD"),
        ("commit", None),
        (None, "USD"),
    ]


def test_groups_that_hold_nothing_are_left_out() -> None:
    moved = [(FIRST, piece(-1, -10)), (FIRST, piece(1, 10, stage="propose"))]

    (frame,) = frames([piece(1, 10)], moved, quarter=QUARTER, until=FIRST)

    assert [row.key for row in frame.by_stage] == ["propose"]


def test_a_deal_of_no_value_is_still_a_deal() -> None:
    (frame,) = frames([piece(1, 0)], [], quarter=QUARTER, until=FIRST)

    assert frame.total == (Row(None, "USD", 1, Decimal(0)),)


def test_a_delta_before_the_quarter_is_refused() -> None:
    with pytest.raises(ValueError, match="2025-03-31 lies before the quarter"):
        frames([], [(date(2025, 3, 31), piece(1, 10))], quarter=QUARTER)
