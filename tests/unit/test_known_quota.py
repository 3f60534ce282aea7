"""Which quota was in force when, as known when (METRICS section 2)."""

from domain.events.base import DomainEvent
from domain.events.context import QuotaAssigned, QuotaRevised, QuotaWithdrawn
from domain.known import Known
from domain.replay import Event
from domain.stamp import RecordedEvent
from domain.values import Money
from tests.support.told import at, named, usd

ASSIGNED = QuotaAssigned(rep="ann", quarter="FY2025Q1", amount=usd("800000"))


def told(position: int, data: DomainEvent, *, occurred: str, recorded: str) -> Event:
    return RecordedEvent(
        event_id=named(f"quota {position}"),
        stream_id="quota:ann:FY2025Q1",
        version=position,
        position=position,
        occurred_at=at(occurred),
        recorded_at=at(recorded),
        ingested_at=at(recorded),
        actor="mia",
        data=data,
    )


EX05 = [
    told(1, ASSIGNED, occurred="2025-01-01", recorded="2025-01-01"),
    told(2, QuotaRevised(amount=usd("1000000")), occurred="2025-03-01", recorded="2025-03-05"),
]


def quota(events: list[Event], *, at_instant: str, known: str) -> Money | None:
    cut = [event for event in events if event.recorded_at <= at(known)]
    return Known(cut).quota("ann", "FY2025Q1", at(at_instant))[0]


def test_a_revision_counts_from_when_it_occurred_once_it_is_known() -> None:
    assert quota(EX05, at_instant="2025-02-28", known="2025-02-28") == usd("800000")
    assert quota(EX05, at_instant="2025-03-03", known="2025-03-03") == usd("800000")
    assert quota(EX05, at_instant="2025-03-03", known="2025-03-31") == usd("1000000")


def test_before_it_is_assigned_a_quota_is_unknown() -> None:
    assert quota(EX05, at_instant="2024-12-31", known="2025-03-31") is None


def test_a_withdrawn_quota_is_unknown_from_then_on() -> None:
    withdrawn = told(3, QuotaWithdrawn(), occurred="2025-03-10", recorded="2025-03-10")
    events = [*EX05, withdrawn]

    assert quota(events, at_instant="2025-03-09", known="2025-03-31") == usd("1000000")
    assert quota(events, at_instant="2025-03-10", known="2025-03-31") is None
