"""The log, asked: its events in the order of either clock, in pages and in batches, and counted."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from api.context import ContextReader
from api.corrected import Correctors, correctors_of
from api.identity.access import Access
from api.identity.reach import ACT_TOPICS
from api.kept_verdicts import Kept, KeptVerdicts
from api.places import Places
from api.query.counting import Dimension, named
from api.query.errors import QueryError
from api.query.ground import Findings, Ground
from api.query.judging import Judging
from api.query.kept_acts import KeptActs
from api.query.lateness import spanned
from api.query.order import NO_BOUNDS, Bounds
from api.query.question import LogQuestion
from api.query.statements import Statements
from api.query.ticks import Ticks
from api.query.tree import render
from api.storage.log_reader import LogReader
from api.storage.rows import read_events
from domain.replay import Event
from projections.facts import Rows

Answer = TypeVar("Answer")
MAX_LIMIT: Final = 1000
"""Events of a page."""
MAX_JUDGED: Final = 2_000
"""Events that are judged for one page: where few of them are found, it is short and goes on."""
MAX_COUNTED: Final = 5_000
"""Events that are judged to be counted."""
MAX_GROUPS: Final = 1_000
_AT_ONCE: Final = 500
"""At most as many events are read at a time to be judged."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some events; where more may follow, `last` is the position from which they do."""

    events: list[Event]
    last: int | None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many events there are, and in the largest groups; `more` if there are other groups."""

    total: int
    groups: list[dict[str, object]]
    more: bool

    def answer(self, question: LogQuestion, by: Sequence[Dimension]) -> dict[str, object]:
        """Give them in the shape of the API."""
        return {
            **question.moment.answer(),
            "query": render(question.query),
            "by": list(by),
            "total": self.total,
            "groups": self.groups,
            "more": self.more,
        }


class LogLists:
    """Answers questions about the log."""

    def __init__(
        self, store: LogReader, context: ContextReader, places: Places, access: Access
    ) -> None:
        self._store = store
        self._context = context
        self._places = places
        self._access = access
        self._kept = KeptVerdicts(context)

    def page(
        self,
        question: LogQuestion,
        *,
        limit: int,
        bounds: Bounds = NO_BOUNDS,
    ) -> Page:
        """Give the first events of a question, of those within some bounds.

        A page of events that must be judged may be short, or empty, though more follow.

        Raises:
            QueryError: a value of the query names nothing that is known then.
            BeyondTheLogError: there is no event at a position by whose time the order goes on.
        """

        def told(statements: Statements) -> Page:
            events = read_events(statements.page(bounds, limit + 1))
            more = len(events) > limit
            return Page(events[:limit], events[limit - 1].position if more else None)

        with self._store.connection() as connection:
            ground = self._ground(connection, question)
            statements = Statements(connection, ground, question)
            if not question.judged:
                return told(statements)
            judging = self._judging(connection, ground, question)
            kept = self._from_kept(connection, ground, question, judging, told)
            return kept or _judged_page(statements, judging, bounds, limit, question)

    def pages(
        self,
        question: LogQuestion,
        *,
        last: int | None = None,
        limit: int | None = None,
        size: int = MAX_LIMIT,
    ) -> Iterator[Page]:
        """Give the events of a question page by page: all of them, or the first `limit`.

        They go on from the event at position `last`. Each page is a question of its own: memory
        stays flat, and no transaction is held open while the reader thinks.
        """
        while True:
            most = size if limit is None else min(size, limit)
            page = self.page(question, limit=most, bounds=NO_BOUNDS.from_(question, last))
            yield page
            if limit is not None:
                limit -= len(page.events)
            if page.last is None or limit == 0:
                return
            last = page.last

    def batches(
        self, question: LogQuestion, *, last: int | None = None, size: int = MAX_LIMIT
    ) -> Iterator[list[Event]]:
        """Give the events of all pages of a question, as `pages`; none is empty."""
        for page in self.pages(question, last=last, size=size):
            if page.events:
                yield page.events

    def correctors(self, events: Sequence[Event], question: LogQuestion) -> Correctors:
        """Give what corrected some events of a question, as known at its moment."""
        with self._store.connection() as connection:
            return correctors_of(connection, events, upto=question.moment.position)

    def counts(self, question: LogQuestion, by: Sequence[Dimension]) -> Counts:
        """Count the events of a question, together and in groups, the largest first.

        Raises:
            QueryError: a value of the query names nothing that is known then, or more events would
                have to be judged than one answer may.
        """
        with self._store.connection() as connection:
            ground = self._ground(connection, question)
            statements = Statements(connection, ground, question)
            if not question.judged:
                return _counts(statements, by)
            judging = self._judging(connection, ground, question)
            kept = self._from_kept(
                connection, ground, question, judging, lambda settled: _counts(settled, by)
            )
            return kept or _counts(statements, by, _counted(statements, judging))

    def _from_kept(
        self,
        connection: Rows,
        ground: Ground,
        question: LogQuestion,
        judging: Judging,
        make: Callable[[Statements], Answer],
    ) -> Answer | None:
        """Answer a question about verdicts by those that are kept; None where they do not help.

        What does not stand of them is judged. Whoever may not see all verdicts is answered by
        judging those that they may see.
        """
        if question.reach.pressure_of is not None:
            return None

        def made(kept: Kept) -> Answer | None:
            again = Statements(connection, ground, question).to_judge(MAX_JUDGED + 1, among=kept)
            if len(again) > MAX_JUDGED:
                return None
            findings = judging.findings([(event_id, stream) for event_id, stream, _ in again])
            judged = {at: findings[i] for i, _, at in again if i in findings}
            settled = KeptActs(connection, kept, judged)
            return make(Statements(connection, ground, question, settled))

        return self._kept.answer(connection, question.moment, ground.known, made)

    def _ground(self, connection: Rows, question: LogQuestion) -> Ground:
        known = self._context.known(question.moment.position)
        ticks = Ticks(connection, question.moment)
        return Ground(question.moment, known, partial(spanned, connection), ticks)

    def _judging(self, connection: Rows, ground: Ground, question: LogQuestion) -> Judging:
        return Judging(connection, ground, question, places=self._places, access=self._access)


def _counts(
    statements: Statements, by: Sequence[Dimension], findings: Findings | None = None
) -> Counts:
    total = statements.counts([], 1, findings)[0][0]
    rows = statements.counts(by, MAX_GROUPS + 1, findings) if by else []
    groups = [
        {**{d: named(d, key) for d, key in zip(by, keys, strict=True)}, "count": count}
        for *keys, count in rows[:MAX_GROUPS]
    ]
    return Counts(total, groups, more=len(rows) > MAX_GROUPS)


def _counted(statements: Statements, judging: Judging) -> Findings:
    asked = statements.to_judge(MAX_COUNTED + 1)
    if len(asked) > MAX_COUNTED:
        expected = (
            f"verdict and rule can be counted for at most {MAX_COUNTED} events; narrow the "
            "query, such as by quarter, rep or type"
        )
        raise QueryError(expected, column=0)
    return judging.findings([(event_id, stream) for event_id, stream, _ in asked])


def _judged_page(
    statements: Statements, judging: Judging, bounds: Bounds, limit: int, question: LogQuestion
) -> Page:
    """Read events that the question may hold for, and judge them, until a page is full."""
    found: list[int] = []
    judged, count = 0, min(limit + limit // 2, _AT_ONCE)
    while True:
        candidates = statements.candidates(bounds, count)
        acts = [
            (event_id, stream) for _, event_id, stream, topic in candidates if topic in ACT_TOPICS
        ]
        positions = [position for position, *_ in candidates]
        holds = statements.settled(positions, judging.findings(acts))
        found += [position for position in positions if position in holds]
        judged += len(acts)
        more = len(candidates) == count
        if len(found) >= limit or judged >= MAX_JUDGED or not more:
            break
        bounds, count = bounds.from_(question, positions[-1]), min(2 * count, _AT_ONCE)
    events = read_events(statements.events(found[:limit]))
    if len(found) > limit:
        return Page(events, found[limit - 1])
    return Page(events, positions[-1] if more else None)
