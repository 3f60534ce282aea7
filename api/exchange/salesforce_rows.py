"""Rows of a Salesforce export as plain records: ids completed, values read as declared."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from api.exchange.csv_values import declared_number, local_moment
from api.exchange.instants import (
    DateOrder,
    OrderContradictedError,
    OrderUndeclaredError,
    parse_day,
    parse_instant,
)
from api.exchange.lines import ExportRefusedError, Findings, JsonObject
from api.exchange.records import one_line, plain_number, stamp, truth
from api.exchange.salesforce_ids import full_id
from api.exchange.texts import CsvRow
from domain.values import utc_instant

CUSTOM: Final = "__c"
"""How the names of fields end that a customer made."""
ANOTHER: Final = "Id: another row has this id"
"""Why the second of two records is a reject that have one id and say different things."""
FOR_EVER: Final = "9999"
"""Until when the last snapshot of a deal holds."""


@dataclass(frozen=True, slots=True)
class RowReader:
    """Reads the values of rows; every error names the column."""

    zone: str
    date_order: DateOrder | None
    decimal: str = "."
    thousands: str | None = None

    def instant(self, row: CsvRow, column: str) -> datetime:
        """The instant, in ISO 8601 or as a day in the declared order and a local time.

        Raises:
            ExportRefusedError: the declared order of day and month is missing or wrong.
        """
        text = row.get(column)
        try:
            return parse_instant(text, self.zone)
        except ValueError as error:
            reason = ValueError(f"{column}: {error}")
        if ":" not in text:
            raise reason
        try:
            found = local_moment(text, order=self.date_order, zone=self.zone)
        except (OrderUndeclaredError, OrderContradictedError) as error:
            raise ExportRefusedError(f"{column}: {error}", file=row.file, row=row.row) from error
        except ValueError:
            raise reason from None
        try:
            return utc_instant(found.start(self.zone))
        except ValueError as error:
            raise ValueError(f"{column}: {error}") from error

    def changed(self, row: CsvRow) -> str:
        """When a record was changed last; empty where its row does not say, or not readably."""
        found = [""]
        for column in ("SystemModstamp", "LastModifiedDate"):
            with suppress(ValueError, ExportRefusedError):
                found.append(stamp(self.instant(row, column)))
        return max(found)

    def day(self, row: CsvRow, column: str) -> date | None:
        """The day; None where there is none.

        Raises:
            ExportRefusedError: the declared order of day and month is missing or wrong.
        """
        text = row.get(column)
        if not text:
            return None
        try:
            return parse_day(text, self.date_order)
        except (OrderUndeclaredError, OrderContradictedError) as error:
            raise ExportRefusedError(f"{column}: {error}", file=row.file, row=row.row) from error
        except ValueError as error:
            raise ValueError(f"{column}: {error}") from error

    def number(self, row: CsvRow, column: str) -> Decimal | None:
        text = row.get(column)
        if not text:
            return None
        try:
            return Decimal(declared_number(text, decimal=self.decimal, thousands=self.thousands))
        except ValueError as error:
            raise ValueError(f"{column}: {error}") from error

    def flag(self, row: CsvRow, column: str) -> bool:
        try:
            return truth(row.get(column))
        except ValueError as error:
            raise ValueError(f"{column}: {error}") from error

    def opportunity(self, row: CsvRow, account_name: str) -> JsonObject:
        return (
            _placed(row)
            | {
                "id": own_id(row),
                "deleted": self.flag(row, "IsDeleted"),
                "account": full_id(row.get("AccountId")),
                "account_name": one_line(account_name),
                "name": row.get("Name"),
                "owner": full_id(row.get("OwnerId")),
                "created": stamp(self.instant(row, "CreatedDate")),
                "created_by": full_id(row.get("CreatedById")),
                "modified": stamp(self.instant(row, "LastModifiedDate")),
                "modified_by": full_id(row.get("LastModifiedById")),
                "pushes": row.get("PushCount"),
                "synced_quote": full_id(row.get("SyncedQuoteId")),
                "custom": {
                    column: value.strip()
                    for column, value in row.values.items()
                    if column.endswith(CUSTOM) and value.strip()
                },
            }
            | self._state(row)
        )

    def snapshot(self, row: CsvRow) -> JsonObject:
        return (
            _placed(row)
            | {
                "id": own_id(row),
                "deleted": self.flag(row, "IsDeleted"),
                "at": stamp(self.instant(row, "CreatedDate")),
                "until": self._until(row),
                "by": full_id(row.get("CreatedById")),
                "category": row.get("ForecastCategory"),
            }
            | self._state(row)
            | self._state_before(row)
        )

    def hole(self, row: CsvRow) -> JsonObject:
        """What can be said of a snapshot that cannot be read: when there was one."""
        at = stamp(self.instant(row, "CreatedDate"))
        named = full_id(row.get("Id")) or f"{full_id(row.get('OpportunityId'))}:{at}"
        return _placed(row) | {"id": named, "at": at}

    def _until(self, row: CsvRow) -> str:
        """When the next row took over, which tells the order of rows of one second."""
        if "ValidThroughDate" not in row.values:
            return ""
        if not row.get("ValidThroughDate"):
            return FOR_EVER
        return stamp(self.instant(row, "ValidThroughDate"))

    def _state(self, row: CsvRow) -> JsonObject:
        """What a snapshot and the opportunity itself both say."""
        stage = row.get("StageName")
        if not stage:
            raise ValueError("StageName: empty")
        amount = self.number(row, "Amount")
        close_date = self.day(row, "CloseDate")
        return {
            "stage": stage,
            "amount": None if amount is None else plain_number(amount),
            "close_date": None if close_date is None else close_date.isoformat(),
            "currency": row.get("CurrencyIsoCode"),
        }

    def _state_before(self, row: CsvRow) -> JsonObject:
        """What a snapshot says that the one before it held; it may say nothing, or not readably."""
        found: JsonObject = {"amount_before": None, "close_date_before": None}
        with suppress(ValueError):
            amount = self.number(row, "PrevAmount")
            found["amount_before"] = None if amount is None else plain_number(amount)
        with suppress(ValueError):
            day = self.day(row, "PrevCloseDate")
            found["close_date_before"] = None if day is None else day.isoformat()
        return found

    def field_change(self, row: CsvRow) -> JsonObject:
        return _placed(row) | {
            "id": own_id(row),
            "field": row.get("Field"),
            "kind": row.get("DataType"),
            "old": row.get("OldValue"),
            "new": row.get("NewValue"),
            "at": stamp(self.instant(row, "CreatedDate")),
            "by": full_id(row.get("CreatedById")),
        }

    def task(self, row: CsvRow) -> JsonObject:
        return _placed(row) | {
            "id": own_id(row),
            "activity": one_line(row.get("Subject")),
            "at": stamp(self.instant(row, "CompletedDateTime")),
            "by": full_id(row.get("OwnerId")),
        }


def own_id(row: CsvRow) -> str:
    """The id of a record.

    Raises:
        ValueError: it has none, so that nothing tells it from another.
    """
    found = full_id(row.get("Id"))
    if not found:
        raise ValueError("Id: empty")
    return found


def take_each(
    rows: Iterable[CsvRow],
    take: Callable[[CsvRow], None],
    *,
    reader: RowReader,
    findings: Findings,
) -> None:
    """Take each record once, however many rows it has: as that row says which was changed last.

    A row that cannot be taken is a reject, and another row of its record may be. A row that says
    something else than the one that was taken is a reject too, unless it tells that it is older.
    """
    records: dict[str, list[CsvRow]] = {}
    for row in rows:
        try:
            records.setdefault(own_id(row), []).append(row)
        except ValueError as error:
            findings.reject(row.file, row.row, str(error))
    for record in records.values():
        taken: CsvRow | None = None
        for row in sorted(record, key=reader.changed, reverse=True):
            if taken is not None:
                _count_again(row, taken, reader, findings)
                continue
            try:
                take(row)
                taken = row
            except ValueError as error:
                findings.reject(row.file, row.row, str(error))


def _count_again(row: CsvRow, taken: CsvRow, reader: RowReader, findings: Findings) -> None:
    """Account for another row of a record, compared by the columns that both rows have."""
    shared = row.values.keys() & taken.values.keys()
    if all(full_id(row.get(column)) == full_id(taken.get(column)) for column in shared):
        findings.duplicates += 1
    elif "" < reader.changed(row) < reader.changed(taken):
        findings.note("an older state of a record that stands in several rows was left out")
    else:
        findings.reject(row.file, row.row, ANOTHER)


def _placed(row: CsvRow) -> JsonObject:
    return {"file": row.file, "row": row.row}
