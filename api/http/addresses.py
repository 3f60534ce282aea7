"""What an address of the API has: its methods, and the parameters that it knows."""

from collections.abc import Iterator, Sequence
from typing import Final

from fastapi import Request
from fastapi.dependencies.models import Dependant
from starlette.routing import BaseRoute, Match
from starlette.types import Scope

from api.errors import MalformedRequestError

_METHODS: Final = ("DELETE", "GET", "PATCH", "POST", "PUT")
_MOST_NAMED: Final = 5
"""Faults that one answer names: whoever sends a thousand parameters is told of the first."""


def methods_of(routes: Sequence[BaseRoute], scope: Scope) -> list[str]:
    """Give the methods of an address, of all its routes together; none where there is nothing."""
    found = {
        method
        for method in _METHODS
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in routes)
    }
    if found:
        found |= {"OPTIONS", "HEAD"} if "GET" in found else {"OPTIONS"}
    return sorted(found)


def ensure_known_parameters(request: Request) -> None:
    """Refuse a parameter that the address does not have, or that is given twice.

    A misspelt `as_of` that were ignored would answer another question than was asked.

    Raises:
        MalformedRequestError: naming such parameters.
    """
    if not request.scope["query_string"]:
        return
    known = frozenset(_parameters(request.scope["route"].dependant))
    names = [name for name, _ in request.query_params.multi_items()]
    unknown = [(name, "not a parameter of this address") for name in names if name not in known]
    twice = [(name, "given more than once") for name in known if names.count(name) > 1]
    errors = [
        {"field": name[:200], "detail": detail}
        for name, detail in [*dict.fromkeys(unknown), *sorted(twice)][:_MOST_NAMED]
    ]
    if errors:
        detail = "; ".join(f"{one['field']}: {one['detail']}" for one in errors)
        raise MalformedRequestError(detail, field=errors[0]["field"], errors=errors)


def _parameters(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for inner in dependant.dependencies:
        yield from _parameters(inner)
