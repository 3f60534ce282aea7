"""What a flagged first offer cost: counted from list, its counterfactual from the median."""

from domain.replay import view
from projections.pressure.fold import fold
from projections.pressure.money import cost, counterfactual, price_of
from tests.support.pressure import PlainContext, offers
from tests.support.told import DEAL, Teller, discount, opened, process, usd, won

LINEAR = process(("1", {}))
BEHIND = [("2025-01-20", "350000")]


def test_a_flagged_first_offer_counts_from_list_and_its_floor_from_the_median() -> None:
    teller = Teller()
    teller.tell(opened(amount="200000"), "2025-01-02")
    teller.tell(discount("25", list_price="200000"), "2025-03-24")
    teller.tell(won("150000", list_price="200000"), "2025-03-31")
    events = view(teller.events)
    usual = offers([0.10, 0.10, 0.10, 0.10, 0.12, 0.14, 0.14, 0.14, 0.14], rep="ann")

    judged = fold(DEAL, events, lambda _: LINEAR, PlainContext(bookings=BEHIND, offers=usual))
    spent = cost(judged, price_of(events), won=True)
    otherwise = counterfactual(events, judged, price_of(events))

    assert [one.verdict for one in judged] == ["pressure_shaped"]
    assert (spent.offered, spent.realised) == (usd("50000.00"), usd("50000.00"))
    # 13 points above the median of 12, which is also what would have been offered otherwise.
    assert (spent.floor, otherwise.net) == (usd("26000.00"), usd("176000.00"))
