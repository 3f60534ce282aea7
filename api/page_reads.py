"""Answers the pages through the same questions as the API, with people by their names."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from api.answers import state_json
from api.board import Board
from api.errors import ApplicationError, UnknownDealError
from api.moment import Moment
from api.people import People
from api.questions import DealQuestions, DealSeen
from api.storage.errors import LogUnavailableError
from api.views import Views
from api.web.reads import BadQuestionError, BoardFilters, NoSuchPageError, PageError
from domain.events.life import DealWon
from domain.process import Process
from projections.pressure.acts import Stay
from projections.pressure.answer import money_json
from projections.spans.fold import fold as fold_state


class Reads:
    """What the pages ask; an error that has a page of its own is raised as that."""

    def __init__(
        self, *, views: Views, questions: DealQuestions, board: Board, people: People
    ) -> None:
        self._views = views
        self._questions = questions
        self._board = board
        self._people = people

    def board(
        self, *, as_of: str | None, effective_at: str | None, filters: BoardFilters
    ) -> dict[str, Any]:
        """Give the board as of a moment; the page leaves out what the filters leave out."""
        del filters
        moment = self._moment(as_of, effective_at)
        return self._board.board(moment)

    def deal(self, deal_id: str, *, as_of: str | None, effective_at: str | None) -> dict[str, Any]:
        """Give one deal as of a moment, with everything its page shows."""
        moment = self._moment(as_of, effective_at)
        try:
            seen = self._questions.seen(UUID(deal_id), moment)
        except (ValueError, UnknownDealError) as error:
            message = f"There is no deal {deal_id} that was known at this moment."
            raise NoSuchPageError(message) from error
        names = self._people.names()
        pressure: dict[str, Any] = self._questions.pressure(seen)
        history: dict[str, Any] = self._questions.history(seen)
        chart: dict[str, Any] = self._questions.chart(seen)
        return {
            **moment.answer(),
            "deal": _deal(seen, names),
            "progress": self._questions.progress(seen),
            "pressure": pressure | {"curve": chart["curve"]},
            "history": history | {"events": [_entry(e, names) for e in history["events"]]},
            "stages": _stages(chart["stays"], seen.pinned()),
            "quarters": chart["quarters"],
            "review": self._questions.review(seen),
        }

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
