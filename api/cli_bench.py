"""The command `bench`: measures the product against plainer ways of doing the same."""

import os
import platform
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import typer
from rich.progress import Progress, TaskID

from api.bench.cases import CASES
from api.bench.grounds import Grounds, Tell, grounds
from api.bench.harness import Case, Result, chosen, run_case
from api.bench.history import EVENTS, SEED, History
from api.cli_output import Json, print_json, print_table, progress_bars
from api.settings import Settings


def bench(
    *,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CASE]...", help="What to measure, `*` for anything; all if none."),
    ] = None,
    scale: Annotated[
        int, typer.Option(min=1000, max=5_000_000, help="Events of the generated history.")
    ] = EVENTS,
    seed: Annotated[int, typer.Option(help="Another history of the same kind.")] = SEED,
    database_url: Annotated[
        str | None,
        typer.Option(help="Measure there, in schemas of its own; else an embedded server is made."),
    ] = None,
    rounds: Annotated[
        int | None,
        typer.Option(min=1, max=99, help="Rounds of every case, in place of its own number."),
    ] = None,
    list_cases: Annotated[bool, typer.Option("--list", help="Say what can be measured.")] = False,
    as_json: Json = False,
) -> None:
    """Measure the product against plainer ways, both in turn; whatever comes out exits with 0."""
    cases = _cases(names or [])
    if list_cases:
        rows = [(case.name, case.what, case.against, case.goal) for case in cases]
        print_table(["case", "what", "against", "goal"], rows)
        return
    # Left through the `with` blocks, so that nothing of the run stays behind; also where a shell
    # started it in the background, and so with interrupts ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(1))
    programs = Settings.read().pg_bin
    with grounds(database_url, events=scale, seed=seed, bin_dir=programs) as where:
        machine = _machine(where, History(scale, seed=seed))
        if not as_json:
            _print_head(machine)
        measured = [replace(case, rounds=rounds or case.rounds) for case in cases]
        results = [_measured(case, where, told=not as_json) for case in measured]
    if as_json:
        print_json({"machine": machine, "cases": [result.to_json() for result in results]})


def _cases(names: Sequence[str]) -> Sequence[Case]:
    try:
        return chosen(CASES, names)
    except LookupError as error:
        raise typer.BadParameter(str(error.args[0]), param_hint="CASE") from error


def _measured(case: Case, where: Grounds, *, told: bool) -> Result:
    with progress_bars() as bars:
        where.progress = _progress(bars)
        result = run_case(case, where)
    if told:
        _print_result(result)
    return result


def _progress(bars: Progress) -> Tell:
    """Give a bar to everything that says how far it has got."""
    tasks: dict[str, TaskID] = {}

    def tell(what: str, done: int, total: int) -> None:
        if what not in tasks:
            tasks[what] = bars.add_task(what, total=total)
        bars.update(tasks[what], completed=done)

    return tell


def _machine(where: Grounds, history: History) -> dict[str, object]:
    return {
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "postgresql": where.server_version(),
        "python": platform.python_version(),
        "events": history.events,
        "deals": history.deals,
    }


def _print_head(machine: dict[str, object]) -> None:
    typer.echo(", ".join(f"{name} {value}" for name, value in machine.items()))
    typer.echo(_line("case", "unit", "takes", "against", "ratio", "goal", "met"))


def _print_result(result: Result) -> None:
    case = result.case
    met = {True: "yes", False: "no", None: "-"}[result.met]
    seconds = (_readable(result.seconds), _readable(result.against_seconds))
    typer.echo(_line(case.name, case.unit, *seconds, f"{result.ratio:.2f}", str(case.goal), met))


def _line(*cells: str) -> str:
    widths = (-24, -8, 10, 10, 8, 8, 4)
    return " ".join(
        cell.ljust(-width) if width < 0 else cell.rjust(width)
        for cell, width in zip(cells, widths, strict=True)
    )


def _readable(seconds: float) -> str:
    """Give a time in the unit that leaves one to three digits before the point."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us"
