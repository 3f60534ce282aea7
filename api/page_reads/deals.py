"""Answers the board and the page of a deal, with people by their names."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from api.answers import state_json
from api.board import Board, BoardWish
from api.context import ContextReader
from api.customers import Customers
from api.deal_seen import DealSeen
from api.errors import UnknownDealError
from api.identity.permissions import Action, Identity, may
from api.identity.reach import Reach
from api.identity.redaction import without_verdicts
from api.moment import Moment
from api.overview import commitment_json
from api.page_reads.door import Door
from api.page_reads.offers import offers_of, offers_to_anybody, offers_to_open
from api.people import People
from api.questions import DealQuestions
from api.web.reads import NoSuchPageError
from domain.events.life import DealWon
from domain.process import Process
from projections.pressure.acts import Stay
from projections.pressure.answer import money_json

MAX_ACCOUNTS: Final = 500
"""Accounts that a new deal is helped to choose from; any other id can be typed."""


class DealReads:
    """What the board and the page of a deal ask."""

    def __init__(
        self,
        door: Door,
        *,
        questions: DealQuestions,
        board: Board,
        people: People,
        context: ContextReader,
        customers: Customers,
    ) -> None:
        self._door = door
        self._customers = customers
        self._context = context
        self._questions = questions
        self._board = board
        self._people = people

    def board(
        self,
        reader: Identity,
        *,
        as_of: str | None,
        effective_at: str | None,
        wish: BoardWish,
    ) -> dict[str, Any]:
        """Give the board as of a moment; its deals are moved now, and by who may."""
        reach = self._door.enter(reader, Action.READ_DEALS, "/board")
        moment = self._door.moment(as_of, effective_at)
        if as_of is not None or effective_at is not None:
            return self._board.board(moment, reach, wish) | {"processes": None}
        answer = self._board.now(moment, reach, wish)
        return answer if may_record(reader) else answer | {"processes": None}

    def deal(
        self, reader: Identity, deal_id: str, *, as_of: str | None, effective_at: str | None
    ) -> dict[str, Any]:
        """Give one deal as of a moment, with everything its page shows."""
        reach = self._door.enter(reader, Action.READ_DEALS, f"/deals/{deal_id}")
        moment = self._door.moment(as_of, effective_at, stream=f"deal:{deal_id.lower()}")
        now = as_of is None and effective_at is None
        with self._door.one_connection():
            seen, names = self._seen(reach, deal_id, moment), self._people.names()
            offers = offers_of(seen, reach, names) if now and may_record(reader) else None
            return self._shown(reach, seen, names) | {"offers": offers}

    def _seen(self, reach: Reach, deal_id: str, moment: Moment) -> DealSeen:
        try:
            named = UUID(deal_id)
            self._door.access.ensure_deal(reach, named)
            return self._questions.seen(named, moment)
        except (ValueError, UnknownDealError) as error:
            message = f"There is no deal {deal_id} that was known at this moment."
            raise NoSuchPageError(message) from error

    def _shown(self, reach: Reach, seen: DealSeen, names: Mapping[str, str]) -> dict[str, Any]:
        pressure, history = self._judged(reach, seen)
        chart: dict[str, Any] = self._questions.chart(seen)
        return {
            **seen.moment.answer(),
            "deal": _deal(seen, names),
            "progress": self._questions.progress(seen),
            "pressure": pressure | {"curve": () if pressure.get("untold") else chart["curve"]},
            "history": history | {"events": [_entry(e, names) for e in history["events"]]},
            "stages": _stages(chart["stays"], seen.pinned()),
            "quarters": chart["quarters"],
            "review": self._questions.review(seen),
            "commitments": _commitments(seen),
            "told": self._questions.told(seen.deal_id),
            "names": names,
            "called": seen.told.names(),
        }

    def opening(self, reader: Identity) -> dict[str, Any]:
        """Give what a new deal may name now.

        Raises:
            NotForYouError: the reader opens no deals.
        """
        reach = self._door.enter(reader, Action.APPEND_DEALS, "/deals/new")
        moment = self._door.moment(None, None)
        known, names = self._context.known(moment.position), self._people.names()
        offers = offers_to_anybody(known, reach, names, moment.effective_at)
        own = any(one["id"] == reader.actor for one in offers["people"])
        offers |= offers_to_open(known, moment.effective_at)
        offers["accounts"] = self._customers.accounts(moment, limit=MAX_ACCOUNTS, reach=reach)
        return {**moment.answer(), "offers": offers | {"reader": reader.actor if own else ""}}

    def _judged(self, reach: Reach, seen: DealSeen) -> tuple[dict[str, Any], dict[str, Any]]:
        """Give the pressure and the timeline, without verdicts where they are not the reader's."""
        history = self._questions.history(seen)
        told = may(reach.identity, Action.READ_PRESSURE)
        if told and self._door.access.pressure_shown(reach, [seen.deal_id]):
            return self._questions.pressure(seen), history
        untold = self._questions.without_pressure(seen) | {"untold": True}
        return untold, without_verdicts(history)


def may_record(reader: Identity) -> bool:
    """Say whether forms that record are offered to somebody at all."""
    return may(reader, Action.APPEND_DEALS)


def _deal(seen: DealSeen, names: Mapping[str, str]) -> dict[str, Any]:
    state = seen.told.state()
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
    judged, actor = event["pressure"] or {}, event["actor"]
    return event | {
        "rep": names.get(event["rep"], event["rep"]),
        "recorder": None if actor == event["rep"] else names.get(actor, actor),
        "late": event["late_recorded"],
        "verdict": judged.get("verdict"),
        "sentence": judged.get("sentence"),
    }


def _commitments(seen: DealSeen) -> list[dict[str, Any]]:
    at = seen.moment.effective_at
    return [
        {**commitment_json(one, at), "settled": one.settled is not None}
        for one in seen.told.commitments()
    ]


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
