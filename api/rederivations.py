"""Answers which verdicts an event of the log re-derived, and which read otherwise since."""

from collections import Counter
from dataclasses import dataclass
from typing import Final, TypeAlias

from api.answers import event_json
from api.context import CONTEXT_TOPICS, ContextReader
from api.errors import MalformedRequestError, UnknownThingError
from api.moment import Moment
from api.storage.log_reader import LogReader
from domain.events.base import type_name
from projections.attainment.projection import ledger
from projections.batch import deal_of
from projections.facts import Rows
from projections.pressure.context import KnownContext
from projections.pressure.dirty import Rederived, rederived
from projections.pressure.verdicts import ActVerdict

Answer: TypeAlias = dict[str, object]
_QUOTA: Final = "quota."


@dataclass(frozen=True, slots=True)
class Rederivations:
    """What events did to verdicts; the views must have reached the moment."""

    store: LogReader
    context: ContextReader

    def of_event(self, moment: Moment, position: int) -> Answer:
        """Give the verdicts that rest on what an event changed, before it and after it.

        Raises:
            UnknownThingError: there is no event at the position, or not by the moment.
            MalformedRequestError: it changes how every deal reads, as a policy does.
        """
        events = self.store.events_at(position, position) if position <= moment.position else []
        if not events:
            message = f"there is no event at position {position} as of {moment.position}"
            raise UnknownThingError(message, field="position")
        event = events[0]
        if event.data.TOPIC in CONTEXT_TOPICS and not event.data.TOPIC.startswith(_QUOTA):
            message = (
                f"position: a {type_name(type(event.data))} changes how many deals read at once;"
                " ask a deal or a quarter with restate=true"
            )
            raise MalformedRequestError(message, field="position")
        with self.store.connection() as connection:
            found = rederived(
                lambda at: self._known(connection, at), position, deal_of(event.stream_id)
            )
        reasons = Counter(reason for one in found for reason in one.reasons)
        return {
            **moment.answer(),
            "event": event_json(event),
            "rederived": len(found),
            "reasons": dict(sorted(reasons.items())),
            "changed": [_changed(one) for one in found if one.changed],
        }

    def _known(self, connection: Rows, position: int) -> KnownContext:
        known = self.context.known(position)
        return KnownContext(connection, known=known, as_of=position, ledger=ledger)


def _changed(one: Rederived) -> Answer:
    told = one.after or one.before
    return {
        "deal_id": str(one.deal_id),
        "event_id": str(one.event_id),
        "rep": told.rep if told else None,
        "type": told.kind if told else None,
        "reasons": list(one.reasons),
        "before": _verdict(one.before),
        "after": _verdict(one.after),
    }


def _verdict(one: ActVerdict | None) -> str | None:
    return one.verdict if one else None
