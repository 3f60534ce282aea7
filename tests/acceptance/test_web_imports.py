"""The pages of imports: a file sent with a form, its proposal, its errors, and what it came to."""

import html
import os
import re
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

import pytest

from api.identity.permissions import Role
from api.imports import MAX_HELD, MAX_WAITING
from tests.support.site import Read
from tests.support.uploads import MOST, Importing, head, lines

TABLE: Final = (
    b"opportunity_id,sales_agent,account,deal_stage,engage_date,close_date,close_value\n"
    b"1C1I7A6R,Moses Frase,Cancity,Won,2016-10-20,2017-03-01,1054\n"
    b"Z063OYW0,Darcel Schlecht,Isdom,Lost,2016-10-25,2017-03-11,4514\n"
)
DECLARED: Final = "zone: UTC\ncurrency: USD\ncalendar: {kind: months, zone: UTC, start_month: 1}\n"


def send(
    door: Importing, file: bytes | None, *, called: str = "lines.ndjson", **fields: str
) -> Any:
    """Send the form as a browser does."""
    given = {"format": "ndjson", "do": "import", "key": str(uuid4())} | fields
    sent = {"file": (called if file is not None else "", file or b"")}
    return door.client.post("/imports", data=given, files=sent, follow_redirects=False)


def page_of(door: Importing, answer: Any) -> tuple[Read, str]:
    """Run what waits, and give the page that the answer leads to."""
    assert answer.status_code == 303, answer.text
    door.run()
    text = door.client.get(answer.headers["location"]).text
    return Read(text), text


def hidden(text: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', text)
    assert found is not None, name
    return html.unescape(found[1])


def key_of(door: Importing, role: Role) -> dict[str, str]:
    made = door.ledger.keys.create(
        member=f"{role}-of-imports",
        role=role,
        scopes=None,
        name="t",
        lifetime=timedelta(days=1),
        by="t",
    )
    return {"Authorization": f"Bearer {made.secret}"}


def test_a_file_that_is_sent_is_imported_and_reported(door: Importing) -> None:
    before = head(door)
    page, _ = page_of(door, send(door, lines("a", "b", bad=3)))

    assert "2 events of 2 deals were added" in page.text
    assert {name: page.pairs[name] for name in ("Rows read", "Events made", "Rejected")} == {
        "Rows read": "5",
        "Events made": "2",
        "Rejected": "3",
    }
    assert page.row("lines.ndjson") == ["lines.ndjson", "3", "stream: missing"]
    assert head(door) == before + 2
    assert door.left() == []
    listed = Read(door.client.get("/imports").text)
    assert listed.rows[1][3:] == ["Done", "5 rows, 2 events, 3 rejects"]


def test_the_page_of_an_import_says_what_the_api_says(door: Importing) -> None:
    told = door.imported(lines("a", bad=2))
    page = Read(door.client.get(f"/imports/{told['import_id']}").text)

    report = told["report"]
    for name, figure in (
        ("Rows read", report["rows_read"]),
        ("Events made", report["events_made"]),
        ("Deals", report["deals"]),
        ("Known already", report["duplicates"]),
        ("Rejected", report["rejects_total"]),
        ("Gaps in its history", report["gaps"]),
    ):
        assert page.pairs[name] == str(figure), name
    assert page.pairs["SHA-256"] == told["sha256"]


def test_the_same_file_again_says_that_all_was_known(door: Importing) -> None:
    body = lines("a", "b")
    page_of(door, send(door, body))
    before = head(door)

    page, _ = page_of(door, send(door, body))

    assert "All of it was known already: nothing was added" in page.text
    assert page.pairs["Known already"] == "2"
    assert head(door) == before


def test_a_dry_run_says_what_would_be(door: Importing) -> None:
    before = head(door)
    page, _ = page_of(door, send(door, lines("a"), do="try"))

    assert "A dry run: 1 event of 1 deal would be added, and nothing was" in page.text
    assert head(door) == before


def test_the_same_form_sent_twice_is_one_import(door: Importing) -> None:
    body, key = lines("a"), str(uuid4())
    first, again = (send(door, body, key=key) for _ in range(2))
    other = send(door, lines("b"), key=key)

    assert first.headers["location"] == again.headers["location"]
    assert (other.status_code, "was sent before with something else" in other.text) == (422, True)
    door.run()
    assert len([one for one in door.left() if not one.endswith(".held")]) == 0


def test_a_proposal_is_shown_and_accepted_without_the_file_again(door: Importing) -> None:
    before = head(door)
    shown = send(door, TABLE, called="pipeline.csv", format="csv", do="propose")

    assert shown.status_code == 200
    assert "Check what is proposed" in shown.text
    proposal = html.unescape(shown.text.partition("<textarea")[2].partition(">\n")[2])
    proposal = proposal.partition("</textarea>")[0]
    assert "opened_on: engage_date" in proposal
    assert head(door) == before
    held = hidden(shown.text, "held")
    again: dict[str, str] = {"format": "csv", "held": held, "name": hidden(shown.text, "name")}

    wrong = send(door, None, **again, declared=proposal + "\nzone: [")
    assert wrong.status_code == 422
    assert 'id="declared-error"' in wrong.text
    assert hidden(wrong.text, "held") == held

    page, made = page_of(door, send(door, None, **again, declared=proposal + DECLARED))
    shown = html.unescape(made.partition('<pre class="declared"')[2].partition("</pre>")[0])
    assert shown.partition(">")[2] == (proposal + DECLARED).strip()
    assert "of 2 deals were added" in page.text
    assert page.pairs["File"].startswith("pipeline.csv")
    assert f"{held}.held" not in door.left()
    gone = send(door, None, **again, declared=proposal)
    assert (gone.status_code, "not held here any more" in gone.text) == (422, True)


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"format": "tables"}, "format", "Choose what the file is."),
        ({"profile": "nobody"}, "profile", "There is no such profile."),
        ({"profile": "maven", "declared": "zone: UTC"}, "profile", "One profile is enough"),
        ({"declared": "zones: UTC"}, "declared", "zones"),
        ({"do": "propose"}, "file", "the lines say themselves what they mean"),
        ({"do": "propose", "format": "xes"}, "file", "lines.ndjson"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_the_file_stays(
    door: Importing, fields: dict[str, str], field: str, said: str
) -> None:
    before = head(door)
    answer = send(door, lines("a"), **fields)

    assert answer.status_code == 422
    error = answer.text.partition(f'id="{field}-error"')[2].partition("</p>")[0]
    assert said in html.unescape(error)
    assert re.search(rf'id="{field}"[^>]*aria-invalid="true"', answer.text)
    assert str(door.uploads.home) not in answer.text
    assert f"{hidden(answer.text, 'held')}.held" in door.left()
    assert head(door) == before


@pytest.mark.parametrize("held", ["", "0" * 32, "../../etc/passwd", "é"])
def test_without_a_file_nothing_is_imported(door: Importing, held: str) -> None:
    answer = send(door, None, held=held, name="a.csv")
    assert answer.status_code == 422
    assert 'id="file-error"' in answer.text
    assert send(door, b"", held=held).status_code == 422


def test_what_a_form_hides_is_read_as_carefully(door: Importing) -> None:
    held = hidden(send(door, lines("a"), format="none").text, "held")
    answer = send(door, None, held=held, name="../..\x00/../a.ndjson", key="\x00")

    assert answer.status_code == 303
    told = door.one(answer.headers["location"].rpartition("/")[2])
    assert told["file"] == "_..__.._a.ndjson"


def test_no_more_files_are_held_than_may_be(door: Importing) -> None:
    for _ in range(MAX_HELD + 2):
        last = send(door, lines("a"), format="none")
    held = [one for one in door.left() if one.endswith(".held")]
    assert len(held) == MAX_HELD
    assert f"{hidden(last.text, 'held')}.held" in held


def test_a_file_that_nobody_came_back_for_goes(door: Importing) -> None:
    held, later = (
        f"{hidden(send(door, lines('a'), format='none').text, 'held')}.held" for _ in range(2)
    )
    path = door.uploads.folder / held
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 3601))

    door.run()

    assert (held in door.left(), later in door.left()) == (False, True)


