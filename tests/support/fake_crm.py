"""Servers that answer as Salesforce and HubSpot do, from the files of the reference pack."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final
from urllib.parse import parse_qs, urlparse

Answer = Callable[[str, str, Any], Any]
"""What a request is answered with, by its method, address and body."""
_QUERY: Final = re.compile(
    r"SELECT (?P<fields>.+?) FROM (?P<object>\w+)(?: WHERE (?P<where>.+))?", re.DOTALL
)
_SINCE: Final = re.compile(r"SystemModstamp >= (\S+)")
_AMONG: Final = re.compile(r"(\S+) IN \((.+)\)")
OWNERS: Final = 2
"""Owners of a page."""
PAGE: Final = 7
"""Records of a page, fewer than there are, so that the next one has to be asked for."""


@contextmanager
def answering(answer: Answer) -> Iterator[str]:
    """The address of a server that answers so."""

    class Handler(BaseHTTPRequestHandler):
        """Asks for the answer."""

        def _reply(self) -> None:
            size = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(size)) if size else None
            told = json.dumps(answer(self.command, self.path, body)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def do_GET(self) -> None:
            self._reply()

        def do_POST(self) -> None:
            self._reply()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def salesforce(folder: Path) -> Answer:
    """Query results as the pack has them, in pages, for queries by time and by parent."""
    tables = {p.stem: json.loads(p.read_text())["records"] for p in folder.glob("*.json")}
    tables.setdefault("OpportunityLineItem", [])
    quotes = {row["Id"]: row for row in tables["Quote"]}
    pages: list[list[Any]] = []

    def parent(name: str, key: str, row: Any) -> object:
        if key == "Quote.OpportunityId":
            return quotes[row["QuoteId"]]["OpportunityId"]
        return row[key]

    def answer(_: str, path: str, __: Any) -> Any:
        address = urlparse(path)
        if "q" not in parse_qs(address.query):
            return page(int(address.path.rpartition("-")[2]))
        query = _QUERY.fullmatch(parse_qs(address.query)["q"][0])
        assert query is not None, path
        rows = tables[query["object"]]
        where = query["where"] or ""
        if since := _SINCE.search(where):
            changed = "SystemModstamp" if "SystemModstamp" in rows[0] else "LastModifiedDate"
            rows = [row for row in rows if row[changed][:19] >= since[1][:19]]
        if among := _AMONG.search(where):
            ids = {one.strip(" '") for one in among[2].split(",")}
            rows = [row for row in rows if parent(query["object"], among[1], row) in ids]
        fields = {one.strip() for one in query["fields"].split(",")} | {"attributes"}
        told = [{name: row.get(name) for name in fields} for row in rows]
        pages.append(told)
        return page((len(pages) - 1) * 1000)

    def page(number: int) -> Any:
        of, start = divmod(number, 1000)
        rows = pages[of]
        done = start + PAGE >= len(rows)
        following = (
            {} if done else {"nextRecordsUrl": f"/services/data/v59.0/query/q-{number + PAGE}"}
        )
        told = {"totalSize": len(rows), "done": done, "records": rows[start : start + PAGE]}
        return told | following

    return answer


def hubspot(folder: Path) -> Answer:
    """Deals found by their last change and read with their histories, pipelines and owners."""
    files = {p.stem: json.loads(p.read_text()) for p in folder.glob("*.json")}
    deals = {one["id"]: one for one in files["deals"]["results"]}

    def answer(method: str, path: str, body: Any) -> Any:
        address = urlparse(path).path
        if address.endswith("/deals/search"):
            return search(body)
        if address.endswith("/deals/batch/read"):
            assert len(body["inputs"]) <= 50
            return {
                "status": "COMPLETE",
                "results": [read(one["id"], body) for one in body["inputs"]],
            }
        assert method == "GET"
        return files["pipelines"] if "pipelines" in address else owners(urlparse(path).query)

    def owners(query: str) -> Any:
        start, everybody = int(parse_qs(query).get("after", ["0"])[0]), files["owners"]["results"]
        more = start + OWNERS < len(everybody)
        paging = {"paging": {"next": {"after": str(start + OWNERS)}}} if more else {}
        return {"results": everybody[start : start + OWNERS]} | paging

    def read(deal: str, body: Any) -> Any:
        told = deals[deal]
        histories = told["propertiesWithHistory"]
        return told | {
            "properties": {k: told["properties"].get(k) for k in body["properties"]},
            "propertiesWithHistory": {
                k: histories[k] for k in body["propertiesWithHistory"] if k in histories
            },
        }

    def search(body: Any) -> Any:
        ((condition,),) = (group["filters"] for group in body["filterGroups"])
        assert (condition["propertyName"], condition["operator"]) == ("hs_lastmodifieddate", "GTE")
        found = sorted(
            (one["updatedAt"], one["id"])
            for one in deals.values()
            if _milliseconds(one["updatedAt"]) >= int(condition["value"])
        )
        start = int(body.get("after") or 0)
        some = found[start : start + PAGE]
        results = [{"id": i, "properties": {"hs_lastmodifieddate": at}} for at, i in some]
        more = start + PAGE < len(found)
        paging = {"paging": {"next": {"after": str(start + PAGE)}}} if more else {}
        return {"total": len(found), "results": results} | paging

    return answer


def _milliseconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)
