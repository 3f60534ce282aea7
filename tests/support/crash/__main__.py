"""The long form: `scripts/crash` kills the product again and again and says what it measured."""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from tests.support.crash.run import Outcome, crash, plan


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(prog="scripts/crash", description=__doc__)
    options.add_argument("--kills", type=int, default=20)
    options.add_argument("--acknowledgements", type=int, default=5000)
    options.add_argument("--clients", type=int, default=8)
    options.add_argument("--seed", type=int, default=1, help="another order of the same kills")
    options.add_argument("--command", choices=["run", "serve"], default="run")
    return options.parse_args()


def main() -> None:
    """Exit 0 if nothing was violated, 1 otherwise; the folder of a run that failed is kept."""
    asked = _options()
    folder = Path(tempfile.mkdtemp(prefix="dealtrail-crash-", dir="/tmp"))
    folder.chmod(0o711)
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
    if outcome.violations:
        _say(f"kept for a look: {folder}")
        sys.exit(1)
    shutil.rmtree(folder)


def _report(outcome: Outcome) -> None:
    slowest = max((one.ready_seconds for one in outcome.survived), default=0.0)
    stops = [one for one in outcome.survived if one.exit_seconds is not None]
    slowest_stop = max((one.exit_seconds or 0.0 for one in stops), default=0.0)
    _say(
        f"{len(outcome.survived)} kills, {outcome.acknowledged} acknowledgements of"
        f" {outcome.events} events, {outcome.refused} refused for their version\n"
        f"ready again after {slowest:.1f} s at the most, stopped within {slowest_stop:.1f} s"
        f" (load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores)\n"
        f"{len(outcome.violations)} violations"
    )
    for violation in outcome.violations[:50]:
        _say(f"  {violation}")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
