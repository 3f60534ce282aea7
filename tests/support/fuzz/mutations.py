"""Files made wrong: bytes, cells and values of real exports changed, at the word of a seed."""

import csv
import io
import json
import random
import re
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from typing import Any, Final
from xml.sax.saxutils import escape

HOSTILE: Final[tuple[Any, ...]] = (
    None,
    True,
    "",
    " ",
    "0",
    -1,
    10**40,
    "1e999999",
    "NaN",
    "Infinity",
    "-0",
    "1,054.00",
    "2024-02-30",
    "31/12/2024",
    "2024-12-31T25:00:00Z",
    "9999-12-31 23:59:59",
    "0001-01-01T00:00:00+14:00",
    "1970-01-01T00:00:00Z",
    "\u0000",
    "\ud800",
    "a\u202eb\u2028c",
    "x" * 5000,
    "=1+1",
    [],
    {},
    [[[[]]]],
    {"value": {"value": {}}},
)
"""Values that a field may hold and seldom should."""
_TOKENS: Final = (
    *(b'"', b"'", b",", b";", b"\n", b"\r\n", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"{", b"}"),
    *(b"[", b"]", b"<", b"</", b"/>", b"&#0;", b"&amp;", b"<![CDATA[", b"<!--", b"<!DOCTYPE x>"),
    *(b"\\u0000", b"\\ud800", b"1e400", b"-", b"99999999999999999999", b"null", b"true", b"2024"),
    *(b"SQLite format 3\x00", b"PK\x03\x04", b"\x1f\x8b", b"\xc3\x28", b"\t", b"T", b"Z", b"+"),
)


def mutated(content: bytes, suffix: str, chance: random.Random) -> bytes:
    """The file with one to eight changes, of its bytes or of what they say."""
    structured = _STRUCTURED.get(suffix)
    if structured is not None and chance.random() < 0.6:
        with suppress(ValueError, LookupError, csv.Error, RecursionError, sqlite3.Error):
            return structured(content, chance)
    data = bytearray(content)
    for _ in range(chance.randint(1, 8)):
        chance.choice(_BYTES)(data, chance)
    return bytes(data)


def _flip(data: bytearray, chance: random.Random) -> None:
    if data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _cut(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data) + 1)
    del data[at : at + chance.choice((1, 3, 20, 400, len(data)))]


def _insert(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data) + 1)
    data[at:at] = chance.choice(_TOKENS) * chance.choice((1, 1, 1, 2, 200))


def _repeat(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data) + 1)
    part = data[at : at + chance.choice((1, 10, 100, 2000))]
    to = chance.randrange(len(data) + 1)
    data[to:to] = part * chance.choice((1, 2, 5))


def _overwrite(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data) + 1)
    token = chance.choice(_TOKENS)
    data[at : at + len(token)] = token


_BYTES: Final[tuple[Callable[[bytearray, random.Random], None], ...]] = (
    *(_flip, _cut, _insert, _repeat, _overwrite),
)


def _json(content: bytes, chance: random.Random) -> bytes:
    told = json.loads(content)
    for _ in range(chance.randint(1, 6)):
        told = _changed(told, chance)
    text = json.dumps(told, ensure_ascii=chance.random() < 0.5)
    return text.encode("utf-8", "surrogatepass")


def _lines(content: bytes, chance: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    at = chance.randrange(len(lines))
    lines[at] = _json(lines[at], chance) + b"\n"
    if chance.random() < 0.3:
        chance.shuffle(lines)
    return b"".join(lines)


def _changed(told: Any, chance: random.Random) -> Any:
    """The value with something inside of it changed, taken away, repeated or put elsewhere."""
    if isinstance(told, dict) and told:
        key = chance.choice(list(told))
        if chance.random() < 0.75:
            return told | {key: _changed(told[key], chance)}
        if chance.random() < 0.5:
            return {name: value for name, value in told.items() if name != key}
        return told | {chance.choice(list(told)): told[key]}
    if isinstance(told, list) and told:
        at = chance.randrange(len(told))
        if chance.random() < 0.75:
            return [*told[:at], _changed(told[at], chance), *told[at + 1 :]]
        if chance.random() < 0.5:
            return [*told[:at], *told[at + 1 :]]
        return [*told, told[at]]
    return chance.choice(HOSTILE)


def _csv(content: bytes, chance: random.Random) -> bytes:
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    for _ in range(chance.randint(1, 6)):
        row = chance.choice(rows)
        kind = chance.random()
        if kind < 0.7 and row:
            row[chance.randrange(len(row))] = str(chance.choice(HOSTILE))
        elif kind < 0.8 and row:
            del row[chance.randrange(len(row))]
        elif kind < 0.9:
            rows.append(list(row))
        else:
            rows.remove(row)
    text = io.StringIO()
    csv.writer(text, quoting=chance.choice((csv.QUOTE_ALL, csv.QUOTE_MINIMAL))).writerows(rows)
    return text.getvalue().encode("utf-8", "surrogatepass")


def _xml(content: bytes, chance: random.Random) -> bytes:
    """The text with values of attributes, or whole elements, changed."""
    text = content.decode()
    places = list(re.finditer(r'="([^"]*)"', text))
    for place in sorted(
        chance.sample(places, min(len(places), chance.randint(1, 6))),
        key=lambda place: -place.start(),
    ):
        value = escape(str(chance.choice((*HOSTILE, *(one[1] for one in places[:40])))))
        text = text[: place.start(1)] + value.replace('"', "&quot;") + text[place.end(1) :]
    return text.encode("utf-8", "surrogatepass")


def _sqlite(content: bytes, chance: random.Random) -> bytes:
    """The database with values, rows or tables changed."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.deserialize(content)
        query = "SELECT name FROM sqlite_master WHERE type = 'table'"
        tables = [name for (name,) in database.execute(query)]
        for _ in range(chance.randint(1, 6)):
            _change_table(database, chance.choice(tables), chance)
        database.commit()
        return database.serialize()


def _change_table(database: sqlite3.Connection, table: str, chance: random.Random) -> None:
    columns = [row[1] for row in database.execute(f'PRAGMA table_info("{table}")')]
    skipped = chance.randrange(9)
    some = f'rowid IN (SELECT rowid FROM "{table}" ORDER BY rowid LIMIT 3 OFFSET {skipped})'
    value = chance.choice((*HOSTILE[:20], b"\x00\xff", 3.5))
    value = None if isinstance(value, int) and abs(value) > 1 << 60 else value
    kind = chance.random()
    if kind < 0.8:
        statement = f'UPDATE "{table}" SET "{chance.choice(columns)}" = ? WHERE {some}'
        database.execute(statement, (value,))
    elif kind < 0.95:
        database.execute(f'DELETE FROM "{table}" WHERE {some}')
    else:
        database.execute(f'ALTER TABLE "{table}" RENAME COLUMN "{chance.choice(columns)}" TO odd')


_STRUCTURED: Final[Mapping[str, Callable[[bytes, random.Random], bytes]]] = {
    ".json": _json,
    ".jsonocel": _json,
    ".csv": _csv,
    ".ndjson": _lines,
    ".xes": _xml,
    ".xmlocel": _xml,
    ".sqlite": _sqlite,
}
