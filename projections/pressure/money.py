"""What pressure cost: the part of the discounts that flagged events account for (METRICS 4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from domain.events.life import CloseDateMoved, DealDeleted, DealOpened, DealWon, WinReversed
from domain.events.money import DiscountOffered
from domain.replay import Event
from domain.statistics import union_length
from domain.values import Money
from projections.pressure.fold import Judged

_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Cost:
    """Money offered and realised under pressure, and the floor of it that no baseline explains.

    None where the list price, or the baseline that the floor needs, is not known.
    """

    offered: Money | None
    realised: Money | None
    floor: Money | None


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """The price and the close date as they stood before the first event under pressure."""

    net: Money | None
    close_date: date | None


@dataclass(frozen=True, slots=True)
class Price:
    """The list price as far as the deal states it, and what was signed; None while not won."""

    list: Money | None
    final: Decimal | None


def price_of(events: Sequence[Event]) -> Price:
    """Give the list price of a deal's view and the discount, in per cent, of its standing win."""
    listed: Money | None = None
    won: DealWon | None = None
    for event in events:
        match event.data:
            case DiscountOffered(list=offered):
                listed = offered or listed
            case DealWon():
                won = event.data
            case WinReversed() | DealDeleted():
                won = None
            case _:
                pass
    if won is None:
        return Price(listed, None)
    listed = won.list or listed
    if listed is None or listed.currency != won.net.currency or listed.amount <= 0:
        return Price(listed, None)
    return Price(listed, _HUNDRED * (listed.amount - won.net.amount) / listed.amount)


def cost(judged: Sequence[Judged], price: Price, *, won: bool) -> Cost:
    """Give the money of the pressure-shaped discounts, overlaps counted once."""
    flagged = _flagged(judged)
    if price.list is None:
        return Cost(None, None, None)
    steps = [(j.previous or Decimal(0), _percent(j)) for j in flagged]
    offered = _share(price.list, union_length(steps))
    if not won:
        nothing = _share(price.list, Decimal(0))
        return Cost(offered, nothing, nothing)
    if price.final is None:
        return Cost(offered, None, None)
    final = price.final
    realised = _share(price.list, union_length([(low, min(high, final)) for low, high in steps]))
    medians = [j.levels.median if j.levels else None for j in flagged]
    if None in medians:
        return Cost(offered, realised, None)
    above = [
        (max(low, middle), min(high, final))
        for (low, high), middle in zip(steps, medians, strict=True)
        if middle is not None
    ]
    return Cost(offered, realised, _share(price.list, union_length(above)))


def counterfactual(
    events: Sequence[Event], judged: Sequence[Judged], price: Price
) -> Counterfactual:
    """Give list x (1 - the offer before), or x (1 - baseline median) where there was none."""
    flagged = _flagged(judged)
    net = None
    if flagged and price.list is not None:
        first = flagged[0]
        standing = first.previous
        if standing is None and first.levels:
            standing = first.levels.median
        net = None if standing is None else _share(price.list, _HUNDRED - standing)
    return Counterfactual(net, _date_before_pull_in(events, judged))


def _flagged(judged: Sequence[Judged]) -> list[Judged]:
    return [j for j in judged if j.kind == "discount_offered" and j.verdict == "pressure_shaped"]


def _percent(judged: Judged) -> Decimal:
    data = judged.event.data
    return data.percent if isinstance(data, DiscountOffered) else Decimal(0)


def _share(listed: Money, percent: Decimal) -> Money:
    return listed.times(percent / _HUNDRED).quantised()


def _date_before_pull_in(events: Sequence[Event], judged: Sequence[Judged]) -> date | None:
    pulled = {
        j.event.event_id for j in judged if j.verdict == "pressure_shaped" and "PS-4" in j.rules
    }
    standing: date | None = None
    for event in events:
        match event.data:
            case DealOpened(close_date=close_date):
                standing = close_date
            case CloseDateMoved(to=to):
                if event.event_id in pulled:
                    return standing
                standing = to
            case _:
                pass
    return None
