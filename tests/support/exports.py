"""Exports for tests: the reference pack made dirty, and the facts that lines add up to."""

import csv
import io
import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from api.exchange.context import NoContext
from api.exchange.lines import Findings, Line
from api.exchange.profile import Profile
from api.exchange.salesforce import SalesforceReader
from api.exchange.salesforce_files import QUERY_RESULTS, WEEKLY_EXPORT, Layout
from domain.calendars import calendar_from
from domain.fiscal import FiscalCalendar, days_left

Rows = list[dict[str, str]]
PACK: Final = Path("data/crm_rosetta_small")
MAVEN: Final = Path("data/maven_crm/sales_pipeline.csv")


def weekly_export(shared: Path) -> Path:
    return shared / PACK / "salesforce_weekly_export"


def read_rows(path: Path, *, encoding: str = "utf-8") -> Rows:
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode(encoding), newline="")))


def write_rows(path: Path, rows: Rows, *, encoding: str = "utf-8", newline: str = "\n") -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), quoting=csv.QUOTE_ALL, lineterminator=newline)
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))


def rewritten(
    source: Path,
    target: Path,
    change: Callable[[str, Rows], Rows] = lambda _, rows: rows,
    *,
    encoding: str = "utf-8",
    newline: str = "\n",
) -> Path:
    """A copy of an export in which `change` was applied to the rows of each object."""
    target.mkdir()
    for path in sorted(source.glob("*.csv")):
        rows = change(path.stem, read_rows(path))
        if rows:
            write_rows(target / path.name, rows, encoding=encoding, newline=newline)
    return target


def shuffled(_: str, rows: Rows) -> Rows:
    return random.Random(7).sample(rows, len(rows))


def doubled(_: str, rows: Rows) -> Rows:
    return [*rows, *rows]


def short_ids(name: str, rows: Rows) -> Rows:
    """Every second row names records by 15 characters."""
    del name
    for row in rows[::2]:
        for column, value in row.items():
            if (column == "Id" or column.endswith("Id")) and len(value) == 18:
                row[column] = value[:15]
    return rows


def plain_names(name: str, rows: Rows) -> Rows:
    """Without the characters that Latin-1 lacks."""
    for row in rows if name in ("Opportunity", "Account") else ():
        row["Name"] = row["Name"].replace("\u2013", "-")
    return rows


def salesforce_lines(
    folder: Path, profile: Profile | None = None, *, layout: Layout = WEEKLY_EXPORT
) -> tuple[list[Line], Findings]:
    findings = Findings()
    reader = SalesforceReader(
        [folder], layout=layout, profile=profile or Profile(), known=NoContext()
    )
    return list(reader.lines(findings)), findings


def rest_lines(folder: Path) -> tuple[list[Line], Findings]:
    return salesforce_lines(folder, layout=QUERY_RESULTS)


def query_results(shared: Path) -> Path:
    return shared / PACK / "salesforce_rest_query"


def rewritten_json(
    source: Path, target: Path, change: Callable[[str, Any], Any] = lambda _, content: content
) -> Path:
    """A copy of a folder of JSON files in which `change` was applied to what each holds."""
    target.mkdir()
    for path in sorted(source.glob("*.json")):
        content = change(path.stem, json.loads(path.read_text(encoding="utf-8")))
        if content is not None:
            (target / path.name).write_text(json.dumps(content), encoding="utf-8")
    return target


OPEN_DEALS: Final = {
    "deals.csv": "id,by,stage,due\nA,ann,New,2990-06-30\nB,ann,New,\n",
    "profile.yaml": "columns: {id: id, owner: by, stage: stage, close_date: due}\ncurrency: USD\n"
    "stages: [New, {name: Won, closes: won}, {name: Lost, closes: lost}]\n",
}
"""Deals that are expected to close long after the import, which is all that their table states."""


