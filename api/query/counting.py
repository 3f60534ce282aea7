"""What the events of a question can be counted by."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, Literal, TypeAlias, get_args

from psycopg import sql

from api.query import fiscal
from api.query.conditions import Conditions
from domain.events.base import type_name
from domain.events.catalogue import EVENT_TYPES

Dimension: TypeAlias = Literal[
    "type",
    "rep",
    "actor",
    "team",
    "owner",
    "account",
    "stage",
    "channel",
    "source",
    "quarter",
    "week",
]
DIMENSIONS: Final[tuple[Dimension, ...]] = get_args(Dimension)


_OF_VIEWS: Final = frozenset({"owner", "account", "stage"})


def counts_views(by: Iterable[Dimension]) -> bool:
    """Say whether what is counted by depends on what projections know."""
    return not _OF_VIEWS.isdisjoint(by)


def expression(dimension: Dimension, writing: Conditions) -> sql.Composable:
    """Give what an event is counted under, null where it says nothing."""
    made = _EXPRESSIONS.get(dimension)
    return made(writing) if made else writing.columns[dimension]


def named(dimension: Dimension, value: str | None) -> str | None:
    """Give what a count is shown under."""
    known = EVENT_TYPES.get(value) if dimension == "type" and value else None
    return type_name(known) if known else value


def _team(writing: Conditions) -> sql.Composable:
    members = writing.ground.known.memberships
    return sql.SQL(
        "(SELECT m.team FROM unnest({reps}::text[], {teams}::text[], {since}::timestamptz[],"
        " {until}::timestamptz[]) AS m(rep, team, since, until)"
        " WHERE m.rep = {rep} AND m.since <= {occurred}"
        " AND (m.until IS NULL OR {occurred} < m.until) ORDER BY m.since LIMIT 1)"
    ).format(
        rep=writing.columns["rep"],
        occurred=writing.columns["occurred"],
        reps=writing.value([one.rep for one in members]),
        teams=writing.value([one.team for one in members]),
        since=writing.value([one.joined for one in members]),
        until=writing.value([one.left for one in members]),
    )


def _quarter(writing: Conditions) -> sql.Composable:
    return writing.quarter_name(writing.columns["occurred"])


def _week(writing: Conditions) -> sql.Composable:
    found = writing.ground.stretches
    return sql.SQL(
        "to_char({occurred} AT TIME ZONE"
        " ({zones}::text[])[width_bucket({occurred}, {turns}::timestamptz[])], 'IYYY-\"W\"IW')"
    ).format(
        occurred=writing.columns["occurred"],
        zones=writing.value([one.zone for one in found]),
        turns=writing.value(fiscal.boundaries(found)),
    )


def _account(_writing: Conditions) -> sql.Composable:
    return sql.SQL("account_id")


_EXPRESSIONS: Final[Mapping[Dimension, Callable[[Conditions], sql.Composable]]] = {
    "account": _account,
    "quarter": _quarter,
    "team": _team,
    "week": _week,
}
"""What is counted by that no column says as it is."""
