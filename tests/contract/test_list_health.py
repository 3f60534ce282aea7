"""The health that the database tells of a list is what its facts are folded into."""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from api.bootstrap import Ledger
from api.lists import DealFilters, Sort
from api.lists_health import RANKS, Health
from api.moment import Moment, moment
from api.storage.event_store import EventStore
from projections.progress.shares import ratio
from projections.review.health import COLOUR_SQL, Vitals, held, worst_of
from tests.support.ledgers import NOW, import_lines, ledger_on
from tests.support.projected import late_lines
from tests.support.thirty import Line, Lines, thirty_lines

NO_HEALTH = len(RANKS)
TODAY = date(2025, 3, 1)
DAYS = st.none() | st.sampled_from([date(2025, 2, 28), TODAY, date(2025, 3, 2)])
SHARES = st.tuples(st.integers(0, 8), st.integers(0, 8)).map(sorted)
QUIET = {
    "close_date": None,
    "forecast": None,
    "level": 0,
    "broken_level": None,
    "pushes": 0,
    "contacts": 0,
    "next_due": TODAY,
    "shown": [0, 0],
}
"""Of a deal of which no flag holds; the weights that are hollow, of those that have settled."""
VITALS = st.fixed_dictionaries(
    {},
    optional={
        "close_date": DAYS,
        "forecast": st.sampled_from(["commit", "pipeline"]),
        "level": st.integers(0, 3),
        "broken_level": st.integers(0, 5),
        "pushes": st.integers(0, 4),
        "contacts": st.integers(0, 3),
        "next_due": st.none(),
        "shown": SHARES,
    },
).map(lambda drawn: {**QUIET, **drawn})


def folded(vitals: dict[str, Any]) -> str | None:
    hollow, settled = vitals["shown"]
    told = {name: value for name, value in vitals.items() if name != "shown"}
    return worst_of(held(Vitals(**told, checkbox_only=ratio(hollow, settled), age=None), TODAY))


def row(vitals: dict[str, Any]) -> sql.Composed:
    columns = {
        "close_date": ("date", vitals["close_date"]),
        "forecast_category": ("text", vitals["forecast"]),
        "level": ("int", vitals["level"]),
        "broken_level": ("int", vitals["broken_level"]),
        "dated": ("bool", vitals["next_due"] is not None),
        "pushes": ("int", vitals["pushes"]),
        "contacts": ("int", vitals["contacts"]),
        "hollow": ("numeric", vitals["shown"][0]),
        "settled": ("numeric", vitals["shown"][1]),
    }
    return sql.SQL("SELECT {}").format(
        sql.SQL(", ").join(
            sql.SQL("{}::{} AS {}").format(value, sql.SQL(kind), sql.Identifier(name))
            for name, (kind, value) in columns.items()
        )
    )


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(drawn=st.lists(VITALS, min_size=10, max_size=20))
def test_a_colour_is_the_same_in_the_database(
    store: EventStore, drawn: list[dict[str, Any]]
) -> None:
    rows = sql.SQL(" UNION ALL ").join(map(row, drawn))
    query = sql.SQL("SELECT {} FROM ({}) AS vitals").format(sql.SQL(COLOUR_SQL), rows)
    with store.connection() as connection:
        found = connection.execute(query, {"backing_today": TODAY}).fetchall()

    assert [colour for (colour,) in found] == [folded(one) for one in drawn]


def company() -> list[Line]:
    """Give the worked example, what was told late of it, and a deal of which no flag holds now."""
    lines = Lines()
    lines.open("N1", "2025-01-08T00:00:00Z")
    data = {"commitment_id": "n", "what": "They decide", "kind": "action", "level": 2}
    when, due = "2025-01-09T00:00:00Z", {"due": "2027-01-01"}
    lines.add("deal:N1", "customer_commitment_recorded", when, data | due)
    lines.add("deal:N1", "activity_ticked", "2025-01-10T00:00:00Z", {"activity": "meet_dm"})
    shown = {"outcome": "dm_criteria", "level": 3}
    lines.add("deal:N1", "outcome_evidenced", "2025-03-10T00:00:00Z", shown)
    return [*lines.all, *thirty_lines(), *late_lines()]


def moments(ledger: Ledger) -> Iterator[Moment]:
    """Give moments now and then, on either clock and on both."""
    for as_of, at in product((None, "position:40"), (None, "2025-02-20T00:00:00Z")):
        yield moment(ledger.store, as_of=as_of, effective_at=at, now=NOW)


def rows_of(
    ledger: Ledger, when: Moment, *health: Health, sort: Sort = "name"
) -> Iterator[dict[str, Any]]:
    known = ledger.context.known(when.position)
    return ledger.lists.every(when, known, DealFilters(health=health), sort=sort)


def ids_of(ledger: Ledger, when: Moment, *health: Health, sort: Sort = "name") -> list[str]:
    return [str(one["deal_id"]) for one in rows_of(ledger, when, *health, sort=sort)]


def test_lists_are_cut_and_ordered_by_the_health_that_their_rows_tell(
    database: str, tmp_path: Path
) -> None:
    seen: set[int] = set()
    with ledger_on(database) as ledger:
        import_lines(ledger, tmp_path, company())
        for when in moments(ledger):
            listed = partial(ids_of, ledger, when)
            ranks = {str(one["deal_id"]): rank_of(one) for one in rows_of(ledger, when)}
            seen |= set(ranks.values())
            for health in RANKS:
                assert listed(health) == [i for i, rank in ranks.items() if rank == RANKS[health]]
            assert listed("none", "red") == [i for i, rank in ranks.items() if rank in (0, 2)]
            worst_first = sorted((rank, deal_id) for deal_id, rank in ranks.items())
            assert listed(sort="health") == [deal_id for _, deal_id in worst_first]
            open_ones = [one for one in worst_first if one[0] != NO_HEALTH]
            closed = [one for one in worst_first if one[0] == NO_HEALTH]
            assert listed(sort="-health") == [i for _, i in [*open_ones[::-1], *closed[::-1]]]
    assert seen == {*RANKS.values(), NO_HEALTH}


def rank_of(deal: Mapping[str, Any]) -> int:
    """Give the place of its health in an order by it; that of closed deals comes last."""
    health = deal["health"]
    return NO_HEALTH if health is None else RANKS[health["colour"] or "none"]
