"""The sample company as it is shown first: valid, lawful, and rich in what there is to find."""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from hashlib import sha256
from itertools import pairwise

import pytest

from api.sample.cast import REPS
from api.sample.company import DEFAULT_SEED, lines
from api.sample.stories import STORIES
from domain.context import decide_context
from domain.events.catalogue import STREAM_KINDS
from domain.events.customer import (
    CustomerCommitmentRecorded,
    CustomerFeedbackRecorded,
    CustomerGoalAchieved,
)
from domain.events.life import CreditSplitSet, DealDisqualified, DealOpened, DealWon
from domain.events.money import DiscountOffered
from domain.events.progress import ActivityTicked, GateDecided, OutcomeEvidenced, StepFeedbackGiven
from domain.known import Known
from domain.replay import Event
from domain.stamp import Stamp
from projections.pressure.bursts import Ticked, bursts
from projections.pressure.commit_calls import commit_patterns
from projections.pressure.fold import Judged
from projections.pressure.reversals import reversal_patterns
from projections.progress.claims import derive_claims
from tests.support.sample import Company, deal_id, refusals

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
OTHER_DAYS = [
    datetime(2026, 10, 30, 3, 0, tzinfo=UTC),
    datetime(2025, 2, 1, 5, 0, tzinfo=UTC),
    datetime(2028, 2, 29, 23, 0, tzinfo=UTC),
]
LATE = timedelta(hours=48)
FINGERPRINT = "00fcafc5a9e3469dd72c989441e1b050190f179883f7c84c36925f4e9cc39eee"


@cache
def on(now: datetime) -> Company:
    return Company(list(lines(now=now)))


@pytest.fixture(scope="module")
def company() -> Company:
    return on(NOW)


@pytest.fixture(scope="module")
def judged(company: Company) -> Mapping[str, list[Judged]]:
    return {key: company.judged(key) for key in company.deals}


def of_type(company: Company, kind: type) -> list[Event]:
    return [event for event in company.events if isinstance(event.data, kind)]


def verdicts(judged: Mapping[str, list[Judged]], rep: str) -> Counter[str]:
    return Counter(j.verdict for found in judged.values() for j in found if j.event.rep == rep)


def test_the_same_day_and_seed_give_the_same_bytes() -> None:
    first, second, other = (
        [json.dumps(line) for line in lines(now=now, seed=seed)]
        for now, seed in (
            (NOW, DEFAULT_SEED),
            (NOW + timedelta(hours=9), DEFAULT_SEED),
            (NOW, DEFAULT_SEED + 1),
        )
    )

    assert first == second
    assert first != other


def test_the_default_company_is_the_one_that_it_was() -> None:
    """A change of the engine for other histories changes no byte of this one."""
    texts = (json.dumps(line, ensure_ascii=False) for line in lines(now=NOW))

    assert sha256("\n".join(texts).encode()).hexdigest() == FINGERPRINT


def test_the_company_is_large_enough_to_be_looked_at(company: Company) -> None:
    owners = {event.data.owner for event in of_type(company, DealOpened)}  # type: ignore[attr-defined]  # the filter is by type
    teams = {m.team for m in company.known.memberships if m.role == "rep"}

    assert 160 <= len(company.deals) <= 220, len(company.deals)
    assert 5_000 <= len(company.events) <= 9_000
    assert len(owners) >= 8
    assert teams == {"north", "west", "south"}


@pytest.mark.parametrize("now", [NOW, *OTHER_DAYS])
def test_nothing_is_recorded_before_it_happens_or_after_today(now: datetime) -> None:
    company = on(now)

    assert all(event.occurred_at <= event.recorded_at < now for event in company.events)
    recorded = [event.recorded_at for event in company.events]
    assert recorded == sorted(recorded)
    assert len({event.event_id for event in company.events}) == len(company.events)


@pytest.mark.parametrize("now", [NOW, *OTHER_DAYS])
def test_every_event_of_every_deal_would_have_been_accepted(now: datetime) -> None:
    assert list(refusals(on(now))) == []


def test_every_event_of_the_context_would_have_been_accepted(company: Company) -> None:
    context = [e for e in company.events if STREAM_KINDS[e.data.TOPIC.split(".")[1]] != "deal"]
    streams: dict[str, list[Event]] = {}

    for index, event in enumerate(context):
        told = streams.setdefault(event.stream_id, [])
        stamp = Stamp(event.occurred_at, event.recorded_at, event.actor)
        known = Known(context[:index])
        decide_context(event.stream_id, told, [event.data], stamps=[stamp], known=known)
        told.append(event)

    assert len(streams) > 40


def test_no_event_of_a_deal_comes_before_calendar_process_and_people(company: Company) -> None:
    first_deal = next(e for e in company.events if e.stream_id.startswith("deal:"))
    before = {e.stream_id for e in company.events[: first_deal.position - 1]}

    assert {"calendar", "process:standard", "organisation", "rates"} <= before


