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

from starlette.types import ASGIApp, Receive, Scope, Send

from api.http.notes import notes_of
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
    """Refuses who asks too often, and notes where everybody stands, whoever answers them."""

    def __init__(self, app: ASGIApp, *, requests_a_minute: int) -> None:
        self._app = app
        self._buckets = Buckets(requests_a_minute)
        self._quota = requests_a_minute

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request.

        Raises:
            RequestRefusedError: its credential has asked too often.
        """
        if scope["type"] == "http" and not scope["path"].startswith(_FREE):
            standing = self._buckets.take(_whose(scope), asyncio.get_running_loop().time())
            notes_of(scope).standing = told = _told("credential", self._quota, standing)
            if standing.wait:
                raise _too_often("this credential asks too often", standing.wait, told)
        await self._app(scope, receive, send)


class WrongCredentials:
    """Counts what addresses show in vain; it is asked after a look, so that no right one waits."""

    def __init__(self, a_minute: int) -> None:
        self._buckets = Buckets(a_minute)
        self._quota = a_minute

    def count(self, scope: Scope, *, shown: str) -> None:
        """Take note of a credential that opens nothing; `shown` names it without its secret.

        Raises:
            RequestRefusedError: too many came from its address.
        """
        notes = notes_of(scope)
        notes.shown, notes.refusal = shown, "unauthorised"
        standing = self._buckets.take(_address(scope), asyncio.get_running_loop().time())
        if standing.wait:
            told = _told("wrong-credentials", self._quota, standing)
            message = "too many wrong credentials come from this address"
            raise _too_often(message, standing.wait, told)


def _whose(scope: Scope) -> str:
    """Give the name of the credential that the shield let in; else the address it came from."""
    identity: Identity | None = scope["identity"]
    if identity is not None:
        return f"credential {identity.credential} of {identity.actor}"
    return f"address {_address(scope)}"


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def _told(policy: str, quota: int, standing: Standing) -> dict[str, str]:
    return {
        "RateLimit-Policy": f'"{policy}";q={quota};w={WINDOW_SECONDS}',
        "RateLimit": f'"{policy}";r={standing.left};t={standing.full_in}',
    }


def _too_often(what: str, wait: int, told: dict[str, str]) -> RequestRefusedError:
    return RequestRefusedError(
        HTTPStatus.TOO_MANY_REQUESTS,
        "rate_limited",
        f"{what}; ask again in {wait} seconds",
        headers={**told, "Retry-After": str(wait)},
    )
