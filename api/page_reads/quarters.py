"""Answers the pages about a quarter: how the organisation closes, and the report to print."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from api.close_patterns import ClosePatterns
from api.context import ContextReader
from api.identity.access import Access
from api.identity.permissions import Action, Identity
from api.identity.reach import Reach
from api.identity.redaction import scope_within, within
from api.moment import Moment
from api.page_reads.door import Door, refused_as_pages
from api.people import People
from api.quarter_figures import QuarterFigures
from api.quarter_pressure import QuarterPressure
from api.web.reads import BadQuestionError, QuarterAsked
from domain.fiscal import FiscalQuarter
from domain.known import Known
from projections.quarter.steps import Scope

OFFERED: Final = 12
"""Quarters that a page offers to look at, the current one among them."""
BESIDE: Final = 4
"""Quarters whose close patterns stand beside each other."""


class QuarterReads:
    """What the pages about a quarter ask."""

    def __init__(
        self,
        door: Door,
        *,
        context: ContextReader,
        figures: QuarterFigures,
        patterns: ClosePatterns,
        pressure: QuarterPressure,
        people: People,
    ) -> None:
        self._door = door
        self._context = context
        self._figures = figures
        self._patterns = patterns
        self._pressure = pressure
        self._people = people

    def organisation(self, reader: Identity, asked: QuarterAsked) -> dict[str, Any]:
        """Give how a quarter closed and under what pressure, and how those before it closed."""
        seen = self._seen(reader, asked, "/organisation")
        with refused_as_pages():
            names = [quarter.name for quarter in seen.quarters]
            place = names.index(seen.quarter)
            beside = names[place : place + BESIDE]
            patterns = [
                seen.within(self._patterns.pattern(seen.moment, name, seen.known, seen.scope))
                for name in beside
            ]
            pressure = seen.within(
                self._pressure.pressure(seen.moment, seen.quarter, seen.known, seen.scope)
            )
        return self._answer(seen) | {
            "close_pattern": patterns[0],
            "before": patterns[1:],
            "pressure": pressure,
        }

    def report(self, reader: Identity, asked: QuarterAsked) -> dict[str, Any]:
        """Give the report of a quarter, of the same three answers as `dealtrail report`."""
        seen = self._seen(reader, asked, "/report")
        moment, quarter, known, scope = seen.moment, seen.quarter, seen.known, seen.scope
        with refused_as_pages():
            figures = self._figures.quarter(moment, quarter, known, None, scope=scope)
            return self._answer(seen) | {
                "figures": seen.within(figures),
                "stages": _stage_names(known),
                "close_pattern": seen.within(self._patterns.pattern(moment, quarter, known, scope)),
                "pressure": seen.within(self._pressure.pressure(moment, quarter, known, scope)),
            }

    def _seen(self, reader: Identity, asked: QuarterAsked, page: str) -> "_Seen":
        reach = self._door.enter(reader, Action.READ_FIGURES, page)
        moment = self._door.moment(asked.as_of, asked.effective_at)
        known = self._context.known(moment.position)
        quarters = _quarters(known, moment)
        if asked.rep and asked.team:
            raise BadQuestionError("Give a rep or a team, not both.")
        with refused_as_pages():
            scope = scope_within(reach, _scope(reach, asked))
        return _Seen(
            moment=moment,
            known=known,
            reach=reach,
            access=self._door.access,
            scope=scope,
            quarters=quarters,
            quarter=_chosen(quarters, asked.quarter, moment),
        )

    def _answer(self, seen: "_Seen") -> dict[str, Any]:
        present = [one for one in seen.known.memberships if one.holds(seen.moment.effective_at)]
        return {
            **seen.moment.answer(),
            "quarter": seen.quarter,
            "quarters": [quarter.name for quarter in seen.quarters],
            "scope": {"rep": seen.scope.rep, "team": seen.scope.team},
            "teams": sorted(
                {one.team for one in present if seen.reach.has_figures_of(None, one.team)}
            ),
            "reps": sorted(
                {one.rep for one in present if seen.reach.has_figures_of(one.rep, None)}
            ),
            "names": self._people.names(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """A quarter at a moment, and what of it the reader may see."""

    moment: Moment
    known: Known
    reach: Reach
    access: Access
    scope: Scope
    quarters: tuple[FiscalQuarter, ...]
    quarter: str

    def within(self, answer: Mapping[str, object]) -> dict[str, Any]:
        """Give an answer without what is out of reach, as the API does."""
        return dict(
            within(answer, self.reach, lambda deals: self.access.in_reach(self.reach, deals))
        )


def _scope(reach: Reach, asked: QuarterAsked) -> Scope:
    """Give whose figures are asked for; who has several teams begins with the first of them."""
    if asked.rep or asked.team or not reach.teams or len(reach.teams) == 1:
        return Scope(asked.rep, asked.team)
    return Scope(team=min(reach.teams))


def _quarters(known: Known, moment: Moment) -> tuple[FiscalQuarter, ...]:
    """Give the quarter of the moment and those before it, the latest first."""
    found: list[FiscalQuarter] = []
    at = moment.effective_at
    while len(found) < OFFERED:
        quarter = known.calendar.quarter_at(at)
        if quarter is None:
            break
        found.append(quarter)
        at = quarter.start_instant - timedelta(microseconds=1)
    if not found:
        raise BadQuestionError("The fiscal calendar has no quarter at this moment.")
    return tuple(found)


def _stage_names(known: Known) -> dict[str, str]:
    """Give the names of all stages by their ids, in the order of the processes."""
    processes = sorted(known.catalogue.values(), key=lambda one: (one.id, -one.version))
    return {
        stage.id: stage.name for process in reversed(processes) for stage in process.working_stages
    }


def _chosen(quarters: tuple[FiscalQuarter, ...], name: str | None, moment: Moment) -> str:
    """Give the quarter that is named, else the last that was over by then."""
    if name is not None:
        named = next((one.name for one in quarters if one.name == name), None)
        if named is None:
            raise BadQuestionError(f"There is no quarter {name!r} among the last {OFFERED}.")
        return named
    over = [one for one in quarters if one.end_instant <= moment.effective_at]
    return (over or quarters)[0].name
