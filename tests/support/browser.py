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
from fastapi import FastAPI
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from api.http.wire import Wire

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


@dataclass
class Watched:
    """A page of the browser with everything that went wrong in it."""

    page: Page
    context: BrowserContext
    base: str
    faults: list[str] = field(default_factory=list)

    async def open(self, path: str) -> Page:
        await self.page.goto(self.base + path)
        return self.page

    def watch(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        self.page.on("request", self._request)

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(f"{message.type}: {message.text}")

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self.base, "data:")):
            self.faults.append(f"request off the machine: {request.url}")


@dataclass(frozen=True, slots=True)
class Window:
    """How a page is looked at."""

    scheme: Scheme = "light"
    width: int = 1440
    height: int = 900
    script: bool = True
    forced_colors: bool = False


@asynccontextmanager
async def launched() -> AsyncIterator[Browser]:
    """A running Chromium; to start one takes longer than most tests."""
    assert CHROMIUM is not None
    async with (
        async_playwright() as playwright,
        await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS)) as browser,
    ):
        yield browser


@dataclass(frozen=True, slots=True)
class Site:
    """A server, and the browser that looks at it."""

    base: str
    browser: Browser

    @asynccontextmanager
    async def seen(self, window: Window | None = None) -> AsyncIterator[Watched]:
        """A window of its own, with no cookie and nothing stored."""
        window = window or Window()
        context = await self.browser.new_context(
            viewport={"width": window.width, "height": window.height},
            color_scheme=window.scheme,
            java_script_enabled=window.script,
            forced_colors="active" if window.forced_colors else "none",
            reduced_motion="reduce",
        )
        async with context:
            watched = Watched(await context.new_page(), context, self.base)
            watched.watch()
            yield watched
