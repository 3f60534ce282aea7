"""Lists of deals as of any position: filters, order and pages, one indexed read each."""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Final, Literal, TypeAlias, get_args
from uuid import UUID

from psycopg import DataError, sql

from api.answers import state_json
from api.errors import MalformedRequestError
from api.exchange.salesforce_ids import full_id
from api.identity.access import IN_REACH, people
from api.identity.reach import WHOLE, Reach
from api.lists_health import RANKS, Health, health_at, with_health
from api.looks import Look, health_json, looks_at
from api.moment import Moment
from api.places import Place, Places
from api.storage.log_reader import LogReader
from domain.known import Known
from domain.values import utc_instant
from projections.facts import Rows
from projections.spans.fold import DealState

Closed: TypeAlias = Literal["open", "won", "lost", "disqualified"]
CLOSED: Final[tuple[Closed, ...]] = get_args(Closed)
Sort: TypeAlias = Literal[
    "name", "close_date", "amount", "opened_at", "position", "health",
    "-name", "-close_date", "-amount", "-opened_at", "-position", "-health",
]  # fmt: skip
SORTS: Final[tuple[Sort, ...]] = get_args(Sort)
"""The orders that a list may have; a minus sign turns one round."""
MAX_LIMIT: Final = 200

_COLUMNS: Final = DealState._fields
_KEYS: Final[Mapping[str, tuple[str, str, str, str]]] = {
    "name": ("name", "text", "", ""),
    "close_date": ("close_date", "date", "infinity", "-infinity"),
    "amount": ("amount", "numeric", "Infinity", "-Infinity"),
    "opened_at": ("opened_at", "timestamptz", "infinity", "-infinity"),
    "position": ("since_position", "bigint", "0", "0"),
    "health": ("health", "int", "9", "-1"),
}
"""Column, type, and what an empty value counts as upwards and downwards: always the last."""
_CONDITIONS: Final[Mapping[str, str]] = {
    "owner": "owner = %(owner)s",
    "stage": "stage = %(stage)s",
    "account": "account_id = %(account)s",
    "process": "process_id = %(process)s",
    "external_id": "external_id = ANY(%(external_id)s)",
    "close_date_from": "close_date >= %(close_date_from)s",
    "close_date_to": "close_date <= %(close_date_to)s",
    "q": "(name ILIKE %(q)s OR account_name ILIKE %(q)s)",
    "owners": "owner = ANY(%(owners)s)",
    "closed": "closed = ANY(%(closed)s)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DealFilters:
    """Which deals a list holds; what is None filters nothing."""

    owner: str | None = None
    team: str | None = None
    stage: str | None = None
    closed: tuple[Closed, ...] = ()
    account: str | None = None
    external_id: str | None = None
    process: str | None = None
    q: str | None = None
    close_date_from: date | None = None
    close_date_to: date | None = None
    health: tuple[Health, ...] = ()
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ends: the moment that all pages stand on, and the last row's key.

    `at` is the instant that deadlines are settled by, which may have no place in the log.
    """

    position: int
    at: datetime
    value: str
    deal_id: UUID
    question: str

    def ensure_of(self, question: str, moment: Moment) -> None:
        """Refuse to go on with another list than the one that it is of.

        Raises:
            MalformedRequestError: the list has other filters, or stands on another moment.
        """
        if (self.question, self.position) != (question, moment.position):
            message = "cursor: it belongs to a list with other filters, order or moment"
            raise MalformedRequestError(message, field="cursor")

    def parts(self, number: int) -> list[str]:
        """Give the parts that its value is put together from, where a key has several.

        Raises:
            MalformedRequestError: this server gave no such cursor.
        """
        try:
            found = json.loads(self.value)
        except (ValueError, RecursionError) as error:
            raise no_cursor() from error
        texts = isinstance(found, list) and all(isinstance(one, str) for one in found)
        if not texts or len(found) != number:
            raise no_cursor()
        return list(found)

    def text(self) -> str:
        """Give it as an opaque text."""
        plain = json.dumps(
            [self.position, self.at.isoformat(), self.value, str(self.deal_id), self.question]
        )
        return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> "Cursor":
        """Read a cursor.

        Raises:
            MalformedRequestError: this server gave no such cursor.
        """
        try:
            padded = text + "=" * (-len(text) % 4)
            position, at, value, deal_id, question = json.loads(base64.urlsafe_b64decode(padded))
            if not isinstance(position, int) or not isinstance(value, str):
                raise no_cursor()
            return cls(position, utc_instant(at), value, UUID(deal_id), str(question))
        except (ValueError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
            raise no_cursor() from error


def rows_after(
    connection: Rows, cursor: Cursor | None, query: sql.Composed, values: Mapping[str, object]
) -> list[tuple[Any, ...]]:
    """Give the rows of a query that has the database read the value of a cursor.

    Raises:
        MalformedRequestError: it cannot be what the list is ordered by: no page ended with it.
    """
    try:
        return connection.execute(query, values).fetchall()
    except (DataError, UnicodeEncodeError) as error:
        if cursor is None:
            raise
        raise no_cursor() from error


def no_cursor() -> MalformedRequestError:
    """Give what is said of a cursor that cannot be read."""
    message = "cursor: not one that this server gave; begin again without it"
    return MalformedRequestError(message, field="cursor")


@dataclass(frozen=True, slots=True)
class DealPage:
    """One page of a list, as JSON rows."""

    total: int
    rows: list[dict[str, object]]
    next: str | None


class DealLists:
    """Lists of deals as of any moment; the views must have reached it."""

    def __init__(self, store: LogReader, places: Places) -> None:
        self._store = store
        self._places = places

    def page(
        self,
        moment: Moment,
        known: Known,
        filters: DealFilters,
        *,
        sort: Sort,
        limit: int,
        cursor: Cursor | None,
        reach: Reach = WHOLE,
    ) -> DealPage:
        """Give a page as known and as true at a moment, with each deal's progress and verdicts.

        Raises:
            MalformedRequestError: the cursor belongs to another list.
        """
        question = _fingerprint(moment, filters, sort)
        if cursor is not None:
            cursor.ensure_of(question, moment)
        where, values = _where(moment, known, filters, reach)
        with self._store.snapshot() as connection:
            table = _table(self._places.of(connection, moment), filters)
            if filters.health or sort.endswith("health"):
                table, where = with_health(table, where), _of_health(filters)
                values |= health_at(moment, known)
            total = _count(connection, table, where, values)
            rows = _read(connection, table, where, values, sort=sort, limit=limit, cursor=cursor)
            page = rows[:limit]
            reading = self._places.reading(moment.cut)
            looks = looks_at(connection, known, moment, [row[0] for row in page], reading)
        more = None
        if len(rows) > limit:
            last = page[-1]
            more = Cursor(moment.position, moment.effective_at, last[2], last[0], question).text()
        return DealPage(total, [_row_json(row, looks[row[0]], known, moment) for row in page], more)

    def every(
        self, moment: Moment, known: Known, filters: DealFilters, *, sort: Sort
    ) -> Iterator[dict[str, object]]:
        """Give the rows of all pages, one after the other."""
        cursor: Cursor | None = None
        while True:
            page = self.page(moment, known, filters, sort=sort, limit=MAX_LIMIT, cursor=cursor)
            yield from page.rows
            if page.next is None:
                return
            cursor = Cursor.read(page.next)


def _table(place: Place, filters: DealFilters) -> sql.Composed:
    """Give the smallest table of states that holds what the filters may let through."""
    if not filters.deleted and (filters.closed == ("open",) or filters.health):
        return place.open_deals
    if filters.deleted or (filters.closed and "open" not in filters.closed):
        return place.deals_out()
    return place.all_deals


def _where(
    moment: Moment, known: Known, filters: DealFilters, reach: Reach
) -> tuple[sql.Composed, dict[str, object]]:
    values: dict[str, object] = {
        "owner": filters.owner,
        "stage": filters.stage,
        "account": filters.account,
        "process": filters.process,
        "close_date_from": filters.close_date_from,
        "close_date_to": filters.close_date_to,
        "q": f"%{_escaped(filters.q)}%" if filters.q else None,
        "external_id": [filters.external_id, full_id(filters.external_id)]
        if filters.external_id
        else None,
        "owners": list(known.team(filters.team, moment.effective_at)) if filters.team else None,
        "deleted": filters.deleted,
        "deals_of": people(reach.deals_of),
    }
    parts = ["deleted = %(deleted)s", IN_REACH]
    parts += [_CONDITIONS[name] for name, value in values.items() if _filters(name, value)]
    if filters.closed:
        values["closed"] = [one for one in filters.closed if one != "open"]
        open_too = " OR closed IS NULL" if "open" in filters.closed else ""
        parts.append(f"({_CONDITIONS['closed']}{open_too})")
    return sql.SQL(" AND ").join(_sql(part) for part in parts), values


def _of_health(filters: DealFilters) -> sql.Composed:
    """Give the condition on the health of deals; a deal that is not open has none."""
    if not filters.health:
        return sql.SQL("true").format()
    ranks = [RANKS[one] for one in filters.health]
    return sql.SQL("health = ANY({})").format(sql.Literal(ranks))


def _filters(name: str, value: object) -> bool:
    return value is not None and name in _CONDITIONS


def _sql(text: str) -> sql.SQL:
    # Only texts of this module come here.
    return sql.SQL(text)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _count(
    connection: Rows, table: sql.Composed, where: sql.Composed, values: Mapping[str, object]
) -> int:
    row = connection.execute(
        sql.SQL("SELECT count(*) FROM {} t WHERE {}").format(table, where), values
    ).fetchone()
    return row[0] if row else 0


def _read(
    connection: Rows,
    table: sql.Composed,
    where: sql.Composed,
    values: Mapping[str, object],
    *,
    sort: Sort,
    limit: int,
    cursor: Cursor | None,
) -> list[tuple[Any, ...]]:
    """Read a page and one row more, to know whether another follows."""
    down = sort.startswith("-")
    column, kind, last_up, last_down = _KEYS[sort.lstrip("-")]
    key = sql.SQL("coalesce({}, {}::{})").format(
        sql.Identifier(column), sql.Literal(last_down if down else last_up), _sql(kind)
    )
    if column == "name":
        key = sql.SQL('{} COLLATE "C"').format(key)
    direction = sql.SQL("DESC" if down else "ASC")
    after: sql.Composable = sql.SQL("true")
    parameters = {**values, "limit": limit + 1}
    if cursor is not None:
        after = sql.SQL("({}, deal_id) {} (%(value)s::{}, %(deal_id)s)").format(
            key, sql.SQL("<" if down else ">"), _sql(kind)
        )
        parameters |= {"value": cursor.value, "deal_id": cursor.deal_id}
    query = sql.SQL(
        "SELECT deal_id, since_position, ({})::text, {} FROM {} t WHERE {} AND {}"
        " ORDER BY {} {}, deal_id {} LIMIT %(limit)s"
    ).format(
        key,
        sql.SQL(", ").join(map(sql.Identifier, DealState._fields)),
        table,
        where,
        after,
        key,
        direction,
        direction,
    )
    return rows_after(connection, cursor, query, parameters)


def _row_json(row: tuple[Any, ...], look: Look, known: Known, moment: Moment) -> dict[str, object]:
    deal_id, since, _, *columns = row
    state = DealState._make(columns)
    return {
        "deal_id": str(deal_id),
        "since_position": since,
        **state_json(state),
        "verdicts": look.verdicts,
        "progress": look.progress,
        "health": health_json(state, look, known, moment),
    }


def _fingerprint(moment: Moment, filters: DealFilters, sort: Sort) -> str:
    text = json.dumps([moment.cut, asdict(filters), sort], default=str, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
