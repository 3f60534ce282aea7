"""One deal being worked: what can happen to it, and what must have happened before."""

import heapq
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final, TypeAlias

from api.sample import phrases
from api.sample.accounts import Contact
from api.sample.brief import Brief
from api.sample.cast import CURRENCY, RATES
from api.sample.chance import Chance
from api.sample.journal import Journal, Json
from api.sample.market import Market, Position
from api.sample.memory import GRACE, Memory
from api.sample.process import LOST, PROCESS, STRICT, WON
from api.sample.record import BOOKKEEPING, FAITHFUL, ROUTINE, Happening, Motive, Record
from api.sample.timeline import local_date, office_moment

MINUTE: Final = timedelta(minutes=1)
DAY: Final = timedelta(days=1)
WRITTEN: Final = 2
"""The level from which a commitment is the customer's own written word."""
LATE: Final = 50
"""Hours after which an entry is late beyond excuse."""

Act: TypeAlias = Callable[["Pursuit"], None]


class Pursuit:
    """A deal as an agent of the market: holds its steps, takes them in order, tells them."""

    def __init__(
        self,
        brief: Brief,
        *,
        market: Market,
        journal: Journal,
        seed: int,
        record: Record = FAITHFUL,
    ) -> None:
        self.brief = brief
        self.habits = brief.rep.behaviour
        self.customer = brief.customer
        self.chance = Chance(seed, brief.key)
        self.market = market
        self.memory = Memory(owner=brief.rep.id)
        self.at = market.timeline.horizon
        self._journal = journal
        self._steps: list[tuple[datetime, int, Act, bool]] = []
        self._planned = 0
        self._told: datetime | None = None
        self._record = record
        # A stream of its own, so that the record's faults change nothing of what happens.
        self._faults = Chance(seed, brief.key, "record")
        self._motive = ROUTINE
        self._latest: datetime | None = None

    @contextmanager
    def because(self, motive: Motive) -> Iterator[None]:
        """Say why the acts within are done."""
        self._motive, before = motive, self._motive
        yield
        self._motive = before

    def plan(self, at: datetime, act: Act, *, course: bool = False) -> None:
        """Put a step into the future; those of the course are dropped when it changes."""
        self._planned += 1
        heapq.heappush(self._steps, (at, self._planned, act, course))

    def plan_in(self, days: int, act: Act, *, course: bool = False) -> None:
        """Put a step some days ahead, in office hours and never into the past."""
        at = office_moment(local_date(self.at + days * DAY), self.chance)
        self.plan(max(at, self.at + 5 * MINUTE), act, course=course)

    def drop_course(self) -> None:
        self._steps = [step for step in self._steps if not step[3]]
        heapq.heapify(self._steps)

    def next_at(self) -> datetime | None:
        return self._steps[0][0] if self._steps else None

    def act(self) -> None:
        at, _, act, _ = heapq.heappop(self._steps)
        self.at = at if self._told is None else max(at, self._told + MINUTE)
        act(self)
        if not self._steps:
            self._journal.close(self._stream)

    @property
    def _stream(self) -> str:
        return f"deal:{self.brief.key}"

    def tell(
        self,
        type_name: str,
        *,
        actor: str | None = None,
        lag: timedelta | None = None,
        caused_by: str | None = None,
        pause: timedelta | None = None,
        **data: object,
    ) -> str:
        """Tell an event of this moment, its fields by name; see `state` for the rest."""
        return self.state(type_name, data, actor=actor, lag=lag, caused_by=caused_by, pause=pause)

    def state(
        self,
        type_name: str,
        data: Json,
        *,
        actor: str | None = None,
        lag: timedelta | None = None,
        caused_by: str | None = None,
        pause: timedelta | None = None,
    ) -> str:
        """Tell an event of this moment; with a lag it is told later and nothing waits for it."""
        occurred_at = self.at
        recorded_at = occurred_at + timedelta(seconds=self.chance.between(2, 45))
        if lag is not None:
            recorded_at = occurred_at + lag
        else:
            self._told = recorded_at
        self.at = recorded_at if lag is None else occurred_at
        self.at += pause or timedelta(minutes=self.chance.between(1, 9))
        payload: Json = {key: value for key, value in data.items() if value is not None}
        occurred_at = self._dated(type_name, occurred_at)
        external_id = self._journal.tell(
            stream=self._stream,
            type_name=type_name,
            occurred_at=occurred_at,
            recorded_at=recorded_at,
            actor=actor or self.memory.owner,
            data=payload,
            caused_by=caused_by,
            imported=self._record.imported,
        )
        self.memory.settle(type_name, payload, self.today)
        self._witness(type_name, occurred_at, recorded_at, external_id)
        return external_id

    def _dated(self, type_name: str, at: datetime) -> datetime:
        """Give the time that the rep writes down: not before the last that is told of the deal."""
        dated, latest = at, self._latest
        if latest and type_name in BOOKKEEPING and self._faults.happens(self._record.backdated):
            dated = min(at, max(latest + MINUTE, at - self._faults.between(2, 10) * DAY))
        self._latest = max(dated, latest or dated)
        return dated

    def _missed(self, type_name: str) -> bool:
        """Say whether nobody writes down what the customer does now."""
        missed = self._faults.happens(self._record.unrecorded)
        if missed:
            self._witness(type_name, self.at, self.at, None)
        return missed

    def _witness(
        self, type_name: str, occurred_at: datetime, recorded_at: datetime, told: str | None
    ) -> None:
        witness, memory = self._record.witness, self.memory
        if witness is None:
            return
        # A win that is booked without an order costs nothing.
        cost = type_name == "deal_won" and self._motive.pattern is None
        lost = self.brief.price * memory.pressed / 100 if cost else None
        witness.saw(
            Happening(
                deal=self.brief.key,
                type_name=type_name,
                rep=memory.owner,
                occurred_at=occurred_at,
                recorded_at=recorded_at,
                motive=self._motive,
                external_id=told,
                lost=lost,
                currency=self.brief.rep.currency,
                off_fit=memory.off_fit,
            )
        )

    def lag(self) -> timedelta | None:
        """Draw how late something heard is written down: at once, hours later, or days later."""
        if self.chance.happens(0.75):
            return None
        if self.chance.happens(0.93):
            return timedelta(minutes=self.chance.between(30, 600))
        return timedelta(hours=self.chance.between(LATE, 90), minutes=self.chance.between(0, 59))

    def say(self, text: str, day: date | None = None) -> str:
        high, low = self.brief.figures
        user, sponsor, buyer, gatekeeper = (one.name for one in self.customer.contacts)
        return text.format(
            user=user,
            sponsor=sponsor,
            buyer=buyer,
            gatekeeper=gatekeeper,
            n=high,
            m=low,
            day=day and f"{day:%B} {day.day}",
        )

    def speaker(self, text: str) -> Contact:
        """Give the person at the customer whom the text names first; else the sponsor."""
        customer = self.customer
        named = {
            text.find(mark): person
            for mark, person in (
                ("{user}", customer.user),
                ("{buyer}", customer.buyer),
                ("{gatekeeper}", customer.gatekeeper),
                ("{sponsor}", customer.sponsor),
            )
            if mark in text
        }
        return named[min(named)] if named else customer.sponsor

    def number(self, what: str) -> str:
        """Give the next id of its kind in this deal."""
        count = self.memory.counts[what] = self.memory.counts.get(what, 0) + 1
        return f"{what}-{count}"

    def money(self, amount: Decimal) -> Json:
        return {"amount": f"{amount:.2f}", "currency": self.brief.rep.currency}

    @property
    def manager(self) -> str:
        return self.market.cast.manager_of(self.memory.owner)

    @property
    def today(self) -> date:
        return local_date(self.at)

    @property
    def position(self) -> Position | None:
        return self.market.position(self.memory.owner, self.at)

    def open(self, *, version: int, close_date: date) -> None:
        memory, brief = self.memory, self.brief
        memory.version, memory.open = version, True
        memory.amount, memory.close_date = brief.price, close_date
        memory.shares = {memory.owner: Decimal(1)}
        self.tell(
            "deal_opened",
            name=brief.name,
            account={
                "id": self.customer.id,
                "name": self.customer.name,
                "segment": self.customer.segment,
            },
            owner=memory.owner,
            amount=self.money(brief.price),
            close_date=close_date.isoformat(),
            process={"id": PROCESS, "version": version},
        )

    def enter(self, stage: str, *, lag: timedelta | None = None) -> None:
        if stage != self.memory.stage:
            self.memory.stage = stage
            self.tell("stage_entered", stage=stage, lag=lag)

    def tick(self, activity: str, *, pause: timedelta | None = None) -> None:
        if activity not in self.memory.ticked:
            self.memory.ticked.add(activity)
            self.tell("activity_ticked", activity=activity, pause=pause)

    def evidence(
        self,
        outcome: str,
        *,
        level: int,
        by: Contact | None,
        statement: str,
        lag: timedelta | None = None,
    ) -> str | None:
        """Show an outcome, of a customer's contact, or in the seller's own words.

        None where the customer shows it and nobody writes it down.
        """
        if by is not None:
            self.memory.shown.add(outcome)
            if self._missed("outcome_evidenced"):
                return None
        author: Json = {"side": "customer", "contact": by.id} if by else {"side": "seller"}
        artefact = None
        if outcome in STRICT and by is not None:
            artefact = {"uri": f"crm://documents/{self.brief.key}/{outcome}.pdf"}
        return self.tell(
            "outcome_evidenced",
            outcome=outcome,
            level=level,
            author=author,
            statement=self.say(statement),
            artefact=artefact,
            lag=lag,
        )

    def move(self, to: date, reason: str | None, *, caused_by: str | None = None) -> None:
        if to != self.memory.close_date:
            self.memory.close_date = to
            self.tell("close_date_moved", to=to.isoformat(), reason=reason, caused_by=caused_by)

    def offer(
        self, percent: int | Decimal, *, caused_by: str | None = None, **terms: object
    ) -> str | None:
        depth = Decimal(percent)
        if depth == self.memory.depth:
            return None
        self.memory.depth = depth
        offered: Json = {"percent": f"{depth}", "list": self.money(self.brief.price), **terms}
        return self.state("discount_offered", offered, caused_by=caused_by)

    def request(self, topic: str, *, level: int, lag: timedelta | None = None) -> str | None:
        """Let the customer ask for something; None where nobody writes it down."""
        if self._missed("customer_request_received"):
            return None
        statement = self.say(self.chance.one_of(phrases.REQUESTS[topic]))
        told = "date" if topic == "later" else topic
        return self.tell(
            "customer_request_received", topic=told, level=level, statement=statement, lag=lag
        )

    def commitment(self, kind: str, *, due: date, level: int | None = None) -> str | None:
        """Record what the customer will do; gives the id that keeping or breaking it names.

        None where nobody writes it down.
        """
        named = self.number("c")
        strength = phrases.KIND_LEVELS[kind] if level is None else level
        if strength >= WRITTEN:
            self.memory.words[named] = due + GRACE
        if self._missed("customer_commitment_recorded"):
            return None
        what = self.chance.one_of(phrases.COMMITMENTS[kind])
        person = self.speaker(what)
        self.tell(
            "customer_commitment_recorded",
            commitment_id=named,
            what=self.say(what),
            kind=kind,
            level=strength,
            by=person.name,
            role=person.role,
            due=due.isoformat(),
        )
        return named

    def forecast(self, category: str) -> None:
        if category != self.memory.category:
            self.memory.category = category
            self.tell("forecast_category_changed", category=category)

    def win(self, *, lag: timedelta | None = None) -> None:
        """The customer orders at the price last offered."""
        memory = self.memory
        memory.net = self.brief.price * (100 - memory.depth) / 100
        if memory.net != memory.amount:
            memory.amount = memory.net
            self.tell("amount_changed", amount=self.money(memory.net))
        self.enter(WON, lag=lag)
        self._book(memory.net)
        memory.open = False
        self.tell(
            "deal_won",
            net=self.money(memory.net),
            list=self.money(self.brief.price),
            closed_on=self.today.isoformat(),
            lag=None if lag is None else lag + MINUTE,
        )

    def lose(self, reason: str, competitor: str | None) -> None:
        self.enter(LOST)
        self.memory.open = False
        self.tell("deal_lost", reason=reason, competitor=competitor)

    def disqualify(self, reason: str) -> None:
        self.memory.open = False
        self.tell("deal_disqualified", reason=reason)

    def reverse(self, reason: str) -> None:
        self._book(-self.memory.net)
        self.memory.open, self.memory.stage = True, None
        self.tell("win_reversed", reason=reason)

    def reopen(self, reason: str) -> None:
        self.memory.open, self.memory.stage = True, None
        self.tell("deal_reopened", reason=reason)

    def _book(self, net: Decimal) -> None:
        rate = RATES[self.brief.rep.currency] / RATES[CURRENCY]
        self.market.book(self.memory.shares, net * rate, at=self.at)
