"""A real browser against a real server on loopback, watched for errors and stray requests."""

import shutil
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import uvicorn
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped] # untyped
from fastapi import FastAPI
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from api.http.wire import Wire
from tests.support.client import TOKEN

CHROMIUM: Final = shutil.which("chromium")
FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
START_SECONDS: Final = 15
expect.set_options(timeout=20_000)  # what comes at once does not where all cores are busy
AXE_RUN: Final = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "resultTypes": ["violations"],
}
WIDER: Final = """() => {
  if (document.documentElement.scrollWidth <= innerWidth) return [];
  const clipped = (one) => one && one !== document.body
    && (getComputedStyle(one).overflowX !== "visible" || clipped(one.parentElement));
  return [...document.querySelectorAll("body *")]
    .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
    .filter((one) => !clipped(one.parentElement))
    .map((one) => `${one.tagName}.${one.className}`).slice(0, 5);
}"""
"""Names what makes a page wider than the window, if anything does."""
Scheme = Literal["light", "dark"]
LOOKS: Final[tuple[tuple[Scheme, int, bool], ...]] = (
    ("light", 1440, True),
    ("light", 1121, False),
    ("dark", 390, True),
)
"""Scheme, width, and whether axe looks; from 1121 on the navigation stands in the bar."""
_AXE: Final = Axe()
_KNOWN_COLOURS: Final = """() => {
  const { prototype } = axe.commons.color.Color;
  const [parse, known] = [prototype.parseString, new Map()];
  prototype.parseString = function (text) {
    const one = known.get(text);
    if (one) [this.r, this.g, this.b, this.alpha] = one;
    else parse.call(this, text);
    known.set(text, [this.r, this.g, this.b, this.alpha]);
    return this;
  };
}"""
"""Lets axe read each colour of a page once, and not for each element: a third of its work."""


@contextmanager
def serving(app: FastAPI, *, wire: type[Wire] = Wire) -> Iterator[str]:
    """The address of a server of this application, on a free port of loopback."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2, ws="none", http=wire)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + START_SECONDS
        while not server.started:
            assert thread.is_alive(), "the server stopped at once"
            assert time.monotonic() < deadline, "the server did not start in time"
            time.sleep(0.02)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=START_SECONDS)
        listener.close()


@dataclass(frozen=True, slots=True)
class Window:
    """How a page is looked at."""

    scheme: Scheme = "light"
    width: int = 1440
    script: bool = True
    forced_colors: bool = False


@dataclass
class Watched:
    """A page of the browser, with everything that it asked for and that went wrong in it."""

    page: Page
    context: BrowserContext
    base: str = ""
    asked: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    async def sign_in(self, credential: str) -> None:
        """Sign in without a page, which would be loaded only to be left."""
        answer = await self.context.request.post(
            f"{self.base}/sign-in", form={"token": credential}, max_redirects=0
        )
        assert answer.status == 303, await answer.text()

    async def open(self, path: str) -> Page:
        await self.page.goto(self.base + path)
        return self.page

    async def look(self, window: Window) -> None:
        """Look in another way, but for script; on a screen, and without motion."""
        await self.page.emulate_media(
            media="screen",
            color_scheme=window.scheme,
            forced_colors="active" if window.forced_colors else "none",
            reduced_motion="reduce",
        )
        await self.page.set_viewport_size({"width": window.width, "height": 900})

    async def as_at_first(self) -> "Watched":
        """Look light and wide again, whatever was done before, and forget what was watched."""
        await self.look(Window())
        self.asked.clear()
        self.faults.clear()
        return self

    async def leave(self) -> None:
        """Become as good as new: no other tab, no cookie, no permission, nothing stored."""
        for page in self.context.pages:
            if page is not self.page:
                await page.close()
        await self.page.unroute_all()
        await self.context.set_offline(False)
        await self.page.evaluate("() => { try { sessionStorage.clear(); } catch {} }")
        await self.page.goto("about:blank")
        await self.page.mouse.move(0, 0)
        await self.context.clear_permissions()
        await self.context.clear_cookies()

    def watch(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        self.page.on("request", self._request)

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(f"{message.type}: {message.text}")

    def _request(self, request: Any) -> None:
        self.asked.append(request.url.removeprefix(self.base))
        if not request.url.startswith((self.base, "data:")):
            self.faults.append(f"request off the machine: {request.url}")


@asynccontextmanager
async def launched() -> AsyncIterator[Browser]:
    """A running Chromium; to start one takes longer than most tests."""
    assert CHROMIUM is not None
    async with (
        async_playwright() as playwright,
        await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS)) as browser,
    ):
        yield browser


class Windows:
    """A Chromium with windows that are looked through again: a new one costs several loads.

    Each is as good as new to who looks through it. What it keeps are the browser's processes, and
    static files under the address of a server.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._free: dict[bool, list[Watched]] = {True: [], False: []}

    @asynccontextmanager
    async def window(self, *, script: bool) -> AsyncIterator[Watched]:
        """A window that nobody else looks through meanwhile."""
        free = self._free[script]
        watched = free.pop() if free else await self._opened(script=script)
        try:
            yield watched
            await watched.leave()
        except BaseException:
            await watched.context.close()  # it may be in any state
            raise
        free.append(watched)

    async def _opened(self, *, script: bool) -> Watched:
        context = await self._browser.new_context(java_script_enabled=script)
        watched = Watched(await context.new_page(), context)
        watched.watch()
        return watched


