"""A first profile for a table that nobody has described yet: what the file shows, no more."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, get_args

import yaml

from api.exchange.instants import DateOrder, orders_of
from api.exchange.lines import ExportRefusedError, Findings, JsonObject
from api.exchange.texts import CsvTable

_DELIMITERS: Final = ",;\t|"
_ENCODINGS: Final = ("utf-8", "cp1252")
_FEW: Final = 12
"""A column with so few different values may be the stage."""
_HINTS: Final[dict[str, tuple[str, ...]]] = {
    "id": ("opportunity_id", "deal_id", "opportunityid", "dealid", "id"),
    "name": ("deal_name", "opportunity_name", "name", "title"),
    "account": ("account", "company", "customer", "organization"),
    "owner": ("sales_agent", "owner", "rep", "salesperson", "sales_rep"),
    "stage": ("deal_stage", "stage", "status", "stagename"),
    "opened_on": ("engage_date", "created", "created_date", "create_date", "opened"),
    "closed_on": ("close_date", "closed_date", "closed", "closedate"),
    "amount": ("close_value", "amount", "value", "deal_value"),
    "currency": ("currency", "currencyisocode"),
}
"""Names of columns by what they usually say; the first one found is proposed."""


@dataclass(slots=True)
class _Shown:
    """What the rows of a file show, kept small however many there are."""

    dated: bool = False
    orders: set[DateOrder] = field(default_factory=lambda: set(get_args(DateOrder)))
    """The orders in which every date so far is one."""
    stages: dict[str, None] = field(default_factory=dict)

    def take(self, values: Mapping[str, str], *, stage: str | None) -> None:
        for value in values.values():
            fitting = orders_of(value)
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
    columns = _columns(table.columns())
    shown = _Shown()
    for row in table.rows(Findings()):
        shown.take(row.values, stage=columns.get("stage"))
    proposal: JsonObject = {"source": path.stem, "encoding": encoding, "delimiter": delimiter}
    remarks = ["Proposed from the file; check every line before you import with it."]
    if shown.dated and len(shown.orders) == 1:
        proposal["date_order"] = min(shown.orders)
    elif shown.dated:
        fitting = " and ".join(sorted(shown.orders)) or "no one order"
        remarks.append(f"date_order: to be declared; the dates fit {fitting}.")
    proposal["columns"] = columns
    if 0 < len(shown.stages) <= _FEW:
        proposal["stages"] = [_stage(name) for name in shown.stages]
        remarks.append("stages: put them into the order of your process.")
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
    plain = {name.lower().replace(" ", "_"): name for name in header}
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
