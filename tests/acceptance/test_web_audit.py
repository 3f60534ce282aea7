"""The audit explorer: its events, counts and pages are those that the API gives for the query."""

import html
import json
import random
import re
import shlex
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import pytest

from api import lists_log
from api.page_reads.audit import MAX_ROWS
from api.web import format as f
from api.web.vocabulary import VERDICTS_SHORT
from tests.support.asker import Asker
from tests.support.client import event
from tests.support.ledgers import SCHEMA
from tests.support.postgres import PostgresServer
from tests.support.site import AUDITOR, MANAGER, OWNER, REP, fill, site_on
from tests.support.titles import shown_titles

CHANCE: Final = random.Random(29)
TERMS: Final = (
    "type:discount_offered",
    "type:stage_entered,close_date_moved,activity_ticked",
    f"rep:{REP}",
    "-data.reason:*",
    "data.percent>=12.5",
    "late:yes",
    "verdict:pressure_shaped,bare_tick",
    "rule:PS-4",
    "quarter:FY2025Q4",
    "days_left<14",
    "recorded:2025-06-01..2025-08-15",
    'stage:"Propose" or stage:discover',
    "team:north",
    "clock:source",
    "amount>40000",
)


class Seen:
    """What a page of the explorer says."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.positions = [int(found) for found in re.findall(r'<tr role="row" id="p-(\d+)"', text)]
        rows = [one.partition("</tr>")[0] for one in text.split('<tr role="row" id="p-')[1:]]
        self.rows = dict(zip(self.positions, rows, strict=True))
        told = re.findall(r'<pre tabindex="0" aria-label="JSON">(.*?)</pre>', text, re.DOTALL)
        self.events = [json.loads(html.unescape(one)) for one in told]
        self.total = html.unescape(re.findall(r'<p role="status"><b>(.*?)</b>', text)[-1])

    def beside(self, which: str) -> str | None:
        """Give the address of the `next` page, or of the `prev`ious."""
        found = re.search(rf'rel="{which}" href="([^"]*)"', self.text)
        return html.unescape(found[1]) if found else None

    @property
    def position(self) -> str:
        """The moment that its links ask for."""
        found = re.search(r'data-copy href="([^"]*)"', self.text)
        assert found is not None
        return dict(parse_qsl(urlsplit(html.unescape(found[1])).query))["as_of"]

    @property
    def groups(self) -> list[tuple[list[str], str | None, int]]:
        part = self.text.partition('id="h-groups"')[2].partition("</section>")[0]
        found = []
        for row in re.findall(r"<tr><td>.*?</tr>", part, re.DOTALL):
            *names, _, count = re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)
            link = re.search(r'href="([^"]*)"', names[0])
            plain = [html.unescape(re.sub("<[^>]*>", "", name)) for name in names]
            count = int(count.replace(",", ""))
            found.append((plain, html.unescape(link[1]) if link else None, count))
        return found


@pytest.fixture(scope="module")
def ask(postgres_server: PostgresServer) -> Iterator[Asker]:
    with (
        postgres_server.ledger(SCHEMA, filled_by=fill) as database,
        site_on(database) as (base, _, secrets),
    ):
        asker = Asker(base, secrets)
        yield asker
        asker.client.close()


def seen(ask: Asker, path: str, who: str | None = None, **query: Any) -> Seen:
    answer = ask.get(path, who, **query)
    assert answer.status_code == 200, answer.text[:2000]
    return Seen(answer.text)


def drawn() -> str:
    parts = CHANCE.sample(TERMS, CHANCE.randint(1, 3))
    parts = [f"not ({one})" if CHANCE.random() < 0.25 else f"({one})" for one in parts]
    return CHANCE.choice([" ", " or "]).join(parts)


def test_the_first_page_is_judged_as_of_the_position_that_its_links_name(ask: Asker) -> None:
    page = seen(ask, "/audit", q="verdict:pending")
    told = ask.api("/v1/events", q="verdict:pending", sort="-position", as_of=page.position)

    assert page.positions
    assert page.events == told["events"]


@pytest.mark.parametrize("number", range(8))
def test_any_query_gives_the_events_and_counts_of_the_api(ask: Asker, number: int) -> None:
    query, who = drawn(), (None, REP, MANAGER, AUDITOR, OWNER)[number % 5]
    sort = CHANCE.choice(["position", "-position", "occurred", "-occurred"])
    by = CHANCE.choice(["type", "rep", "team,quarter"])
    first, _, then = by.partition(",")
    page = seen(ask, "/audit", who, q=query, sort=sort, by=first, then=then)
    moment = {"as_of": page.position}

    told = ask.api("/v1/events", who, q=query, sort=sort, limit=MAX_ROWS, **moment)
    counts = ask.api("/v1/events/counts", who, q=query, by=by, **moment)

    assert page.events == told["events"]
    assert page.positions == [one["position"] for one in told["events"]]
    assert (page.beside("next") is None) == (told["next"] is None)
    assert page.beside("prev") is None
    assert page.total == f.count(counts["total"], "event")
    assert [count for _, _, count in page.groups] == [one["count"] for one in counts["groups"]]


def test_a_group_leads_to_the_events_that_it_counts(ask: Asker) -> None:
    for by in ("type", "team", "owner", "quarter"):
        page = seen(ask, "/audit", q="type:discount_offered,quota_assigned,note_added", by=by)
        assert page.groups
        for names, link, count in page.groups[:2]:
            assert link is not None, names
            assert seen(ask, link).total == f.count(count, "event"), (by, names)
    assert all(link is None for _, link, _ in seen(ask, "/audit", by="week").groups)


def test_filters_are_terms_of_the_query(ask: Asker) -> None:
    filters = {"type": "stage_entered", "rep": REP, "recorded_to": "2025-08-31"}
    page = seen(ask, "/audit", q="days_left<30", recorded_from="2025-07-01", **filters)
    query = f"days_left<30 type:stage_entered rep:{REP} recorded>=2025-07-01 recorded<=2025-08-31"
    told = ask.api("/v1/events", q=query, sort="-position", limit=MAX_ROWS)

    assert page.positions
    assert page.events == told["events"]
    assert f"<code>{html.escape(query)}</code>" in page.text
    assert re.search(r'<option value="stage_entered" selected>', page.text)


@pytest.mark.parametrize("sort", ["-position", "occurred"])
def test_pages_lead_there_and_back_and_stay_while_others_append(ask: Asker, sort: str) -> None:
    query = "type:discount_offered,note_added"
    first = page = seen(ask, "/audit", q=query, sort=sort)
    moment = page.position
    ask.append(ask.deals()[0]["deal_id"], event("note_added", text="said meanwhile"))
    pages = [page.positions]
    while (link := page.beside("next")) is not None:
        page = seen(ask, link)
        pages.append(page.positions)
    told: list[int] = []
    path: str | None = f"/v1/events?q={query}&sort={sort}&limit=1000&as_of={moment}"
    while path is not None:
        events = ask.api(path)
        told += [one["position"] for one in events["events"]]
        path = events["next"]

    assert len(pages) > 2
    assert [one for positions in pages for one in positions] == told
    back = [page.positions]
    while (link := page.beside("prev")) is not None:
        page = seen(ask, link)
        back.append(page.positions)
    assert [one for positions in back[::-1] for one in positions][-len(told) :] == told
    assert page.positions == first.positions
    assert "what came later is left out" in page.text


def test_verdicts_and_ticks_are_those_of_the_deals(ask: Asker) -> None:
    acts = "stage_entered,discount_offered,close_date_moved,activity_ticked"
    page = seen(ask, "/audit", AUDITOR, q=f"type:{acts} recorded>=2025-09-01")
    judged = 0
    for told in page.events:
        deal_id = told["stream_id"].partition(":")[2]
        row = page.rows[told["position"]]
        if told["type"] == "activity_ticked":
            answer = ask.api(f"/v1/deals/{deal_id}/progress", AUDITOR, as_of=page.position)
            status = {a["tick_event_id"]: a["status"] for a in answer["activities"]}
            hollow = status.get(told["event_id"]) in ("bare_tick", "asserted_only")
            assert ("Checkbox-only" in row) is hollow
            continue
        history = ask.api(f"/v1/deals/{deal_id}/history", AUDITOR, as_of=page.position)
        found = next(one for one in history["events"] if one["event_id"] == told["event_id"])
        assert shown_titles(history)[told["event_id"]] in html.unescape(row)
        shown = re.sub("<[^>]*>", " ", row.partition('class="pressure"')[2].partition("</td>")[0])
        assert VERDICTS_SHORT[found["pressure"]["verdict"]] in shown
        pressure = found["pressure"]["pressure"]
        assert ("unknown" if pressure is None else f.ratio(pressure)) in shown
        judged += 1
    assert judged > 5


def test_pressure_is_shown_to_whom_the_api_shows_it(ask: Asker) -> None:
    query = {"q": "type:stage_entered,discount_offered,close_date_moved"}
    assert (
        '<th role="columnheader" scope="col">Pressure'
        not in seen(ask, "/audit", OWNER, **query).text
    )
    page = seen(ask, "/audit", REP, **query)
    deals = {one["position"]: one["stream_id"].partition(":")[2] for one in page.events[:24]}
    told = {
        deal: ask.get(f"/v1/deals/{deal}/pressure", REP).status_code == 200
        for deal in set(deals.values())
    }
    assert {True, False} == set(told.values())
    for position, deal in deals.items():
        assert ("not shown to you" in page.rows[position]) is not told[deal]
        assert "Pressure-shaped" not in page.rows[position] or told[deal]


@pytest.mark.parametrize(
    ("query", "column", "said", "meant"),
    [
        ("type:discount_ofered rep:x", 6, "there is no type", "discount_offered"),
        ("rep:ann (late:yes", 18, "which closes the parenthesis", None),
        ("kind:won", 1, "there is no field", None),
        ("late:yes quarter:FY0001Q1", 18, "expected a fiscal quarter", None),
    ],
)
def test_a_mistake_is_shown_where_it_is(
    ask: Asker, query: str, column: int, said: str, meant: str | None
) -> None:
    answer = ask.get("/audit", q=query)
    problem = ask.get("/v1/events", q=query).json()

    assert answer.status_code == 422
    assert problem["column"] == column
    marked = re.search(r"<bdi>(.*?)<mark>(.*?)</mark>(.*?)</bdi>", answer.text)
    assert marked is not None
    before, at, after = (html.unescape(part) for part in marked.groups())
    assert (before + at + after).rstrip() == query
    assert len(before) == column - 1
    assert f"Column {column}: " in answer.text
    assert said in html.unescape(answer.text)
    assert f'value="{html.escape(query)}"' in answer.text
    assert 'aria-invalid="true" aria-describedby="q-error"' in answer.text
    if meant:
        link = re.search(rf'href="([^"]*)">{meant}<', answer.text)
        assert link is not None
        assert ask.get(html.unescape(link[1])).status_code == 200


def test_a_filter_that_is_wrong_says_so_beside_it(ask: Asker) -> None:
    answer = ask.get("/audit", type="discount_ofered", recorded_from="2025-13-01")
    assert answer.status_code == 422
    assert 'id="type-error"' in answer.text
    assert "did you mean discount_offered?" in answer.text
    assert 'id="recorded_from-error"' in ask.get("/audit", recorded_from="2025-13-01").text
    assert ask.get("/audit", sort="sideways").status_code == 422
    assert ask.get("/audit", as_of="position:999999999").status_code == 422


def test_what_was_corrected_is_marked_and_both_are_there(ask: Asker) -> None:
    deal = next(one for one in ask.deals() if one["source_system"] is not None)["deal_id"]
    offers = [event("discount_offered", percent=percent) for percent in ("11", "12")]
    told = ask.append(deal, *offers)
    first, second = (one["event_id"] for one in told)
    ask.append(
        deal,
        event("event_amended", event_id=first, reason="Typed wrongly", data={"percent": "8.5"}),
        event("event_retracted", event_id=second, reason="Another deal"),
    )

    since = told[0]["position"]
    page = seen(ask, "/audit", q=f"deal:{deal} type:discount_offered position>={since}")

    rows = {one["event_id"]: page.rows[one["position"]] for one in page.events}
    assert 'title="amended by' in rows[first]
    assert "Typed wrongly" in rows[first]
    assert "Discount of 8.5% offered" in rows[first]
    assert '"percent": "11"' in html.unescape(rows[first])
    assert 'title="retracted by' in rows[second]
    assert 'class="gone"' in rows[second].partition(">")[0]
    corrections = seen(ask, "/audit", q=f"deal:{deal} type:event_amended,event_retracted")
    assert all(f"#e-{one}" in corrections.text for one in (first, second))


def test_an_export_holds_what_was_asked_for(ask: Asker) -> None:
    page = seen(ask, "/audit", AUDITOR, q="type:discount_offered", rep=REP)
    form = page.text.partition('action="/v1/exports"')[2].partition("</form>")[0]
    hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)
    given = {name: html.unescape(value) for name, value in hidden}

    answer = ask.get("/v1/exports", AUDITOR, format="ndjson", **given)

    assert answer.status_code == 200, answer.text
    assert page.total == f.count(len(answer.text.splitlines()), "event")
    assert given["as_of"] == page.position
    assert "/v1/exports" not in seen(ask, "/audit", REP).text


def test_what_cannot_be_counted_is_unknown_and_says_why(
    ask: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists_log, "MAX_COUNTED", 1)
    page = seen(ask, "/audit", q="verdict:not_pressure_shaped", by="rep")
    assert page.positions
    assert page.total.startswith("unknown: verdict and rule can be counted for at most 1 events")


def test_the_command_and_the_address_ask_the_same(ask: Asker) -> None:
    query = """data.reason:"it's $HOME; `x`" or -late:yes"""
    page = seen(ask, "/audit", q=query, sort="occurred", by="rep")
    command = html.unescape(page.text.partition("<code>dealtrail")[2].partition("</code>")[0])
    address = re.search(r'href="(/v1/events\?[^"]*)"', page.text)

    moment = f"--as-of={page.position}"
    asked = ["events", "--sort=occurred", "--by=rep", moment, "--", query]
    assert shlex.split(command) == asked
    assert address is not None
    told = ask.api(html.unescape(address[1]))
    assert told["query"] == query
    assert told["events"][:MAX_ROWS] == page.events


def test_what_an_auditor_asks_is_kept(ask: Asker) -> None:
    ask.get("/audit", AUDITOR, q="late:yes amount>1", sort="occurred")
    accesses = ask.api("/v1/accesses", AUDITOR, actor=AUDITOR, limit=5)["accesses"]
    assert any(
        one["request"] == "GET /audit?q=late%3Ayes+amount%3E1&sort=occurred" for one in accesses
    )


def test_deals_and_reps_are_asked_for_by_their_names(ask: Asker) -> None:
    deals = ask.deals()
    account = deals[0]["account"]["name"]
    own = [one["deal_id"] for one in deals if account in one["account"]["name"]]
    ids = ",".join(own)

    found = Seen(ask.get("/audit", deal=account[1:].upper()).text)
    assert found.total == Seen(ask.get("/audit", q=f"deal:{ids}").text).total != "0 events"
    story = Seen(ask.get("/audit", deal="order-this-month").text)
    assert story.total == Seen(ask.get("/audit", q="deal:order-this-month").text).total
    rep = Seen(ask.get("/audit", rep="amara osei").text)
    assert rep.total == Seen(ask.get("/audit", q=f"rep:{REP}").text).total != "0 events"
    many = ask.get("/audit", deal="e")
    assert (many.status_code, "write more of it" in many.text) == (422, True)
    foreign = ask.get("/audit", OWNER, deal=account)
    assert foreign.status_code == 200
