"""Which moment a page shows: what the reader typed, what it came to, and the way to others."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from api.web import format as f
from api.web.reads import Answer


@dataclass(frozen=True, slots=True)
class AsOf:
    """The moment of a page; `query` carries what was asked over to the next page."""

    position: int
    recorded_at: Any
    effective_at: Any
    asked: str
    asked_effective: str
    query: str
    previous: int | None = None
    following: int | None = None

    @property
    def fixed(self) -> bool:
        return bool(self.asked or self.asked_effective)

    @property
    def carried(self) -> dict[str, str]:
        """What was asked, as the query of another address takes it."""
        return {"as_of": self.asked, "effective_at": self.asked_effective}

    @property
    def permanent(self) -> dict[str, str]:
        """The query that asks for just this moment, however far the log gets."""
        named = self.asked_effective or ("" if self.asked else self._instant)
        return {"as_of": self.asked or f"position:{self.position}", "effective_at": named}

    @property
    def settled(self) -> dict[str, str]:
        """What was asked, as another page takes it to settle deadlines by the instant of this one.

        A later page of a list of now stands where the first one did: its address names the
        position, and only its cursor the instant.
        """
        at, recorded_at = f.instant(self.effective_at), self.recorded_at
        told = recorded_at is None or at == f.instant(recorded_at)
        if told or self.asked_effective or self.asked != f"position:{self.position}":
            return self.carried
        return {"as_of": self.asked, "effective_at": self._instant}

    @property
    def pages(self) -> dict[str, str]:
        """The query that the other pages of a list share: they stand where the first one does."""
        at = self.asked or f"position:{self.position}"
        return {"as_of": at, "effective_at": self.asked_effective}

    @property
    def _instant(self) -> str:
        return f.instant(self.effective_at).isoformat().replace("+00:00", "Z")


def as_of_view(answer: Answer, *, asked: tuple[str | None, str | None]) -> AsOf:
    """Works for both pages; only a deal has events to step to."""
    stands = answer if "as_of" in answer else answer["progress"]
    as_of, effective = asked
    position = int(stands["as_of"]["position"])
    previous, following = _neighbours(answer, position)
    return AsOf(
        position=position,
        recorded_at=stands["as_of"]["recorded_at"],
        effective_at=stands["effective_at"],
        asked=as_of or "",
        asked_effective=effective or "",
        query=query_of({"as_of": as_of, "effective_at": effective}),
        previous=previous,
        following=following,
    )


def query_of(parameters: Mapping[str, object]) -> str:
    """`?a=1&b=2` of those that have a value, and nothing at all if none has."""
    present = {name: value for name, value in parameters.items() if value}
    return f"?{urlencode(present)}" if present else ""


def _neighbours(answer: Answer, position: int) -> tuple[int | None, int | None]:
    """The deal's event before the newest one that was told by then, and the next one."""
    places = [place for place, _ in answer.get("told", ())]
    known = [place for place in places if place <= position]
    following = next((place for place in places if place > position), None)
    return (known[-2] if len(known) > 1 else None), following
