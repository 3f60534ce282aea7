"""The rows that were not imported: as many as a file has, few of them in memory."""

import json
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import cast, overload

from api.exchange.spool import RUN, Row, Spool


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was not imported, and why."""

    file: str
    row: int
    reason: str


class Rejects(Sequence[Reject]):
    """Rejects in the order of their files and rows, whatever order they come in.

    Asked for one by its number, all before it are read; iterate instead.
    """

    def __init__(self, *, run: int = RUN) -> None:
        self._spool = Spool(run=run)
        self._count = 0
        weakref.finalize(self, self._spool.close)

    def add(self, reject: Reject) -> None:
        # In ASCII: a reason may quote halves of characters, which are not kept on disk.
        row: Row = {"reason": json.dumps(reject.reason)}
        self._spool.add([json.dumps(reject.file), reject.row], row)
        self._count += 1

    def __iter__(self) -> Iterator[Reject]:
        for (file, number), row in self._spool:
            yield Reject(json.loads(str(file)), int(number), json.loads(cast("str", row["reason"])))

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Reject: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Reject]: ...
    def __getitem__(self, index: int | slice) -> Reject | Sequence[Reject]:
        wanted = range(self._count)[index]
        if isinstance(wanted, int):
            return next(islice(self, wanted, None))
        if wanted.step < 0:
            return list(self)[index]
        return list(islice(self, wanted.start, wanted.stop, wanted.step))

    def __eq__(self, other: object) -> bool:
        """Say whether both are the same rejects in the same order, however they are kept."""
        if not isinstance(other, Sequence) or len(other) != self._count:
            return False
        return all(one == another for one, another in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]  # it grows

    def __repr__(self) -> str:
        return f"Rejects({list(self[:3])}, {self._count} in all)"
