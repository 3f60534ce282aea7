"""Answers the settings: keys, people, the rules in force and who set them, and the server."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from api.errors import MalformedRequestError, UnknownThingError
from api.http.context_answers import calendars_json, policies_json, rates_json, teams_json
from api.http.health import readiness
from api.http.services import Services
from api.identity.issuing import create_key
from api.identity.keys import NewKey, key_json
from api.identity.permissions import Action, Identity, may
from api.identity.reach import Reach
from api.lists_figures import QuotaFilters
from api.moment import Moment
from api.page_reads.called import one_called
from api.page_reads.door import Door, refused_as_pages
from api.people import People
from api.web.reads import FormError
from domain.errors import OrganisationRefusedError
from domain.known import Known
from domain.policy import Policy

PAGE = "/settings"


class SettingsReads:
    """What the settings ask, and what their forms do with keys."""

    def __init__(self, door: Door, services: Services, people: People) -> None:
        self._door = door
        self._services = services
        self._people = people

    def settings(
        self, reader: Identity, *, as_of: str | None, effective_at: str | None
    ) -> dict[str, Any]:
        """Give what of the settings the reader may see; None stands for what they may not."""
        reach = self._door.enter(reader, Action.READ_CONTEXT, PAGE)
        moment = self._door.moment(as_of, effective_at)
        known = self._services.context.known(moment.position)
        with refused_as_pages():
            return {
                **moment.answer(),
                "teams": teams_json(known, moment.effective_at),
                "policy": policies_json(known),
                "meanings": _meanings(),
                "calendar": calendars_json(known, moment.effective_at),
                "rates": rates_json(known),
                "quotas": self._quotas(reader, reach, moment, known),
                "keys": self._keys(reader),
                "health": self._health(reader),
                "set_by": _set_by(known),
                "names": self._people.names(),
            }

    def make_key(self, reader: Identity, form: Mapping[str, str]) -> dict[str, Any]:
        """Make the key that a form asks for, and give it with its secret.

        Raises:
            FormError: something of it cannot be.
        """
        self._door.enter(reader, Action.MANAGE_KEYS, PAGE)
        try:
            made = create_key(
                self._services.keys,
                self._services.access,
                member=one_called(form.get("member", "").strip(), self._people, field="member"),
                role=form.get("role") or None,
                scopes=None,
                name=form.get("name", "").strip(),
                lifetime=timedelta(days=_number(form, "days", default=90)),
                by=reader.actor,
            )
        except (MalformedRequestError, OrganisationRefusedError) as error:
            field = "days" if error.field == "lifetime" else error.field
            raise FormError(error.detail, field=field) from error
        return _made(made)

    def rotate_key(self, reader: Identity, key_id: str, form: Mapping[str, str]) -> dict[str, Any]:
        """Give a key another secret, and give it with that.

        Raises:
            FormError: it cannot be used any more, or the secret before cannot be good so long.
        """
        self._door.enter(reader, Action.MANAGE_KEYS, PAGE)
        grace = timedelta(hours=_number(form, "grace_hours", default=0))
        try:
            return _made(self._services.keys.rotate(key_id, grace=grace))
        except (MalformedRequestError, UnknownThingError) as error:
            raise FormError(error.detail) from error

    def revoke_key(self, reader: Identity, key_id: str) -> None:
        """End a key, and the sessions that were opened with it.

        Raises:
            FormError: there is no such key.
        """
        self._door.enter(reader, Action.MANAGE_KEYS, PAGE)
        try:
            self._services.keys.revoke(key_id)
        except UnknownThingError as error:
            raise FormError(error.detail) from error

    def _keys(self, reader: Identity) -> list[dict[str, object]] | None:
        if not may(reader, Action.MANAGE_KEYS):
            return None
        return [key_json(key) for key in self._services.keys.all()]

    def _quotas(
        self, reader: Identity, reach: Reach, moment: Moment, known: Known
    ) -> list[dict[str, Any]] | None:
        quarter = known.calendar.quarter_at(moment.effective_at)
        if not may(reader, Action.READ_QUOTAS) or quarter is None:
            return None
        found = self._services.figures.quotas(moment, QuotaFilters(quarter=quarter.name))
        return [one for one in found if reach.has_figures_of(one["rep"], one["team"])]

    def _health(self, reader: Identity) -> dict[str, Any] | None:
        if not may(reader, Action.SEE_OPERATIONS):
            return None
        return readiness(self._services).model_dump()


def _set_by(known: Known) -> dict[str, dict[str, object]]:
    """Give who told each event of the context, and when."""
    return {
        str(event.event_id): {"actor": event.actor, "recorded_at": event.recorded_at}
        for event in known.events
    }


def _meanings() -> dict[str, str]:
    """Give what each number of a policy means."""
    return {name: field.description or "" for name, field in Policy.model_fields.items()}


def _made(made: NewKey) -> dict[str, Any]:
    return {**key_json(made.key), "secret": made.secret}


def _number(form: Mapping[str, str], field: str, *, default: int) -> int:
    text = form.get(field, "").strip() or str(default)
    if not text.isascii() or not text.isdigit() or len(text) > len("8784"):
        raise FormError(f"{field}: give a whole number", field=field)
    return int(text)
