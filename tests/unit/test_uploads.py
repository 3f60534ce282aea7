"""A form with a file says the same however it comes in, and never more than is read."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.web.reads import FormError, TooLargeError
from api.web.uploads import MAX_PARTS, MOST_FIELD_BYTES, SentForm, read_upload

BOUNDARY = "----WebKitFormBoundary7MA4YWxk"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"


class Kept:
    def __init__(self) -> None:
        self.content = b""

    def write(self, part: bytes) -> None:
        self.content += part


def form(*parts: tuple[str, str | None, bytes], end: str = "--\r\n") -> bytes:
    body = b""
    for name, file, value in parts:
        named = f'form-data; name="{name}"' + ("" if file is None else f'; filename="{file}"')
        head = f"--{BOUNDARY}\r\nContent-Disposition: {named}\r\n\r\n"
        body += head.encode() + value + b"\r\n"
    return body + f"--{BOUNDARY}{end}".encode()


def read(body: bytes, *, cuts: Sequence[int] = (), most: int = 1 << 20) -> tuple[SentForm, bytes]:
    async def pieces() -> AsyncIterator[bytes]:
        places = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
        for start, end in pairwise(places):
            yield body[start:end]

    kept = Kept()
    told = asyncio.run(read_upload(TYPE, pieces(), kept, field="file", most=most))
    return told, kept.content


@given(
    content=st.binary(max_size=300),
    value=st.text(max_size=40).map(lambda text: text.encode("utf-8", "ignore")),
    cuts=st.lists(st.integers(0, 2000), max_size=12),
)
def test_a_form_in_any_pieces_is_the_same(content: bytes, value: bytes, cuts: list[int]) -> None:
    content = content.replace(b"\r\n--", b"")
    value = value.replace(b"\r\n--", b"")
    body = form(("format", None, value), ("file", "déals.csv", content), ("key", None, b"k"))

    told, kept = read(body, cuts=cuts)

    assert kept == content
    assert (told.size, told.file) == (len(content), "déals.csv")
    assert told.fields == {"format": value.decode(), "key": "k"}


def test_a_large_file_goes_out_as_it_comes() -> None:
    content = bytes(range(256)) * (3 << 12)
    body = form(("file", "a", content))

    told, kept = read(body, cuts=range(0, len(body), 100_001), most=len(content))

    assert (told.size, kept == content) == (len(content), True)


@pytest.mark.parametrize(
    ("name", "plain"),
    [("../../etc/passwd", "_.._etc_passwd"), (r"C:\temp\a.csv", "a.csv"), (".x", "x")],
)
def test_a_file_is_called_without_its_folders(name: str, plain: str) -> None:
    assert read(form(("file", name, b"x")))[0].file == plain


def test_more_than_is_read_is_refused() -> None:
    assert read(form(("file", "a", b"x" * 100)), most=100)[0].size == 100
    with pytest.raises(TooLargeError, match="At most 100 bytes"):
        read(form(("file", "a", b"x" * 101)), most=100)
    with pytest.raises(TooLargeError):
        read(form(("declared", None, b"x" * (MOST_FIELD_BYTES + 1))))
    with pytest.raises(FormError):
        read(form(*[(f"f{number}", None, b"") for number in range(MAX_PARTS + 1)]))


@pytest.mark.parametrize("body", [form(("file", "a", b"x"), end=""), b"", b"nothing of the kind"])
def test_a_form_that_is_cut_short_is_refused(body: bytes) -> None:
    with pytest.raises(FormError):
        read(body)


@pytest.mark.parametrize("kind", ["", "text/plain", "multipart/form-data", "application/json"])
def test_another_type_is_refused(kind: str) -> None:
    async def nothing() -> AsyncIterator[bytes]:
        yield b""

    with pytest.raises(FormError):
        asyncio.run(read_upload(kind, nothing(), Kept(), field="file", most=10))
