"""The command `validate`: how often verdicts on pressure are right, where the truth is known."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import Annotated, Final

import typer

from api.cli_output import Json, print_json, print_table, progress_bars
from api.collecting import collect_seldom
from api.validation.cases import CASES, Case, Measured, Spread, measure
from api.validation.scores import SCORED, Scores

_STOOD: Final = {True: "behind", False: "not behind"}


def validate(
    *,
    profile: Annotated[str | None, typer.Option(help="Only the histories of one profile.")] = None,
    seeds: Annotated[int, typer.Option(min=1, max=50, help="Histories of each kind.")] = 5,
    quarters: Annotated[int, typer.Option(min=1, max=40, help="Closed quarters of each.")] = 12,
    reps: Annotated[int, typer.Option(min=1, max=100, help="Reps of each.")] = 10,
    as_json: Json = False,
) -> None:
    """Simulate histories, judge them in memory and hold the verdicts against the truth."""
    cases = [case for case in CASES if profile in {None, case.profile}]
    if not cases:
        known = ", ".join(dict.fromkeys(case.profile for case in CASES))
        raise typer.BadParameter(f"{profile!r} is not one of {known}", param_hint="--profile")
    measured = _measured(cases, seeds=seeds, quarters=quarters, reps=reps)
    if as_json:
        print_json(
            {
                "seeds": seeds,
                "quarters": quarters,
                "reps": reps,
                "cases": [_answer(one) for one in measured],
            }
        )
        return
    for one in measured:
        _print(one)


def _measured(cases: Sequence[Case], *, seeds: int, quarters: int, reps: int) -> list[Measured]:
    """Measure the histories side by side, as many at a time as there are processors."""
    each = [(case, seed) for case in cases for seed in range(1, seeds + 1)]
    found: dict[Case, list[Scores]] = {case: [] for case in cases}
    one = partial(_measure, quarters=quarters, reps=reps)
    workers = ProcessPoolExecutor(mp_context=get_context("spawn"), initializer=collect_seldom)
    with progress_bars() as bars, workers as pool:
        task = bars.add_task("Histories", total=len(each))
        for (case, _), scores in zip(each, pool.map(one, each), strict=True):
            found[case].append(scores)
            bars.advance(task)
    return [Measured(case, scores) for case, scores in found.items()]


def _measure(one: tuple[Case, int], *, quarters: int, reps: int) -> Scores:
    case, seed = one
    return measure(case, seed=seed, quarters=quarters, reps=reps)


def _print(measured: Measured) -> None:
    typer.echo(f"\n{measured.case.name}")
    headers = ("", "acts", "flags", "precision", "recall", "wrong flags in 100 acts")
    print_table(headers, [_row(measured, name) for name in SCORED])
    if (money := _text(measured.money)) is not None:
        typer.echo(f"realised money / truly lost: {money}")
    for behind, name in _STOOD.items():
        rate, truth = (_text(spread) for spread in measured.off_fit(behind=behind))
        typer.echo(f"PR-1, opened while {name}: {rate} found off-fit, {truth} truly")
    for (kind, reason), count in measured.missed.most_common():
        typer.echo(f"missed {kind}: {reason} ({count})")


def _row(measured: Measured, name: str) -> tuple[object, ...]:
    total = measured.total(name)
    return (
        name,
        total.acts,
        total.right + total.wrong,
        _text(measured.spread(name, lambda score: score.precision)),
        _text(measured.spread(name, lambda score: score.recall)),
        _text(measured.spread(name, lambda score: score.false_per_hundred)),
    )


def _answer(measured: Measured) -> dict[str, object]:
    return {
        "case": measured.case.name,
        "scores": {name: _score(measured, name) for name in SCORED},
        "money": _spread(measured.money),
        "missed": [
            {"of": kind, "why": reason, "count": count}
            for (kind, reason), count in measured.missed.most_common()
        ],
        "left_out": sum(scores.left_out for scores in measured.scores),
        "off_fit": {
            name: dict(
                zip(("rate", "truth"), map(_spread, measured.off_fit(behind=behind)), strict=True)
            )
            for behind, name in _STOOD.items()
        },
    }


def _score(measured: Measured, name: str) -> dict[str, object]:
    total = measured.total(name)
    return {
        "acts": total.acts,
        "right": total.right,
        "wrong": total.wrong,
        "missed": total.missed,
        "precision": _spread(measured.spread(name, lambda score: score.precision)),
        "recall": _spread(measured.spread(name, lambda score: score.recall)),
        "false_per_hundred": _spread(measured.spread(name, lambda score: score.false_per_hundred)),
    }


def _spread(spread: Spread) -> dict[str, float | None]:
    return {"mean": spread.mean, "deviation": spread.deviation}


def _text(spread: Spread) -> str | None:
    if spread.mean is None:
        return None
    return f"{spread.mean:.3f}" + (f" ± {spread.deviation:.3f}" if spread.deviation else "")
