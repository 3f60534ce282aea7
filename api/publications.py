"""What is said of a version of a process before it is published, and when it was."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.application import Command
from api.context import ContextReader
from api.errors import VersionMismatchError, ViewsBehindError
from api.identity.permissions import ensure_may_write
from api.processes import ProcessQuestions
from api.storage.errors import StorageError
from api.storage.event_store import EventStore
from api.views import Views
from domain.context import decide_context
from domain.events.context import ProcessPublished
from domain.process import Process
from domain.replay import Event
from domain.stamp import Stamp
from projections.process.lint import Finding, lint


@dataclass(frozen=True, slots=True)
class Publications:
    """Tries the publication of a version of a process, and says what it should do without."""

    store: EventStore
    context: ContextReader
    processes: ProcessQuestions
    views: Views

    def ensure_publishable(self, process_id: str, stream: Sequence[Event], asked: Command) -> None:
        """Decide what a command would record in the stream of a process, and record nothing.

        Raises:
            NotPermittedError: the caller may not publish.
            VersionMismatchError: the process is not at the version that the command names.
            DomainError: the model refuses the version; its field says where.
        """
        stream_id, version = f"process:{process_id}", len(stream)
        ensure_may_write(asked.caller.identity, stream_id, on_behalf_of=[None])
        if version not in (asked.if_match or (version,)):
            message = f"the process is at version {version}: somebody was first"
            raise VersionMismatchError(message, current_version=version)
        now = self.store.timekeeper.now()
        stamp = Stamp(
            occurred_at=now,
            recorded_at=now,
            actor=asked.caller.actor,
            channel=asked.caller.channel,
        )
        decide_context(
            stream_id,
            stream,
            [intent.data for intent in asked.intents],
            stamps=[stamp] * len(asked.intents),
            known=self.context.known(self.store.head().position),
        )

    def findings(self, process: Process, *, before: int | None = None) -> list[Finding]:
        """Say what a version should do without, by what was known of deals up to a position.

        Where these cannot be read, or not yet, its shape alone speaks: what is said beside
        a publication must not make it fail.
        """
        try:
            as_of = None if before is None else f"position:{before}"
            moment = self.views.moment(as_of=as_of, effective_at=None)
            return self.processes.warnings(moment, process)
        except (StorageError, ViewsBehindError):
            return lint(process, None)


def process_of(process_id: str, told: ProcessPublished) -> Process:
    """Give the process that a publication tells of."""
    return Process(
        id=process_id,
        version=told.version,
        name=told.name,
        stages=told.stages,
        closing=told.closing,
    )
