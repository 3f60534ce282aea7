"""What pressure may have cost: discounts beyond what is normal, as a share of what was signed."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from domain.comparisons import COUNTS_ONLY, NO_VERDICT
from domain.intervals import Interval, share_interval


@dataclass(frozen=True, slots=True)
class SignedWin:
    """A win with its net amount, and what its flagged discounts exceed the baseline median by.

    Both in one currency; None where it is not known. A win without flagged events exceeds by 0.
    """

    deal_id: UUID
    event_id: UUID | None
    net: Decimal | None
    excess: Decimal | None
    flagged: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class PressureCost:
    """The excess of some wins as a share of their net amounts (METRICS section 7, EX25).

    `excess` and `net` are of what is known; where anything is not (`unknown` wins), or below
    `COUNTS_ONLY` wins, `share` and `interval` are None.
    """

    wins: int
    flagged: tuple[SignedWin, ...]
    unknown: int
    excess: Decimal
    net: Decimal
    share: Fraction | None
    interval: Interval | None

    @property
    def conclusive(self) -> bool:
        """Whether there are enough wins, all known, to conclude anything."""
        return self.share is not None and self.wins >= NO_VERDICT


def pressure_cost(wins: Sequence[SignedWin]) -> PressureCost:
    """Add up what pressure may have cost over the wins of a quarter."""
    known = [(w.excess, w.net) for w in wins if w.excess is not None and w.net is not None]
    excess = sum((excess for excess, _ in known), Decimal(0))
    net = sum((net for _, net in known), Decimal(0))
    told = len(known) == len(wins) >= COUNTS_ONLY and net > 0
    parts, wholes = [float(e) for e, _ in known], [float(n) for _, n in known]
    return PressureCost(
        wins=len(wins),
        flagged=tuple(win for win in wins if win.flagged),
        unknown=len(wins) - len(known),
        excess=excess,
        net=net,
        share=Fraction(excess) / Fraction(net) if told else None,
        interval=share_interval(parts, wholes) if told else None,
    )
