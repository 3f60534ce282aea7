"""Commands about the projections: where they stand, rebuild one, resume what is parked."""

from typing import Annotated

import typer

from api import clock
from api.all_projections import projections
from api.bootstrap import open_ledger
from api.cli_output import Json, print_json, print_table, progress_bars
from api.http.projections import states_json
from api.rebuild import PROCESSES, Rebuilt, drop_previous, rebuild
from api.settings import Settings

Name = Annotated[str, typer.Argument(help="A projection, as `dealtrail projections` names it.")]


def show_projections(as_json: Json = False) -> None:
    """Show where each projection stands, which deals are parked, and rebuilds that are going on."""
    with open_ledger(Settings.read()) as ledger:
        states = ledger.states.states(clock.now())
    if as_json:
        print_json(states_json(states))
        return
    print_table(
        ["projection", "position", "behind", "waiting", "parked", "rebuild"],
        [
            [
                one.name,
                one.position,
                one.lag_positions,
                f"{one.lag_seconds:.1f} s",
                len(one.parked),
                one.rebuilding
                and f"{one.rebuilding.phase} {one.rebuilding.done}/{one.rebuilding.total}",
            ]
            for one in states.projections
        ],
    )
    for one in (parked for state in states.projections for parked in state.parked):
        typer.echo(f"parked: {one.projection}, deal {one.deal_id} at {one.position}: {one.reason}")
    for what, position in states.unreadable:
        typer.echo(f"not readable: {what}, first at position {position}")


def rebuild_projection(
    projection: Name,
    processes: Annotated[
        int, typer.Option(min=1, max=16, help="How many processes load deals at once.")
    ] = PROCESSES,
    check: Annotated[
        bool, typer.Option("--check", help="Compare with the live rows, and swap nothing.")
    ] = False,
    drop_old: Annotated[
        bool, typer.Option("--drop-old", help="Do not keep the rows that were live before.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a projection anew from the log beside the live one, compare them, and swap them."""
    with open_ledger(Settings.read()) as ledger, progress_bars() as bars:
        task = bars.add_task("starting", total=None)
        rebuilt = rebuild(
            ledger.projecting,
            projection,
            projections,
            processes=processes,
            swap=not check,
            told=lambda phase, done, total: bars.update(
                task, description=phase, completed=done, total=total
            ),
        )
        if drop_old:
            drop_previous(ledger.projecting, projection, projections)
    if as_json:
        print_json(_json(rebuilt))
    else:
        _print(rebuilt)


def resume(as_json: Json = False) -> None:
    """Try the parked deals again, each from the event that it was parked at."""
    with open_ledger(Settings.read()) as ledger:
        left = ledger.worker.resume()
    if as_json:
        print_json({"still_parked": left})
    else:
        typer.echo(f"{left} still parked")


def _json(rebuilt: Rebuilt) -> dict[str, object]:
    return {
        "projection": rebuilt.name,
        "position": rebuilt.position,
        "deals": rebuilt.deals,
        "live_digest": rebuilt.live,
        "rebuilt_digest": rebuilt.rebuilt,
        "equal": rebuilt.equal,
        "swapped": rebuilt.swapped,
    }


def _print(rebuilt: Rebuilt) -> None:
    compared = {
        True: "the live rows were the same",
        False: "the live rows were different",
        None: "there were no live rows to compare",
    }[rebuilt.equal]
    typer.echo(
        f"{rebuilt.name}: {rebuilt.deals} deals at position {rebuilt.position}; {compared};"
        f" {'swapped' if rebuilt.swapped else 'nothing swapped'}"
    )
