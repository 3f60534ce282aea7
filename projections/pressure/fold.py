"""Which of a deal's events are consistent with quota pressure, and the facts that say so."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Literal, Protocol, TypeAlias
from uuid import UUID

from domain.bookings import RunningTotal
from domain.calendars import CalendarHistory
from domain.causes import Cause
from domain.fiscal import FiscalQuarter, days_left
from domain.pace import Pace
from domain.path import Processes
from domain.policy import Policy
from domain.replay import Event
from domain.values import Money
from projections.pressure import rules
from projections.pressure.acts import Act, ActKind
from projections.pressure.baseline import Comparables, Dwell, Peers, Question
from projections.pressure.curve import Standing, pivotality, standing
from projections.pressure.derive import ActSeen, acts_seen
from projections.pressure.recording import Coverage
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
        """The offers of other deals."""
        ...

    def quota(self, rep: str, quarter: str, at: datetime) -> tuple[Money | None, tuple[UUID, ...]]:
        """Give the quota in force at an instant and the events that set it."""
        ...

    def quota_changes(self, rep: str, quarter: str) -> Sequence[datetime]:
        """Give the instants at which the quota changes."""
        ...

    def pace(self, rep: str, quarter: FiscalQuarter, at: datetime) -> Pace:
        """Give how much of a rep's time in a quarter has passed."""
        ...

    def turns(self, rep: str) -> Sequence[datetime]:
        """Give the instants at which a rep joined or left a team."""
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

    def coverage(self, rep: str | None) -> Coverage:
        """Give how often the team of a rep records what customers do; everybody where None."""
        ...


class Judgement:
    """An act with the facts F1 to F4, each looked up when it is first asked for."""

    def __init__(
        self, deal_id: UUID, act: Act, context: Context, *, currency: str | None = None
    ) -> None:
        """Take an act of a deal; `currency` is what bookings are told in without a quota."""
        self.deal_id = deal_id
        self.act = act
        self.context = context
        self.question = Question(deal_id, act.rep, act.segment, act.action_time)
        self._currency = currency

    @cached_property
    def quarter(self) -> FiscalQuarter | None:
        """The fiscal quarter that it is judged in."""
        return self.context.calendar.quarter_at(self.act.action_time)

    @property
    def window(self) -> Truth:
        """F1: whether it lies in the last days of the quarter."""
        return None if self.act.outside is None else not self.act.outside

    @cached_property
    def quota(self) -> tuple[Money | None, tuple[UUID, ...]]:
        """The quota of its rep in force then, and the events that set it."""
        if self.quarter is None:
            return None, ()
        return self.context.quota(self.act.rep, self.quarter.name, self.act.action_time)

    @property
    def currency(self) -> str | None:
        """The currency that bookings are told in."""
        quota = self.quota[0]
        return quota.currency if quota else self._currency

    @cached_property
    def pace(self) -> Pace | None:
        """How much of its rep's time in the quarter had passed."""
        if self.quarter is None:
            return None
        return self.context.pace(self.act.rep, self.quarter, self.act.action_time)

    @cached_property
    def standing(self) -> Standing | None:
        """Where its rep stood against the quota."""
        if self.quarter is None or self.pace is None or self.currency is None:
            return None
        booked = self.context.booked(self.act.rep, self.quarter.name, self.currency)
        return standing(self.quota[0], booked, self.pace.elapsed, self.act.action_time)

    @cached_property
    def behind(self) -> Truth:
        """F2: whether the rep was behind."""
        pressure = self.standing.pressure if self.standing else None
        return None if pressure is None else pressure >= self.context.policy.theta

    @property
    def settled(self) -> bool:
        """Whether F1 or F2 is false, so that nothing else can matter to the verdict."""
        return self.window is False or self.behind is False

    @cached_property
    def levels(self) -> Peers | None:
        """The depths that an offer is compared with."""
        if self.act.depth is None:
            return None
        return self.context.comparables.peers("level", self.question, self.context.policy)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What the rules found that apply to its kind."""
        act, policy = self.act, self.context.policy
        if act.depth is not None:
            steps = self.context.comparables.peers("step", self.question, policy)
            found = [
                rules.level(act.depth, act.previous, self.levels, policy),
                rules.step(act.depth, act.previous, steps, policy),
                rules.expiry(act.expires_on, self.quarter, policy),
            ]
            return tuple(finding for finding in found if finding)
        if act.close_to is not None:
            return (rules.pull_in(act.close_from, act.close_to, self.quarter),)
        return (rules.rush(act, self.normal_dwell),)

    @property
    def abnormal(self) -> Truth:
        """F4: whether any rule that applies to it holds."""
        return any_of(finding.holds for finding in self.findings)

    @property
    def verdict(self) -> Verdict:
        """The verdict (METRICS section 4): false beats unknown, and a customer cause softens."""
        if self.settled:
            return "not_pressure_shaped"
        truth = all_of([self.window, self.behind, self.abnormal])
        if truth is False:
            return "not_pressure_shaped"
        if truth is None:
            return "not_evaluable"
        if self.capped:
            return "pressure_consistent"
        return "pressure_shaped" if self.act.seller_only else "pressure_consistent"

    @cached_property
    def coverage(self) -> Coverage:
        """How often the team of its rep records what customers do."""
        return self.context.coverage(self.act.rep)

    @property
    def capped(self) -> bool:
        """Whether too little is recorded to say that the customer did nothing."""
        gate = self.context.policy.coverage_gate
        return gate is not None and self.act.seller_only and self.coverage.caps(gate)

    @property
    def normal_dwell(self) -> rules.Normal | None:
        """What gives how long stays in the stage left are; None where the verdict needs none."""
        act = self.act
        if self.settled:
            return None
        return lambda: self.context.dwell(
            act.process or "", act.left_stage or "", self.deal_id, act.occurred_at
        )


@dataclass(frozen=True, slots=True)
class Judged:
    """A seller event with the facts F1 to F4 and the verdict that follows from them.

    `question` says what it was compared with; `coverage` is that of its rep's team where the
    policy has a gate for it. What stands around it without being part of any fact is
    `projections.pressure.around`.
    """

    event: Event
    question: Question
    kind: ActKind
    action_time: datetime
    quarter: FiscalQuarter | None
    days_left: int | None
    pace: Pace | None
    standing: Standing | None
    quota_currency: str | None
    pivotality: Fraction | None
    cause: Cause
    window: Truth
    behind: Truth
    abnormal: Truth
    verdict: Verdict
    findings: tuple[Finding, ...]
    coverage: Coverage | None
    levels: Peers | None
    previous: Decimal | None
    quota_events: tuple[UUID, ...]
    win_events: tuple[UUID, ...]

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules that hold."""
        return tuple(finding.rule for finding in self.findings if finding.holds)


