"""What is fuzzed: every reader with real files of its format, and what must hold of any file."""

import json
import random
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any, Final, cast
from uuid import UUID

from api.exchange.checking import Checker, RefusedLineError
from api.exchange.context import NoContext
from api.exchange.guess import guess_profile
from api.exchange.importing import FOLDERS, Format, reader_for
from api.exchange.lines import ExportRefusedError, Findings
from api.exchange.profile import Profile, load_profile, profile_from
from api.storage.event_store import EventStore
from api.storage.staged_lines import staged_row
from tests.support.exports import PACK
from tests.support.fuzz.mutations import mutated
from tests.support.reference import FISCAL, log_profile

NOW: Final = datetime(2026, 1, 5, 12, tzinfo=UTC)
PATIENCE_SECONDS: Final = 20
"""A reader that takes longer for files of some hundred kilobytes hangs."""
CRM: Final = profile_from({"calendar": FISCAL}, name="fuzz")
EVENTS: Final = log_profile(lambda kind: f"com.example.opportunity.{kind.replace('_', '-')}.v1")
TRACES: Final = log_profile(prefix="deal:", event_name="deal:kind")


class FoundError(Exception):
    """A reader did with a file what no reader may."""


class _NoEvents:
    """A ledger without events, as far as checks ask for any."""

    def by_external_ids(self, _: str, __: Sequence[str]) -> Mapping[str, Any]:
        return {}

    def event(self, _: UUID) -> None:
        return None

    def stream(self, _: str) -> Sequence[Any]:
        return ()


@dataclass(frozen=True)
class Target:
    """A reader, and the file or folder of real files that is made wrong for it."""

    format: Format
    path: str
    profile: Profile | None = None

    @property
    def name(self) -> str:
        return f"{self.format}-{Path(self.path).suffix.lstrip('.') or 'folder'}"

    def files(self, shared: Path) -> list[tuple[str, bytes]]:
        """The names and contents of the real files."""
        path = shared / self.path
        found = sorted(path.iterdir()) if path.is_dir() else [path]
        return [(one.name, _shortened(one)) for one in found if one.suffix != ".repo"]


TARGETS: Final = (
    Target("salesforce-csv", f"{PACK}/salesforce_weekly_export"),
    Target("salesforce-rest", f"{PACK}/salesforce_rest_query"),
    Target("hubspot", f"{PACK}/hubspot_v3", CRM),
    Target("pipedrive", f"{PACK}/pipedrive", CRM),
    Target("cloudevents", f"{PACK}/cloudevents/batch.json", EVENTS),
    Target("xes", f"{PACK}/xes/deals.xes", TRACES),
    Target("ocel2", f"{PACK}/ocel2/deals.ocel2.json", log_profile()),
    Target("ocel2", f"{PACK}/ocel2/deals.ocel2.sqlite", log_profile()),
    Target(
        "ocel2",
        "data/ocel2_example/ocel20_example.xmlocel",
        profile_from(
            {
                "case": "Invoice",
                "events": {"Insert Invoice": {"type": "note_added", "fields": {"text": "x"}}},
            },
            name="fuzz",
        ),
    ),
    Target("csv", "data/maven_crm/sales_pipeline.csv", load_profile("maven")),
    Target("ndjson", "seeds"),
)


_MOST: Final = 6_000


def _shortened(path: Path) -> bytes:
    """The file, or the beginning of a large table."""
    content = path.read_bytes()
    if path.suffix != ".csv" or len(content) <= _MOST:
        return content
    return content[: content.rindex(b"\n", 0, _MOST) + 1]


def ndjson_seed(target: Target, shared: Path) -> list[tuple[str, bytes]]:
    """Lines of ours with the events of the reference pack, as its cloud events tell them."""
    del target
    events = TARGETS[4]
    reader = reader_for(
        "cloudevents", [shared / events.path], profile=events.profile, known=NoContext()
    )
    texts = [
        json.dumps(
            {
                "stream": line.stream,
                "external_id": line.external_id,
                "type": line.type,
                "occurred_at": line.occurred_at.isoformat(),
                "recorded_at": line.recorded_at and line.recorded_at.isoformat(),
                "actor": line.actor,
                "data": line.data,
            }
        )
        for line in reader.lines(Findings())
    ]
    return [("lines.ndjson", "".join(text + "\n" for text in texts).encode())]


def seeds_of(target: Target, shared: Path) -> list[tuple[str, bytes]]:
    return ndjson_seed(target, shared) if target.path == "seeds" else target.files(shared)


def made_wrong(
    seeds: Sequence[tuple[str, bytes]], chance: random.Random
) -> list[tuple[str, bytes]]:
    """The files with one or two of them mutated."""
    wrong = {chance.randrange(len(seeds)) for _ in range(chance.choice((1, 1, 2)))}
    return [
        (name, mutated(content, Path(name).suffix, chance) if at in wrong else content)
        for at, (name, content) in enumerate(seeds)
    ]


def held(target: Target, files: Sequence[tuple[str, bytes]], folder: Path) -> str:
    """Read files and say what came of it: refused, or how many lines can be stored.

    Raises:
        FoundError: the reader crashed, hung, or gave a line that no check refuses and no table
            can hold.
    """
    for old in folder.iterdir():
        old.unlink()
    paths = [folder / name for name, _ in files]
    for path, (_, content) in zip(paths, files, strict=True):
        path.write_bytes(content)
    with _patience():
        try:
            return _imported(target, paths, folder)
        except ExportRefusedError:
            return "refused"
        except Exception as error:
            raise FoundError(f"{type(error).__name__}: {error}") from error


def _imported(target: Target, paths: list[Path], folder: Path) -> str:
    if target.format == "csv":
        with suppress(ExportRefusedError):
            guess_profile(paths[0])
    given = [folder] if target.format in FOLDERS else paths
    reader = reader_for(target.format, given, profile=target.profile, known=NoContext())
    store = cast("EventStore", _NoEvents())
    findings, stored, refused = Findings(), 0, 0
    for founding in (True, False):
        checker = Checker(store, reader, now=NOW, founding=founding)
        for number, line in enumerate(reader.lines(findings)):
            try:
                staged_row(checker.checked(line), seq=number, system=reader.system)
                stored += 1
            except (RefusedLineError, ValueError):
                # A ValueError of the staging is a reject there as well.
                refused += 1
    json.dumps([findings.notes, findings.not_expressible, findings.names])
    return f"{stored} stored, {refused} refused, {len(findings.rejects)} rejected"


@contextmanager
def _patience() -> Iterator[None]:
    def hangs(_: int, __: FrameType | None) -> None:
        raise FoundError(f"hangs: took more than {PATIENCE_SECONDS} seconds")

    before: Callable[[int, FrameType | None], Any] | int | None
    before = signal.signal(signal.SIGALRM, hangs)
    signal.alarm(PATIENCE_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
