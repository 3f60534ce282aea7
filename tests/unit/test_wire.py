"""What the database answers to a batch, read by the client."""

from datetime import UTC, datetime

from api.storage.requests import Appended, VersionConflict
from api.storage.wire import read_verdicts

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_verdicts_come_in_the_order_of_the_requests_whatever_the_order_of_the_rows() -> None:
    rows = [
        (2, "conflict", 7, None, None, None, None, None),
        (1, "appended", 3, 10, 11, NOON, None, None),
    ]
    assert read_verdicts(rows) == [
        Appended(version=3, first_position=10, last_position=11, recorded_at=NOON),
        VersionConflict(current_version=7),
    ]
