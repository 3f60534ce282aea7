"""Measures how a replay plays: `python -m tests.support.replay_frames [EVENTS ...]`.

Of each size a history is simulated whose closed quarter has about so many events. Chromium traces
itself while that quarter plays from its beginning to its end, on both clocks and compared with its
beginning, and while a pointer drags it there and back; what it traced is counted here.
"""

import asyncio
import gzip
import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any, Final
from zlib import crc32

import typer
from playwright.async_api import Browser, Page

from api.bootstrap import open_ledger
from api.bootstrap_server import build_app
from api.logs import configure_logs
from api.sample.history import Setting, history
from api.sample.history_context import CALENDARS
from api.sample.profiles import PROFILES
from api.sample.timeline import Timeline
from api.settings import Settings
from api.web import replay_page
from domain.fiscal import FiscalQuarter
from tests.support.browser import launched, serving
from tests.support.client import TOKEN
from tests.support.ledgers import Line, import_lines
from tests.support.working import in_thread

SIZES: Final = (500, 5_000)
SPEEDS: Final = tuple(str(speed) for speed, _ in replay_page.SPEEDS)
"""Days a second, of which the last is the fastest."""
DRAG_STEPS: Final = 240
NOW: Final = datetime(2026, 2, 10, 12, tzinfo=UTC)
SEED: Final = 53
OF_A_REP: Final = 1_000
"""A rep of a simulated history has more events than this in a quarter."""
CATEGORIES: Final = (
    "devtools.timeline",
    "disabled-by-default-devtools.timeline",
    "disabled-by-default-devtools.timeline.frame",
    "blink.user_timing",
)
DRAWN: Final = "DrawFrame"
ASKED: Final = "FireAnimationFrame"
WORK: Final = {
    ASKED: "script",
    "UpdateLayoutTree": "style",
    "Layout": "layout",
    "PrePaint": "paint",
    "Paint": "paint",
    "Layerize": "paint",
    "Commit": "paint",
    "RasterTask": "raster",
}
"""What a frame is made of, by the trace's own names; all but raster is on the page's thread."""
PLAYED: Final = """() => new Promise((done) => {
  const button = document.getElementById("play");
  new MutationObserver(() => button.ariaLabel === "Play" && done())
    .observe(button, { attributes: true, attributeFilter: ["aria-label"] });
  performance.mark("plays");
  button.click();
}).then(() => performance.mark("played"))"""


@dataclass(frozen=True, slots=True)
class Played:
    """How a quarter played: milliseconds from frame to frame, and of computing for each of them.

    The computing is the processor's own time, which does not count what else it was busy with.
    """

    frames_a_second: float
    slowest: float
    work: Mapping[str, float]

    def __str__(self) -> str:
        work = ", ".join(f"{name} {ms:.2f}" for name, ms in self.work.items())
        paced = f"{self.frames_a_second:.1f} frames/s, 99 in 100 within {self.slowest:.1f} ms"
        return f"{paced}; ms of computing a frame: {work}"


def quarter() -> FiscalQuarter:
    """Give the quarter of every history that is played: the closed one."""
    return Timeline(NOW, closed=1, calendar=CALENDARS["months"].rule).quarter(0)


