"""A real server on a real socket, on a ledger of the test's own, with its worker."""

from collections.abc import Iterator
from contextlib import contextmanager

from api.bootstrap_server import build_app
from api.http.limits import Limits
from api.http.wire import Wire
from api.imports import NO_UPLOADS, Uploads
from tests.support.browser import serving
from tests.support.client import TOKEN
from tests.support.ledgers import SCHEMA
from tests.support.roles import under_one_login
from tests.support.working import in_thread


@contextmanager
def served(
    database: str, *, limits: Limits | None = None, uploads: Uploads = NO_UPLOADS
) -> Iterator[str]:
    """The address of a server with these limits."""

    class Bounded(Wire):
        """The wire of this test."""

    if limits is not None:
        Bounded.limits = limits
    with (
        under_one_login(database, schema=SCHEMA) as ledger,
        serving(
            build_app(ledger, token=TOKEN, uploads=uploads, limits=limits), wire=Bounded
        ) as url,
        in_thread(ledger.worker),
    ):
        yield url
