"""Simulated histories: lawful, shaped as published, and with a truth that is told apart."""

import json
import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from api.cli import main
from api.sample.behaviour import STEADY
from api.sample.cast import MOST_REPS, RATES, cast_of
from api.sample.closing import first_business_day
from api.sample.history import Setting, history
from api.sample.history_context import CALENDARS
from api.sample.journal import Json
from api.sample.profiles import PROFILES
from api.sample.timeline import WINDOW, local_date
from api.validation.scores import PATTERNS
from domain.calendars import calendar_from
from domain.events.context import CalendarAdopted
from domain.fiscal import WeeksCalendar
from domain.values import utc_instant
from tests.support.sample import Company, Line, refusals

NOW = datetime(2026, 2, 10, 9, 30, tzinfo=UTC)
GAMING = Setting(PROFILES["gaming"], quarters=3, reps=3)
SHORT = replace(GAMING, quarters=1, reps=2)
FOUR = replace(GAMING, quarters=2, reps=4)
"""So many that some of them share the credit for deals."""
SEED = 1


def told_anew(setting: Setting, *, seed: int = SEED) -> tuple[list[Line], list[Json]]:
    truth: list[Json] = []
    return list(history(setting, now=NOW, seed=seed, truth=truth.append)), truth


told = cache(told_anew)


@cache
def whole(profile: str) -> tuple[list[Line], list[Json]]:
    """A history of the default size, but shorter."""
    return told_anew(Setting(PROFILES[profile], quarters=4))


def of_type(lines: Iterable[Line], name: str) -> list[Line]:
    return [line for line in lines if line["type"] == name]


def data(line: Line) -> dict[str, object]:
    found = line["data"]
    assert isinstance(found, dict)
    return found


def money(found: object) -> Decimal:
    """In the currency of the quotas."""
    assert isinstance(found, dict)
    return Decimal(found["amount"]) * RATES[found["currency"]]


def share(lines: list[Line], holds: Callable[[Line], bool]) -> float:
    return sum(map(holds, lines)) / len(lines)


def on_last_day(line: Line) -> bool:
    day = local_date(utc_instant(line["occurred_at"]))
    return day == CALENDARS["months"].rule.quarter_on(day).last_business_day


def on_first_day(line: Line) -> bool:
    day = local_date(utc_instant(line["occurred_at"]))
    return day == first_business_day(CALENDARS["months"].rule.quarter_on(day))


def in_window(line: Line) -> bool:
    day = local_date(utc_instant(line["occurred_at"]))
    return (CALENDARS["months"].rule.quarter_on(day).end - day).days < WINDOW


def truly_lost(truth: Iterable[Json]) -> Decimal:
    return sum((money(line["lost"]) for line in truth if "lost" in line), Decimal(0))


def test_the_same_seed_gives_the_same_history_and_truth() -> None:
    assert told_anew(SHORT) == told(SHORT)
    assert told(SHORT, seed=2)[0] != told(SHORT)[0]


def test_to_ask_for_the_truth_changes_nothing() -> None:
    assert list(history(SHORT, now=NOW, seed=SEED)) == told(SHORT)[0]


@pytest.mark.parametrize("profile", PROFILES)
def test_every_event_would_have_been_accepted_in_the_order_given(profile: str) -> None:
    setting = replace(
        FOUR,
        profile=PROFILES[profile],
        unrecorded=0.2,
        backdated=0.2,
        split=0.3,
        revised=0.5,
        calendar="4-4-5",
    )

    lines, _ = told(setting)
    company = Company(lines)

    recorded = [event.recorded_at for event in company.events]
    assert recorded == sorted(recorded)
    assert all(event.occurred_at <= event.recorded_at < NOW for event in company.events)
    assert len({event.event_id for event in company.events}) == len(company.events)
    assert list(refusals(company)) == []


def test_gaming_has_the_published_shape() -> None:
    """Larkin 2014: 75 % of deals on the last day, 5 % on the first, a cost of 6-8 % of revenue."""
    lines, truth = whole("gaming")
    won = of_type(lines, "deal_won")

    cost = truly_lost(truth) / sum(money(data(line)["net"]) for line in won)

    assert share(won, on_last_day) == pytest.approx(0.75, abs=0.05)
    assert share(won, on_first_day) == pytest.approx(0.05, abs=0.025)
    assert Decimal("0.06") <= cost <= Decimal("0.08")


