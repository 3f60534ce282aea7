"""Answers the pages through the same questions as the API, with people by their names."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from api.answers import state_json
from api.board import Board
from api.errors import ApplicationError, NotPermittedError, UnknownDealError
from api.identity.access import Access
from api.identity.accesses import Accesses
from api.identity.permissions import Action, Identity, ensure_may, may
from api.identity.reach import Reach
from api.identity.redaction import without_verdicts
from api.moment import Moment
from api.people import People
from api.questions import DealQuestions, DealSeen
from api.storage.errors import LogUnavailableError
from api.views import Views
from api.web.reads import (
    BadQuestionError,
    BoardFilters,
    NoSuchPageError,
    NotForYouError,
    PageError,
)
from domain.events.life import DealWon
from domain.process import Process
from projections.pressure.acts import Stay
from projections.pressure.answer import money_json
from projections.spans.fold import fold as fold_state


class Reads:
    """What the pages ask; an error that has a page of its own is raised as that."""

    def __init__(
        self,
        *,
        views: Views,
        questions: DealQuestions,
        board: Board,
        people: People,
        access: Access,
        accesses: Accesses,
    ) -> None:
        self._views = views
        self._questions = questions
        self._board = board
        self._people = people
        self._access = access
        self._accesses = accesses

    def board(
        self,
        reader: Identity,
        *,
        as_of: str | None,
        effective_at: str | None,
        filters: BoardFilters,
    ) -> dict[str, Any]:
        """Give the board as of a moment; the page leaves out what the filters leave out."""
        del filters
        reach = self._reach(reader, "GET /board")
        return self._board.board(self._moment(as_of, effective_at), reach)

    def deal(
        self, reader: Identity, deal_id: str, *, as_of: str | None, effective_at: str | None
    ) -> dict[str, Any]:
        """Give one deal as of a moment, with everything its page shows."""
        reach = self._reach(reader, f"GET /deals/{deal_id}")
        moment = self._moment(as_of, effective_at)
        try:
            named = UUID(deal_id)
            self._access.ensure_deal(reach, named)
            seen = self._questions.seen(named, moment)
        except (ValueError, UnknownDealError) as error:
            message = f"There is no deal {deal_id} that was known at this moment."
            raise NoSuchPageError(message) from error
        names = self._people.names()
        pressure, history = self._judged(reach, seen)
        chart: dict[str, Any] = self._questions.chart(seen)
        return {
            **moment.answer(),
            "deal": _deal(seen, names),
            "progress": self._questions.progress(seen),
            "pressure": pressure | {"curve": () if pressure.get("untold") else chart["curve"]},
            "history": history | {"events": [_entry(e, names) for e in history["events"]]},
            "stages": _stages(chart["stays"], seen.pinned()),
            "quarters": chart["quarters"],
            "review": self._questions.review(seen),
        }

    def _judged(self, reach: Reach, seen: DealSeen) -> tuple[dict[str, Any], dict[str, Any]]:
        """Give the pressure and the timeline, without verdicts where they are not the reader's."""
        history = self._questions.history(seen)
        told = may(reach.identity, Action.READ_PRESSURE)
        if told and self._access.pressure_shown(reach, [seen.deal_id]):
            return self._questions.pressure(seen), history
        untold = self._questions.without_pressure(seen) | {"untold": True}
        return untold, without_verdicts(history)

    def _reach(self, reader: Identity, request: str) -> Reach:
        try:
            ensure_may(reader, Action.READ_DEALS)
            if reader.role == "auditor":
                self._accesses.note(reader, "read", request=request, request_id="")
            return self._access.reach(reader)
        except NotPermittedError as error:
            raise NotForYouError(error.detail) from error
        except LogUnavailableError as error:
            raise PageError(str(error)) from error

    def _moment(self, as_of: str | None, effective_at: str | None) -> Moment:
        try:
            return self._views.moment(as_of=as_of, effective_at=effective_at)
        except LogUnavailableError as error:
            raise PageError(str(error)) from error
        except ApplicationError as error:
            raise BadQuestionError(error.detail) from error


def _deal(seen: DealSeen, names: Mapping[str, str]) -> dict[str, Any]:
    state = fold_state(seen.events)
    if state is None:
        message = "This deal was not opened yet at this moment."
        raise NoSuchPageError(message)
    process = seen.pinned()
    stage = next((s for s in process.stages if s.id == state.stage), None)
    listed = next((e.data.list for e in seen.events if isinstance(e.data, DealWon)), None)
    return {
        "deal_id": str(seen.deal_id),
        "version": seen.version,
        **state_json(state),
        "owner": {"id": state.owner, "name": names.get(state.owner, state.owner)},
        "stage": stage.name if stage else state.stage,
        "list": money_json(listed),
    }


def _entry(event: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    judged = event["pressure"] or {}
    return event | {
        "rep": names.get(event["rep"], event["rep"]),
        "late": event["late_recorded"],
        "verdict": judged.get("verdict"),
        "sentence": judged.get("sentence"),
    }


def _stages(stays: Sequence[Stay], process: Process) -> list[dict[str, object]]:
    names = {stage.id: stage.name for stage in process.stages}
    return [
        {
            "stage": stay.stage,
            "name": names.get(stay.stage, stay.stage),
            "entered_at": stay.entered_at,
            "left_at": stay.left_at,
        }
        for stay in stays
    ]
