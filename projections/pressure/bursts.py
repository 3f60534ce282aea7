"""PS-6: runs of ticks, and how much of each was not yet shown when it was ticked."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Literal, TypeAlias
from uuid import UUID

from domain.calendars import CalendarHistory
from domain.events.people import ReviewHeld
from domain.policy import Policy
from domain.replay import Event
from projections.pressure.patterns import Pattern, PatternFact, counted
from projections.pressure.rules import Truth

BurstKind: TypeAlias = Literal["bulk_tick", "catch_up", "mixed"]


@dataclass(frozen=True, slots=True)
class Ticked:
    """A tick that somebody made, no ordinary import; `shown` says whether its outcome had been.

    It is None where the process states no outcome of the activity.
    """

    event_id: UUID
    deal_id: UUID
    rep: str
    recorded_at: datetime
    shown: Truth


@dataclass(frozen=True, slots=True)
class Burst:
    """A run of one rep's ticks, in the order they were recorded, across deals."""

    ticks: tuple[Ticked, ...]

    @property
    def start(self) -> datetime:
        """When the first was recorded."""
        return self.ticks[0].recorded_at

    @property
    def end(self) -> datetime:
        """When the last was recorded."""
        return self.ticks[-1].recorded_at

    @property
    def evaluable(self) -> tuple[Ticked, ...]:
        """Those with an outcome that could have been shown; others are in no share (section 5)."""
        return tuple(tick for tick in self.ticks if tick.shown is not None)

    @property
    def unshown(self) -> tuple[Ticked, ...]:
        """Those whose outcome was not yet shown when they were ticked."""
        return tuple(tick for tick in self.ticks if tick.shown is False)

    @property
    def share(self) -> Fraction | None:
        """u: the share not yet shown when ticked; None where no outcome was to be shown."""
        of = len(self.evaluable)
        return Fraction(len(self.unshown), of) if of else None

    def kind(self, policy: Policy) -> BurstKind | None:
        """Say what the run reads as; None where its share is unknown."""
        if self.share is None:
            return None
        if self.share >= policy.bulk_share:
            return "bulk_tick"
        return "catch_up" if self.share <= policy.catch_up_share else "mixed"


def bursts(ticks: Iterable[Ticked], policy: Policy) -> list[Burst]:
    """Give the maximal runs of each rep's ticks that are long enough (METRICS 4, bursts)."""
    by_rep: dict[str, list[Ticked]] = {}
    for tick in sorted(ticks, key=lambda tick: (tick.recorded_at, tick.event_id)):
        by_rep.setdefault(tick.rep, []).append(tick)
    gap = timedelta(seconds=policy.burst_gap_seconds)
    runs = [Burst(run) for rep in sorted(by_rep) for run in _runs(by_rep[rep], gap)]
    return [run for run in runs if len(run.ticks) >= policy.burst_ticks]


def _runs(ticks: Sequence[Ticked], gap: timedelta) -> Iterator[tuple[Ticked, ...]]:
    run = list(ticks[:1])
    for before, tick in pairwise(ticks):
        if tick.recorded_at - before.recorded_at > gap:
            yield tuple(run)
            run = []
        run.append(tick)
    if run:
        yield tuple(run)


def burst_patterns(
    deal_id: UUID,
    ticks: Iterable[Ticked],
    events: Sequence[Event],
    policy: Policy,
    calendar: CalendarHistory,
) -> list[Pattern]:
    """Give the bursts that a deal has a part in; `events` are its view, with its reviews.

    A burst of a rep is judged whole, whichever of its deals is asked about. The reviews are
    those of the deal that is asked about: what was ticked elsewhere was not ticked for them.
    """
    reviews = [event for event in events if isinstance(event.data, ReviewHeld)]
    return [
        _pattern(burst, _review(burst, reviews, policy, calendar), policy)
        for burst in bursts(ticks, policy)
        if any(tick.deal_id == deal_id for tick in burst.ticks)
    ]


def _review(
    burst: Burst, reviews: Sequence[Event], policy: Policy, calendar: CalendarHistory
) -> PatternFact:
    """Say whether the burst ended shortly before a review of the deal or a quarter's end."""
    quarter = calendar.quarter_at(burst.end)
    held = min(
        (e for e in reviews if e.occurred_at >= burst.end), key=lambda e: e.order, default=None
    )
    ahead = {
        "review": held.occurred_at - burst.end if held else None,
        "quarter_end": quarter.end_instant - burst.end if quarter else None,
    }
    value: dict[str, object] = {
        f"hours_to_{name}": None if left is None else Fraction(left / timedelta(hours=1))
        for name, left in ahead.items()
    }
    limit = timedelta(hours=policy.review_hours)
    near = [left <= limit for left in ahead.values() if left is not None]
    # Only a calendar that lists its quarters may have none; then a review alone can tell.
    holds: Truth = None if quarter is None and True not in near else any(near)
    shown = (held.event_id,) if held and held.occurred_at - burst.end <= limit else ()
    return PatternFact("before_review", value, policy.review_hours, holds, shown)


def _pattern(burst: Burst, review: PatternFact, policy: Policy) -> Pattern:
    kind, share = burst.kind(policy), burst.share
    run: dict[str, object] = {
        "ticks": len(burst.ticks),
        "deals": len({tick.deal_id for tick in burst.ticks}),
        "from": burst.start,
        "to": burst.end,
    }
    asked = {"ticks": policy.burst_ticks, "gap_seconds": policy.burst_gap_seconds}
    told: dict[str, object] = {
        "kind": kind,
        "share": share,
        "not_evidenced": len(burst.unshown),
        "of": len(burst.evaluable),
    }
    shares = {"bulk_tick": policy.bulk_share, "catch_up": policy.catch_up_share}
    holds: Truth = None if kind is None else kind == "bulk_tick"
    return Pattern(
        rule="PS-6",
        name="tick_burst",
        event_id=burst.ticks[0].event_id,
        rep=burst.ticks[0].rep,
        at=burst.start,
        holds=holds,
        facts=(
            PatternFact("run", run, asked, evidence=tuple(t.event_id for t in burst.ticks)),
            PatternFact(
                "not_yet_evidenced", told, shares, holds, tuple(t.event_id for t in burst.unshown)
            ),
            review,
        ),
        sentence=_sentence(burst, kind, review),
    )


def _sentence(burst: Burst, kind: BurstKind | None, review: PatternFact) -> str:
    deals = len({tick.deal_id for tick in burst.ticks})
    minutes = max(1, -((burst.start - burst.end) // timedelta(minutes=1)))
    what = (
        f"{counted(len(burst.ticks), 'activity', 'activities')} of {counted(deals, 'deal')} were"
        f" ticked within {counted(minutes, 'minute')}"
    )
    if review.holds:
        what += ", shortly before " + ("a review" if review.evidence else "the quarter's end")
    shown = f"for {len(burst.unshown)} of {len(burst.evaluable)} the outcome was not yet evidenced"
    match kind:
        case "bulk_tick":
            end = f"{shown}. This is consistent with ticking in bulk what was not yet done."
        case "catch_up":
            end = f"{shown}. This is consistent with catching up on work that had been done."
        case "mixed":
            end = f"{shown}. That is too many for a backlog and too few for ticking in bulk."
        case _:
            end = "their process states no outcome. So nothing can be said about them."
    return f"{what}; {end}"
