"""The doors of the pages: a session for a good token or key, and its end."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from starlette.types import Scope

from api.identity.authenticator import Authenticator
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
