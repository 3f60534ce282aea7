"""What a generated history says: payloads made by the domain's own events, each only once."""

from datetime import date
from decimal import Decimal
from functools import cache
from typing import Final, Literal
from uuid import UUID

import orjson

from domain.decisions.sense import CUSTOMER_SOURCED
from domain.events.base import DomainEvent
from domain.events.customer import (
    CommitmentBroken,
    CommitmentKept,
    CommitmentKind,
    CustomerCommitmentRecorded,
    CustomerFeedbackRecorded,
    CustomerGoalAchieved,
    CustomerRequestReceived,
    RequestTopic,
)
from domain.events.honesty import EventAmended, EventRetracted
from domain.events.life import (
    Account,
    AmountChanged,
    CloseDateMoved,
    DealDisqualified,
    DealLost,
    DealOpened,
    DealReopened,
    DealWon,
    ForecastCategory,
    ForecastCategoryChanged,
    OwnerChanged,
    ProcessRef,
    WinReversed,
)
from domain.events.money import DiscountOffered
from domain.events.people import NoteAdded
from domain.events.progress import ActivityTicked, Author, OutcomeEvidenced, StageEntered
from domain.process import Activity, Closing, Outcome, Process, Stage
from domain.values import Money

CURRENCY: Final = "USD"
_ACTIVITIES: Final = {
    "qualify": ("cost-of-waiting", "fit"),
    "discover": ("goal", "alternatives", "decision"),
    "prove": ("demonstration", "obstacles", "reference"),
    "propose": ("value", "timetable"),
    "commit": ("approvals", "start"),
}
_BINDING: Final = {"timetable", "approvals"}
"""Activities whose outcomes need an artefact of the customer's."""


def _activity(name: str) -> Activity:
    level = 4 if name in _BINDING else None
    return Activity(
        id=name,
        name=name.capitalize(),
        purpose=f"To know about {name} from the customer",
        outcomes=[Outcome(id=f"{name}-known", name=f"{name} is known", required_level=level)],
    )


PROCESS: Final = Process(
    id="field-sales",
    version=1,
    name="Field sales",
    stages=[
        *(
            Stage(
                id=stage,
                name=stage.capitalize(),
                goal=f"The customer can {stage}",
                activities=[_activity(name) for name in names],
            )
            for stage, names in _ACTIVITIES.items()
        ),
        Stage(id="won", name="Won", goal="The customer has ordered"),
        Stage(id="lost", name="Lost", goal="The customer has decided otherwise"),
    ],
    closing=Closing(won="won", lost="lost"),
)
SEGMENTS: Final = ("small", "mid-market", "enterprise")
COMMITMENTS: Final[tuple[tuple[str, CommitmentKind], ...]] = (
    ("Two people of theirs test it for a week", "people"),
    ("The budget is put to the board", "budget"),
    ("Purchasing sends its questions", "procurement"),
    ("The figures of last year are sent", "data"),
)
REQUESTS: Final[tuple[RequestTopic, ...]] = ("discount", "date", "terms", "competitor")
NOTED: Final = ("the plant manager", "purchasing", "finance", "the board", "a user")
_WORDS: Final = ("", "The rep's note", "Our summary", "The customer's words", "Their own paper")
STAGES: Final = tuple(
    (stage.id, tuple(activity.id for activity in stage.activities))
    for stage in PROCESS.working_stages
)
"""The working stages in order, each with its activities."""


def money(amount: int) -> Money:
    return Money.of(f"{amount}.00", CURRENCY)


def written(event: DomainEvent) -> str:
    """Give an event as `COPY` takes it: its topic, and its payload as the log keeps it."""
    return f"{event.TOPIC}\t{event.to_json().decode().replace(chr(92), chr(92) * 2)}"


@cache
def stage_entered(stage: str) -> str:
    return written(StageEntered(stage=stage))


@cache
def ticked(activity: str) -> str:
    return written(ActivityTicked(activity=activity))


