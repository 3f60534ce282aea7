"""Comparable offers, kept for the next question, are those that the definition names."""

from collections.abc import Collection, Iterable
from datetime import timedelta
from decimal import Decimal
from uuid import uuid5

from hypothesis import given
from hypothesis import strategies as st

from domain.policy import Policy
from domain.statistics import median
from projections.pressure.acts import ActKind
from projections.pressure.base_rate import BaseRate, BaseRates, Deed
from projections.pressure.baseline import Comparables, Measure, Offer, Peers, Question, Scope
from tests.support.told import NAMESPACE, at

START = at("2025-01-01")
POLICY = Policy(n_rep=2, n_segment=3, n_organisation=4)
DEALS = [uuid5(NAMESPACE, f"deal {number}") for number in range(4)]
INSTANTS = st.integers(0, 9).map(lambda days: START + timedelta(days=days))
REPS = st.sampled_from(["ann", "bob"])
SEGMENTS = st.sampled_from([None, "big", "small"])
DEPTHS = st.sampled_from([Decimal(5), Decimal("5.0"), Decimal(10), Decimal(20), Decimal(40)])
OFFERS = st.lists(
    st.builds(Offer, st.sampled_from(DEALS), REPS, SEGMENTS, INSTANTS, DEPTHS, st.none() | DEPTHS),
    max_size=25,
)
QUESTIONS = st.builds(Question, st.sampled_from(DEALS), REPS, SEGMENTS, INSTANTS)
Asked = tuple[Question, Measure]
MEASURES: list[Measure] = ["level", "step"]


def of(offers: list[Offer]) -> Comparables:
    def load(reps: Collection[str] | None) -> Iterable[Offer]:
        return [offer for offer in offers if reps is None or offer.rep in reps]

    return Comparables(load)


def defined(offers: list[Offer], question: Question, measure: Measure) -> Peers | None:
    others = [
        offer
        for offer in offers
        if offer.action_time < question.before and offer.deal_id != question.deal_id
    ]
    scopes: list[tuple[Scope, int, list[Offer]]] = [
        ("rep", POLICY.n_rep, [o for o in others if o.rep == question.rep]),
        ("segment", POLICY.n_segment, [o for o in others if o.segment == question.segment]),
        ("organisation", POLICY.n_organisation, others),
    ]
    for scope, enough, alike in scopes:
        if scope == "segment" and question.segment is None:
            continue
        values = sorted(value for o in alike if (value := measured(o, measure)) is not None)
        if len(values) >= enough:
            return Peers(scope, tuple(values), median(values) or Decimal(0))
    return None


def measured(offer: Offer, measure: Measure) -> Decimal | None:
    if measure == "level":
        return offer.depth
    return None if offer.previous is None else offer.depth - offer.previous


@given(offers=OFFERS, asked=st.lists(st.tuples(QUESTIONS, st.sampled_from(MEASURES)), max_size=8))
def test_peers_are_the_same_in_whatever_order_they_are_asked_for(
    offers: list[Offer], asked: list[Asked]
) -> None:
    comparables = of(offers)
    for question, measure in asked:
        assert comparables.peers(measure, question, POLICY) == defined(offers, question, measure)


@given(offers=OFFERS, question=QUESTIONS)
def test_offers_of_many_reps_read_at_once_are_those_of_each(
    offers: list[Offer], question: Question
) -> None:
    at_once = of(offers)
    at_once.read(["bob", "ann", "nobody"])

    found = at_once.peers("level", question, POLICY)

    assert found == of(offers).peers("level", question, POLICY)


def test_nobody_else_is_read_where_the_reps_own_offers_are_enough() -> None:
    loaded: list[Collection[str] | None] = []
    own = [Offer(DEALS[n], "ann", None, START, Decimal(10), None) for n in range(3)]

    def load(reps: Collection[str] | None) -> Iterable[Offer]:
        loaded.append(reps)
        return own

    question = Question(DEALS[3], "ann", None, START + timedelta(days=1))
    peers = Comparables(load).peers("level", question, POLICY)

    assert peers is not None
    assert peers.scope == "rep"
    assert loaded == [["ann"]]


KINDS: list[ActKind] = ["discount_offered", "close_date_moved"]
SCOPES: list[Scope] = ["rep", "segment", "organisation"]
TOLD = st.lists(
    st.tuples(
        st.sampled_from(KINDS),
        REPS,
        st.builds(Deed, st.sampled_from(DEALS), SEGMENTS, INSTANTS, st.booleans()),
    ),
    max_size=25,
)


@given(
    told=TOLD,
    asked=st.lists(
        st.tuples(QUESTIONS, st.sampled_from(KINDS), st.none() | st.sampled_from(SCOPES)),
        max_size=6,
    ),
)
def test_the_base_rate_is_that_of_the_scope_whatever_was_asked_before(
    told: list[tuple[ActKind, str, Deed]],
    asked: list[tuple[Question, ActKind, Scope | None]],
) -> None:
    rates = BaseRates(
        lambda rep: {
            kind: [d for k, who, d in told if k == kind and rep in (None, who)] for kind in KINDS
        }
    )
    for question, kind, scope in asked:
        others = {
            own: [
                deed
                for k, rep, deed in told
                if k == kind
                and deed.deal_id != question.deal_id
                and deed.action_time < question.before
                and (own != "rep" or rep == question.rep)
                and (own != "segment" or deed.segment == question.segment is not None)
            ]
            for own in SCOPES
        }
        enough = zip(SCOPES, (POLICY.n_rep, POLICY.n_segment, POLICY.n_organisation), strict=True)
        fallback: Scope = "organisation"
        first = next((own for own, n in enough if len(others[own]) >= n), fallback)
        expected = others[scope or first]

        found = rates.at(question, kind, POLICY, scope)

        assert (found.without, found.of) == (sum(d.seller_only for d in expected), len(expected))
        if scope is None:
            assert found.scope == first


def test_of_few_events_the_counts_are_told_and_no_rate() -> None:
    few, enough = BaseRate("rep", 1, 4), BaseRate("rep", 3, 10)

    assert (few.share(), few.interval()) == (None, None)
    assert enough.share() == 0.3
    # As scipy gives them: binomtest(3, 10).proportion_ci(method="wilson").
    assert [round(end, 6) for end in enough.interval() or ()] == [0.107791, 0.603222]
