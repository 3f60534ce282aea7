"""What several ask for at once is made once, stands for a moment, and is no other key's."""

from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

import pytest

from api.shared import Shared

LONG = 60.0


class Maker:
    """Makes one thing after another, and counts them; waits for a start where it is given one."""

    def __init__(self, start: Event | None = None) -> None:
        self.made = 0
        self.begun = Event()
        self._start = start

    def __call__(self) -> int:
        self.made += 1
        self.begun.set()
        if self._start is not None:
            assert self._start.wait(LONG)
        return self.made


def failing() -> int:
    raise LookupError("the log is away")


def test_who_asks_while_it_is_made_waits_for_the_same() -> None:
    start, shared = Event(), Shared[str, int](seconds=LONG, most=4)
    make = Maker(start)
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(shared.get, "board", make) for _ in range(8)]
        assert make.begun.wait(LONG)
        assert not any(one.done() for one in asked)
        start.set()

        assert [one.result(LONG) for one in asked] == [1] * 8
    assert make.made == 1


def test_what_takes_longer_than_it_may_stand_is_not_made_by_two_at_once() -> None:
    shared, second, twice = Shared[str, int](seconds=0, most=4), Maker(), []
    with ThreadPoolExecutor(1) as pool:

        def slow() -> int:
            pool.submit(shared.get, "board", second)
            twice.append(second.begun.wait(0.2))
            return 0

        shared.get("board", slow)
    assert twice == [False]


def test_nobody_waits_for_what_another_key_is_made_of() -> None:
    start, shared = Event(), Shared[str, int](seconds=LONG, most=4)
    slow = Maker(start)
    with ThreadPoolExecutor(1) as pool:
        asked: Future[int] = pool.submit(shared.get, "theirs", slow)
        assert slow.begun.wait(LONG)

        assert shared.get("ours", lambda: 7) == 7
        start.set()
        assert asked.result(LONG) == 1


def test_what_was_made_stands_no_longer_than_it_may() -> None:
    make = Maker()
    kept, gone = Shared[str, int](seconds=LONG, most=4), Shared[str, int](seconds=0, most=4)

    assert [kept.get("a", make), kept.get("a", make)] == [1, 1]
    assert [gone.get("a", make), gone.get("a", make)] == [2, 3]


def test_of_many_keys_the_oldest_is_made_again() -> None:
    make, shared = Maker(), Shared[str, int](seconds=LONG, most=2)

    assert [shared.get(key, make) for key in ("a", "b", "c")] == [1, 2, 3]
    assert [shared.get(key, make) for key in ("b", "c", "a")] == [2, 3, 4]


def test_an_error_is_told_and_not_kept() -> None:
    shared = Shared[str, int](seconds=LONG, most=4)
    with pytest.raises(LookupError):
        shared.get("a", failing)

    assert shared.get("a", lambda: 3) == 3