@dataclass(frozen=True, slots=True)
class Site:
    """A server, and the windows through which it is looked at."""

    base: str
    windows: Windows

    @asynccontextmanager
    async def seen(self, window: Window | None = None) -> AsyncIterator[Watched]:
        """A window with no cookie and nothing stored."""
        window = window or Window()
        async with self.windows.window(script=window.script) as watched:
            watched.base = self.base
            await watched.as_at_first()
            await watched.look(window)
            yield watched

    @asynccontextmanager
    async def signed_in(
        self, window: Window | None = None, *, credential: str = TOKEN
    ) -> AsyncIterator[Watched]:
        """A window in which somebody is signed in: the operator, if not told who."""
        async with self.seen(window) as watched:
            await watched.sign_in(credential)
            yield watched


async def found_by_axe(page: Page, within: str = ":root") -> list[str]:
    """Give what axe finds wrong in a page, or in a part of it, as it is shown now."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(_AXE.axe_script)
        await page.evaluate(_KNOWN_COLOURS)
    found: list[str] = await page.evaluate(
        "([within, asked]) => axe.run(within, asked).then((found) => found.violations.map((one) =>"
        " [one.id, one.help, ...one.nodes.map((node) => node.html)].join('\\n')))",
        [within, AXE_RUN],
    )
    return found


async def assert_accessible(page: Page, told: str) -> None:
    found = await found_by_axe(page)
    assert found == [], f"{told}: {found}"


async def unfit(page: Page, within: str = ":root") -> list[str]:
    """Give where a page, loaded once and light and wide, is not accessible or fits a window not."""
    found = []
    for scheme, width, looked_at in LOOKS:
        await page.emulate_media(color_scheme=scheme)
        await page.set_viewport_size({"width": width, "height": 900})
        found += [f"wider than {width}: {one}" for one in await page.evaluate(WIDER)]
        if looked_at:
            found += [f"{scheme}, {width}: {one}" for one in await found_by_axe(page, within)]
    await page.emulate_media(color_scheme="light")
    await page.set_viewport_size({"width": 1440, "height": 900})
    return found


async def assert_fit_for_all(page: Page, told: str, *, within: str = ":root") -> None:
    """Fail where a page does not fit, or is not accessible within the part that is its own."""
    found = await unfit(page, within)
    assert found == [], f"{told}: {found}"
