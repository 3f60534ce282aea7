"""Records what the forms of deals tell, by the way that the API's own requests take."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from fastapi import Request

from api.answers import json_bytes
from api.application import Command, Intent, Recorded
from api.http.body import decoded_object
from api.http.deals import deal_named
from api.http.guard import identity_of
from api.http.intents import read_intents, read_undoing
from api.http.services import Services
from api.http.writes import command
from api.identity.permissions import Action, Identity, ensure_may
from api.page_reads.called import with_ids
from api.page_reads.refusals import EXPECTED, key_and_seen, refused, version_at
from api.people import People
from api.web.reads import BadQuestionError, FormError
from api.web.record_body import ACCOUNT_ID, ACCOUNT_NAME, Told, body_of

MOST_OF_ID: Final = 200
"""Characters of an id; a name may have more."""


@dataclass(frozen=True, slots=True)
class _Sent:
    """A form as it was sent: what it tells, as a request of the API would have it."""

    told: Told
    body: bytes
    key: str
    seen: int


class DealWrites:
    """What the forms of deals do."""

    def __init__(self, services: Services, people: People) -> None:
        self._services = services
        self._people = people

    async def open_deal(self, request: Request, form: Mapping[str, str]) -> dict[str, Any]:
        """Open the deal that a form tells of, and give its events.

        Raises:
            FormError: something of it cannot be.
            PageError: it cannot be done at all, or not now.
        """
        sent = _sent(form)
        try:
            reader = identity_of(request)
            ensure_may(reader, Action.APPEND_DEALS)
            sent = _sent(await asyncio.to_thread(self._with_account, reader, form))
            asked_for = _command(request, sent)
            return _recorded(await self._services.application.open_deal(asked_for))
        except EXPECTED as error:
            raise refused(error, request, sent.told.field_of) from error

    def _with_account(self, reader: Identity, form: Mapping[str, str]) -> Mapping[str, str]:
        """Give a form with the id of its account: that of this name, or else the name itself.

        Where the name is too long for an id, or is the id of an account of another name, it is
        told by its hash, so that deals of two customers never come under one id.

        Raises:
            FormError: several accounts have this name.
        """
        name = form.get(ACCOUNT_NAME, "").strip()
        if not name or "\0" in name or form.get(ACCOUNT_ID, "").strip():
            return form  # what no account can be called is refused with the rest of the form
        reach = self._services.access.reach(reader)
        moment = self._services.views.moment(as_of=None, effective_at=None)
        known = self._services.customers.called(moment, name, reach)
        if len(known) > 1:
            message = f"several accounts have this name; say which one: {', '.join(known)}"
            raise FormError(message, field=ACCOUNT_ID)
        if known:
            return {**form, ACCOUNT_ID: known[0]}
        fits = len(name) <= MOST_OF_ID and not self._services.customers.is_of_another(moment, name)
        return {**form, ACCOUNT_ID: name if fits else sha256(name.encode()).hexdigest()}

    async def append(
        self, request: Request, deal_id: str, form: Mapping[str, str]
    ) -> dict[str, Any]:
        """Record the events of a deal that a form tells, or undo the one that it names.

        Raises:
            MovedOnError: the deal has events that the page of the form did not show.
            SentBeforeError: the form was sent before with something else in it.
            FormError: something of it cannot be.
            PageError: it cannot be done at all, or not now.
        """
        sent = _sent(form)
        try:
            ensure_may(identity_of(request), Action.APPEND_DEALS)
            sent = _sent(await asyncio.to_thread(with_ids, form, self._people))
            named = deal_named(deal_id)
            asked_for = _command(request, sent, if_match=await self._versions(named, sent.seen))
            return _recorded(await self._services.application.append_to_deal(named, asked_for))
        except EXPECTED as error:
            raise refused(error, request, sent.told.field_of) from error

    async def _versions(self, deal_id: UUID, seen: int) -> tuple[int, ...]:
        """Give the version of a deal that a page showed, by the position that the page stood at."""
        return version_at(await self._services.store.load(f"deal:{deal_id}"), seen)


def _sent(form: Mapping[str, str]) -> _Sent:
    key, seen = key_and_seen(form)
    told = body_of(form)
    return _Sent(told, json_bytes(told.content), key, seen)


def _command(request: Request, sent: _Sent, *, if_match: tuple[int, ...] | None = None) -> Command:
    intents = _intents(sent)
    return command(request, intents, key=sent.key, body=sent.body, if_match=if_match)


def _intents(sent: _Sent) -> tuple[Intent, ...]:
    content = decoded_object(sent.body)
    if sent.told.undone is None:
        return read_intents("deal", sent.body, content)
    try:
        undone = UUID(sent.told.undone)
    except ValueError as error:
        raise BadQuestionError("There is no such event to undo.") from error
    return (read_undoing(sent.body, undone),)


def _recorded(recorded: Recorded) -> dict[str, Any]:
    return {
        "deal_id": recorded.stream_id.partition(":")[2],
        "event_ids": [str(event.event_id) for event in recorded.events],
    }
