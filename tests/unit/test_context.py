"""Decisions about what surrounds the deals, each stream with its own rules."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest

from domain.context import decide_context
from domain.errors import (
    AlreadySoError,
    CalendarRefusedError,
    ContradictionError,
    DomainError,
    MisplacedEventError,
    OrganisationRefusedError,
    PolicyRefusedError,
    ProcessRefusedError,
    QuotaRefusedError,
)
from domain.events.base import DomainEvent
from domain.events.context import (
    CalendarAdopted,
    ForecastCalled,
    MemberJoined,
    MemberLeft,
    PlanRateSet,
    PolicyPublished,
    ProcessPublished,
    QuotaAssigned,
    QuotaRevised,
    QuotaWithdrawn,
)
from domain.events.people import NoteAdded
from domain.known import Known
from domain.process import Activity, Closing, Outcome, Stage
from domain.quota import forecast_stream, quota_stream
from domain.replay import Event
from domain.values import Money
from tests.support.histories import recorded_as, stamp_at
from tests.support.told import usd

QUOTA = quota_stream(who="ann", quarter="FY2025Q1")
TEAM_QUOTA = quota_stream(who="north", quarter="FY2025Q1")
FORECAST = forecast_stream(who="ann", quarter="FY2025Q1")
ASSIGNED = QuotaAssigned(rep="ann", quarter="FY2025Q1", amount=usd("800000"))
OF_TEAM = QuotaAssigned(team="north", quarter="FY2025Q1", amount=usd("3000000"))
REVISED = QuotaRevised(amount=usd("1000000"))
CALENDAR = CalendarAdopted(
    zone="America/New_York",
    kind="months",
    parameters={"start_month": 2},
    effective_from=date(2025, 2, 1),
)
JOINED = MemberJoined(rep="ann", team="north", manager="mia", role="rep")


def activity(name: str, *, outcome: str | None = None) -> Activity:
    outcomes = [Outcome(id=outcome or f"{name}_done", name="Shown")]
    return Activity(id=name, name=name, purpose="To learn", outcomes=outcomes)


def stages(*, closing_work: bool = False) -> list[Stage]:
    work = [activity("celebrate")] if closing_work else []
    return [
        Stage(id="first", name="First", goal="Know more", activities=[activity("demo")]),
        Stage(id="won", name="Won", goal="Ordered", activities=work),
    ]


def published(version: int, **changes: object) -> ProcessPublished:
    process = ProcessPublished(
        version=version, name="B2B", stages=stages(), closing=Closing(won="won", lost="lost")
    )
    return process.model_copy(update=changes)


def decided(
    stream: str,
    *intents: DomainEvent,
    before: Sequence[Event] = (),
    hours: Sequence[float] | None = None,
    known: Sequence[Event] = (),
) -> list[DomainEvent]:
    stamps = [stamp_at(hour, recorded=99) for hour in hours or range(len(intents))]
    return decide_context(stream, before, intents, stamps=stamps, known=Known(known))


def refused(
    error: type[DomainError],
    stream: str,
    *intents: DomainEvent,
    hours: Sequence[float] | None = None,
    known: Sequence[Event] = (),
) -> str | None:
    """The field of the refusal of the last of these."""
    with pytest.raises(error) as raised:
        decided(stream, *intents, hours=hours, known=known)
    prefix, _, field = str(raised.value.field).partition(".")
    assert prefix == f"events[{len(intents) - 1}]"
    return field


def test_a_quota_is_assigned_revised_withdrawn_and_assigned_anew() -> None:
    run = [ASSIGNED, REVISED, QuotaWithdrawn(), ASSIGNED]

    assert decided(QUOTA, *run) == run


def test_a_team_has_a_quota_like_a_rep() -> None:
    assert decided(TEAM_QUOTA, OF_TEAM) == [OF_TEAM]


def test_what_the_stream_holds_already_counts() -> None:
    stored = [recorded_as([], ASSIGNED, stamp_at(0))]

    assert decided(QUOTA, REVISED, before=stored, hours=[1]) == [REVISED]
    with pytest.raises(QuotaRefusedError, match="rep 'ann' has a quota for FY2025Q1"):
        decided(QUOTA, ASSIGNED, before=stored, hours=[1])


def test_a_quota_is_of_whom_and_when_its_stream_says() -> None:
    other_rep = ASSIGNED.model_copy(update={"rep": "bob"})
    other_quarter = ASSIGNED.model_copy(update={"quarter": "FY2025Q2"})

    assert refused(MisplacedEventError, QUOTA, other_rep) == "data.rep"
    assert refused(MisplacedEventError, QUOTA, other_quarter) == "data.rep"
    assert refused(MisplacedEventError, QUOTA, OF_TEAM) == "data.team"


def test_a_rep_and_a_team_of_one_name_do_not_share_a_quota() -> None:
    team = QuotaAssigned(team="ann", quarter="FY2025Q1", amount=usd("1"))

    assert refused(QuotaRefusedError, QUOTA, ASSIGNED, team) == "type"


def test_a_quota_is_for_a_quarter_that_the_calendar_has() -> None:
    explicit = CalendarAdopted(
        zone="UTC",
        kind="explicit",
        parameters={"periods": [{"name": "FY2026Q1", "start": "2025-01-01", "end": "2025-04-02"}]},
        effective_from=date(2025, 1, 1),
    )
    known = [recorded_as([], explicit, stamp_at(0))]

    assert refused(QuotaRefusedError, QUOTA, ASSIGNED, known=known) == "data.quarter"


@pytest.mark.parametrize(
    ("run", "field"),
    [
        ([REVISED], "type"),
        ([QuotaWithdrawn()], "type"),
        ([ASSIGNED, ASSIGNED], "type"),
        ([ASSIGNED, QuotaWithdrawn(), REVISED], "type"),
        ([ASSIGNED, QuotaWithdrawn(), QuotaWithdrawn()], "type"),
        ([ASSIGNED, QuotaRevised(amount=Money.of("1", "EUR"))], "data.amount.currency"),
        ([ASSIGNED, QuotaRevised(amount=usd("-1"))], "data.amount"),
    ],
)
def test_a_quota_is_changed_only_while_it_is_in_force(run: list[DomainEvent], field: str) -> None:
    assert refused(QuotaRefusedError, QUOTA, *run) == field


def test_a_quota_is_not_revised_to_what_it_is() -> None:
    same = QuotaRevised(amount=usd("800000.00"))

    assert refused(AlreadySoError, QUOTA, ASSIGNED, same) == "data.amount"


def test_a_quota_is_not_revised_before_it_was_assigned() -> None:
    assert refused(QuotaRefusedError, QUOTA, ASSIGNED, REVISED, hours=[10, 5]) == "type"


def test_a_quota_is_not_assigned_anew_before_it_was_withdrawn() -> None:
    run = [ASSIGNED, QuotaWithdrawn(), ASSIGNED]

    assert refused(ContradictionError, QUOTA, *run, hours=[1, 10, 5]) == "occurred_at"


@pytest.mark.parametrize(
    ("stream", "event"),
    [
        ("policy", ASSIGNED),
        ("quota", ASSIGNED),
        ("policy:x", PolicyPublished(version=1, numbers={})),
        ("process", published(1)),
        (QUOTA, NoteAdded(text="Not here")),
    ],
)
def test_an_event_belongs_to_a_stream_of_its_kind(stream: str, event: DomainEvent) -> None:
    assert refused(MisplacedEventError, stream, event) == "type"


def test_versions_of_a_process_only_grow() -> None:
    assert len(decided("process:b2b", published(1), published(3))) == 2
    assert refused(ProcessRefusedError, "process:b2b", published(2), published(2)) == "data.version"


def test_a_process_of_the_built_in_ones_id_goes_on_from_it() -> None:
    assert refused(ProcessRefusedError, "process:default", published(1)) == "data.version"
    assert len(decided("process:default", published(2))) == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"stages": [*stages(), *stages()]}, "data.stages"),
        ({"closing": Closing(won="won", lost=["lost", "won"])}, "data.closing"),
        ({"closing": Closing(won=["first", "won"], lost="lost")}, "data.stages"),
        ({"stages": stages(closing_work=True)}, "data.stages.1.activities"),
    ],
    ids=["an id used twice", "won and lost", "no stage to work in", "work in a closing stage"],
)
def test_a_process_that_cannot_be_worked_by_is_refused(
    changes: dict[str, object], field: str
) -> None:
    assert refused(ProcessRefusedError, "process:b2b", published(1, **changes)) == field


def test_a_policy_has_known_numbers_and_a_new_version() -> None:
    first = PolicyPublished(version=1, numbers={"theta": "0.3"})
    unknown = PolicyPublished(version=2, numbers={"thetta": "0.3"})

    assert decided("policy", first) == [first]
    assert refused(PolicyRefusedError, "policy", first, unknown) == "data.numbers.thetta"
    assert refused(PolicyRefusedError, "policy", first, first) == "data.version"


def test_a_calendar_is_complete_and_not_older_than_the_one_in_force() -> None:
    older = CALENDAR.model_copy(
        update={"effective_from": date(2024, 1, 1), "parameters": {"start_month": 1}}
    )
    wrong = CALENDAR.model_copy(update={"parameters": {"start_month": 13}})

    assert decided("calendar", CALENDAR) == [CALENDAR]
    assert refused(CalendarRefusedError, "calendar", CALENDAR, older) == "data.effective_from"
    assert refused(CalendarRefusedError, "calendar", wrong) == "data.parameters.start_month"
    assert refused(AlreadySoError, "calendar", CALENDAR, CALENDAR) == "data"


def test_a_rep_is_in_one_team_at_a_time() -> None:
    moved = JOINED.model_copy(update={"team": "south"})
    run = [JOINED, MemberLeft(rep="ann"), moved]

    assert decided("organisation", *run) == run
    assert refused(OrganisationRefusedError, "organisation", JOINED, moved) == "data.rep"
    assert refused(AlreadySoError, "organisation", JOINED, JOINED) == "data.rep"


def test_only_a_member_leaves() -> None:
    left = MemberLeft(rep="ann")

    assert refused(OrganisationRefusedError, "organisation", left) == "data.rep"
    assert refused(OrganisationRefusedError, "organisation", JOINED, left, hours=[5, 4]) == (
        "data.rep"
    )


def test_nobody_is_managed_by_those_whom_they_manage() -> None:
    own = MemberJoined(rep="ann", team="north", manager="ann", role="rep")
    manager = MemberJoined(rep="mia", team="north", manager="ann", role="manager")

    assert refused(OrganisationRefusedError, "organisation", own) == "data.manager"
    assert refused(OrganisationRefusedError, "organisation", JOINED, manager) == "data.manager"


def test_a_plan_rate_is_replaced_by_another_but_not_repeated() -> None:
    rate = PlanRateSet(fiscal_year=2025, currency="EUR", rate=Decimal("1.08"))
    other = rate.model_copy(update={"rate": Decimal("1.10")})
    next_year = rate.model_copy(update={"fiscal_year": 2026})

    assert len(decided("rates", rate, other, rate, next_year)) == 4
    assert refused(AlreadySoError, "rates", rate, rate) == "data.rate"


def test_a_forecast_is_of_its_stream_and_its_best_case_is_not_the_worse() -> None:
    called = ForecastCalled(
        rep="ann", quarter="FY2025Q1", commit=usd("800000"), best_case=usd("900000")
    )
    below = called.model_copy(update={"best_case": usd("1")})
    foreign = called.model_copy(update={"best_case": Money.of("900000", "EUR")})

    assert decided(FORECAST, called, called) == [called, called]
    assert refused(ContradictionError, FORECAST, below) == "data.best_case"
    assert refused(ContradictionError, FORECAST, foreign) == "data.best_case.currency"
    assert refused(MisplacedEventError, FORECAST, called.model_copy(update={"rep": "bob"})) == (
        "data.rep"
    )
