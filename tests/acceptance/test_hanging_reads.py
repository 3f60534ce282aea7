"""Reads that hang hold nobody up for long: there is a place in time, or a 503 that says when."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from itertools import islice

import psycopg
import pytest

from api.http.limits import Limits
from tests.support.ledgers import SCHEMA
from tests.support.raw_http import Answer, ask, get
from tests.support.served import served

READ = get(b"/v1/policies")


@contextmanager
def head_locked(database: str) -> Iterator[None]:
    """Let every look at the head of the log hang until the block ends."""
    with psycopg.connect(database) as connection:
        connection.execute(f"LOCK TABLE {SCHEMA}.log_head IN ACCESS EXCLUSIVE MODE")
        yield


def code(answer: Answer) -> tuple[int, str, str]:
    return answer.status, answer.told["code"], answer.headers["retry-after"]


@pytest.mark.slow
def test_who_finds_no_place_in_time_is_told_to_come_back(database: str) -> None:
    limits = Limits(reads_at_once=2, place_seconds=0.2)
    with served(database, limits=limits) as url, ThreadPoolExecutor(6) as clients:
        with head_locked(database):
            asked = [clients.submit(ask, url, READ) for _ in range(6)]
            refused = list(islice(as_completed(asked), 4))  # while the others hang
            alive = ask(url, get(b"/healthz"))
        answers = [one.result() for one in asked]
        afterwards = ask(url, READ)

    assert alive.status == 200
    assert [code(one.result()) for one in refused] == [(503, "too_many_at_once", "1")] * 4
    assert sorted(one.status for one in answers) == [200, 200, 503, 503, 503, 503]
    assert afterwards.status == 200


@pytest.mark.slow
def test_a_read_that_takes_too_long_is_given_up_and_keeps_its_place(database: str) -> None:
    limits = Limits(reads_at_once=1, place_seconds=0.2, read_seconds=0.3)
    with served(database, limits=limits) as url:
        with head_locked(database):
            hung = ask(url, READ)
            next_one = ask(url, READ)
        statuses = {ask(url, READ).status for _ in range(20)}

    assert code(hung) == (503, "no_answer_in_time", "1")
    assert code(next_one) == (503, "too_many_at_once", "1")
    assert 200 in statuses
