"""The list of what both sides said they will do, across all open deals and as of any position."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final, Literal, TypeAlias, get_args

from psycopg import sql

from api.context import ContextReader
from api.identity.access import IN_REACH, people
from api.identity.reach import WHOLE, Reach
from api.lists import Cursor, rows_after
from api.moment import Moment
from api.places import Place, Places
from api.storage.log_reader import LogReader
from domain.commitments import Side
from domain.known import Known
from projections.commitments.figures import STANDING, STATUS, standing_at
from projections.facts import Rows

Waiting: TypeAlias = Literal["open", "renegotiated", "broken"]
WAITING: Final[tuple[Waiting, ...]] = get_args(Waiting)
"""What may still become of it: nothing has settled it, and broken is what is past its day."""
SIDES: Final[tuple[Side, ...]] = get_args(Side)
_NEVER: Final = "infinity"
_KEY: Final = sql.SQL("coalesce(due, 'infinity'), deal_id, side, commitment_id COLLATE \"C\"")
_WAITED_FOR: Final = """
    (WITH asked AS MATERIALIZED (SELECT * FROM {open} o WHERE {reach} AND {wanted})
    SELECT asked.deal_id, asked.name, asked.account_name, asked.owner, c.side, c.commitment_id,
           c.what, c.by, c.level, c.due, c.overdue_at, c.event_id,
           {status} AS status
    FROM asked JOIN commitments c USING (deal_id) WHERE {standing} AND settled IS NULL)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitmentFilters:
    """Which commitments a list holds; what is None or empty filters nothing.

    `due_from` and `due_to` are days that both belong to it; what has no day belongs to neither.
    """

    side: Side | None = None
    status: tuple[Waiting, ...] = ()
    owner: str | None = None
    team: str | None = None
    due_from: date | None = None
    due_to: date | None = None


@dataclass(frozen=True, slots=True)
class CommitmentPage:
    """One page of a list as JSON rows, and how many wait in all by side and status.

    `counts` are those of the deals that are listed, whatever side and status the list is of.
    """

    total: int
    counts: Mapping[str, Mapping[str, int]]
    rows: list[dict[str, object]]
    next: str | None


class CommitmentLists:
    """Lists of what is waited for as of any moment; the views must have reached it."""

    def __init__(self, store: LogReader, context: ContextReader, places: Places) -> None:
        self._store = store
        self._context = context
        self._places = places

    def page(
        self,
        moment: Moment,
        filters: CommitmentFilters,
        *,
        limit: int,
        cursor: Cursor | None,
        reach: Reach = WHOLE,
    ) -> CommitmentPage:
        """Give a page, what is due first before what is due later or has no day.

        Raises:
            MalformedRequestError: the cursor belongs to another list.
        """
        question = _fingerprint(moment, filters)
        if cursor is not None:
            cursor.ensure_of(question, moment)
        values = _values(moment, self._context.known(moment.position), filters, reach)
        with self._store.snapshot() as connection:
            table = _table(self._places.of(connection, moment))
            counts = _counts(connection, table, values)
            rows = _read(connection, table, values, limit=limit, cursor=cursor)
        total = sum(
            number
            for side, of_side in counts.items()
            for status, number in of_side.items()
            if filters.side in (None, side) and (not filters.status or status in filters.status)
        )
        more = None
        if len(rows) > limit:
            last = rows[limit - 1]
            key = json.dumps([str(last["due"] or _NEVER), last["side"], last["id"]])
            more = Cursor(moment.position, moment.effective_at, key, last["deal_id"], question)
        return CommitmentPage(
            total,
            counts,
            [{**row, "deal_id": str(row["deal_id"])} for row in rows[:limit]],
            more.text() if more else None,
        )


def _table(place: Place) -> sql.Composed:
    return sql.SQL(_WAITED_FOR).format(
        open=place.open_deals,
        reach=sql.SQL(IN_REACH),
        wanted=sql.SQL(
            "(%(owner)s::text IS NULL OR owner = %(owner)s)"
            " AND (%(owners)s::text[] IS NULL OR owner = ANY(%(owners)s))"
        ),
        status=sql.SQL(STATUS),
        standing=sql.SQL(STANDING),
    )


_OF_DAYS: Final = sql.SQL(
    "(%(due_from)s::date IS NULL OR due >= %(due_from)s)"
    " AND (%(due_to)s::date IS NULL OR due <= %(due_to)s)"
)
_ASKED: Final = sql.SQL(
    "(%(side)s::text IS NULL OR side = %(side)s)"
    " AND (%(statuses)s::text[] IS NULL OR status = ANY(%(statuses)s))"
)


def _values(
    moment: Moment, known: Known, filters: CommitmentFilters, reach: Reach
) -> dict[str, object]:
    return {
        "side": filters.side,
        "statuses": list(filters.status) or None,
        "owner": filters.owner,
        "owners": list(known.team(filters.team, moment.effective_at)) if filters.team else None,
        "due_from": filters.due_from,
        "due_to": filters.due_to,
        "deals_of": people(reach.deals_of),
        **standing_at(as_of=moment.position, at=moment.effective_at, cut=moment.cut),
    }


def _counts(
    connection: Rows, table: sql.Composed, values: Mapping[str, object]
) -> dict[str, dict[str, int]]:
    query = sql.SQL(
        "SELECT side, status, count(*) FROM {} w WHERE {} GROUP BY side, status"
    ).format(table, _OF_DAYS)
    found: dict[str, dict[str, int]] = {side: dict.fromkeys(WAITING, 0) for side in SIDES}
    for side, status, number in connection.execute(query, values).fetchall():
        found[side][status] = number
    return found


def _read(
    connection: Rows,
    table: sql.Composed,
    values: Mapping[str, object],
    *,
    limit: int,
    cursor: Cursor | None,
) -> list[dict[str, Any]]:
    """Read a page and one row more, to know whether another follows."""
    after: sql.Composable = sql.SQL("true")
    parameters = {**values, "limit": limit + 1}
    if cursor is not None:
        due, side, name = cursor.parts(3)
        after = sql.SQL(
            "({}) > (%(after_due)s::date, %(after_deal)s, %(after_side)s, %(after_id)s)"
        )
        after = after.format(_KEY)
        parameters |= {"after_due": due, "after_deal": cursor.deal_id}
        parameters |= {"after_side": side, "after_id": name}
    query = sql.SQL("SELECT * FROM {} w WHERE {} AND {} AND {} ORDER BY {} LIMIT %(limit)s").format(
        table, _OF_DAYS, _ASKED, after, _KEY
    )
    rows = rows_after(connection, cursor, query, parameters)
    return [dict(zip(_NAMES, row, strict=True)) for row in rows]


_NAMES: Final = (
    *("deal_id", "deal", "account", "owner", "side", "id", "what", "by", "level", "due"),
    *("overdue_at", "event_id", "status"),
)


def _fingerprint(moment: Moment, filters: CommitmentFilters) -> str:
    text = json.dumps([moment.cut, asdict(filters)], default=str, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
