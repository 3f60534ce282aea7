"""The command `events`: the log, asked with a query, shown or counted."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

import typer

from api import clock
from api.answers import how, json_bytes, logged_json
from api.bootstrap import Ledger, open_ledger
from api.cli_exchange import catch_up
from api.cli_output import AsOf, EffectiveAt, print_json, print_table
from api.corrected import Correctors
from api.http.formats import NAMES
from api.lists_log import MAX_LIMIT, Counts, Page
from api.moment import moment
from api.parameters import one_of, some_of
from api.query.counting import DIMENSIONS, Dimension
from api.query.parser import parse
from api.query.question import SORTS, LogQuestion
from api.query.tree import render
from api.settings import Settings
from domain.events.base import type_name
from domain.replay import Event

_SHOWN: Final = ("table", "json", *NAMES.values())
_HEADERS: Final = (
    "position", "occurred", "recorded", "type", "rep", "stream", "corrected", "data",
)  # fmt: skip


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
    limit: Annotated[int, typer.Option(min=1, help="Events to show, as many as there are.")] = 100,
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
        pages = ledger.log.pages(question, last=last, limit=limit, size=MAX_LIMIT)
        _print_pages(ledger, pages, question, form)


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


def _print_pages(ledger: Ledger, pages: Iterable[Page], question: LogQuestion, form: str) -> None:
    """Print events page by page, as they are read, and from where more follow."""
    following = _Following(pages)
    if form == "json":
        _print_object(ledger, following, question)
        return
    if form in NAMES.values():
        for piece in ledger.exports.shown(following.events(), question, form):
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
    else:
        _print_tables(ledger, following, question)
    if following.last is not None:
        position = question.moment.position
        hint = f"more follow: --from {following.last} --as-of position:{position}"
        typer.echo(hint, err=True)


@dataclass(slots=True)
class _Following:
    """The events of pages, and, once they are printed, from which position more follow."""

    pages: Iterable[Page]
    last: int | None = None

    def events(self) -> Iterator[list[Event]]:
        for page in self.pages:
            self.last = page.last
            if page.events:
                yield page.events


def _print_object(ledger: Ledger, following: _Following, question: LogQuestion) -> None:
    """Print what `GET /v1/events` answers, with all events in one page."""
    head = json_bytes({"upto": question.moment.position, "query": render(question.query)})
    out, before = sys.stdout.buffer, b""
    out.write(head.removesuffix(b"}") + b',"events":[')
    for events in following.events():
        correctors = ledger.log.correctors(events, question)
        told = b",".join(json_bytes(logged_json(event, correctors)) for event in events)
        out.write(before + told)
        before = b","
    out.write(b'],"next":' + json_bytes(following.last) + b"}\n")
    out.flush()


def _print_tables(ledger: Ledger, following: _Following, question: LogQuestion) -> None:
    """Print a table for each page, so that a long answer begins at once."""
    found = False
    for events in following.events():
        found = True
        correctors = ledger.log.correctors(events, question)
        print_table(_HEADERS, [_cells(event, correctors) for event in events])
    if not found:
        print_table(_HEADERS, [])


def _cells(event: Event, correctors: Correctors) -> list[object]:
    corrector = correctors.get(event.event_id)
    return [
        event.position,
        f"{event.occurred_at:%Y-%m-%d %H:%M}",
        f"{event.recorded_at:%Y-%m-%d %H:%M}",
        type_name(type(event.data)),
        event.rep,
        event.stream_id,
        f"{how(corrector)} at {corrector.position}" if corrector else None,
        event.data.to_json().decode(),
    ]
