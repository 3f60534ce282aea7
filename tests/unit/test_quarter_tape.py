"""The format of the tape, and its edges."""

import json
from datetime import date, timedelta
from decimal import Decimal

import pytest

from projections.quarter.steps import Step
from projections.quarter.tape import Shown, at, tape
from tests.support.histories import hours
from tests.support.quarters import State, Steps
from tests.support.told import named

DEAL = named("a deal")
START, END = hours(1), hours(9)
HOUR = 3_600_000_000
OPEN = State()


def taped(*steps: Step, opening: State | None = None) -> dict[str, object]:
    before = [Step(DEAL, 0, None, hours(0), None, opening)] if opening else []
    made: dict[str, object] = json.loads(json.dumps(tape(before, steps, start=START, end=END)))
    return made


def test_it_is_lists_of_texts_and_versions_of_numbers() -> None:
    steps = Steps(DEAL, OPEN)
    moved = steps.to(State(owner="bob", close_date=date(2025, 7, 1)), position=2)
    won = steps.to(State(owner="bob", closed="won", currency="JPY", stage=None), position=3)

    assert taped(moved, won, opening=OPEN) == {
        "start": "2025-01-08T10:00:00Z",
        "end": "2025-01-08T18:00:00Z",
        "stages": ["qualify"],
        "owners": ["ann", "bob"],
        "categories": ["pipeline"],
        "close_dates": ["2025-05-15", "2025-07-01"],
        "outcomes": ["won", "lost", "disqualified", "deleted"],
        "currencies": [["JPY", 0], ["USD", 2]],
        "deals": [
            {
                "deal_id": str(DEAL),
                "versions": [
                    [0, 0, 0, 0, 100000, 1, 0, None],
                    [1 * HOUR, 0, 1, 0, 100000, 1, 1, None],
                    [2 * HOUR, None, 1, 0, 1000, 0, 0, 0],
                ],
            }
        ],
    }


def test_what_changes_nothing_that_is_shown_makes_no_version() -> None:
    steps = Steps(DEAL, OPEN)
    same = steps.to(State(amount=Decimal("1000.001")), position=2)

    (deal,) = tape([], [Steps(DEAL).to(OPEN, position=1), same], start=START, end=END)["deals"]

    assert [version[0] for version in deal["versions"]] == [0]


def test_of_changes_in_one_microsecond_the_last_shows() -> None:
    steps = Steps(DEAL)
    both = [steps.to(OPEN, position=2), steps.to(State(owner="bob"), position=2)]

    made = tape([], both, start=START, end=END)

    assert [version[0] for version in made["deals"][0]["versions"]] == [HOUR]
    assert at(made, hours(2))[DEAL].owner == "bob"


def test_a_deleted_deal_is_shown_no_longer_and_may_come_back() -> None:
    steps = Steps(DEAL)
    made = tape(
        [],
        [
            steps.to(OPEN, position=2),
            steps.to(State(deleted=True), position=4),
            steps.to(OPEN, position=6),
        ],
        start=START,
        end=END,
    )

    assert [DEAL in at(made, hours(hour)) for hour in range(1, 10)] == [
        hour in {2, 3, 6, 7, 8, 9} for hour in range(1, 10)
    ]


def test_a_deal_that_is_never_shown_is_not_on_the_tape() -> None:
    assert tape([], [Steps(DEAL).to(State(deleted=True))], start=START, end=END)["deals"] == []


def test_an_amount_beyond_what_a_reader_of_json_keeps_is_a_text() -> None:
    steps = Steps(DEAL)
    largest = State(amount=Decimal("90071992547409.91"))
    beyond = State(amount=Decimal("-90071992547409.92"))
    made = tape(
        [], [steps.to(largest, position=2), steps.to(beyond, position=3)], start=START, end=END
    )

    assert [version[4] for version in made["deals"][0]["versions"]] == [
        9007199254740991,
        "-9007199254740992",
    ]
    assert at(made, END)[DEAL].worth == (-9007199254740992, "USD")


def test_an_instant_outside_the_tape_is_refused() -> None:
    made = tape([], [], start=START, end=END)

    assert at(made, START) == at(made, END) == {}
    for outside in (START - timedelta(microseconds=1), END + timedelta(microseconds=1)):
        with pytest.raises(ValueError, match="outside the tape"):
            at(made, outside)


def test_the_order_in_which_deals_are_told_changes_no_byte() -> None:
    names = ["dan", "ann", "fay", "bob", "eva", "cid"]
    steps = [
        Steps(named(name)).to(State(owner=name, stage=name, forecast_category=name))
        for name in names
    ]

    made = tape([], steps, start=START, end=END)

    assert made["stages"] == made["owners"] == made["categories"] == sorted(names)
    assert json.dumps(made) == json.dumps(tape([], steps[::-1], start=START, end=END))


def test_a_deal_without_an_amount_has_none() -> None:
    unknown = State(amount=None, currency=None, forecast_category=None)
    made = tape([], [Steps(DEAL).to(unknown)], start=START, end=END)

    assert at(made, START)[DEAL] == Shown("qualify", "ann", None, None, date(2025, 5, 15), None)
