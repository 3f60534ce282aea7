"""The figures in sentences that were made for programs too, as pages write them."""

import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

import pytest

from api.web import format as f
from domain.events.base import DomainEvent
from domain.events.catalogue import TYPES_BY_NAME
from domain.events.customer import CommitmentKept, CommitmentRenegotiated, SellerPromiseBroken
from domain.events.progress import ActivityTicked, GateDecided, OutcomeEvidenced, StageEntered
from projections.names import NO_NAMES
from projections.words import detail, title

GOLDEN: Final = sorted((Path(__file__).parents[1] / "golden").glob("deal.*.json"))
RAW: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|\b[A-Z]{3} [0-9]")
"""A figure as programs read it."""


@pytest.mark.parametrize("path", GOLDEN, ids=[path.stem for path in GOLDEN])
def test_no_event_is_told_on_a_page_with_figures_for_programs(path: Path) -> None:
    kind = TYPES_BY_NAME[path.name.split(".")[1]]
    event = kind.model_validate_json(path.read_bytes())

    for words in (title(event), detail(event) or ""):
        assert not RAW.search(f.event_words(words)), words


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (
            "Deal opened for Acme: USD 41500.00, expected to close on 2027-01-24, owned by ann",
            "Deal opened for Acme: $41,500, expected to close on 24 Jan 2027, owned by ann",
        ),
        (
            "Deal opened for Acme: EUR 1.50, owned by ann",
            "Deal opened for Acme: €1.50, owned by ann",
        ),
        ("Deal opened for Acme: no amount, owned by ann",) * 2,
        (
            "Won at KWD 77280.125, closed on 2026-11-25",
            "Won at 77,280.125 KWD, closed on 25 Nov 2026",
        ),
        ("Amount changed to JPY 5000000", "Amount changed to ¥5,000,000"),
        ("Close date moved to 2026-12-01", "Close date moved to 1 Dec 2026"),
        (
            "Consequence of not changing: a week\nis lost (USD 486000.00)",
            "Consequence of not changing: a week\nis lost ($486,000)",
        ),
        ("Seller promised: a test, due 2026-11-28", "Seller promised: a test, due 28 Nov 2026"),
        (
            "Commitment is now due 2026-11-28: by 2026-12-01",
            "Commitment is now due 28 Nov 2026: by 2026-12-01",
        ),
        (
            "List price USD 84000.00; Expires on 2026-12-01; By 2026-12-02",
            "List price $84,000; Expires on 1 Dec 2026; By 2 Dec 2026",
        ),
    ],
)
def test_the_words_of_an_event_have_figures_as_pages_write_them(words: str, shown: str) -> None:
    assert f.event_words(words) == shown


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("Owner changed to ann-lee", "Owner changed to Ann Lee"),
        ("Owner changed to kim", "Owner changed to kim"),
        (
            "Deal opened for Acme, owned by ann-lee: USD 1.00, owned by ann-lee",
            "Deal opened for Acme, owned by ann-lee: $1, owned by Ann Lee",
        ),
        ("ann-lee was coached", "Ann Lee was coached"),
        ("Contact identified: ann-lee, Buyer", "Contact identified: Ann Lee, Buyer"),
        ("Credit split set: ann-lee 0.25, kim 0.75", "Credit split set: Ann Lee 25%, kim 75%"),
        ("We buy.; From the customer (ann-lee)", "We buy. From the customer (Ann Lee)"),
        ("Note; owner changed to ann-lee",) * 2,
    ],
)
def test_the_words_of_an_event_have_people_by_their_names(words: str, shown: str) -> None:
    assert f.event_words(words, {"ann-lee": "Ann Lee"}) == shown


def test_a_conclusion_has_people_by_their_names() -> None:
    said = (
        "A discount of 9% was offered: with 2 days left of Q1, ann-lee at 40% of quota (pressure"
        " 0.5, threshold 0.25); nothing. The team of their manager, ann-lee, stood at 0.2 then."
    )

    told = f.sentence(said, {"ann-lee": "Ann Lee"})

    assert told == said.replace("ann-lee", "Ann Lee")


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


@pytest.mark.parametrize(
    "words",
    [
        "Customer goal: replace SAP 4000 before 2026-12-01, at 20 %",
        "Obstacle: USD 500.00 was promised on 2026-10-01 for plan B",
        "Alternative considered: USE 2 or TRY 3",
        "They pay USD 300.00; Reason: the offer of 2026-10-01 and SAP 4000",
    ],
)
def test_what_somebody_wrote_stays_as_it_was_written(words: str) -> None:
    assert f.event_words(words) == words


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
    assert f.event_words("Close date moved to 2026-13-45") == "Close date moved to 2026-13-45"
