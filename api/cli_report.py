"""The command `report`: a quarter on one page, with its figures, close pattern and pressure."""

import typer

from api import clock
from api.bootstrap import Ledger, open_ledger
from api.cli_exchange import catch_up
from api.cli_output import AsOf, EffectiveAt, Json, print_json
from api.cli_quarter import (
    Answer,
    Quarter,
    Rep,
    Restate,
    Team,
    print_figures,
    print_pattern,
    print_pressure,
    print_restated,
    scope_of,
)
from api.moment import Moment, moment
from api.restatement import restated
from api.settings import Settings
from domain.known import Known
from projections.quarter.steps import Scope


def report(
    *,
    quarter: Quarter,
    as_of: AsOf = None,
    effective_at: EffectiveAt = None,
    rep: Rep = None,
    team: Team = None,
    restate: Restate = False,
    as_json: Json = False,
) -> None:
    """Report a quarter: where it stood, when its deals were won, and under what pressure.

    A rep or a team narrows the close pattern and the pressure; the figures are everybody's.
    """
    scope = scope_of(rep, team)
    with open_ledger(Settings.read()) as ledger:
        catch_up(ledger)
        when = moment(ledger.store, as_of=as_of, effective_at=effective_at, now=clock.now())
        told = _told(ledger, when, quarter, scope, ledger.context.known(when.position))
        if restate:
            position = ledger.worker.position()
            again = _told(ledger, when, quarter, scope, ledger.context.known(position))
            told = restated(told, again, position=position)
    if as_json:
        print_json(told)
    else:
        _print(told)


def _told(ledger: Ledger, when: Moment, quarter: str, scope: Scope, known: Known) -> Answer:
    return {
        **when.answer(),
        "quarter": quarter,
        "figures": ledger.quarter_figures.quarter(when, quarter, known, None),
        "close_pattern": ledger.close_patterns.pattern(when, quarter, known, scope),
        "pressure": ledger.quarter_pressure.pressure(when, quarter, known, scope),
    }


def _print(told: Answer) -> None:
    figures = told["figures"]
    standing = told["as_of"]["position"]
    typer.echo(f"{told['quarter']}, {figures['start']} to {figures['end']}, position {standing}")
    for title, part, printed in (
        ("Figures", figures, print_figures),
        ("Close pattern", told["close_pattern"], print_pattern),
        ("Pressure", told["pressure"], print_pressure),
    ):
        typer.echo(f"\n{title}")
        printed(part)
    print_restated(told)