@dataclass(slots=True)
class Facts:
    """What lines add up to, worked out beside the product: see `expected.json`."""

    lines: list[Line]
    people: Mapping[str, str]
    calendar: FiscalCalendar = field(init=False)
    stages: list[str] = field(init=False)
    quotas: dict[tuple[str, str], Decimal] = field(init=False)
    wins: list[tuple[datetime, str, str, Decimal]] = field(init=False)
    """When, by whom, in which quarter and for how much."""

    def __post_init__(self) -> None:
        adopted: Any = self._only("calendar_adopted").data
        self.calendar = calendar_from(
            kind=adopted["kind"],
            zone=adopted["zone"],
            parameters=adopted["parameters"],
        )
        process: Any = self._only("process_published").data
        lost = process["closing"]["lost"]
        self.stages = [one["id"] for one in process["stages"] if one["id"] not in lost]
        self.quotas = {
            (self.people[quota["rep"]], quota["quarter"]): Decimal(quota["amount"]["amount"])
            for quota in self._data("quota_assigned")
        }
        self.wins = [
            (
                line.occurred_at,
                self._owner_of(line.stream),
                self._quarter(date.fromisoformat(str(line.data["closed_on"]))),
                Decimal(line.data["net"]["amount"]),  # type: ignore[index]  # JSON
            )
            for line in self.lines
            if line.type == "deal_won" and line.data["net"]["currency"] == "USD"  # type: ignore[index]  # JSON
        ]

    def _only(self, kind: str) -> Line:
        (line,) = [line for line in self.lines if line.type == kind]
        return line

    def _data(self, kind: str) -> Iterable[Any]:
        return (line.data for line in self.lines if line.type == kind)

    def _owner_of(self, stream: str) -> str:
        owners = [
            str(line.data["owner"])
            for line in self.lines
            if line.stream == stream and "owner" in line.data
        ]
        return self.people[owners[-1]]

    def _quarter(self, day: date) -> str:
        return self.calendar.quarter_on(day).name

    @property
    def won_by_rep_quarter(self) -> dict[str, Decimal]:
        won: dict[str, Decimal] = defaultdict(Decimal)
        for _, rep, quarter, net in self.wins:
            won[f"{rep}|{quarter[2:6]}-{quarter[6:]}"] += net
        return dict(won)

    def pressed(self, at: datetime, rep: str) -> dict[str, Any]:
        """How the rep stood at that instant."""
        quarter = self.calendar.quarter_of(at)
        quota = self.quotas.get((rep, quarter.name))
        won = sum(
            (
                net
                for when, who, name, net in self.wins
                if (who, name) == (rep, quarter.name) and when < at
            ),
            Decimal(0),
        )
        return {
            "quarter": f"{quarter.name[2:6]}-{quarter.name[6:]}",
            "quota": quota,
            "won_before": won,
            "attainment_before": None if quota is None else round(float(won / quota), 4),
            "days_to_quarter_end": days_left(quarter, at),
        }

    def deal(self, stream: str) -> dict[str, Any]:
        told = _Deal(self)
        for line in self.lines:
            if line.stream == stream:
                told.take(line)
        return told.facts


@dataclass(slots=True)
class _Deal:
    company: Facts
    facts: dict[str, Any] = field(
        default_factory=lambda: {
            "stage_path": [],
            "forward_skips": [],
            "regressions": [],
            "close_date_moves": [],
            "amount_changes": [],
            "discounts": [],
            "ticks": [],
            "owner_changes": [],
            "final": {},
        }
    )

    @property
    def final(self) -> dict[str, Any]:
        return self.facts["final"]  # type: ignore[no-any-return]  # a dict made above

    def take(self, line: Line) -> None:
        data: Any = line.data
        at = line.occurred_at
        time = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if "owner" in data:
            self._change("owner", "owner_changes", self.company.people[data["owner"]], time)
        if "amount" in data:
            self._change("amount", "amount_changes", Decimal(data["amount"]["amount"]), time)
        if line.type == "deal_opened":
            self.final["close_date"] = data["close_date"]
        elif line.type == "stage_entered":
            self._enter(data["stage"], time, at)
        elif line.type == "close_date_moved":
            self._move(data["to"], time, at)
        elif line.type == "discount_offered":
            offer = {"time": time, "percent": float(data["percent"])}
            self.facts["discounts"].append(offer | self._pressed(at))
        else:
            self._claim(line, time)

    def _claim(self, line: Line, time: str) -> None:
        if line.type == "activity_ticked":
            self.facts["ticks"].append({"time": time, "activity": line.data["activity"]})
        elif line.type == "deal_deleted":
            self.facts["deleted"] = time

    def _change(self, name: str, kept_in: str, new: object, time: str) -> None:
        if name in self.final:
            self.facts[kept_in].append({"time": time, "old": self.final[name], "new": new})
        self.final[name] = new

    def _pressed(self, at: datetime) -> dict[str, Any]:
        return self.company.pressed(at, self.final["owner"])

    def _enter(self, stage: str, time: str, at: datetime) -> None:
        order = self.company.stages
        old = self.final.get("stage")
        if old in order and stage in order:
            was, now = order.index(old), order.index(stage)
            if now > was + 1:
                skip = {"time": time, "old": old, "new": stage, "skipped": order[was + 1 : now]}
                self.facts["forward_skips"].append(skip | self._pressed(at))
            if now < was:
                self.facts["regressions"].append({"time": time, "old": old, "new": stage})
        self.facts["stage_path"].append(stage)
        self.final["stage"] = stage

    def _move(self, to: str, time: str, at: datetime) -> None:
        old, new = date.fromisoformat(self.final["close_date"]), date.fromisoformat(to)
        quarter_on = self.company.calendar.quarter_on
        move = {
            "time": time,
            "old": self.final["close_date"],
            "new": to,
            "days": (new - old).days,
            "direction": "pushed_out" if new > old else "pulled_in",
            "crosses_quarter": quarter_on(old) != quarter_on(new),
            "month_push": (new.year, new.month) > (old.year, old.month),
        }
        self.facts["close_date_moves"].append(move | self._pressed(at))
        self.final["close_date"] = to
