"""Prices and terms that the seller puts to the customer."""

from typing import ClassVar, Literal

from domain.events.base import DomainEvent
from domain.values import LocalDate, LongText, Money, Percent, ShortText


class DiscountOffered(DomainEvent):
    """A price below list was put to the customer."""

    TOPIC: ClassVar[str] = "deal.discount_offered.v1"

    percent: Percent
    list: Money | None = None
    reason: LongText | None = None
    condition: LongText | None = None
    expires_on: LocalDate | None = None
    requested_by: Literal["rep", "manager", "customer", "policy"] | None = None


class DiscountWithdrawn(DomainEvent):
    """The discount that stood is no longer offered."""

    TOPIC: ClassVar[str] = "deal.discount_withdrawn.v1"

    reason: LongText | None = None


class ConcessionOffered(DomainEvent):
    """Something other than price was given: terms, services, time."""

    TOPIC: ClassVar[str] = "deal.concession_offered.v1"

    kind: ShortText
    detail: LongText
