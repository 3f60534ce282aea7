"""The parameters that say which events of the log are asked for: a query, and filters beside it."""

from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from fastapi import Depends, Query

from api.errors import MalformedRequestError
from api.http.deals import deal_named
from api.http.moments import INSTANT_PATTERN, instant_named
from api.lists_log import MAX_LIMIT
from api.parameters import NUMERAL, pattern_of_some, some_of
from api.query.fields import CHANNELS
from api.query.order import Bounds
from api.query.parser import MAX_LENGTH, parse
from api.query.question import Sort
from api.query.tree import Comparison, Term, all_of, term
from api.query.tree import Query as Tree
from domain.events.catalogue import TYPES_BY_NAME

Text: TypeAlias = Annotated[str | None, Query(min_length=1, max_length=500)]
Instant: TypeAlias = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=64,
        description="An instant with its zone.",
        json_schema_extra={"pattern": f"^{INSTANT_PATTERN}$"},
    ),
]
JudgedAt: TypeAlias = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=64,
        description="The instant that verdicts are told for, which decides what is pending still; "
        "it hides no event. `next` has that of its own page. Default: `effective_at`, or its "
        "default.",
        json_schema_extra={"pattern": f"^{INSTANT_PATTERN}$"},
    ),
]
Position: TypeAlias = Annotated[int | None, Query(ge=0, le=2**62), NUMERAL]
QueryText: TypeAlias = Annotated[
    str | None,
    Query(
        description="A query, such as `type:discount_offered data.percent>=20 days_left<=14`; "
        f"at most {MAX_LENGTH} characters. docs/audit.md has the language.",
        examples=["type:discount_offered data.percent>=20 days_left<=14"],
    ),
]


Types: TypeAlias = Annotated[
    str | None,
    Query(
        min_length=1,
        description="An event type; several with commas between.",
        json_schema_extra={"pattern": pattern_of_some(tuple(TYPES_BY_NAME))},
    ),
]
Channels: TypeAlias = Annotated[
    str | None,
    Query(
        min_length=1,
        description="ui, api, import or rule; several with commas between.",
        json_schema_extra={"pattern": pattern_of_some(CHANNELS)},
    ),
]


def query(
    q: QueryText = None,
    type: Types = None,
    deal: Text = None,
    account: Text = None,
    owner: Text = None,
    rep: Text = None,
    actor: Text = None,
    channel: Channels = None,
    recorded_from: Instant = None,
    recorded_to: Instant = None,
    occurred_from: Instant = None,
    occurred_to: Instant = None,
) -> Tree:
    """Take what is asked for: all that the query and the filters say, as one tree.

    Each filter is a term of the language; `owner` is who owns the deal now, `owner_now`.

    Raises:
        MalformedRequestError: one of them cannot be read.
    """
    names = {
        "type": some_of("type", type, tuple(TYPES_BY_NAME)),
        "deal": (str(deal_named(deal)),) if deal else (),
        "account": (account,) if account else (),
        "owner_now": (owner,) if owner else (),
        "rep": (rep,) if rep else (),
        "actor": (actor,) if actor else (),
        "channel": some_of("channel", channel, CHANNELS),
    }
    terms = [term(name, *values) for name, values in names.items() if values]
    terms += _ranged("recorded", recorded_from, recorded_to)
    terms += _ranged("occurred", occurred_from, occurred_to)
    return all_of([parse(q or ""), *terms])


def _ranged(field: str, since: str | None, until: str | None) -> list[Term]:
    """Give the terms of a range, which holds its beginning and not its end."""
    ends: tuple[tuple[str, Comparison, str | None], ...] = (
        (f"{field}_from", ">=", since),
        (f"{field}_to", "<", until),
    )
    return [
        term(field, instant_named(name, text).isoformat(), comparison=comparison)
        for name, comparison, text in ends
        if text
    ]


Wanted: TypeAlias = Annotated[Tree, Depends(query)]
"""What a request asks of the log."""


@dataclass(frozen=True, slots=True)
class PageAsked:
    """How many events are asked for, in which order, and between which of them."""

    limit: int
    sort: Sort
    bounds: Bounds


def page_asked(
    after: Position = None,
    before: Position = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT), NUMERAL] = 100,
    sort: Annotated[
        Sort | None,
        Query(description="A minus sign turns the order round. Default: position."),
    ] = None,
    order: Annotated[
        Literal["asc", "desc"] | None, Query(description="By position; `sort` says the same.")
    ] = None,
) -> PageAsked:
    """Take the parameters of a page.

    Raises:
        MalformedRequestError: they name two orders.
    """
    if sort is not None and order is not None:
        raise MalformedRequestError("order: sort says it already; give one", field="order")
    sort = sort or ("-position" if order == "desc" else "position")
    return PageAsked(limit, sort, Bounds(after, before))


Paged: TypeAlias = Annotated[PageAsked, Depends(page_asked)]
"""Which page of it a request asks for."""
