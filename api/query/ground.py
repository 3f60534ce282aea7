"""What a query is read with: the moment, the context as known then, and the time the log spans."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Final
from uuid import UUID

from api.moment import Moment
from api.query import fiscal
from api.query.errors import QueryError
from api.query.ticks import Ticks
from api.query.tree import Word
from domain.fiscal import OutsideCalendarError
from domain.known import Known

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Finding:
    """What was judged of an event on quota pressure: its verdict, and the rules that hold.

    As far as the query asks for it: None, or no rule, where it does not.
    """

    verdict: str | None
    rules: frozenset[str]


Findings = Mapping[UUID, Finding]


class Ground:
    """The ground of one question.

    `spanned` gives the first and the last instant that the log as known tells of, None while it
    tells of nothing; it is asked when a term needs it. So are `ticks`.
    """

    def __init__(
        self,
        moment: Moment,
        known: Known,
        spanned: Callable[[], tuple[datetime, datetime] | None],
        ticks: Ticks,
    ) -> None:
        self.moment = moment
        self.known = known
        self._spanned = spanned
        self.ticks = ticks

    @cached_property
    def spanned(self) -> tuple[datetime, datetime] | None:
        """The first and the last instant that the log tells of; None while it tells of nothing."""
        return self._spanned()

    @cached_property
    def stretches(self) -> list[fiscal.Stretch]:
        """The fiscal quarters that the log tells of."""
        return fiscal.stretches(self.known.calendar, *self.spanned) if self.spanned else []

    def span_of(self, value: date | datetime) -> fiscal.Span:
        """Give from when until when a local day lasts; an instant begins and ends at once."""
        if isinstance(value, datetime):
            return value, value
        calendar = self.known.calendar
        return calendar.first_instant_of(value), calendar.first_instant_of(value + _DAY)

    def ensure_quarter(self, word: Word) -> None:
        """Refuse a quarter that no calendar has.

        Raises:
            QueryError: no fiscal calendar that was in force then has it.
        """
        try:
            self.known.calendar.quarter_named(word.text)
        except OutsideCalendarError as error:
            raise QueryError(f"expected a fiscal quarter: {error}", column=word.column) from error

    def stages(self, name: str) -> list[str]:
        """Give the ids of the stages that are meant by an id or by a name."""
        named = {
            stage.id
            for process in self.known.catalogue.values()
            for stage in process.stages
            if stage.name == name
        }
        return sorted({name, *named})
