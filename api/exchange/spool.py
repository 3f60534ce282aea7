"""Sorting more rows than fit in memory: sorted runs in temporary files, merged while read."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from heapq import merge
from itertools import groupby
from operator import itemgetter
from types import TracebackType
from typing import Any, BinaryIO, Final, Self, TypeAlias

import orjson

from api.exchange.records import NumberText

Key: TypeAlias = list[str | int]
Row: TypeAlias = dict[str, object]
Record: TypeAlias = tuple[Key, Row]

GROUPS_AHEAD: Final = 64
"""Groups that are given at once, if they are small: what is asked of each is asked together."""
RUN: Final = 20_000
"""Rows held in memory at once, if they are small."""
MAX_HELD: Final = 16 << 20
"""Bytes of rows held in memory at once, however large each is."""

_NUMBER: Final = "\0number"
"""The key under which a number is kept, to be told from texts; no source calls anything so."""
_NUMBER_WRITTEN: Final = orjson.dumps(_NUMBER)

_key = itemgetter(0)


class Spool:
    """Rows come in any order and go out by key; rows of one key keep the order they came in."""

    def __init__(self, *, run: int = RUN) -> None:
        self._run = run
        self._held: list[tuple[Key, bytes]] = []
        self._size = 0
        self._largest = 0
        self._runs: list[BinaryIO] = []
        self._files = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._files.close()
        self._held.clear()

    def add(self, key: Key, row: Row) -> None:
        # A copy: what orjson gives keeps the buffer of kilobytes that it was written in.
        text = bytes(memoryview(orjson.dumps(row, _marked, orjson.OPT_PASSTHROUGH_SUBCLASS)))
        self._held.append((key, text))
        self._size += len(text)
        self._largest = max(self._largest, len(text))
        if len(self._held) >= self._run or self._size >= MAX_HELD:
            self._write_run()

    def _write_run(self) -> None:
        self._held.sort(key=_key)
        # Kept open until the spool is left: it is read when all rows are there.
        file = tempfile.TemporaryFile(prefix="dealtrail-sort-")  # noqa: SIM115
        self._files.callback(file.close)
        file.writelines(
            orjson.dumps([key, orjson.Fragment(text)]) + b"\n" for key, text in self._held
        )
        self._runs.append(file)
        self._held.clear()
        self._size = 0

    def __iter__(self) -> Iterator[Record]:
        self._held.sort(key=_key)
        held = ((key, _read(text)) for key, text in self._held)
        return merge(*(_read_run(file) for file in self._runs), held, key=_key)

    def groups(self) -> Iterator[tuple[str, Iterator[Record]]]:
        """The rows by the first part of their key; each group is read before the next."""
        yield from groupby(self, key=lambda record: str(record[0][0]))

    def batches(self) -> Iterator[list[tuple[str, list[Record]]]]:
        """The groups, some at once for who looks something up for each; fewer if they are large."""
        batch: list[tuple[str, list[Record]]] = []
        rows = 0
        for name, group in self.groups():
            batch.append((name, list(group)))
            rows += len(batch[-1][1])
            if len(batch) >= GROUPS_AHEAD or rows * self._largest >= MAX_HELD:
                yield batch
                batch, rows = [], 0
        if batch:
            yield batch


def _read_run(file: BinaryIO) -> Iterable[Record]:
    file.seek(0)
    for text in file:
        key, row = _read(text)
        yield key, row


def _marked(value: object) -> object:
    if isinstance(value, NumberText):
        return {_NUMBER: str(value)}
    raise TypeError(f"no row holds a {type(value).__name__}")


def _read(text: bytes) -> Any:
    value = orjson.loads(text)
    return _unmarked(value) if _NUMBER_WRITTEN in text else value


def _unmarked(value: object) -> object:
    """The value with its numbers as they were added."""
    if isinstance(value, dict):
        if value.keys() == {_NUMBER}:
            return NumberText(value[_NUMBER])
        return {name: _unmarked(part) for name, part in value.items()}
    return [_unmarked(part) for part in value] if isinstance(value, list) else value
