"""A tape holds what it was told, from the instant when it was so."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from projections.quarter.board_scene import Film, Seen
from projections.quarter.board_tape import Card, Flow, Series, Span, Told, record

START = datetime(2026, 1, 1, tzinfo=UTC)
END = START + timedelta(days=90)
DEAL, OTHER = UUID(int=1), UUID(int=2)
COLUMNS = [("discover", "Discovery", None, True), ("won", "Won", "won", True)]
Changes = Sequence[tuple[datetime, Card | None]]


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def card(column: str = "discover", *, units: int | None = 100, position: int = 1) -> Card:
    return Card(
        column=column,
        account="Acme",
        name="Line 4",
        owner="ann",
        worth=None if units is None else (units, "USD"),
        close_date=date(2026, 3, 1),
        discount=None,
        in_pipeline=column != "won",
        position=position,
    )


def film(
    cards: dict[UUID, Changes],
    *,
    spans: Sequence[Span] = (),
    flows: Sequence[Flow] = (),
    series: dict[str, Series] | None = None,
) -> Film:
    told = Told(
        start=START,
        end=END,
        cards=cards,
        spans=spans,
        flows=flows,
        series=series or {},
        columns=COLUMNS,
        names={"ann": "Ann"},
    )
    return Film(json.loads(json.dumps(record(told))))


def seen_on(tape: Film, number: float) -> Seen:
    seen = tape.scene(day(number)).deals[0]
    assert seen is not None
    return seen


def test_a_card_holds_until_the_next_one_and_is_gone_where_there_is_none() -> None:
    tape = film({DEAL: [(day(1), card()), (day(5), card("won", position=2)), (day(9), None)]})

    seen = [tape.scene(day(n)).deals[0] for n in (0.5, 1, 4.9, 5, 9)]

    assert [one and tape.tape["columns"][one.column][0] for one in seen] == [
        None,
        "discover",
        "discover",
        "won",
        None,
    ]
    assert [tape.figure("won", tape.place(day(n))) for n in (4, 5, 9)] == [0, 1, 0]
    assert tape.amounts("open", tape.place(day(4))) == [("USD", 100)]
    assert tape.amounts("open", tape.place(day(5))) == []


def test_of_changes_at_one_instant_the_last_shows() -> None:
    tape = film({DEAL: [(day(1), card(units=1)), (day(1), card(units=2))]})

    assert tape.amounts("open", tape.place(day(1))) == [("USD", 2)]
    assert len(tape.tape["deals"][0][1]) == 1


def test_what_was_before_the_tape_holds_at_its_start_and_what_is_after_it_is_not_told() -> None:
    told: Changes = [(START - timedelta(days=9), card()), (END + timedelta(days=1), None)]
    tape = film({DEAL: told}, spans=[Span(DEAL, "due", day(-3), day(99))])

    assert tape.scene(START).deals[0] is not None
    assert seen_on(tape, 90).due == 1


def test_a_span_counts_from_its_beginning_to_just_before_its_end_while_the_deal_is_shown() -> None:
    spans = [
        Span(DEAL, "due", day(1), day(3)),
        Span(DEAL, "checkbox_only", day(3), None),
        Span(DEAL, "evidenced", day(4), day(4)),
        Span(OTHER, "shaped", day(2), day(6)),
    ]
    tape = film({DEAL: [(day(2), card()), (day(8), card("won", position=2))]}, spans=spans)

    counts = [(s.due, s.checkbox_only, s.evidenced) for s in (seen_on(tape, n) for n in (2, 3, 5))]

    assert counts == [(1, 0, 0), (0, 1, 0), (0, 1, 0)]
    hollow = [tape.figure("checkbox_only", tape.place(day(n))) for n in (2, 3, 8)]
    assert hollow == [0, 1, 0], "those of open deals"
    shaped = [tape.figure("shaped", tape.place(day(n))) for n in (1, 2, 5.9, 6)]
    assert shaped == [0, 1, 1, 0], "also those of deals that the board does not show"


def test_amounts_that_numbers_in_a_page_would_round_are_texts() -> None:
    large = 2**53 + 1
    tape = film({DEAL: [(day(1), card(units=large))]})

    assert tape.tape["deals"][0][1][0][4] == str(large)
    assert tape.amounts("open", tape.place(day(1))) == [("USD", large)]


def test_a_figure_is_unknown_before_it_is_told() -> None:
    tape = film({}, series={"quota": [(day(3), 500), (day(3), 600), (day(4), 600)]})

    assert [tape.figure("quota", tape.place(day(n))) for n in (2, 3, 5)] == [None, 600, 600]
    assert len(tape.turns("quota")) == 2


def test_entries_lie_between_two_places() -> None:
    flows = [Flow(day(n), "new", DEAL, (100, "USD"), n, "deal_opened") for n in (1, 2, 3)]
    tape = film({DEAL: [(day(1), card())]}, flows=flows)

    found = tape.entries(tape.place(day(1)), tape.place(day(2.5)))

    assert [entry.position for entry in found] == [2]


def test_the_same_history_gives_the_same_bytes() -> None:
    cards: dict[UUID, Changes] = {DEAL: [(day(1), card())], OTHER: [(day(2), card(units=None))]}

    turned = film(dict(reversed(cards.items())))

    assert json.dumps(film(cards).tape) == json.dumps(turned.tape)