def test_too_large_a_file_is_refused_on_a_page_and_leaves_nothing(door: Importing) -> None:
    before = door.left()
    answer = send(door, b"x" * (MOST + 1))
    stated = send(door, b"x" * (2 * MOST))

    for one in (answer, stated):
        assert one.status_code == 413
        assert "<h1>This is too large</h1>" in one.text
        assert "At most 1 MiB are taken. Nothing of it was kept." in one.text
    assert door.left() == before


def test_who_may_not_import_sees_the_list_or_nothing(door: Importing) -> None:
    auditor, rep = key_of(door, "auditor"), key_of(door, "rep")
    seen = door.client.get("/imports", headers=auditor)
    form: dict[str, Any] = {"files": {"file": ("a.ndjson", lines("a"))}}
    before = door.left()

    assert (seen.status_code, '<form class="panel send"' in seen.text) == (200, False)
    assert door.client.get("/imports", headers=rep).status_code == 403
    for who in (auditor, rep):
        assert door.client.post("/imports", headers=who, **form).status_code == 403
    waiting = send(door, lines("b")).headers["location"]
    assert door.client.post(f"{waiting}/cancel", headers=auditor).status_code == 403
    assert len(door.left()) == len(before) + 1


def test_an_import_that_waits_can_be_ended(door: Importing) -> None:
    before = head(door)
    place = send(door, lines("a")).headers["location"]
    waits = door.client.get(place).text
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in waits

    ended = door.client.post(f"{place}/cancel")

    assert ended.url.path == place
    assert "It was ended before its end" in ended.text
    assert "http-equiv" not in ended.text
    door.run()
    assert head(door) == before


def test_a_refused_import_says_why(door: Importing) -> None:
    page, _ = page_of(door, send(door, b"not,a,log\n", format="parquet", called="a.parquet"))
    assert "Nothing of it was imported" in page.text
    problem = door.client.get("/v1/imports?limit=1").json()["imports"][0]["problem"]
    assert problem in page.text


def test_rejects_are_shown_page_by_page(door: Importing) -> None:
    place = send(door, lines("a", bad=130)).headers["location"]
    door.run()
    first, second = (Read(door.client.get(place + q).text) for q in ("", "?after=100"))

    rows = [row for page in (first, second) for row in page.rows if row[0] == "lines.ndjson"]
    assert [row[1] for row in rows] == [str(number) for number in range(2, 132)]
    assert f"{place}?after=100#rejects" in first.links
    assert not any("after=1" in link for link in second.links)
    assert door.client.get("/imports/nonsense").status_code == 404
    assert door.client.get(f"/imports/{uuid4()}").status_code == 404


def test_as_many_as_may_wait_are_taken(empty_door: Importing) -> None:
    for number in range(MAX_WAITING):
        assert send(empty_door, lines(str(number))).status_code == 303
    answer = send(empty_door, lines("more"))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert f"{MAX_WAITING} imports wait already" in answer.text
