"""The long form: `scripts/soak` loads the product for half an hour and says what it measured."""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path
from statistics import quantiles

from tests.support.crash.server import Server
from tests.support.soak.run import Plan, soak
from tests.support.soak.samples import PARTS
from tests.support.soak.verdict import Soaked, findings


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    options.add_argument("--minutes", type=float, default=30)
    options.add_argument("--filled", type=int, default=120_000, help="events before it begins")
    options.add_argument("--appends", type=float, default=30, help="a second")
    options.add_argument("--reads", type=float, default=10, help="a second")
    options.add_argument("--clients", type=int, default=6, help="of each kind")
    options.add_argument("--followers", type=int, default=4)
    options.add_argument("--seed", type=int, default=1)
    return options.parse_args()


def main() -> None:
    """Exit 0 if every bound was held, 1 otherwise; the folder of a run that failed is kept."""
    plan = Plan(**vars(_options()))
    folder = Path(tempfile.mkdtemp(prefix="dealtrail-soak-", dir="/tmp"))
    folder.chmod(0o711)
    soaked = soak(Server(folder / "home"), plan, told=_say)
    _report(soaked)
    if not all(one.held for one in findings(soaked)):
        _say(f"kept for a look: {folder}")
        sys.exit(1)
    shutil.rmtree(folder)


def _report(soaked: Soaked) -> None:
    seen = soaked.seen
    for (kind, status), count in sorted(seen.statuses.items()):
        _say(f"{kind} {status}: {count}")
    for kind, seconds in seen.seconds.items():
        if len(seconds) > 1 and kind not in {"fill", "follow"}:
            cuts = quantiles(seconds, n=100)
            _say(f"{kind}: p50 {1000 * cuts[49]:.1f} ms, p99 {1000 * cuts[98]:.1f} ms")
    _say(f"followers were told {seen.followed} events")
    for part in PARTS:
        sizes = [sample.own[part] for sample in soaked.samples]
        _say(f"memory of the {part}: {sizes[0]:.1f} MB at first, {sizes[-1]:.1f} MB at last")
    for table in sorted(soaked.tables, key=lambda one: -one.size)[:8]:
        _say(
            f"{table.name}: {table.size / 2**20:.1f} MB, a copy {table.packed / 2**20:.1f} MB,"
            f" {table.live} rows live, {table.dead} dead"
        )
    for odd in seen.odd:
        _say(f"  {odd}")
    _say(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for finding in findings(soaked):
        _say(str(finding))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