def test_only_gaming_loses_money_and_bends_acts() -> None:
    for profile in PROFILES:
        _, truth = whole(profile)
        shaped = Counter(line["type"] for line in truth if line.get("shaped"))

        assert (truly_lost(truth) > 0) == (profile == "gaming")
        bent = {"activity_ticked", "close_date_moved", "discount_offered", "stage_entered"}
        assert bent <= shaped.keys() if profile == "gaming" else not shaped


def test_only_gaming_has_patterns_and_every_company_what_looks_like_them() -> None:
    for profile in PROFILES:
        lines, truth = whole(profile)
        kinds = Counter(line["type"] for line in lines)
        patterns = {(line["type"], line["pattern"]) for line in truth if line.get("pattern")}

        looked_for = {(kind, name) for name, (_, kind) in PATTERNS.items()}
        assert looked_for <= patterns if profile == "gaming" else not patterns
        assert kinds["win_reversed"] > 0
        assert kinds["deal_reopened"] > 0
        raised = of_type(lines, "forecast_category_changed")
        assert any(data(line)["category"] == "commit" for line in raised)


def test_deals_that_do_not_fit_are_opened_more_often_where_reps_game() -> None:
    def off(profile: str) -> float:
        opened = [line for line in whole(profile)[1] if line["type"] == "deal_opened"]
        return sum(bool(line["off_fit"]) for line in opened) / len(opened)

    assert off("quiet") == pytest.approx(0.1, abs=0.03)
    assert off("gaming") > off("quiet") + 0.03


def test_quarters_end_with_a_spike_but_where_nothing_happens() -> None:
    shares = {p: share(of_type(whole(p)[0], "deal_won"), in_window) for p in PROFILES}

    assert shares["quiet"] == pytest.approx(WINDOW / 91, abs=0.05)
    assert shares["effort"] > 2 * shares["quiet"]
    assert shares["customers"] > 3 * shares["quiet"]
    assert shares["gaming"] > 4 * shares["quiet"]


def test_effort_gives_no_more_discount_than_a_quiet_company() -> None:
    def deepest(profile: str) -> Decimal:
        offers = of_type(whole(profile)[0], "discount_offered")
        depths = [Decimal(str(data(line)["percent"])) for line in offers if in_window(line)]
        return sum(depths, Decimal(0)) / len(depths)

    assert deepest("effort") == pytest.approx(deepest("quiet"), abs=Decimal(1))
    assert deepest("gaming") > deepest("quiet") + 5


def test_customers_with_a_deadline_ask_before_anybody_hurries() -> None:
    lines, truth = whole("customers")
    hurried = {
        line["external_id"]
        for line in truth
        if line.get("deadline") == "customer" and line["type"] == "close_date_moved"
    }
    company = Company(lines)

    moves = [e for e in company.events if str(e.event_id) in hurried]
    asked = {
        (e.stream_id, local_date(e.occurred_at))
        for e in company.events
        if type(e.data).__name__ == "CustomerRequestReceived"
    }

    assert len(moves) > 100
    assert all((e.stream_id, local_date(e.occurred_at)) in asked for e in moves)


def test_the_truth_names_every_act_of_a_seller_once_and_the_record_says_nothing_of_it() -> None:
    lines, truth = told(replace(GAMING, unrecorded=0.1))
    kinds = {"activity_ticked", "close_date_moved", "deal_lost", "deal_opened", "deal_won"}
    kinds |= {"discount_offered", "forecast_category_changed", "stage_entered"}
    acts = [line["external_id"] for line in lines if line["type"] in kinds]

    named = [line["external_id"] for line in truth if line["recorded"]]

    assert sorted(map(str, named)) == sorted(map(str, acts))
    assert not any({"shaped", "driver", "lost"} & data(line).keys() for line in lines)


@pytest.mark.parametrize("unrecorded", [0.0, 0.1, 1.0])
def test_the_share_of_unrecorded_customer_events_is_the_one_asked_for(unrecorded: float) -> None:
    lines, truth = told(replace(GAMING, unrecorded=unrecorded))
    missing = sum(not line["recorded"] for line in truth)

    kept = sum(
        line["type"] in {"customer_request_received", "customer_commitment_recorded"}
        or (line["type"] == "outcome_evidenced" and "contact" in str(data(line)["author"]))
        for line in lines
    )

    assert missing / (missing + kept) == pytest.approx(unrecorded, abs=0.02)


