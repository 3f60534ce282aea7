"""Fuzzes every reader for so many seconds each: `python -m tests.support.fuzz --seconds 600`.

A found input is kept in a folder of its own, to be shrunk by hand and put beside the others in
`tests/golden/fuzz`.
"""

import argparse
import random
import sys
import traceback
from pathlib import Path
from tempfile import TemporaryDirectory

from api.clock import Deadline
from tests.support.fuzz.targets import TARGETS, FoundError, Target, held, made_wrong, seeds_of

ROOT = Path(__file__).resolve().parents[3]


def main() -> int:
    """Fuzz what is asked for; 1 where something was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("readers", nargs="*", help="those whose names begin so; default: all")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--found", type=Path, default=Path("fuzz-found"))
    given = parser.parse_args()
    wanted = tuple(given.readers) or ("",)
    found = sum(
        fuzz(target, given.shared, seconds=given.seconds, seed=given.seed, kept=given.found)
        for target in TARGETS
        if target.name.startswith(wanted)
    )
    return 1 if found else 0


def fuzz(target: Target, shared: Path, *, seconds: float, seed: int, kept: Path) -> int:
    """Fuzz one reader, print what came of it, and keep what was found; give how much that is."""
    chance, deadline = random.Random(f"{target.name}-{seed}"), Deadline.after(seconds)
    seeds = seeds_of(target, shared)
    tried, refused, faults = 0, 0, set[str]()
    with TemporaryDirectory(prefix="dealtrail-fuzz-") as folder:
        while not deadline.passed():
            files = made_wrong(seeds, chance)
            tried += 1
            try:
                refused += held(target, files, Path(folder)) == "refused"
            except FoundError as error:
                place = "".join(traceback.format_tb((error.__cause__ or error).__traceback__)[-1:])
                if place not in faults:
                    faults.add(place)
                    _keep(kept / f"{target.name}-{len(faults)}", files, seeds)
                    _say(f"{target.name}: {error}\n{place}")
    _say(f"{target.name}: {tried} files, {refused} refused, {len(faults)} faults")
    return len(faults)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _keep(folder: Path, files: list[tuple[str, bytes]], seeds: list[tuple[str, bytes]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for (name, content), (_, before) in zip(files, seeds, strict=True):
        if content != before:
            (folder / name).write_bytes(content)


if __name__ == "__main__":
    sys.exit(main())
