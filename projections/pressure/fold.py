"""Which of a deal's events are consistent with quota pressure, and the facts that say so."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Literal, Protocol, TypeAlias
from uuid import UUID

from domain.bookings import RunningTotal
from domain.calendars import CalendarHistory
from domain.causes import Cause, action_time, causes
from domain.events.life import AmountChanged, CloseDateMoved, DealOpened
from domain.events.money import DiscountOffered
from domain.events.progress import EvidenceWithdrawn, OutcomeContradicted, OutcomeEvidenced
from domain.fiscal import FiscalQuarter, days_left
from domain.path import Move, Processes, moves
from domain.policy import Policy
from domain.replay import Event
from domain.values import Money
from projections.pressure import rules
from projections.pressure.acts import KINDS, ActKind, standing_offers
from projections.pressure.baseline import Comparables, Dwell, Peers, Question
from projections.pressure.curve import Standing, pivotality, standing
from projections.pressure.rules import Finding, Truth, all_of, any_of

Verdict: TypeAlias = Literal[
    "pressure_shaped", "pressure_consistent", "not_pressure_shaped", "not_evaluable"
]


class Context(Protocol):
    """What the judgement of one deal needs to know of the rest, as known at one position."""

    @property
    def policy(self) -> Policy:
        """The numbers that verdicts are made with."""
        ...

    @property
    def calendar(self) -> CalendarHistory:
        """The fiscal calendars."""
        ...

    @property
    def comparables(self) -> Comparables:
        """The seller events of other deals."""
        ...

    def quota(self, rep: str, quarter: str, at: datetime) -> tuple[Money | None, tuple[UUID, ...]]:
        """Give the quota in force at an instant and the events that set it."""
        ...

    def quota_changes(self, rep: str, quarter: str) -> Sequence[datetime]:
        """Give the instants at which the quota changes."""
        ...

    def booked(self, rep: str, quarter: str, currency: str) -> RunningTotal:
        """Give what is credited to a rep in a quarter, in a currency."""
        ...

    def wins(self, rep: str, quarter: str, before: datetime) -> tuple[UUID, ...]:
        """Give the events that credited the rep in the quarter strictly before an instant."""
        ...

    def convert(self, amount: Money, currency: str, quarter: str) -> Decimal | None:
        """Give an amount at the plan rate of the quarter's fiscal year; None without one."""
        ...

    def dwell(self, process: str, stage: str, deal_id: UUID, before: datetime) -> Dwell | None:
        """Give how long stays of other deals in a stage are; None where there are too few."""
        ...


@dataclass(frozen=True, slots=True)
class Judged:
    """A seller event with the facts F1 to F4 and the verdict that follows from them."""

    event: Event
    kind: ActKind
    action_time: datetime
    quarter: FiscalQuarter | None
    days_left: int | None
    standing: Standing | None
    quota_currency: str | None
    pivotality: Fraction | None
    cause: Cause
    window: Truth
    behind: Truth
    findings: tuple[Finding, ...]
    levels: Peers | None
    previous: Decimal | None
    quota_events: tuple[UUID, ...]
    win_events: tuple[UUID, ...]
    base_rate: tuple[int, int]

    @property
    def abnormal(self) -> Truth:
        """F4: whether any rule that applies to the event holds."""
        return any_of(finding.holds for finding in self.findings)

    @property
    def verdict(self) -> Verdict:
        """The verdict (METRICS section 4): false beats unknown, and a customer cause softens."""
        truth = all_of([self.window, self.behind, self.abnormal])
        if truth is False:
            return "not_pressure_shaped"
        if truth is None:
            return "not_evaluable"
        return "pressure_shaped" if self.cause.kind == "seller_only" else "pressure_consistent"

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules that hold."""
        return tuple(finding.rule for finding in self.findings if finding.holds)


def fold(
    deal_id: UUID, events: Sequence[Event], processes: Processes, context: Context
) -> list[Judged]:
    """Judge the stages entered, discounts and close-date moves of a deal's view, in its order."""
    judge = _Judge(deal_id, events, processes, context)
    judged: list[Judged] = []
    for event in events:
        judge.see(event)
        kind = KINDS.get(type(event.data))
        if kind is not None and (kind != "stage_entered" or event.event_id in judge.moves):
            judged.append(judge.judged(event, kind))
        judge.passed(event)
    return judged


