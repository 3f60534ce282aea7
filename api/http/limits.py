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
MAX_DRAINED: Final = 1 << 30
"""Bytes read on, and dropped, after an answer that came before the end of the body.

Not every system gives a client the answer once its connection is reset while it still sends.
"""
MAX_STREAMS: Final = 200
"""Followers of the log at once: they share its looks at the log, and each holds a connection."""
MAX_BULKS: Final = 2
"""Bulk requests at once: each holds its body, up to 32 MiB, until its last verdict."""
MAX_UPLOADS: Final = 4
"""Uploads that come in at once: each is written to the disk as it comes."""

MAX_EXPORTS: Final = 4
"""Exports at once: each reads the log for as long as its client takes, and two formats sort it on
the disk."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be set otherwise: by a setting, or by a test that has no time.

    So many reads are made at once, each waits for its place for `place_seconds` at the most, and is
    given up after `read_seconds` more; there are 40 threads for them. A body may come in as slowly
    as `body_bytes_a_second` once `body_grace_seconds` are over. Who takes no byte of an answer for
    `stall_seconds` is cut off. What an answered client sends on is dropped until nothing came for
    `linger_seconds`, and not for longer than `drain_seconds`. No requests a minute: no limit. One
    address may show so many wrong credentials a minute.
    """

    requests_a_minute: int = 600_000
    wrong_credentials_a_minute: int = 300
    reads_at_once: int = 32
    place_seconds: float = 3.0
    read_seconds: float = 60.0
    head_seconds: float = 10.0
    body_grace_seconds: float = 20.0
    body_bytes_a_second: int = 64 << 10
    stall_seconds: float = 30.0
    linger_seconds: float = 3.0
    drain_seconds: float = 30.0
    half_closed_seconds: float = 30.0
