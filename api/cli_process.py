"""What the command `process` shows of a process besides its versions: warnings, and its worth."""

from typing import Any

import typer

from api import clock
from api.bootstrap import open_ledger
from api.cli_exchange import catch_up
from api.cli_output import print_json, print_table
from api.moment import moment
from api.settings import Settings


def lint_answer(
    process_id: str, version: int | None, as_of: str | None, effective_at: str | None
) -> dict[str, Any]:
    """Give what a version should do without."""
    with open_ledger(Settings.read()) as ledger:
        catch_up(ledger)
        when = moment(ledger.store, as_of=as_of, effective_at=effective_at, now=clock.now())
        return ledger.processes.lint(when, process_id, version=version)


def show_lint(answer: dict[str, Any], *, as_json: bool) -> None:
    """Show what a version should do without."""
    if as_json:
        print_json(answer)
        return
    count = len(answer["warnings"])
    typer.echo(
        f"{answer['id']}, version {answer['version']}: {count} warning{'' if count == 1 else 's'}"
    )
    for warning in answer["warnings"]:
        place = warning["activity"] or warning["stage"] or "process"
        typer.echo(f"{warning['rule'].replace('_', ' ')}, {place}: {warning['detail']}")


def show_effectiveness(
    process_id: str,
    version: int | None,
    against: int | None,
    as_of: str | None,
    effective_at: str | None,
    *,
    as_json: bool,
) -> None:
    """Show what the activities of a version go with, and the version beside another one."""
    with open_ledger(Settings.read()) as ledger:
        catch_up(ledger)
        when = moment(ledger.store, as_of=as_of, effective_at=effective_at, now=clock.now())
        answer: dict[str, Any] = ledger.processes.effectiveness(
            when, process_id, version=version, against=against
        )
    if as_json:
        print_json(answer)
    else:
        _print_effectiveness(answer)


def _print_effectiveness(answer: dict[str, Any]) -> None:
    process, deals = answer["process"], answer["deals"]
    typer.echo(
        f"{process['id']}, version {process['version']}: {deals['n']} deals, {deals['won']} won,"
        f" {deals['not_won']} not won, {deals['open']} open"
    )
    typer.echo(answer["note"])
    groups = ["evidenced", "ticked_only", "not_ticked"]
    measures = ["outcome_value", "tick_value"]
    headers = ["activity", *groups, *measures, "feedback"]
    print_table(
        [header.replace("_", " ") for header in headers],
        [
            [
                one["activity"],
                *(_rate(one[group]) for group in groups),
                *(_difference(one[measure]) for measure in measures),
                one["feedback"]["n"],
            ]
            for one in answer["activities"]
        ],
    )
    print_table(
        ["stage", "stays", "over", "median days", f"mean days to {answer['horizon_days']}"],
        [
            [one["stage"], one["n"], one["over"], one["median_days"], one["restricted_mean_days"]]
            for one in answer["stages"]
        ],
    )
    _print_fitness("fitness", answer["fitness"])
    if answer["comparison"] is not None:
        _print_comparison(answer["comparison"])


def _print_comparison(comparison: dict[str, Any]) -> None:
    wins = comparison["win_rate"]
    typer.echo(
        f"against version {comparison['version']}: won {_rate(wins['this'])} against"
        f" {_rate(wins['other'])}, difference {_difference(wins['change']) or 'unknown'}"
    )
    _print_fitness("fitness there", comparison["fitness"]["other"])
    print_table(
        ["stage", "median days", "there", "log-rank p"],
        [
            [
                one["stage"],
                one["this"]["median_days"],
                one["other"]["median_days"],
                one["log_rank"] and one["log_rank"]["p"],
            ]
            for one in comparison["stages"]
        ],
    )


def _print_fitness(name: str, fitness: dict[str, Any]) -> None:
    mean = "unknown" if fitness["mean"] is None else fitness["mean"]
    typer.echo(
        f"{name}: {mean} of {fitness['n']} deals, as modelled {_rate(fitness['as_modelled'])}"
    )


def _rate(rate: dict[str, Any]) -> str:
    """Give the counts, and the rate with its interval where there is one."""
    counts = f"{rate['count']}/{rate['n']}"
    if rate["share"] is None:
        return counts
    low, high = rate["interval"]
    return f"{counts} {rate['share']:.0%} ({low:.0%} to {high:.0%})"


def _difference(found: dict[str, Any] | None) -> str | None:
    """Give a difference in points with its interval, and what it says if it says anything."""
    if found is None:
        return None
    low, high = found["interval"]
    said = (found["verdict"] or "no verdict").replace("_", " ")
    return f"{found['difference']:+.0%} ({low:+.0%} to {high:+.0%}), {said}"
