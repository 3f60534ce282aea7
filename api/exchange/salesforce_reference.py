"""The small files of a Salesforce export that describe the company: stages, users, periods."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Final, cast

from pydantic import JsonValue

from api.exchange.context import ContextStage
from api.exchange.lines import ExportRefusedError, Findings, JsonObject
from api.exchange.profile import UNSTATED_GOAL, Profile
from api.exchange.records import one_line
from api.exchange.salesforce_ids import full_id
from api.exchange.salesforce_rows import RowReader, take_each
from api.exchange.texts import CsvRow
from domain.calendars import calendar_from
from domain.errors import CalendarRefusedError
from domain.fiscal import FiscalQuarter, MonthsCalendar, zone_named

_MONTHS: Final = range(1, 13)
_QUARTERS: Final = 4
_ANY_YEAR: Final = 2024
"""Quarters of whole months fall alike in every year."""


@dataclass(frozen=True, slots=True)
class SalesforceStage:
    """A row of OpportunityStage."""

    id: str
    label: str
    order: Decimal
    active: bool
    closes: str | None
    category: str


@dataclass(slots=True)
class Stages:
    """The stages by order, and every name that a row may use for one."""

    rows: list[SalesforceStage] = field(default_factory=list)
    ids: dict[str, str] = field(default_factory=dict)

    def take(self, row: CsvRow, reader: RowReader) -> None:
        label = row.get("MasterLabel")
        stage_id = row.get("ApiName") or label
        if not stage_id:
            raise ValueError("MasterLabel: empty")
        if stage_id in self.closes:
            return
        closed, won = reader.flag(row, "IsClosed"), reader.flag(row, "IsWon")
        order = reader.number(row, "SortOrder")
        if order is None:
            raise ValueError("SortOrder: empty")
        self.rows.append(
            SalesforceStage(
                id=stage_id,
                label=label or stage_id,
                order=order,
                active=reader.flag(row, "IsActive") or not row.get("IsActive"),
                closes=("won" if won else "lost") if closed else None,
                category=row.get("ForecastCategory"),
            )
        )
        self.ids |= {stage_id: stage_id}
        self.ids.setdefault(label, stage_id)

    @property
    def closes(self) -> dict[str, str | None]:
        return {stage.id: stage.closes for stage in self.rows}

    @property
    def categories(self) -> dict[str, str]:
        return {stage.id: stage.category for stage in self.rows}

    def process(self, used: set[str], profile: Profile) -> list[ContextStage]:
        """The active stages in order, and inactive ones that a history still names."""
        goals = {stage.name: stage.goal for stage in profile.stages}
        named = {self.ids.get(name, name) for name in used}
        return [
            ContextStage(
                stage.id,
                one_line(stage.label),
                goals.get(stage.id) or goals.get(stage.label) or UNSTATED_GOAL,
                stage.closes,
            )
            for stage in sorted(self.rows, key=lambda stage: (stage.order, stage.id))
            if stage.active or stage.id in named
        ]

    def ensure_closing(self, file: str) -> None:
        for closes in ("won", "lost"):
            if closes not in self.closes.values():
                raise ExportRefusedError(f"no stage in which a deal is {closes}", file=file)


@dataclass(slots=True)
class Users:
    """The people of the export and the zone they work in."""

    names: dict[str, str] = field(default_factory=dict)
    zones: set[str] = field(default_factory=set)

    def take(self, row: CsvRow, reader: RowReader) -> None:
        self.names[full_id(row.get("Id"))] = one_line(row.get("Name"))
        active = reader.flag(row, "IsActive") or not row.get("IsActive")
        if active and row.get("TimeZoneSidKey"):
            self.zones.add(row.get("TimeZoneSidKey"))

    @property
    def zone(self) -> str | None:
        """The zone of all active users, if they agree on one."""
        if len(self.zones) != 1:
            return None
        (zone,) = self.zones
        try:
            zone_named(zone)
        except CalendarRefusedError:
            return None
        return zone


@dataclass(frozen=True, slots=True)
class SalesforcePeriod:
    """A row of Period: a fiscal month, quarter or year."""

    kind: str
    start: date
    end: date
    number: int | None


@dataclass(slots=True)
class Periods:
    """The fiscal periods of the export, and the calendar that they prove."""

    by_id: dict[str, SalesforcePeriod] = field(default_factory=dict)
    start_months: set[int] = field(default_factory=lambda: set(_MONTHS))
    """The months with which the fiscal year may begin, as far as the rows tell."""
    hints: set[tuple[int, int]] = field(default_factory=set)
    """Months and the fiscal quarters that opportunities closing in them are said to be in."""

    def take(self, row: CsvRow, reader: RowReader) -> None:
        start, end = reader.day(row, "StartDate"), reader.day(row, "EndDate")
        if start is None or end is None:
            raise ValueError("StartDate, EndDate: a period needs both")
        number = reader.number(row, "Number")
        period = SalesforcePeriod(
            row.get("Type"), start, end, None if number is None else int(number)
        )
        self.by_id[full_id(row.get("Id"))] = period
        if period.kind == "Quarter":
            self._keep(lambda quarter: (quarter.start, quarter.end) == (start, end), start)
            if period.number is not None:
                self._keep(lambda quarter: quarter.number == period.number, start)
        elif period.kind == "Year":
            self._keep(lambda quarter: quarter.start == start and quarter.number == 1, start)

    def _keep(self, fits: Callable[[FiscalQuarter], bool], day: date) -> None:
        self.start_months = {
            month for month in self.start_months if fits(_CALENDARS[month].quarter_on(day))
        }

    def calendar(self) -> tuple[str, JsonObject] | None:
        """Kind and parameters of the calendar that the rows prove; None where they do not."""
        months = self.start_months
        if len(months) > 1:
            months = {month for month in months if self._agrees(month)}
        if len(months) == 1:
            return "months", {"start_month": min(months)}
        return None if self.start_months else self._explicit()

    def _agrees(self, start_month: int) -> bool:
        calendar = _CALENDARS[start_month]
        return all(
            calendar.quarter_on(date(_ANY_YEAR, month, 1)).number == number
            for month, number in self.hints
        )

    def _explicit(self) -> tuple[str, JsonObject] | None:
        quarters = sorted(
            (one for one in self.by_id.values() if one.kind == "Quarter"),
            key=lambda one: one.start,
        )
        contiguous = all(
            (later.start - earlier.end).days == 1 for earlier, later in pairwise(quarters)
        )
        if not quarters or not contiguous:
            return None
        if any(one.number not in range(1, _QUARTERS + 1) for one in quarters):
            return None
        parameters: JsonObject = {"periods": [_listed(one) for one in quarters]}
        try:
            calendar_from(
                kind="explicit", zone="UTC", parameters=cast("Mapping[str, JsonValue]", parameters)
            )
        except CalendarRefusedError:
            return None
        return "explicit", parameters


_CALENDARS: Final = {month: MonthsCalendar(zone="UTC", start_month=month) for month in _MONTHS}


def _listed(period: SalesforcePeriod) -> JsonObject:
    number = period.number or _QUARTERS
    days = (period.end - period.start).days + 1
    year = date.fromordinal(period.end.toordinal() + (_QUARTERS - number) * days).year
    return {
        "name": f"FY{year:04}Q{number}",
        "start": period.start.isoformat(),
        "end": period.end.isoformat(),
    }


@dataclass(slots=True)
class Quota:
    """What somebody is to book in a quarter: one row, or the rows of its months together."""

    amount: Decimal
    currency: str
    told_at: datetime
    row: CsvRow
    changed_at: datetime | None = None
    """When a row of it was changed last, if one says."""
    periods: set[date] = field(default_factory=set)


@dataclass(slots=True)
class Quotas:
    """The quotas by rep and quarter; those of the months of a quarter are summed."""

    reader: RowReader
    periods: Mapping[str, SalesforcePeriod]
    quarter_on: Callable[[date], str]
    currency: str | None
    found: dict[tuple[str, str], Quota] = field(default_factory=dict)

    def read(self, rows: Iterable[CsvRow], findings: Findings) -> None:
        take_each(rows, self._take, reader=self.reader, findings=findings)

    def _take(self, row: CsvRow) -> None:
        amount = self.reader.number(row, "QuotaAmount")
        if amount is None:
            raise ValueError("QuotaAmount: empty; a quota of pieces cannot be compared with money")
        unit = row.get("CurrencyIsoCode") or self.currency
        if not unit:
            raise ValueError("CurrencyIsoCode: empty, and the profile declares no currency")
        start = self._start(row)
        told_at = self.reader.instant(row, "CreatedDate")
        rep = full_id(row.get("QuotaOwnerId"))
        place = (rep, self.quarter_on(start))
        quota = self.found.setdefault(place, Quota(Decimal(0), unit, told_at, row))
        if start in quota.periods or quota.currency != unit:
            raise ValueError(f"StartDate: a second quota of {rep} for the same period")
        quota.periods.add(start)
        quota.amount += amount
        quota.told_at = max(quota.told_at, told_at)
        changed = self.reader.changed(row)
        if changed:
            at = datetime.fromisoformat(changed)
            quota.changed_at = max(quota.changed_at or at, at)

    def _start(self, row: CsvRow) -> date:
        period = self.periods.get(full_id(row.get("PeriodId")))
        if period is None:
            start = self.reader.day(row, "StartDate")
            if start is None:
                raise ValueError("StartDate: empty")
            return start
        if period.kind not in ("Quarter", "Month"):
            raise ValueError(f"PeriodId: a quota for a {period.kind.lower()} is of no one quarter")
        return period.start
