"""Auditors are told by SQL what the API answers, and the worked questions are answered rightly.

Everything is asked of the sample company; the answers of the questions are computed once more from
its raw events, without the folds.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import psycopg
import pytest

from api.answers import event_json
from api.audit.page import page, questions, views
from api.bootstrap import Ledger
from api.cli_exchange import load_sample
from api.moment import moment
from domain.replay import Event
from tests.support.audited import (
    Session,
    assert_events_told_alike,
    assert_lists_alike,
    assert_told_alike,
    auditor,
    head_of,
)
from tests.support.ledgers import SCHEMA, import_lines, ledger_on
from tests.support.postgres import PostgresServer
from tests.support.raw_answers import Raw
from tests.support.thirty import Line, Lines

ROOT: Final = Path(__file__).resolve().parents[2]
CLERK: Final = "clerk"
FEW: Final = 12
"""Every twelfth deal is asked about one by one."""


def fill(database: str) -> None:
    with ledger_on(database) as ledger:
        load_sample(ledger)
        with TemporaryDirectory() as folder:
            import_lines(ledger, Path(folder), at_the_edges())
        ledger.audit.catch_up()


def at_the_edges() -> list[Line]:
    """Deals that lie just inside and just outside what the questions ask for."""
    lines = Lines()
    for deal in ("handed over", "taken back"):
        _hand_over(lines, deal)
    gone = {"event_id": f"deal:taken back/{len(lines.all) - 2}", "reason": "Not signed"}
    for hour in ("10", "11"):  # said twice
        when = f"2025-06-11T{hour}:00:00Z"
        lines.add("deal:taken back", "event_retracted", when, gone, actor="lead")
    told = [{**line, "recorded_at": line["occurred_at"]} for line in lines.all]
    for line in told:
        if line["data"] == {"owner": "second"}:
            line["on_behalf_of"] = "manager"
    # A quarter begins on 1 May: told before, ten days after it, and nineteen.
    for number, day in enumerate(("04-29", "05-11", "05-12", "05-20")):
        told.append(_called(number, "2025-04-28T10:00:00Z", f"2025-{day}T10:00:00Z"))
    # Another on 1 November, of which one day has 25 hours: told late on the fourteenth, and after.
    for number, at in enumerate(("11-15T04:30", "11-15T05:30"), start=4):
        told.append(_called(number, "2025-10-30T10:00:00Z", f"2025-{at}:00Z"))
    return told


def _hand_over(lines: Lines, deal: str) -> None:
    """Let a deal be discounted, handed from one to the next, and won in between."""

    def add(kind: str, when: str, data: dict[str, Any], *, actor: str = CLERK) -> None:
        lines.add(f"deal:{deal}", kind, f"2025-{when}T10:00:00Z", data, actor=actor)

    account = {"id": deal, "name": deal}
    add("deal_opened", "03-03", {"name": deal, "account": account, "owner": "first"})
    add("customer_request_received", "04-25", {"topic": "discount", "level": 3})
    add("discount_offered", "04-25", {"percent": "9"})
    owners = {"first": "05-01", "second": "05-20", "third": "06-01", "fourth": "06-12"}
    for owner, day in owners.items():
        add("owner_changed", day, {"owner": owner})
    # The third by mistake, which one clerk wrote and another took back.
    gone = {"event_id": f"deal:{deal}/{len(lines.all) - 2}", "reason": "Another deal"}
    add("event_retracted", "06-02", gone, actor="lead")
    net = {"net": {"amount": "500.00", "currency": "USD"}, "closed_on": "2025-06-10"}
    add("deal_won", "06-10", net, actor="fourth")
    # Once it was won, though at the same instant.
    add("owner_changed", "06-10", {"owner": "fifth"})


def _called(number: int, occurred: str, recorded: str) -> Line:
    note = {"stream": "deal:handed over", "external_id": f"note/{number}", "actor": CLERK}
    times = {"occurred_at": occurred, "recorded_at": recorded}
    return {**note, **times, "type": "note_added", "data": {"text": "Called"}}


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


def test_an_event_that_was_retracted_twice_is_told_once_with_the_later_retraction(
    company: Company,
) -> None:
    twice = company.session.execute(
        "SELECT corrected_event_id AS event_id, array_agg(event_id ORDER BY position DESC) AS by"
        "  FROM corrections WHERE in_force GROUP BY 1 HAVING count(*) > 1"
    ).fetchall()
    assert [len(one["by"]) for one in twice] == [2]

    told = company.session.execute(
        "SELECT corrected_by FROM events WHERE event_id = %s", (twice[0]["event_id"],)
    ).fetchall()
    assert [one["corrected_by"] for one in told] == twice[0]["by"][:1]


def test_deals_as_of_an_instant_are_those_of_the_list(company: Company) -> None:
    now = instant(company.session)
    for days in (0, 20, 100, 250):
        at = now - timedelta(days=days)
        as_of = moment(company.ledger.store, as_of=at.isoformat(), effective_at=None, now=now)
        assert_lists_alike(company.session, company.ledger, as_of)


@pytest.fixture(scope="module")
def raw(company: Company) -> Raw:
    events = company.ledger.store.events_at(1, company.ledger.store.head().position)
    more = [{"rep": event.rep, "told_at": told_at(event)} for event in events]
    return Raw([event_json(event) | one for event, one in zip(events, more, strict=True)])


def told_at(event: Event) -> datetime | None:
    """Give when the source was told; None of an import that does not say it."""
    if not event.ordinary_import:
        return event.recorded_at
    return event.source.recorded_at if event.source else None


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
    acts = {row["last_customer_act"] for row in rows if row["rep"] == CLERK}
    assert acts == {"customer_request_received"}
    assert {row["verdict"] for row in rows} >= {"pressure_shaped", "pressure_consistent"}


def test_which_wins_were_recorded_after_their_quarter(company: Company, raw: Raw) -> None:
    rows = answers(company, 2)

    names = ("dated_in", "told_in", "rep", "occurred_at", "told_at", "lag", "net")
    assert told(rows, *names) == raw.late_wins()
    assert [row["deal"] for row in rows] == ["Basalt Point Chemicals: spare parts and work orders"]


def test_which_stages_were_left_hollow(company: Company, raw: Raw) -> None:
    rows = answers(company, 3)

    names = ("left_stage", "advances", "hollow", "nothing_shown")
    found = told(rows, *names, "outcomes_required", "outcomes_evidenced")
    assert sorted(found, key=repr) == raw.hollow()
    assert all(0 < row["hollow"] < row["advances"] for row in rows)


def test_which_boxes_were_ticked_in_bursts(company: Company, raw: Raw) -> None:
    rows = answers(company, 4)

    assert told(rows, "begun", "ended", "rep", "ticks", "deals", "unshown") == raw.bursts()
    assert {"victor-hale", "priya-raman"} <= {row["rep"] for row in rows}


def test_who_changed_a_quota_after_the_fact(company: Company, raw: Raw) -> None:
    rows = answers(company, 5)

    found = told(rows, "whose", "quarter", "changed_by", "after_its_end")
    assert sorted(found, key=repr) == raw.quota_changes()
    assert ("victor-hale", "sofia-brandt") in told(rows, "whose", "changed_by")


def test_which_close_dates_were_moved_across_a_quarter_end(company: Company, raw: Raw) -> None:
    rows = answers(company, 6)

    names = ("rep", "from_date", "to_date", "from_quarter", "to_quarter")
    assert sorted(told(rows, *names), key=repr) == sorted(raw.crossings(), key=repr)
    assert {row["quarters"] > 0 for row in rows} == {True, False}


def test_which_commitments_were_broken(company: Company, raw: Raw) -> None:
    with company.session.transaction():
        at, rows = instant(company.session), answers(company, 7)

    found = told(rows, "deal", "what", "recorded_by", "who_of_the_customer", "nobody_said_so")
    assert sorted(found, key=repr) == raw.broken(at)
    assert {row["side"] for row in rows} == {"customer", "seller"}


def test_which_histories_were_corrected(company: Company, raw: Raw) -> None:
    rows = answers(company, 8)

    names = ("data_amended", "corrected_by", "recorded_at")
    before = ("data_told", "corrected_rep", "corrected_recorded_at")
    assert told(rows, "how", *names, *before) == raw.corrected()
    assert "58" in [row["data_told"].get("percent") for row in rows]
    assert all(row["in_force"] for row in rows)


def test_what_was_dated_back_across_a_quarter_end(company: Company, raw: Raw) -> None:
    rows = answers(company, 9)

    names = ("told_quarter", "dated_in", "type", "rep", "events", "longest_lag", "first_position")
    assert sorted(told(rows, *names)) == raw.backdated()
    assert [row["events"] for row in rows if row["rep"] == CLERK] == [2, 1]


def test_which_deals_changed_hands_before_a_win(company: Company, raw: Raw) -> None:
    rows = answers(company, 10)

    names = ("won_at", "handed_over_at", "new_owner", "handed_over_by")
    assert sorted(told(rows, *names), key=repr) == raw.handed_over()
    assert all(row["credited"] for row in rows)
    assert [row["new_owner"] for row in rows if row["handed_over_by"] == "manager"] == ["second"]


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
