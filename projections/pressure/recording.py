"""How often a team records what customers do, and what follows where that is seldom."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many seller events outside the window have a customer cause, of how many."""

    explained: int
    of: int

    def share(self) -> Fraction | None:
        """Give the recording coverage (METRICS section 4); None where there is no event."""
        return Fraction(self.explained, self.of) if self.of else None

    def caps(self, gate: Decimal | None) -> bool:
        """Say whether verdicts stay below `pressure_shaped`: the gate is set and not reached.

        A coverage that is unknown reaches no gate, since doubt favours the seller.
        """
        share = self.share()
        return gate is not None and (share is None or share < Fraction(gate))
