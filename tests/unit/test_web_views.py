from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from api.board import MAX_CARDS, BoardWish
from api.web import format as f
from api.web.board_page import BoardPage, board_page
from api.web.deal_page import DealPage, deal_page
from api.web.findings import checkbox_finding, pressure_finding
from api.web.ledger_rows import LEDGER_ROWS
from api.web.patterns import patterns_of
from api.web.review_panel import FLAGS
from api.web.said import said_of
from projections.review.health import COLOURS
from tests.support import web_answers as answers
from tests.support.web_board import board_answer
from tests.support.web_parts import event_id


def page_of(answer: dict[str, Any], *, everything: bool = False, zoom: int = 1) -> DealPage:
    return deal_page(answer, asked=(None, None), everything=everything, zoom=zoom)


def board_of(answer: dict[str, Any], wish: BoardWish | None = None) -> BoardPage:
    return board_page(answer, asked=("position:12", None), wish=wish or BoardWish())


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("30000.00", "USD", "$30,000"),
        ("1234.50", "EUR", "€1,234.50"),
        ("-5", "CHF", "\N{MINUS SIGN}5 CHF"),
        ("0", "USD", "$0"),
    ],
)
def test_money_is_shown_with_its_currency(amount: str, currency: str, text: str) -> None:
    assert f.money({"amount": amount, "currency": currency}) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [("999", "$999"), ("45000", "$45k"), ("999700", "$1.00M"), ("1160000", "$1.16M")],
)
def test_short_money_rounds_to_what_fits_a_card(amount: str, text: str) -> None:
    assert f.short_money({"amount": amount, "currency": "USD"}) == text


def test_what_is_unknown_says_so_with_its_reason_and_is_never_zero() -> None:
    shown = [
        f.money(None, "no amount"),
        f.percent(None, "no amount"),
        f.percentage(None, "no amount"),
        f.ratio(None, "no amount"),
        f.day(None, "no amount"),
        f.moment(None, "no amount"),
        f.money_list([], "no amount"),
        f.name_of(None, "no amount"),
    ]

    assert set(shown) == {"unknown: no amount"}


def test_figures_read_as_people_write_them() -> None:
    assert f.percent(0.75) == "75%"
    assert f.percent(0) == "0%"
    assert f.percentage("12.50") == "12.5%"
    assert f.percentage(Decimal(25)) == "25%"
    assert f.day("2026-09-30") == "30 Sep 2026"
    assert f.moment("2026-09-30T19:00:00+02:00") == "30 Sep 2026, 17:00 UTC"
    assert f.moment("2026-09-30T17:00:00Z") == "30 Sep 2026, 17:00 UTC"
    assert f.duration(timedelta(days=3, hours=4, minutes=5)) == "3 days 4 h"
    assert f.duration(timedelta(seconds=3)) == "less than a minute"
    assert f.count(1, "activity", "activities") == "1 activity"
    assert f.count(1204, "event") == "1,204 events"


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="names no zone"):
        f.instant("2026-09-30T17:00:00")


def test_the_checkbox_finding_counts_what_has_settled_only() -> None:
    counts = {"evidenced": 2, "evidenced_late": 1, "asserted_only": 1, "bare_tick": 1, "pending": 9}

    finding = checkbox_finding(counts, 0.4)

    assert (finding.figure, finding.headline) == (2, "of 5 settled activities are checkbox-only")
    assert "40%" in finding.detail


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        ({"pending": 1}, "no ticked activity has settled yet"),
        ({"not_expressible": 3}, "cannot express"),
    ],
)
def test_a_checkbox_finding_without_settled_activities_is_unknown(
    counts: dict[str, int], reason: str
) -> None:
    finding = checkbox_finding(counts, None)

    assert finding.figure is None
    assert reason in finding.detail


def test_the_pressure_finding_says_consistent_and_never_caused_by() -> None:
    finding = pressure_finding({"shaped": 3, "evaluable": 8}, 1)

    assert (finding.figure, finding.headline) == (3, "of 8 judged events are pressure-shaped")
    assert "Consistent with quota pressure" in finding.detail
    assert pressure_finding({"shaped": 0, "evaluable": 0}, 1).figure is None


