"""The parts of the sample company's engine: chance, calendar, market, journal."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import pytest

from api.sample.accounts import customer_named
from api.sample.cast import REPS
from api.sample.chance import Chance
from api.sample.journal import Journal
from api.sample.market import Market
from api.sample.process import ACTIVITIES, outcomes_of, published
from api.sample.timeline import Timeline, local_date, office_moment
from domain.events.catalogue import parse
from domain.events.context import ProcessPublished
from domain.process import Process, check_process

NOW = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)


class Clockwork:
    """Notes the moments at which it acts."""

    def __init__(self, name: str, moments: list[datetime], log: list[tuple[str, datetime]]) -> None:
        self._name = name
        self._moments = moments
        self._log = log

    def next_at(self) -> datetime | None:
        return self._moments[0] if self._moments else None

    def act(self) -> None:
        self._log.append((self._name, self._moments.pop(0)))


def test_a_stream_of_chance_is_the_same_every_time_and_another_one_for_another_name() -> None:
    draws = [Chance(7, name).between(0, 10**9) for name in ("PR-101", "PR-101", "PR-102")]

    assert draws[0] == draws[1]
    assert draws[0] != draws[2]


def test_draws_stay_within_their_bounds_and_reach_both() -> None:
    chance = Chance("bounds")

    drawn = {chance.between(3, 5) for _ in range(200)}

    assert drawn == {3, 4, 5}


def test_the_year_has_three_closed_quarters_before_the_one_of_today() -> None:
    timeline = Timeline(NOW)

    assert [timeline.quarter(index).name for index in range(-1, 5)] == [
        "FY2026Q4",
        "FY2027Q1",
        "FY2027Q2",
        "FY2027Q3",
        "FY2027Q4",
        "FY2028Q1",
    ]
    assert timeline.horizon == datetime(2026, 11, 24, tzinfo=UTC)
    assert timeline.quarter(3).contains(timeline.horizon)


def test_the_hour_of_the_day_changes_nothing() -> None:
    assert Timeline(NOW).horizon == Timeline(NOW + timedelta(hours=8)).horizon


def test_a_local_time_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        Timeline(NOW.replace(tzinfo=None))


def test_nobody_works_at_the_weekend_and_no_day_moves_into_the_next_quarter() -> None:
    chance = Chance("weekends")

    days = {local_date(office_moment(date(2026, 10, 31), chance)) for _ in range(50)}

    assert days == {date(2026, 10, 30)}


def test_the_position_is_what_the_metrics_call_pressure() -> None:
    timeline = Timeline(NOW)
    market, quarter = Market(timeline), timeline.quarter(0)
    market.set_quota("ann", quarter.name, Decimal(1000), since=quarter.start_instant)
    halfway = quarter.start_instant + (quarter.end_instant - quarter.start_instant) / 2
    market.book({"ann": Decimal("0.5"), "ben": Decimal("0.5")}, Decimal(400), at=halfway)

    before = market.position("ann", halfway)
    after = market.position("ann", halfway + timedelta(seconds=1))

    assert before is not None
    assert before.attained == 0
    assert before.pressure == pytest.approx(Fraction(1, 2), abs=0.01)
    assert before.behind
    assert after is not None
    assert after.attained == 200
    assert after.pressure == pytest.approx(Fraction(300, 800), abs=0.01)


def test_a_revised_quota_holds_from_its_own_instant() -> None:
    timeline = Timeline(NOW)
    market, quarter = Market(timeline), timeline.quarter(0)
    revised_at = quarter.start_instant + timedelta(days=40)
    market.set_quota("ann", quarter.name, Decimal(1000), since=quarter.start_instant)
    market.set_quota("ann", quarter.name, Decimal(1500), since=revised_at)

    positions = [market.position("ann", revised_at + timedelta(days=by)) for by in (-1, 1)]

    assert [p.quota for p in positions if p] == [1000, 1500]
    assert market.position("ben", revised_at) is None


def test_agents_act_in_the_order_of_time_until_the_end() -> None:
    log: list[tuple[str, datetime]] = []
    hours = [NOW + timedelta(hours=n) for n in range(6)]
    agents = [Clockwork("a", [hours[0], hours[3], hours[5]], log)]
    agents.append(Clockwork("b", [hours[1], hours[3]], log))

    market = Market(Timeline(NOW))
    for agent in agents:
        market.add(agent)
    market.run(until=hours[5])

    assert log == [("a", hours[0]), ("b", hours[1]), ("a", hours[3]), ("b", hours[3])]


def test_the_journal_gives_lines_by_recording_and_nothing_from_the_future() -> None:
    journal = Journal(seed=1)
    told = {}
    for name, hours in (("late", -1), ("early", -5), ("future", 1)):
        told[name] = journal.tell(
            stream="deal:x",
            type_name="note_added",
            occurred_at=NOW - timedelta(days=1),
            recorded_at=NOW + timedelta(hours=hours),
            actor="ann",
            data={"text": name},
        )

    given = [line["external_id"] for line in journal.upto(NOW)]

    assert given == [told["early"], told["late"]]
    assert {UUID(str(one)).version for one in given} == {7}


@pytest.mark.parametrize("version", [1, 2])
def test_both_processes_are_sound_and_know_what_the_engine_speaks_of(version: int) -> None:
    payload = parse(ProcessPublished, published(version))

    assert isinstance(payload, ProcessPublished)
    check_process(payload.stages)
    process = Process(
        id="standard",
        version=version,
        name=payload.name,
        stages=payload.stages,
        closing=payload.closing,
    )
    assert {
        stage.id: tuple(a.id for a in stage.activities) for stage in process.working_stages
    } == (ACTIVITIES)
    spoken = {o for activity in process.activities for o in outcomes_of(activity, version)}
    assert spoken == set(process.outcomes)


def test_a_customer_has_the_same_four_people_in_every_deal() -> None:
    customer = customer_named("Stavell Precision")

    assert customer == customer_named("Stavell Precision")
    assert len({contact.id for contact in customer.contacts}) == 4


def test_no_two_reps_have_the_same_initials_since_deals_are_named_by_them() -> None:
    initials = ["".join(part[0] for part in rep.id.split("-")) for rep in REPS]

    assert len(set(initials)) == len(initials)


def test_the_journal_forgets_what_it_gave_and_takes_up_where_it_stopped() -> None:
    journal = Journal(seed=1)
    told = [
        journal.tell(
            stream="deal:x",
            type_name="note_added",
            occurred_at=NOW,
            recorded_at=NOW + timedelta(hours=hours),
            actor="ann",
            data={"text": str(hours)},
        )
        for hours in (3, 1)
    ]

    first = [line["external_id"] for line in journal.upto(NOW + timedelta(hours=2))]
    rest = [line["external_id"] for line in journal.upto(NOW + timedelta(hours=4))]

    assert (first, rest) == ([told[1]], [told[0]])


def test_the_market_goes_on_where_it_stopped() -> None:
    log: list[tuple[str, datetime]] = []
    hours = [NOW + timedelta(hours=n) for n in range(4)]
    market = Market(Timeline(NOW))
    market.add(Clockwork("a", [hours[0], hours[2]], log))
    market.run(until=hours[1])
    market.add(Clockwork("b", [hours[1]], log))

    market.run(until=hours[3])

    assert log == [("a", hours[0]), ("b", hours[1]), ("a", hours[2])]
