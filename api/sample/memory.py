"""What a deal has come to, as its rep and its customer know it."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal


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
    ticked: set[str] = field(default_factory=set)
    shown: set[str] = field(default_factory=set)
    obstacles: list[str] = field(default_factory=list)
    shares: dict[str, Decimal] = field(default_factory=dict)
    net: Decimal = Decimal(0)
    pressed: Decimal = Decimal(0)
    counts: dict[str, int] = field(default_factory=dict)
