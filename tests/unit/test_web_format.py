"""The figures in sentences that were made for programs too, as pages write them."""

import json
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest

from api.answers import json_bytes
from api.web import format as f
from api.web.learned import Facts
from domain.events.base import DomainEvent
from domain.events.catalogue import TYPES_BY_NAME
from domain.events.customer import (
    CommitmentKept,
    CommitmentRenegotiated,
    ConsequenceRecorded,
    ContactIdentified,
    CustomerGoalRecorded,
    SellerPromiseBroken,
    SellerPromiseMade,
)
from domain.events.life import Account, CreditSplitSet, DealOpened, DealWon, OwnerChanged
from domain.events.money import DiscountOffered
from domain.events.people import CoachingGiven, NoteAdded
from domain.events.progress import (
    ActivityTicked,
    Author,
    GateDecided,
    OutcomeEvidenced,
    StageEntered,
)
from domain.values import Money
from projections.names import NO_NAMES
from projections.wording import Person, Wording
from projections.words import detail, title

GOLDEN: Final = sorted((Path(__file__).parents[1] / "golden").glob("deal.*.json"))
RAW: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|\b[A-Z]{3} [0-9]")
"""A figure as programs read it."""
PEOPLE: Final = {"ann-lee": "Ann B. Lee", "Doe, Jane": "J. Doe"}


def opened(amount: Money | None, close_date: date | None) -> DealOpened:
    account = Account(id="acme", name="Acme")
    return DealOpened(
        name="Acme: ERP", account=account, owner="ann-lee", amount=amount, close_date=close_date
    )


@pytest.mark.parametrize("path", GOLDEN, ids=[path.stem for path in GOLDEN])
def test_no_event_is_told_on_a_page_with_figures_for_programs(path: Path) -> None:
    kind = TYPES_BY_NAME[path.name.split(".")[1]]
    event = kind.model_validate_json(path.read_bytes())

    for words in (title(event), detail(event) or ""):
        assert not RAW.search(f.event_words(words)), words


@pytest.mark.parametrize(
    ("event", "told", "shown"),
    [
        (
            opened(Money.of("41500.00", "USD"), date(2027, 1, 24)),
            "Deal opened for Acme: USD 41500.00, expected to close on 2027-01-24, owned by ann-lee",
            "Deal opened for Acme: $41,500, expected to close on 24 Jan 2027, owned by Ann B. Lee",
        ),
        (
            opened(None, None),
            "Deal opened for Acme: no amount, owned by ann-lee",
            "Deal opened for Acme: no amount, owned by Ann B. Lee",
        ),
        (
            DealWon(net=Money.of("77280.125", "KWD"), closed_on=date(2026, 11, 25)),
            "Won at KWD 77280.125, closed on 2026-11-25",
            "Won at 77,280.125 KWD, closed on 25 Nov 2026",
        ),
        (OwnerChanged(owner="ann-lee"), "Owner changed to ann-lee", "Owner changed to Ann B. Lee"),
        (OwnerChanged(owner="kim"),) + ("Owner changed to kim",) * 2,
        (OwnerChanged(owner="Doe, Jane"), "Owner changed to Doe, Jane", "Owner changed to J. Doe"),
        (
            CreditSplitSet(shares={"ann-lee": Decimal("0.25"), "Doe, Jane": Decimal("0.75")}),
            "Credit split set: Doe, Jane 0.75, ann-lee 0.25",
            "Credit split set: J. Doe 75%, Ann B. Lee 25%",
        ),
        (
            CoachingGiven(rep="ann-lee", statement="Ask."),
            "ann-lee was coached",
            "Ann B. Lee was coached",
        ),
        (
            ConsequenceRecorded(
                consequence="a week\nis lost", amount=Money.of("486000.00", "USD"), level=3
            ),
            "Consequence of not changing: a week\nis lost (USD 486000.00)",
            "Consequence of not changing: a week\nis lost ($486,000)",
        ),
        (
            SellerPromiseMade(promise_id="p", what="a test", due=date(2026, 11, 28)),
            "Seller promised: a test, due 2026-11-28",
            "Seller promised: a test, due 28 Nov 2026",
        ),
    ],
)
def test_a_title_is_told_to_programs_and_shown_to_people(
    event: DomainEvent, told: str, shown: str
) -> None:
    assert title(event) == told
    assert json_bytes(title(event)).decode() == json.dumps(told)
    assert f.event_words(title(event), PEOPLE) == shown


def test_what_a_detail_joins_is_parted_by_a_full_stop_where_one_stands() -> None:
    told = detail(
        ConsequenceRecorded(consequence="all", who="ann-lee.", by=date(2026, 12, 2), level=3)
    )
    offer = detail(
        DiscountOffered(
            percent=Decimal(5),
            list=Money.of("84000.00", "USD"),
            condition="Prices etc.; ok",
            expires_on=date(2026, 12, 1),
        )
    )

    assert told == "Felt by ann-lee.; By 2026-12-02"
    assert f.event_words(told, PEOPLE) == "Felt by ann-lee. By 2 Dec 2026"
    assert offer is not None
    assert f.event_words(offer) == (
        "List price $84,000; Condition: Prices etc.; ok; Expires on 1 Dec 2026"
    )


