"""The shapes of keys and of the access table."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.identity.permissions import ROLES, Role, Scope
from domain.values import WHOLE, Identifier, ShortText


class CreateKey(BaseModel):
    """A key for a member; without `role` the one that the organisation has them in."""

    model_config = ConfigDict(extra="forbid", strict=True)

    member: Identifier
    role: str | None = Field(None, json_schema_extra={"enum": [*ROLES, None]})
    scopes: list[str] | None = Field(
        None,
        description="Default: all that the role may.",
        min_length=1,
        json_schema_extra={"items": {"enum": [str(scope) for scope in Scope]}},
    )
    name: ShortText = Field(description="What it is for.")
    days: Annotated[int, WHOLE] = Field(90, ge=1, le=366, description="How long it is good.")


class RotateKey(BaseModel):
    """Another secret for a key."""

    model_config = ConfigDict(extra="forbid", strict=True)

    grace_hours: Annotated[int, WHOLE] = Field(
        0, ge=0, le=720, description="How long the secret before is good for yet."
    )


class KeyAnswer(BaseModel):
    """A key without its secret."""

    id: str
    member: str
    role: Role
    scopes: list[Scope] | None
    name: str
    created_by: str
    created_at: datetime
    expires_at: datetime
    rotated_at: datetime | None
    previous_until: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class KeyMade(KeyAnswer):
    """A key with its secret, which is told this once."""

    secret: str


class KeyList(BaseModel):
    """Every key there was."""

    keys: list[KeyAnswer]


class AccessAnswer(BaseModel):
    """Something that an auditor read, or that somebody exported.

    An export stands twice under its `request_id`: as it was asked for, and `exported`, as it ended:
    `events` were given out, of the positions after `after` up to `upto`.
    """

    id: int
    at: datetime
    actor: str
    role: Role
    credential: str
    kind: Literal["read", "export", "exported"]
    request: str
    request_id: str
    format: str | None
    after: int | None
    upto: int | None
    events: int | None


class AccessList(BaseModel):
    """Accesses, the latest first; `next` is the id to go on before."""

    accesses: list[AccessAnswer]
    next: int | None
