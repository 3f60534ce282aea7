"""The command `events`: the log, asked with a query, shown or counted."""

import sys
from collections.abc import Sequence
from typing import Annotated, Final

import typer

from api import clock
from api.answers import logged_json
from api.bootstrap import Ledger, open_ledger
from api.cli_exchange import catch_up
from api.cli_output import AsOf, EffectiveAt, print_json, print_table
from api.http.formats import NAMES
from api.lists_log import MAX_LIMIT, Counts, Page
from api.moment import moment
from api.parameters import one_of, some_of
from api.query.counting import DIMENSIONS, Dimension
from api.query.parser import parse
from api.query.question import SORTS, LogQuestion
from api.query.statements import NO_BOUNDS
from api.query.tree import render
from api.settings import Settings
from domain.events.base import type_name

_SHOWN: Final = ("table", "json", *NAMES.values())


def events(
    *,
    query: Annotated[
        str, typer.Argument(help="Such as: type:discount_offered data.percent>=20 days_left<=14.")
    ] = "",
    by: Annotated[
        str | None,
        typer.Option(help=f"Count instead, by {', '.join(DIMENSIONS)}; commas between."),
    ] = None,
    sort: Annotated[
        str, typer.Option(help=f"One of {', '.join(SORTS)}; a minus sign turns it round.")
    ] = "position",
    limit: Annotated[int, typer.Option(min=1, max=MAX_LIMIT, help="Events to show.")] = 100,
    last: Annotated[
        int | None, typer.Option("--from", help="Go on from the event at this position.")
    ] = None,
    shown: Annotated[str, typer.Option("--format", help=f"One of {', '.join(_SHOWN)}.")] = "table",
    as_of: AsOf = None,
    effective_at: EffectiveAt = None,
) -> None:
    """Ask the log: show the events that a query holds for, or count them."""
    tree, order = parse(query), one_of("sort", sort, SORTS)
    form, groups = one_of("format", shown, _SHOWN), some_of("by", by, DIMENSIONS)
    with open_ledger(Settings.read()) as ledger:
        catch_up(ledger)
        when = moment(ledger.store, as_of=as_of, effective_at=effective_at, now=clock.now())
        question = LogQuestion(query=tree, moment=when, sort=order)
        if groups:
            _print_counts(ledger.log.counts(question, groups), question, groups, form)
            return
        bounds = NO_BOUNDS.from_(question, last)
        _print_page(ledger, ledger.log.page(question, limit=limit, bounds=bounds), question, form)


def _print_counts(
    counts: Counts, question: LogQuestion, groups: Sequence[Dimension], form: str
) -> None:
    if form == "json":
        print_json(counts.answer(question, groups))
        return
    if form != "table":
        message = f"counts are shown as table or json, not as {form}"
        raise typer.BadParameter(message, param_hint="--format")
    names = [*groups, "count"]
    print_table(names, [[group[name] for name in names] for group in counts.groups])
    typer.echo(f"{counts.total} events{', in more groups than these' if counts.more else ''}")


def _print_page(ledger: Ledger, page: Page, question: LogQuestion, form: str) -> None:
    if form in NAMES.values():
        sys.stdout.buffer.write(ledger.exports.page(page.events, question, form))
        sys.stdout.buffer.flush()
    elif form == "json":
        correctors = ledger.log.correctors(page.events, question)
        print_json(
            {
                "upto": question.moment.position,
                "query": render(question.query),
                "events": [logged_json(event, correctors) for event in page.events],
                "next": page.last,
            }
        )
    else:
        print_table(
            ["position", "occurred", "recorded", "type", "rep", "stream", "data"],
            [
                [
                    event.position,
                    f"{event.occurred_at:%Y-%m-%d %H:%M}",
                    f"{event.recorded_at:%Y-%m-%d %H:%M}",
                    type_name(type(event.data)),
                    event.rep,
                    event.stream_id,
                    event.data.to_json().decode(),
                ]
                for event in page.events
            ],
        )
    if page.last is not None and form != "json":
        position = question.moment.position
        hint = f"more follow: --from {page.last} --as-of position:{position}"
        typer.echo(hint, err=True)
