"""Exports whose rows were shuffled and some doubled, in every format of the reference pack."""

import csv
import io
import json
import random
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

DOUBLED: Final = 0.05
_XES: Final = "{http://www.xes-standard.org/}"
Row = TypeVar("Row")
Mess = Callable[[Path, Path, random.Random], None]


def in_any_order(
    rows: Sequence[Row], chance: random.Random, *, tie: Callable[[Row], Hashable] | None = None
) -> list[Row]:
    """The rows shuffled, and at least one of twenty twice; those that tie keep their order."""
    doubled = [row for row in rows if chance.random() < DOUBLED] or list(rows[:1])
    mixed = [*rows, *doubled]
    chance.shuffle(mixed)
    if tie is None:
        return mixed
    places: dict[Hashable, list[int]] = defaultdict(list)
    for place, row in enumerate(mixed):
        places[tie(row)].append(place)
    order = {id(row): number for number, row in enumerate(rows)}
    for found in places.values():
        ordered = sorted((mixed[place] for place in found), key=lambda row: order[id(row)])
        for place, row in zip(found, ordered, strict=True):
            mixed[place] = row
    return mixed


def csv_files(source: Path, target: Path, chance: random.Random) -> None:
    for path in sorted(source.glob("*.csv")):
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]), quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(in_any_order(rows, chance))
        (target / path.name).write_text(text.getvalue(), encoding="utf-8", newline="")


def json_files(key: str) -> Mess:
    """Files of pages whose records lie under a key, by deal or not."""

    def write(source: Path, target: Path, chance: random.Random) -> None:
        for path in sorted(source.glob("*.json")):
            content = json.loads(path.read_text(encoding="utf-8"))
            for page in _pages(content, key):
                page[key] = in_any_order(page[key], chance)
                if "totalSize" in page:
                    page["totalSize"] = len(page[key])
            (target / path.name).write_text(json.dumps(content), encoding="utf-8")

    return write


def _pages(content: Any, key: str) -> list[Any]:
    if key in content:
        return [content]
    return [page for pages in content.values() for page in pages]


def json_list(source: Path, target: Path, chance: random.Random) -> None:
    content = in_any_order(json.loads(source.read_text(encoding="utf-8")), chance)
    (target / source.name).write_text(json.dumps(content), encoding="utf-8")


def lines(source: Path, target: Path, chance: random.Random) -> None:
    texts = source.read_text(encoding="utf-8").splitlines()

    def tie(text: str) -> Hashable:
        told = json.loads(text)
        return told["stream"], told["occurred_at"]

    mixed = in_any_order(texts, chance, tie=tie)
    (target / source.name).write_text("".join(text + "\n" for text in mixed), encoding="utf-8")


def ocel(source: Path, target: Path, chance: random.Random) -> None:
    content = json.loads(source.read_text(encoding="utf-8"))
    content["objects"] = in_any_order(content["objects"], chance)
    content["events"] = in_any_order(content["events"], chance, tie=lambda one: one["time"])
    (target / source.name).write_text(json.dumps(content), encoding="utf-8")


def xes(source: Path, target: Path, chance: random.Random) -> None:
    tree = ET.parse(source)
    root = tree.getroot()
    traces = root.findall(f"{_XES}trace")
    for trace in traces:
        root.remove(trace)
        events = trace.findall(f"{_XES}event")
        for event in events:
            trace.remove(event)
        trace.extend(in_any_order(events, chance, tie=_time_of))
    chance.shuffle(traces)
    root.extend(traces)
    tree.write(target / source.name)


def _time_of(event: ET.Element) -> str:
    return next(one.get("value", "") for one in event if one.get("key") == "time:timestamp")
