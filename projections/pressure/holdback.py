"""HB-1: a close held back into the next quarter, by a rep who needs it no more or not yet."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final, TypeAlias
from uuid import UUID

from domain.close_date import lands_in_opening_days, move_kind
from domain.events.life import CloseDateMoved, DealOpened
from domain.fiscal import FiscalQuarter
from domain.policy import Policy
from domain.replay import Event
from domain.values import Money
from projections.pressure.fold import Judged
from projections.pressure.patterns import Pattern, PatternFact, counted
from projections.pressure.rules import NOT_CONSULTED, Truth, all_of, any_of

Rates: TypeAlias = Callable[[Money, str, str], Decimal | None]
"""Converts an amount into a currency at the plan rates of a quarter; None without a rate."""


@dataclass(frozen=True, slots=True)
class OpenDeal:
    """A deal that a rep had open; the amount is None where none was told."""

    deal_id: UUID
    amount: Money | None


Pipeline: TypeAlias = Callable[[str, datetime], Sequence[OpenDeal]]
"""Gives the deals that a rep had open at an instant."""


@dataclass(frozen=True, slots=True)
class _Push:
    """A close date moved over the end of the quarter that it was moved in."""

    judged: Judged
    old: date
    new: date
    quarter: FiscalQuarter


def hold_back_patterns(
    events: Sequence[Event],
    judged: Sequence[Judged],
    policy: Policy,
    convert: Rates,
    pipeline: Pipeline,
) -> list[Pattern]:
    """Give every push of a close date over its quarter's end, and whether it reads as held back.

    It does (METRICS section 4, HB-1) if the date moved from the quarter into the first days of
    the next, nobody at the customer had asked, and the deal would not have helped: the quota was
    reached, or what was missing exceeded all that the rep had open, this deal included. The move
    is bookkeeping, so quota, bookings and pipeline are those of the time it was recorded.
    """
    return [_pattern(push, policy, convert, pipeline) for push in _pushes(events, judged)]


def _pushes(events: Sequence[Event], judged: Sequence[Judged]) -> Iterator[_Push]:
    by_id = {one.event.event_id: one for one in judged}
    standing: date | None = None
    for event in events:
        match event.data:
            case DealOpened(close_date=close_date):
                standing = close_date
            case CloseDateMoved(to=to):
                one = by_id.get(event.event_id)
                quarter = one.quarter if one else None
                if one and quarter and standing and _out(standing, to, quarter):
                    yield _Push(one, standing, to, quarter)
                standing = to
            case _:
                pass


def _out(old: date, new: date, quarter: FiscalQuarter) -> bool:
    return move_kind(old, new, quarter=quarter) == "push_out"


def _pattern(push: _Push, policy: Policy, convert: Rates, pipeline: Pipeline) -> Pattern:
    event = push.judged.event
    landed = _landed(push, policy)
    alone = _no_customer_action(push, policy)
    reached = _quota_reached(push)
    decided = False in {landed.holds, alone.holds} or reached.holds is True
    beyond = _out_of_reach(push, None if decided else pipeline, convert)
    holds = all_of([landed.holds, alone.holds, any_of([reached.holds, beyond.holds])])
    return Pattern(
        rule="HB-1",
        name="hold_back",
        event_id=event.event_id,
        rep=event.rep,
        at=push.judged.action_time,
        holds=holds,
        facts=(landed, alone, reached, beyond),
        sentence=_sentence(push, holds, landed, alone, reached),
    )


def _landed(push: _Push, policy: Policy) -> PatternFact:
    value = {"from": push.old, "to": push.new, "quarter_end": push.quarter.end}
    holds = lands_in_opening_days(
        push.old, push.new, quarter=push.quarter, opening_days=policy.opening_days
    )
    shown = (push.judged.event.event_id,)
    return PatternFact("moved_just_over_the_end", value, policy.opening_days, holds, shown)


def _no_customer_action(push: _Push, policy: Policy) -> PatternFact:
    cause = push.judged.cause
    shown = (cause.explained_by,) if cause.explained_by else ()
    holds = cause.kind == "seller_only"
    return PatternFact("no_customer_action", cause.kind, policy.lookback_days, holds, shown)


def _attained(judged: Judged) -> tuple[Money, Decimal] | None:
    """Give the quota and what was attained of it; None where either is unknown."""
    now = judged.standing
    if now is None or now.quota is None or now.pressure is None:
        return None
    return now.quota, now.attained


def _quota_reached(push: _Push) -> PatternFact:
    judged = push.judged
    known = _attained(judged)
    value: dict[str, object] = {"attained": None, "quota": None}
    holds: Truth = None
    if known is not None:
        quota, attained = known
        value = {"attained": _money(attained, quota.currency), "quota": quota}
        holds = attained >= quota.amount
    shown = (*judged.quota_events, *judged.win_events)
    return PatternFact("quota_reached", value, None, holds, shown)


def _out_of_reach(push: _Push, pipeline: Pipeline | None, convert: Rates) -> PatternFact:
    """Say whether what was missing exceeded all open pipeline of the rep.

    An amount that is not told, or that no plan rate converts, can only add to the pipeline: with
    one, a gap that exceeds the rest is unknown. `pipeline` is None where nothing depends on it.
    """
    known = _attained(push.judged)
    if pipeline is None or known is None:
        told = NOT_CONSULTED if pipeline is None else None
        return PatternFact("gap_exceeds_open_pipeline", told, None, None)
    quota, attained = known
    gap = quota.amount - attained
    deals = pipeline(push.judged.event.rep, push.judged.action_time)
    amounts = [
        convert(deal.amount, quota.currency, push.quarter.name) if deal.amount else None
        for deal in deals
    ]
    told_sum = sum((amount for amount in amounts if amount is not None), Decimal(0))
    exceeds = gap > told_sum
    holds: Truth = None if exceeds and None in amounts else exceeds
    value: dict[str, object] = {
        "gap": _money(gap, quota.currency),
        "open_pipeline": _money(told_sum, quota.currency),
        "without_amount": amounts.count(None),
        "deals": [deal.deal_id for deal in deals],
    }
    return PatternFact("gap_exceeds_open_pipeline", value, None, holds)


def _money(amount: Decimal, currency: str) -> Money:
    # Unvalidated, because a share of an amount may have more digits than a payload.
    return Money.model_construct(amount=amount, currency=currency).quantised()


_NO_NEED: Final = "the quota had been reached"
_NO_USE: Final = "what was missing exceeded all that was open"


def _sentence(
    push: _Push, holds: Truth, landed: PatternFact, alone: PatternFact, reached: PatternFact
) -> str:
    days = (push.new - push.quarter.end).days
    what = (
        f"The close date was moved from {push.old} to {push.new}, {counted(days, 'day')} after"
        f" the end of {push.quarter.name}"
    )
    if holds:
        why = _NO_NEED if reached.holds else _NO_USE
        return (
            f"{what}; no customer action was recorded that explains it, and {why}."
            " This is consistent with a close held back for the next quarter."
        )
    if holds is None:
        return f"{what}; too little is known of quota and pipeline to say whether it was held back."
    if not landed.holds:
        return f"{what}, later than a close held back would be."
    if not alone.holds:
        return f"{what}, after something that the customer did. This does not read as held back."
    return f"{what}, while it was still needed for the quota. This does not read as held back."
