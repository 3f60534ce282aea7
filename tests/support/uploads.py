"""A server that takes uploads, whose imports run when the test lets them."""

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from threading import Event as Flag
from typing import Any, Final

from fastapi.testclient import TestClient

from api import clock
from api.bootstrap import Ledger
from api.bootstrap_server import build_app
from api.import_runner import ImportRunner
from api.imports import Uploads
from tests.support.client import TOKEN
from tests.support.ledgers import SCHEMA
from tests.support.roles import under_roles

MOST: Final = 1 << 20
_KEYS = count(1)


@dataclass(frozen=True, slots=True)
class Importing:
    """The client of the server, its ledger, and the folder in which uploads wait."""

    client: TestClient
    ledger: Ledger
    uploads: Uploads

    def send(self, body: Any, *, key: str | None = None, **asked: Any) -> Any:
        """Upload a file under a key of its own, or the one given."""
        headers = {
            "Content-Type": "application/octet-stream",
            "Idempotency-Key": key or f"upload-{next(_KEYS)}",
        }
        given = {"file": "lines.ndjson", "format": "ndjson"} | asked
        return self.client.post("/v1/imports", params=given, content=body, headers=headers)

    def run(self, *, stop: Flag | None = None) -> None:
        """Run what waits, in this process."""
        self.runner().run_waiting(stop or Flag())

    def runner(self) -> ImportRunner:
        return ImportRunner(
            self.ledger.store, self.uploads.folder, clock=clock.now, most_unpacked=8 * MOST
        )

    def imported(self, body: Any, **asked: Any) -> Any:
        """Upload a file, run its import, and give what came of it."""
        answer = self.send(body, **asked)
        assert answer.status_code == 202, answer.text
        self.run()
        return self.one(answer.json()["import_id"])

    def one(self, import_id: str) -> Any:
        answer = self.client.get(f"/v1/imports/{import_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def left(self) -> list[str]:
        """What lies in the folder beside the lock."""
        return sorted(path.name for path in self.uploads.folder.iterdir() if path.name != "lock")


class Numbers:
    """The number of the test that runs, so that the deals of each are its own."""

    now = 0

    def __next__(self) -> int:
        self.now += 1
        return self.now


TESTS: Final = Numbers()


@contextmanager
def importing_on(database: str, home: Path) -> Iterator[Importing]:
    uploads = Uploads(home, most=MOST)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with (
        under_roles(database, schema=SCHEMA) as ledger,
        TestClient(
            build_app(ledger, token=TOKEN, uploads=uploads),
            base_url="http://localhost",
            headers=headers,
        ) as client,
    ):
        yield Importing(client, ledger, uploads)


def zip_of(folder: Path, **more: str) -> bytes:
    """The files of a folder as an archive, with others by their name without `.yaml`."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, f"export/{path.name}")
        for name, content in more.items():
            archive.writestr(f"{name}.yaml", content)
    return held.getvalue()


def lines(*deals: str, bad: int = 0) -> bytes:
    """Lines that open deals, and some that cannot be read."""
    told = [
        {
            "stream": f"deal:{TESTS.now}-{deal}",
            "external_id": f"{TESTS.now}-{deal}:opened",
            "type": "deal_opened",
            "occurred_at": "2025-01-08T00:00:00Z",
            "actor": "ann",
            "data": {"name": deal, "account": {"id": "acme", "name": "Acme"}, "owner": "ann"},
        }
        for deal in deals
    ]
    texts = [json.dumps(one) for one in told] + ["{}"] * bad
    return "".join(text + "\n" for text in texts).encode()


def head(door: Importing) -> int:
    return door.ledger.store.head().position
