"""Answers the page of a sales process."""

from typing import Any

from api.context import ContextReader
from api.http.context_answers import process_json, processes_json
from api.identity.permissions import Action, Identity, may
from api.page_reads.door import Door, refused_as_pages
from api.processes import ProcessQuestions, versions_of
from api.web.process_page import against_of, number_of


class ProcessReads:
    """What the page of a process asks."""

    def __init__(self, door: Door, processes: ProcessQuestions, context: ContextReader) -> None:
        self._door = door
        self._processes = processes
        self._context = context

    def process(
        self,
        reader: Identity,
        *,
        as_of: str | None,
        effective_at: str | None,
        process: str | None,
        version: str | None,
        against: str | None,
    ) -> dict[str, Any]:
        """Give a process, by default the one in force, and one of its versions, or the latest.

        What its steps are worth and what it should do without is told to whom the API tells it.
        """
        self._door.enter(reader, Action.READ_CONTEXT, "/process")
        moment = self._door.moment(as_of, effective_at)
        known = self._context.known(moment.position)
        wanted = process or known.default_process(moment.effective_at).id
        with refused_as_pages():
            numbers = [one.version for one in versions_of(known, wanted, None)]
            chosen = number_of(version, numbers) or max(numbers)
            other = against_of(numbers, chosen, number_of(against, numbers))
            lint = worth = None
            if may(reader, Action.READ_PROCESS_WORTH):
                lint, worth = self._processes.both(moment, wanted, version=chosen, against=other)
        return {
            **moment.answer(),
            "processes": processes_json(known),
            "process": process_json(known, wanted, None),
            "version": chosen,
            "against": other,
            "lint": lint,
            "worth": worth,
            "publishes": (as_of, effective_at) == (None, None)
            and may(reader, Action.PUBLISH_PROCESS),
        }
