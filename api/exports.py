"""Exports of the log: its events batch by batch, under the names that their source gave."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, LiteralString

from api.answers import json_bytes, logged_json
from api.exchange.exporting import EXPORTS, ExportFormat
from api.exchange.told import Batches, Told
from api.lists_log import LogLists
from api.query.question import LogQuestion
from api.storage.log_reader import LogReader
from domain.replay import Event
from projections.batch import deal_of

BATCH: Final = 500
"""Events in memory at once, whatever the format and however long the log."""
_NAMES: Final[LiteralString] = (
    "SELECT stream_id, external_stream FROM events"
    " WHERE stream_id = ANY(%(ids)s) AND version = 1 AND external_stream IS NOT NULL"
)


@dataclass(slots=True)
class Tally:
    """What an export has given out so far: how many events, and up to which position.

    Of who breaks off it holds what they may have got.
    """

    position: int
    events: int = 0

    def counted(self, batches: Batches) -> Batches:
        for batch in batches:
            self.events += len(batch)
            self.position = batch[-1].event.position
            yield batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One export: what is asked of the log, in the order of positions, and in which format."""

    format: str
    question: LogQuestion
    after: int = 0

    @property
    def upto(self) -> int:
        """The last position that it may hold."""
        return self.question.moment.position


class Exports:
    """Writes what the log holds, in any format, of any size."""

    def __init__(self, store: LogReader, log: LogLists) -> None:
        self._store = store
        self._log = log

    def written(self, export: Export, tally: Tally) -> Generator[bytes, None, None]:
        """Give an export piece by piece; the tally is kept on the way.

        Each batch is a question of its own: no transaction is held open while a client thinks, and
        what is appended meanwhile lies beyond `upto`.
        """
        chosen = EXPORTS[export.format]
        yield from chosen.write(tally.counted(self._batches(export, chosen)))

    def shown(
        self, pages: Iterable[Sequence[Event]], question: LogQuestion, name: str
    ) -> Iterator[bytes]:
        """Write events of pages, which were read already, piece by piece.

        As NDJSON they are what a page of JSON shows; the line of an export leaves out what another
        ledger cannot keep.
        """
        filled = (events for events in pages if events)
        if name != "ndjson":
            chosen = EXPORTS[name]
            yield from chosen.write(self._told(events, question, chosen) for events in filled)
            return
        for events in filled:
            correctors = self._log.correctors(events, question)
            lines = (json_bytes(logged_json(event, correctors)) for event in events)
            yield b"".join(line + b"\n" for line in lines)

    def _batches(self, export: Export, chosen: ExportFormat) -> Batches:
        if export.after < export.upto:
            for events in self._log.batches(export.question, last=export.after, size=BATCH):
                yield self._told(events, export.question, chosen)

    def _told(
        self, events: Sequence[Event], question: LogQuestion, chosen: ExportFormat
    ) -> list[Told]:
        """Give the events with the names of their deals in the source; others are their own."""
        deals = {event.stream_id for event in events if deal_of(event.stream_id)}
        names: dict[str, str] = dict(self._store.rows(_NAMES, {"ids": list(deals)}))
        asked = events if chosen.says_corrections else ()
        correctors = self._log.correctors(asked, question)
        return [
            Told(event, _name(event, names), correctors.get(event.event_id)) for event in events
        ]


def _name(event: Event, names: dict[str, str]) -> str:
    if event.source is not None and event.source.stream is not None:
        return f"deal:{event.source.stream}"
    return f"deal:{names[event.stream_id]}" if event.stream_id in names else event.stream_id
