"""Asks the issuer over https: within a time, within a size, and nobody whom it points to."""

import socket
import ssl
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from http.client import HTTPException, HTTPResponse, HTTPSConnection
from threading import Timer
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import urlencode

from api.clock import Deadline

_PART_BYTES: Final = 16 << 10


class FetchError(Exception):
    """Nothing that could be used came; `status` is that of the answer, None if there was none."""

    def __init__(self, reason: str, *, status: int | None = None) -> None:
        super().__init__(reason)
        self.status = status


def fetch(
    address: str,
    *,
    seconds: float,
    most: int,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """Give what an address answers, at most so many bytes; with a form, what it answers to that.

    Raises:
        FetchError: it refused, sent on, sent too much, or was not done in time.
    """
    body = None if form is None else urlencode(form).encode()
    request = urllib.request.Request(address, data=body, headers=dict(headers or {}))  # noqa: S310  # from the settings
    deadline = Deadline.after(seconds)
    try:
        with _cut_after(seconds) as cut:
            return _read(urllib.request.build_opener(_NoRedirect, cut), request, deadline, most)
    except HTTPError as error:
        error.close()
        raise FetchError(f"it answered {error.code}", status=error.code) from error
    except (OSError, ValueError, HTTPException) as error:
        raise FetchError(str(error) or type(error).__name__) from error


def _read(
    opener: urllib.request.OpenerDirector,
    request: urllib.request.Request,
    deadline: Deadline,
    most: int,
) -> bytes:
    content = b""
    with opener.open(request, timeout=deadline.seconds_left()) as answer:
        while part := answer.read1(_PART_BYTES):
            content += part
            if len(content) > most:
                raise FetchError(f"it sends more than {most} bytes")
            if deadline.passed():
                break
    if deadline.passed():
        raise FetchError("it was not done in time")
    return content


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """What is asked for lies at the address that is set, and nowhere it points to."""

    def redirect_request(self, *_: Any) -> None:
        return None


class _Cut(urllib.request.HTTPSHandler):
    """Ends its connections when told to.

    The timeout of a socket is for each read, and a header may come a byte at a time.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sockets: list[socket.socket] = []

    def https_open(self, request: urllib.request.Request) -> HTTPResponse:
        context = ssl.create_default_context()
        return self.do_open(partial(_Connection, cut=self, context=context), request)

    def end(self) -> None:
        for one in self.sockets:
            with suppress(OSError):  # closed already
                one.shutdown(socket.SHUT_RDWR)


class _Connection(HTTPSConnection):
    """A connection that can be ended from another thread."""

    def __init__(self, host: str, *, cut: _Cut, **options: Any) -> None:
        super().__init__(host, **options)
        self._cut = cut

    def connect(self) -> None:
        """Connect."""
        super().connect()
        self._cut.sockets.append(self.sock)


@contextmanager
def _cut_after(seconds: float) -> Iterator[_Cut]:
    cut = _Cut()
    timer = Timer(seconds, cut.end)
    timer.daemon = True
    timer.start()
    try:
        yield cut
    finally:
        timer.cancel()