def _every(_: Judgement) -> bool:
    return True


def fold(
    deal_id: UUID,
    events: Sequence[Event],
    processes: Processes,
    context: Context,
    *,
    wanted: Callable[[Judgement], bool] = _every,
) -> list[Judged]:
    """Judge the stages entered, discounts and close-date moves of a deal's view, in its order.

    Those of them that are `wanted`: no verdict rests on that of another.
    """
    seen = acts_seen(events, processes, context.policy, context.calendar)
    return judge(deal_id, seen, context, wanted=wanted)


def judge(
    deal_id: UUID,
    seen: Iterable[ActSeen],
    context: Context,
    *,
    wanted: Callable[[Judgement], bool] = _every,
) -> list[Judged]:
    """Judge the acts of a deal's view, as they were read from it; those that are `wanted`."""
    found: list[Judged] = []
    for one in seen:
        currency = one.amount.currency if one.amount else None
        made = Judgement(deal_id, one.act, context, currency=currency)
        if wanted(made):
            found.append(_judged(made, one))
    return found


def _judged(made: Judgement, seen: ActSeen) -> Judged:
    act, context = made.act, made.context
    at = act.action_time
    quarter, now = made.quarter, made.standing
    return Judged(
        event=seen.event,
        question=made.question,
        kind=act.kind,
        action_time=at,
        quarter=quarter,
        days_left=days_left(quarter, at) if quarter else None,
        pace=made.pace,
        standing=now,
        quota_currency=made.currency,
        pivotality=_pivotality(made, seen.amount),
        cause=seen.cause,
        window=made.window,
        behind=made.behind,
        abnormal=made.abnormal,
        verdict=made.verdict,
        findings=tuple(_explained(finding, seen, made.normal_dwell) for finding in made.findings),
        coverage=made.coverage if context.policy.coverage_gate is not None else None,
        levels=made.levels,
        previous=act.previous,
        quota_events=made.quota[1],
        win_events=context.wins(act.rep, quarter.name, at) if quarter else (),
    )


def _pivotality(made: Judgement, worth: Money | None) -> Fraction | None:
    quota, now, quarter = made.quota[0], made.standing, made.quarter
    if quarter is None or quota is None or now is None or now.pressure is None:
        return None
    if worth is None:
        return None
    value = made.context.convert(worth, quota.currency, quarter.name)
    return pivotality(value, quota.amount, now.attained)


def _explained(finding: Finding, seen: ActSeen, normal: rules.Normal | None) -> Finding:
    if seen.move is None:
        # When an offer expires says nothing of the one before it.
        before = None if finding.rule == "PS-3" else seen.before
        own = seen.event.event_id
        return replace(finding, evidence=(own, before) if before else (own,))
    return rules.rush_explained(finding, seen, seen.move, normal)
