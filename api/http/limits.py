"""How much of a client the server takes, and how long it waits for one: every bound in one place.

`docs/api.md` states them to clients.
"""

from dataclasses import dataclass
from typing import Final

MAX_TARGET: Final = 8192
"""Bytes of a request's address: twice what the longest filters of the log come to."""
MAX_HEAD: Final = 32 << 10
"""Bytes of a request's address and headers together."""
MAX_HEADERS: Final = 100
MAX_CONNECTIONS: Final = 800
"""Open at once, so that there are file handles left for the database under the usual 1,024."""
MAX_DRAINED: Final = 64 << 20
"""Bytes read on after an answer that came before the end of the body, so that it gets through."""
MAX_STREAMS: Final = 64
"""Followers of the log at once: each reads it four times a second."""
MAX_BULKS: Final = 2
"""Bulk requests at once: each holds its body, up to 32 MiB, until its last verdict."""

MAX_EXPORTS: Final = 4
"""Exports at once: each reads the log for as long as its client takes, and two formats sort it on
the disk."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be set otherwise: by a setting, or by a test that has no time.

    A body may come in as slowly as `body_bytes_a_second` once `body_grace_seconds` are over. Who
    takes no byte of an answer for `stall_seconds` is cut off. No requests a minute: no limit.
    """

    requests_a_minute: int = 600_000
    head_seconds: float = 10.0
    body_grace_seconds: float = 20.0
    body_bytes_a_second: int = 64 << 10
    stall_seconds: float = 30.0
    linger_seconds: float = 3.0
    half_closed_seconds: float = 30.0
