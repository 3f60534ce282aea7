"""Moves of the close date: what counts as one, which way, and why."""

from dataclasses import replace
from datetime import date
from uuid import UUID

from domain.calendars import CalendarHistory, calendar_from
from domain.events.base import DomainEvent
from domain.events.honesty import EventAmended, EventRetracted
from domain.replay import Event
from projections.quarter.movement import Counters, Move, counters, moves_of, quarters_crossed
from tests.support.quarters import OTHER_QUARTER, QUARTER
from tests.support.told import DEAL, Teller, at, moved, named, opened

CALENDAR = CalendarHistory()
FEBRUARY, MARCH, APRIL, JULY = (
    date(2025, 2, 10),
    date(2025, 3, 31),
    date(2025, 4, 25),
    date(2025, 7, 1),
)


def history(*facts: tuple[DomainEvent, str], close_date: str | None = "2025-03-31") -> list[Event]:
    teller = Teller()
    teller.tell(opened(close_date=close_date), "2025-01-08", name="opening")
    for number, (data, when) in enumerate(facts, start=1):
        teller.tell(data, when, name=f"fact {number}")
    return teller.events


def amended(name: str, **data: object) -> EventAmended:
    return EventAmended.model_validate(
        {"event_id": named(name), "data": data, "reason": "Typed wrongly"}
    )


def retracted(name: str) -> EventRetracted:
    return EventRetracted(event_id=named(name), reason="Told by mistake")


def moves(events: list[Event], *, as_of: int | None = None) -> list[Move]:
    return moves_of(DEAL, events, calendar=CALENDAR, as_of=as_of)


def counts(counted: Counters) -> dict[str, int]:
    causes: dict[str, int] = {c: len(made) for c, made in counted.causes.items() if made}
    return {**causes, "slips": len(counted.slips)}


def test_a_move_says_who_from_where_to_where_and_how_far() -> None:
    (push,) = moves(history((moved("2025-07-01"), "2025-03-20")))

    assert push == Move(
        deal_id=DEAL,
        event_id=named("fact 1"),
        position=2,
        at=at("2025-03-20"),
        by="ann",
        before=MARCH,
        after=JULY,
        days=92,
        quarters=2,
        direction="push_out",
        cause="push",
    )


def test_a_move_nearer_counts_backwards() -> None:
    (pull,) = moves(history((moved("2025-02-10"), "2025-01-20"), close_date="2025-07-01"))

    assert (pull.cause, pull.direction, pull.days, pull.quarters) == (
        "pull_in",
        "pull_in",
        -141,
        -2,
    )


def test_the_direction_is_read_against_the_quarter_in_which_somebody_moved_it() -> None:
    (later,) = moves(history((moved("2025-04-25"), "2025-04-02")))

    assert (later.cause, later.direction, later.quarters) == ("push", "within", 1)


def test_the_first_date_and_the_same_date_are_no_moves() -> None:
    events = history(
        (moved("2025-03-31"), "2025-01-09"), (moved("2025-03-31"), "2025-01-10"), close_date=None
    )

    assert moves(events) == []


def test_what_an_import_tells_before_the_opening_or_as_a_second_one_is_no_move() -> None:
    teller = Teller()
    teller.tell(moved("2025-02-10"), "2025-01-06")
    teller.tell(moved("2025-02-20"), "2025-01-07")
    teller.tell(opened(close_date="2025-03-31"), "2025-01-08")
    teller.tell(opened(close_date="2025-07-01"), "2025-01-09")
    teller.tell(moved("2025-04-25"), "2025-01-10")

    (push,) = moves(teller.events)

    assert (push.before, push.after) == (MARCH, APRIL)


def test_a_move_told_late_counts_where_it_happened() -> None:
    teller = Teller()
    teller.tell(opened(close_date="2025-03-31"), "2025-01-08")
    teller.tell(moved("2025-07-01"), "2025-02-10", name="second")
    teller.tell(moved("2025-04-25"), "2025-01-20", recorded="2025-02-20", name="first, told late")

    first_told, told_late = moves(teller.events)

    assert (first_told.before, first_told.after) == (APRIL, JULY)
    assert (told_late.before, told_late.after) == (MARCH, APRIL)
    assert told_late.at == at("2025-02-20")


def test_an_amended_move_counts_once_as_it_was_meant_and_the_correction_by_itself() -> None:
    events = history(
        (moved("2025-07-01"), "2025-02-10"), (amended("fact 1", to="2025-04-25"), "2025-02-11")
    )

    push, correction = moves(events)

    assert (push.cause, push.before, push.after) == ("push", MARCH, APRIL)
    assert (correction.cause, correction.before, correction.after) == ("correction", JULY, APRIL)
    assert correction.event_id == named("fact 2")
    assert [(m.cause, m.after) for m in moves(events, as_of=2)] == [("push", JULY)]


def test_a_retracted_move_is_none_and_its_retraction_is_a_correction() -> None:
    events = history((moved("2025-07-01"), "2025-02-10"), (retracted("fact 1"), "2025-02-11"))

    (correction,) = moves(events)

    assert (correction.cause, correction.before, correction.after) == ("correction", JULY, MARCH)


def test_a_retracted_retraction_corrects_back() -> None:
    events = history(
        (moved("2025-07-01"), "2025-02-10"),
        (retracted("fact 1"), "2025-02-11"),
        (retracted("fact 2"), "2025-02-12"),
    )

    assert [(m.cause, m.before, m.after) for m in moves(events)] == [
        ("push", MARCH, JULY),
        ("correction", JULY, MARCH),
        ("correction", MARCH, JULY),
    ]


