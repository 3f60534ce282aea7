"""The output: what was told, when, by whom, as lines of Dealtrail's own format."""

import hashlib
import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from domain.events.catalogue import STREAM_KINDS

Json = dict[str, object]

_MILLISECOND: Final = 1000
_TIMESTAMP_BITS: Final = 80
_VARIANT_BITS: Final = (1 << 64) - (1 << 62)


@dataclass(frozen=True, slots=True)
class _Told:
    order: tuple[datetime, bool, int]
    line: Json

    def __lt__(self, other: "_Told") -> bool:
        return self.order < other.order


class Journal:
    """Collects lines in any order and gives them in the order of their recording."""

    def __init__(self, *, seed: int) -> None:
        self._seed = seed
        self._count = 0
        self._told: list[_Told] = []
        self._versions: dict[str, int] = {}

    def tell(
        self,
        *,
        stream: str,
        type_name: str,
        occurred_at: datetime,
        recorded_at: datetime,
        actor: str,
        data: Json,
        caused_by: str | None = None,
        imported: bool = False,
    ) -> str:
        """Add a line and give its external id, by which other lines may name it.

        An imported one says nothing of when it was recorded.
        """
        version = self._versions[stream] = self._versions.get(stream, 0) + 1
        external_id = str(self._id(f"{stream}/{version}", recorded_at))
        line: Json = {
            "stream": stream,
            "external_id": external_id,
            "type": type_name,
            "occurred_at": _text(occurred_at),
            "recorded_at": _text(recorded_at),
            "actor": actor,
        }
        if imported:
            del line["recorded_at"]
        if caused_by is not None:
            line["caused_by"] = caused_by
        line["data"] = data
        of_deal = STREAM_KINDS[type_name] == "deal"
        self._count += 1
        heapq.heappush(self._told, _Told((recorded_at, of_deal, self._count), line))
        return external_id

    def close(self, stream: str) -> None:
        """Forget a stream that nothing more is told of."""
        self._versions.pop(stream, None)

    def upto(self, instant: datetime) -> Iterator[Json]:
        """Give what was recorded before the instant and was not given yet, and forget it."""
        while self._told and self._told[0].order[0] < instant:
            yield heapq.heappop(self._told).line

    def _id(self, name: str, at: datetime) -> UUID:
        """Make an id of the seventh kind, so that corrections can name the line as an event."""
        digest = hashlib.sha256(f"{self._seed}/{name}".encode()).digest()
        rest = int.from_bytes(digest[:10]) & ~(0xF << 76) & ~_VARIANT_BITS
        milliseconds = int(at.timestamp() * _MILLISECOND)
        return UUID(int=milliseconds << _TIMESTAMP_BITS | 7 << 76 | rest | 1 << 63)


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
