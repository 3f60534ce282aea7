"""Auditors are told by SQL what the API answers, and the worked questions are answered rightly.

Everything is asked of the sample company; the answers of the questions are computed once more from
its raw events, without the folds.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

from api.answers import event_json
from api.audit.page import page, questions, views
from api.bootstrap import Ledger
from api.cli_exchange import load_sample
from api.moment import moment
from tests.support.audited import (
    Session,
    assert_events_told_alike,
    assert_lists_alike,
    assert_told_alike,
    auditor,
    head_of,
)
from tests.support.ledgers import SCHEMA, ledger_on
from tests.support.postgres import PostgresServer
from tests.support.raw_answers import Raw

ROOT: Final = Path(__file__).resolve().parents[2]
FEW: Final = 12
"""Every twelfth deal is asked about one by one."""


def fill(database: str) -> None:
    with ledger_on(database) as ledger:
        load_sample(ledger)
        ledger.audit.catch_up()


@dataclass(frozen=True, slots=True)
class Company:
    ledger: Ledger
    session: Session


@pytest.fixture(scope="module")
def company(postgres_server: PostgresServer) -> Iterator[Company]:
    with (
        postgres_server.ledger(SCHEMA, filled_by=fill) as database,
        ledger_on(database) as ledger,
        auditor(database) as session,
    ):
        yield Company(ledger, session)


@pytest.fixture(scope="module")
def catalogue(company: Company) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A session of the auditor that gives rows as the product reads them."""
    with psycopg.connect(company.session.info.dsn) as session:
        yield session


def instant(session: Session) -> datetime:
    """The instant that the statuses of a transaction are told for."""
    row = session.execute("SELECT now() AS at").fetchone()
    assert row is not None
    found = row["at"]
    assert isinstance(found, datetime)
    return found


def test_every_view_says_what_the_api_says(company: Company) -> None:
    with company.session.transaction():
        at = instant(company.session)
        assert_told_alike(company.session, company.ledger, head_of(company.ledger, at), every=FEW)


def test_the_log_is_told_as_it_is(company: Company) -> None:
    at = instant(company.session)
    assert_events_told_alike(
        company.session, company.ledger, head_of(company.ledger, at), every=FEW
    )


def test_deals_as_of_an_instant_are_those_of_the_list(company: Company) -> None:
    now = instant(company.session)
    for days in (0, 20, 100, 250):
        at = now - timedelta(days=days)
        as_of = moment(company.ledger.store, as_of=at.isoformat(), effective_at=None, now=now)
        assert_lists_alike(company.session, company.ledger, as_of)


@pytest.fixture(scope="module")
def raw(company: Company) -> Raw:
    events = company.ledger.store.events_at(1, company.ledger.store.head().position)
    return Raw([{**event_json(event), "rep": event.rep} for event in events])


def answers(company: Company, number: int) -> list[dict[str, Any]]:
    """Give what a worked question answers."""
    return company.session.execute(questions()[number - 1].sql.encode()).fetchall()


