"""Make, list, rotate and revoke API keys."""

from datetime import timedelta
from typing import Annotated

import typer

from api.bootstrap import open_ledger
from api.cli_output import Json, print_json, print_table
from api.identity.issuing import create_key
from api.identity.keys import NewKey, key_json
from api.identity.permissions import OPERATOR, ROLES, Scope
from api.settings import Settings

KeyId = Annotated[str, typer.Argument(help="The key's id: the eight characters after `dtk_`.")]


app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)


@app.command("create")
def create(
    member: Annotated[str, typer.Argument(help="Whose key it is: a person's or a service's id.")],
    *,
    name: Annotated[str, typer.Option(help="What it is for.")],
    role: Annotated[
        str | None,
        typer.Option(help=f"{', '.join(ROLES)}. Default: theirs in the organisation."),
    ] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(help=f"{', '.join(Scope)}; may be repeated. Default: all of the role."),
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=366, help="How long it is good.")] = 90,
    as_json: Json = False,
) -> None:
    """Make a key. Its secret is printed once, and kept nowhere."""
    with open_ledger(Settings.read()) as ledger:
        made = create_key(
            ledger.keys,
            ledger.access,
            member=member,
            role=role,
            scopes=scope or None,
            name=name,
            lifetime=timedelta(days=days),
            by=OPERATOR.actor,
        )
    _show_secret(made, as_json=as_json)


@app.command("list")
def list_keys(*, as_json: Json = False) -> None:
    """List every key there was."""
    with open_ledger(Settings.read()) as ledger:
        shown = [key_json(key) for key in ledger.keys.all()]
    if as_json:
        print_json({"keys": shown})
        return
    headers = ["id", "member", "role", "scopes", "name", "expires_at", "revoked_at", "last_used_at"]
    print_table([h.replace("_", " ") for h in headers], [[k[h] for h in headers] for k in shown])


@app.command("rotate")
def rotate(
    key_id: KeyId,
    *,
    grace_hours: Annotated[
        int, typer.Option(min=0, max=720, help="How long the secret before is good for yet.")
    ] = 0,
    as_json: Json = False,
) -> None:
    """Give a key another secret, printed once."""
    with open_ledger(Settings.read()) as ledger:
        made = ledger.keys.rotate(key_id, grace=timedelta(hours=grace_hours))
    _show_secret(made, as_json=as_json)


@app.command("revoke")
def revoke(key_id: KeyId, *, as_json: Json = False) -> None:
    """End a key from the next request on, and the sessions that were opened with it."""
    with open_ledger(Settings.read()) as ledger:
        key = ledger.keys.revoke(key_id)
    if as_json:
        print_json(key_json(key))
    else:
        typer.echo(f"revoked {key.id}")


def _show_secret(made: NewKey, *, as_json: bool) -> None:
    if as_json:
        print_json({**key_json(made.key), "secret": made.secret})
        return
    key = made.key
    typer.echo(made.secret)
    typer.echo(
        f"for {key.member} as {key.role} until {key.expires_at.isoformat()}; it is not shown again",
        err=True,
    )
