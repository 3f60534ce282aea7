"""Imports of uploads run beside the server, end with it, and go on with the next one."""

import json
import multiprocessing
import os
import signal
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from threading import Event as Flag
from typing import Any
from uuid import UUID

from structlog.testing import capture_logs

from api import clock
from api.clock import Deadline
from api.identity.permissions import OPERATOR
from api.import_process import importing
from api.imports import Asked, Imports, Uploads
from api.storage.event_store import EventStore
from api.storage.roles import Role
from tests.support.ledgers import SCHEMA
from tests.support.roles import address

PATIENCE = 90.0
EVENTS = 12_000


def lines() -> bytes:
    """Deals of ten events each."""
    told = []
    for number in range(EVENTS):
        deal, place = divmod(number, 10)
        data: dict[str, Any] = {"text": f"note {place}"}
        if not place:
            account = {"id": "acme", "name": "Acme"}
            data = {"name": f"Deal {deal}", "account": account, "owner": "ann"}
        told.append(
            {
                "stream": f"deal:{deal}",
                "external_id": str(number),
                "type": "note_added" if place else "deal_opened",
                "occurred_at": f"2025-01-08T00:00:{place:02}Z",
                "actor": "ann",
                "data": data,
            }
        )
    return "".join(json.dumps(one) + "\n" for one in told).encode()


def uploaded(imports: Imports) -> UUID:
    asked = Asked(format="ndjson", file="lines.ndjson", profile=None, founding=False, dry_run=False)
    with imports.receive() as upload:
        upload.write(lines())
        told, _ = imports.ask(upload, asked, identity=OPERATOR, key="k", name="test")
    return UUID(told["import_id"])


def _serve(database: str, home: Path, told: Pipe) -> None:
    """A server that dies once its import has put something into the log."""
    dsn = address(database, Role.APP)
    with (
        EventStore(dsn, schema=SCHEMA) as store,
        importing(dsn, schema=SCHEMA, uploads=Uploads(home)),
    ):
        pause = Flag()
        while not store.head().position:
            pause.wait(0.02)
        (child,) = [c for c in multiprocessing.active_children() if c.name == "imports"]
        told.send(child.pid)
        os.kill(os.getpid(), signal.SIGKILL)


def test_an_import_goes_on_after_its_server_was_killed(database: str, tmp_path: Path) -> None:
    dsn = address(database, Role.APP)
    uploads = Uploads(tmp_path)
    with EventStore(dsn, schema=SCHEMA) as store:
        imports = Imports(store, clock.now, uploads)
        sent = uploaded(imports)
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        server = context.Process(target=_serve, args=(database, tmp_path, theirs))
        server.start()
        assert ours.poll(PATIENCE)
        child = ours.recv()
        server.join(PATIENCE)
        assert server.exitcode == -signal.SIGKILL
        deadline, pause = Deadline.after(PATIENCE), Flag()
        while _lives(child) and not deadline.passed():
            pause.wait(0.05)
        assert not _lives(child)
        stored = store.head().position

        with capture_logs(), importing(dsn, schema=SCHEMA, uploads=uploads):
            while imports.one(sent)["ended_at"] is None and not deadline.passed():
                pause.wait(0.05)

        ended = imports.one(sent)
        assert (ended["state"], ended["problem"]) == ("done", None)
        assert 0 < stored <= store.head().position == EVENTS
        report = ended["report"]
        assert (report["events_made"], report["deals"], report["duplicates"]) == (
            EVENTS,
            EVENTS // 10,
            0,
        )
    assert [path.name for path in uploads.folder.iterdir()] == ["lock"]


def _lives(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
