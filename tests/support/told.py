"""Builds recorded events for folds: literal, aware times, and positions in the order told."""

from datetime import UTC, datetime
from itertools import count
from uuid import UUID, uuid5

from domain.events.base import DomainEvent
from domain.events.customer import CustomerCommitmentRecorded, CustomerRequestReceived
from domain.events.life import Account, CloseDateMoved, DealOpened, DealWon, ProcessRef
from domain.events.money import DiscountOffered
from domain.events.progress import ActivityTicked, OutcomeEvidenced, StageEntered
from domain.process import Activity, Closing, Outcome, Process, Stage
from domain.replay import Event
from domain.stamp import RecordedEvent
from domain.values import Money

NAMESPACE = UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
DEAL = uuid5(NAMESPACE, "deal")


def at(text: str) -> datetime:
    """Read an instant; a day alone is its first moment in UTC."""
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def named(name: str) -> UUID:
    """Give the event id that a test calls by a name."""
    return uuid5(NAMESPACE, name)


class Teller:
    """Tells events one after the other, each recorded when it occurred unless said otherwise."""

    def __init__(self, *, actor: str = "ann", deal: UUID = DEAL) -> None:
        self._actor = actor
        self._stream = f"deal:{deal}"
        self._positions = count(1)
        self.events: list[Event] = []

    def tell(
        self,
        data: DomainEvent,
        when: str,
        *,
        name: str | None = None,
        recorded: str | None = None,
        actor: str | None = None,
        caused_by: str | None = None,
    ) -> Event:
        """Add an event and give it."""
        position = next(self._positions)
        told = at(recorded or when)
        event = RecordedEvent(
            event_id=named(name or f"{self._stream} {position}"),
            stream_id=self._stream,
            version=position,
            position=position,
            occurred_at=at(when),
            recorded_at=told,
            ingested_at=told,
            actor=actor or self._actor,
            data=data,
            caused_by=named(caused_by) if caused_by else None,
        )
        self.events.append(event)
        return event


def opened(
    *,
    owner: str = "ann",
    amount: str | None = None,
    close_date: str | None = None,
    process: bool = True,
    segment: str | None = None,
) -> DealOpened:
    """Open a deal, pinned to the process `linear`."""
    return DealOpened(
        name="Fleet renewal",
        account=Account(id="acme", name="Acme", segment=segment),
        owner=owner,
        amount=usd(amount) if amount else None,
        close_date=at(close_date).date() if close_date else None,
        process=ProcessRef(id="linear", version=1) if process else None,
    )


def usd(amount: str) -> Money:
    return Money.of(amount, "USD")


def stage(name: str) -> StageEntered:
    return StageEntered(stage=name)


def tick(activity: str) -> ActivityTicked:
    return ActivityTicked(activity=activity)


def evidence(outcome: str, *, level: int = 3) -> OutcomeEvidenced:
    return OutcomeEvidenced(outcome=outcome, level=level)


def request(topic: str = "discount", *, level: int = 3) -> CustomerRequestReceived:
    return CustomerRequestReceived.model_validate({"topic": topic, "level": level})


def commitment(
    level: int, *, kind: str = "other", due: str | None = None
) -> CustomerCommitmentRecorded:
    return CustomerCommitmentRecorded.model_validate(
        {
            "commitment_id": f"c{level}{kind}{due}",
            "what": "They run the pilot",
            "kind": kind,
            "level": level,
            "due": at(due).date() if due else None,
        }
    )


def discount(percent: str, *, list_price: str | None = None) -> DiscountOffered:
    return DiscountOffered.model_validate(
        {"percent": percent, "list": usd(list_price) if list_price else None}
    )


def moved(to: str) -> CloseDateMoved:
    return CloseDateMoved(to=at(to).date())


def won(net: str, *, list_price: str | None = None, on: str = "2025-03-31") -> DealWon:
    listed = usd(list_price) if list_price else None
    return DealWon(net=usd(net), list=listed, closed_on=at(on).date())


def process(*stages: tuple[str, dict[str, str]], closing: str = "won") -> Process:
    """Build a linear process: each stage with its activities, each with its one outcome."""
    return Process(
        id="linear",
        version=1,
        name="Linear",
        stages=[
            Stage(
                id=name,
                name=name,
                goal="Know more",
                activities=[
                    Activity(
                        id=activity,
                        name=activity,
                        purpose="To learn",
                        outcomes=[Outcome(id=outcome, name=outcome)],
                    )
                    for activity, outcome in activities.items()
                ],
            )
            for name, activities in stages
        ],
        closing=Closing(won=closing, lost="lost"),
    )
