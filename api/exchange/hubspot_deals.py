"""A deal of HubSpot as a plain record: as it is now, and as it was at each of its moments."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from api.exchange.csv_values import number_text
from api.exchange.deal_lines import CLOSING, SAME_MOMENT
from api.exchange.hubspot_rows import (
    CURRENCY,
    Version,
    associated,
    hubspot_day,
    hubspot_instant,
    id_of,
    object_of,
    text_value,
    versions,
)
from api.exchange.lines import JsonObject, Line
from api.exchange.moments import moment_id, moments
from api.exchange.owners import NOBODY
from api.exchange.records import instant_of, place_of, stamp, text_of

HISTORY: Final = "propertiesWithHistory"

_STATE: Final = {
    "dealstage": "stage",
    "pipeline": "pipeline",
    "amount": "amount",
    "closedate": "close_date",
    CURRENCY: "currency",
}
"""What a snapshot holds, by the property that says it.

Beside it `first_currency`: that of the first version of the currency, which may be a later one.
"""
_OWNER: Final = "hubspot_owner_id"
_LOSS: Final = "closed_lost_reason"
_MERGED: Final = "hs_merged_object_ids"
_TOLD: Final = frozenset({*_STATE, _OWNER, _LOSS, "createdate", "dealname"})
"""Properties that are told as events of their own, or are the same for ever."""
_COMPUTED: Final = ("hs_", "num_", "notes_", "days_to_", "hubspot_")
"""How the properties begin that HubSpot sets by itself."""


@dataclass(slots=True)
class DealRows:
    """Reads deals as the pipelines and users of the export name things."""

    zone: str
    closes: Mapping[str, str | None]
    """How a deal ends in a stage, by the stage's id."""
    pipelines: Mapping[str, str]
    """The pipeline of a stage, by the stage's id."""
    users: Mapping[str, str]
    """The owner id of a user, by user id."""
    boxes: dict[str, bool] = field(default_factory=dict)
    """Whether a property has held nothing but true and false so far."""

    def record(self, content: Mapping[str, object]) -> JsonObject:
        """The deal with its snapshots, owners and other changes.

        Raises:
            ValueError: it has no id, no time of creation, or a version without a time.
        """
        properties = object_of(content, "properties")
        histories = {
            name: versions(history, self.users, name)
            for name, history in object_of(content, HISTORY).items()
        }
        deal = id_of(content)
        created = hubspot_instant(properties.get("createdate") or content.get("createdAt"))
        modified = hubspot_instant(
            content.get("archivedAt") or content.get("updatedAt") or stamp(created)
        )
        moments_of = list(self._snapshots(deal, histories))
        snapshots = [row for row in moments_of if row["stage"]]
        return self._now(properties, snapshots) | {
            "id": deal,
            "name": _first(histories.get("dealname"), properties.get("dealname")),
            "account": next(iter(associated(content, "companies")), ""),
            "owner": text_value(properties.get(_OWNER)) or NOBODY,
            "created": stamp(created),
            "created_by": "",
            "modified": stamp(modified),
            "modified_by": "",
            "deleted": content.get("archived") is True,
            "merged": _merged(properties, histories.get(_MERGED, ()), modified),
            "snapshots": snapshots,
            "early": [row for row in moments_of if not row["stage"]],
            "owners": list(_owners(deal, histories.get(_OWNER, ()))),
            "fields": list(self._fields(deal, histories)),
            "custom": self._custom(properties),
            "renamed": len(histories.get("dealname", ())) > 1,
        }

    def _now(self, properties: JsonObject, snapshots: list[JsonObject]) -> JsonObject:
        """The state as the deal's own properties say, or as its last version does."""
        last = snapshots[-1] if snapshots else {}
        stated: JsonObject = {key: last.get(key, "") for key in _STATE.values()}
        for name, key in _STATE.items():
            if name in properties:
                stated[key] = self._value(name, text_value(properties[name]))
        stage = text_value(stated["stage"])
        return stated | {"pipeline": self.pipelines.get(stage, text_value(stated["pipeline"]))}

    def _value(self, name: str, value: str) -> str | None:
        if name not in ("amount", "closedate"):
            return value
        if not value:
            return None
        try:
            if name == "amount":
                return number_text(value)
            return hubspot_day(value, self.zone).isoformat()
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error

    def _snapshots(self, deal: str, histories: Mapping[str, list[Version]]) -> Iterator[JsonObject]:
        stages = histories.get("dealstage", ())
        closings = [one.at for one in stages if self.closes.get(one.value) is not None]
        state: JsonObject = dict.fromkeys(_STATE.values(), "")
        state |= {
            "amount": None,
            "close_date": None,
            "first_currency": _first(histories.get(CURRENCY), ""),
        }
        entered_at = datetime.min.replace(tzinfo=UTC)
        for at, number, changes in moments(_changes(histories, closings)):
            for name, version in changes.items():
                if name in _STATE:
                    state[_STATE[name]] = self._value(name, version.value)
            entered_at = at if "dealstage" in changes else entered_at
            stage = text_value(state["stage"])
            row: JsonObject = state | {
                "id": moment_id(deal, stamp(at), number),
                "at": stamp(at),
                "by": (changes.get("dealstage") or next(iter(changes.values()))).by,
                "pipeline": self.pipelines.get(stage, text_value(state["pipeline"])),
            }
            if "closedate" in changes and at in closings:
                row["set_by_source"] = "close_date"
            if self.closes.get(stage) == "lost":
                row["loss_reason"] = _reason(histories.get(_LOSS, ()), since=entered_at, upto=at)
            yield row

    def _fields(self, deal: str, histories: Mapping[str, list[Version]]) -> Iterator[JsonObject]:
        """The changes of properties that are no state of a deal, each after the other."""
        for name, history in histories.items():
            if name in _TOLD or name.startswith(_COMPUTED):
                continue
            plain = {version.value for version in history} <= {"true", "false", ""}
            self.boxes[name] = self.boxes.get(name, True) and plain
            yield from (_change(deal, name, version) for version in history)

    def _custom(self, properties: JsonObject) -> JsonObject:
        return {
            name: text_value(value)
            for name, value in properties.items()
            if name not in _TOLD and not name.startswith(_COMPUTED) and text_value(value)
        }