def test_one_more_deal_changes_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """But for the forecasts of its rep, who books more with it than without."""
    monkeypatch.setattr("api.sample.stories.STORIES", STORIES[:-1])

    fewer = {json.dumps(line) for line in lines(now=NOW)}

    other = [line for line in on(NOW).lines if json.dumps(line) not in fewer]
    assert {str(line["stream"]).partition(":FY")[0] for line in other} == {
        "deal:binding-but-broken",
        "forecast:luis-herrera",
    }


def test_there_is_something_of_every_kind(company: Company) -> None:
    counted = Counter(event.data.TOPIC.split(".")[1] for event in company.events)

    unused = set(STREAM_KINDS) - set(counted)
    assert unused == {"history_gap", "policy_published"}
    for kind, least in {
        "customer_commitment_recorded": 200,
        "commitment_kept": 100,
        "commitment_broken": 20,
        "commitment_renegotiated": 20,
        "commitment_withdrawn": 3,
        "seller_promise_kept": 20,
        "seller_promise_broken": 3,
        "deal_disqualified": 5,
        "deal_lost": 30,
        "deal_won": 50,
        "outcome_contradicted": 5,
        "evidence_withdrawn": 3,
        "review_held": 50,
        "coaching_given": 10,
        "concession_offered": 10,
        "credit_split_set": 5,
        "deal_moved_to_process": 2,
        "forecast_called": 40,
    }.items():
        assert counted[kind] >= least, kind


def test_evidence_and_commitments_of_every_level_occur(company: Company) -> None:
    evidence = {e.data.level for e in company.events if isinstance(e.data, OutcomeEvidenced)}
    commitments = {
        e.data.level for e in company.events if isinstance(e.data, CustomerCommitmentRecorded)
    }

    assert evidence == {1, 2, 3, 4, 5}
    assert commitments == {0, 1, 2, 3, 4, 5}


def test_people_who_are_pressed_and_push_are_shown(judged: Mapping[str, list[Judged]]) -> None:
    assert verdicts(judged, "priya-raman")["pressure_shaped"] >= 10
    assert verdicts(judged, "victor-hale")["pressure_shaped"] >= 10


def test_being_behind_without_pushing_is_not_called_pressure_shaped(
    company: Company, judged: Mapping[str, list[Judged]]
) -> None:
    behind = [
        j
        for found in judged.values()
        for j in found
        if j.event.rep == "ruth-mensah" and j.window and j.behind
    ]

    assert len(behind) >= 5
    assert all(j.verdict != "pressure_shaped" for j in behind)
    assert verdicts(judged, "amara-osei")["pressure_shaped"] == 0
    assert verdicts(judged, "nadia-petrov")["pressure_shaped"] == 0
    assert company.known.quota("ruth-mensah", "FY2027Q2", NOW)[0] is not None


@pytest.mark.parametrize("rep", ["mei-tanaka", "luis-herrera", "grace-adeyemi"])
def test_a_quarter_end_that_the_customers_ask_for_is_consistent_and_not_shaped(
    rep: str, judged: Mapping[str, list[Judged]]
) -> None:
    found = verdicts(judged, rep)

    assert found["pressure_shaped"] == 0
    assert found["pressure_consistent"] >= 5


def test_hardly_anything_is_beyond_judgement(judged: Mapping[str, list[Judged]]) -> None:
    found = Counter(j.verdict for one in judged.values() for j in one)

    assert found["not_evaluable"] <= 0.02 * found.total()


def test_every_team_has_dozens_of_ordinary_discounts(company: Company) -> None:
    team = {rep.id: rep.team for rep in REPS}
    offers = Counter(
        team.get(act.rep, "north")
        for _, act in company.acts
        if act.kind == "discount_offered" and act.interior
    )

    assert min(offers[name] for name in ("north", "west", "south")) >= 24


def test_box_tickers_tick_what_nothing_shows(company: Company) -> None:
    end = company.events[-1].recorded_at
    shares: dict[str, list[Decimal]] = {"tomas-lindqvist": [], "amara-osei": []}
    for key, events in company.deals.items():
        owner = events[0].data
        assert isinstance(owner, DealOpened)
        if owner.owner in shares:
            share = checkbox_only(company, key, end)
            shares[owner.owner] += [] if share is None else [share]

    ticker, diligent = (sum(found) / len(found) for found in shares.values())
    assert ticker > Decimal("0.5")
    assert diligent < Decimal("0.35")


def checkbox_only(company: Company, key: str, at: datetime) -> Decimal | None:
    statuses = [a.status(at) for a in company.progress(key).activities]
    settled = [s for s in statuses if s in {"evidenced", "evidenced_late"} | HOLLOW]
    return Decimal(sum(s in HOLLOW for s in settled)) / len(settled) if settled else None


HOLLOW = {"asserted_only", "bare_tick"}


def test_bursts_of_ticks_occur(company: Company) -> None:
    longest = 0
    for rep in REPS:
        ticks = sorted(
            e.recorded_at
            for e in company.events
            if isinstance(e.data, ActivityTicked) and e.rep == rep.id
        )
        run = 1
        for earlier, later in pairwise(ticks):
            run = run + 1 if later - earlier <= timedelta(seconds=120) else 1
            longest = max(longest, run)

    assert longest >= 5


