import re
from typing import Any

import pytest
from fastapi.testclient import TestClient
from jinja2 import Environment

from api.identity.cookies import COOKIE
from api.web.routes import deal
from api.web.site import local
from tests.support.web_answers import BARE_ID, DEAL_ID, LONG_ID
from tests.support.web_parts import event_id
from tests.support.web_reads import TOKEN, FakeReads, pages_on


@pytest.fixture
def reads() -> FakeReads:
    return FakeReads()


@pytest.fixture
def stranger(reads: FakeReads) -> TestClient:
    return TestClient(pages_on(reads), follow_redirects=False)


@pytest.fixture
def reader(stranger: TestClient) -> TestClient:
    assert stranger.get(f"/sign-in?token={TOKEN}").status_code == 303
    return stranger


def test_signing_in_sets_a_cookie_that_scripts_and_other_sites_cannot_use(
    stranger: TestClient,
) -> None:
    answer = stranger.get(f"/sign-in?token={TOKEN}")

    cookie = answer.headers["set-cookie"].lower()
    assert answer.headers["location"] == "/"
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert TOKEN not in cookie


def test_a_wrong_token_is_refused_and_opens_nothing(stranger: TestClient) -> None:
    answer = stranger.get("/sign-in?token=guess")

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert stranger.get("/board").status_code == 303


def test_the_form_signs_in_too_and_leads_back(stranger: TestClient) -> None:
    form = {"token": TOKEN, "next": f"/deals/{DEAL_ID}?all=1"}

    assert stranger.post("/sign-in", data=form).headers["location"] == f"/deals/{DEAL_ID}?all=1"
    assert stranger.post("/sign-in", data={"token": "x" * 9000}).status_code == 200


@pytest.mark.parametrize(
    "path", ["/board", f"/deals/{DEAL_ID}", "/deals/unknown", "/board?as_of=position:3"]
)
def test_no_page_is_open_without_signing_in(stranger: TestClient, path: str) -> None:
    answer = stranger.get(path)

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in?next=%2F")


def test_a_made_up_cookie_opens_nothing(stranger: TestClient) -> None:
    stranger.cookies.set(COOKIE, "made-up")

    assert stranger.get("/board").status_code == 303


def test_signing_out_ends_the_session(reader: TestClient) -> None:
    cookie = reader.cookies[COOKIE]

    reader.post("/sign-out")

    reader.cookies.set(COOKIE, cookie)
    assert reader.get("/board").status_code == 303


def test_signing_in_again_ends_the_session_before(reader: TestClient) -> None:
    cookie = reader.cookies[COOKIE]

    reader.get(f"/sign-in?token={TOKEN}")

    assert reader.cookies[COOKIE] != cookie
    assert reader.get("/board").status_code == 200
    reader.cookies.clear()
    reader.cookies.set(COOKIE, cookie)
    assert reader.get("/board").status_code == 303


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "", "/a\nb", "board"]
)
def test_a_sign_in_never_leads_to_another_site(target: str) -> None:
    assert local(target) == "/"


@pytest.mark.parametrize("path", ["/board", f"/deals/{DEAL_ID}", "/deals/unknown", "/sign-in"])
def test_every_page_carries_the_strict_headers(reader: TestClient, path: str) -> None:
    headers = reader.get(path).headers

    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'")
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"


def test_the_deal_page_says_both_findings_in_careful_words(reader: TestClient) -> None:
    html = reader.get(f"/deals/{DEAL_ID}").text

    assert "of 4 settled activities are checkbox-only" in html
    assert "of 7 judged events are pressure-shaped" in html
    assert "Consistent with quota pressure" in html
    assert "This is consistent with ticking in bulk." in html
    assert "1 other candidate" in html


def test_every_link_to_an_event_finds_its_row(reader: TestClient) -> None:
    short, whole = (reader.get(f"/deals/{LONG_ID}{query}").text for query in ("", "?all=1"))

    assert f'id="e-{event_id(1)}"' not in short
    assert f'href="/deals/{LONG_ID}?all=1#e-{event_id(10)}"' in short
    assert f'id="e-{event_id(10)}"' in whole
    assert f'href="#e-{event_id(10)}"' in whole


def test_what_people_typed_is_never_markup(reader: TestClient) -> None:
    html = reader.get(f"/deals/{BARE_ID}").text
    with_tips = reader.get(f"/deals/{DEAL_ID}").text

    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html
    assert "<b>if</b>" not in with_tips


def test_the_question_reaches_the_application_as_typed(
    reader: TestClient, reads: FakeReads
) -> None:
    reader.get("/board?as_of=position:12&effective_at=2026-03-31T00:00:00Z")
    reader.get(f"/deals/{DEAL_ID}?as_of=&effective_at=+")

    assert reads.asked == [("position:12", "2026-03-31T00:00:00Z"), (None, None)]


