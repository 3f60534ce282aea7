"""An export of Salesforce: its files joined by opportunity and told as lines."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final, cast

from api.exchange.context import KnownContext
from api.exchange.custom_fields import declared_boxes
from api.exchange.lines import ExportRefusedError, Findings, JsonObject, Line
from api.exchange.profile import Profile
from api.exchange.records import instant_of, place_of, row_of, text_of
from api.exchange.salesforce_files import (
    Layout,
    check_columns,
    find_export,
    note_others,
)
from api.exchange.salesforce_ids import full_id
from api.exchange.salesforce_quotes import line_item_record, product_record, quote_record
from api.exchange.salesforce_rows import CUSTOM, RowReader, own_id, take_each
from api.exchange.salesforce_telling import Kind, Seen, Telling
from api.exchange.spool import Key, Spool
from api.exchange.texts import CsvRow

SYSTEM: Final = "salesforce"
"""The source of ids where the profile names no other."""
DEAL_ID: Final = "006"
"""How the id of every opportunity begins."""

_PARENT, _CHILD = range(2)


class SalesforceReader:
    """Reads a whole export once, sorts it by opportunity on disk, and tells deal by deal."""

    def __init__(
        self, paths: Sequence[Path], *, layout: Layout, profile: Profile, known: KnownContext
    ) -> None:
        self._export = find_export(paths, layout)
        self._profile = profile
        self._known = known
        self._reader = RowReader(
            profile.zone or "UTC", profile.date_order, profile.decimal, profile.thousands
        )

    @property
    def system(self) -> str:
        return self._profile.source or SYSTEM

    @property
    def files(self) -> Sequence[Path]:
        return self._export.all

    def lines(self, findings: Findings) -> Iterator[Line]:
        check_columns(self._export, self._profile)
        note_others(self._export, findings)
        with Spool() as deals:
            seen = self._read(findings, deals)
            yield from Telling(
                export=self._export,
                profile=self._profile,
                known=self._known,
                reader=self._reader,
                system=self.system,
                seen=seen,
                findings=findings,
                rows=self._rows,
            ).lines(deals)

    def _rows(self, name: str, findings: Findings) -> Iterator[CsvRow]:
        return self._export.rows(name, self._profile, findings)

    def _read(self, findings: Findings, deals: Spool) -> Seen:
        seen = Seen()
        self._each("OpportunityStage", findings, lambda row: seen.stages.take(row, self._reader))
        self._each("User", findings, lambda row: seen.users.take(row, self._reader))
        self._each("Period", findings, lambda row: seen.periods.take(row, self._reader))
        seen.checkboxes |= declared_boxes(self._profile)
        with Spool() as accounts:
            self._join_accounts(findings, deals=deals, accounts=accounts, seen=seen)
        self._each("OpportunityHistory", findings, lambda row: self._snapshot(row, deals, seen))
        self._each("OpportunityFieldHistory", findings, lambda row: self._field(row, deals, seen))
        self._each("Task", findings, lambda row: self._task(row, deals, findings))
        self._each("OpportunityLineItem", findings, lambda row: self._product(row, deals, findings))
        with Spool() as quotes:
            self._join_quotes(findings, deals=deals, quotes=quotes)
        return seen

    def _each(self, name: str, findings: Findings, take: Callable[[CsvRow], None]) -> None:
        for row in self._rows(name, findings):
            try:
                take(row)
            except ValueError as error:
                findings.reject(row.file, row.row, str(error))

    def _join_accounts(
        self, findings: Findings, *, deals: Spool, accounts: Spool, seen: Seen
    ) -> None:
        for row in self._rows("Account", findings):
            key = full_id(row.get("Id"))
            accounts.add([key, _PARENT, row.file, row.row], {"name": row.get("Name")})
        for row in self._rows("Opportunity", findings):
            key = full_id(row.get("AccountId"))
            content: JsonObject = {"file": row.file, "row": row.row, "values": row.values}
            accounts.add([key, _CHILD, row.file, row.row], content)
        for _, group in accounts.groups():
            account = ""
            for (_, kind, *_), content in group:
                if kind == _PARENT:
                    account = text_of(content, "name")
                else:
                    self._opportunity(_row_again(content), account, deals, seen, findings)

    def _opportunity(
        self, row: CsvRow, account: str, deals: Spool, seen: Seen, findings: Findings
    ) -> None:
        try:
            record = self._reader.opportunity(row, account)
            if not record["currency"] and self._profile.currency is None:
                raise ExportRefusedError(
                    "no CurrencyIsoCode: declare `currency` in the profile",
                    file=row.file,
                    row=row.row,
                )
            seen.told(instant_of(record, "created"))
            seen.stage_names.add(text_of(record, "stage"))
            number = row.get("FiscalQuarter")
            if number.isdigit() and record["close_date"]:
                month = date.fromisoformat(text_of(record, "close_date")).month
                seen.periods.hints.add((month, int(number)))
        except ValueError as error:
            findings.reject(row.file, row.row, str(error))
            return
        _spool(deals, text_of(record, "id"), Kind.OPPORTUNITY, "", record)

    def _snapshot(self, row: CsvRow, deals: Spool, seen: Seen) -> None:
        deal = full_id(row.get("OpportunityId"))
        try:
            record = self._reader.snapshot(row)
        except ValueError:
            with suppress(ValueError):
                hole = self._reader.hole(row)
                _spool(deals, deal, Kind.HOLE, text_of(hole, "at"), hole)
            raise
        seen.told(instant_of(record, "at"))
        seen.stage_names.add(text_of(record, "stage"))
        _spool(deals, deal, Kind.SNAPSHOT, text_of(record, "at"), record)

    def _field(self, row: CsvRow, deals: Spool, seen: Seen) -> None:
        record = self._reader.field_change(row)
        name = text_of(record, "field")
        if name.endswith(CUSTOM) and record["kind"] == "Boolean":
            seen.checkboxes.add(name)
        deal = full_id(row.get("OpportunityId"))
        _spool(deals, deal, Kind.FIELD, text_of(record, "at"), record)

    def _task(self, row: CsvRow, deals: Spool, findings: Findings) -> None:
        deal = full_id(row.get("WhatId"))
        if self._reader.flag(row, "IsDeleted"):
            findings.note("a deleted task was left out")
        elif not deal.startswith(DEAL_ID):
            findings.note("a task that belongs to no opportunity was left out")
        elif not self._reader.flag(row, "IsClosed"):
            findings.note("an open task was left out: it claims nothing yet")
        else:
            record = self._reader.task(row)
            _spool(deals, deal, Kind.TASK, text_of(record, "at"), record)

    def _product(self, row: CsvRow, deals: Spool, findings: Findings) -> None:
        if self._reader.flag(row, "IsDeleted"):
            findings.note("a deleted product of an opportunity was left out")
            return
        record = product_record(row, self._reader)
        if row.get("LastModifiedDate") not in ("", row.get("CreatedDate")):
            findings.note("the discount of a product is told at the last change of its row")
        deal = full_id(row.get("OpportunityId"))
        _spool(deals, deal, Kind.PRODUCT, text_of(record, "at"), record)

    def _join_quotes(self, findings: Findings, *, deals: Spool, quotes: Spool) -> None:
        for name, kind, column in (("Quote", _PARENT, "Id"), ("QuoteLineItem", _CHILD, "QuoteId")):
            place = partial(
                self._spool_priced, name, kind, column, quotes=quotes, findings=findings
            )
            self._each(name, findings, place)
        for _, group in quotes.groups():
            self._quote([(key[1], _row_again(content)) for key, content in group], deals, findings)

    def _spool_priced(
        self, name: str, kind: int, column: str, row: CsvRow, *, quotes: Spool, findings: Findings
    ) -> None:
        if self._reader.flag(row, "IsDeleted"):
            findings.note(f"a deleted {name} was left out")
            return
        own_id(row)  # one without is a reject, and joins no other
        content: JsonObject = {"file": row.file, "row": row.row, "values": row.values}
        quotes.add([full_id(row.get(column)), kind, row.file, row.row], content)

    def _quote(
        self, rows: list[tuple[str | int, CsvRow]], deals: Spool, findings: Findings
    ) -> None:
        quotes = [row for kind, row in rows if kind == _PARENT]
        lines = [row for kind, row in rows if kind == _CHILD]
        if not quotes:
            for row in lines:
                findings.reject(row.file, row.row, "QuoteId: no such quote in the export")
            return
        prices: list[JsonObject] = []

        def price(row: CsvRow) -> None:
            prices.append(line_item_record(row, self._reader))

        def offer(row: CsvRow) -> None:
            record = quote_record(row, prices, self._reader)
            if record is not None:
                deal = full_id(row.get("OpportunityId"))
                _spool(deals, deal, Kind.QUOTE, text_of(record, "at"), record)

        take_each(lines, price, reader=self._reader, findings=findings)
        take_each(quotes, offer, reader=self._reader, findings=findings)


def _spool(deals: Spool, deal: str, kind: int, at: str, record: JsonObject) -> None:
    # Of two rows of one moment that which ended first came first, else that with the lower id,
    # whatever order the file has.
    file, row = place_of(record)
    key: Key = [deal, kind, at, text_of(record, "until"), text_of(record, "id"), file, row]
    deals.add(key, record)


def _row_again(content: JsonObject) -> CsvRow:
    values = cast("dict[str, str]", content["values"])
    return CsvRow(text_of(content, "file"), row_of(content), values)
