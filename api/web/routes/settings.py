"""The settings: what is in force and who set it, and the keys."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol, TypeAlias

from fastapi import Request
from fastapi.responses import HTMLResponse, Response

from api.identity.permissions import Action, Identity, may
from api.web.forms import read_form
from api.web.reads import Answer, FormError
from api.web.settings_page import KeyForm, settings_page
from api.web.site import SITE, Asked, Moment, Part, Section, Tab, moment_asked, new_router

PATH: Final = "/settings"
NOW: Final[Asked] = (None, None)
Act: TypeAlias = Callable[[Identity, Mapping[str, str]], Answer | None]
"""Does what a form asks for; gives a key with its secret, if it made one."""


class SettingsReads(Protocol):
    """What the settings ask, and what their forms do."""

    def settings(self, reader: Identity, *, as_of: str | None, effective_at: str | None) -> Answer:
        """What of the settings the reader may see."""
        ...

    def make_key(self, reader: Identity, form: Mapping[str, str]) -> Answer:
        """Make a key and give it with its secret; raises `FormError`."""
        ...

    def rotate_key(self, reader: Identity, key_id: str, form: Mapping[str, str]) -> Answer:
        """Give a key another secret; raises `FormError`."""
        ...

    def revoke_key(self, reader: Identity, key_id: str) -> None:
        """End a key; raises `FormError`."""
        ...


READS: Final = Part[SettingsReads]()
router: Final = new_router()


def settings_section(reads: SettingsReads) -> Section:
    """The settings over these answers."""
    tab = Tab(PATH, lambda _: "Settings", lambda reader: may(reader, Action.READ_CONTEXT))
    return Section(router, (READS.given(reads),), tab)


@router.get(PATH)
def settings(request: Request, as_of: Moment = None, effective_at: Moment = None) -> Response:
    asked = moment_asked(as_of, effective_at)
    return SITE.of(request).show(request, lambda reader: _filled(request, reader, asked))


@router.post(f"{PATH}/keys")
async def make_key(request: Request) -> Response:
    return await _done(request, READS.of(request).make_key)


@router.post(f"{PATH}/keys/{{key_id}}/rotate")
async def rotate_key(request: Request, key_id: str) -> Response:
    reads = READS.of(request)
    return await _done(request, lambda who, form: reads.rotate_key(who, key_id, form))


@router.post(f"{PATH}/keys/{{key_id}}/revoke")
async def revoke_key(request: Request, key_id: str) -> Response:
    reads = READS.of(request)
    return await _done(request, lambda who, _: reads.revoke_key(who, key_id))


async def _done(request: Request, act: Act) -> Response:
    """Do what a form of keys asks for, and show the settings after it, or what is wrong."""
    form = await read_form(request)

    def fill(reader: Identity) -> HTMLResponse:
        try:
            secret = act(reader, form)
        except FormError as error:
            refused = KeyForm(form, error.field, str(error))
            return _filled(request, reader, NOW, status=error.status, form=refused)
        return _filled(request, reader, NOW, secret=secret)

    return await asyncio.to_thread(SITE.of(request).show, request, fill)


def _filled(
    request: Request, reader: Identity, asked: Asked, *, status: int = 200, **more: Any
) -> HTMLResponse:
    answer = READS.of(request).settings(reader, as_of=asked[0], effective_at=asked[1])
    page = settings_page(answer, asked=asked, **more)
    return SITE.of(request).page(request, "settings.html", tab=PATH, status=status, page=page)
