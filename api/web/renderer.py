"""Fills the templates, and gives every page its headers."""

import json
from functools import cache
from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from api.encodings import GZIP, may_pack, packed
from api.web.asof import query_of
from api.web.definitions import DEFINITIONS
from api.web.format import FILTERS
from api.web.static_files import StaticFiles

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline';"
        " img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Vary": "Cookie, Accept-Encoding, Sec-Fetch-Site",
}
_LEVEL: Final = 6
"""Most of the gain for a part of the work: a page is packed each time that it is asked for."""


class Renderer:
    """Turns a template and what it shows into an answer."""

    def __init__(self, files: StaticFiles) -> None:
        self._environment = _environment(files)

    def page(
        self, request: Request, template: str, *, status: int = 200, **context: Any
    ) -> HTMLResponse:
        """Give a page in the theme that its reader chose."""
        theme = request.cookies.get("theme")
        html = self._environment.get_template(template).render(
            theme=theme if theme in ("light", "dark") else None, **context
        )
        return HTMLResponse(**_sent(request, html, status=status))

    def data(self, request: Request, value: Any) -> Response:
        """Give what only a script reads."""
        return Response(**_sent(request, as_json(value)), media_type="application/json")


@cache
def _environment(files: StaticFiles) -> Environment:
    """Give the templates, which keep what they were compiled to."""
    environment = Environment(
        loader=PackageLoader("api.web"),
        autoescape=True,
        undefined=StrictUndefined,
        # A template of a server that runs does not change under it.
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS, data_json=_data_json)
    environment.globals.update(static=files.url, query_of=query_of, definitions=DEFINITIONS)
    return environment


def _sent(request: Request, text: str, *, status: int = 200) -> dict[str, Any]:
    """Give what makes a response of a text: in fewer bytes where that may be."""
    content = text.encode()
    if not may_pack(request.headers):
        return {"content": content, "status_code": status, "headers": HEADERS}
    headers = {**HEADERS, "Content-Encoding": GZIP}
    return {"content": packed(content, level=_LEVEL), "status_code": status, "headers": headers}


def as_json(value: Any) -> str:
    """Give JSON without a space too many, for what only a script reads."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str)


def _data_json(value: Any) -> Markup:
    """For a script element of plain data: nothing in it can end the element."""
    return htmlsafe_json_dumps(value, dumps=as_json)
