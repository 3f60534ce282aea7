"""What the layers of the server tell each other of a request, whoever refuses it."""

from dataclasses import dataclass, field
from typing import Final

from starlette.types import Scope

_NAME: Final = "dealtrail.notes"


@dataclass(slots=True)
class Notes:
    """Of one request: the code of its refusal, what it showed in vain, and what its caller may ask.

    `shown` names a credential that opens nothing, without its secret. `standing` are the headers
    that say how much the caller may still ask, empty until they are known and counted.
    """

    refusal: str | None = None
    shown: str | None = None
    standing: dict[str, str] = field(default_factory=dict)


def notes_of(scope: Scope) -> Notes:
    """Give the notes of a request, which copies of its scope share."""
    notes: Notes = scope.setdefault(_NAME, Notes())
    return notes