def _owners(deal: str, history: Iterable[Version]) -> Iterator[JsonObject]:
    # Taken from one and given to another in one moment, a deal was nobody's at none.
    for version in {version.at: version for version in history}.values():
        yield _change(deal, _OWNER, version) | {"new": version.value or NOBODY}


def merged_away(deal: str, merge: JsonObject) -> Line:
    """A deal that this export or an earlier one still has, and that went into another."""
    at = instant_of(merge, "at")
    file, row = place_of(merge)
    return Line(
        stream=f"deal:{deal}",
        external_id=f"{deal}:merged",
        type="deal_deleted",
        occurred_at=at,
        recorded_at=at,
        actor=text_of(merge, "by"),
        data={"reason": f"Merged into the deal {text_of(merge, 'into')} in HubSpot."},
        file=file,
        row=row,
    )


def _merged(
    properties: JsonObject, history: Iterable[Version], modified: datetime
) -> dict[str, str]:
    """The deals that were merged into this one, and when: by its last change if no version says."""
    first: dict[str, datetime] = {}
    for one in history:
        for merged in _ids(one.value):
            first.setdefault(merged, one.at)
    now = _ids(text_value(properties.get(_MERGED)))
    return {merged: stamp(first.get(merged, modified)) for merged in now}


def _ids(text: str) -> list[str]:
    return [one.strip() for one in text.split(";") if one.strip()]


def _changes(
    histories: Mapping[str, list[Version]], closings: list[datetime]
) -> Iterator[tuple[datetime, str, Version]]:
    for name in (*_STATE, _LOSS):
        for version in histories.get(name, ()):
            at = _closing_at(version, closings) if name == "closedate" else version.at
            yield at, name, version


def _closing_at(version: Version, closings: list[datetime]) -> datetime:
    """The closing that a version of the close date belongs to, else its own time."""
    near = (closing for closing in closings if abs(version.at - closing) <= CLOSING)
    return next(near, version.at)


def _reason(history: Iterable[Version], *, since: datetime, upto: datetime) -> str:
    """Why the deal was lost, as last stated with the loss or since, and not long before it."""
    latest = max(upto, since + SAME_MOMENT)
    said = [one.value for one in history if since - SAME_MOMENT <= one.at <= latest and one.value]
    return said[-1] if said else ""


def _change(deal: str, name: str, version: Version) -> JsonObject:
    return {
        "id": f"{deal}:{name}:{stamp(version.at)}",
        "field": name,
        "new": version.value,
        "at": stamp(version.at),
        "by": version.by,
    }


def _first(history: list[Version] | None, now: object) -> str:
    return history[0].value if history else text_value(now)