def told(rows: list[dict[str, Any]], *names: str) -> list[tuple[object, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


def test_who_discounted_late_in_a_quarter_and_what_the_customer_had_done(
    company: Company, raw: Raw
) -> None:
    rows = answers(company, 1)
    offered = {
        row["event_id"]: row["occurred_at"]
        for row in company.session.execute("SELECT event_id, occurred_at FROM discounts")
    }

    names = ("rep", "percent", "days_left", "last_customer_act", "last_customer_act_at")
    found = [(one[0], float(str(one[1])), *one[2:]) for one in told(rows, *names)]
    assert sorted(found, key=repr) == sorted((one[1:] for one in raw.discounts()), key=repr)
    assert 10 < len(rows) < len(offered)
    assert {row["verdict"] for row in rows} >= {"pressure_shaped", "pressure_consistent"}


def test_which_wins_were_recorded_after_their_quarter(company: Company, raw: Raw) -> None:
    rows = answers(company, 2)

    assert told(rows, "rep", "occurred_at", "told_at") == raw.late_wins()
    assert [row["deal"] for row in rows] == ["Basalt Point Chemicals: spare parts and work orders"]


def test_which_stages_were_left_hollow(company: Company, raw: Raw) -> None:
    rows = answers(company, 3)

    found = {row["left_stage"]: (row["advances"], row["hollow"]) for row in rows}
    assert found == raw.hollow()
    assert all(0 < hollow < advances for advances, hollow in found.values())


def test_which_boxes_were_ticked_in_bursts(company: Company, raw: Raw) -> None:
    rows = answers(company, 4)

    assert told(rows, "begun", "rep", "ticks") == raw.bursts()
    assert {"victor-hale", "priya-raman"} <= {row["rep"] for row in rows}


def test_who_changed_a_quota_after_the_fact(company: Company, raw: Raw) -> None:
    rows = answers(company, 5)

    found = told(rows, "whose", "quarter", "changed_by", "after_its_end")
    assert sorted(found, key=repr) == raw.quota_changes()
    assert ("victor-hale", "sofia-brandt") in told(rows, "whose", "changed_by")


def test_which_close_dates_were_moved_across_a_quarter_end(company: Company, raw: Raw) -> None:
    rows = answers(company, 6)

    assert sorted(told(rows, "rep", "from_date", "to_date"), key=repr) == sorted(
        raw.crossings(), key=repr
    )
    assert {row["quarters"] > 0 for row in rows} == {True, False}


def test_which_commitments_were_broken(company: Company, raw: Raw) -> None:
    with company.session.transaction():
        at, rows = instant(company.session), answers(company, 7)
        broken = company.session.execute(
            "SELECT 'deal:' || deal_id AS stream, commitment_id, recorded_by, settled_at IS NULL"
            " AS unsaid FROM commitments WHERE status = 'broken'"
        ).fetchall()

    found = told(broken, "stream", "commitment_id", "recorded_by", "unsaid")
    assert sorted(found, key=repr) == raw.broken(at)
    assert len(rows) == len(broken)
    assert {row["side"] for row in rows} == {"customer", "seller"}


def test_which_histories_were_corrected(company: Company, raw: Raw) -> None:
    rows = answers(company, 8)

    found = [
        (f"event_{row['how']}", row["data_told"], row["data_amended"], row["corrected_by"])
        for row in rows
    ]
    assert found == raw.corrected()
    assert [row["data_told"].get("percent") for row in rows] == ["58", None]
    assert all(row["in_force"] for row in rows)


def test_what_was_dated_back_across_a_quarter_end(company: Company, raw: Raw) -> None:
    rows = answers(company, 9)

    found = {
        one[:4]: one[4] for one in told(rows, "told_quarter", "dated_in", "type", "rep", "events")
    }
    assert found == dict(raw.backdated())
    assert found


def test_which_deals_changed_hands_before_a_win(company: Company, raw: Raw) -> None:
    rows = answers(company, 10)

    assert (
        sorted(told(rows, "won_at", "new_owner", "handed_over_by"), key=repr) == raw.handed_over()
    )
    assert all(row["credited"] for row in rows)


def test_there_are_ten_questions_and_the_page_is_up_to_date(
    catalogue: psycopg.Connection[tuple[Any, ...]],
) -> None:
    """To make it again, run the command at the end of the page."""
    assert len(questions()) == 10
    assert (ROOT / "docs" / "audit-sql.md").read_text("utf-8") == page(catalogue)


def test_every_column_of_every_view_says_what_it_means(
    catalogue: psycopg.Connection[tuple[Any, ...]],
) -> None:
    described = views(catalogue)

    assert len(described) >= 18
    for view in described:
        assert view.meaning, view.name
        assert all(meaning.endswith((".", ")")) for _, _, meaning in view.columns), view.name
