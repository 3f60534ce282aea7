"""What each role may do: one table of roles and actions, asked by every way in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, TypeAlias, get_args

from api.errors import NotPermittedError

Role: TypeAlias = Literal["rep", "manager", "process_owner", "auditor", "admin"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)


class Scope(StrEnum):
    """A part of what a role may; a key can be made for some of them only."""

    READ = "read"
    APPEND = "append"
    CONTEXT = "context"
    EXPORT = "export"
    ADMIN = "admin"


class Action(StrEnum):
    """What a request does; every route declares one."""

    ANSWER_ANYBODY = "answer_anybody"
    SEE_READINESS = "see_readiness"
    READ_DEALS = "read_deals"
    READ_PRESSURE = "read_pressure"
    READ_FIGURES = "read_figures"
    READ_QUOTAS = "read_quotas"
    READ_CONTEXT = "read_context"
    READ_PROCESS_WORTH = "read_process_worth"
    READ_LOG = "read_log"
    READ_EFFECTS = "read_effects"
    SEE_OPERATIONS = "see_operations"
    APPEND_DEALS = "append_deals"
    CALL_FORECAST = "call_forecast"
    SET_QUOTA = "set_quota"
    PUBLISH_PROCESS = "publish_process"
    PUBLISH_POLICY = "publish_policy"
    ADOPT_CALENDAR = "adopt_calendar"
    CHANGE_TEAMS = "change_teams"
    SET_RATES = "set_rates"
    EXPORT = "export"
    READ_ACCESSES = "read_accesses"
    MANAGE_KEYS = "manage_keys"
    READ_OWN_SESSIONS = "read_own_sessions"
    END_OWN_SESSIONS = "end_own_sessions"
    IMPORT = "import"
    READ_IMPORTS = "read_imports"


SCOPES: Final[Mapping[Action, Scope]] = {
    **dict.fromkeys(Action, Scope.READ),
    Action.APPEND_DEALS: Scope.APPEND,
    Action.CALL_FORECAST: Scope.APPEND,
    Action.SET_QUOTA: Scope.CONTEXT,
    Action.PUBLISH_PROCESS: Scope.CONTEXT,
    Action.PUBLISH_POLICY: Scope.CONTEXT,
    Action.ADOPT_CALENDAR: Scope.CONTEXT,
    Action.CHANGE_TEAMS: Scope.CONTEXT,
    Action.SET_RATES: Scope.CONTEXT,
    Action.EXPORT: Scope.EXPORT,
    Action.READ_ACCESSES: Scope.ADMIN,
    Action.MANAGE_KEYS: Scope.ADMIN,
    Action.END_OWN_SESSIONS: Scope.APPEND,
    Action.IMPORT: Scope.ADMIN,
}
"""The scope that a key must have for each action."""

FREE: Final = frozenset({Action.ANSWER_ANYBODY, Action.SEE_READINESS})
"""What no role and no scope is asked for; all but `answer_anybody` still takes a credential."""

_EVERYBODY: Final = frozenset(
    {
        Action.READ_DEALS,
        Action.READ_LOG,
        Action.READ_CONTEXT,
        Action.READ_OWN_SESSIONS,
        Action.END_OWN_SESSIONS,
    }
)
_SELLING: Final = _EVERYBODY | {
    Action.READ_PRESSURE,
    Action.READ_FIGURES,
    Action.READ_QUOTAS,
    Action.APPEND_DEALS,
    Action.CALL_FORECAST,
}
TABLE: Final[Mapping[Role, frozenset[Action]]] = {
    "rep": _SELLING,
    "manager": _SELLING,
    "process_owner": _EVERYBODY
    | {Action.READ_PROCESS_WORTH, Action.PUBLISH_PROCESS, Action.PUBLISH_POLICY},
    "auditor": _EVERYBODY
    | {
        Action.READ_PRESSURE,
        Action.READ_FIGURES,
        Action.READ_QUOTAS,
        Action.READ_PROCESS_WORTH,
        Action.READ_EFFECTS,
        Action.SEE_OPERATIONS,
        Action.EXPORT,
        Action.READ_ACCESSES,
        Action.READ_IMPORTS,
    },
    "admin": _EVERYBODY
    | {
        Action.READ_QUOTAS,
        Action.SEE_OPERATIONS,
        Action.APPEND_DEALS,
        Action.SET_QUOTA,
        Action.PUBLISH_PROCESS,
        Action.PUBLISH_POLICY,
        Action.ADOPT_CALENDAR,
        Action.CHANGE_TEAMS,
        Action.SET_RATES,
        Action.READ_ACCESSES,
        Action.MANAGE_KEYS,
        Action.IMPORT,
        Action.READ_IMPORTS,
    },
}
"""Role by action. Whose deals and figures an action reaches is told by `api/identity/reach.py`."""

WRITES: Final[Mapping[str, Action]] = {
    "deal": Action.APPEND_DEALS,
    "forecast": Action.CALL_FORECAST,
    "quota": Action.SET_QUOTA,
    "process": Action.PUBLISH_PROCESS,
    "policy": Action.PUBLISH_POLICY,
    "calendar": Action.ADOPT_CALENDAR,
    "organisation": Action.CHANGE_TEAMS,
    "rates": Action.SET_RATES,
}
"""What it is to append to a stream of each kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who a credential says is asking.

    The operator holds the token file of the machine that serves: an admin who sees all and may
    append for others. `credential` names what was shown, without its secret. Without `scopes` it
    may all that its role may.
    """

    actor: str
    role: Role
    credential: str
    scopes: frozenset[Scope] | None = None
    operator: bool = False


OPERATOR: Final = Identity(actor="admin", role="admin", credential="token", operator=True)


def may(identity: Identity, action: Action) -> bool:
    """Say whether somebody may do something at all, whoever it concerns."""
    if identity.operator or action in FREE:
        return True
    in_scope = identity.scopes is None or SCOPES[action] in identity.scopes
    return in_scope and action in TABLE[identity.role]


def ensure_may(identity: Identity, action: Action) -> None:
    """Refuse what somebody may not do.

    Raises:
        NotPermittedError: neither the role nor the scopes of the credential allow it.
    """
    if not may(identity, action):
        message = f"the role {identity.role} with this credential may not {action}"
        raise NotPermittedError(message)


def ensure_may_write(
    identity: Identity, stream_id: str, *, on_behalf_of: Sequence[str | None]
) -> None:
    """Refuse to append to a stream what somebody may not write at all, or not in that name.

    Raises:
        NotPermittedError: as said; the field says which of the events it is.
    """
    ensure_may(identity, WRITES[stream_id.partition(":")[0]])
    for index, name in enumerate(on_behalf_of):
        if name not in (None, identity.actor) and not identity.operator:
            field = f"events[{index}].on_behalf_of"
            message = f"{field}: this credential may act for {identity.actor!r} only"
            raise NotPermittedError(message, field=field)
