"""What a deal has come to, as its rep and its customer know it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

GRACE: Final = timedelta(days=3)
"""How long past its day a customer's word still stands."""
_KEPT: Final = timedelta(days=90)
"""How long a word that was kept stands."""


@dataclass(slots=True)
class Memory:
    """What the deal has come to; enough to make no event that could not happen."""

    owner: str
    version: int = 1
    stage: str | None = None
    close_date: date | None = None
    depth: Decimal = Decimal(0)
    amount: Decimal = Decimal(0)
    category: str = "pipeline"
    open: bool = False
    rushed: bool = False
    off_fit: bool = False
    ticked: set[str] = field(default_factory=set)
    shown: set[str] = field(default_factory=set)
    obstacles: list[str] = field(default_factory=list)
    shares: dict[str, Decimal] = field(default_factory=dict)
    net: Decimal = Decimal(0)
    pressed: Decimal = Decimal(0)
    counts: dict[str, int] = field(default_factory=dict)
    words: dict[str, date] = field(default_factory=dict)
    """Until when each thing stands that the customer committed to, whoever wrote it down."""

    def settle(self, type_name: str, data: Mapping[str, object], today: date) -> None:
        """Take in what became of a commitment."""
        named = str(data.get("commitment_id"))
        if named not in self.words:
            return
        match type_name:
            case "commitment_kept":
                self.words[named] = today + _KEPT
            case "commitment_renegotiated":
                self.words[named] = date.fromisoformat(str(data["due"])) + GRACE
            case "commitment_broken" | "commitment_withdrawn":
                del self.words[named]
            case _:
                pass