def test_the_moment_asked_for_goes_along_to_other_pages(reader: TestClient) -> None:
    board = reader.get("/board?as_of=position:12").text

    assert f'href="/deals/{DEAL_ID}?as_of=position%3A12"' in board
    assert "Back to now" in board


def test_refusals_are_pages_that_say_why(reader: TestClient) -> None:
    missing, bad = reader.get("/deals/unknown"), reader.get("/board?as_of=yesterday")

    assert (missing.status_code, bad.status_code) == (404, 422)
    assert "There is no deal unknown" in missing.text
    assert "neither an instant nor position:N" in bad.text


def test_static_files_stay_for_ever_under_their_own_address_only(reader: TestClient) -> None:
    html = reader.get("/board").text
    address = html.split('href="/static/')[1].split("/")[0]

    sheet = reader.get(f"/static/{address}/ui.css")

    assert sheet.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert sheet.headers["content-type"].startswith("text/css")
    assert reader.get("/static/0000000000000000/ui.css").status_code == 404
    assert reader.get(f"/static/{address}/..%2fpages.py").status_code == 404


def test_the_chosen_theme_is_in_the_page_from_the_start(reader: TestClient) -> None:
    reader.cookies.set("theme", "dark")
    dark = reader.get("/board").text
    reader.cookies.set("theme", 'x" onload="y')

    assert '<html lang="en" data-theme="dark">' in dark
    assert '<html lang="en">' in reader.get("/board").text


def test_a_deal_page_shows_its_review(reader: TestClient) -> None:
    page = reader.get(f"/deals/{DEAL_ID}").text

    assert "What happens if they do not?" in page
    assert "Only one person at the customer is known" in page
    assert "1 flag cannot be told" in page


def test_a_deal_page_shows_what_ticks_taught_and_what_is_linked_to_none(
    reader: TestClient,
) -> None:
    page, bare = (reader.get(f"/deals/{deal}").text for deal in (DEAL_ID, BARE_ID))

    assert "1 of 5 ticked activities taught a linked fact; 7 facts are linked to none" in page
    assert "Learned: Goal: Cut dock time by a day" in page
    assert page.count("no fact is linked to it") == 4
    assert "Criterion: Criterion 4" in page
    assert "Criterion: Criterion 5" not in page
    assert "and 2 more" in page
    for words in ("taught", "linked to"):
        assert words not in bare.partition('id="h-activities"')[2]


def test_what_was_typed_is_kept_to_be_sent_again_while_the_log_is_away(reader: TestClient) -> None:
    typed = {"key": "k" * 20, "seen": "7", "events[0].data.text": "Two\n<lines>"}

    for path in ("/deals/new", f"/deals/{DEAL_ID}/record"):
        answer = reader.post(path, data=typed)

        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert f'action="{path}"' in answer.text
        kept = r'<textarea name="{}" hidden>\n{}</textarea>'
        for name, value in typed.items():
            shown = value.replace("<", "&lt;").replace(">", "&gt;")
            assert re.search(kept.format(re.escape(name), re.escape(shown)), answer.text), name


def test_where_a_form_was_shown_again_leads_to_its_deal(reader: TestClient) -> None:
    for query in ("", "?record=note_added"):
        answer = reader.get(f"/deals/{DEAL_ID}/record{query}")

        assert answer.headers["location"] == f"/deals/{DEAL_ID}{query}"


def test_servers_of_one_process_compile_their_templates_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compiled: list[object] = []
    compile_template = Environment.compile

    def noting(environment: Environment, *source: Any, **options: Any) -> Any:
        compiled.append(source)
        return compile_template(environment, *source, **options)

    TestClient(pages_on(FakeReads())).get("/sign-in")
    monkeypatch.setattr(Environment, "compile", noting)

    assert TestClient(pages_on(FakeReads())).get("/sign-in").status_code == 200
    assert compiled == []


def test_routes_are_made_once_for_all_servers_of_which_each_asks_its_own() -> None:
    ours, theirs = FakeReads(), FakeReads()
    servers = [pages_on(ours), pages_on(theirs)]

    reader = TestClient(servers[0])
    reader.get(f"/sign-in?token={TOKEN}")
    assert reader.get(f"/deals/{DEAL_ID}").status_code == 200

    assert (len(ours.asked), len(theirs.asked)) == (1, 0)
    assert set(map(id, deal.router.routes)) <= set(map(id, servers[0].routes))
    assert set(map(id, deal.router.routes)) <= set(map(id, servers[1].routes))
