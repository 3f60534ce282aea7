"""Rejects of an import: in order, whatever their number, and read as a sequence."""

import random
import tracemalloc

import pytest

from api.exchange.rejects import Reject, Rejects

ROWS = [Reject(file, row, f"why {row} \udc80") for file in ("a.csv", "b.csv") for row in range(50)]


def kept(rows: list[Reject], *, run: int) -> Rejects:
    rejects = Rejects(run=run)
    for row in rows:
        rejects.add(row)
    return rejects


@pytest.mark.parametrize("run", [7, 1000], ids=["spilled", "held"])
def test_rejects_come_by_file_and_row_as_often_as_they_are_asked(run: int) -> None:
    rejects = kept(random.Random(1).sample(ROWS, len(ROWS)), run=run)

    assert list(rejects) == ROWS
    assert list(rejects) == ROWS
    assert rejects == ROWS
    assert (len(rejects), rejects[0], rejects[-1]) == (100, ROWS[0], ROWS[-1])
    assert (rejects[:3], rejects[95:], rejects[::-40]) == (ROWS[:3], ROWS[95:], ROWS[::-40])
    assert rejects != ROWS[1:]
    with pytest.raises(IndexError):
        rejects[100]


def test_none_are_none() -> None:
    assert not Rejects()
    assert Rejects() == ()


def test_memory_does_not_grow_with_their_number() -> None:
    rejects = Rejects(run=1000)
    tracemalloc.start()
    for row in range(40_000):
        rejects.add(Reject("a.csv", row, f"amount: expected a number, not {row}"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 1_500_000
    assert sum(1 for _ in rejects) == 40_000
