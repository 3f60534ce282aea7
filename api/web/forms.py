"""Reads what a form of a page sends."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qs

from fastapi import Request

MOST_FORM_BYTES: Final = 4096


async def read_form(request: Request, *, most: int = MOST_FORM_BYTES) -> Mapping[str, str]:
    """Give the value of each field, of one given several times each on a line of its own.

    A body of more than `most` bytes counts as empty.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            return {}
    fields = parse_qs(body.decode("utf-8", errors="replace"))
    return {name: "\n".join(values) for name, values in fields.items()}
