"""One table as different programs write it: with the right profile it tells the same events."""

import csv
import io
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from time import strftime, strptime
from typing import Any

import pytest
import yaml

from api.exchange.context import NoContext
from api.exchange.importing import reader_for
from api.exchange.lines import ExportRefusedError, Findings, Line
from api.exchange.profile import SHIPPED, Profile, profile_from
from api.exchange.proposing import propose_profile
from tests.support.exports import MAVEN

Row = dict[str, str]
MAVEN_PROFILE: Any = yaml.safe_load((SHIPPED / "maven.yaml").read_text(encoding="utf-8"))
EVERY = int(os.environ.get("DIALECT_EVERY", "20"))
"""Of so many rows one is read; all 8,800 in each dialect take a minute."""
DAYS = ("engage_date", "close_date")


def dated(written: str) -> Callable[[Row], Row]:
    def change(row: Row) -> Row:
        days = {name: strptime(row[name], "%d-%m-%Y") for name in DAYS if row[name]}
        return row | {name: strftime(written, day) for name, day in days.items()}

    return change


def priced(written: Callable[[str], str]) -> Callable[[Row], Row]:
    def change(row: Row) -> Row:
        return row | {"close_value": written(row["close_value"])}

    return change


def with_comma(value: str) -> str:
    return f"{int(value):,}".replace(",", ".") + ",00" if value else ""


def renamed(row: Row) -> Row:
    return {name.replace("_", " ").title(): value for name, value in row.items()}


@dataclass(frozen=True)
class Dialect:
    """How a program writes the table, and what a profile must say of that."""

    name: str
    change: Callable[[Row], Row] = lambda row: row
    declared: dict[str, Any] = field(default_factory=dict)
    delimiter: str = ","
    encoding: str = "utf-8"
    newline: str = "\r\n"
    kept: Callable[[Row], bool] = lambda _: True


CLOSED = ("Won", "Lost")
DIALECTS = [
    Dialect("slashes", dated("%d/%m/%Y")),
    Dialect("american", dated("%m/%d/%Y"), {"date_order": "MDY"}),
    Dialect("iso", dated("%Y-%m-%d"), {"date_order": None}),
    Dialect("iso-midnight", dated("%Y-%m-%d 00:00:00"), {"date_order": None}),
    Dialect("with-midnight", dated("%d.%m.%Y 00:00:00")),
    Dialect("months", dated("%d-%b-%Y"), {"date_order": None}),
    Dialect("floats", priced(lambda value: value and f"{value}.0")),
    Dialect("minus-one", priced(lambda value: value or "-1"), {"empty": ["-1"]}),
    Dialect("thousands", priced(lambda value: value and f"{int(value):,}.00"), {"thousands": ","}),
    Dialect(
        "swiss",
        priced(lambda value: value and f"{int(value):,}.00".replace(",", "'")),
        {"thousands": "'"},
    ),
    Dialect(
        "german",
        priced(with_comma),
        {"delimiter": ";", "decimal": ",", "thousands": "."},
        delimiter=";",
        encoding="utf-8-sig",
    ),
    Dialect(
        "spelling",
        lambda row: row | {"product": row["product"].replace("GTX Pro", "GTXPro")},
        {"values": {"product": {"GTXPro": "GTX Pro"}}},
    ),
    Dialect(
        "titles",
        renamed,
        {
            "columns": {
                role: [one.replace("_", " ").title() for one in name]
                if isinstance(name, list)
                else name.replace("_", " ").title()
                for role, name in MAVEN_PROFILE["columns"].items()
            },
            "stages": [
                one | ({"entered_on": "Engage Date"} if "entered_on" in one else {})
                for one in MAVEN_PROFILE["stages"]
            ],
        },
    ),
    Dialect("utf-16", encoding="utf-16"),
    Dialect("latin-1", declared={"encoding": "latin-1"}, encoding="latin-1", newline="\n"),
    Dialect("closed-only", kept=lambda row: row["deal_stage"] in CLOSED),
]


@pytest.fixture(scope="module")
def rows(shared_data: Path) -> list[Row]:
    with (shared_data / MAVEN).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))[::EVERY]


def written(dialect: Dialect, rows: Iterable[Row], folder: Path) -> Path:
    kept = [dialect.change(dict(row)) for row in rows if dialect.kept(row)]
    text = io.StringIO()
    writer = csv.DictWriter(
        text, list(kept[0]), delimiter=dialect.delimiter, lineterminator=dialect.newline
    )
    writer.writeheader()
    writer.writerows(kept)
    path = folder / "sales_pipeline.csv"
    path.write_bytes(text.getvalue().encode(dialect.encoding))
    return path


def read(path: Path, profile: Profile) -> tuple[dict[str, Any], Findings]:
    findings = Findings()
    reader = reader_for("csv", [path], profile=profile, known=NoContext())
    return {line.external_id: canonical(line) for line in reader.lines(findings)}, findings


