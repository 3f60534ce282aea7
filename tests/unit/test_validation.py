"""Verdicts against truth: what is counted as right, wrong and missed."""

import json
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from uuid import uuid4

import pytest

from api.cli import main
from api.sample.history import Setting, history
from api.sample.journal import Json
from api.sample.profiles import PROFILES
from api.validation.cases import END, Case, Measured, Spread, measure
from api.validation.folded import Deal, FoldedHistory
from api.validation.patterns import Found
from api.validation.scores import (
    ALL,
    DISCOUNTS,
    NAMES,
    OffFit,
    Score,
    Scores,
    score_openings,
    score_patterns,
    scores_of,
)
from domain.events.life import DealWon, WinReversed
from projections.pressure.off_fit import Fit, Opened
from projections.pressure.rules import Truth

SETTING = Setting(PROFILES["gaming"], quarters=3, reps=2, unrecorded=0.1)
JUDGED = {"close_date_moved", "discount_offered", "stage_entered"}


@cache
def told() -> tuple[list[Deal], list[Json]]:
    truth: list[Json] = []
    folded = FoldedHistory(history(SETTING, now=END, seed=1, truth=truth.append))
    return list(folded.deals()), truth


def judged_truth() -> list[Json]:
    return [line for line in told()[1] if line["recorded"] and line["type"] in JUDGED]


def in_euros(money: object) -> Json:
    """The same number, in a currency of which one unit counts for 1.1."""
    assert isinstance(money, dict)
    return {"amount": money["amount"], "currency": "EUR"}


def test_a_score_says_its_rates_and_none_where_there_is_nothing_to_say() -> None:
    score = Score()
    for shaped, flagged in [(True, True)] * 3 + [(False, True), (True, False)] + [(False, False)]:
        score.count(shaped=shaped, flagged=flagged)

    assert (score.precision, score.recall) == (0.75, 0.75)
    assert score.false_per_hundred == pytest.approx(100 / 6)
    assert (Score().precision, Score().recall, Score().false_per_hundred) == (None, None, None)


def test_a_figure_over_seeds_leaves_out_those_that_have_none() -> None:
    assert Spread.of([0.5, None, 1.0]).mean == 0.75
    assert Spread.of([0.5, None, 1.0]).deviation == pytest.approx(0.353553, abs=1e-6)
    assert Spread.of([0.5]) == Spread(0.5, None)
    assert Spread.of([None]) == Spread(None, None)


def test_every_act_is_held_against_its_truth_once() -> None:
    deals, truth = told()

    scores = scores_of(deals, truth)

    beyond = {"hold_back", "lost_and_reopened", "win_reversed"}
    held = sum(line["pattern"] in beyond for line in judged_truth())
    shaped = sum(bool(line["shaped"] and line["pattern"] not in beyond) for line in judged_truth())
    total = scores.score(ALL)
    assert scores.left_out == held > 0
    assert total.acts + held == len(judged_truth()) == sum(len(deal.judged) for deal in deals)
    assert total.right + total.missed == shaped
    assert total.missed == sum(scores.missed.values())
    for field in ("right", "wrong", "missed", "acts"):
        parts = (getattr(scores.score(name), field) for name in NAMES.values())
        assert sum(parts) == getattr(total, field)


def test_a_verdict_is_wrong_where_the_truth_is_another_one() -> None:
    deals, truth = told()
    flagged = next(
        str(j.event.event_id)
        for deal in deals
        for j in deal.judged
        if j.verdict == "pressure_shaped" and j.kind == "discount_offered"
    )
    before = scores_of(deals, truth).score(DISCOUNTS)

    turned = [
        line | {"shaped": not line["shaped"]} if line["external_id"] == flagged else line
        for line in truth
    ]
    after = scores_of(deals, turned).score(DISCOUNTS)

    shifted = abs(after.right - before.right), abs(after.wrong - before.wrong)
    assert shifted == (1, 1)
    assert after.missed == before.missed


def test_the_same_history_under_a_truth_without_pressure_has_no_right_flag() -> None:
    deals, truth = told()

    innocent = [line | {"shaped": False} for line in truth if line["recorded"]]
    score = scores_of(deals, innocent).score(ALL)

    assert score.right == score.missed == 0
    assert score.wrong > 0
    assert score.recall is None


def test_money_is_what_flagged_discounts_cost_in_the_currency_of_the_quotas() -> None:
    deals, truth = told()
    scores = scores_of(deals, truth)

    as_euros = [
        line | ({"lost": in_euros(line["lost"])} if "lost" in line else {}) for line in truth
    ]

    assert scores.money_ratio == pytest.approx(1, abs=0.1)
    assert scores_of(deals, as_euros).truly_lost == scores.truly_lost * 11 / 10
    assert Scores().money_ratio is None


def test_a_win_that_was_taken_back_cost_nothing() -> None:
    deals, truth = told()
    won = next(
        str(event.event_id)
        for deal in deals
        for event in deal.events
        if isinstance(event.data, DealWon)
        and not any(isinstance(other.data, WinReversed) for other in deal.events)
    )
    lost: Json = {"lost": {"amount": "1000000.00", "currency": "USD"}}
    dear = [line | lost if line["external_id"] == won else line for line in truth]
    with_reversal = [_taken_back(deal, won) for deal in deals]

    costs = scores_of(deals, dear).truly_lost
    after = scores_of(with_reversal, dear).truly_lost

    assert costs - after == 1_000_000


