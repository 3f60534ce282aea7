"""The long form: `scripts/crash` kills the product again and again and says what it measured."""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from tests.support.crash.run import Outcome, crash, plan
from tests.support.crash.tail import long_run


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(prog="scripts/crash", description=__doc__)
    options.add_argument("--kills", type=int, default=20)
    options.add_argument("--acknowledgements", type=int, default=5000)
    options.add_argument("--clients", type=int, default=8)
    options.add_argument("--seed", type=int, default=1, help="another order of the same kills")
    options.add_argument("--command", choices=["run", "serve"], default="run")
    options.add_argument(
        "--tail",
        type=int,
        metavar="EVENTS",
        help="kill nothing: let 16 writers in 4 processes make so many events, and a reader follow",
    )
    return options.parse_args()


def main() -> None:
    """Exit 0 if nothing was violated, 1 otherwise; the folder of a run that failed is kept."""
    asked = _options()
    folder = Path(tempfile.mkdtemp(prefix="dealtrail-crash-", dir="/tmp"))
    folder.chmod(0o711)
    violations = _tail(folder, asked.tail) if asked.tail else _crash(folder, asked)
    if violations:
        _say(f"kept for a look: {folder}")
        sys.exit(1)
    shutil.rmtree(folder)


def _crash(folder: Path, asked: argparse.Namespace) -> Sequence[str]:
    outcome = crash(
        folder / "home",
        kills=plan(asked.kills, seed=asked.seed),
        acknowledgements=asked.acknowledgements,
        clients=asked.clients,
        seed=asked.seed,
        command=asked.command,
        told=_say,
    )
    _report(outcome)
    return outcome.violations


def _tail(folder: Path, events: int) -> Sequence[str]:
    begun = perf_counter()
    seen, answers, violations = long_run(folder / "home", events=events)
    repeated = sum(answer.get("new") is False for answer in answers)
    refused = sum("conflict" in answer for answer in answers)
    _say(
        f"{len(answers)} requests, {repeated} of them repeated and {refused} refused for their"
        f" version; {seen} events followed in {perf_counter() - begun:.0f} s {_load()}"
    )
    _list(violations)
    return violations


def _report(outcome: Outcome) -> None:
    slowest = max((one.ready_seconds for one in outcome.survived), default=0.0)
    stops = [one for one in outcome.survived if one.exit_seconds is not None]
    slowest_stop = max((one.exit_seconds or 0.0 for one in stops), default=0.0)
    _say(
        f"{len(outcome.survived)} kills, {outcome.acknowledged} acknowledgements of"
        f" {outcome.events} events, {outcome.refused} refused for their version\n"
        f"ready again after {slowest:.1f} s at the most, stopped within {slowest_stop:.1f} s"
        f" {_load()}"
    )
    _list(outcome.violations)


def _list(violations: Sequence[str]) -> None:
    _say(f"{len(violations)} violations")
    for violation in violations[:50]:
        _say(f"  {violation}")


def _load() -> str:
    return f"(load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores)"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
