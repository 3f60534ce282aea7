"""OCEL 2.0, logs of events about objects of many types; those of one type are the deals."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from api.exchange.context import KnownContext
from api.exchange.export_ocel import OWN_LINE
from api.exchange.lines import ExportRefusedError, Findings, JsonObject, Line
from api.exchange.log_telling import LogSpool, LogTelling
from api.exchange.ocel_items import OcelEvent, OcelItem, OcelObject
from api.exchange.ocel_json import json_items
from api.exchange.ocel_sqlite import MAGIC, sqlite_items
from api.exchange.ocel_xml import xml_items
from api.exchange.own_lines import SortedLines
from api.exchange.profile import Profile
from api.exchange.records import instant_of, one_line, place_of, stamp, text_of
from api.exchange.spool import Spool
from api.exchange.texts import open_text

SYSTEM: Final = "ocel2"
"""The source of ids where the profile names no other."""
DEAL: Final = "deal"
"""The type of object that is a deal where the profile names no other."""

_OBJECT, _EVENT, _REFERENCE = range(3)
_ACTOR: Final = "actor"
"""How the object is related to an event that did it."""
_TOLD, _OTHER, _MISSING = "told", "other", "missing"


@dataclass(slots=True)
class OcelReader:
    """Reads a log in any of its three forms, and joins events with objects on disk."""

    files: Sequence[Path]
    profile: Profile
    known: KnownContext
    _types: dict[str, None] = field(default_factory=dict, init=False)

    @property
    def system(self) -> str:
        return self.profile.source or SYSTEM

    @property
    def _deal(self) -> str:
        return self.profile.case or DEAL

    def lines(self, findings: Findings) -> Iterator[Line]:
        with Spool() as rows, Spool() as objects, Spool() as fates, Spool() as exported:
            spool, own = LogSpool(self.profile, rows, findings), SortedLines(exported)
            others = False
            for path in self.files:
                for item in self._items(path, findings):
                    line = item.attributes.get(OWN_LINE) if isinstance(item, OcelEvent) else None
                    if line is not None:
                        place = item.place
                        own.add(line, file=place.file, row=place.row, findings=findings)
                        continue
                    others = others or isinstance(item, OcelEvent)
                    self._keep(item, objects, findings)
            yield from own.lines(findings)
            if own.found and not others:
                return
            if self._deal not in self._types and (others or self._types):
                types = ", ".join(sorted(self._types)) or "there are none"
                raise ExportRefusedError(
                    f"no object is of the type {self._deal!r}; the types are: {types}; declare "
                    "`case` in the profile",
                    file=self.files[0].name,
                )
            for object_id, group in objects.groups():
                self._join(object_id, [row for _, row in group], spool, fates)
            _tell_fates(fates, findings)
            yield from LogTelling(
                self.profile, self.known, self.system, findings, self.files[0].name
            ).lines(spool)

    def _items(self, path: Path, findings: Findings) -> Iterator[OcelItem]:
        zone = self.profile.zone or "UTC"
        with path.open("rb") as file:
            head = file.read(len(MAGIC))
        if head == MAGIC:
            return sqlite_items(path, zone=zone, findings=findings)
        encoding = self.profile.encoding
        if _is_xml(path, head, encoding):
            return xml_items(path, zone=zone, encoding=encoding, findings=findings)
        return json_items(path, zone=zone, encoding=encoding, findings=findings)

    def _keep(self, item: OcelItem, objects: Spool, findings: Findings) -> None:
        file, row = item.place.file, item.place.row
        record: JsonObject = {"file": file, "row": row, "id": item.id, "type": item.type}
        if isinstance(item, OcelObject):
            if item.type:
                self._types[item.type] = None
                objects.add([item.id, _OBJECT, file, row], record | {"attributes": item.attributes})
            for other in item.related:
                objects.add([other, _REFERENCE, file, row], record)
            return
        if not item.related:
            findings.lacks("events of no object, and so of no deal")
        event = record | _event(item)
        for other in dict.fromkeys(one for one, _ in item.related):
            objects.add([other, _EVENT, file, row], event)

    def _join(self, object_id: str, rows: list[JsonObject], spool: LogSpool, fates: Spool) -> None:
        """Tell the events of a deal; of any other object, say what became of them."""
        types = [text_of(row, "type") for row in rows if "attributes" in row and "at" not in row]
        fate = _MISSING if not types else _TOLD if types[0] == self._deal else _OTHER
        for row in rows:
            is_event = "at" in row
            if fate == _TOLD and is_event:
                told = row | {"case": object_id, "key": f"{text_of(row, 'id')}:{object_id}"}
                spool.event(told, at=instant_of(row, "at"))
            elif fate == _TOLD and "attributes" in row:
                attributes = row["attributes"]
                if isinstance(attributes, dict):
                    spool.case(object_id, attributes, text_of(row, "file"))
            if is_event or fate == _MISSING:
                file, number = place_of(row)
                said: JsonObject = {"fate": fate, "object": object_id, "event": is_event}
                fates.add([f"{file}\0{number:012}\0{is_event}", fate], row | said)
        if fate == _OTHER:
            spool.findings.lacks(f"objects of the type {one_line(types[0])!r}")


def _event(item: OcelEvent) -> JsonObject:
    """An event as it is told; objects related to it are attributes, by how they are."""
    related = {qualifier: other for other, qualifier in item.related if qualifier}
    return {
        "name": item.type,
        "at": stamp(item.at),
        "by": one_line(related.get(_ACTOR, "")),
        "recorded": "",
        "attributes": related | item.attributes,
    }


def _is_xml(path: Path, head: bytes, encoding: str | None) -> bool:
    if head.startswith(b"\x1f\x8b"):
        return True
    try:
        with open_text(path, encoding) as file:
            return file.read(64).lstrip("\ufeff \t\r\n").startswith("<")
    except UnicodeError:
        return b"<" in head


def _tell_fates(fates: Spool, findings: Findings) -> None:
    """Account for the events that were told of no deal, and for what is not there."""
    for _, group in fates.groups():
        rows = [row for _, row in group]
        found = {text_of(row, "fate"): row for row in reversed(rows)}
        missing = found.get(_MISSING)
        if missing is not None:
            reason = f"relationships: there is no object {one_line(text_of(missing, 'object'))!r}"
            if _TOLD in found or not missing["event"]:
                findings.note(f"{reason}; the rest of what refers to it was told")
            else:
                findings.reject(*place_of(missing), reason)
        elif _TOLD not in found:
            findings.lacks("events of objects that are no deal")
