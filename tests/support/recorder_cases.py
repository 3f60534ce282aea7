"""The library's own conformance cases for recorders, on ours.

They store topics without an event type and states that are no JSON, and count some versions
from 0; our log takes neither. So these cases go through a recorder that wraps a state into a
payload and counts from 1, and unwraps and counts back when it reads.
"""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar, cast
from uuid import UUID, uuid4

from eventsourcing.persistence import ApplicationRecorder, Notification, StoredEvent
from eventsourcing.tests import persistence as library

from api.storage.event_store import EventStore
from api.storage.library import LogRecorder, StoredPending, library_application
from domain.events.base import DomainEvent
from tests.support.log import new_event


class Foreign(DomainEvent):
    """A payload that is nothing but some text."""

    TOPIC: ClassVar[str] = "tests.foreign.v1"

    text: str


class ForeignRecorder(LogRecorder):
    """Our recorder for events that are not ours."""

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        return super().insert_events([_wrapped(event) for event in stored_events], **kwargs)

    def select_events(
        self,
        originator_id: object,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        found = super().select_events(
            originator_id,
            gt=None if gt is None else gt + 1,
            lte=None if lte is None else lte + 1,
            desc=desc,
            limit=limit,
        )
        return [StoredEvent(**_plain(event)) for event in found]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        found = super().select_notifications(
            start, limit, stop, topics, inclusive_of_start=inclusive_of_start
        )
        return [Notification(id=event.id, **_plain(event)) for event in found]


@cache
def _foreign(topic: str) -> type[Foreign]:
    """One type for each topic: to make one takes far longer than to insert an event."""
    return type("Foreign", (Foreign,), {"TOPIC": topic})


def _wrapped(event: StoredEvent) -> StoredPending:
    data = _foreign(event.topic)(text=event.state.decode())
    return StoredPending(
        originator_id=event.originator_id,
        originator_version=event.originator_version + 1,
        topic=event.topic,
        state=data.to_json(),
        event=new_event(data),
    )


def _plain(event: StoredEvent) -> dict[str, Any]:
    return {
        "originator_id": event.originator_id,
        "originator_version": event.originator_version - 1,
        "topic": event.topic,
        "state": json.loads(event.state)["text"].encode(),
    }


class _OnOurLog(library.RecorderTestCase):
    store: EventStore
    INITIAL_VERSION = 0

    def new_originator_id(self) -> UUID | str:
        return f"deal:{uuid4()}"

    def create_recorder(self) -> Any:
        application = library_application(self.store)
        self.addCleanup(application.close)
        recorder = ForeignRecorder(cast("LogRecorder", application.recorder).datastore)
        recorder.bind(self.store)
        return recorder


class RecorderCases(_OnOurLog, library.ApplicationRecorderTestCase[ApplicationRecorder]):
    """Insert, select, follow, and concurrent writers."""


class NonInterleavingCases(_OnOurLog, library.NonInterleavingNotificationIDsBaseCase):
    """The positions of two concurrent appends do not mix."""
