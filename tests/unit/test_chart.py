import itertools
from datetime import UTC, datetime, timedelta

import pytest

from api.web.chart import (
    HIT,
    MAX_ROWS,
    NOMINAL_WIDTH,
    Chart,
    ChartData,
    Mark,
    Moment,
    QuarterEnd,
    Visit,
    draw_chart,
)
from api.web.chart_curve import BAND_HEIGHT, CurvePoint, above, height_of
from api.web.chart_pins import PIN, place_pins

START = datetime(2026, 4, 1, tzinfo=UTC)
END = datetime(2026, 9, 30, tzinfo=UTC)


def at(day: float) -> datetime:
    return START + timedelta(days=day)


def moment(number: int, day: float, *, lane: str = "seller", shaped: bool = False) -> Moment:
    return Moment(
        key=f"e{number:04d}",
        at=at(day),
        lane=lane,
        glyph="circle",
        fill="filled",
        label="",
        pressure_shaped=shaped,
        pressure=0.5 if shaped else None,
    )


def drawn(*moments: Moment, zoom: int = 1) -> Chart:
    return draw_chart(ChartData(START, END, 0.25, moments=moments, zoom=zoom))


def overlapping(marks: tuple[Mark, ...], zoom: int = 1) -> list[tuple[str, str]]:
    pixels = NOMINAL_WIDTH * zoom / 100
    return [
        (one.moment.key, other.moment.key)
        for index, one in enumerate(marks)
        for other in marks[index + 1 :]
        if abs(one.x - other.x) * pixels < HIT - 0.05 and abs(one.y - other.y) < HIT
    ]


@pytest.mark.parametrize("count", [1, 2, 30, 1000])
@pytest.mark.parametrize("zoom", [1, 4])
def test_every_event_has_a_mark_or_is_counted_and_no_two_marks_overlap(
    count: int, zoom: int
) -> None:
    lanes = ("customer", "seller", "other")
    moments = [moment(n, (n * 37) % 180, lane=lanes[n % 3]) for n in range(count)]

    chart = drawn(*moments, zoom=zoom)

    assert len(chart.marks) + sum(rest.count for rest in chart.rests) == count
    assert overlapping(chart.marks, zoom) == []
    assert all(0 < mark.x < 100 for mark in chart.marks)
    assert all(0 < mark.y < chart.height for mark in chart.marks)


def test_a_crowd_fills_six_rows_and_then_says_how_many_more() -> None:
    chart = drawn(*[moment(n, 90) for n in range(MAX_ROWS + 7)])

    assert sorted(mark.row for mark in chart.marks) == list(range(MAX_ROWS))
    assert [(rest.count, rest.key) for rest in chart.rests] == [(7, "e0006")]


def test_pressure_shaped_events_get_a_row_before_the_others() -> None:
    crowd = [moment(n, 90) for n in range(20)]

    chart = drawn(*crowd, moment(99, 90, shaped=True))

    assert [mark.number for mark in chart.marks if mark.moment.key == "e0099"] == [1]


def test_pressure_shaped_events_are_numbered_in_order_of_time() -> None:
    chart = drawn(moment(1, 100, shaped=True), moment(2, 10, shaped=True), moment(3, 50))

    assert {mark.moment.key: mark.number for mark in chart.marks} == {
        "e0001": 2,
        "e0002": 1,
        "e0003": None,
    }
    assert [pin.numbers for pin in chart.pins] == [(1,), (2,)]


def test_a_tether_runs_from_the_curve_down_to_its_mark() -> None:
    chart = drawn(moment(1, 100, shaped=True))

    tether, mark = chart.tethers[0], chart.marks[0]
    assert tether.x == mark.x
    assert tether.top == height_of(0.5)
    assert mark.y - HIT / 2 < tether.top + tether.height < mark.y


def test_the_customer_lane_lies_over_the_seller_lane_and_both_meet_in_the_middle() -> None:
    chart = drawn(*[moment(n, 90, lane=lane) for lane in ("customer", "seller") for n in (1, 2)])

    by_row = {(m.moment.lane, m.row): m.y for m in chart.marks}
    assert by_row["customer", 1] < by_row["customer", 0] < by_row["seller", 0]
    assert by_row["seller", 0] < by_row["seller", 1]


def test_a_third_lane_appears_only_for_events_that_nobody_drove() -> None:
    assert [lane.name for lane in drawn(moment(1, 5)).lanes] == ["customer", "seller"]
    assert len(drawn(moment(1, 5, lane="other")).lanes) == 3


def test_a_deal_of_one_instant_still_has_a_width() -> None:
    chart = draw_chart(ChartData(START, START, 0.25, moments=[moment(1, 0)]))

    assert chart.marks[0].x == pytest.approx(1.4)