def test_people_at_the_customer_are_not_looked_up_among_colleagues() -> None:
    evidenced = OutcomeEvidenced(
        outcome="o", level=3, author=Author(side="customer", contact="ann-lee")
    )
    identified = ContactIdentified(contact="ann-lee", role="Buyer")
    learned = [
        {"kind": "person", "value": "ann-lee", "event_id": "1"},
        {"kind": "role", "value": "ann-lee: Buyer", "event_id": "1"},
    ]
    ours = OutcomeEvidenced(outcome="o", level=1, author=Author(side="seller", contact="ann-lee"))

    assert f.event_words(detail(evidenced) or "", PEOPLE) == "From the customer (Ann Lee)"
    assert f.event_words(detail(ours) or "", PEOPLE) == "From the seller (Ann B. Lee)"
    assert f.event_words(title(identified), PEOPLE) == "Contact identified: Ann Lee, Buyer"
    assert [one.text for one in Facts.of(learned).shown] == [
        "Person: Ann Lee",
        "Role: Ann Lee, Buyer",
    ]


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("nora-vance", "Nora Vance"),
        ("élodie.de_la-croix", "Élodie De La Croix"),
        ("Nora Vance", "Nora Vance"),
        ("cfo", "cfo"),
        ("c-1042", "c-1042"),
        ("nora@acme.example", "nora@acme.example"),
        ("-", "-"),
    ],
)
def test_only_an_id_made_of_a_name_is_shown_as_that_name(told: str, shown: str) -> None:
    assert f.contact(told) == shown


FREE_TEXTS: Final = [
    "Credit split set: see Anna's mail of Monday",
    "Credit split set: ann-lee 0.5, kim 0.5",
    "Owner changed to ann-lee",
    "ann-lee was coached",
    "ann-lee",
    "We agreed; By ann-lee",
    "Prices etc.; ok",
    "Amount changed to USD 500.00",
    "Expires on 2026-12-01",
    "From the customer (ann-lee)",
    "replace SAP 4000 before 2026-12-01, at 20 %",
]


@pytest.mark.parametrize("text", FREE_TEXTS)
def test_what_somebody_wrote_stays_as_it_was_written(text: str) -> None:
    events: list[DomainEvent] = [
        NoteAdded(text=text),
        CustomerGoalRecorded(goal=text, level=3),
        CoachingGiven(rep="kim", statement=text),
        ConsequenceRecorded(consequence=text, amount=Money.of("1.00", "USD"), level=3),
        SellerPromiseMade(promise_id="p", what=text, due=date(2026, 11, 28)),
    ]

    for event in events:
        assert text in f.event_words(title(event), PEOPLE) + f.event_words(
            detail(event) or "", PEOPLE
        )
    assert f.event_words(text, PEOPLE) == text


def test_a_conclusion_has_people_by_their_names() -> None:
    told = Wording(
        "9 % on 2026-10-30: ", Person("Doe, Jane"), " at 40% of quota; , Jane at 40% of quota"
    )

    assert told == "9 % on 2026-10-30: Doe, Jane at 40% of quota; , Jane at 40% of quota"
    assert f.sentence(told, {**PEOPLE, "Jane": "Another"}) == (
        "9% on 30 Oct 2026: J. Doe at 40% of quota; , Jane at 40% of quota"
    )


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (StageEntered(stage="meet"), "Entered stage Meeting"),
        (GateDecided(stage="meet", decision="no_go"), "Gate of Meeting: no-go"),
        (ActivityTicked(activity="ask"), "Ticked: Ask them"),
        (
            OutcomeEvidenced(outcome="ask", level=3),
            "Outcome evidenced by the customer's word: They said",
        ),
        (CommitmentKept(commitment_id="ask"), "Customer kept its commitment: Send data"),
        (
            CommitmentRenegotiated(commitment_id="ask", due=date(2026, 12, 1)),
            "Commitment is now due 2026-12-01: Send data",
        ),
        (SellerPromiseBroken(promise_id="ask"), "Seller broke its promise: ask"),
    ],
)
def test_what_an_event_names_by_its_id_is_called_by_its_name(event: DomainEvent, told: str) -> None:
    names = replace(
        NO_NAMES,
        stages={"meet": "Meeting"},
        activities={"ask": "Ask them"},
        outcomes={"ask": "They said"},
        commitments={"ask": "Send data"},
    )

    assert title(event, names) == told


def test_a_conclusion_has_figures_as_pages_write_them() -> None:
    assert (
        f.sentence("6 of 30 wins (20 %, 95 % interval -0.5 % to 37 %) fell on 2026-10-30")
        == "6 of 30 wins (20%, 95% interval \N{MINUS SIGN}0.5% to 37%) fell on 30 Oct 2026"
    )
    assert f.sentence("a rank correlation of -0.49, sign-flip 14-day") == (
        "a rank correlation of \N{MINUS SIGN}0.49, sign-flip 14-day"
    )


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("2026-10-31", "31 Oct 2026"),
        ("2026-10-23T18:53:50+00:00", "23 Oct 2026, 18:53 UTC"),
        ("2026-10-23T18:53:50.123456Z", "23 Oct 2026, 18:53 UTC"),
        ("20261031", "20261031"),
        ("2026-13-45", "2026-13-45"),
        ("pull_in", "pull_in"),
    ],
)
def test_a_day_or_an_instant_among_facts_is_shown_as_pages_write_it(word: str, shown: str) -> None:
    assert f.written(word) == shown


def test_what_only_looks_like_a_day_does_not_break_a_sentence() -> None:
    assert f.sentence("moved to 2026-13-45") == "moved to 2026-13-45"