def _taken_back(deal: Deal, won: str) -> Deal:
    """Give the deal with its win reversed at the end, if it is the one that has it."""
    if not any(str(event.event_id) == won for event in deal.events):
        return deal
    reversal = replace(
        deal.events[-1], event_id=uuid4(), data=WinReversed(reason="The customer never signed.")
    )
    return replace(deal, events=[*deal.events, reversal])


def test_a_pattern_is_right_wrong_or_missed_by_what_its_act_truly_is() -> None:
    lines: list[Json] = [
        {"external_id": act, "deal": deal, "type": kind, "pattern": pattern}
        for act, deal, kind, pattern in (
            ("t1", "a", "activity_ticked", "tick_burst"),
            ("t2", "a", "activity_ticked", "tick_burst"),
            ("t3", "a", "activity_ticked", None),
            ("s1", "a", "stage_entered", "win_reversed"),
            ("w1", "a", "deal_won", "win_reversed"),
            ("d1", "b", "discount_offered", "approval_splitting"),
        )
    ]
    found: list[Found] = [
        ("tick_burst", "t1", True, ""),
        ("tick_burst", "t2", False, "run too short"),
        ("tick_burst", "t3", True, ""),
        ("approval_splitting", "b", True, ""),
        ("approval_splitting", "c", False, "too few deals near it"),
    ]
    scores = Scores()

    score_patterns(scores, found, lines)

    assert scores.score("PS-6") == Score(right=1, wrong=1, missed=1, acts=3)
    assert scores.score("PS-8 splitting") == Score(right=1, acts=2)
    assert scores.score("PS-9 wins") == Score(missed=1, acts=1)
    assert scores.missed == {("PS-6", "run too short"): 1, ("PS-9 wins", "no candidate"): 1}


def test_of_deals_opened_while_behind_or_not_the_rate_is_told_beside_the_true_one() -> None:
    stood: list[tuple[str, Truth, Fit | None]] = [
        ("a", True, "out"),
        ("b", True, "in"),
        ("c", True, "unclear"),
        ("d", False, None),
        ("e", None, "out"),
    ]
    opened = [(key, Opened(uuid4(), "ann", behind, fit, None)) for key, behind, fit in stood]
    scores = Scores()

    score_openings(scores, opened, [{"deal": key, "off_fit": key in "acd"} for key in "abcde"])

    assert scores.off_fit[True] == OffFit(found=1, assessed=2, truly=2, opened=3)
    assert (scores.off_fit[True].rate, scores.off_fit[True].truth) == (0.5, 2 / 3)
    assert (scores.off_fit[False].rate, scores.off_fit[False].truth) == (None, 1.0)
    assert OffFit().truth is None


def test_the_order_of_the_deals_changes_no_verdict() -> None:
    lines = list(history(SETTING, now=END, seed=1))
    deal_lines = [line for line in lines if str(line["stream"]).startswith("deal:")]
    others = [line for line in lines if not str(line["stream"]).startswith("deal:")]
    by_deal = sorted(deal_lines, key=lambda line: str(line["stream"]), reverse=True)

    def verdicts(folded: FoldedHistory) -> dict[object, str]:
        return {j.event.event_id: j.verdict for deal in folded.deals() for j in deal.judged}

    assert verdicts(FoldedHistory([*others, *by_deal])) == verdicts(FoldedHistory(lines))


def test_imported_deals_are_judged_by_when_things_happened() -> None:
    setting = replace(SETTING, imported=1.0, unrecorded=0.0)

    deals = list(FoldedHistory(history(setting, now=END, seed=1)).deals())

    assert all(j.action_time == j.event.occurred_at for deal in deals for j in deal.judged)


def test_a_case_is_measured_the_same_every_time() -> None:
    found = [measure(Case("quiet", 0.0), seed=1, quarters=2, reps=2) for _ in range(2)]

    assert found[0] == found[1]
    total = Measured(Case("quiet", 0.0), found).total(ALL)
    assert total.acts == 2 * found[0].score(ALL).acts > 0
    assert total.right == total.missed == 0
    assert Measured(Case("quiet", 0.0), found).missed == Counter()


def _threads(**_: object) -> ThreadPoolExecutor:
    return ThreadPoolExecutor()


def test_the_command_prints_what_was_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small = ["--profile", "gaming", "--seeds", "1", "--quarters", "2", "--reps", "2"]

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["dealtrail", "validate", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
        return int(stopped.value.code or 0), capsys.readouterr().out

    code, out = run(*small, "--json")
    cases = json.loads(out)["cases"]
    assert code == 0
    assert [case["case"] for case in cases] == ["gaming, 10% unrecorded", "gaming, 0% unrecorded"]
    score = cases[0]["scores"][DISCOUNTS]
    expected = score["right"] / (score["right"] + score["missed"])
    assert score["recall"]["mean"] == pytest.approx(expected)
    # In threads, for each process would import the product once more.
    monkeypatch.setattr("api.cli_validate.ProcessPoolExecutor", _threads)
    code, out = run(*small)
    assert code == 0
    assert f"{expected:.3f}" in out
    assert run("--profile", "honest")[0] == 2