def test_patterns_that_hold_come_first_and_link_only_to_events_of_the_deal() -> None:
    told = answers.pressure()["patterns"]
    told[0]["event_id"] = "elsewhere"
    told[1]["holds"] = False
    told[1]["sentence"] = "The close date was moved to 2026-10-31."

    (held,), (other,) = patterns_of(told, {event_id(11), event_id(20)})

    assert (held.title, held.verdict) == ("Activities ticked in one run", "Holds")
    assert held.event_id == event_id(11)
    assert held.facts[0].evidence == (event_id(11),)
    assert held.facts[0].value.endswith("not evidenced 5, of 5 (1 event of other deals)")
    assert (other.title, other.verdict) == ("Won and taken back", "Does not hold")
    assert other.sentence == "The close date was moved to 31 Oct 2026."


def test_every_status_of_a_tick_is_drawn_with_its_own_fill() -> None:
    marks = {mark.moment.key: mark.moment for mark in page_of(answers.deal_answer()).chart.marks}

    fills = [marks[event_id(version)].fill for version in (4, 7, 12, 15, 19)]
    assert fills == ["filled", "hollow", "hollow", "filled", "dashed"]


def test_a_tick_finds_its_status_by_instant_where_no_event_is_named() -> None:
    answer = answers.deal_answer()
    for activity in answer["progress"]["activities"]:
        del activity["tick_event_id"]

    marks = {mark.moment.key: mark.moment for mark in page_of(answer).chart.marks}

    assert marks[event_id(7)].fill == "hollow"


def test_reasons_carry_the_numbers_of_their_pins_and_every_fact_with_its_evidence() -> None:
    page = page_of(answers.deal_answer())

    assert [reason.number for reason in page.reasons] == [1, 2, 3]
    assert page.numbers == {r.event_id: r.number for r in page.reasons}
    assert len(page.other_reasons) == 4
    window, behind, action, _ = page.reasons[0].facts
    assert (window.value, window.threshold) == ("5 days left", "fewer than 14 days left")
    assert (behind.answer, behind.evidence) == ("Holds", (event_id(2),))
    assert action.value == "no customer action was recorded that explains it"


def test_a_retracted_event_stays_in_the_ledger_and_leaves_the_chart() -> None:
    page = page_of(answers.deal_answer())

    retracted = event_id(16)
    assert retracted in page.shown_ids
    assert retracted not in {mark.moment.key for mark in page.chart.marks}


def test_the_ledger_shows_the_newest_events_first_and_all_if_asked() -> None:
    answer = answers.long_answer(100)

    page, whole = page_of(answer), page_of(answer, everything=True)

    assert (len(page.ledger), page.ledger_left_out) == (LEDGER_ROWS, 75)
    assert (len(whole.ledger), whole.ledger_left_out) == (100, 0)
    times = [row.entry.at for row in whole.ledger]
    assert times == sorted(times, reverse=True)


def test_a_deal_of_which_nothing_is_known_still_has_a_page() -> None:
    page = page_of(answers.bare_answer())

    assert page.checkbox.figure is None
    assert page.pressure.figure is None
    assert {line.known for line in page.money} == {False}
    assert page.chart.curve.lines == ()


def test_a_column_links_to_the_cards_after_and_before_those_that_are_shown() -> None:
    answer = board_answer(cards=100)
    first = board_of(answer, BoardWish(owner="jon")).columns[0]
    answer["columns"][0] |= {"skip": 40, "deals": answer["columns"][0]["deals"]}
    second = board_of(answer, BoardWish(owner="jon", column="qualify", skip=40)).columns[0]

    asked = {"as_of": "position:12", "effective_at": "", "owner": "jon", "show": ""}
    assert (len(first.cards), first.left_out, first.before) == (MAX_CARDS, 60, None)
    assert first.after == asked | {"column": "qualify", "skip": "40"}
    assert (second.count, second.skipped, second.left_out) == (100, 40, 20)
    assert second.before == asked | {"column": "qualify", "skip": ""}
    assert second.after == asked | {"column": "qualify", "skip": "80"}


def test_a_card_has_no_more_beads_than_its_line_holds_and_no_name_twice() -> None:
    answer = board_answer(cards=1)
    deal = answer["columns"][0]["deals"][0]
    deal |= {"name": f"{deal['account']['name']}: two docks", "counts": {"bare_tick": 14}}

    card = board_of(answer).columns[0].cards[0]

    assert (len(card.beads), card.beads_left_out, card.name) == (10, 4, "two docks")


