"""The shape of the rate of off-fit deals in the answer about a quarter."""

from datetime import datetime
from uuid import UUID

from api.http.schemas import Answer


class OffFitRate(Answer):
    """How many deals did not fit, of those assessed; the rate is null for fewer than five."""

    off_fit: int
    assessed: int
    opened: int
    rate: float | None
    interval: list[float] | None
    evidence: list[UUID]


class OffFitRates(Answer):
    """The rate of deals opened while their rep was behind, and of those opened otherwise."""

    behind: OffFitRate
    not_behind: OffFitRate
    pressure_unknown: int


class RepOffFit(OffFitRates):
    """The rates of one rep."""

    rep: str


class OffFitOpened(OffFitRates):
    """How many of the deals opened in a quarter do not fit (PR-1): a rate, no verdict."""

    stands_at: datetime
    rule: str
    policy_version: int
    theta: float
    reps: list[RepOffFit]
