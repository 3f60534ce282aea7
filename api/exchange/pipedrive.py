"""Deals of Pipedrive and the pages of their history, joined and told as lines."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from pathlib import Path
from typing import Final

from api.exchange.context import (
    ContextStage,
    ContextWriter,
    KnownContext,
    fiscal_zone,
)
from api.exchange.crm_stages import Pipelines, goal_of
from api.exchange.custom_fields import declared_boxes, tell_custom, tell_task
from api.exchange.deal_groups import DealGroup, by_deal
from api.exchange.deal_lines import Deal, SourceContext, SourceNames
from api.exchange.folders import Folder, find_files, numbered
from api.exchange.json_pages import Pages
from api.exchange.json_stream import ANY_KEY, ELEMENT, JsonRecord
from api.exchange.lines import ExportRefusedError, Findings, JsonObject, Line
from api.exchange.openings import tell_deletion
from api.exchange.owners import tell_owner_changes
from api.exchange.pipedrive_deals import CLOSED, OWNERS, SILENT, DealHistory, with_stated_end
from api.exchange.pipedrive_known import known_changes
from api.exchange.pipedrive_rows import (
    DELETED,
    FlowItem,
    activity_row,
    change_row,
    deal_record,
    flow_item,
    id_of,
    is_true,
    note_row,
    number_in,
    numbered_changes,
    price_row,
    text_value,
)
from api.exchange.price_offers import tell_price_offers
from api.exchange.profile import Profile
from api.exchange.records import instant_of, one_line, place_of, text_of
from api.exchange.snapshots import tell_history
from api.exchange.spool import Key, Spool

SYSTEM: Final = "pipedrive"
"""The source of ids where the profile names no other."""

_FLOW: Final = "deal_flow"
_HISTORIES: Final = (_FLOW, "deal_changelog")
_KINDS: Final = ("deals", "stages", "users", "deal_products", *_HISTORIES)
_DATA: Final = (("data", ELEMENT), (ELEMENT, "data", ELEMENT))
_OF_DEAL: Final = ((ANY_KEY, ELEMENT, "data", ELEMENT), (ANY_KEY, "data", ELEMENT))
"""Histories of many deals in one file: the pages of each under its id."""
_DIGITS: Final = 18
"""Digits of the highest id that sorts as a number."""
_ABOUT: Final = "additional_data"
_NAMES: Final = SourceNames(
    system="Pipedrive", stages="stages.json", amount="value", close_date="won_time"
)


class _Kind(IntEnum):
    """What a spooled row is; the deal itself comes first."""

    DEAL = 0
    CHANGE = 1
    ACTIVITY = 2
    NOTE = 3
    PRICE = 4


@dataclass(slots=True)
class _Seen:
    """What the first reading finds out before the first line is given."""

    pipelines: Pipelines = field(default_factory=Pipelines)
    of_stage: Mapping[str, str] = field(default_factory=dict)
    """The pipeline of a stage, by the stage's id."""
    used: set[str] = field(default_factory=set)
    earliest: datetime | None = None


class PipedriveReader:
    """Reads an export once, sorts it by deal on disk, and tells deal by deal."""

    def __init__(self, paths: Sequence[Path], *, profile: Profile, known: KnownContext) -> None:
        self._pages = Pages(
            folder=_find(paths),
            places=_DATA,
            paging=[(*place[:-2], _ABOUT) for place in (*_DATA, *_OF_DEAL)],
            follows=_follows,
            expected="pages of an answer, each with `data`",
            encoding=profile.encoding,
            named=dict.fromkeys(_HISTORIES, _OF_DEAL),
        )
        self._profile = profile
        self._known = known

    @property
    def system(self) -> str:
        return self._profile.source or SYSTEM

    @property
    def files(self) -> Sequence[Path]:
        return self._pages.folder.all

    def lines(self, findings: Findings) -> Iterator[Line]:
        for path in self._pages.folder.others:
            findings.note(f"{path.name} was not read: it is no object that is imported")
        with Spool() as deals:
            seen = self._read(findings, deals)
            yield from self._told(deals, seen, findings)

    def _read(self, findings: Findings, deals: Spool) -> _Seen:
        seen = _Seen()
        each = self._pages.each
        each("stages", findings, lambda found: _take_stage(found, seen, self._profile))
        _add_endings(seen.pipelines)
        seen.of_stage = seen.pipelines.of_stage
        each("users", findings, lambda found: _take_user(found, findings))
        each("deals", findings, lambda found: self._deal(found, deals, seen))
        for kind in _HISTORIES:
            if kind in self._pages.folder.by_kind:
                each(kind, findings, lambda found: _spool_item(found, deals, seen, findings))
        if _FLOW not in self._pages.folder.by_kind:
            findings.lacks(f"activities and notes: the export has no {_FLOW}, which tells them")
        each("deal_products", findings, lambda found: _spool_price(found, deals, findings))
        return seen

    def _deal(self, found: JsonRecord, deals: Spool, seen: _Seen) -> None:
        record = deal_record(found)
        if not record["currency"] and self._profile.currency is None:
            raise ExportRefusedError(
                "no currency: declare `currency` in the profile", file=found.file, row=found.row
            )
        created = instant_of(record, "created")
        seen.earliest = min(seen.earliest or created, created)
        seen.used.add(text_of(record, "pipeline"))
        deals.add([text_of(record, "id"), _Kind.DEAL, "", 0, found.file, found.row], record)

    def _told(self, deals: Spool, seen: _Seen, findings: Findings) -> Iterator[Line]:
        if seen.earliest is None:
            # There is no deal, or none that can be read; what is told of one is a reject.
            for deal_id, group in by_deal(deals, self._known, self.system):
                DealGroup(deal_id, [(key[1], row) for key, row in group]).record(findings)
            return
        writer = ContextWriter(
            known=self._known, findings=findings, system=self.system, earliest=seen.earliest
        )
        processes, context_lines = seen.pipelines.publish(
            writer, self._profile, used=seen.used, file=self._pages.file("stages")
        )
        yield from context_lines
        _say_what_lacks(self._profile, findings)
        context = SourceContext(
            names=_NAMES,
            profile=self._profile,
            processes=processes,
            zone=fiscal_zone(self._profile, self._known),
            stages={},
            closes=seen.pipelines.closes,
            checkboxes=declared_boxes(self._profile),
        )
        for deal_id, group in by_deal(deals, self._known, self.system):
            rows = DealGroup(deal_id, [(key[1], row) for key, row in group])
            yield from _deal_lines(rows, context, findings, seen.of_stage)


