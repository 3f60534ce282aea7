"""What is sent in fewer bytes to who takes it: gzip, which every browser knows."""

import gzip
from collections.abc import Mapping
from typing import Final

GZIP: Final = "gzip"
_FROM_ELSEWHERE: Final = "cross-site"


def takes_gzip(accepted: str) -> bool:
    """Say whether a client names gzip among the encodings that it takes."""
    for part in accepted.lower().split(","):
        name, _, weight = part.replace(" ", "").partition(";q=")
        if name == GZIP:
            return weight.strip("0.") != "" or not weight
    return False


def may_pack(headers: Mapping[str, str]) -> bool:
    """Say whether a page may be sent in fewer bytes.

    Not to who came from another site: that site chose what the address asks for, and from the
    length of the answer it could tell which of its guesses stand on the page (BREACH).
    """
    asked_by = headers.get("sec-fetch-site", "")
    return takes_gzip(headers.get("accept-encoding", "")) and asked_by != _FROM_ELSEWHERE


def packed(content: bytes, *, level: int) -> bytes:
    """Give it as gzip, the same bytes each time."""
    return gzip.compress(content, level, mtime=0)
