"""Answers the audit explorer: events of the log with their words, and how many there are."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from api.context import ContextReader
from api.identity.permissions import Action, Identity, may
from api.identity.reach import Reach
from api.lists_log import LogLists
from api.moment import Moment
from api.page_reads.called import DealsCalled
from api.page_reads.door import Door, refused_as_pages
from api.parameters import one_of, some_of
from api.people import People
from api.query.counting import DIMENSIONS, Dimension
from api.query.errors import QueryError
from api.query.fields import check
from api.query.order import NO_BOUNDS, Bounds
from api.query.parser import parse
from api.query.question import SORTS, LogQuestion, Sort
from api.query.tree import Comparison, Term, all_of, term
from api.told_events import ToldEvents
from api.web.audit_asked import Cursor, LogAsked, Mistake, Side
from domain.replay import Event

MAX_ROWS: Final = 50
"""Events of a page."""
_OPPOSITE: Final[dict[Sort, Sort]] = {
    sort: other for sort in SORTS for other in SORTS if other != sort and sort.strip("-") in other
}
_SIDES: Final[Mapping[bool, tuple[Side, Side]]] = {
    False: ("after", "before"),
    True: ("before", "after"),
}
"""On which side of an event the next lie, and on which those before; by whether the last lead."""
_TERMS: Final[Mapping[str, tuple[str, Comparison]]] = {
    "type": ("type", ":"),
    "deal": ("deal", ":"),
    "rep": ("rep", ":"),
    "verdict": ("verdict", ":"),
    "recorded_from": ("recorded", ">="),
    "recorded_to": ("recorded", "<="),
}
"""What each filter beside the query asks: a field, and how it is compared."""


class AuditReads:
    """What the audit explorer asks, of the same services as `/v1/events` and its counts."""

    def __init__(
        self,
        door: Door,
        *,
        log: LogLists,
        told: ToldEvents,
        context: ContextReader,
        people: People,
        deals: DealsCalled,
    ) -> None:
        self._door = door
        self._log = log
        self._told = told
        self._context = context
        self._people = people
        self._deals = deals

    def explore(self, reader: Identity, asked: LogAsked, *, address: str) -> dict[str, Any]:
        """Give a page of the events that a query holds for, and its counts.

        Without `as_of` it stands where the views are, and its answer is that of this position, so
        that the pages after it are of the same. A query that cannot be read gives its `mistake`.
        """
        reach = self._door.enter(reader, Action.READ_LOG, address)
        with refused_as_pages():
            sort, by = one_of("sort", asked.sort, SORTS), some_of("by", asked.by, DIMENSIONS)
            moment = self._moment(asked)
            known = self._context.known(moment.position)
            answer = {
                **moment.answer(),
                "pinned": asked.as_of or f"position:{moment.position}",
                "may_export": may(reader, Action.EXPORT),
                "tells_pressure": may(reader, Action.READ_PRESSURE),
                "reps": sorted({one.rep for one in known.memberships}),
                "names": self._people.names(),
                "mistake": None,
            }
            try:
                query = all_of([parse(asked.q), *self._terms(asked, moment, reach)])
                question = LogQuestion(query=query, moment=moment, sort=sort, reach=reach)
                return answer | self._found(question, asked.cursor, by)
            except QueryError as error:
                return answer | {"mistake": _mistake(error)}

    def _moment(self, asked: LogAsked) -> Moment:
        as_of = asked.as_of
        if as_of is None:
            now = self._door.moment(None, asked.effective_at)
            as_of = f"position:{now.position}"
        return self._door.moment(as_of, asked.effective_at)

    def _found(
        self, question: LogQuestion, cursor: Cursor | None, by: Sequence[Dimension]
    ) -> dict[str, Any]:
        events, newer, older = self._page(question, cursor)
        return {
            "query": question.query,
            "events": self._told.told(events, question.moment, question.reach),
            "back": newer,
            "onward": older,
            **self._counted(question, by),
        }

    def _page(
        self, question: LogQuestion, cursor: Cursor | None
    ) -> tuple[list[Event], Cursor | None, Cursor | None]:
        """Give the events next to a cursor, and the cursors before and after them in the order."""
        forth, back = _SIDES[question.backwards]
        if cursor is not None and cursor.side == back:
            turned = replace(question, sort=_OPPOSITE[question.sort])
            page = self._log.page(turned, limit=MAX_ROWS, bounds=_bounds(cursor))
            if page.last is not None:
                events = page.events[::-1]
                last = events[-1].position if events else page.last
                return events, Cursor(back, page.last), Cursor(forth, last)
            cursor = None  # nothing more lies before: it is the first page
        page = self._log.page(question, limit=MAX_ROWS, bounds=_bounds(cursor))
        onward = None if page.last is None else Cursor(forth, page.last)
        if cursor is None:
            return page.events, None, onward
        first = page.events[0].position if page.events else cursor.position
        return page.events, Cursor(back, first), onward

    def _counted(self, question: LogQuestion, by: Sequence[Dimension]) -> dict[str, Any]:
        try:
            counts = self._log.counts(question, by)
        except QueryError as error:
            if error.column:
                raise
            return {"total": None, "by": by, "groups": [], "more": False, "why": error.expected}
        return {"total": counts.total, "by": by, "groups": counts.groups, "more": counts.more}

    def _terms(self, asked: LogAsked, moment: Moment, reach: Reach) -> Iterator[Term]:
        """Give what the filters beside the query say, as terms of it.

        Raises:
            QueryError: one of them holds for nothing, with its field and no column.
        """
        for field, (name, comparison) in _TERMS.items():
            value = asked.filters.get(field)
            if not value:
                continue
            values = [value]
            if field == "deal":
                values = self._deals.ids(value, moment, reach)
            elif field == "rep":
                values = self._people.ids_of(value)
            leaf = term(name, *values, comparison=comparison)
            try:
                check(leaf)
            except QueryError as error:
                raise QueryError(
                    error.expected, column=0, field=field, meant=error.meant
                ) from error
            yield leaf


def _bounds(cursor: Cursor | None) -> Bounds:
    return NO_BOUNDS if cursor is None else Bounds(**{cursor.side: cursor.position})


def _mistake(error: QueryError) -> Mistake:
    return Mistake(error.field or "q", error.column, error.expected, error.meant)