def test_backdated_bookkeeping_says_that_it_happened_days_before() -> None:
    def days_late(backdated: float) -> int:
        company = Company(told(replace(GAMING, backdated=backdated))[0])
        late = (e.recorded_at - e.occurred_at for e in company.events)
        return sum(one.days >= 1 for one in late)

    assert days_late(0.5) > days_late(0.0) + 500


def test_imported_deals_come_without_recording_times() -> None:
    lines, _ = told(replace(GAMING, imported=0.3))
    deals = {line["stream"] for line in of_type(lines, "deal_opened")}
    imported = {line["stream"] for line in lines if "recorded_at" not in line}

    assert imported < deals
    assert len(imported) / len(deals) == pytest.approx(0.3, abs=0.1)


def test_credit_is_split_and_quotas_are_revised_as_often_as_asked() -> None:
    lines, _ = told(replace(FOUR, split=1.0, revised=1.0))
    none, _ = told(replace(FOUR, split=0.0, revised=0.0))

    quotas = [line for line in of_type(lines, "quota_assigned") if "rep" in data(line)]
    # The last quota lies in a quarter whose middle is still to come.
    assert len(of_type(lines, "quota_revised")) >= len(quotas) - FOUR.reps
    assert len(of_type(lines, "credit_split_set")) > 50
    assert not of_type(none, "quota_revised") + of_type(none, "credit_split_set")


def test_years_of_whole_weeks_are_adopted_and_lived_by() -> None:
    lines, _ = told(replace(GAMING, calendar="4-4-5"))
    adopted = CalendarAdopted.model_validate(data(of_type(lines, "calendar_adopted")[0]))
    calendar = calendar_from(kind=adopted.kind, zone=adopted.zone, parameters=adopted.parameters)
    assert isinstance(calendar, WeeksCalendar)

    won = [local_date(utc_instant(line["occurred_at"])) for line in of_type(lines, "deal_won")]

    assert calendar.pattern == "4-4-5"
    last = sum(day == calendar.quarter_on(day).last_business_day for day in won)
    assert last / len(won) > 0.6


def test_a_longer_history_takes_no_more_memory() -> None:
    def peak(quarters: int) -> int:
        tracemalloc.start()
        for _ in history(replace(GAMING, reps=1, quarters=quarters), now=NOW, seed=SEED):
            pass
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    short = peak(2)  # first, for what is kept once for all is kept by whoever comes first
    assert peak(6) < 1.2 * short


def test_as_many_reps_as_there_may_be_have_names_of_their_own() -> None:
    names = [rep.id for rep in cast_of(MOST_REPS, [STEADY]).reps]

    assert len(set(names)) == MOST_REPS


def test_a_local_time_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        next(history(GAMING, now=NOW.replace(tzinfo=None), seed=SEED))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    def run_command(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["dealtrail", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
        return int(stopped.value.code or 0)

    return run_command


def test_the_command_writes_history_truth_and_imported_deals_apart(
    run: Callable[..., int], tmp_path: Path
) -> None:
    small = ["--profile", "gaming", "--quarters", "1", "--reps", "2", "--imported", "0.3"]
    output, truth = tmp_path / "history.ndjson", tmp_path / "truth.ndjson"

    assert run("sample", *small, "--output", str(output), "--truth", str(truth)) == 0

    def read(path: Path) -> list[Line]:
        return [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines()]

    assert all("recorded_at" in line for line in read(output))
    assert all("recorded_at" not in line for line in read(tmp_path / "history-imported.ndjson"))
    assert any(line["shaped"] for line in read(truth))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--profile", "gaming"],
        ["--truth", "truth.ndjson"],
        ["--profile", "honest", "--output", "x"],
        ["--profile", "quiet", "--output", "x", "--unrecorded", "1.1"],
        ["--profile", "quiet", "--output", "x", "--quarters", "0"],
    ],
)
def test_bad_usage_of_the_command_ends_with_2(
    run: Callable[..., int], arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert run("sample", *arguments) == 2
    assert not list(tmp_path.iterdir())
