"""Deals of HubSpot with the history of their properties, joined and told as lines."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import IntEnum
from pathlib import Path
from typing import Final, cast

from api.exchange import hubspot_v1
from api.exchange.context import (
    ContextStage,
    ContextWriter,
    KnownContext,
    fiscal_zone,
)
from api.exchange.crm_stages import Pipelines, goal_of
from api.exchange.custom_fields import declared_boxes, tell_custom, tell_task
from api.exchange.deal_groups import DealGroup, by_deal, inside
from api.exchange.deal_lines import SAME_MOMENT, Deal, SourceContext, SourceNames
from api.exchange.folders import Folder, find_files, numbered
from api.exchange.hubspot_deals import HISTORY, DealRows, merged_away
from api.exchange.hubspot_rows import (
    associated,
    id_of,
    line_item_records,
    number_value,
    object_of,
    task_record,
    text_value,
)
from api.exchange.json_pages import Pages
from api.exchange.json_stream import ELEMENT, JsonRecord
from api.exchange.lines import ExportRefusedError, Findings, JsonObject, Line
from api.exchange.openings import tell_deletion
from api.exchange.owners import NOBODY, tell_owner_changes
from api.exchange.price_offers import tell_price_offers
from api.exchange.profile import Profile
from api.exchange.records import BadRecordError, instant_of, one_line, place_of, text_of
from api.exchange.snapshots import tell_history
from api.exchange.spool import Key, Spool

SYSTEM: Final = "hubspot"
"""The source of ids where the profile names no other."""

_KINDS: Final = ("deals", "pipelines", "owners", "companies", "tasks", "line_items")
_BARE: Final = ("pipelines", "owners")
"""What the first API gives as an array without a page around it."""
_NEEDED: Final = ("deals", "pipelines")
_RESULTS: Final = tuple(
    place
    for name in ("results", hubspot_v1.DEALS, hubspot_v1.OBJECTS)
    for place in ((name, ELEMENT), (ELEMENT, name, ELEMENT))
)
_PAGING: Final = tuple(
    place for name in ("paging", hubspot_v1.MORE) for place in ((name,), (ELEMENT, name))
)
_NAMES: Final = SourceNames(
    system="HubSpot", stages="the pipelines", amount="amount", close_date="closedate"
)

_DEALS_HELD: Final = 4_000
"""Deals held in memory at once: each comes with its whole history."""
_PARENT, _CHILD = range(2)


class _Kind(IntEnum):
    """What a spooled row is; the deal itself comes first."""

    DEAL = 0
    TASK = 1
    PRICE = 2
    MERGED = 3
    """That the deal went into another."""


@dataclass(slots=True)
class _Seen:
    """What the first reading finds out before the first line is given."""

    zone: str
    pipelines: Pipelines = field(default_factory=Pipelines)
    names: dict[str, str] = field(default_factory=dict)
    users: dict[str, str] = field(default_factory=dict)
    merged: dict[str, str] = field(default_factory=dict)
    """The deal that lives on, by each that was merged into it."""
    used: set[str] = field(default_factory=set)
    boxes: dict[str, bool] = field(default_factory=dict)
    earliest: datetime | None = None
    told: bool = False
    """Whether any deal has a history."""


class HubspotReader:
    """Reads an export once, sorts it by deal on disk, and tells deal by deal."""

    def __init__(self, paths: Sequence[Path], *, profile: Profile, known: KnownContext) -> None:
        self._pages = Pages(
            folder=_find(paths),
            places=_RESULTS,
            paging=_PAGING,
            follows=_follows,
            expected="pages of objects, each with `results`",
            encoding=profile.encoding,
            bare=_BARE,
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
        with Spool(run=_DEALS_HELD) as deals:
            seen = self._read(findings, deals)
            yield from self._told(deals, seen, findings)

    def _read(self, findings: Findings, deals: Spool) -> _Seen:
        seen = _Seen(zone=fiscal_zone(self._profile, self._known))
        each = self._pages.each
        each("pipelines", findings, lambda found: _take_pipeline(found, seen, self._profile))
        each("owners", findings, lambda found: _take_owner(found, seen))
        with Spool(run=_DEALS_HELD) as companies:
            each("companies", findings, lambda found: _take_company(found, companies))
            self._read_deals(findings, companies, deals, seen)
            _name_companies(companies, deals)
        each("tasks", findings, lambda found: self._task(found, deals, seen, findings))
        each("line_items", findings, lambda found: self._price(found, deals, seen, findings))
        findings.names |= seen.names
        return seen

    def _read_deals(self, findings: Findings, companies: Spool, deals: Spool, seen: _Seen) -> None:
        rows = DealRows(
            zone=seen.zone,
            closes=seen.pipelines.closes,
            pipelines=seen.pipelines.of_stage,
            users=seen.users,
            boxes=seen.boxes,
        )

        def take(found: JsonRecord) -> None:
            record = self._deal(found, rows, seen)
            key: Key = [text_of(record, "account"), _CHILD, found.file, found.row]
            companies.add(key, record)
            _spool_merges(record, deals)

        self._pages.each("deals", findings, take)
        if not seen.told and seen.earliest is not None:
            raise ExportRefusedError(
                f"no deal has {HISTORY}: ask for the history of dealstage, pipeline, amount, "
                "closedate, hubspot_owner_id and dealname",
                file=self._pages.file("deals"),
            )

    def _deal(self, found: JsonRecord, rows: DealRows, seen: _Seen) -> JsonObject:
        record = rows.record(hubspot_v1.present(found.content)) | found.place
        if not record["currency"] and self._profile.currency is None:
            raise ExportRefusedError(
                "no deal_currency_code: declare `currency` in the profile",
                file=found.file,
                row=found.row,
            )
        seen.told = seen.told or bool(record["snapshots"])
        created = instant_of(record, "created")
        seen.earliest = min(seen.earliest or created, created)
        for row in (record, *cast("list[JsonObject]", record["snapshots"])):
            seen.used.add(text_of(row, "pipeline"))
        seen.merged |= dict.fromkeys(object_of(record, "merged"), text_of(record, "id"))
        return record

    def _task(self, found: JsonRecord, deals: Spool, seen: _Seen, findings: Findings) -> None:
        content = hubspot_v1.present(found.content)
        of = [seen.merged.get(deal, deal) for deal in associated(content, "deals")]
        status = text_value(object_of(content, "properties").get("hs_task_status"))
        if not of:
            findings.note("a task that belongs to no deal was left out")
        elif content.get("archived") is True:
            findings.note("a deleted task was left out")
        elif status != "COMPLETED":
            findings.note("an open task was left out: it claims nothing yet")
        else:
            for deal in dict.fromkeys(of):
                row = task_record(content, deal) | found.place
                deals.add([deal, _Kind.TASK, text_of(row, "at"), found.file, found.row], row)

    def _price(self, found: JsonRecord, deals: Spool, seen: _Seen, findings: Findings) -> None:
        content = hubspot_v1.present(found.content)
        of = [seen.merged.get(deal, deal) for deal in associated(content, "deals")]
        if not of:
            findings.note("a line item that belongs to no deal was left out")
        elif content.get("archived") is True:
            findings.note("a deleted line item was left out")
        else:
            for row in list(line_item_records(content, seen.users)):
                for deal in dict.fromkeys(of):
                    key: Key = [deal, _Kind.PRICE, text_of(row, "at"), found.file, found.row]
                    deals.add(key, row | found.place)

    def _told(self, deals: Spool, seen: _Seen, findings: Findings) -> Iterator[Line]:
        if seen.earliest is None:
            # There is no deal, or none that can be read; what is told of one is a reject.
            for deal_id, group in by_deal(deals, self._known, self.system):
                DealGroup(deal_id, [(key[1], row) for key, row in group]).record(findings)
            return
        writer = ContextWriter(
            known=self._known, findings=findings, system=self.system, earliest=seen.earliest
        )
        seen.pipelines.ensure_closing(self._pages.file("pipelines"), used=seen.used)
        processes, context_lines = seen.pipelines.publish(
            writer, self._profile, used=seen.used, file=self._pages.file("pipelines")
        )
        yield from context_lines
        _say_what_lacks(self._profile, findings)
        context = SourceContext(
            names=_NAMES,
            profile=self._profile,
            processes=processes,
            zone=seen.zone,
            stages={},
            closes=seen.pipelines.closes,
            checkboxes=_checkboxes(seen, self._profile),
        )
        for deal_id, group in by_deal(deals, self._known, self.system):
            rows = [(key[1], row) for key, row in group]
            merges = [row for kind, row in rows if kind == _Kind.MERGED]
            own = DealGroup(deal_id, [one for one in rows if one[0] != _Kind.MERGED])
            if own.rows:
                yield from _deal_lines(own, context, findings)
            if merges and self._stands(own):
                yield merged_away(deal_id, merges[0])

    def _stands(self, group: DealGroup) -> bool:
        """Whether a deal is in this export, or in the ledger since an earlier one; not its end."""
        known = self._known.deal(self.system, group.id)
        if known.when(f"{group.id}:merged") or known.when(f"{group.id}:deal_deleted"):
            return False
        records = [row for kind, row in group.rows if kind == _Kind.DEAL]
        if records:
            return not records[0]["deleted"]
        return known.when(f"{group.id}:deal_opened") is not None


def _find(paths: Sequence[Path]) -> Folder:
    folder = find_files(
        paths,
        numbered(_KINDS, ".json"),
        expected="not an export of HubSpot: expected files named after objects, such as "
        "deals.json and pipelines.json",
    )
    for kind in _NEEDED:
        if kind not in folder.by_kind:
            raise ExportRefusedError(
                f"missing: a history cannot be told without the {kind}", file=f"{kind}.json"
            )
    return folder


def _follows(paging: object) -> bool:
    return paging is True or (isinstance(paging, dict) and bool(paging.get("next")))


def _take_pipeline(found: JsonRecord, seen: _Seen, profile: Profile) -> None:
    pipeline = id_of(hubspot_v1.present(found.content))
    stages = found.content.get("stages")
    if not isinstance(stages, list):
        raise BadRecordError("stages: expected a list")
    listed = [hubspot_v1.present(stage) for stage in stages if isinstance(stage, dict)]
    for stage in listed:
        stage_id = id_of(stage)
        label = one_line(text_value(stage.get("label"))) or stage_id
        goal = goal_of(profile, stage_id, label)
        order = number_value(stage.get("displayOrder")) or 0
        ended = ContextStage(stage_id, label, goal, _closes(stage))
        seen.pipelines.add(pipeline, ended, order=order)


def _closes(stage: JsonObject) -> str | None:
    """How a deal ends there: a closed stage is won if it is certain, else lost."""
    about = object_of(stage, "metadata") or stage
    probability = number_value(about.get("probability"))
    closed = text_value(about.get("isClosed"))
    if closed == "false" or (not closed and probability not in (Decimal(0), Decimal(1))):
        return None
    return "won" if probability == 1 else "lost"


def _take_owner(found: JsonRecord, seen: _Seen) -> None:
    owner = id_of(hubspot_v1.present(found.content))
    parts = (text_value(found.content.get(key)) for key in ("firstName", "lastName"))
    seen.names[owner] = one_line(" ".join(parts)) or text_value(found.content.get("email"))
    user = text_value(found.content.get("userId", found.content.get("activeUserId")))
    if user:
        seen.users[user] = owner


def _take_company(found: JsonRecord, companies: Spool) -> None:
    content = hubspot_v1.present(found.content)
    name = one_line(text_value(object_of(content, "properties").get("name")))
    companies.add([id_of(content), _PARENT, found.file, found.row], {"name": name})


def _name_companies(companies: Spool, deals: Spool) -> None:
    """Put the deals where they are sorted by their own ids, with the names of their companies."""
    for _, group in companies.groups():
        name = ""
        for (_, kind, *place), row in group:
            if kind == _PARENT:
                name = text_of(row, "name")
            else:
                deals.add(
                    [text_of(row, "id"), _Kind.DEAL, "", *place], row | {"account_name": name}
                )


def _spool_merges(record: JsonObject, deals: Spool) -> None:
    """Put beside each deal that was merged into this one that it was."""
    merge: JsonObject = {"into": record["id"], "by": record["owner"]}
    merge |= {"file": record["file"], "row": record["row"]}
    merged = object_of(record, "merged")
    for deal in merged:
        at = text_of(merged, deal)
        deals.add([deal, _Kind.MERGED, at, *place_of(record)], merge | {"at": at})


def _first_owner(record: JsonObject) -> str:
    """Who owned the deal when its history begins: nobody, where it was given to the first later."""
    owners, snapshots = inside(record, "owners"), inside(record, "snapshots")
    if not owners:
        return text_of(record, "owner")
    begun = instant_of(snapshots[0] if snapshots else record, "at" if snapshots else "created")
    later = instant_of(owners[0], "at") - begun > SAME_MOMENT
    return NOBODY if later else text_of(owners[0], "new")


def _checkboxes(seen: _Seen, profile: Profile) -> frozenset[str]:
    declared = declared_boxes(profile)
    others = {name for name in profile.custom_fields if name not in declared}
    return frozenset(({name for name, plain in seen.boxes.items() if plain} | declared) - others)


def _say_what_lacks(profile: Profile, findings: Findings) -> None:
    mapped = {mapping.event for mapping in profile.custom_fields.values()}
    for event in ("outcome_evidenced", "customer_commitment_recorded"):
        if event not in mapped:
            findings.lacks(f"{event}: HubSpot has no object for it, and the profile maps no field")
    findings.lacks("quota_assigned: HubSpot's goals are not in this export")
    findings.lacks("member_joined: the export says nothing of sales teams")


def _deal_lines(group: DealGroup, context: SourceContext, findings: Findings) -> Iterator[Line]:
    record = group.record(findings)
    if record is None:
        return
    deal = Deal(context, findings, record, inside(record, "snapshots"), owner=_first_owner(record))
    deal.early = inside(record, "early")
    deal.owners = [(text_of(row, "new"), row) for row in inside(record, "owners")]
    tell_history(deal)
    tell_owner_changes(deal)
    tell_custom(deal, inside(record, "fields"))
    for task in group.each(_Kind.TASK, findings):
        tell_task(deal, task)
    tell_price_offers(deal, group.each(_Kind.PRICE, findings))
    _note_rest(deal)
    tell_deletion(deal)
    yield from deal.in_order()


def _note_rest(deal: Deal) -> None:
    record, findings = deal.record, deal.findings
    if record["renamed"]:
        findings.lacks("name: a deal was given another")
    if record["merged"]:
        findings.note("a deal has others merged into it: what belonged to them is told of it")
    if _may_be_default(deal):
        findings.note(
            "a close date on the last day of a month, there since the deal was created, may be "
            "HubSpot's own default"
        )


def _may_be_default(deal: Deal) -> bool:
    opened = next((line.data for line in deal.lines if line.type == "deal_opened"), {})
    day = opened.get("close_date")
    return isinstance(day, str) and (date.fromisoformat(day) + timedelta(days=1)).day == 1
