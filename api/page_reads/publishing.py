"""Answers the page that publishes a version of a process, and publishes as the API does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fastapi import Request
from pydantic import TypeAdapter, ValidationError

from api.answers import json_bytes
from api.application import Command
from api.http.body import decoded_object
from api.http.context_answers import process_json, version_json
from api.http.fields import sentence
from api.http.guard import identity_of
from api.http.intents import read_intents
from api.http.services import Services
from api.http.writes import command
from api.identity.permissions import Action, Identity, ensure_may
from api.page_reads.door import Door, refused_as_pages
from api.page_reads.refusals import EXPECTED, key_and_seen, refused, version_at
from api.people import People
from api.publications import process_of
from api.web.publish_text import TEXT, located, told_in
from api.web.reads import FormError, PageError
from domain.events.context import ProcessPublished
from domain.replay import Event
from domain.values import Identifier
from projections.process.lint import warnings_json

PROCESS: Final = "process"
"""The field of the form that names the process."""
_NAME: Final[TypeAdapter[str]] = TypeAdapter(Identifier)


@dataclass(frozen=True, slots=True)
class _Sent:
    """A form as it was sent, and the stream that it would publish in."""

    process: str
    text: str
    told: ProcessPublished
    asked: Command
    stream: Sequence[Event]


class Publishing:
    """What the page asks, and what its form does."""

    def __init__(self, door: Door, services: Services, people: People) -> None:
        self._door = door
        self._services = services
        self._people = people

    def draft(self, reader: Identity, process: str | None, *, seen: int | None) -> dict[str, Any]:
        """Give what a new version of a process, by default of the one in force, begins with.

        That is its latest version, or for a new process the one in force; `published` are the
        versions that were published after the position `seen`.

        Raises:
            NotForYouError: the reader publishes no processes.
        """
        self._door.enter(reader, Action.PUBLISH_PROCESS, "/process/publish")
        with refused_as_pages():
            head = self._services.store.head()
            known = self._services.context.known(head.position)
            in_force = known.default_process(self._services.now())
            wanted = process or in_force.id
            numbers = [one.version for one in known.catalogue.values() if one.id == wanted]
            begun = process_json(known, wanted if numbers else in_force.id, None)
            names = self._people.names() if seen is not None else {}
            since = [
                _published_json(event, event.data, names)
                for event in known.events
                if isinstance(event.data, ProcessPublished)
                and event.stream_id == f"process:{wanted}"
                and event.position > (head.position if seen is None else seen)
            ]
        return {
            "as_of": {"position": head.position},
            "process": wanted,
            "begun": begun,
            "number": max(numbers, default=0) + 1,
            "latest": max(numbers, default=None),
            "published": since,
        }

    async def check(self, request: Request, form: Mapping[str, str]) -> dict[str, Any]:
        """Say what the version of a form would be refused for, or would do better without.

        Raises:
            MovedOnError: the process has versions that the page of the form did not show.
            FormError: the version cannot be.
            PageError: it cannot be published at all, or not now.
        """
        sent = await self._sent(request, form)
        try:
            publications = self._services.publications
            publications.ensure_publishable(sent.process, sent.stream, sent.asked)
        except EXPECTED as error:
            raise _refused(error, request, sent.text) from error
        version = process_of(sent.process, sent.told)
        return {
            "version": version_json(version, None),
            "warnings": warnings_json(publications.findings(version)),
        }

    async def publish(self, request: Request, form: Mapping[str, str]) -> dict[str, Any]:
        """Publish the version of a form, and give its process and number.

        Raises: as `check`, and
            SentBeforeError: the form was sent before with something else in it.
        """
        sent = await self._sent(request, form)
        stream_id = f"process:{sent.process}"
        try:
            await self._services.application.append_to_context(stream_id, sent.asked)
        except EXPECTED as error:
            raise _refused(error, request, sent.text) from error
        return {"process": sent.process, "version": sent.told.version}

    async def _sent(self, request: Request, form: Mapping[str, str]) -> _Sent:
        key, seen = key_and_seen(form)
        text = form.get(TEXT, "").replace("\r\n", "\n")
        try:
            ensure_may(identity_of(request), Action.PUBLISH_PROCESS)
            process = _named(form.get(PROCESS, ""))
            body = json_bytes({"events": [{"type": "process_published", "data": told_in(text)}]})
            intents = read_intents("process", body, decoded_object(body))
            (told,) = (one.data for one in intents if isinstance(one.data, ProcessPublished))
            stream = await self._services.store.load(f"process:{process}")
        except EXPECTED as error:
            raise _refused(error, request, text) from error
        named = json_bytes({"process": process, "request": body.decode()})
        asked = command(request, intents, key=key, body=named, if_match=version_at(stream, seen))
        return _Sent(process, text, told, asked, stream)


def _named(process: str) -> str:
    try:
        return _NAME.validate_python(process.strip())
    except ValidationError as error:
        raise FormError(sentence(error.errors()[0]), field=PROCESS) from error


def _refused(error: Exception, request: Request, text: str) -> PageError:
    """Give what the page says of a refusal, with the line of the text that each fault is in."""
    found = refused(error, request, lambda path: path)
    if isinstance(found, FormError) and found.errors:
        found.errors = located(text, found.errors)
    return found


def _published_json(
    event: Event, told: ProcessPublished, names: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "version": told.version,
        "name": told.name,
        "by": names.get(event.actor, event.actor),
        "recorded_at": event.recorded_at,
    }
