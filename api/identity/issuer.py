"""What is set of an issuer of bearer tokens."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

Algorithm: TypeAlias = Literal["RS256", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
ALGORITHMS: Final[tuple[str, ...]] = get_args(Algorithm)
"""With a public key only, so that who verifies a token cannot make one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Whose bearer tokens are good here: every part is told by the settings and by no token."""

    issuer: str
    audience: str
    algorithm: Algorithm
    keys: str
    member_claim: str
