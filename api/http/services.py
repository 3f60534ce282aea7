"""What the routes work with, built by the bootstrap and handed to the application once."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from threading import Event as Flag

from fastapi import Request

from api import clock
from api.application import Application
from api.close_patterns import ClosePatterns
from api.context import ContextReader
from api.customers import Customers
from api.exports import Exports
from api.forecasts import Forecasts
from api.http.limits import MAX_BULKS, MAX_EXPORTS, MAX_STREAMS, MAX_UPLOADS
from api.http.slots import Slots
from api.identity.access import Access
from api.identity.accesses import Accesses
from api.identity.authenticator import Authenticator
from api.identity.keys import Keys
from api.identity.sessions import Sessions
from api.imports import Imports
from api.lists import DealLists
from api.lists_commitments import CommitmentLists
from api.lists_figures import Figures
from api.lists_log import LogLists
from api.overview import Overviews
from api.processes import ProcessQuestions
from api.projection_states import StateReader
from api.publications import Publications
from api.quarter_figures import QuarterFigures
from api.quarter_pressure import QuarterPressure
from api.quarters import Quarters
from api.questions import DealQuestions
from api.rederivations import Rederivations
from api.replays import ReplayReader
from api.storage.event_store import EventStore
from api.views import Views
from api.what_if import WhatIfs


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The use cases and readers behind the routes.

    Whoever stops the server sets `stopping` first, so that streams end and do not hold the stop up.
    `worker_pid` gives the process that keeps the views up, None while there is none.
    """

    application: Application
    questions: DealQuestions
    processes: ProcessQuestions
    lists: DealLists
    commitments: CommitmentLists
    log: LogLists
    exports: Exports
    figures: Figures
    store: EventStore
    context: ContextReader
    views: Views
    replays: ReplayReader
    quarters: Quarters
    forecasts: Forecasts
    customers: Customers
    quarter_figures: QuarterFigures
    close_patterns: ClosePatterns
    quarter_pressure: QuarterPressure
    what_ifs: WhatIfs
    overviews: Overviews
    states: StateReader
    now: Callable[[], datetime] = clock.now
    authenticator: Authenticator
    access: Access
    accesses: Accesses
    keys: Keys
    sessions: Sessions
    imports: Imports
    stopping: Flag = field(default_factory=Flag)
    worker_pid: Callable[[], int | None] = lambda: None
    streams: Slots = field(default_factory=partial(Slots, MAX_STREAMS, "followers of the log"))
    exports_at_once: Slots = field(default_factory=partial(Slots, MAX_EXPORTS, "exports"))
    bulks: Slots = field(default_factory=partial(Slots, MAX_BULKS, "bulk requests"))
    uploads: Slots = field(default_factory=partial(Slots, MAX_UPLOADS, "uploads"))

    @property
    def rederivations(self) -> Rederivations:
        """What is derived from the log anew, to be compared with what is kept."""
        return Rederivations(self.store, self.context)

    @property
    def publications(self) -> Publications:
        """What is said of a version of a process beside its publication."""
        return Publications(self.store, self.context, self.processes, self.views)


def services_of(request: Request) -> Services:
    """Give the services of the application that serves a request."""
    services = request.app.state.services
    if not isinstance(services, Services):
        message = "the application was not made by create_app"
        raise TypeError(message)
    return services
