"""The doors of the pages: a session for a good token or key or by the issuer, and its end."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from starlette.types import Scope

from api.identity.authenticator import Authenticator
from api.identity.code_flow import CodeFlow, Try
from api.identity.keys import KEY
from api.identity.sessions import Sessions


class SignIn(Protocol):
    """Opens and ends sessions."""

    async def open(self, credential: str, *, in_address: bool) -> str | None:
        """Give the cookie of a new session; None where the credential opens none."""
        ...

    async def close(self, cookie: str) -> None:
        """End a session."""
        ...

    def refuse(self, scope: Scope) -> None:
        """Take note of a request whose credential opens none."""
        ...


class Doors:
    """Opens sessions with the server's token or with a key; `refuse` may raise to say no more."""

    def __init__(
        self,
        authenticator: Authenticator,
        sessions: Sessions,
        *,
        refuse: Callable[[Scope], None],
    ) -> None:
        self._authenticator = authenticator
        self._sessions = sessions
        self.refuse = refuse

    async def open(self, credential: str, *, in_address: bool) -> str | None:
        """Give the cookie of a new session; an address may hold the server's token only."""
        if self._authenticator.is_token(credential):
            return await asyncio.to_thread(self._sessions.open, None)
        key = KEY.fullmatch(credential)
        if key is None or in_address or await self._authenticator.of_bearer(credential) is None:
            return None
        return await asyncio.to_thread(self._sessions.open, key[1])

    async def close(self, cookie: str) -> None:
        """End a session."""
        await asyncio.to_thread(self._sessions.close, cookie)


class IssuerDoors:
    """Opens sessions for whom the issuer names; `refuse` may raise to say no more."""

    def __init__(
        self, flow: CodeFlow, sessions: Sessions, *, refuse: Callable[[Scope], None]
    ) -> None:
        self.name = flow.name
        self.flow = flow
        self.refuse = refuse
        self._sessions = sessions

    async def open(self, begun: Try, *, code: str, before: str | None) -> str:
        """Give the cookie of a new session, which takes the place of the one before.

        Raises:
            SignInRefusedError: the issuer names no member, or cannot be asked.
        """
        member = await self.flow.member(begun, code=code)
        cookie = await asyncio.to_thread(self._sessions.open_for, member)
        if before is not None:
            await asyncio.to_thread(self._sessions.close, before)
        return cookie
