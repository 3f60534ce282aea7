"""The soak fails for what it is there to find."""

import pytest

from tests.support.soak.load import Seen
from tests.support.soak.samples import Sample, Table, slope
from tests.support.soak.verdict import SMALL_TABLE, Soaked, findings


def samples(*, grown: float = 0.0, warming: float = 40.0, lag: float = 0.2) -> list[Sample]:
    """Half an hour: the server warms up for the first half, and grows by so much a minute."""
    return [
        Sample(
            minute,
            {"server": 200 + warming * min(minute, 15) / 15 + grown * minute, "worker": 90.0}
            | {"database": 50.0 + minute % 2},
            lag,
        )
        for minute in range(1, 31)
    ]


def seen(**statuses: int) -> Seen:
    told = Seen()
    told.statuses["append", 201] = 1000
    for name, count in statuses.items():
        told.statuses["read", int(name.removeprefix("of_"))] = count
    return told


def soaked(**more: object) -> Soaked:
    given: dict[str, object] = {
        "seen": seen(of_200=500),
        "samples": samples(),
        "tables": [Table("events", 4 * SMALL_TABLE, 3 * SMALL_TABLE, 9000, 10)],
        "caught_up": 0.5,
    }
    return Soaked(**given | more)  # type: ignore[arg-type]  # as the cases below name them


def broken(one: Soaked) -> list[str]:
    return [finding.what for finding in findings(one) if not finding.held]


def test_a_server_that_warms_up_and_stays_so_is_found_well() -> None:
    assert broken(soaked()) == []


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        (soaked(samples=samples(grown=1.1)), ["memory of the server, MB a minute"]),
        (soaked(samples=samples(lag=11)), ["lag in s at most"]),
        (soaked(caught_up=30.0), ["lag in s after the end"]),
        (
            soaked(seen=seen(of_503=1)),
            ["answers of 5xx", "other answers than were asked for, or none"],
        ),
        (soaked(seen=seen(of_0=1)), ["other answers than were asked for, or none"]),
        (soaked(seen=seen(of_404=1)), ["other answers than were asked for, or none"]),
        (
            soaked(tables=[Table("spans", 10 * SMALL_TABLE, 3 * SMALL_TABLE, 9000, 90_000)]),
            ["size of spans in copies"],
        ),
    ],
)
def test_each_fault_is_found(fault: Soaked, found: list[str]) -> None:
    assert broken(fault) == found


def test_a_slope_is_that_of_the_line_through_the_points() -> None:
    assert slope([(0, 1), (1, 3), (2, 5)]) == pytest.approx(2)
    assert slope([(3, 7)]) == 0
