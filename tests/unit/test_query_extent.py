"""Where a query says that its events lie."""

from datetime import UTC, datetime
from typing import Any, Final

import pytest

from api.moment import Moment
from api.query.extent import Extent, extent_of
from api.query.ground import Ground
from api.query.parser import parse
from api.query.ticks import Ticks
from domain.known import Known

NOON: Final = "2026-01-15T12:00:00Z"
LATER: Final = "2026-01-20T12:00:00Z"


def at(hour: int, minute: int = 0, microsecond: int = 0) -> datetime:
    return datetime(2026, 1, 15, hour, minute, 0, microsecond, tzinfo=UTC)


MOMENT: Final = Moment(9, at(12), at(12), None)
NO_LOG: Final[Any] = None
GROUND: Final = Ground(MOMENT, Known([]), lambda: None, Ticks(NO_LOG, MOMENT))


@pytest.mark.parametrize(
    ("text", "extent"),
    [
        ("rep:ann", {}),
        ("position>=5 position<9", {"positions": (5, 9)}),
        ("position>5 position<=9", {"positions": (6, 10)}),
        ("position:7,3", {"positions": (3, 8)}),
        ("position:3 or position:5", {}),
        ("-position:3", {}),
        (f"recorded>{NOON}", {"recorded": (at(12, 0, 1), None)}),
        (f"recorded<{NOON}", {"recorded": (None, at(12)), "occurred": (None, at(12, 5))}),
        (f"occurred>={NOON}", {"occurred": (at(12), None), "recorded": (at(11, 55), None)}),
        (f"occurred<{NOON}", {"occurred": (None, at(12))}),
        (
            f"recorded<{LATER} occurred:{NOON}",
            {
                "occurred": (at(12), at(12, 0, 1)),
                "recorded": (at(11, 55), datetime(2026, 1, 20, 12, tzinfo=UTC)),
            },
        ),
        (
            f"recorded:{NOON}..{LATER} occurred>={NOON}",
            {
                "occurred": (at(12), datetime(2026, 1, 20, 12, 5, tzinfo=UTC)),
                "recorded": (at(12), datetime(2026, 1, 20, 12, tzinfo=UTC)),
            },
        ),
    ],
)
def test_events_lie_where_both_clocks_and_the_positions_allow(
    text: str, extent: dict[str, Any]
) -> None:
    assert extent_of(parse(text), GROUND) == Extent(**extent)
