"""The answers about a quarter's replay as JSON: the shapes that clients are written against."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

from api.answers import json_bytes
from domain.calendars import CalendarHistory
from domain.events.base import DomainEvent
from domain.replay import Event
from projections.quarter import answer
from projections.quarter.difference import WHATS, differences
from projections.quarter.frames import Slice, frames
from projections.quarter.movement import counters, moves_of
from projections.quarter.visits import visits_of
from projections.quarter.waterfall import waterfall
from tests.support.histories import processes
from tests.support.quarters import QUARTER, State, Steps
from tests.support.told import DEAL, Teller, at, moved, named, opened, stage

USD_1000 = {"amount": "1000.00", "currency": "USD"}


def as_read(made: object) -> Any:
    """Give what a client reads."""
    return json.loads(json_bytes(made))


def history(*facts: DomainEvent) -> list[Event]:
    teller = Teller()
    teller.tell(opened(close_date="2025-04-25"), "2025-01-08T09:00")
    for hour, data in enumerate(facts, start=10):
        teller.tell(data, f"2025-01-08T{hour}:00", name=f"at {hour}")
    return teller.events


def test_a_waterfall_is_its_cells_in_the_order_of_the_identity() -> None:
    steps = Steps(DEAL)
    new = steps.to(State(), position=1, kind="deal_opened")
    won = steps.to(State(closed="won", amount=Decimal(1200)), position=2)

    read = answer.waterfall_json(waterfall([], [new, won], quarter=QUARTER))

    assert list(read) == [
        "opening",
        "new",
        "reopened_in",
        "pulled_in",
        "pushed_in",
        "increased",
        "owner_in",
        "hierarchy_in",
        "category_in",
        "pulled_out",
        "pushed_out",
        "decreased",
        "owner_out",
        "hierarchy_out",
        "category_out",
        "lost",
        "won",
        "closing",
    ]
    assert as_read(read["new"]) == {
        "deals": 1,
        "amounts": [USD_1000],
        "entries": [
            {
                "deal_id": str(DEAL),
                "event_id": str(new.event_id),
                "position": 1,
                "type": "deal_opened",
                "amount": USD_1000,
            }
        ],
    }
    assert as_read(read["closing"]) == {"deals": 0, "amounts": [], "entries": []}


def test_a_cell_without_an_amount_or_an_event_says_null() -> None:
    new = Steps(DEAL).to(State(amount=None, currency=None))

    read = answer.waterfall_json(waterfall([new], [], quarter=QUARTER))

    assert as_read(read["opening"]) == {
        "deals": 1,
        "amounts": [],
        "entries": [
            {
                "deal_id": str(DEAL),
                "event_id": str(new.event_id),
                "position": 1,
                "type": None,
                "amount": None,
            }
        ],
    }


def test_movement_is_the_moves_and_their_counters() -> None:
    moves = moves_of(DEAL, history(moved("2025-07-01")), calendar=CalendarHistory())

    assert as_read(answer.movement_json(moves, counters(moves))) == {
        "moves": [
            {
                "deal_id": str(DEAL),
                "event_id": str(named("at 10")),
                "position": 2,
                "at": "2025-01-08T10:00:00Z",
                "by": "ann",
                "from": "2025-04-25",
                "to": "2025-07-01",
                "days": 67,
                "quarters_crossed": 1,
                "direction": "within",
                "cause": "push",
            }
        ],
        "counters": {
            "push": {"count": 1, "event_ids": [str(named("at 10"))]},
            "pull_in": {"count": 0, "event_ids": []},
            "pull_out": {"count": 0, "event_ids": []},
            "correction": {"count": 0, "event_ids": []},
            "machine": {"count": 0, "event_ids": []},
            "slips": {"count": 1, "event_ids": [str(named("at 10"))]},
        },
    }


def test_visits_say_how_long_by_the_instant_asked_for() -> None:
    found = visits_of(history(stage("qualify"), stage("discover")), processes)

    assert as_read(answer.visits_json(found, at=at("2025-01-08T13:30"))) == {
        "visits": [
            {
                "event_id": str(named("at 10")),
                "process": "linear",
                "stage": "qualify",
                "episode": 1,
                "number": 1,
                "entered_at": "2025-01-08T10:00:00Z",
                "left_at": "2025-01-08T11:00:00Z",
                "seconds": 3600,
                "ended_by": str(named("at 11")),
                "ended_how": "stage_entered",
            },
            {
                "event_id": str(named("at 11")),
                "process": "linear",
                "stage": "discover",
                "episode": 1,
                "number": 1,
                "entered_at": "2025-01-08T11:00:00Z",
                "left_at": None,
                "seconds": 9000,
                "ended_by": None,
                "ended_how": None,
            },
        ],
        "stages": [
            {"stage": "qualify", "visits": 1, "seconds": 3600, "lasts": False},
            {"stage": "discover", "visits": 1, "seconds": 9000, "lasts": True},
        ],
    }


def test_a_difference_is_its_totals_and_its_deals() -> None:
    now = State(amount=Decimal(900), close_date=date(2025, 7, 1), owner="bob")
    read = as_read(
        answer.difference_json(differences({DEAL: State()}, {DEAL: now, named("new"): None}))
    )

    assert list(read["totals"]) == list(WHATS)
    assert read["totals"]["amount"] == {
        "deals": 1,
        "amounts": [{"amount": "-100.00", "currency": "USD"}],
    }
    assert read["deals"] == [
        {
            "deal_id": str(DEAL),
            "before": {
                "owner": "ann",
                "stage": "qualify",
                "closed": None,
                "amount": USD_1000,
                "close_date": "2025-05-15",
                "forecast_category": "pipeline",
            },
            "after": {
                "owner": "bob",
                "stage": "qualify",
                "closed": None,
                "amount": {"amount": "900.00", "currency": "USD"},
                "close_date": "2025-07-01",
                "forecast_category": "pipeline",
            },
            "changes": [
                {"what": "owner", "before": "ann", "after": "bob"},
                {
                    "what": "amount",
                    "before": USD_1000,
                    "after": {"amount": "900.00", "currency": "USD"},
                },
                {"what": "close_date", "before": "2025-05-15", "after": "2025-07-01"},
            ],
        }
    ]


def test_a_deal_that_is_gone_has_no_state() -> None:
    read = as_read(answer.difference_json(differences({DEAL: State()}, {})))

    assert read["deals"][0]["after"] is None


def test_a_frame_puts_the_currencies_of_a_group_together_and_rounds_once() -> None:
    opening = [
        Slice("qualify", "ann", None, "USD", 2, Decimal("0.125")),
        Slice("qualify", "ann", None, "JPY", 1, Decimal(500)),
        Slice("qualify", "ann", None, None, 1, Decimal(0)),
    ]
    group = {
        "deals": 4,
        "amounts": [
            {"amount": "500", "currency": "JPY"},
            {"amount": "0.12", "currency": "USD"},
        ],
    }

    read = answer.frames_json(frames(opening, [], quarter=QUARTER, until=QUARTER.start))

    assert as_read(read) == [
        {
            "day": "2025-04-01",
            "total": group,
            "by_stage": [{"stage": "qualify", **group}],
            "by_owner": [{"owner": "ann", **group}],
            "by_category": [{"category": None, **group}],
        }
    ]
