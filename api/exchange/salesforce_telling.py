"""Telling a Salesforce export: the company's context first, then deal by deal."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import IntEnum
from typing import Final, cast

from pydantic import JsonValue

from api.exchange.context import ContextWriter, KnownContext, ProcessInUse
from api.exchange.custom_fields import tell_discount, tell_task
from api.exchange.deal_groups import by_deal
from api.exchange.deal_lines import Deal, SourceContext, SourceNames
from api.exchange.lines import Findings, JsonObject, Line
from api.exchange.openings import tell_deletion
from api.exchange.owners import tell_owner_changes
from api.exchange.price_offers import tell_price_offers
from api.exchange.profile import Profile
from api.exchange.records import place_of, plain_number, text_of
from api.exchange.salesforce_facts import (
    check_pushes,
    first_owner,
    owners,
    state_loss_reasons,
    tell_fields,
    tell_missing,
)
from api.exchange.salesforce_files import SalesforceFiles
from api.exchange.salesforce_ids import full_id
from api.exchange.salesforce_reference import Periods, Quotas, Stages, Users
from api.exchange.salesforce_rows import ANOTHER, CUSTOM, RowReader
from api.exchange.snapshots import amend_loss, tell_history, tell_holes
from api.exchange.spool import Spool
from api.exchange.texts import CsvRow
from domain.calendars import calendar_from
from domain.fiscal import FiscalCalendar, OutsideCalendarError

_NAMES: Final = SourceNames(
    system="Salesforce",
    stages="OpportunityStage",
    amount="Amount",
    close_date="CloseDate",
    suffix=CUSTOM,
)


class Kind(IntEnum):
    """What a spooled row is; the opportunity itself comes first."""

    OPPORTUNITY = 0
    SNAPSHOT = 1
    FIELD = 2
    TASK = 3
    QUOTE = 4
    PRODUCT = 5
    HOLE = 6
    """A snapshot that cannot be read."""


@dataclass(slots=True)
class Seen:
    """What the first reading of all rows finds out before the first line is given."""

    stages: Stages = field(default_factory=Stages)
    users: Users = field(default_factory=Users)
    periods: Periods = field(default_factory=Periods)
    stage_names: set[str] = field(default_factory=set)
    checkboxes: set[str] = field(default_factory=set)
    earliest: datetime | None = None

    def told(self, at: datetime) -> None:
        self.earliest = min(self.earliest or at, at)


@dataclass(slots=True)
class Telling:
    """The second half: what the sorted rows say, context first."""

    export: SalesforceFiles
    profile: Profile
    known: KnownContext
    reader: RowReader
    system: str
    seen: Seen
    findings: Findings
    rows: Callable[[str, Findings], Iterator[CsvRow]]

    def lines(self, deals: Spool) -> Iterator[Line]:
        calendar = self._calendar()
        quotas = self._quotas(calendar)
        if self.seen.earliest is None:
            # There is no deal, or none that can be read; what is told of one is a reject.
            for deal_id, group in by_deal(deals, self.known, self.system):
                self._reject_rows(deal_id, [(key[1], row) for key, row in group])
            return
        self.seen.stages.ensure_closing(self.export.file_of("OpportunityStage"))
        writer = ContextWriter(
            known=self.known,
            findings=self.findings,
            system=self.system,
            earliest=self.seen.earliest,
        )
        yield from self._calendar_line(writer)
        stages = self.seen.stages.process(self.seen.stage_names, self.profile)
        process_id = self.profile.process or self.system
        process, line = writer.process(
            process_id=process_id,
            stages=stages,
            profile=self.profile,
            file=self.export.file_of("OpportunityStage"),
        )
        yield from [line] if line else []
        yield from self._quota_lines(writer, quotas)
        self.findings.names |= self.seen.users.names
        self._say_what_lacks()
        context = self._context(process)
        for deal_id, group in by_deal(deals, self.known, self.system):
            yield from self._deal(deal_id, [(key[1], row) for key, row in group], context)

    @property
    def _zone(self) -> str:
        """The fiscal zone: as declared, as the ledger has it, or as all active users do."""
        if self.profile.calendar is not None:
            return self.profile.calendar.zone
        adopted = self.known.context("calendar")
        if adopted:
            return str(adopted[-1][1]["zone"])
        return self.seen.users.zone or self.profile.zone or "UTC"

    def _calendar(self) -> FiscalCalendar | None:
        """The calendar in which quotas are named; None where nothing states one."""
        if self.profile.calendar is not None:
            return self.profile.calendar.calendar()
        adopted = self.known.context("calendar")
        if adopted:
            data = adopted[-1][1]
            return calendar_from(
                kind=str(data["kind"]),
                zone=str(data["zone"]),
                parameters=cast("Mapping[str, JsonValue]", data["parameters"]),
            )
        proven = self.seen.periods.calendar()
        if proven is None:
            return None
        return calendar_from(
            kind=proven[0], zone=self._zone, parameters=cast("Mapping[str, JsonValue]", proven[1])
        )

    def _calendar_line(self, writer: ContextWriter) -> Iterator[Line]:
        declared = self.profile.calendar
        proven = self.seen.periods.calendar()
        if declared is not None:
            kind, parameters = str(declared.kind), cast("JsonObject", declared.parameters)
            file = "profile"
        elif self.known.context("calendar"):
            self._compare_calendar(proven)
            return
        elif proven is None:
            self.findings.note(
                "the export does not say when fiscal quarters begin: calendar quarters in UTC "
                "hold until a calendar is adopted; declare `calendar` in the profile"
            )
            return
        else:
            kind, parameters = proven
            file = self.export.file_of("Period" if self.export.has("Period") else "Opportunity")
            self.findings.note(f"the fiscal zone is {self._zone}: {self._zone_source()}")
        line = writer.calendar(
            kind=kind,
            zone=self._zone,
            parameters=parameters,
            effective_from=declared.effective_from if declared else None,
            file=file,
        )
        yield from [line] if line else []

    def _compare_calendar(self, proven: tuple[str, JsonObject] | None) -> None:
        """The ledger's calendar stays, whatever rows show that were written by another."""
        adopted = self.known.context("calendar")[-1][1]
        if proven == (adopted["kind"], adopted["parameters"]):
            self.findings.duplicates += 1
        else:
            self.findings.note("the fiscal calendar is the one that the ledger has")

    def _zone_source(self) -> str:
        if self.seen.users.zone:
            return "that of every active user"
        return "declared" if self.profile.zone else "nothing declares another"

    def _quotas(self, calendar: FiscalCalendar | None) -> Quotas:
        def quarter_on(day: date) -> str:
            if calendar is None:
                raise ValueError("StartDate: no quarter can be named without a fiscal calendar")
            try:
                return calendar.quarter_on(day).name
            except OutsideCalendarError as error:
                raise ValueError(f"StartDate: {error}") from error

        quotas = Quotas(self.reader, self.seen.periods.by_id, quarter_on, self.profile.currency)
        quotas.read(self.rows("ForecastingQuota", self.findings), self.findings)
        for quota in quotas.found.values():
            self.seen.told(quota.told_at)
        return quotas

    def _quota_lines(self, writer: ContextWriter, quotas: Quotas) -> Iterator[Line]:
        for (rep, quarter), quota in sorted(quotas.found.items()):
            line = writer.quota(
                rep=rep,
                quarter=quarter,
                amount={"amount": plain_number(quota.amount), "currency": quota.currency},
                told_at=quota.told_at,
                changed_at=quota.changed_at,
                key=full_id(quota.row.get("Id")),
                file=quota.row.file,
                row=quota.row.row,
            )
            yield from [line] if line else []

    def _say_what_lacks(self) -> None:
        mapped = {mapping.event for mapping in self.profile.custom_fields.values()}
        if "outcome_evidenced" not in mapped:
            self.findings.lacks("outcome_evidenced: Salesforce has no object for outcomes")
        if "customer_commitment_recorded" not in mapped:
            self.findings.lacks("customer_commitment_recorded: Salesforce has no object for it")
        if self.export.has("User"):
            self.findings.lacks("member_joined: a Salesforce user is in no sales team")

    def _context(self, process: ProcessInUse) -> SourceContext:
        return SourceContext(
            names=_NAMES,
            profile=self.profile,
            processes={"": process},
            zone=self._zone,
            stages=self.seen.stages.ids,
            closes=self.seen.stages.closes,
            categories=self.seen.stages.categories,
            users=self.seen.users.names,
            checkboxes=frozenset(self.seen.checkboxes),
            whole_states=True,
        )

    def _deal(
        self, deal_id: str, rows: list[tuple[str | int, JsonObject]], context: SourceContext
    ) -> Iterator[Line]:
        by_kind = self._by_kind(rows)
        if not by_kind[Kind.OPPORTUNITY]:
            self._reject_rows(deal_id, rows)
            return
        opportunity = by_kind[Kind.OPPORTUNITY][0]
        for other in by_kind[Kind.OPPORTUNITY][1:]:
            self.findings.reject(*place_of(other), f"Id: {deal_id} stands in another row too")
        deal = Deal(
            context,
            self.findings,
            opportunity,
            by_kind[Kind.SNAPSHOT],
            synced=_synced(opportunity, by_kind[Kind.QUOTE]),
        )
        deal.owner = first_owner(by_kind[Kind.FIELD], deal) or text_of(opportunity, "owner")
        deal.owners = list(owners(deal, by_kind[Kind.FIELD]))
        reasons = state_loss_reasons(deal, by_kind[Kind.FIELD])
        tell_history(deal)
        tell_holes(deal, by_kind[Kind.HOLE])
        tell_missing(deal, by_kind[Kind.HOLE])
        for row in reasons:
            amend_loss(deal, row, text_of(row, "new"))
        check_pushes(deal)
        tell_owner_changes(deal)
        tell_fields(deal, by_kind[Kind.FIELD])
        for task in by_kind[Kind.TASK]:
            tell_task(deal, task)
        for quote in by_kind[Kind.QUOTE]:
            tell_discount(deal, quote)
        self._tell_products(deal, by_kind[Kind.PRODUCT], quoted=bool(by_kind[Kind.QUOTE]))
        tell_deletion(deal)
        yield from deal.in_order()

    def _reject_rows(self, deal_id: str, rows: list[tuple[str | int, JsonObject]]) -> None:
        """Reject what is told of a deal that is not there; a row that cannot be read was before."""
        for _, row in (one for one in rows if one[0] != Kind.HOLE):
            reason = f"the opportunity {deal_id or '(no id)'} has no readable row"
            self.findings.reject(*place_of(row), reason)

    def _tell_products(self, deal: Deal, rows: list[JsonObject], *, quoted: bool) -> None:
        """What the products are sold below, unless quotes say it, from which they are copied."""
        if not quoted and not deal.record["synced_quote"]:
            tell_price_offers(deal, rows)
        elif rows:
            self.findings.note("the products of an opportunity with a quote are those of the quote")

    def _by_kind(self, rows: list[tuple[str | int, JsonObject]]) -> dict[int, list[JsonObject]]:
        """The rows by kind, each once; a row that stands twice is the same row."""
        found: dict[int, dict[str, JsonObject]] = {kind: {} for kind in Kind}
        extra: list[JsonObject] = []
        for kind, row in rows:
            held = found[int(kind)]
            first = held.setdefault(text_of(row, "id"), row)
            if first is row:
                continue
            if _stated(first) == _stated(row):
                self.findings.duplicates += 1
            elif kind == Kind.OPPORTUNITY:
                extra.append(row)
            else:
                self.findings.reject(*place_of(row), ANOTHER)
        by_kind = {kind: list(held.values()) for kind, held in found.items()}
        by_kind[Kind.OPPORTUNITY] += extra
        return by_kind


def _synced(opportunity: JsonObject, quotes: list[JsonObject]) -> JsonObject | None:
    """The quote whose prices are those of the opportunity, if it gives a discount."""
    return next((one for one in quotes if one["id"] == opportunity["synced_quote"]), None)


def _stated(row: JsonObject) -> JsonObject:
    return {key: value for key, value in row.items() if key not in ("file", "row")}
