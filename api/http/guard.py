"""Every route says what it does, and nobody gets there who may not do that."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from fastapi import Request, Response
from fastapi.routing import APIRoute

from api.http.addresses import ensure_known_parameters
from api.http.problems import request_id_of
from api.http.services import services_of
from api.identity.accesses import Exported, Kind
from api.identity.permissions import Action, Identity, ensure_may
from api.identity.reach import Reach

DECLARED: Final = "x-action"
"""Where the OpenAPI description tells the action of a route."""
_OF_NOBODY: Final = frozenset(
    {
        Action.READ_CONTEXT,
        Action.READ_PROCESS_WORTH,
        Action.READ_EFFECTS,
        Action.SEE_OPERATIONS,
        Action.IMPORT,
        Action.READ_IMPORTS,
    }
)
"""What concerns nobody in particular, so that no use case asks for the reach of who asks.

The route does, to refuse who has left the organisation or changed their role.
"""
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def does(action: Action) -> Callable[[Endpoint], Endpoint]:
    """Declare what a route does; stands next to its function."""

    def declare(endpoint: Endpoint) -> Endpoint:
        vars(endpoint)["action"] = action
        return endpoint

    return declare


class GuardedRoute(APIRoute):
    """A route that declares an action, lets in who may do it, and refuses unknown parameters.

    Raises:
        TypeError: it declares none; such a server does not start.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        action = vars(endpoint).get("action")
        if not isinstance(action, Action):
            message = f"{path}: {endpoint.__name__} does not declare what it does"
            raise TypeError(message)
        self.action = action
        extra = options.get("openapi_extra") or {}
        told = {**options, "openapi_extra": {**extra, DECLARED: action}}
        super().__init__(path, endpoint, **told)

    def get_route_handler(self) -> Handler:
        """Give what serves a request."""
        serve = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            if self.action is not Action.ANSWER_ANYBODY:
                identity = identity_of(request)
                ensure_may(identity, self.action)
                if self.action in _OF_NOBODY:
                    await asyncio.to_thread(reach_of, request)
                if identity.role == "auditor" and self.action is not Action.SEE_READINESS:
                    await asyncio.to_thread(note_access, request, "read")
            ensure_known_parameters(request)
            return await serve(request)

        return guarded


def identity_of(request: Request) -> Identity:
    """Give whose credential a request carries; the shield has let none through without."""
    identity = request.scope["identity"]
    if not isinstance(identity, Identity):
        message = "a guarded route was reached without a credential"
        raise TypeError(message)
    return identity


def reach_of(request: Request) -> Reach:
    """Give what whoever asks may see now; not on the loop, because it asks the database."""
    return services_of(request).access.reach(identity_of(request))


def note_access(request: Request, kind: Kind, exported: Exported | None = None) -> None:
    """Keep that something is read or exported, before it is; not on the loop either."""
    query = f"?{request.url.query}" if request.url.query else ""
    services_of(request).accesses.note(
        identity_of(request),
        kind,
        request=f"{request.method} {request.url.path}{query}",
        request_id=request_id_of(request),
        exported=exported,
    )
