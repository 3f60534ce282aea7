"""What is set of an issuer: whose tokens are good here, and how browsers sign in with it."""

from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, get_args
from urllib.parse import urlsplit

Algorithm: TypeAlias = Literal["RS256", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
ALGORITHMS: Final[tuple[str, ...]] = get_args(Algorithm)
"""With a public key only, so that who verifies a token cannot make one."""
CALLBACK: Final = "/sign-in/callback"
"""Where the issuer sends browsers back to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """What this server is to the issuer, so that browsers can sign in with it.

    Every address is told by the settings; none is taken from a request or from the issuer.
    """

    client_id: str
    secret: str | None = field(repr=False)
    authorization_endpoint: str
    token_endpoint: str
    redirect_uri: str
    scope: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Whose tokens are good here: every part is told by the settings and by no token."""

    issuer: str
    audience: str
    algorithm: Algorithm
    keys: str
    member_claim: str
    client: Client | None = None

    @property
    def name(self) -> str:
        """What people know it by: its host."""
        return urlsplit(self.issuer).hostname or self.issuer