def test_some_entries_are_late_and_one_win_crosses_a_quarter(company: Company) -> None:
    lags = [event.recorded_at - event.occurred_at for event in company.events]
    calendar = company.known.calendar
    crossing = [
        e.stream_id
        for e in company.events
        if isinstance(e.data, DealWon)
        and calendar.quarter_of(e.occurred_at) != calendar.quarter_of(e.recorded_at)
    ]

    assert sum(lag < timedelta(minutes=15) for lag in lags) > 0.9 * len(lags)
    assert sum(timedelta(minutes=30) < lag < LATE for lag in lags) >= 50
    assert 5 <= sum(lag > LATE for lag in lags) <= 60
    assert crossing == ["deal:booked-late"]


def test_foreign_money_is_booked_at_plan_rates(company: Company) -> None:
    won = [e.data for e in of_type(company, DealWon) if e.rep == "nadia-petrov"]

    assert {data.net.currency for data in won if isinstance(data, DealWon)} == {"EUR"}
    assert company.bookings["nadia-petrov", "FY2027Q1"]


def test_splits_feedback_gates_and_goals_occur_both_ways(company: Company) -> None:
    felt = {
        e.data.felt_pressured
        for e in company.events
        if isinstance(e.data, CustomerFeedbackRecorded)
    }
    gates = {e.data.decision for e in company.events if isinstance(e.data, GateDecided)}
    shared = [e for e in company.events if isinstance(e.data, CreditSplitSet)
              and len(e.data.shares) > 1]  # fmt: skip

    assert felt == {True, False}
    assert gates == {"go", "conditional", "no_go"}
    assert shared
    assert of_type(company, CustomerGoalAchieved)
    assert of_type(company, DealDisqualified)


def test_the_handshake_is_ticked_and_not_shown(company: Company) -> None:
    events = company.deals["handshake"]
    ticked = [e for e in events if isinstance(e.data, ActivityTicked)]
    claims = [e.data for e in events if isinstance(e.data, OutcomeEvidenced)]
    activity = next(
        a for a in company.progress("handshake").activities if a.activity == "meet-decision-makers"
    )

    assert any(e.data.activity == "meet-decision-makers" for e in ticked)  # type: ignore[attr-defined]  # filtered
    assert any("Shook hands" in str(c.statement) for c in claims if c.level == 1)
    assert activity.status(NOW) in HOLLOW
    assert any(isinstance(e.data, StepFeedbackGiven) for e in events)
    share = checkbox_only(company, "handshake", NOW)
    assert share is not None
    assert share > Decimal("0.7")


def test_the_order_of_this_month_is_pressure_shaped(judged: Mapping[str, list[Judged]]) -> None:
    shaped = [j for j in judged["order-this-month"] if j.verdict == "pressure_shaped"]
    offers = [j.event.data for j in shaped if isinstance(j.event.data, DiscountOffered)]

    assert {j.kind for j in shaped} == {"close_date_moved", "discount_offered", "stage_entered"}
    assert [str(offer.reason) for offer in offers] == [
        "I need your order this month, so I'll give you a discount."
    ]


@pytest.mark.parametrize("key", ["customers-budget", "left-in-peace"])
def test_the_honest_counterparts_are_not_pressure_shaped(
    key: str, judged: Mapping[str, list[Judged]]
) -> None:
    assert {j.verdict for j in judged[key]} <= {"not_pressure_shaped", "pressure_consistent"}


def test_the_documented_deals_are_there(company: Company) -> None:
    assert {story.key for story in STORIES} <= set(company.deals)


def test_the_scripted_deals_show_the_patterns_that_they_tell_of(company: Company) -> None:
    policy, calendar = company.known.policy, company.known.calendar

    def closed(key: str) -> list[tuple[str, bool | None]]:
        found = reversal_patterns(company.deals[key], policy, calendar, NOW)
        return [(one.name, one.holds) for one in found]

    assert closed("won-and-reversed")[0] == ("win_reversed", True)
    assert ("lost_and_reopened", True) in closed("lost-and-back")
    assert closed("order-this-month") == [("win_reversed", False)]
    called = commit_patterns(company.deals["handshake"], policy, calendar)
    assert [one.holds for one in called] == [True]


def test_the_bursts_are_bulk_ticks_of_the_reps_who_tick_in_runs(company: Company) -> None:
    ticks = [
        Ticked(claim.event_id, deal_id(key), claim.rep, claim.recorded_at, claim.shown())
        for key, events in company.deals.items()
        for claim in derive_claims(events, company.known)
        if claim.until_at is None
    ]
    policy = company.known.policy

    kinds = Counter((b.ticks[0].rep, b.kind(policy)) for b in bursts(ticks, policy))
    hurried = deal_id("order-this-month")
    story = [b for b in bursts(ticks, policy) if any(t.deal_id == hurried for t in b.ticks)]

    assert {kind for _, kind in kinds} == {"bulk_tick"}
    assert {rep for rep, _ in kinds} == {"priya-raman", "tomas-lindqvist", "victor-hale"}
    assert [b.kind(policy) for b in story] == ["bulk_tick"]