def _find(paths: Sequence[Path]) -> Folder:
    folder = find_files(
        paths,
        numbered(_KINDS, ".json"),
        expected="not an export of Pipedrive: expected files named after answers, such as "
        "deals.json, deal_flow.json and stages.json",
    )
    for kind in ("deals", "stages"):
        if kind not in folder.by_kind:
            raise ExportRefusedError(
                f"missing: a history cannot be told without the {kind}", file=f"{kind}.json"
            )
    if not any(kind in folder.by_kind for kind in _HISTORIES):
        raise ExportRefusedError(
            "missing: ask for /flow or /changelog of the deals, which hold their history",
            file="deal_flow.json",
        )
    return folder


def _follows(about: object) -> bool:
    """Whether another page follows, as version 1 or version 2 of the API says it."""
    if not isinstance(about, dict):
        return False
    pagination = about.get("pagination")
    more = isinstance(pagination, dict) and pagination.get("more_items_in_collection") is True
    return more or bool(about.get("next_cursor"))


def _take_stage(found: JsonRecord, seen: _Seen, profile: Profile) -> None:
    stage_id = id_of(found.content)
    pipeline = text_value(found.content.get("pipeline_id"))
    label = one_line(text_value(found.content.get("name"))) or stage_id
    order = number_in(found.content, "order_nr") or 0
    stage = ContextStage(stage_id, label, goal_of(profile, stage_id, label), None)
    seen.pipelines.add(pipeline, stage, order=order)


def _add_endings(pipelines: Pipelines) -> None:
    """A deal ends by its status, so a process needs two endings that no stage of it is."""
    for pipeline in list(pipelines.stages):
        for ending in CLOSED.values():
            goal = f"Pipedrive closes a deal by its status: {ending}."
            stage = ContextStage(ending, ending.capitalize(), goal, ending)
            pipelines.add(pipeline, stage)


def _take_user(found: JsonRecord, findings: Findings) -> None:
    name = one_line(text_value(found.content.get("name")))
    findings.names[id_of(found.content)] = name or id_of(found.content)


def _spool_item(found: JsonRecord, deals: Spool, seen: _Seen, findings: Findings) -> None:
    named = found.keys[0] not in (ELEMENT, "data")
    item = flow_item(found, deal=one_line(found.keys[0]) if named else "")
    row = _row_of(item, findings)
    if row is None:
        return
    kind, told = row
    values = {text_of(told, "old"), text_of(told, "new")} - {""}
    if told.get("field") == "pipeline_id":
        seen.used |= values
    elif told.get("field") == "stage_id":
        seen.used |= {seen.of_stage[one] for one in values & seen.of_stage.keys()}
    # The newest stands first, and ids grow: either tells the order of what one second holds.
    number = text_value(item.content.get("id"))
    order = int(number) if number.isdecimal() and len(number) <= _DIGITS else -found.row
    key: Key = [item.deal, int(kind), text_of(told, "at"), order, found.file, found.row]
    deals.add(key, told | found.place)


