"""The context as known at one position: quotas, processes, policy, calendar, people, rates."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from uuid import UUID

from domain.calendars import CalendarHistory, calendar_from
from domain.events.context import (
    CalendarAdopted,
    MemberJoined,
    MemberLeft,
    PlanRateSet,
    PolicyPublished,
    ProcessPublished,
    QuotaAssigned,
    QuotaRevised,
    QuotaWithdrawn,
)
from domain.events.life import DealOpened, ProcessRef
from domain.fiscal import FiscalQuarter
from domain.pace import Active, Pace, pace
from domain.path import Processes
from domain.policy import DEFAULT_POLICY, Policy, policy_from
from domain.process import Process
from domain.replay import Event
from domain.template import DEFAULT_PROCESS
from domain.values import Money


@dataclass(frozen=True, slots=True)
class QuotaStep:
    """A quota from an instant on, and the event that set it; None is withdrawn."""

    since: datetime
    amount: Money | None
    event_id: UUID


@dataclass(frozen=True, slots=True)
class QuotaHistory:
    """The quota of one rep or team in one quarter, over time."""

    stream_id: str
    rep: str | None
    team: str | None
    quarter: str
    steps: tuple[QuotaStep, ...]

    def at(self, instant: datetime) -> QuotaStep | None:
        """Give what is in force at an instant; None before the quota was assigned."""
        index = bisect_right(self.steps, instant, key=lambda step: step.since)
        return self.steps[index - 1] if index else None


@dataclass(frozen=True, slots=True)
class Membership:
    """Somebody's time in a team, with the events that say so; `left` is None while it lasts."""

    rep: str
    team: str
    manager: str | None
    role: str
    joined: datetime
    events: tuple[UUID, ...]
    left: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Say whether an instant lies in it."""
        return self.joined <= at and (self.left is None or at < self.left)

    def ended(self, by: Event) -> "Membership":
        """Give it as over, by an event."""
        return replace(self, events=(*self.events, by.event_id), left=by.occurred_at)


def _in_order(events: Iterable[Event]) -> list[Event]:
    return sorted(events, key=lambda event: event.order)


class Known:
    """Everything around the deals, folded from the context events known at a position."""

    def __init__(self, events: Iterable[Event], *, policy: Policy | None = None) -> None:
        """Take the events of the context; they are kept in the order of folds.

        `policy` stands in for the one published, to ask what another would say.
        """
        self.events = tuple(_in_order(events))
        self._policy = policy

    def true_at(self, instant: datetime | None) -> "Known":
        """Give what of it had happened by an instant; all of it for None."""
        if instant is None:
            return self
        seen = (event for event in self.events if event.occurred_at <= instant)
        return Known(seen, policy=self._policy)

    def under(self, policy: Policy) -> "Known":
        """Give the same context as if another policy were in force."""
        return Known(self.events, policy=policy)

    @cached_property
    def calendar(self) -> CalendarHistory:
        """The fiscal calendars adopted so far; among those of one day the last told rules."""
        history = CalendarHistory()
        for event in self.events:
            if isinstance(data := event.data, CalendarAdopted):
                calendar = calendar_from(kind=data.kind, zone=data.zone, parameters=data.parameters)
                history = history.with_adopted(calendar, effective_from=data.effective_from)
        return history

    @property
    def policy(self) -> Policy:
        """The policy in force: the one that stands in, or the one published last."""
        return self._policy or self.published_policy

    @property
    def supposed(self) -> bool:
        """Whether a policy stands in, which nothing stored rests on."""
        return self._policy is not None

    @cached_property
    def published_policy(self) -> Policy:
        """The policy published last, or the built-in one."""
        if not self._policies:
            return DEFAULT_POLICY
        latest = max(self._policies, key=lambda policy: policy.version)
        return policy_from(latest.version, latest.numbers)

    @cached_property
    def _policies(self) -> list[PolicyPublished]:
        return [e.data for e in self.events if isinstance(e.data, PolicyPublished)]

    def policy_of(self, version: int) -> Policy | None:
        """Give a version of the policy, 0 being the built-in one; None if never published."""
        if version == DEFAULT_POLICY.version:
            return DEFAULT_POLICY
        found = next((one for one in self._policies if one.version == version), None)
        return policy_from(version, found.numbers) if found else None

    @cached_property
    def _published(self) -> list[tuple[datetime, Process]]:
        return [(at, process) for process, _, at in self.publications]

    @cached_property
    def publications(self) -> tuple[tuple[Process, UUID, datetime], ...]:
        """Every process version with the event that published it, and when."""
        return tuple(
            (_process(event, event.data), event.event_id, event.occurred_at)
            for event in self.events
            if isinstance(event.data, ProcessPublished)
        )

    @cached_property
    def catalogue(self) -> dict[tuple[str, int], Process]:
        """Every published process by id and version, the built-in one among them."""
        built_in = {(DEFAULT_PROCESS.id, DEFAULT_PROCESS.version): DEFAULT_PROCESS}
        return built_in | {(p.id, p.version): p for _, p in self._published}

    def default_process(self, opened_at: datetime) -> Process:
        """Give the process of a deal that names none: the one published last when it opened.

        A ledger whose first process was published later judges by that first one, and one
        without any by the built-in template.
        """
        if not self._published:
            return DEFAULT_PROCESS
        index = bisect_right(self._published, opened_at, key=lambda pair: pair[0])
        return self._published[max(0, index - 1)][1]

    def processes(self, events: Sequence[Event]) -> Processes:
        """Give the process lookup for one deal's view.

        A deal pinned to a version that was never published here is judged by the default.
        """
        opened = next((e.occurred_at for e in events if isinstance(e.data, DealOpened)), None)
        return self.processes_since(opened)

    def processes_since(self, opened_at: datetime | None) -> Processes:
        """Give the process lookup for a deal that was opened at an instant, or is not yet."""
        default = self.default_process(opened_at) if opened_at else DEFAULT_PROCESS

        def process_of(reference: ProcessRef | None) -> Process:
            return self._pinned(reference, default)

        return process_of

    def process_of(self, reference: ProcessRef | None, opened_at: datetime) -> Process:
        """Give the process that a deal opened at an instant is judged by."""
        return self._pinned(reference, self.default_process(opened_at))

    def _pinned(self, reference: ProcessRef | None, default: Process) -> Process:
        if reference is None:
            return default
        return self.catalogue.get((reference.id, reference.version), default)

    @cached_property
    def quotas(self) -> dict[tuple[str | None, str | None, str], QuotaHistory]:
        """Every quota by (rep, team, quarter)."""
        streams: dict[str, list[Event]] = {}
        for event in self.events:
            if isinstance(event.data, QuotaAssigned | QuotaRevised | QuotaWithdrawn):
                streams.setdefault(event.stream_id, []).append(event)
        histories = (_quota(events) for events in streams.values())
        return {(h.rep, h.team, h.quarter): h for h in histories if h}

    def quota(self, rep: str, quarter: str, at: datetime) -> tuple[Money | None, tuple[UUID, ...]]:
        """Give a rep's quota in force at an instant, and the event that set it."""
        history = self.quotas.get((rep, None, quarter))
        step = history.at(at) if history else None
        return (step.amount, (step.event_id,)) if step else (None, ())

    @cached_property
    def _rates(self) -> dict[tuple[int, str], Decimal]:
        return {
            (event.data.fiscal_year, event.data.currency): event.data.rate
            for event in self.events
            if isinstance(event.data, PlanRateSet)
        }

    def convert(self, amount: Money, currency: str, quarter: str) -> Decimal | None:
        """Give an amount at the plan rates of the quarter's fiscal year; None without a rate.

        A plan rate says what one unit counts for in the currency of the quotas, so a currency
        with a rate converts into one without, and two with rates convert through it.
        """
        if amount.currency == currency:
            return amount.amount
        year = int(quarter[2:6])
        rate = self._rates.get((year, amount.currency))
        if rate is None:
            return None
        return amount.amount * rate / self._rates.get((year, currency), Decimal(1))

    @cached_property
    def memberships(self) -> tuple[Membership, ...]:
        """Who was in which team from when to when, in the order of joining."""
        current: dict[str, Membership] = {}
        past: list[Membership] = []
        for event in self.events:
            if not isinstance(data := event.data, MemberJoined | MemberLeft):
                continue
            before = current.pop(data.rep, None)
            if before is not None:
                past.append(before.ended(event))
            if isinstance(data, MemberJoined):
                current[data.rep] = Membership(
                    data.rep,
                    data.team,
                    data.manager,
                    data.role,
                    event.occurred_at,
                    (event.event_id,),
                )
        return tuple(sorted([*past, *current.values()], key=lambda m: (m.joined, m.rep)))

    @cached_property
    def _memberships_of(self) -> dict[str, list[Membership]]:
        found: dict[str, list[Membership]] = {}
        for membership in self.memberships:
            found.setdefault(membership.rep, []).append(membership)
        return found

    def member(self, rep: str, at: datetime) -> Membership | None:
        """Give the membership of a person at an instant; None while they are in no team."""
        return next((m for m in self._memberships_of.get(rep, ()) if m.holds(at)), None)

    def team(self, name: str, at: datetime) -> tuple[str, ...]:
        """Give the reps of a team at an instant, in the order of their ids."""
        members = (m.rep for m in self.memberships if m.team == name and m.holds(at))
        return tuple(sorted(set(members)))

    def pace(self, rep: str, quarter: FiscalQuarter, at: datetime) -> Pace:
        """Give how much of a rep's time in a quarter has passed (METRICS section 2)."""
        spans = self._memberships_of.get(rep, ())
        return pace(quarter, at, [Active(m.joined, m.left, m.events) for m in spans])

    def turns(self, rep: str) -> tuple[datetime, ...]:
        """Give the instants at which a rep joined or left a team."""
        spans = self._memberships_of.get(rep, ())
        return tuple(at for m in spans for at in (m.joined, m.left) if at is not None)

    def role(self, person: str, at: datetime) -> str | None:
        """Give somebody's role at an instant; None if unknown.

        Who is in no team of their own is a manager where somebody says so who reports to them.
        """
        own = self.member(person, at)
        if own is not None:
            return own.role
        named = any(m.manager == person and m.holds(at) for m in self.memberships)
        return "manager" if named else None

    def managed(self, rep: str, at: datetime) -> tuple[str, tuple[str, ...]] | None:
        """Give the manager of a rep at an instant, and the reps who report to them at any depth.

        None where nobody is known to manage the rep.
        """
        own = self.member(rep, at)
        if own is None or own.manager is None:
            return None
        present = [m for m in self.memberships if m.holds(at)]
        below: set[str] = set()
        newest = {own.manager}
        while newest:
            newest = {m.rep for m in present if m.manager in newest} - below
            below |= newest
        reps = {m.rep for m in present if m.rep in below and m.role == "rep"}
        return own.manager, tuple(sorted(reps))

    def teammates(self, rep: str, at: datetime) -> frozenset[str] | None:
        """Give the reps of the team that somebody is in, themselves included; None if in none."""
        own = self.member(rep, at)
        return frozenset(self.team(own.team, at)) if own else None


def _process(event: Event, data: ProcessPublished) -> Process:
    return Process(
        id=event.stream_id.partition(":")[2],
        version=data.version,
        name=data.name,
        stages=data.stages,
        closing=data.closing,
    )


def _quota(events: Sequence[Event]) -> QuotaHistory | None:
    """Fold one quota stream; revisions hold from when they occurred, as known."""
    assigned = next((e.data for e in events if isinstance(e.data, QuotaAssigned)), None)
    if assigned is None:
        return None
    steps = [
        QuotaStep(
            since=event.occurred_at,
            amount=None if isinstance(event.data, QuotaWithdrawn) else event.data.amount,
            event_id=event.event_id,
        )
        for event in events
        if isinstance(event.data, QuotaAssigned | QuotaRevised | QuotaWithdrawn)
    ]
    return QuotaHistory(
        events[0].stream_id, assigned.rep, assigned.team, assigned.quarter, tuple(steps)
    )
