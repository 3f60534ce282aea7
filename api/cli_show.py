"""Commands that show: `deals` and `show`, as of any instant."""

from typing import Annotated, Any
from uuid import UUID

import typer

from api import clock
from api.answers import state_json
from api.bootstrap import Ledger, open_ledger
from api.cli_exchange import catch_up
from api.cli_output import AsOf, EffectiveAt, Json, print_json, print_table
from api.errors import UnknownDealError
from api.moment import moment
from api.settings import Settings
from projections.spans.fold import DealState
from projections.spans.read import stood


def add_show_commands(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("deals")(deals)
    app.command("show")(show)


def deals(as_of: AsOf = None, effective_at: EffectiveAt = None, as_json: Json = False) -> None:
    """List the deals with their state."""
    with open_ledger(Settings.read()) as ledger:
        catch_up(ledger)
        when = moment(ledger.store, as_of=as_of, effective_at=effective_at, now=clock.now())
        with ledger.store.connection() as connection:
            known = stood(connection, ledger.places.of(connection, when).all_deals)
    rows = sorted(
        ((row.deal_id, row.state) for row in known), key=lambda pair: (pair[1].name, str(pair[0]))
    )
    if as_json:
        print_json({**when.answer(), "deals": [_json(*row) for row in rows]})
        return
    print_table(
        ["deal", "name", "account", "owner", "stage", "amount", "close date"],
        [
            [
                deal_id,
                s.name,
                s.account_name,
                s.owner,
                s.closed or s.stage,
                _amount(s),
                s.close_date,
            ]
            for deal_id, s in rows
        ],
    )


def show(
    deal: Annotated[str, typer.Argument(help="A deal's id, or its id in the source.")],
    as_of: AsOf = None,
    effective_at: EffectiveAt = None,
    as_json: Json = False,
) -> None:
    """Show one deal: its state, what was ticked and what was shown, pressure, and its history."""
    with open_ledger(Settings.read()) as ledger:
        catch_up(ledger)
        when = moment(ledger.store, as_of=as_of, effective_at=effective_at, now=clock.now())
        seen = ledger.questions.seen(_deal_id(ledger, deal), when)
        answer: dict[str, Any] = {
            "deal": ledger.questions.deal(seen),
            "progress": ledger.questions.progress(seen),
            "conformance": ledger.questions.conformance(seen),
            "pressure": ledger.questions.pressure(seen),
            "history": ledger.questions.history(seen),
        }
    if as_json:
        print_json(answer)
    else:
        _print_deal(answer)


def _deal_id(ledger: Ledger, deal: str) -> UUID:
    try:
        return UUID(deal)
    except ValueError:
        found = ledger.store.stream_ids_of(deal)
    if not found:
        message = f"there is no deal {deal}"
        raise UnknownDealError(message)
    return UUID(found[0].partition(":")[2])


def _print_deal(answer: dict[str, Any]) -> None:
    deal, progress, pressure = answer["deal"], answer["progress"], answer["pressure"]
    typer.echo(f"{deal['name']} ({deal['account']['name']}), owned by {deal['owner']}")
    typer.echo(
        f"stage {deal['stage'] or '-'}, {deal['closed'] or 'open'}, version {deal['version']}"
    )
    share = progress["checkbox_only"]
    typer.echo(f"checkbox-only: {'unknown' if share is None else share}")
    followed = answer["conformance"]
    told = [f"{count} {name.replace('_', ' ')}" for name, count in followed["counts"].items()]
    fitness = followed["alignment"]["fitness"]
    typer.echo(f"fitness: {'unknown' if fitness is None else fitness} ({', '.join(told)})")
    shares = pressure["shares"]
    typer.echo(f"pressure-shaped: {shares['shaped']} of {shares['evaluable']} evaluable events")
    print_table(["activity", "stage", "status", "learned", "changed"], _activities(progress))
    print_table(
        ["occurred", "recorded", "event", "driver", "verdict"],
        [
            [
                f"{event['occurred_at']:%Y-%m-%d %H:%M}",
                f"{event['recorded_at']:%Y-%m-%d %H:%M}",
                event["title"],
                event["driver"],
                (event["pressure"] or {}).get("verdict"),
            ]
            for event in answer["history"]["events"]
        ],
    )


def _activities(progress: dict[str, Any]) -> list[list[object]]:
    """Give the ticked activities; one that added nothing to what is known says so."""
    return [
        [
            one["activity"],
            one["stage"],
            one["status"].replace("_", " "),
            "; ".join(f"{fact['kind']} {fact['value']}" for fact in one["learned"]) or "nothing",
            {True: "yes", False: "nothing", None: None}[one["changed"]],
        ]
        for one in progress["activities"]
        if one["ticked_at"]
    ]


def _json(deal_id: UUID, state: DealState) -> dict[str, object]:
    return {"deal_id": str(deal_id), **state_json(state)}


def _amount(state: DealState) -> str | None:
    return None if state.amount is None else f"{state.currency} {state.amount:f}"