def test_attainment_without_a_quota_is_unknown() -> None:
    answer = board_answer()
    answer["attainment"]["quota"] = None

    assert board_of(answer).attainment == "unknown: no quota for this quarter"
    assert board_of(board_answer()).attainment == "83% of $1.20M"


def test_a_retracted_event_carries_no_number_even_if_it_was_judged() -> None:
    answer = answers.deal_answer()
    answer["history"]["events"][9]["retracted"] = {"reason": "another deal"}

    page = page_of(answer)

    assert event_id(10) not in page.numbers
    assert [reason.number for reason in page.reasons] == [1, 2]


def test_the_line_is_cut_where_the_owner_changes() -> None:
    answer = answers.deal_answer()
    whole = len(page_of(answer).chart.curve.lines)
    for index, point in enumerate(answer["pressure"]["curve"]):
        point["rep"] = "amara" if index < 30 else "jon"

    assert len(page_of(answer).chart.curve.lines) == whole + 1


def test_a_day_outside_every_fiscal_quarter_is_said() -> None:
    answer = board_answer()
    assert board_of(answer).quarter == "FY2026Q3, 1 day left"

    answer["quarter"] = None

    assert board_of(answer).quarter == "No fiscal quarter is defined for this day"


def test_the_exposure_of_a_deal_says_of_how_many_days_it_is_known() -> None:
    assert page_of(answers.deal_answer()).exposure == "25% of 40 days"
    unknown = page_of(answers.bare_answer()).exposure
    assert unknown == "unknown: no quota was known while it was open"


def test_a_capped_event_says_how_seldom_customer_actions_are_recorded() -> None:
    fact = {
        "fact": "no_customer_action",
        "value": "seller_only",
        "threshold": 7,
        "holds": True,
        "evidence": [],
        "base_rate": {
            "scope": "segment",
            "without_customer_action": 3,
            "of": 10,
            "share": 0.3,
            "interval": [0.107791, 0.603222],
        },
        "coverage": {"share": 0.25, "of": 40, "gate": 0.5, "caps": True},
    }
    answer = answers.deal_answer()
    answer["pressure"]["events"][0]["facts"] = [fact]
    event_id = answer["pressure"]["events"][0]["event_id"]

    reasons = [*page_of(answer).reasons, *page_of(answer).other_reasons]

    (found,) = next(one for one in reasons if one.event_id == event_id).facts
    assert "3 of 10 comparable ones of the customer segment; 95% interval 11% to 60%" in found.value
    assert found.value.endswith("; recorded at 25% of comparable ones, 50% asked for")


def test_what_waits_of_both_sides_comes_first_with_the_forms_that_settle_it() -> None:
    def told(name: str, side: str, due: date | None, *, status: str, settled: bool) -> Any:
        return {
            "id": name,
            "event_id": name,
            "side": side,
            "what": f"{name} sends data",
            "by": "kim" if side == "customer" else None,
            "level": 3 if side == "customer" else None,
            "due": due,
            "status": status,
            "settled": settled,
        }

    said = said_of(
        [
            told("kept", "customer", date(2026, 9, 1), status="kept", settled=True),
            told("later", "customer", None, status="open", settled=False),
            told("late", "seller", date(2026, 9, 2), status="broken", settled=False),
        ]
    )

    assert [(one.event_id, one.ours, one.became, len(one.records)) for one in said] == [
        ("late", True, "past its day", 2),
        ("later", False, "open", 3),
        ("kept", False, "kept", 0),
    ]
    assert said[1].note == "kim · the customer spends people or data · no day"
    assert said[2].note.endswith("due 1 Sep 2026")


def test_the_review_shows_blanks_latest_answers_and_the_flags_that_hold() -> None:
    panel = page_of(answers.deal_answer()).review

    assert [(line.text, line.blank) for line in panel.lines] == [
        ("Blank", True),
        ("Contact identified: kim, Plant manager", False),
        ("Customer goal: No truck waits", False),
        ("None", False),
    ]
    assert panel.lines[1].note == "12 days ago, said by the seller, nothing about criteria"
    assert [(flag.text, flag.colour) for flag in panel.flags] == [
        ("The close date was put off three times or more", "red"),
        ("Only one person at the customer is known", "amber"),
    ]
    assert (panel.untold, panel.open) == (1, True)
    assert panel.unmet == ("Qualify: What they decide by is known",)


def test_every_flag_has_words() -> None:
    assert FLAGS.keys() == COLOURS.keys()
