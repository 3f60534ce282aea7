"""A first profile for a table that nobody has described yet: what the file shows, no more."""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, get_args

import yaml

from api.exchange.csv_values import date_part
from api.exchange.instants import DateOrder, orders_of
from api.exchange.lines import ExportRefusedError, Findings, JsonObject
from api.exchange.records import one_line
from api.exchange.texts import CsvTable

_DELIMITERS: Final = ",;\t|"
_ENCODINGS: Final = ("utf-8", "cp1252")
_FEW: Final = 12
"""A column with so few different values may be the stage."""
_HINTS: Final[dict[str, tuple[str, ...]]] = {
    "id": ("opportunityid", "dealid", "oppid", "id"),
    "name": ("dealname", "opportunityname", "name", "title"),
    "account": ("account", "accountname", "company", "customer", "organization"),
    "owner": ("salesagent", "owner", "ownername", "ownerid", "rep", "salesperson", "salesrep"),
    "stage": ("dealstage", "stage", "stagename", "status"),
    "opened_on": ("engagedate", "created", "createddate", "createdate", "opened"),
    "closed_on": ("closedate", "closeddate", "closed"),
    "amount": ("closevalue", "amount", "value", "dealvalue"),
    "currency": ("currency", "currencyisocode", "currencycode"),
}
"""Names of columns, as they are without case and signs, by what they usually say.

The first one found is proposed.
"""
_NUMBER: Final = re.compile(
    r"[+-]?\d{1,3}(?P<groups>(?P<parting>[.,' \u00a0\u202f])\d{3}(?:(?P=parting)\d{3})*)"
    r"(?:(?P<decimal>(?!(?P=parting))[.,])\d{1,2})?|[+-]?\d+(?P<cents>[.,])\d{1,2}"
)
"""A number that has decimals, or thousands that are parted."""
_POINTS: Final = frozenset(".,")
_ONE_GROUP: Final = 4
"""What parts the thousands, and three figures."""
_NOTHING: Final = frozenset({"-1", "NULL", "null", "None", "NaN", "nan", "N/A", "n/a", "#N/A"})
"""What exports write for an amount or a day that is not there."""


@dataclass(slots=True)
class _Amounts:
    """How the amounts of a file are written, as far as they prove it."""

    decimals: set[str] = field(default_factory=set)
    """The signs that stand before decimals."""
    thousands: set[str] = field(default_factory=set)
    """The signs that part thousands."""

    def take(self, value: str) -> None:
        number = _NUMBER.fullmatch(value)
        if number is None:
            return
        parting, decimal = number["parting"], number["decimal"] or number["cents"]
        # 1,234 may be a thousand or little more than one.
        if parting and (decimal or parting not in _POINTS or len(number["groups"]) > _ONE_GROUP):
            self.thousands.add(parting)
            self.decimals |= _POINTS - {parting} if parting in _POINTS else set()
        self.decimals |= {decimal} if decimal else set()

    def propose(self, proposal: JsonObject, remarks: list[str]) -> None:
        if len(self.decimals) > 1:
            remarks.append(
                "decimal: to be declared; amounts have both commas and points before it."
            )
        elif self.decimals == {","}:
            proposal["decimal"] = ","
        if len(self.thousands - self.decimals) == 1:
            proposal["thousands"] = min(self.thousands - self.decimals)
        elif self.thousands:
            remarks.append("thousands: to be declared; amounts have several signs between them.")


@dataclass(slots=True)
class _Shown:
    """What the rows of a file show, kept small however many there are."""

    dated: bool = False
    orders: set[DateOrder] = field(default_factory=lambda: set(get_args(DateOrder)))
    """The orders in which every date so far is one."""
    stages: dict[str, None] = field(default_factory=dict)
    amounts: _Amounts = field(default_factory=_Amounts)
    nothing: set[str] = field(default_factory=set)
    """Values of the columns of days and amounts that may stand for none."""

    def take(self, values: Mapping[str, str], columns: Mapping[str, str]) -> None:
        stage = columns.get("stage")
        for role in ("amount", "opened_on", "closed_on"):
            value = values.get(columns.get(role, ""), "").strip()
            self.nothing |= {value} & _NOTHING
        self.amounts.take(values.get(columns.get("amount", ""), "").strip())
        for value in values.values():
            fitting = orders_of(date_part(value))
            if fitting:
                self.dated = True
                self.orders &= set(fitting)
        if stage is not None and values[stage] and len(self.stages) <= _FEW:
            self.stages[values[stage]] = None


def guess_profile(path: Path) -> str:
    """A profile as YAML text, with what could not be seen left for its author to fill in.

    Raises:
        ExportRefusedError: the file is no table at all.
    """
    encoding = _encoding(path)
    delimiter = _delimiter(path, encoding)
    table = CsvTable(path, encoding=encoding, delimiter=delimiter)
    names = table.columns()
    columns = _columns(names)
    shown = _Shown()
    for row in table.rows(Findings()):
        shown.take(row.values, columns)
    proposal: JsonObject = {"source": path.stem, "encoding": encoding, "delimiter": delimiter}
    remarks = ["Proposed from the file; check every line before you import with it."]
    if shown.dated and len(shown.orders) == 1:
        proposal["date_order"] = min(shown.orders)
    elif shown.dated:
        fitting = " and ".join(sorted(shown.orders)) or "no one order"
        remarks.append(f"date_order: to be declared; the dates fit {fitting}.")
    shown.amounts.propose(proposal, remarks)
    if shown.nothing:
        proposal["empty"] = sorted(shown.nothing)
        remarks.append("empty: leave out what is a value and does not stand for none.")
    proposal["columns"] = columns
    if 0 < len(shown.stages) <= _FEW:
        proposal["stages"] = [_stage(name) for name in shown.stages]
        remarks.append("stages: put them into the order of your process.")
        if all("closes" in _stage(name) for name in shown.stages):
            remarks.append("stages: the file shows only how deals end; add those before the end.")
    unsaid = [one_line(name) for name in names if name not in columns.values()]
    if unsaid:
        remarks.append(f"columns: nothing is proposed for {', '.join(unsaid)}.")
    remarks.append("Not in the file, to be declared: zone, currency, calendar.")
    text = yaml.safe_dump(proposal, sort_keys=False, allow_unicode=True)
    return "".join(f"# {remark}\n" for remark in remarks) + text


def _encoding(path: Path) -> str:
    for encoding in _ENCODINGS:
        try:
            for _ in CsvTable(path, encoding=encoding).rows(Findings()):
                pass
        except ExportRefusedError as error:
            if "not text" not in error.detail:
                return encoding
        else:
            return encoding
    raise ExportRefusedError("not text in UTF-8 or Windows-1252", file=path.name)


def _delimiter(path: Path, encoding: str) -> str:
    header = CsvTable(path, encoding=encoding, delimiter="\n").columns()[0]
    try:
        return csv.Sniffer().sniff(header, _DELIMITERS).delimiter
    except csv.Error:
        return ","


def _columns(header: Sequence[str]) -> dict[str, str]:
    plain = {re.sub("[^a-z0-9]", "", name.lower()): name for name in header}
    found: dict[str, str] = {}
    for role, hints in _HINTS.items():
        for hint in hints:
            if hint in plain:
                found[role] = plain[hint]
                break
    return found


def _stage(name: str) -> JsonObject:
    lowered = name.lower()
    for closes in ("won", "lost"):
        if closes in lowered:
            return {"name": name, "closes": closes}
    return {"name": name}
