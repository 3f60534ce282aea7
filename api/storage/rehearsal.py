"""Appends an event and takes it back, to find out whether the log can be appended to."""

from datetime import datetime
from typing import Final, LiteralString

import psycopg

from api.storage.errors import CLOCK_STATES, ClockRefusedError, LogUnavailableError
from api.storage.log_reader import LogReader
from api.storage.requests import AppendRequest, NewEvent, new_event_id
from api.storage.timekeeper import Timekeeper
from api.storage.wire import APPEND, pack, parameters
from domain.events.people import NoteAdded

_CONNECTION_SECONDS: Final = 1.5
_STATEMENT_SECONDS: Final = 1.0
_NOTE: Final = NoteAdded(text="Is anybody there?")
_LIMITS: Final[LiteralString] = (
    "SELECT set_config('statement_timeout', '1000', true), set_config('lock_timeout', '1000', true)"
)


def rehearse_append(store: LogReader, timekeeper: Timekeeper) -> None:
    """Do all that an append does but the commit: the clocks, the head's lock, rows and indexes.

    Raises:
        ClockRefusedError: a clock jumped.
        LogUnavailableError: an append that came now would fail, or wait.
    """
    now = timekeeper.now()
    try:
        with (
            store.connection(timeout=_CONNECTION_SECONDS) as connection,
            connection.answering_within(_STATEMENT_SECONDS),
            connection.transaction(force_rollback=True),
        ):
            connection.execute(_LIMITS)
            asked = parameters([pack(_request(now))], sent_at=now, resent=False)
            connection.execute(APPEND, asked)
    except psycopg.Error as error:
        message = f"the log cannot be appended to: {str(error).strip()}"
        if error.sqlstate not in CLOCK_STATES:
            raise LogUnavailableError(message) from error
        refusal = ClockRefusedError(message)
        timekeeper.refused(refusal)
        raise refusal from error
    timekeeper.agreed()


def _request(now: datetime) -> AppendRequest:
    event = NewEvent(event_id=new_event_id(), data=_NOTE, occurred_at=now, actor="admin")
    return AppendRequest(
        stream_id=f"deal:{new_event_id()}",
        events=(event,),
        caller="admin",
        idempotency_key=str(event.event_id),
    )
