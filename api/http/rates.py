"""How often one credential may ask: a token bucket each, told in the RateLimit headers.

The headers are those of draft-ietf-httpapi-ratelimit-headers-10: a policy is its quota `q` in a
window of `w` seconds, a standing the `r` requests that are left and the `t` seconds until all are.
"""

import asyncio
import math
from collections import OrderedDict
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.problems import RequestRefusedError
from api.identity.permissions import Identity

WINDOW_SECONDS: Final = 60
MAX_BUCKETS: Final = 10_000
"""Credentials remembered; the one that asked longest ago is forgotten first."""
_FREE: Final = ("/healthz", "/static/")
"""What costs nothing and is asked for by machines that watch, or once per page."""


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


@dataclass(frozen=True, slots=True)
class Standing:
    """What a credential may still ask; `wait` is the seconds until it may again, 0 if now."""

    left: int
    full_in: int
    wait: int


class Buckets:
    """The buckets of all credentials: `quota` requests at once, and as many again in a window."""

    def __init__(self, quota: int, *, most: int = MAX_BUCKETS) -> None:
        self._quota = quota
        self._rate = quota / WINDOW_SECONDS
        self._most = most
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: str, now: float) -> Standing:
        """Take one request out of a bucket, unless it is empty; `now` is in monotonic seconds."""
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = _Bucket(float(self._quota), now)
            if len(self._buckets) > self._most:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(key)
        # Whatever becomes of the loop's clock, it keeps nobody out for longer than a window.
        waited = max(0.0, now - bucket.at)
        bucket.left = min(self._quota, bucket.left + waited * self._rate)
        bucket.at = now
        wait = 0
        if bucket.left >= 1:
            bucket.left -= 1
        else:
            wait = math.ceil((1 - bucket.left) / self._rate)
        full_in = math.ceil((self._quota - bucket.left) / self._rate)
        return Standing(int(bucket.left), full_in, wait)


class RateLimited:
    """Refuses who asks too often, and tells everybody where they stand."""

    def __init__(self, app: ASGIApp, *, requests_a_minute: int) -> None:
        self._app = app
        self._buckets = Buckets(requests_a_minute)
        self._policy = f'"credential";q={requests_a_minute};w={WINDOW_SECONDS}'

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request.

        Raises:
            RequestRefusedError: its credential has asked too often.
        """
        if scope["type"] != "http" or scope["path"].startswith(_FREE):
            await self._app(scope, receive, send)
            return
        standing = self._buckets.take(_whose(scope), asyncio.get_running_loop().time())
        told = {
            "RateLimit-Policy": self._policy,
            "RateLimit": f'"credential";r={standing.left};t={standing.full_in}',
        }
        if standing.wait:
            raise _too_often(standing.wait, told)

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(told)
            await send(message)

        await self._app(scope, receive, sent)


def _whose(scope: Scope) -> str:
    """Give the name of the credential that the shield let in; else the address it came from."""
    identity: Identity | None = scope["identity"]
    if identity is not None:
        return f"credential {identity.credential}"
    client = scope.get("client")
    return f"address {client[0] if client else ''}"


def _too_often(wait: int, told: dict[str, str]) -> RequestRefusedError:
    return RequestRefusedError(
        HTTPStatus.TOO_MANY_REQUESTS,
        "rate_limited",
        f"this credential asks too often; ask again in {wait} seconds",
        headers={**told, "Retry-After": str(wait)},
    )
