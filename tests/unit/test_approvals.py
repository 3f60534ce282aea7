"""PS-8: discounts just under what needs approval, and one discount split over deals."""

from decimal import Decimal
from typing import Any

import pytest

from domain.errors import PolicyRefusedError
from domain.policy import DEFAULT_POLICY, Policy, policy_from
from projections.pressure.approvals import (
    OfferMade,
    hugging_patterns,
    offers_made,
    splitting_patterns,
)
from projections.pressure.patterns import Pattern, patterns_json
from projections.pressure.rules import Truth
from tests.support.told import DEAL, Teller, at, discount, named, opened

TWO_RANKS = Policy(approval_thresholds=(Decimal(20), Decimal(10)))


def offer(percent: str, when: str = "2025-02-01", deal: str = "own", rep: str = "ann") -> OfferMade:
    deal_id = DEAL if deal == "own" else named(deal)
    return OfferMade(named(f"{deal} {percent} {when}"), deal_id, rep, at(when), Decimal(percent))


@pytest.mark.parametrize(
    ("percent", "expected"),
    [
        ("8.99", False),
        ("9", True),
        ("10", True),
        ("10.01", False),
        ("18.9", False),
        ("19.5", True),
        ("20", True),
        ("20.5", False),
    ],
)
def test_a_depth_within_a_point_under_a_threshold_hugs_it(percent: str, *, expected: bool) -> None:
    (found,) = hugging_patterns([offer(percent)], TWO_RANKS)

    assert (found.rule, found.name, found.holds) == ("PS-8", "approval_hugging", expected)
    assert ("consistent with" in found.sentence) is expected


def test_without_a_threshold_in_the_policy_nobody_can_say() -> None:
    (found,) = hugging_patterns([offer("9.5")], DEFAULT_POLICY)
    (split,) = splitting_patterns(DEAL, three(), DEFAULT_POLICY)

    assert (found.holds, split.holds) == (None, None)
    assert "no approval threshold" in found.sentence
    assert "no approval threshold" in split.sentence


def test_the_offers_of_a_deal_are_its_discounts() -> None:
    teller = Teller()
    teller.tell(opened(), "2025-01-02")
    teller.tell(discount("9.5"), "2025-02-01", recorded="2025-02-03", name="first", actor="bob")

    assert offers_made(DEAL, teller.events) == [
        OfferMade(named("first"), DEAL, "bob", at("2025-02-01"), Decimal("9.5"))
    ]


def three(last: str = "2025-03-03", *, percent: str = "6", rep: str = "ann") -> list[OfferMade]:
    return [
        offer("5", "2025-02-01"),
        offer("8", "2025-02-10", "second"),
        offer(percent, last, "third", rep),
    ]


def split(offers: list[OfferMade], policy: Policy = TWO_RANKS) -> Pattern | None:
    found = splitting_patterns(DEAL, offers, policy)
    assert len(found) <= 1
    return found[0] if found else None


def holds(offers: list[OfferMade], policy: Policy = TWO_RANKS) -> Truth:
    found = split(offers, policy)
    assert found is not None
    return found.holds


def test_three_small_discounts_for_one_customer_that_add_up_are_split() -> None:
    found = split(three())

    assert found is not None
    assert (found.rule, found.name, found.holds) == ("PS-8", "approval_splitting", True)
    assert set(found.evidence) == {one.event_id for one in three()}
    shown: Any = patterns_json([found], TWO_RANKS)
    value = shown[0]["facts"][0]["value"]
    assert (value["sum"], value["threshold_exceeded"]) == ("19", "10")
    assert value["deals"][0] == {"deal_id": str(DEAL), "percent": "5"}
    assert shown[0]["facts"][0]["threshold"]["thresholds"] == ["20", "10"]


def test_the_last_of_them_may_come_thirty_days_after_the_first() -> None:
    assert holds(three("2025-03-03")) is True
    assert split(three("2025-03-03T00:00:01")) is None


def test_two_deals_or_those_of_another_rep_are_too_few() -> None:
    assert split(three()[:2]) is None
    assert split(three(rep="bob")) is None


def test_of_a_deal_counts_the_deepest_offer_and_not_the_sum() -> None:
    low = [
        offer("3", f"2025-02-0{day}", deal) for deal in ("own", "second", "third") for day in (1, 2)
    ]

    assert holds(low) is False


def test_a_later_and_lower_offer_does_not_replace_the_deepest() -> None:
    assert holds([*three(), offer("1", "2025-02-20")]) is True
    assert holds([*three(percent="1"), offer("1", "2025-02-20")]) is True


def test_a_deal_above_the_threshold_is_not_part_of_a_split() -> None:
    assert holds(three(percent="10.5")) is True  # each is under 20, together 23.5
    assert holds(three(percent="10.5"), Policy(approval_thresholds=(Decimal(10),))) is False
    assert (
        holds(
            [offer("10.5"), *three()[1:], offer("7", deal="fourth")],
            Policy(approval_thresholds=(Decimal(10),)),
        )
        is False
    )


def test_what_adds_up_to_the_threshold_does_not_exceed_it() -> None:
    offers = [offer("3"), offer("3", deal="second"), offer("4", deal="third")]

    assert holds(offers) is False


def test_a_later_stretch_of_days_is_looked_at_as_well() -> None:
    early = [offer("1", "2025-01-05", deal) for deal in ("own", "second", "third")]
    late = [offer("5", "2025-03-01", deal) for deal in ("own", "fourth", "fifth")]

    found = split(early + late)

    assert found is not None
    assert found.holds is True
    assert set(found.evidence) == {one.event_id for one in late}


def test_thresholds_are_published_as_a_list_of_percents() -> None:
    policy = policy_from(3, {"approval_thresholds": ["10", 20.5]})

    assert policy.approval_thresholds == (Decimal(10), Decimal("20.5"))
    for wrong in (["0"], ["101"], "ten", ["ten"]):
        with pytest.raises(PolicyRefusedError):
            policy_from(3, {"approval_thresholds": wrong})
