"""Signs browsers in with the issuer: the authorization code flow with PKCE, each try once."""

import asyncio
import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final, Self
from urllib.parse import quote, unquote, urlencode

import orjson
import structlog

from api.identity.fetching import FetchError, fetch
from api.identity.issuer import Client, Issuer
from api.identity.permissions import Role
from api.identity.tokens import IssuerTokens, KeysUnavailableError

TRY_LIFETIME: Final = timedelta(minutes=10)
"""How long a browser may be at the issuer."""
EXCHANGE_SECONDS: Final = 5.0
MAX_EXCHANGES: Final = 2
"""Codes that are exchanged at once: each holds one of the few threads that also look up keys."""
MAX_ANSWER_BYTES: Final = 64 << 10
MAX_TARGET: Final = 2_000
"""Characters of the page to go on to; with the rest they must fit into a cookie."""
_RANDOM_BYTES: Final = 32
_TRY: Final = re.compile(
    r"([0-9]{1,11})\.([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{43})\.(.*)"
)
_MAX_LOGGED: Final = 200


class SignInRefusedError(Exception):
    """Nobody is signed in; the message says why in words of ours only.

    `wrong` says whether something was shown in vain, and not just given up.
    """

    status: int = HTTPStatus.FORBIDDEN.value

    def __init__(self, message: str, *, wrong: bool = True) -> None:
        super().__init__(message)
        self.wrong = wrong


class IssuerAwayError(SignInRefusedError):
    """The issuer cannot be asked now."""

    status = HTTPStatus.SERVICE_UNAVAILABLE.value

    def __init__(self, message: str) -> None:
        super().__init__(message, wrong=False)