class _Judge:
    """The state of one deal along its view: what each event is judged against."""

    def __init__(
        self, deal_id: UUID, events: Sequence[Event], processes: Processes, context: Context
    ) -> None:
        self.deal_id = deal_id
        self.context = context
        self.moves = {move.event.event_id: move for move in moves(events, processes)}
        self._causes = causes(events, processes, context.policy)
        self._offers = standing_offers(events)
        self._withdrawn = {e.data.event_id for e in events if isinstance(e.data, EvidenceWithdrawn)}
        self._evidence: dict[str, int] = {}
        self._segment: str | None = None
        self._amount: Money | None = None
        self._close_date = _opened_close_date(events)
        self._stay: tuple[UUID, datetime] | None = None

    def see(self, event: Event) -> None:
        """Take in what counts for the event itself."""
        match event.data:
            case DealOpened(account=account, amount=amount):
                self._segment, self._amount = account.segment, amount
            case AmountChanged(amount=amount):
                self._amount = amount
            case OutcomeEvidenced(outcome=outcome, level=level):
                if event.event_id not in self._withdrawn:
                    self._evidence[outcome] = max(level, self._evidence.get(outcome, 0))
            case OutcomeContradicted(outcome=outcome):
                self._evidence.pop(outcome, None)
            case _:
                pass

    def passed(self, event: Event) -> None:
        """Take in what counts only for the events after it."""
        if isinstance(event.data, CloseDateMoved):
            self._close_date = event.data.to
        if event.event_id in self.moves:
            self._stay = (event.event_id, event.occurred_at)

    def judged(self, event: Event, kind: ActKind) -> Judged:
        at = action_time(event)
        policy = self.context.policy
        question = Question(self.deal_id, event.rep, self._segment, at)
        quarter = self.context.calendar.quarter_at(at)
        quota, quota_events = (
            self.context.quota(event.rep, quarter.name, at) if quarter else (None, ())
        )
        currency = quota.currency if quota else self._currency()
        left = days_left(quarter, at) if quarter else None
        window = None if left is None else left < policy.window_days
        now = None
        if quarter and currency:
            booked = self.context.booked(event.rep, quarter.name, currency)
            now = standing(quota, booked, quarter, at)
        behind = None if now is None or now.pressure is None else now.pressure >= policy.theta
        settled = window is False or behind is False
        offered = isinstance(event.data, DiscountOffered)
        levels = self.context.comparables.levels(question, policy) if offered else None
        return Judged(
            event=event,
            kind=kind,
            action_time=at,
            quarter=quarter,
            days_left=left,
            standing=now,
            quota_currency=currency,
            pivotality=self._pivotality(quarter, quota, now),
            cause=self._causes[event.event_id],
            window=window,
            behind=behind,
            findings=tuple(self._findings(event, question, quarter, levels, settled=settled)),
            levels=levels,
            previous=self._offers.get(event.event_id),
            quota_events=quota_events,
            win_events=self.context.wins(event.rep, quarter.name, at) if quarter else (),
            base_rate=self.context.comparables.seller_only_rate(question, kind),
        )

    def _currency(self) -> str | None:
        return self._amount.currency if self._amount else None

    def _pivotality(
        self, quarter: FiscalQuarter | None, quota: Money | None, now: Standing | None
    ) -> Fraction | None:
        if quarter is None or quota is None or now is None or now.pressure is None:
            return None
        if self._amount is None:
            return None
        value = self.context.convert(self._amount, quota.currency, quarter.name)
        return pivotality(value, quota.amount, now.attained)

    def _findings(
        self,
        event: Event,
        question: Question,
        quarter: FiscalQuarter | None,
        levels: Peers | None,
        *,
        settled: bool,
    ) -> list[Finding]:
        data, policy = event.data, self.context.policy
        if isinstance(data, DiscountOffered):
            previous = self._offers[event.event_id]
            steps = self.context.comparables.steps(question, policy)
            found = [
                rules.level(data.percent, previous, levels, policy),
                rules.step(data.percent, previous, steps, policy),
                rules.expiry(data, quarter, policy),
            ]
            return [finding for finding in found if finding]
        if isinstance(data, CloseDateMoved):
            return [rules.pull_in(self._close_date, data.to, quarter)]
        move = self.moves[event.event_id]
        normal = None if settled else self._normal_dwell(move, event)
        return [rules.rush(move, self._missing(move), self._stay, normal)]

    def _normal_dwell(self, move: Move, event: Event) -> Callable[[], Dwell | None]:
        stage = move.source or ""
        return lambda: self.context.dwell(move.process.id, stage, self.deal_id, event.occurred_at)

    def _missing(self, move: Move) -> list[str] | None:
        """Give the required outcomes left behind without evidence; None if none are stated."""
        if not move.process.outcomes:
            return None
        return [
            outcome.id
            for outcome in move.process.required_outcomes(move.left)
            if self._evidence.get(outcome.id, 0) < outcome.needed
        ]


def _opened_close_date(events: Sequence[Event]) -> date | None:
    return next((e.data.close_date for e in events if isinstance(e.data, DealOpened)), None)
