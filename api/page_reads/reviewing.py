"""Answers what a manager goes through with their people: commitments, and sheets of a review."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from api.http.lists import day_of, fixed_by, settled_by
from api.http.moments import Asked
from api.http.services import Services
from api.identity.permissions import Action, Identity
from api.identity.reach import Reach
from api.lists import SORTS, Cursor, DealFilters
from api.lists_commitments import SIDES, WAITING, CommitmentFilters
from api.lists_health import RANKS
from api.moment import Moment
from api.page_reads.deals import may_record
from api.page_reads.door import Door, refused_as_pages
from api.parameters import one_of, some_of
from api.people import People
from api.web.routes.reviewing import ListAsked
from domain.known import Known

COMMITMENTS: Final = 50
"""Commitments on one page."""
SHEETS: Final = 12
"""Deals on one page: about as many as one review goes through."""


class ReviewingReads:
    """What the pages of commitments and of the review ask."""

    def __init__(self, door: Door, services: Services, people: People) -> None:
        self._door = door
        self._services = services
        self._people = people

    def commitments(self, reader: Identity, asked: ListAsked) -> dict[str, Any]:
        """Give a page of what both sides of open deals said and nobody has settled."""
        reach = self._door.enter(reader, Action.READ_DEALS, "/commitments")
        with refused_as_pages():
            after, moment = self._stands(asked)
            filters = _of_commitments(asked)
            page = self._services.commitments.page(
                moment, filters, limit=COMMITMENTS, cursor=after, reach=reach
            )
        known = self._services.context.known(moment.position)
        return {
            **self._answer(moment, known, reach, asked),
            "today": known.calendar.day_of(moment.effective_at),
            "total": page.total,
            "counts": page.counts,
            "commitments": page.rows,
            "next": page.next,
            "recorded": asked.asked == (None, None) and may_record(reader),
        }

    def review(self, reader: Identity, asked: ListAsked) -> dict[str, Any]:
        """Give a page of open deals, each with its review sheet."""
        reach = self._door.enter(reader, Action.READ_DEALS, "/review")
        with refused_as_pages():
            after, moment = self._stands(asked)
            known = self._services.context.known(moment.position)
            page = self._services.lists.page(
                moment,
                known,
                _of_review(asked),
                sort=one_of("sort", asked.filters["sort"] or "health", SORTS),
                limit=SHEETS,
                cursor=after,
                reach=reach,
            )
            sheets = [{**row, **self._sheet(row, moment)} for row in page.rows]
        stages = [stage for process in known.catalogue.values() for stage in process.stages]
        return {
            **self._answer(moment, known, reach, asked),
            "total": page.total,
            "deals": sheets,
            "next": page.next,
            "stages": {stage.id: stage.name for stage in stages},
        }

    def _sheet(self, row: Mapping[str, object], moment: Moment) -> dict[str, object]:
        """Give the sheet of a deal, what its ids are called, and where its events stand."""
        questions = self._services.questions
        seen = questions.seen(UUID(str(row["deal_id"])), moment)
        return {
            "review": questions.review(seen),
            "called": seen.told.names(),
            "positions": {str(event.event_id): event.position for event in seen.stream},
        }

    def _stands(self, asked: ListAsked) -> tuple[Cursor | None, Moment]:
        """Give where a page begins, and the moment that all pages of its list stand on."""
        after = Cursor.read(asked.cursor) if asked.cursor else None
        fixed = fixed_by(Asked(*asked.asked, None), after)
        return after, settled_by(self._door.moment(fixed.as_of, fixed.effective_at), after)

    def _answer(
        self, moment: Moment, known: Known, reach: Reach, asked: ListAsked
    ) -> dict[str, Any]:
        """Give where it stands, and whose deals may be asked for."""
        present = [one for one in known.memberships if one.holds(moment.effective_at)]
        seen = [one for one in present if reach.has_deal_of(one.rep)]
        return {
            **moment.answer(),
            "scope": {"rep": asked.rep, "team": asked.team},
            "teams": sorted({one.team for one in seen}),
            "reps": sorted({one.rep for one in seen if one.role == "rep"}),
            "names": self._people.names(),
        }


def _of_commitments(asked: ListAsked) -> CommitmentFilters:
    side, status = asked.filters["side"], asked.filters["status"]
    return CommitmentFilters(
        side=one_of("side", side, SIDES) if side else None,
        status=some_of("status", status, WAITING),
        owner=asked.rep,
        team=asked.team,
        due_to=day_of("due_to", asked.filters["due_to"] or None),
    )


def _of_review(asked: ListAsked) -> DealFilters:
    return DealFilters(
        owner=asked.rep,
        team=asked.team,
        closed=("open",),
        health=some_of("health", asked.filters["health"], tuple(RANKS)),
    )
