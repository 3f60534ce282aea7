"""How commands print: JSON where asked, plain tables otherwise, progress where a terminal is."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from api.answers import json_bytes

AsOf = Annotated[
    str | None, typer.Option("--as-of", help="What was known then: an instant or position:N.")
]
EffectiveAt = Annotated[
    str | None, typer.Option("--effective-at", help="What was true then, as known.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]

UnderPolicy = Annotated[
    int | None,
    typer.Option(
        "--policy", help="Under this published version of the policy too, with what it changes."
    ),
]


def print_json(answer: object) -> None:
    """Print an answer as one line of JSON."""
    typer.echo(json_bytes(answer).decode())


def print_table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under their headers; what is unknown shows as a dash."""
    console = Console(soft_wrap=True)
    if not rows:
        console.print("none")
        return
    table = Table(*headers, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*("-" if cell is None else str(cell) for cell in row))
    console.print(table)


def print_changes(what_if: Mapping[str, Any]) -> None:
    """Print the verdicts that another policy would change."""
    typer.echo(f"verdicts that policy {what_if['policy']['version']} would change:")
    rows = [
        [one["event_id"], one["type"], one["rep"], one["before"], one["after"]]
        for one in what_if["verdict_changes"]
    ]
    print_table(["event", "type", "rep", "before", "after"], rows)


@contextmanager
def progress_bars() -> Iterator[Progress]:
    """Show progress on stderr while a terminal is there; nothing otherwise."""
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        yield progress
