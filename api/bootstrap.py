"""The only place that builds things: a ledger with its database, use cases and worker."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from api import clock
from api.all_projections import projections
from api.application import Application
from api.audit.tables import AuditTables
from api.bootstrap_worker import Followers, build_worker
from api.changes import Changes
from api.close_patterns import ClosePatterns
from api.context import ContextReader, LatestContext
from api.customers import Customers
from api.exports import Exports
from api.forecasts import Forecasts
from api.identity.access import Access
from api.identity.accesses import Accesses
from api.identity.keys import Keys
from api.identity.sessions import Sessions
from api.lists import DealLists
from api.lists_commitments import CommitmentLists
from api.lists_figures import Figures
from api.lists_log import LogLists
from api.overview import Overviews
from api.patterns import PatternReader
from api.places import Places
from api.processes import ProcessQuestions
from api.projection_states import StateReader
from api.quarter_figures import QuarterFigures
from api.quarter_pressure import QuarterPressure
from api.quarters import Quarters
from api.questions import DealQuestions
from api.replays import ReplayReader
from api.settings import Settings
from api.storage.embedded import EmbeddedServer
from api.storage.event_store import EventStore
from api.storage.log_reader import LogReader
from api.storage.migrate import bring_up
from api.storage.roles import Addresses
from api.what_if import WhatIfs
from api.worker import Worker


@dataclass(frozen=True, slots=True)
class Ledger:
    """One organisation's log with everything that works on it."""

    store: EventStore
    projecting: LogReader
    context: ContextReader
    application: Application
    questions: DealQuestions
    processes: ProcessQuestions
    worker: Worker
    audit: AuditTables
    states: StateReader
    places: Places
    lists: DealLists
    commitments: CommitmentLists
    log: LogLists
    figures: Figures
    replays: ReplayReader
    quarters: Quarters
    forecasts: Forecasts
    customers: Customers
    quarter_figures: QuarterFigures
    close_patterns: ClosePatterns
    quarter_pressure: QuarterPressure
    what_ifs: WhatIfs
    overviews: Overviews
    access: Access
    keys: Keys
    accesses: Accesses
    exports: Exports

    @property
    def sessions(self) -> Sessions:
        """Where browser sessions are opened, seen and ended."""
        return Sessions(self.store, clock.now)


@contextmanager
def database(settings: Settings) -> Iterator[Addresses]:
    """Give where each role reaches the database: the one that is set, else the embedded server."""
    given = settings.addresses()
    if given is not None:
        yield given
        return
    with EmbeddedServer(settings.home, bin_dir=settings.pg_bin) as server, server.kept_up():
        yield Addresses.on_embedded(server.dsn(), schema=settings.schema_name)


@contextmanager
def open_ledger(settings: Settings) -> Iterator[Ledger]:
    """Open the ledger of these settings, which is brought up to this version if nobody else does.

    Raises:
        MigrationError: its roles have addresses of their own, and it was not migrated.
    """
    with database(settings) as addresses:
        bring_up(addresses, schema=settings.schema_name)
        with ledger_at(addresses, schema=settings.schema_name) as ledger:
            yield ledger


@contextmanager
def ledger_at(addresses: Addresses, *, schema: str) -> Iterator[Ledger]:
    """Open a ledger that was brought up, each part of it under its own role."""
    store = EventStore(addresses.app, schema=schema)
    with LogReader(addresses.projector, schema=schema).closing() as projecting:
        try:
            yield build_ledger(store, projecting)
        finally:
            store.close()


def build_ledger(store: EventStore, projecting: LogReader) -> Ledger:
    """Build everything that works on a store; whoever appends starts the store first.

    What writes the projections does so through `projecting`, which is of the projector's role.
    """
    context = ContextReader(store)
    return _ledger(store, context, build_worker(projecting, context), projecting)


def _ledger(
    store: EventStore, context: ContextReader, followers: Followers, projecting: LogReader
) -> Ledger:
    worker, audit = followers
    access, places = Access(store, context, clock.now), Places(store, worker.position)
    log = LogLists(store, context, places, access)
    figures = Figures(store, context)
    replays = ReplayReader(store, context, places, worker.position)
    questions = DealQuestions(store, context, places, PatternReader(store, places))
    quarter_figures = QuarterFigures(figures, replays, places, worker.position)
    quarter_pressure = QuarterPressure(replays, worker.position)
    return Ledger(
        store=store,
        projecting=projecting,
        context=context,
        application=Application(store, LatestContext(store, context), store.timekeeper.now, access),
        questions=questions,
        processes=ProcessQuestions(store, context, places),
        worker=worker,
        audit=audit,
        states=StateReader(store, context, projections()),
        places=places,
        lists=DealLists(store, places),
        commitments=CommitmentLists(store, context, places),
        log=log,
        exports=Exports(store, log),
        figures=figures,
        replays=replays,
        quarters=Quarters(replays),
        forecasts=Forecasts(replays),
        customers=Customers(store, places),
        quarter_figures=quarter_figures,
        close_patterns=ClosePatterns(replays),
        quarter_pressure=quarter_pressure,
        what_ifs=WhatIfs(questions, quarter_figures, quarter_pressure),
        overviews=Overviews(store, context, places, Changes(store, context, places, access)),
        access=access,
        keys=Keys(store, clock.now),
        accesses=Accesses(store, clock.now),
    )
