"""How far the files of an import have been read, for whoever waits for it or wants to end it."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class Meter:
    """Counts the bytes of files up to where each was read; `beat` is called as reading goes on."""

    def __init__(self, beat: Callable[[], None]) -> None:
        self._furthest: dict[Path, int] = {}
        self._beat = beat

    @property
    def bytes_read(self) -> int:
        """Each byte once, however often its file was read."""
        return sum(self._furthest.values())

    def reached(self, path: Path, place: int) -> None:
        self._furthest[path] = max(place, self._furthest.get(path, 0))
        self._beat()


_METER: Final[ContextVar[Meter | None]] = ContextVar("meter", default=None)


@contextmanager
def metered(meter: Meter) -> Iterator[None]:
    """Tell the meter of what `open_bytes` gives within the block.

    What its `beat` raises ends the reading.
    """
    token = _METER.set(meter)
    try:
        yield
    finally:
        _METER.reset(token)


class _MeteredFile(io.FileIO):
    def __init__(self, path: Path, meter: Meter) -> None:
        super().__init__(path)
        self._path = path
        self._meter = meter

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        size = super().readinto(buffer)
        self._meter.reached(self._path, self.tell())
        return size


def open_bytes(path: Path) -> BinaryIO:
    """The file to be read from its beginning."""
    meter = _METER.get()
    return path.open("rb") if meter is None else io.BufferedReader(_MeteredFile(path, meter))
