"""The only place that builds things: a ledger with its database, use cases and worker."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from api import clock
from api.application import Application
from api.context import ContextReader
from api.questions import DealQuestions
from api.settings import Settings
from api.storage.embedded import EmbeddedServer
from api.storage.event_store import EventStore
from api.storage.migrate import migrate
from api.worker import Worker
from projections.attainment.projection import AttainmentProjection, ledger
from projections.batch import Projection
from projections.history.projection import HistoryProjection
from projections.pressure.projection import PressureProjection
from projections.progress.projection import ProgressProjection
from projections.spans.projection import SpansProjection


@dataclass(frozen=True, slots=True)
class Ledger:
    """One organisation's log with everything that works on it."""

    store: EventStore
    context: ContextReader
    application: Application
    questions: DealQuestions
    worker: Worker


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """Give the address of the database: the one that is set, else the embedded server's."""
    if settings.database_url is not None:
        yield settings.database_url
        return
    with EmbeddedServer(settings.home, bin_dir=settings.pg_bin) as server:
        yield server.dsn()


@contextmanager
def open_ledger(settings: Settings) -> Iterator[Ledger]:
    """Bring the ledger of these settings up to this version and open it."""
    with database(settings) as dsn:
        migrate(dsn, schema=settings.schema_name)
        store = EventStore(dsn, schema=settings.schema_name)
        try:
            yield build_ledger(store)
        finally:
            store.close()


def build_ledger(store: EventStore) -> Ledger:
    """Build everything that works on a store; whoever appends starts the store first."""
    context = ContextReader(store)
    return Ledger(
        store=store,
        context=context,
        application=Application(store, context, clock.now),
        questions=DealQuestions(store, context),
        worker=Worker(store, context, projections()),
    )


def projections() -> list[Projection]:
    """Give every projection, in the order in which a batch goes through them.

    Pressure reads the credits of the same position, so attainment comes before it.
    """
    return [
        SpansProjection(),
        ProgressProjection(),
        AttainmentProjection(),
        PressureProjection(ledger),
        HistoryProjection(),
    ]