def test_a_correction_of_a_date_that_no_longer_stood_is_no_move() -> None:
    events = history(
        (moved("2025-04-25"), "2025-02-10"),
        (moved("2025-07-01"), "2025-02-11"),
        (amended("fact 1", to="2025-05-05"), "2025-02-12"),
        (amended("fact 2", to="2025-07-01", reason="Budget"), "2025-02-13"),
    )

    assert [(m.cause, m.before) for m in moves(events)] == [
        ("push", MARCH),
        ("push", date(2025, 5, 5)),
    ]


def test_a_date_that_is_taken_away_has_no_distance() -> None:
    events = history(
        (moved("2025-04-25"), "2025-02-10"),
        (retracted("fact 1"), "2025-02-11"),
        close_date=None,
    )

    (correction,) = moves(events)

    assert (correction.before, correction.after) == (APRIL, None)
    assert (correction.days, correction.quarters, correction.direction) == (None, None, None)


def test_what_a_rule_moved_is_the_machines() -> None:
    opening, push = history((moved("2025-04-25"), "2025-04-01"))
    swept = replace(push, channel="rule", actor="sweep", on_behalf_of="bob")

    (move,) = moves([opening, swept])

    assert (move.cause, move.by) == ("machine", "bob")


def test_an_import_counts_when_it_occurred() -> None:
    opening, push = history((moved("2025-07-01"), "2025-02-10"))
    told = replace(push, channel="import", recorded_at=at("2026-01-01"))

    (move,) = moves([opening, told])

    assert (move.at, move.direction) == (at("2025-02-10"), "push_out")


def test_imported_moves_come_in_the_order_in_which_they_occurred() -> None:
    opening, later, earlier = history(
        (moved("2025-07-01"), "2025-03-10"), (moved("2025-04-25"), "2025-02-10")
    )

    found = moves([opening, *(replace(e, channel="import") for e in (later, earlier))])

    assert [move.after for move in found] == [APRIL, JULY]


def test_with_hindsight_a_move_of_later_is_not_there_yet() -> None:
    events = history((moved("2025-04-25"), "2025-02-10"), (moved("2025-07-01"), "2025-03-10"))

    found = moves_of(DEAL, events, calendar=CALENDAR, effective_at=at("2025-03-01"))

    assert [move.after for move in found] == [APRIL]


def test_counters_say_how_often_for_each_cause_and_how_often_it_slipped() -> None:
    events = history(
        (moved("2025-03-15"), "2025-01-10"),
        (moved("2025-03-31"), "2025-01-11"),
        (moved("2025-04-25"), "2025-03-20"),
        (moved("2025-07-01"), "2025-06-20"),
        (retracted("fact 4"), "2025-06-21"),
    )

    assert counts(counters(moves(events))) == {
        "push": 2,
        "pull_in": 1,
        "correction": 1,
        "slips": 1,
    }
    assert counts(counters(moves(events, as_of=5))) == {"push": 3, "pull_in": 1, "slips": 2}


def test_a_machines_slip_is_a_slip_and_a_correction_is_none() -> None:
    opening, push, correction = history(
        (moved("2025-04-25"), "2025-03-20"), (amended("fact 1", to="2025-07-01"), "2025-03-21")
    )

    found = counters(moves([opening, replace(push, channel="rule"), correction]))

    assert counts(found) == {"machine": 1, "correction": 1, "slips": 1}
    assert [move.event_id for move in found.slips] == [named("fact 1")]


def test_a_quarter_sees_the_moves_that_touch_it_and_an_earlier_date_as_pulled_out() -> None:
    events = history(
        (moved("2025-04-25"), "2025-01-10"),
        (moved("2025-02-10"), "2025-01-11"),
        (moved("2025-07-01"), "2025-01-12"),
        (moved("2025-10-01"), "2025-01-13"),
    )

    assert counts(counters(moves(events), quarter=QUARTER)) == {
        "push": 1,
        "pull_out": 1,
        "slips": 0,
    }
    assert counts(counters(moves(events), quarter=OTHER_QUARTER)) == {
        "push": 2,
        "pull_in": 1,
        "slips": 2,
    }


def listed_calendar() -> CalendarHistory:
    periods = [
        {"name": "FY2025Q1", "start": "2025-01-01", "end": "2025-03-31"},
        {"name": "FY2025Q3", "start": "2025-04-01", "end": "2025-06-30"},
        {"name": "FY2025Q4", "start": "2025-07-01", "end": "2025-09-30"},
    ]
    calendar = calendar_from(kind="explicit", zone="UTC", parameters={"periods": periods})
    return CalendarHistory().with_adopted(calendar, effective_from=date(2025, 1, 1))


def test_quarters_are_counted_not_computed_from_their_names() -> None:
    calendar = listed_calendar().calendar_on(FEBRUARY)

    assert quarters_crossed(FEBRUARY, JULY, calendar=calendar) == 2
    assert quarters_crossed(JULY, APRIL, calendar=calendar) == -1
    assert quarters_crossed(FEBRUARY, MARCH, calendar=calendar) == 0


def test_a_date_outside_the_calendar_crosses_nobody_knows_how_many_quarters() -> None:
    events = history((moved("2026-01-01"), "2025-02-10"))

    (move,) = moves_of(DEAL, events, calendar=listed_calendar())

    assert (move.quarters, move.days, move.direction) == (None, 276, "push_out")
    assert counters([move]).slips == ()


def test_a_move_made_outside_the_calendar_has_no_direction() -> None:
    events = history((moved("2025-07-01"), "2026-02-10"))

    (move,) = moves_of(UUID(int=1), events, calendar=listed_calendar())

    assert (move.direction, move.quarters) == (None, 2)
