"""What the ledger has of one deal already, as the readers of a newer export ask for it."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final

from api.exchange.lines import JsonObject
from domain.deal import replay
from domain.events.base import DomainEvent, type_name
from domain.events.honesty import EventAmended, EventRetracted, HistoryGap
from domain.events.life import AmountChanged, CloseDateMoved, DealDeleted, DealOpened, OwnerChanged
from domain.events.progress import StageEntered
from domain.replay import Event, view

CHANGES: Final = frozenset(
    {
        "stage_entered",
        "amount_changed",
        "close_date_moved",
        "owner_changed",
        "forecast_category_changed",
        "deal_moved_to_process",
        "deal_won",
        "deal_lost",
        "win_reversed",
        "deal_reopened",
        "event_amended",
    }
)
"""What a source tells of a deal that is worked on; an activity may be dated ahead."""
ASKED: Final = CHANGES | {
    "deal_opened",
    "deal_disqualified",
    "deal_deleted",
    "history_gap",
    "event_retracted",
}
"""What a known deal holds of its stream."""
LEAST: Final = timedelta(microseconds=1)
"""Between two moments that are told apart."""
_ENDINGS: Final = {
    "deal_won": "won",
    "deal_lost": "lost",
    "win_reversed": None,
    "deal_reopened": None,
}


@dataclass(frozen=True, slots=True)
class ToldDeletion:
    """A deletion of a deal that the ledger holds, and when it was taken back, if it was."""

    external_id: str
    at: datetime
    restored_at: datetime | None


@dataclass(frozen=True, slots=True)
class ToldOpening:
    """The event that opened a deal, and the process that the deal is pinned to."""

    external_id: str
    at: datetime
    told_at: datetime
    """When its source recorded it."""
    process: object


@dataclass(frozen=True, slots=True)
class ToldStanding:
    """Whether a win of a deal stood, and the amount as last told."""

    won: bool
    amount: JsonObject | None


@dataclass(frozen=True)
class KnownDeal:
    """The stream of a deal of a source, but for its activities; empty where there is none."""

    system: str = ""
    events: Sequence[Event] = ()

    def stated(self, external_id: str) -> Mapping[str, object]:
        """What the source told last under an id, a newer export's amendment included.

        Empty if it told nothing. What somebody corrected here is not what the source told.
        """
        event = self._told(external_id)
        if event is None:
            return {}
        restated = [
            (one.occurred_at, one.data.data)
            for one in self.events
            if isinstance(one.data, EventAmended)
            and one.data.event_id == event.event_id
            and self._id(one).startswith(f"{external_id}:stated:")
        ]
        if restated:
            return max(restated, key=lambda one: one[0])[1]
        return _payload(event.data)

    def when(self, external_id: str) -> datetime | None:
        """When what the source told under an id happened, if it told it."""
        event = self._told(external_id)
        return None if event is None else event.occurred_at

    @cached_property
    def opening(self) -> ToldOpening | None:
        """How the deal was opened, whoever told it; None if it was not."""
        event = next((one for one in self.events if isinstance(one.data, DealOpened)), None)
        if event is None:
            return None
        source = event.source
        return ToldOpening(
            external_id=(source and source.external_id) or "",
            at=event.occurred_at,
            told_at=(source and source.recorded_at) or event.occurred_at,
            process=_payload(event.data).get("process"),
        )

    def standing(self, before: datetime) -> ToldStanding:
        """How the deal stood before a moment, or at its opening; whoever told it."""
        last = before - LEAST
        if self.opening is not None:
            last = max(last, self.opening.at)
        stood = replay(self.events, effective_at=last)
        amount = stood.amount.model_dump(mode="json") if stood and stood.amount else None
        return ToldStanding(won=bool(stood and stood.win_stands), amount=amount)

    def closings(self) -> Sequence[tuple[datetime, str | None]]:
        """When the source told that the deal ended, and how; None where it was open again."""
        told = self._in_turn(view(self.events))
        turns = [(one.told_at, _kind(one)) for one in told if self._id(one)]
        return [(at, _ENDINGS[kind]) for at, kind in turns if kind in _ENDINGS]

    def deletions(self) -> Sequence[ToldDeletion]:
        """Every deletion that a source told, in order."""
        restored = {
            event.data.event_id: event.occurred_at
            for event in self.events
            if isinstance(event.data, EventRetracted)
        }
        for event in view(self.events):
            restored.pop(event.event_id, None)
        return [
            ToldDeletion(self._id(event), event.occurred_at, restored.get(event.event_id))
            for event in self._of_the_source()
            if isinstance(event.data, DealDeleted)
        ]

    def times(self, kinds: Collection[str]) -> Sequence[datetime]:
        """When the source told each event of some kinds."""
        return [one.told_at for one in self._of_the_source() if _kind(one) in kinds]

    @cached_property
    def changed(self) -> datetime | None:
        """When the source told its latest change of the deal."""
        return max(self.times(CHANGES), default=None)

    def owners(self) -> Sequence[tuple[datetime, str]]:
        """To whom the source gave the deal after its opening, and when, in order."""
        return [
            (one.occurred_at, one.data.owner)
            for one in view(self.events)
            if isinstance(one.data, OwnerChanged) and self._id(one)
        ]

    @property
    def ended(self) -> Sequence[datetime]:
        """When the source told each end of the deal, also one that it took back since."""
        return [one.told_at for one in self._of_the_source() if _ENDINGS.get(_kind(one))]

    @cached_property
    def stages(self) -> Sequence[tuple[datetime, str]]:
        """Each stage that the source told, when it did, in order."""
        return [
            (one.told_at, one.data.stage)
            for one in self._in_turn(view(self.events))
            if isinstance(one.data, StageEntered) and self._id(one)
        ]

    @cached_property
    def turns(self) -> Sequence[tuple[datetime, str | None]]:
        """How the deal ended, or None where it was open again, as told then, whatever since."""
        told = [one for one in self._in_turn(self.events) if self._id(one)]
        return [(one.told_at, _ENDINGS[_kind(one)]) for one in told if _kind(one) in _ENDINGS]

    def stage(self, before: datetime) -> str:
        """The stage that the source told last before a moment; empty if it told none."""
        return next((stage for at, stage in reversed(self.stages) if at < before), "")

    def closed(self, before: datetime) -> str | None:
        """How the deal had ended before a moment, as it was told then."""
        return next((end for at, end in reversed(self.turns) if at < before), None)

    def end(self, kind: str, upto: datetime) -> str:
        """What the source called the last end of a kind up to a moment; empty if it told none."""
        told = [one for one in self._in_turn(self.events) if one.told_at <= upto]
        ends = [self._id(one) for one in told if self._id(one) and _kind(one) == kind]
        return ends[-1] if ends else ""

    def lacks(self, name: str) -> bool:
        """Whether the source told that it does not know what happened to a field at some time."""
        gaps = (one.data for one in self._of_the_source() if isinstance(one.data, HistoryGap))
        return any(name in gap.fields for gap in gaps)

    @cached_property
    def values(self) -> Sequence[tuple[datetime, JsonObject]]:
        """Each amount and each close date that the source told, when it did, in order.

        As a snapshot has them: an amount stands with its currency.
        """
        told = [(one.told_at, _values(one.data)) for one in self._of_the_source()]
        return sorted((one for one in told if one[1]), key=lambda one: one[0])

    @cached_property
    def currencies(self) -> Sequence[tuple[datetime, str]]:
        """Of each amount that the source told, when it did and in which currency, in order."""
        return [(at, str(told["currency"])) for at, told in self.values if "currency" in told]

    @staticmethod
    def _in_turn(events: Iterable[Event]) -> Sequence[Event]:
        return sorted(events, key=lambda one: one.told_at)

    def _of_the_source(self) -> Iterator[Event]:
        return (one for one in self.events if self._id(one))

    def _told(self, external_id: str) -> Event | None:
        return next((one for one in self.events if self._id(one) == external_id), None)

    def _id(self, event: Event) -> str:
        """What the source calls an event; empty for one that it did not tell."""
        source = event.source
        return (source.external_id or "") if source and source.system == self.system else ""


def _kind(event: Event) -> str:
    return type_name(type(event.data))


def _values(data: DomainEvent) -> JsonObject:
    """The amount and the close date that an event tells, if it tells any."""
    told: JsonObject = {}
    if isinstance(data, DealOpened | AmountChanged) and data.amount is not None:
        told |= {"amount": str(data.amount.amount), "currency": data.amount.currency}
    day = data.close_date if isinstance(data, DealOpened) else None
    day = data.to if isinstance(data, CloseDateMoved) else day
    return told if day is None else told | {"close_date": day.isoformat()}


def _payload(data: DomainEvent) -> Mapping[str, object]:
    payload: dict[str, object] = json.loads(data.to_json())
    return payload
