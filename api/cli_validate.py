"""The command `validate`: how often verdicts on pressure are right, where the truth is known."""

from collections.abc import Sequence
from typing import Annotated

import typer

from api.cli_output import Json, print_json, print_table, progress_bars
from api.validation.cases import CASES, Case, Measured, Spread, measure
from api.validation.scores import SCORED


def add_validate_commands(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("validate")(validate)


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
    found = []
    with progress_bars() as bars:
        task = bars.add_task("Histories", total=len(cases) * seeds)
        for case in cases:
            scores = []
            for seed in range(1, seeds + 1):
                scores.append(measure(case, seed=seed, quarters=quarters, reps=reps))
                bars.advance(task)
            found.append(Measured(case, scores))
    return found


def _print(measured: Measured) -> None:
    typer.echo(f"\n{measured.case.name}")
    headers = ("", "acts", "flags", "precision", "recall", "wrong flags in 100 acts")
    print_table(headers, [_row(measured, name) for name in SCORED])
    if (money := _text(measured.money)) is not None:
        typer.echo(f"realised money / truly lost: {money}")
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
        "held_back": sum(scores.held_back for scores in measured.scores),
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
