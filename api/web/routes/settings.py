"""The settings: what is in force and who set it, and the keys."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol, TypeAlias

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from api.identity.permissions import Action, Identity, may
from api.web.forms import read_form
from api.web.reads import Answer, FormError
from api.web.settings_page import KeyForm, settings_page
from api.web.site import Asked, Moment, Section, Site, Tab, moment_asked

PATH: Final = "/settings"
NOW: Final[Asked] = (None, None)
Act: TypeAlias = Callable[[Identity, Mapping[str, str]], Answer | None]
"""Does what a form asks for; gives a key with its secret, if it made one."""
Done: TypeAlias = Callable[[Request, Act], Awaitable[Response]]


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


def settings_section(reads: SettingsReads) -> Section:
    """The settings over these answers."""

    def add(router: APIRouter, site: Site) -> None:
        @router.get(PATH)
        def settings(
            request: Request, as_of: Moment = None, effective_at: Moment = None
        ) -> Response:
            asked = moment_asked(as_of, effective_at)
            return site.show(request, lambda reader: filled(request, reader, asked))

        def filled(
            request: Request, reader: Identity, asked: Asked, *, status: int = 200, **more: Any
        ) -> HTMLResponse:
            answer = reads.settings(reader, as_of=asked[0], effective_at=asked[1])
            page = settings_page(answer, asked=asked, **more)
            return site.page(request, "settings.html", tab=PATH, status=status, page=page)

        async def done(request: Request, act: Act) -> Response:
            form = await read_form(request)

            def fill(reader: Identity) -> HTMLResponse:
                try:
                    secret = act(reader, form)
                except FormError as error:
                    refused = KeyForm(form, error.field, str(error))
                    return filled(request, reader, NOW, status=error.status, form=refused)
                return filled(request, reader, NOW, secret=secret)

            return await asyncio.to_thread(site.show, request, fill)

        _add_keys(router, reads, done)

    return Section(
        add, Tab(PATH, lambda _: "Settings", lambda reader: may(reader, Action.READ_CONTEXT))
    )


def _add_keys(router: APIRouter, reads: SettingsReads, done: Done) -> None:
    """Add what the forms of keys send to: each shows the settings after it, or what is wrong."""

    @router.post(f"{PATH}/keys")
    async def make_key(request: Request) -> Response:
        return await done(request, reads.make_key)

    @router.post(f"{PATH}/keys/{{key_id}}/rotate")
    async def rotate_key(request: Request, key_id: str) -> Response:
        return await done(request, lambda who, form: reads.rotate_key(who, key_id, form))

    @router.post(f"{PATH}/keys/{{key_id}}/revoke")
    async def revoke_key(request: Request, key_id: str) -> Response:
        return await done(request, lambda who, _: reads.revoke_key(who, key_id))
