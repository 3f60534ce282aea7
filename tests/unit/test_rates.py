"""A credential may ask so often, and the buckets of all of them are bounded."""

import pytest

from api.http.rates import WINDOW_SECONDS, Buckets


def test_as_many_as_the_quota_may_come_at_once_and_no_more() -> None:
    buckets = Buckets(3)

    standings = [buckets.take("a", 0.0) for _ in range(4)]

    assert [one.left for one in standings] == [2, 1, 0, 0]
    assert [one.wait for one in standings] == [0, 0, 0, WINDOW_SECONDS / 3]


def test_a_request_comes_back_with_its_share_of_the_window() -> None:
    buckets = Buckets(60)
    for _ in range(60):
        buckets.take("a", 0.0)

    assert buckets.take("a", 0.5).wait == 1
    assert buckets.take("a", 1.0).wait == 0
    assert buckets.take("a", 1.0).wait == 1


def test_time_gives_back_no_more_than_the_quota() -> None:
    buckets = Buckets(5)
    buckets.take("a", 0.0)

    assert buckets.take("a", 10_000.0).left == 4


@pytest.mark.parametrize("refused", [1, 50])
def test_asking_in_vain_puts_nothing_off(refused: int) -> None:
    buckets = Buckets(60)
    for _ in range(60 + refused):
        buckets.take("a", 0.0)

    assert buckets.take("a", 1.0).wait == 0


def test_each_has_a_bucket_of_its_own_and_the_longest_silent_is_forgotten() -> None:
    buckets = Buckets(1, most=2)
    for key in ("a", "", "a", "c"):
        buckets.take(key, 0.0)

    assert len(buckets) == 2
    assert buckets.take("a", 0.0).wait > 0
    assert buckets.take("", 0.0).wait == 0


def test_a_clock_that_is_set_back_keeps_nobody_out() -> None:
    buckets = Buckets(2)
    buckets.take("ann", 1e9)

    assert [buckets.take("ann", now).wait > 0 for now in (1.0, 1.0, 61.0)] == [False, True, False]
