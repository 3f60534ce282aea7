"""What is sent in fewer bytes to who takes it: gzip, which every browser knows."""

import gzip
from collections.abc import Mapping
from typing import Final

GZIP: Final = "gzip"
_FROM_HERE: Final = ("same-origin", "none", "")
"""What a browser says of who asks where it was us or the reader, and what asks without saying."""


def takes_gzip(accepted: str) -> bool:
    """Say whether a client names gzip among the encodings that it takes."""
    for part in accepted.lower().split(","):
        name, _, weight = part.replace(" ", "").partition(";q=")
        if name == GZIP:
            return weight.strip("0.") != "" or not weight
    return False


def may_pack(headers: Mapping[str, str]) -> bool:
    """Say whether a page may be sent in fewer bytes.

    Not to who came from elsewhere, be it another port of this host: who led them here chose what
    the address asks for, and from the length of the answer could tell which of their guesses stand
    on the page (BREACH).
    """
    asked_by = headers.get("sec-fetch-site", "")
    return takes_gzip(headers.get("accept-encoding", "")) and asked_by in _FROM_HERE


def packed(content: bytes, *, level: int) -> bytes:
    """Give it as gzip, the same bytes each time."""
    return gzip.compress(content, level, mtime=0)