def lines(events: int) -> list[Line]:
    """Give a history with as many of its deals as bring the quarter to so many events."""
    setting = Setting(PROFILES["gaming"], quarters=1, reps=-(-events // OF_A_REP))
    told = list(history(setting, now=NOW, seed=SEED))
    start, end = (
        at.astimezone(UTC).isoformat() for at in (quarter().start_instant, quarter().end_instant)
    )
    of_deals: dict[str, int] = defaultdict(int)
    for line in told:
        if str(line["stream"]).startswith("deal:"):
            of_deals[str(line["stream"])] += start <= str(line["recorded_at"]) < end
    kept: set[str] = set()
    for stream in sorted(of_deals, key=lambda one: crc32(one.encode())):
        if events > 0:
            kept.add(stream)
            events -= of_deals[stream]
    return [line for line in told if line["stream"] in kept or line["stream"] not in of_deals]


@contextmanager
def served(events: int) -> Iterator[str]:
    """Serve the pages over such a history, in a ledger of its own."""
    with TemporaryDirectory(prefix="dealtrail-frames-") as home:
        Path(home).chmod(0o711)
        with open_ledger(Settings(home=Path(home))) as ledger:
            ledger.store.start()
            import_lines(ledger, Path(home), lines(events), founding=True)
        with (
            open_ledger(Settings(home=Path(home))) as ledger,
            serving(build_app(ledger, token=TOKEN)) as base,
            in_thread(ledger.worker),
        ):
            yield base


async def play(browser: Browser, page: Page, speed: str) -> Played:
    """Play the quarter through, and count what was traced meanwhile."""
    await page.keyboard.press("Home")
    await page.select_option("#speed", speed)
    await browser.start_tracing(page=page, categories=list(CATEGORIES))
    await page.evaluate(PLAYED)
    return traced(await browser.stop_tracing())


async def drag(browser: Browser, page: Page) -> Played:
    """Drag the quarter through and back, a step for each frame, and count what was traced."""
    box = await page.locator("#second").bounding_box()
    assert box is not None
    left, width, y = box["x"] + 8, box["width"] - 16, box["y"] + box["height"] / 2
    await browser.start_tracing(page=page, categories=list(CATEGORIES))
    await page.mouse.move(left, y)
    await page.mouse.down()
    await page.evaluate("performance.mark('plays')")
    for step in range(DRAG_STEPS):
        way = 2 * step / DRAG_STEPS
        await page.mouse.move(left + width * min(way, 2 - way), y)
    await page.evaluate("performance.mark('played')")
    await page.mouse.up()
    return traced(await browser.stop_tracing())


def traced(buffer: bytes) -> Played:
    """Count what a trace tells of between the two marks."""
    trace: list[dict[str, Any]] = json.loads(buffer)["traceEvents"]
    begun, ended = (
        next(one["ts"] for one in trace if one["name"] == name) for name in ("plays", "played")
    )
    told = [one for one in trace if begun <= one.get("ts", 0) <= ended]
    return counted(told, seconds=(ended - begun) / 1e6)


def counted(trace: Sequence[Mapping[str, Any]], *, seconds: float) -> Played:
    """Count the frames of a trace, and the work for each that the page drew."""
    drawn = sorted(one["ts"] for one in trace if one["name"] == DRAWN)
    asked = sum(one["name"] == ASKED for one in trace)
    spent: dict[str, float] = dict.fromkeys(WORK.values(), 0)
    for one in trace:
        if one["name"] in WORK:
            spent[WORK[one["name"]]] += one.get("tdur", 0) / 1_000
    apart = [(after - before) / 1_000 for before, after in pairwise(drawn)]
    return Played(
        len(drawn) / seconds,
        quantiles(apart, n=100)[-1],
        {name: ms / asked for name, ms in spent.items()},
    )


async def measure(base: str) -> None:
    """Say what a page of the quarter weighs, and how it plays and is dragged."""
    async with launched() as browser:
        page = await browser.new_page(viewport={"width": 1440, "height": 900})
        await page.goto(f"{base}/sign-in?token={TOKEN}")
        await shown(page, base)
        tape = await page.locator("#tape").inner_text()
        facts = (await page.locator(".facts").inner_text()).split()
        packed = len(gzip.compress(tape.encode()))
        typer.echo(f"{' '.join(facts)}; tape {len(tape):,} bytes, {packed:,} compressed")
        for speed in SPEEDS:
            say(f"{speed} days/s", await play(browser, page, speed))
        await page.keyboard.press("Home")
        await page.keyboard.press("c")
        say(f"{SPEEDS[-1]} days/s, compared", await play(browser, page, SPEEDS[-1]))
        await shown(page, base)
        say("dragged", await drag(browser, page))
        await shown(page, base, "?hindsight=1")
        say(f"{SPEEDS[-1]} days/s, hindsight", await play(browser, page, SPEEDS[-1]))


async def shown(page: Page, base: str, query: str = "") -> None:
    """Show the quarter, and wait until it is ready."""
    await page.goto(f"{base}/replay/{quarter().name}{query}")
    await page.wait_for_selector("#replay[data-ready]")


def say(what: str, played: Played) -> None:
    """Say how it played, with how busy the machine is."""
    typer.echo(f"{what}, load {os.getloadavg()[0]:.1f}: {played}")


def main(sizes: Sequence[int]) -> None:
    """Measure one size after the other."""
    configure_logs("warning")
    for events in sizes:
        with served(events) as base:
            asyncio.run(measure(base))


if __name__ == "__main__":
    main([int(one) for one in sys.argv[1:]] or SIZES)