@cache
def evidenced(activity: str, level: int) -> str:
    """Give evidence for the activity's outcome, of the customer's from level 3 on."""
    side: Literal["customer", "seller"] = "customer" if level >= CUSTOMER_SOURCED else "seller"
    return written(
        OutcomeEvidenced(
            outcome=f"{activity}-known",
            level=level,
            author=Author(side=side),
            statement=f"{_WORDS[level]} about {activity}",
        )
    )


@cache
def requested(topic: RequestTopic) -> str:
    return written(CustomerRequestReceived(topic=topic, level=3, statement=f"Asked for {topic}"))


@cache
def committed(number: int, due: date) -> str:
    what, kind = COMMITMENTS[number % len(COMMITMENTS)]
    return written(
        CustomerCommitmentRecorded(
            commitment_id=f"c{number}", what=what, kind=kind, level=3, due=due
        )
    )


@cache
def kept(number: int) -> str:
    return written(CommitmentKept(commitment_id=f"c{number}"))


@cache
def broken(number: int) -> str:
    return written(CommitmentBroken(commitment_id=f"c{number}", reason="Nobody had the time"))


@cache
def discount_offered(percent: int, asker: Literal["rep", "customer"]) -> str:
    return written(DiscountOffered(percent=Decimal(percent), requested_by=asker))


@cache
def close_date_moved(to: date) -> str:
    return written(CloseDateMoved(to=to))


@cache
def amount_changed(amount: int) -> str:
    return written(AmountChanged(amount=money(amount)))


@cache
def owner_changed(owner: str) -> str:
    return written(OwnerChanged(owner=owner))


@cache
def category_changed(category: ForecastCategory) -> str:
    return written(ForecastCategoryChanged(category=category))


@cache
def noted(number: int) -> str:
    return written(NoteAdded(text=f"Spoke with {NOTED[number]} and wrote down what was said"))


def opened(name: str, number: int, *, owner: str, amount: int, close_date: date) -> str:
    return written(
        DealOpened(
            name=name,
            account=Account(
                id=f"account-{number // 3}",
                name=f"Account {number // 3}",
                segment=SEGMENTS[number // 3 % len(SEGMENTS)],
            ),
            owner=owner,
            amount=money(amount),
            close_date=close_date,
            process=ProcessRef(id=PROCESS.id, version=PROCESS.version),
        )
    )


def won(net: int, list_price: int, closed_on: date) -> str:
    return written(DealWon(net=money(net), list=money(list_price), closed_on=closed_on))


LOST: Final = written(DealLost(reason="Stays with what it has"))
DISQUALIFIED: Final = written(DealDisqualified(reason="Nobody there wants to change anything"))
REOPENED: Final = written(DealReopened(reason="They called again"))
REVERSED: Final = written(WinReversed(reason="The order was cancelled"))
ACHIEVED: Final = written(CustomerGoalAchieved(goal="What it wanted", level=3))
FEEDBACK: Final = written(CustomerFeedbackRecorded(felt_pressured=False))
PRESSED: Final = written(CustomerFeedbackRecorded(felt_pressured=True))


def correction(event_id: str, told: str) -> str:
    """Give the amendment of a figure, or the retraction of anything else that was told."""
    topic, _, payload = told.partition("\t")
    data = orjson.loads(payload)
    match topic:
        case DealWon.TOPIC:
            data["net"]["amount"] = _a_little_less(data["net"]["amount"])
        case AmountChanged.TOPIC:
            data["amount"]["amount"] = _a_little_less(data["amount"]["amount"])
        case DiscountOffered.TOPIC:
            data["percent"] = "7.5"
        case _:
            return written(EventRetracted(event_id=UUID(event_id), reason="Said of another deal"))
    return written(EventAmended(event_id=UUID(event_id), data=data, reason="Typed wrongly"))


def _a_little_less(amount: str) -> str:
    # An amount that no deal has by itself, so that nothing says it a second time.
    return str(Decimal(amount) - 125)
