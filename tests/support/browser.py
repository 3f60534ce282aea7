"""A real browser against a real server on loopback, watched for errors and stray requests."""

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import uvicorn
from fastapi import FastAPI
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

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
Scheme = Literal["light", "dark"]


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """The address of a server of this application, on a free port of loopback."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2, ws="none")
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


async def launch(playwright: Any) -> Browser:
    assert CHROMIUM is not None
    browser: Browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
    return browser


class Looking:
    """A browser for one test: `async with Looking(base, window) as watched`."""

    def __init__(self, base: str, window: Window | None = None) -> None:
        self._base = base
        self._window = window or Window()

    async def __aenter__(self) -> Watched:
        self._manager = async_playwright()
        self._browser = await launch(await self._manager.start())
        window = self._window
        context = await self._browser.new_context(
            viewport={"width": window.width, "height": window.height},
            color_scheme=window.scheme,
            java_script_enabled=window.script,
            forced_colors="active" if window.forced_colors else "none",
            reduced_motion="reduce",
        )
        watched = Watched(await context.new_page(), context, self._base)
        watched.watch()
        return watched

    async def __aexit__(self, *_: object) -> None:
        await self._browser.close()
        await self._manager.__aexit__()
