"""Reads the form of an event: it is the body of the API's request, one field for each value."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final

from api.web.payload_fields import fields_of, payload_of

OCCURRED_AT: Final = "occurred_at"
CAUSED_BY: Final = "caused_by"
ENVELOPE: Final = (OCCURRED_AT, CAUSED_BY)
"""Asked for once, and told of every event of the form."""
ACCOUNT_ID: Final = "events[0].data.account.id"
ACCOUNT_NAME: Final = "events[0].data.account.name"
"""Of a deal that is opened: who knows the name need not know the id."""
AMENDED: Final = "amended_type"
UNDONE: Final = "undone"
REASON: Final = "reason"
_NAMED: Final = "outcome"
"""What a further event of a form names beforehand; with no more it is not told at all."""
_MINUTES: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2})(:[0-9]{2})?")
_EVENT: Final = re.compile(r"events\[([0-9]+)\]")


@dataclass(frozen=True, slots=True)
class Told:
    """What a form asks to record, as the API's request has it.

    `places` says at which place of the form each of its events stands, where some are not told.
    """

    content: Mapping[str, object]
    places: Sequence[int]
    undone: str | None = None

    def field_of(self, path: str) -> str:
        """Give the field of the form that a path of the request names."""
        for name in ENVELOPE:
            if path.endswith(f"].{name}"):
                return name
        return _EVENT.sub(lambda found: f"events[{self.places[int(found[1])]}]", path, count=1)


def body_of(form: Mapping[str, str]) -> Told:
    """Give what a form tells; what is wrong with it is for the application to say."""
    undone = form.get(UNDONE)
    if undone is not None:
        reason = form.get(REASON, "").replace("\r\n", "\n").strip()
        return Told({"reason": reason} if reason else {}, (), undone)
    envelope = _envelope(form)
    events: list[dict[str, object]] = []
    places: list[int] = []
    for place in count():
        name = form.get(f"events[{place}].type")
        if name is None:
            break
        data = _data(name, form, f"events[{place}].data")
        if place and not data.keys() - {_NAMED}:
            continue
        events.append({"type": name, **envelope, "data": data})
        places.append(place)
    return Told({"events": events}, places)


def _data(name: str, form: Mapping[str, str], path: str) -> dict[str, object]:
    fields = fields_of(name, amended=form.get(AMENDED, ""))
    if fields is None:
        return {}
    data = payload_of(fields, form, path)
    if isinstance(fields.get("data"), Mapping):
        data.setdefault("data", {})  # an amendment to nothing at all, where nothing is needed
    return data


def _envelope(form: Mapping[str, str]) -> dict[str, str]:
    told = {name: form.get(name, "").strip() for name in ENVELOPE}
    if found := _MINUTES.fullmatch(told[OCCURRED_AT]):
        told[OCCURRED_AT] = f"{found[1]}{found[2] or ':00'}Z"
    return {name: value for name, value in told.items() if value}
