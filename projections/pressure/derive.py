"""Derives the acts and stays of one deal from its view, with what an explanation adds to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Final
from uuid import UUID

from domain.calendars import CalendarHistory
from domain.causes import Cause, action_time, causes
from domain.events.customer import CustomerCommitmentRecorded, CustomerRequestReceived
from domain.events.honesty import EventAmended, EventRetracted
from domain.events.life import (
    AmountChanged,
    CloseDateMoved,
    DealDisqualified,
    DealLost,
    DealMovedToProcess,
    DealOpened,
    DealReopened,
    DealWon,
    WinReversed,
)
from domain.events.money import DiscountOffered, DiscountWithdrawn
from domain.events.progress import (
    ActivityTicked,
    EvidenceWithdrawn,
    OutcomeContradicted,
    OutcomeEvidenced,
    StageEntered,
)
from domain.evidence import evidence_of, unshown
from domain.fiscal import FiscalQuarter, days_left, local_day
from domain.known import Known
from domain.path import Move, Processes, moves, stretches
from domain.policy import Policy
from domain.replay import Event
from domain.values import Money
from projections.pressure.acts import Act, ActKind, Stay
from projections.pressure.hindsight import unsettled

KINDS: Final[dict[type, ActKind]] = {
    StageEntered: "stage_entered",
    DiscountOffered: "discount_offered",
    CloseDateMoved: "close_date_moved",
}
_SEEN: Final = frozenset(
    {
        *KINDS,
        AmountChanged,
        DealOpened,
        DiscountWithdrawn,
    }
)
"""What a walk along a deal takes in; most events of a deal are of other types."""
_ENDS: Final = (DealWon, DealLost, DealDisqualified, DealReopened, WinReversed)
_MOVES: Final = (
    DealOpened,
    StageEntered,
    DealMovedToProcess,
    DealReopened,
    WinReversed,
    EventAmended,
    EventRetracted,
)
ACT_TOPICS: Final = frozenset(
    event_type.TOPIC
    for event_type in (
        *_MOVES,
        DiscountOffered,
        CloseDateMoved,
        DiscountWithdrawn,
        CustomerRequestReceived,
        CustomerCommitmentRecorded,
        OutcomeEvidenced,
        OutcomeContradicted,
        EvidenceWithdrawn,
    )
)
"""The events of a deal that may change its acts."""
ACTS_ONWARD: Final = frozenset(
    event_type.TOPIC
    for event_type in (
        DealMovedToProcess,
        DealReopened,
        WinReversed,
        DiscountWithdrawn,
        CustomerRequestReceived,
        CustomerCommitmentRecorded,
        OutcomeEvidenced,
        OutcomeContradicted,
    )
)
"""Those of them that leave an act as it is which occurred, and was told, before them."""
STAY_TOPICS: Final = frozenset(event_type.TOPIC for event_type in (*_MOVES, *_ENDS))
"""The events of a deal that may change its stays."""


def derive_acts(events: Sequence[Event], known: Known) -> list[Act]:
    """Give the acts of one deal's view, in its order."""
    seen = acts_seen(events, known.processes(events), known.policy, known.calendar)
    return [one.act for one in seen]


def derive_stays(events: Sequence[Event], known: Known) -> list[Stay]:
    """Give the stays of one deal's view in its stages, in order."""
    return stays_of(events, known.processes(events))


@dataclass(frozen=True, slots=True)
class ActSeen:
    """An act with the events that it was read from, for its explanation.

    `amount` is what the deal was worth then, `before` the event that made the offer, or set the
    close date, that stood before. A stage entered has its move, the required outcomes
    left missing (None: the process states none), and the event that began the stay it ended.
    """

    act: Act
    event: Event
    cause: Cause
    amount: Money | None
    before: UUID | None = None
    move: Move | None = None
    missing: tuple[str, ...] | None = None
    entered: UUID | None = None


def acts_seen(
    events: Sequence[Event], processes: Processes, policy: Policy, calendar: CalendarHistory
) -> list[ActSeen]:
    """Give the acts of one deal's view; entering the stage it is in is none."""
    walk = _Walk(events, processes, policy, calendar)
    found: list[ActSeen] = []
    for event in [event for event in events if type(event.data) in _SEEN]:
        walk.see(event)
        kind = KINDS.get(type(event.data))
        if kind is not None and (kind != "stage_entered" or event.event_id in walk.moves):
            found.append(walk.act(event, kind))
        walk.passed(event)
    return found


