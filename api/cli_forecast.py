"""The command `forecast`: calls what a quarter will bring, or shows what it probably will."""

from typing import Annotated, Any

import typer

from api import clock
from api.bootstrap import open_ledger
from api.cli_context import tell
from api.cli_exchange import catch_up
from api.cli_output import AsOf, EffectiveAt, Json, print_json, print_table
from api.cli_quarter import Quarter, Rep, Restate, Team, scope_of
from api.moment import moment
from api.restatement import restated
from api.settings import Settings
from domain.known import Known
from domain.quota import forecast_stream
from projections.quarter.steps import Scope

Answer = dict[str, Any]


def forecast(
    *,
    quarter: Quarter,
    rep: Rep = None,
    team: Team = None,
    commit: Annotated[
        str | None, typer.Option(help="Call this amount, such as 250000.00, for a rep or a team.")
    ] = None,
    best_case: Annotated[str | None, typer.Option(help="And this at best.")] = None,
    currency: Annotated[str, typer.Option(help="Three letters.")] = "USD",
    as_of: AsOf = None,
    effective_at: EffectiveAt = None,
    restate: Restate = False,
    as_json: Json = False,
) -> None:
    """Show what a quarter will probably bring, after calling it where an amount is given."""
    scope = scope_of(rep, team)
    if commit is not None:
        _call(quarter, rep, team, {"commit": commit, "best_case": best_case}, currency)
    told = _told(quarter, scope, as_of, effective_at, restate=restate)
    if as_json:
        print_json(told)
    else:
        _print(told)


def _call(
    quarter: str,
    rep: str | None,
    team: str | None,
    amounts: dict[str, str | None],
    currency: str,
) -> None:
    who = rep or team
    if who is None:
        message = "say for whom: --rep or --team"
        raise typer.BadParameter(message, param_hint="--commit")
    called = {
        name: {"amount": amount, "currency": currency}
        for name, amount in amounts.items()
        if amount is not None
    }
    named = {"rep": rep} if rep is not None else {"team": team}
    stream = forecast_stream(who=who, quarter=quarter)
    tell(stream, "forecast_called", {**named, "quarter": quarter, **called})


def _told(
    quarter: str, scope: Scope, as_of: str | None, effective_at: str | None, *, restate: bool
) -> Answer:
    with open_ledger(Settings.read()) as ledger:
        catch_up(ledger)
        when = moment(ledger.store, as_of=as_of, effective_at=effective_at, now=clock.now())

        def answer(known: Known) -> Answer:
            replay = ledger.replays.replay(quarter, when, known=known)
            return ledger.forecasts.forecast(replay, scope)

        told = answer(ledger.context.known(when.position))
        if not restate:
            return told
        position = ledger.worker.position()
        return restated(told, answer(ledger.context.known(position)), position=position)


def _print(told: Answer) -> None:
    part = told["replay"]
    typer.echo(f"{told['quarter']}, {part['clock'].replace('_', ' ')}, until {part['until']}")
    rows = [
        [one["currency"], one["deals"], one["evaluable"], one["open"]["amount"],
         one["expected"]["amount"], f"{one['low']['amount']} to {one['high']['amount']}"]
        for one in told["expected"]
    ]  # fmt: skip
    by = f"expected by {told['end']}"
    headers = ["currency", "open deals", "evaluable", "open", by, "95 % of cases"]
    print_table(headers, rows)
    stages = [[s["stage"], s["n"], s["won"], s["lost"], s["chance"]] for s in told["stages"]]
    print_table(["stage", "stays", "won", "lost", "chance from today"], stages)
    slip = told["slip"]
    typer.echo(
        f"of {slip['n']} deals forecast at its start, {slip['count']} were not won in it so far"
    )
    past = [
        [one["quarter"], one["evaluable"], one["won"], one["brier"], one["bias"],
         f"{one['slip']['count']} of {one['slip']['n']}"]
        for one in told["past"]
    ]  # fmt: skip
    print_table(["quarter", "chances", "won", "Brier score", "bias", "slipped"], past)
    calls = [
        [one["called_at"], one["rep"] or f"team {one['team']}", one["commit"]["amount"],
         one["best_case"] and one["best_case"]["amount"]]
        for one in told["calls"]
    ]  # fmt: skip
    print_table(["called at", "who", "commit", "best case"], calls)
