"""The real pages over a part of the sample company, with deals beside it that people made nasty."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from zlib import crc32

from api.bootstrap import Ledger
from api.bootstrap_server import build_app
from api.imports import NO_UPLOADS, Uploads
from api.people import People
from api.sample.company import lines
from tests.support.browser import serving
from tests.support.client import TOKEN
from tests.support.ledgers import SCHEMA, Line, import_lines, ledger_on
from tests.support.roles import under_roles
from tests.support.working import in_thread

TOLD_ON: Final = datetime(2025, 10, 1, 12, tzinfo=UTC)
"""The day of which the sample company is told; before any clock that runs the tests."""
ONE_IN: Final = 5
"""Of its deals one in so many, which is enough to find something on every page."""
STORY: Final = "order-this-month"
REP: Final = "amara-osei"
MANAGER: Final = "helen-marchetti"
AUDITOR: Final = "martin-kjaer"
OWNER: Final = "elena-rossi"
NASTY: Final = (
    "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
    "\N{RIGHT-TO-LEFT OVERRIDE}desrever\N{POP DIRECTIONAL FORMATTING} & 'quoted' \"twice\""
    " {{ 7*7 }}"
)
LONG: Final = "x" * 1990 + " " + "word " * 1500
"""No place to break for a while, and then many: 9,491 characters."""


def fill(database: str) -> None:
    """Fill a ledger with both; a module keeps it for `PostgresServer.ledger`."""
    with TemporaryDirectory() as folder, ledger_on(database) as ledger:
        import_lines(ledger, Path(folder), told_lines(), founding=True)
        names = {rep: rep.replace("-", " ").title() for rep in (REP, MANAGER, AUDITOR, OWNER)}
        People(ledger.store).remember(names | {"nasty": NASTY})


def told_lines() -> list[Line]:
    """Give what both are told by, in the order of time."""
    told = [*_sample(), *_nasty()]
    return sorted(told, key=lambda line: str(line["recorded_at"]))


def _sample() -> Iterator[Line]:
    for line in lines(now=TOLD_ON):
        stream = str(line["stream"])
        if stream == f"deal:{STORY}" or not stream.startswith("deal:") or not _left_out(stream):
            yield line


def _left_out(stream: str) -> bool:
    return crc32(stream.encode()) % ONE_IN != 0


def _nasty() -> Iterator[Line]:
    """A deal whose every text is markup, and one whose every text is endless, at the latest day."""
    at = TOLD_ON - timedelta(days=1)
    for number, text in enumerate((NASTY, LONG)):
        short = text[:200]
        deal = {"name": short, "account": {"id": f"bad{number}", "name": short}, "owner": "nasty"}
        events: list[tuple[str, Mapping[str, object]]] = [
            ("deal_opened", deal | {"close_date": "2025-11-20", "amount": _usd("99000.00")}),
            ("stage_entered", {"stage": "qualify"}),
            ("stage_entered", {"stage": "discover"}),
            ("close_date_moved", {"to": "2025-12-20", "reason": text[:2000]}),
            ("discount_offered", {"percent": "12", "reason": text[:2000]}),
            ("customer_goal_recorded", {"goal": text[:2000], "level": 3}),
            ("customer_commitment_recorded", _commitment(text)),
            ("seller_promise_made", {"promise_id": "p", "what": text[:2000], "due": "2025-10-10"}),
            ("note_added", {"text": text[:10_000]}),
        ]
        for place, (kind, data) in enumerate(events):
            when = (at + timedelta(minutes=number * 30 + place)).isoformat()
            yield {
                "stream": f"deal:nasty-{number}",
                "type": kind,
                "data": data,
                "occurred_at": when,
                "recorded_at": when,
                "actor": "nasty",
                "external_id": f"nasty-{number}-{place}",
            }


def _usd(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "USD"}


def _commitment(text: str) -> dict[str, object]:
    named = {"commitment_id": "c", "what": text[:2000], "kind": "action", "level": 2}
    return named | {"due": "2025-10-20", "by": text[:100]}


@contextmanager
def site_on(
    database: str, *, uploads: Uploads = NO_UPLOADS
) -> Iterator[tuple[str, Ledger, Mapping[str, str]]]:
    """Serve the pages; give the address, the ledger and a key for each of four people."""
    with (
        under_roles(database, schema=SCHEMA) as ledger,
        serving(build_app(ledger, token=TOKEN, uploads=uploads)) as base,
        in_thread(ledger.worker),
    ):
        roles = {REP: "rep", MANAGER: "manager", AUDITOR: "auditor", OWNER: "process_owner"}
        secrets = {
            who: ledger.keys.create(
                member=who, role=role, scopes=None, name="test", lifetime=timedelta(days=1), by="t"
            ).secret
            for who, role in roles.items()
        }
        yield base, ledger, secrets


class Read(HTMLParser):
    """What a page says: its pairs of words and figures, its table rows, its links and all text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.pairs: dict[str, str] = {}
        self.rows: list[list[str]] = []
        self.links: list[str] = []
        self._open: list[str] = []
        self._term = ""
        self._hidden = 0
        self._texts: list[str] = []
        self._cells: list[str] = []
        self.feed(html)
        self.text = _plain("".join(self._texts))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a" and given.get("href"):
            self.links.append(str(given["href"]))
        if self._hidden or "popover" in given or tag in {"script", "style"}:
            self._hidden += tag not in _VOID
            return
        if tag in {"dt", "dd", "td", "th"}:
            self._open.append("")
        if tag == "tr":
            self._cells = []

    def handle_endtag(self, tag: str) -> None:
        if self._hidden:
            self._hidden -= tag not in _VOID
            return
        if tag in {"dt", "dd", "td", "th"} and self._open:
            text = _plain(self._open.pop())
            if tag == "dt":
                self._term = text
            elif tag == "dd":
                self.pairs[self._term] = text
            else:
                self._cells.append(text)
        if tag == "tr":
            self.rows.append(self._cells)

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        self._texts.append(data)
        if self._open:
            self._open[-1] += data

    def row(self, first: str) -> list[str]:
        """Give the row whose first cell begins with these words."""
        return next(row for row in self.rows if row and row[0].startswith(first))


_VOID: Final = frozenset({"br", "circle", "hr", "img", "input", "line", "link", "meta", "path"})


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
