"""Moves of the close date add up to where it stands, and corrections to what they changed."""

from datetime import date

from hypothesis import given

from domain.calendars import CalendarHistory
from domain.close_date import days_moved
from domain.events.honesty import EventAmended, EventRetracted
from domain.replay import Event, view
from projections.quarter.movement import moves_of
from projections.spans.fold import fold
from tests.support.quarters import LIVES, UNHURRIED
from tests.support.told import DEAL

CALENDAR = CalendarHistory()


def standing(events: list[Event], as_of: int) -> object:
    state = fold(view(events, as_of=as_of))
    return state.close_date if state else None


def dates_of(events: list[Event]) -> list[date]:
    """Give the date that stood after each event of the view."""
    told = view(events)
    states = [fold(told[:count]) for count in range(len(told) + 1)]
    return [state.close_date for state in states if state and state.close_date]


@UNHURRIED
@given(LIVES)
def test_the_moves_of_a_view_lead_from_its_first_date_to_the_one_that_stands(
    events: list[Event],
) -> None:
    found = moves_of(DEAL, events, calendar=CALENDAR)

    days = sum(move.days or 0 for move in found if move.cause != "correction")

    dates = dates_of(events)
    assert days == (days_moved(dates[0], dates[-1]) if dates else 0)


@UNHURRIED
@given(LIVES)
def test_a_correction_is_a_move_exactly_where_the_standing_date_changed(
    events: list[Event],
) -> None:
    found = {
        move.position: (move.before, move.after)
        for move in moves_of(DEAL, events, calendar=CALENDAR)
        if move.cause == "correction"
    }

    expected = {
        event.position: (before, after)
        for event in events
        if isinstance(event.data, EventAmended | EventRetracted)
        and (before := standing(events, event.position - 1))
        != (after := standing(events, event.position))
    }
    assert found == expected


@UNHURRIED
@given(LIVES)
def test_what_was_told_by_a_position_does_not_change_later(events: list[Event]) -> None:
    for position in range(len(events) + 1):
        known = [event for event in events if event.position <= position]
        assert moves_of(DEAL, events, calendar=CALENDAR, as_of=position) == moves_of(
            DEAL, known, calendar=CALENDAR
        )
