"""A deal won, reopened and won again, whatever the close dates: every win counts on its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from hypothesis import example, given
from hypothesis import strategies as st

from api.exchange.lines import Findings, JsonObject, Line
from api.exchange.won_again import reopened_in_time
from domain.calendars import CalendarHistory
from domain.deal import replay
from domain.events.catalogue import TYPES_BY_NAME, parse
from domain.replay import Event, view
from domain.stamp import RecordedEvent
from projections.attainment.fold import credits_of
from projections.spans.course import course
from projections.spans.fold import fold
from tests.support.told import at, named

BEGUN = at("2025-01-01")
DAY = timedelta(days=1)
CALENDAR = CalendarHistory()
ACCOUNT: JsonObject = {"id": "a", "name": "A"}


@dataclass(frozen=True)
class Turn:
    """What a source tells of a deal so many days later; a win lies so many days before that."""

    after: int
    won: bool
    back: int


WON = st.sampled_from([True, True, False])
# Days so near each other that most wins lie before what came before them.
TURNS = st.lists(
    st.builds(Turn, st.integers(1, 5), WON, st.integers(0, 20)), min_size=1, max_size=7
)
AFTER_THE_FIRST = [
    Turn(1, won=True, back=0),
    Turn(26, won=True, back=0),
    Turn(15, won=True, back=23),
]
BEFORE_THE_FIRST = [
    Turn(1, won=True, back=0),
    Turn(26, won=True, back=0),
    Turn(15, won=True, back=50),
]


def told(turns: Sequence[Turn]) -> list[Line]:
    """Give the lines of a deal that is closed, reopened, closed again, ... as it was told."""
    day, closed = 100, ""
    lines = [_line(0, 0, "deal_opened", {"name": "N", "account": ACCOUNT, "owner": "ann"})]
    for number, turn in enumerate(turns):
        day += turn.after
        if closed:
            lines += [_line(day, day, "win_reversed", {})] if closed == "won" else []
            lines.append(_line(day, day, "deal_reopened", {}))
            closed = ""
        elif turn.won:
            on = max(day - turn.back, 1)
            net = {"amount": str(10**number), "currency": "USD"}
            closed_on = (BEGUN + on * DAY).date().isoformat()
            lines.append(_line(on, day, "deal_won", {"net": net, "closed_on": closed_on}))
            closed = "won"
        else:
            lines.append(_line(day, day, "deal_lost", {}))
            closed = "lost"
    return lines


def _line(on: int, day: int, kind: str, data: JsonObject) -> Line:
    return Line(
        stream="deal:D",
        external_id=f"row-{day}:{kind}",
        type=kind,
        occurred_at=BEGUN + on * DAY,
        recorded_at=BEGUN + day * DAY,
        actor="ann",
        data=data,
        file="f",
        row=day,
    )


def events_of(lines: Sequence[Line]) -> list[Event]:
    return [_event(position, line) for position, line in enumerate(lines, start=1)]


def _event(position: int, line: Line) -> Event:
    data = dict(line.data)
    if "event_id" in data:
        data["event_id"] = str(named(str(data["event_id"])))
    assert line.recorded_at
    return RecordedEvent(
        event_id=named(line.external_id),
        stream_id=f"deal:{UUID(int=7)}",
        version=position,
        position=position,
        occurred_at=line.occurred_at,
        recorded_at=line.recorded_at,
        ingested_at=line.recorded_at,
        actor="ann",
        data=parse(TYPES_BY_NAME[line.type], data),
    )


@given(TURNS)
@example(AFTER_THE_FIRST)
@example(BEFORE_THE_FIRST)
def test_what_was_told_last_stands_and_counts_on_its_close_date(turns: list[Turn]) -> None:
    lines = told(turns)
    last = next(line for line in reversed(lines) if not line.type.endswith("reversed"))

    given_lines = reopened_in_time(lines, Findings())

    events = events_of(given_lines)
    deal, state, known = replay(events), fold(view(events)), course(events)
    booked = credits_of(view(events), CALENDAR)
    closed = {"deal_won": "won", "deal_lost": "lost"}.get(last.type)
    assert deal is not None
    assert state is not None
    assert deal.closed == state.closed == closed
    assert deal.win_stands == (closed == "won")
    assert known.known[-1].state == known.hindsight[-1].state == state
    net = Decimal(last.data["net"]["amount"]) if closed == "won" else Decimal(0)  # type: ignore[index]  # JSON
    assert sum((one.amount for one in booked), Decimal(0)) == net
    if closed != "won":
        return
    assert state.closed_at == last.occurred_at
    assert state.closed_at.date() == date.fromisoformat(str(last.data["closed_on"]))
    # From that day on nothing is taken back, and no other win is booked.
    assert [one.amount for one in booked if one.occurred_at > last.occurred_at] == []
    for instant in (last.occurred_at, last.occurred_at + 30 * DAY):
        then = fold(view(events, effective_at=instant))
        assert then is not None
        assert then.closed == "won"


@given(TURNS, st.integers(0, 6))
def test_what_was_known_before_is_what_a_shorter_history_tells(
    turns: list[Turn], count: int
) -> None:
    """No later win changes what was known: an older export has the same lines."""
    lines = told(turns)
    shorter = told(turns[:count])
    until = max(line.recorded_at for line in shorter if line.recorded_at)

    whole = reopened_in_time(lines, Findings())

    before = [line for line in whole if line.recorded_at and line.recorded_at <= until]
    assert before == reopened_in_time(shorter, Findings())
    assert len({line.external_id for line in whole}) == len(whole)
    assert {line.external_id for line in lines} <= {line.external_id for line in whole}


@given(TURNS)
def test_every_win_is_told_on_its_own_date(turns: list[Turn]) -> None:
    lines = told(turns)

    found = reopened_in_time(lines, Findings())

    wins = [line for line in found if line.type == "deal_won"]
    assert wins == [line for line in lines if line.type == "deal_won"]
    retracted = [str(line.data["event_id"]) for line in found if line.type == "event_retracted"]
    assert len(set(retracted)) == len(retracted)
    assert set(retracted) <= {line.external_id for line in found}


def test_a_win_that_was_not_reversed_counts_beside_the_one_told_later() -> None:
    net: JsonObject = {"net": {"amount": "1", "currency": "USD"}, "closed_on": "2025-02-10"}
    first, again = _line(50, 50, "deal_won", net), _line(40, 70, "deal_won", net)
    lines = [first, _line(60, 60, "deal_reopened", {}), again]

    found = reopened_in_time(lines, Findings())

    retracted = [line.data["event_id"] for line in found if line.type == "event_retracted"]
    assert retracted == ["row-60:deal_reopened"]
    assert [line for line in found if line.type != "event_retracted"] == lines


def test_wins_that_contradict_nothing_are_told_as_they_stand() -> None:
    net: JsonObject = {"net": {"amount": "1", "currency": "USD"}, "closed_on": "2025-02-10"}
    lines = [_line(50, 50, "deal_won", net), _line(40, 70, "deal_won", net)]

    assert reopened_in_time(lines, Findings()) == lines