def test_the_plot_goes_on_to_a_quarter_end_that_is_near_but_not_to_a_far_one() -> None:
    near = QuarterEnd("FY2026Q3", END + timedelta(days=5))
    far = QuarterEnd("FY2026Q3", END + timedelta(days=60))

    ends = [
        draw_chart(ChartData(START, END, 0.25, quarter_ends=[end])).quarters for end in (near, far)
    ]

    assert [[tick.label for tick in ticks] for ticks in ends] == [["FY2026Q3 ends"], []]


def test_stages_follow_each_other_and_only_wide_ones_are_named() -> None:
    visits = [
        Visit("Qualify", at(0), at(90)),
        Visit("Blink", at(90), at(91)),
        Visit("Propose", at(91), None),
    ]

    strips = draw_chart(ChartData(START, END, 0.25, visits=visits)).stages

    assert [strip.named for strip in strips] == [True, False, True]
    assert strips[0].x + strips[0].width == pytest.approx(strips[1].x)
    assert strips[2].x + strips[2].width == pytest.approx(98.6)


def test_months_start_after_the_start_and_name_the_year_in_january() -> None:
    chart = draw_chart(ChartData(datetime(2025, 11, 20, tzinfo=UTC), at(0), 0.25))

    assert [tick.label for tick in chart.months] == ["Dec", "Jan 2026", "Feb", "Mar", "Apr"]


def test_month_labels_thin_out_over_many_years() -> None:
    ticks = draw_chart(ChartData(START, START + timedelta(days=3650), 0.25)).months

    labelled = [tick.x for tick in ticks if tick.label]
    assert len(ticks) > 100
    assert min(b - a for a, b in itertools.pairwise(labelled)) >= 46 / 10.8


def curve_of(*points: tuple[float, float | None, str]) -> Chart:
    curve = [CurvePoint(at(day), pressure, quarter) for day, pressure, quarter in points]
    return draw_chart(ChartData(START, END, 0.25, curve=curve))


def test_an_unknown_pressure_leaves_a_gap_and_is_never_drawn_as_none() -> None:
    curve = curve_of(
        (0, 0.1, "Q2"), (5, 0.2, "Q2"), (6, None, "Q2"), (7, 0.3, "Q2"), (9, 0.4, "Q2")
    ).curve

    assert len(curve.lines) == 2
    assert f"{100:.2f}" not in " ".join(curve.lines)


def test_each_quarter_has_a_line_of_its_own() -> None:
    curve = curve_of((0, 0.1, "Q2"), (5, 0.9, "Q2"), (6, 0.0, "Q3"), (9, 0.4, "Q3")).curve

    assert len(curve.lines) == len(curve.areas) == 2


def test_a_single_known_point_is_still_seen() -> None:
    assert len(curve_of((3, 0.5, "Q2")).curve.lines[0].split()) == 2


def test_only_what_is_above_the_threshold_is_hatched() -> None:
    assert curve_of((0, 0.1, "Q2"), (50, 0.25, "Q2")).curve.hatches == ()
    assert (
        len(
            curve_of((0, 0.1, "Q2"), (9, 0.5, "Q2"), (20, 0.1, "Q2"), (40, 0.9, "Q2")).curve.hatches
        )
        == 2
    )


def test_the_hatch_is_cut_exactly_where_the_curve_crosses_the_threshold() -> None:
    assert above([(0, 100), (10, 50), (20, 100)], 75) == [
        [(5, 75), (5, 75), (10, 50), (15, 75), (15, 75)]
    ]


def test_pressure_out_of_range_stays_in_the_band() -> None:
    assert height_of(1.7) == height_of(1.0)
    assert height_of(-3) == BAND_HEIGHT


def test_pins_at_one_place_stand_above_each_other() -> None:
    pins = place_pins([(50, 100, 1), (50, 100, 2), (50.1, 100, 3)], apart=2)

    heights = sorted(pin.y for pin in pins)
    assert [pin.label for pin in pins] == ["1", "2", "3"]
    assert all(b - a >= PIN for a, b in itertools.pairwise(heights))


def test_a_pin_without_room_joins_a_neighbour_and_none_is_lost() -> None:
    pins = place_pins([(50, 80, number) for number in range(1, 41)], apart=2)

    assert sorted(n for pin in pins for n in pin.numbers) == list(range(1, 41))
    assert all(PIN / 2 <= pin.y <= BAND_HEIGHT - PIN / 2 for pin in pins)
    assert any(pin.label.endswith("+") for pin in pins)


def test_far_pins_leave_each_other_alone() -> None:
    assert {pin.y for pin in place_pins([(10, 60, 1), (90, 60, 2)], apart=2)} == {60}