class _Walk:
    """The state of one deal along its view: what stood before each of its seller events."""

    def __init__(
        self,
        events: Sequence[Event],
        processes: Processes,
        policy: Policy,
        calendar: CalendarHistory,
    ) -> None:
        self.moves = {move.event.event_id: move for move in moves(events, processes)}
        self._policy = policy
        self._calendar = calendar
        # Without ticks, which take no customer event away from the seller events of other types.
        unticked = [event for event in events if type(event.data) is not ActivityTicked]
        self._causes = causes(unticked, processes, policy)
        self._unsettled = unsettled(events)
        self._evidence = evidence_of(events)
        self._segment: str | None = None
        self._amount: Money | None = None
        self._close_date: date | None = None
        self._dated: UUID | None = None
        self._offer: Decimal | None = None
        self._offered: UUID | None = None
        self._entered: Event | None = None

    def see(self, event: Event) -> None:
        """Take in what counts for the event itself."""
        match event.data:
            case DealOpened(account=account, amount=amount, close_date=close_date):
                self._segment, self._amount = account.segment, amount
                self._close_date = close_date
                self._dated = event.event_id if close_date else None
            case AmountChanged(amount=amount):
                self._amount = amount
            case DiscountWithdrawn():
                self._offer = self._offered = None
            case _:
                pass

    def passed(self, event: Event) -> None:
        """Take in what counts only for the events after it."""
        match event.data:
            case CloseDateMoved(to=to):
                self._close_date, self._dated = to, event.event_id
            case DiscountOffered(percent=percent):
                self._offer, self._offered = percent, event.event_id
            case StageEntered() if event.event_id in self.moves:
                self._entered = event
            case _:
                pass

    def act(self, event: Event, kind: ActKind) -> ActSeen:
        """Give the act that an event is."""
        cause = self._causes[event.event_id]
        begun = self._begun(event, kind, cause)
        match event.data:
            case DiscountOffered(percent=percent, expires_on=expires_on):
                act = begun(depth=percent, previous=self._offer, expires_on=expires_on)
                before = self._offered
            case CloseDateMoved(to=to):
                act = begun(close_from=self._close_date, close_to=to)
                before = self._dated
            case _:
                return self._stage_entered(begun, event, cause)
        return ActSeen(act, event, cause, self._amount, before)

    def _begun(self, event: Event, kind: ActKind, cause: Cause) -> partial[Act]:
        """Begin an act with what every kind of it has."""
        at = action_time(event)
        quarter = self._calendar.quarter_at(at)
        outside, interior = placing(quarter, at, self._policy)
        return partial(
            Act,
            event_id=event.event_id,
            kind=kind,
            rep=event.rep,
            segment=self._segment,
            occurred_at=event.occurred_at,
            action_time=at,
            quarter=quarter.name if quarter else None,
            outside=outside,
            interior=interior,
            cause=cause.kind,
            unsettled_until=self._unsettled.get(event.event_id),
        )

    def _stage_entered(self, begun: partial[Act], event: Event, cause: Cause) -> ActSeen:
        move = self.moves[event.event_id]
        missing = self._missing(move)
        entered = self._entered if move.left else None
        act = begun(
            steps=move.steps,
            skipped=len(move.never_entered),
            missing=None if missing is None else len(missing),
            process=move.process.id if entered else None,
            left_stage=move.source if entered else None,
            left_stage_entered_at=entered.occurred_at if entered else None,
        )
        since = entered.event_id if entered else None
        return ActSeen(act, event, cause, self._amount, None, move, missing, since)

    def _missing(self, move: Move) -> tuple[str, ...] | None:
        """Give the required outcomes left behind without evidence; None if none are stated."""
        if not move.process.outcomes:
            return None
        required = move.process.required_outcomes(move.left)
        return unshown(required, self._evidence, move.event.occurred_at)


def placing(
    quarter: FiscalQuarter | None, instant: datetime, policy: Policy
) -> tuple[bool | None, bool | None]:
    """Say whether an instant lies outside the last days of a quarter, and the first ones too."""
    if quarter is None:
        return None, None
    outside = days_left(quarter, instant) >= policy.window_days
    opening = (local_day(instant, quarter.zone) - quarter.start).days < policy.opening_days
    return outside, outside and not opening


def stays_of(events: Sequence[Event], processes: Processes) -> list[Stay]:
    """Give the stays of one deal's view in its stages, in order; a closing ends the last."""
    return [
        Stay(
            event_id=move.event.event_id,
            process=move.process.id,
            stage=move.target,
            entered_at=move.event.occurred_at,
            left_at=end.occurred_at if end else None,
        )
        for move, end in stretches(events, processes)
    ]