def canonical(line: Line) -> Any:
    data = json.dumps(line.data, sort_keys=True)
    return line.stream, line.type, line.occurred_at, line.recorded_at, line.actor, data


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_a_dialect_tells_what_the_table_tells(
    dialect: Dialect, rows: list[Row], tmp_path: Path
) -> None:
    plain = written(Dialect("plain", kept=dialect.kept), rows, tmp_path)
    expected, _ = read(plain, profile_from(MAVEN_PROFILE, name="maven"))
    path = written(dialect, rows, tmp_path)

    told, findings = read(path, profile_from(MAVEN_PROFILE | dialect.declared, name=dialect.name))

    assert told == expected
    assert findings.rejects == []


def test_the_rows_that_two_files_share_tell_the_same(rows: list[Row], tmp_path: Path) -> None:
    profile = profile_from(MAVEN_PROFILE, name="maven")
    whole, _ = read(written(Dialect("whole"), rows, tmp_path), profile)
    closed, _ = read(written(DIALECTS[-1], rows, tmp_path), profile)

    deals = {told[0] for told in closed.values() if told[0].startswith("deal:")}
    assert {key: told for key, told in whole.items() if told[0] in deals} == {
        key: told for key, told in closed.items() if told[0] in deals
    }


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("american", "does not fit the declared date order"),
        ("german", "no column"),
    ],
)
def test_a_dialect_that_is_not_declared_is_refused(
    name: str, refused: str, rows: list[Row], tmp_path: Path
) -> None:
    dialect = next(one for one in DIALECTS if one.name == name)
    with pytest.raises(ExportRefusedError, match=refused):
        read(written(dialect, rows, tmp_path), profile_from(MAVEN_PROFILE, name="maven"))


@pytest.mark.parametrize(
    ("text", "declared"),
    [
        ("1,054.00", {}),
        ("1.054,00", {}),
        ("1054.0", {"decimal": ","}),
        ("1,54", {"thousands": ","}),
        ("1.0.54", {"decimal": ",", "thousands": "."}),
        ("10,54.00", {"thousands": ","}),
    ],
)
def test_a_number_written_otherwise_than_declared_is_a_reject(
    text: str, declared: dict[str, Any], tmp_path: Path
) -> None:
    row = {"opportunity_id": "A", "sales_agent": "ann", "deal_stage": "Won"}
    row |= {"product": "x", "account": "acme", "engage_date": "01-01-2017"}
    path = written(Dialect(""), [row | {"close_date": "02-01-2017", "close_value": text}], tmp_path)

    told, findings = read(path, profile_from(MAVEN_PROFILE | declared, name="p"))

    assert [one.row for one in findings.rejects] == [2]
    assert not any(told[key][0].startswith("deal:") for key in told)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_a_guess_proposes_how_a_dialect_is_written(
    dialect: Dialect, rows: list[Row], tmp_path: Path
) -> None:
    proposed = yaml.safe_load(
        propose_profile("csv", [written(dialect, rows, tmp_path)], declared=None)
    )

    declared = {"date_order": "DMY"} | dialect.declared
    for key in ("date_order", "delimiter", "decimal", "thousands", "empty"):
        if declared.get(key) is not None:
            assert proposed[key] == declared[key]
    for role in ("id", "owner", "stage", "opened_on", "closed_on", "amount"):
        columns: Any = declared.get("columns", MAVEN_PROFILE["columns"])
        assert proposed["columns"][role] == columns[role]


@pytest.mark.parametrize(
    ("amounts", "proposed"),
    [
        (["1,234", "1.234"], {}),
        (["1.234.567"], {"decimal": ",", "thousands": "."}),
        (["1\u202f234", "12,50"], {"decimal": ",", "thousands": "\u202f"}),
        (["1,234.50", "12,50"], {"thousands": None, "decimal": None}),
        (["12.345,"], {}),
    ],
)
def test_a_guess_reads_signs_of_numbers_only_where_they_have_one_meaning(
    amounts: list[str], proposed: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "deals.csv"
    path.write_text("id;amount\n" + "".join(f"A;{one}\n" for one in amounts), encoding="utf-8")

    text = propose_profile("csv", [path], declared=None)

    found = {key: yaml.safe_load(text).get(key) for key in ("decimal", "thousands")}
    assert found == {"decimal": None, "thousands": None} | proposed
    assert ("decimal: to be declared" in text) == ("decimal" in proposed and not found["decimal"])


def test_signs_that_mean_two_things_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot stand before the decimals as well"):
        profile_from({"decimal": ",", "thousands": ","}, name="p")


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16-le"])
def test_a_table_is_read_and_guessed_in_the_encoding_it_is_in(
    encoding: str, tmp_path: Path
) -> None:
    row = {"opportunity_id": "A", "sales_agent": "Zoë", "deal_stage": "Engaging"}
    row |= {"product": "x", "account": "Müller", "engage_date": "13-01-2017", "close_date": ""}
    path = written(Dialect(""), [row | {"close_value": ""}], tmp_path)
    path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))

    told, findings = read(path, profile_from(MAVEN_PROFILE | {"encoding": encoding}, name="p"))

    assert findings.rejects == []
    assert {line[4] for line in told.values() if line[0] == "deal:A"} == {"Zoë"}
    if encoding == "cp1252":
        proposed = yaml.safe_load(propose_profile("csv", [path], declared=None))
        assert proposed["encoding"] == encoding