@dataclass(frozen=True, slots=True)
class Try:
    """A sign-in that was begun, as the browser keeps it and nobody else.

    `began` is in seconds since 1970. It needs no signature: whoever changes it only spoils a
    sign-in of their own.
    """

    began: int
    state: str
    nonce: str
    verifier: str
    target: str

    @classmethod
    def begun(cls, at: datetime, target: str) -> Self:
        """Give a new one; `target` is the page to go on to."""
        state, nonce, verifier = (secrets.token_urlsafe(_RANDOM_BYTES) for _ in range(3))
        kept = target if len(quote(target, safe="")) <= MAX_TARGET else ""
        return cls(int(at.timestamp()), state, nonce, verifier, kept)

    @classmethod
    def of_cookie(cls, cookie: str) -> Self | None:
        """Give what a browser kept; None if it is nothing of ours."""
        parts = _TRY.fullmatch(cookie)
        if parts is None:
            return None
        began, state, nonce, verifier, target = parts.groups()
        return cls(int(began), state, nonce, verifier, unquote(target))

    def cookie(self) -> str:
        """Give what the browser keeps."""
        target = quote(self.target, safe="")
        return f"{self.began}.{self.state}.{self.nonce}.{self.verifier}.{target}"

    def challenge(self) -> str:
        """Give what the issuer is told of the verifier beforehand (PKCE, S256)."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")


class CodeFlow:
    """Sends browsers to the issuer, and tells whom it named when they come back."""

    def __init__(
        self,
        issuer: Issuer,
        client: Client,
        tokens: IssuerTokens,
        *,
        clock: Callable[[], datetime],
        role_now: Callable[[str], Role | None],
    ) -> None:
        self.name = issuer.name
        self._client = client
        self._tokens = tokens
        self._clock = clock
        self._role_now = role_now
        self._places = asyncio.Semaphore(MAX_EXCHANGES)
        self._log = structlog.get_logger("dealtrail.identity")

    def begin(self, target: str) -> tuple[str, Try]:
        """Give the issuer's address to go to, and what the browser keeps meanwhile."""
        begun = Try.begun(self._clock(), target)
        asked = {
            "response_type": "code",
            "client_id": self._client.client_id,
            "redirect_uri": self._client.redirect_uri,
            "scope": self._client.scope,
            "state": begun.state,
            "nonce": begun.nonce,
            "code_challenge": begun.challenge(),
            "code_challenge_method": "S256",
        }
        place = self._client.authorization_endpoint
        return f"{place}{'&' if '?' in place else '?'}{urlencode(asked)}", begun

    def returned(self, cookie: str, state: str) -> Try:
        """Give what a browser had begun that comes back with a state.

        Raises:
            SignInRefusedError: it had begun nothing, or something else, or too long ago.
        """
        begun = Try.of_cookie(cookie)
        if begun is None or not hmac.compare_digest(state.encode(), begun.state.encode()):
            message = (
                "This sign-in was not begun in this browser, or it was used already. Begin again."
            )
            raise SignInRefusedError(message)
        if not 0 <= self._clock().timestamp() - begun.began <= TRY_LIFETIME.total_seconds():
            raise SignInRefusedError("This sign-in took too long. Begin again.")
        return begun

    async def member(self, begun: Try, *, code: str) -> str:
        """Give the member whom the issuer names for a code.

        Raises:
            SignInRefusedError: the code or what it gives is not good, or names no member.
            IssuerAwayError: the issuer cannot be asked now.
        """
        if not code:
            raise SignInRefusedError(f"{self.name} did not sign you in.", wrong=False)
        try:
            async with asyncio.timeout(EXCHANGE_SECONDS):
                await self._places.acquire()
        except TimeoutError:
            raise self._away("too many sign-ins wait for it") from None
        try:
            return await asyncio.to_thread(self._member, begun, code)
        finally:
            self._places.release()

    def _member(self, begun: Try, code: str) -> str:
        token = self._exchanged(begun, code)
        try:
            verified = self._tokens.verify_id_token(
                token, client_id=self._client.client_id, nonce=begun.nonce
            )
        except KeysUnavailableError as error:
            raise self._away(str(error)) from error
        if verified is None or verified.until <= self._clock():
            raise self._unproven("its ID token is not good")
        if self._role_now(verified.member) is None:
            self._log.warning("a sign-in names nobody here", member=verified.member[:_MAX_LOGGED])
            message = (
                f"{self.name} knows you, but you are in no team here. Ask an admin to add you."
            )
            raise SignInRefusedError(message)
        return verified.member

    def _exchanged(self, begun: Try, code: str) -> str:
        """Give the ID token that the issuer gives for a code and the verifier of its challenge."""
        client = self._client
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": client.redirect_uri,
            "code_verifier": begun.verifier,
        }
        headers = {"Accept": "application/json"}
        if client.secret is None:
            form["client_id"] = client.client_id
        else:
            pair = f"{quote(client.client_id, safe='')}:{quote(client.secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        try:
            content = fetch(
                client.token_endpoint,
                seconds=EXCHANGE_SECONDS,
                most=MAX_ANSWER_BYTES,
                form=form,
                headers=headers,
            )
        except FetchError as error:
            if error.status == HTTPStatus.BAD_REQUEST:
                raise self._unproven("it refused the code") from error
            raise self._away(str(error)) from error
        return self._id_token(content)

    def _id_token(self, content: bytes) -> str:
        try:
            token = orjson.loads(content)["id_token"]
        except (ValueError, TypeError, KeyError) as error:
            raise self._away("it answered something else than an ID token") from error
        if not isinstance(token, str):
            raise self._away("it answered something else than an ID token")
        return token

    def _unproven(self, reason: str) -> SignInRefusedError:
        self._log.warning("a sign-in with the issuer was refused", reason=reason)
        return SignInRefusedError(f"{self.name} did not confirm this sign-in. Begin again.")

    def _away(self, reason: str) -> IssuerAwayError:
        self._log.warning("the issuer cannot sign anybody in", reason=reason)
        message = f"{self.name} cannot be asked now. Try again later, or sign in with a key."
        return IssuerAwayError(message)
