"""The command `customers`: who came back after the win, and who reached what they wanted."""

from typing import Annotated, Any

import typer

from api import clock
from api.bootstrap import open_ledger
from api.cli_exchange import catch_up
from api.cli_output import AsOf, EffectiveAt, Json, print_json, print_table
from api.customers import MAX_CUSTOMERS
from api.moment import moment
from api.settings import Settings


def customers(
    *,
    account: Annotated[str | None, typer.Argument(help="Only this one, with its deals.")] = None,
    after: Annotated[str | None, typer.Option(help="Go on after this account.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=MAX_CUSTOMERS, help="Accounts to show.")] = 200,
    as_of: AsOf = None,
    effective_at: EffectiveAt = None,
    as_json: Json = False,
) -> None:
    """Show customers: their wins, whether they came back, and which goals they reached."""
    with open_ledger(Settings.read()) as ledger:
        catch_up(ledger)
        when = moment(ledger.store, as_of=as_of, effective_at=effective_at, now=clock.now())
        told: dict[str, Any] = (
            ledger.customers.customers(when, after=after, limit=limit)
            if account is None
            else ledger.customers.customer(when, account)
        )
    if as_json:
        print_json(told)
    elif account is None:
        _print_all(told)
    else:
        _print_one(told)


def _print_all(told: dict[str, Any]) -> None:
    back, goals = told["came_back"], told["goals_achieved"]
    typer.echo(f"came back: {back['count']} of {back['n']} customers with a win")
    typer.echo(f"goals reached after the win: {goals['count']} of {goals['n']}")
    names = ("account_id", "name", "deals", "won", "open", "goals", "goals_achieved")
    headers = [name.replace("_", " ") for name in names]
    print_table(headers, [[one[name] for name in names] for one in told["accounts"]])
    if told["next"]:
        typer.echo(f"more follow: --after {told['next']}")


def _print_one(told: dict[str, Any]) -> None:
    typer.echo(f"{told['name']}: {told['won']} won of {told['deals']} deals")
    rows = [
        [deal["deal_id"], deal["closed"], deal["closed_at"], goal["goal"], goal["achieved_at"]]
        for deal in told["history"]
        for goal in deal["goals"] or [{"goal": None, "achieved_at": None}]
    ]
    print_table(["deal", "closed", "closed at", "goal", "achieved at"], rows)