def _row_of(item: FlowItem, findings: Findings) -> tuple[_Kind, JsonObject] | None:
    match item.kind:
        case "dealChange":
            return _Kind.CHANGE, change_row(item)
        case "activity" if is_true(item.content.get("done")):
            return _Kind.ACTIVITY, activity_row(item)
        case "activity":
            findings.note("an open activity was left out: it claims nothing yet")
        case "note":
            return _Kind.NOTE, note_row(item)
        case _:
            findings.lacks(f"{one_line(item.kind) or 'an entry of no kind'} in the flow of a deal")
    return None


def _spool_price(found: JsonRecord, deals: Spool, findings: Findings) -> None:
    if found.content.get("is_enabled") is False:
        findings.note("a product that is switched off was left out")
        return
    row = price_row(found)
    if found.content.get("add_time") != found.content.get("update_time"):
        findings.note("the discount of a product is told at the last change of the product")
    deal = id_of(found.content, "deal_id")
    deals.add([deal, _Kind.PRICE, text_of(row, "at"), 0, found.file, found.row], row)


def _say_what_lacks(profile: Profile, findings: Findings) -> None:
    mapped = {mapping.event for mapping in profile.custom_fields.values()}
    for event in ("outcome_evidenced", "customer_commitment_recorded"):
        if event not in mapped:
            findings.lacks(f"{event}: Pipedrive has no object for it; a note stays a note")
    findings.lacks("quota_assigned: Pipedrive's goals are not in this export")
    findings.lacks("member_joined: the export says nothing of sales teams")


def _deal_lines(
    group: DealGroup, context: SourceContext, findings: Findings, pipelines: Mapping[str, str]
) -> Iterator[Line]:
    record = group.record(findings)
    if record is None:
        return
    known = known_changes(record, context.known(group.id))
    rows = with_stated_end(record, known.fill(record, _distinct(group, findings)))
    changes = list(numbered_changes(group.id, rows))
    history = DealHistory(record, changes, context.zone, pipelines, known.beginning(rows))
    try:
        snapshots = history.snapshots()
    except ValueError as error:
        findings.reject(*place_of(record), f"a change of it: {error}")
        return
    record["closes"] = _closes(record, snapshots)
    record["name"] = _first_name(record, changes)
    _end(record, changes)
    deal = Deal(context, findings, record, snapshots)
    owners = [row for row in changes if row["field"] in OWNERS and row["new"]]
    deal.owner = (text_of(owners[0], "old") if owners else "") or text_of(record, "owner")
    deal.owners = [(text_of(row, "new"), row) for row in owners]
    tell_history(deal)
    for name, since, row in history.holes:
        deal.gap(row, start=since, end=instant_of(row, "at"), fields=[name])
    tell_owner_changes(deal)
    _tell_rest(deal, group, changes)
    tell_deletion(deal)
    yield from (line for line in deal.in_order() if line.external_id not in history.told)


def _closes(record: JsonObject, snapshots: list[JsonObject]) -> object:
    """How the deal has ended: as its status says, or for a deleted one, as it stood before."""
    if record["status"] == DELETED and snapshots:
        return snapshots[-1]["closes"]
    return CLOSED.get(text_of(record, "status"))


def _distinct(group: DealGroup, findings: Findings) -> list[JsonObject]:
    """The changes, each once, however often and in whichever answers of the API it stands.

    Those of `/flow` have ids, by which two that say the same are told apart.
    """
    found: list[JsonObject] = []
    ids: dict[tuple[object, ...], set[object]] = {}
    for row in (row for kind, row in group.rows if kind == _Kind.CHANGE):
        known = ids.setdefault((row["field"], row["at"], row["old"], row["new"]), set())
        if known and (not row["change"] or known & {row["change"], ""}):
            findings.duplicates += 1
        else:
            found.append(row)
        known.add(row["change"])
    return found


def _first_name(record: JsonObject, changes: list[JsonObject]) -> str:
    """What the deal was called when it was opened."""
    titles = [text_of(row, "old") for row in changes if row["field"] == "title"]
    return titles[0] if titles and titles[0] else text_of(record, "name")


def _end(record: JsonObject, changes: list[JsonObject]) -> None:
    """Who deleted the deal, and when; one that was restored since was not."""
    for row in changes if record["deleted"] else ():
        if row["field"] == "status" and row["new"] == DELETED:
            record |= {"modified": row["at"], "modified_by": row["by"]}


def _tell_rest(deal: Deal, group: DealGroup, changes: list[JsonObject]) -> None:
    tell_custom(deal, [row for row in changes if row["field"] not in SILENT])
    for activity in group.each(_Kind.ACTIVITY, deal.findings):
        tell_task(deal, activity)
    for note in group.each(_Kind.NOTE, deal.findings):
        if note["text"]:
            deal.add(note, "note_added", {"text": note["text"]})
    tell_price_offers(deal, group.each(_Kind.PRICE, deal.findings))
    if deal.record["archived"]:
        deal.findings.lacks("is_archived: a deal was put aside, which no event says")
